//! `openclaw approvals get`, `set` and `allowlist`: the approvals file.

use std::process::ExitCode;

use anyhow::{Result, bail};

use super::{AllowlistArgs, GetArgs, SetArgs, Whose};
use crate::app::App;

fn local(whose: &Whose) -> Result<()> {
    if whose.gateway || whose.node.is_some() {
        bail!("`--gateway` and `--node` need a running gateway, which this version does not have");
    }
    Ok(())
}

pub fn get(_app: &App, args: &GetArgs) -> Result<ExitCode> {
    local(&args.whose)?;
    bail!("not available yet")
}

pub fn set(_app: &App, args: &SetArgs) -> Result<ExitCode> {
    local(&args.whose)?;
    bail!("not available yet")
}

pub fn allowlist(_app: &App, _args: &AllowlistArgs) -> Result<ExitCode> {
    bail!("not available yet")
}
