//! Carrying repairs out. Changes of the configuration go together, as one write.

use std::path::Path;

use anyhow::{Context, Result, bail};
use oc_audit::doctor::Repair;
use oc_audit::fix::{Expected, ModeChange, ModeTarget, Skip};
use oc_config::edit::Change;
use oc_config::load::Reading;
use oc_fs::config_store::{self, Force, Writer};
use oc_fs::narrow::{self, Outcome};
use oc_fs::{mode, random, relocate};
use oc_types::{KeyPath, Node};
use serde_json::Value as Json;

use super::Examined;
use crate::app::App;

/// Bytes of a generated token.
const TOKEN_BYTES: usize = 32;

/// What came of one repair.
pub struct Done {
    /// What it was.
    pub summary: String,
    /// Why it failed, if it did.
    pub error: Option<String>,
}

/// Carries out every repair. One that fails does not stop the others.
pub fn all(app: &App, examined: &Examined, repairs: &[Repair]) -> Vec<Done> {
    let mut out = Vec::new();
    let mut changes = Vec::new();
    let mut key_repairs = Vec::new();
    for repair in repairs {
        let result = match repair {
            Repair::CreateDirectory { path } => create(path),
            Repair::Chmod { path, mode } => set_mode(path, *mode),
            Repair::MoveDirectory { from, to, leave_link } => {
                relocate::directory(from, to, *leave_link).map_err(anyhow::Error::from)
            }
            Repair::GenerateToken | Repair::MoveKey { .. } | Repair::RemoveKey { .. } => {
                match key_changes(examined, repair) {
                    Ok(mut more) => {
                        changes.append(&mut more);
                        key_repairs.push(repair.summary());
                        continue;
                    }
                    Err(e) => Err(e),
                }
            }
        };
        out.push(done(repair.summary(), result));
    }
    if !changes.is_empty() {
        let result = write(app, &changes);
        let error = result.err().map(|e| format!("{e:#}"));
        out.extend(key_repairs.into_iter().map(|summary| Done { summary, error: error.clone() }));
    }
    out
}

fn done(summary: String, result: Result<()>) -> Done {
    Done { summary, error: result.err().map(|e| format!("{e:#}")) }
}

fn create(path: &Path) -> Result<()> {
    mode::create_directories(path).with_context(|| format!("cannot create {}", path.display()))
}

fn set_mode(path: &Path, bits: u32) -> Result<()> {
    let expected = if bits & 0o111 == 0 { Expected::File } else { Expected::Directory };
    let change = ModeChange { path: path.to_owned(), below: None, expected, target: ModeTarget::Exact(bits) };
    match narrow::apply(&change) {
        Outcome::Changed { .. } | Outcome::Skipped(Skip::Already) => Ok(()),
        Outcome::Skipped(why) => bail!("{} was left alone: {}", path.display(), why.as_str()),
        Outcome::Failed(why) => bail!("cannot change {}: {why}", path.display()),
    }
}

/// The value at a path as it is written, `${VAR}` and all.
fn written(examined: &Examined, path: &KeyPath) -> Option<Json> {
    let whole = examined.loaded.files.iter().find_map(|f| f.raw.at(path));
    whole.map(Node::to_json)
}

fn key_changes(examined: &Examined, repair: &Repair) -> Result<Vec<Change>> {
    Ok(match repair {
        Repair::GenerateToken => {
            let token = random::token_hex(TOKEN_BYTES)?;
            let auth = KeyPath::dotted("gateway.auth");
            vec![
                Change::Set { path: auth.key("mode"), value: "token".into() },
                Change::Set { path: auth.key("token"), value: token.expose().into() },
            ]
        }
        Repair::MoveKey { from, to } => {
            let value = written(examined, from)
                .with_context(|| format!("{from} stands in no file by itself: move it to {to} by hand"))?;
            vec![Change::Set { path: to.clone(), value }, Change::Unset { path: from.clone() }]
        }
        Repair::RemoveKey { path } => vec![Change::Unset { path: path.clone() }],
        Repair::CreateDirectory { .. } | Repair::Chmod { .. } | Repair::MoveDirectory { .. } => Vec::new(),
    })
}

fn write(app: &App, changes: &[Change]) -> Result<()> {
    let writer = Writer { name: "doctor", force: Force::No, expected: None };
    config_store::edit(&app.load_request(Reading::Product), changes, writer)?;
    Ok(())
}
