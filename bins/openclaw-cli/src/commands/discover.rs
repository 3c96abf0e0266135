//! `openclaw gateway discover`: who on the local network says that it is a gateway.
#![allow(dead_code, reason = "mounted by the commands of the gateway")]

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use oc_gateway::discovery::browse::{Found, browse};
use serde_json::{Value, json};

use crate::app::App;

/// Arguments of `openclaw gateway discover`.
#[derive(Debug, clap::Args)]
pub struct DiscoverArgs {
    /// How long to listen, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(100..=60_000))]
    timeout: u64,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Listens, and says what was heard. Nothing of it is used for anything.
///
/// # Errors
/// When multicast DNS cannot be used here.
pub fn run(app: &App, args: &DiscoverArgs) -> Result<ExitCode> {
    let found = browse(Duration::from_millis(args.timeout))?;
    if args.json {
        let beacons: Vec<Value> = found
            .iter()
            .map(|f| {
                let mut one = json!(f);
                if let Value::Object(members) = &mut one {
                    members.insert("wsUrl".to_owned(), f.url_hint().into());
                }
                one
            })
            .collect();
        app.print(&format!(
            "{:#}\n",
            json!({ "timeoutMs": args.timeout, "count": found.len(), "beacons": beacons })
        ));
    } else {
        app.print(&text(&found));
    }
    Ok(ExitCode::SUCCESS)
}

fn text(found: &[Found]) -> String {
    if found.is_empty() {
        return "no gateway announces itself on the local network\n".to_owned();
    }
    let mut out = String::new();
    for f in found {
        out.push_str(&format!("{}\n  {}\n", f.instance, f.url_hint().unwrap_or_else(|| f.host.clone())));
        for (key, value) in &f.hints {
            out.push_str(&format!("  {key}: {value}\n"));
        }
    }
    out.push_str(
        "Anybody on the network can announce this: compare the certificate's fingerprint with its owner before you send a token there.\n",
    );
    out
}
