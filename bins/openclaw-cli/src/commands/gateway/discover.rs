//! `openclaw gateway discover`: who answers on the local network. Lines to read: nothing here is contacted, trusted or stored (SP-352).

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use oc_gateway::discovery::browse::{Found, browse};
use oc_text::visible;
use serde_json::{Value, json};

use crate::app::App;
use crate::sheet::Sheet;
use crate::wire::{self, WireArgs};

/// How long answers are waited for.
const PATIENCE: Duration = Duration::from_secs(2);
/// The only domain that is asked.
const DOMAIN: &str = "local.";

/// Arguments of `openclaw gateway discover`.
#[derive(Debug, clap::Args)]
pub struct DiscoverArgs {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Looks and prints.
pub fn run(app: &App, wire: &WireArgs, args: &DiscoverArgs) -> Result<ExitCode> {
    let patience = wire.timeout_or(PATIENCE);
    let found = browse(patience)?;
    if args.json {
        wire::print_json(app, &as_json(&found, patience));
    } else {
        app.print(&as_text(&found));
    }
    Ok(ExitCode::SUCCESS)
}

fn as_json(found: &[Found], patience: Duration) -> Value {
    let beacons: Vec<Value> = found
        .iter()
        .map(|f| {
            let mut beacon = serde_json::to_value(f).unwrap_or_default();
            if let Some(members) = beacon.as_object_mut() {
                members.insert("domain".to_owned(), DOMAIN.into());
                members.insert("wsUrl".to_owned(), f.url_hint().into());
            }
            beacon
        })
        .collect();
    json!({
        "timeoutMs": u64::try_from(patience.as_millis()).unwrap_or(u64::MAX),
        "domains": [DOMAIN],
        "count": beacons.len(),
        "beacons": beacons,
    })
}

fn as_text(found: &[Found]) -> String {
    let mut sheet = Sheet::new(12);
    if found.is_empty() {
        sheet.line("No gateway answers on the local network.");
        return sheet.text();
    }
    sheet.line("Anybody on this network can answer. Compare the address with what the gateway's");
    sheet.line("owner told you before you give it a credential.");
    for f in found {
        sheet.heading(&visible(&f.instance, 70));
        sheet.some("Address", f.url_hint());
        sheet.row("Host", &f.host);
        for (name, value) in &f.hints {
            sheet.row(name, value);
        }
    }
    sheet.text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_read() {
        let found = Found {
            instance: "home (OpenClaw)".to_owned(),
            host: "openclaw.local".to_owned(),
            port: 18_789,
            addresses: vec!["192.0.2.4".parse().unwrap()],
            tls: true,
            hints: [("role", "gateway".to_owned())].into(),
        };
        let value = as_json(std::slice::from_ref(&found), PATIENCE);
        assert_eq!(value.pointer("/beacons/0/wsUrl"), Some(&json!("wss://192.0.2.4:18789")));
        assert_eq!(value.pointer("/count"), Some(&json!(1)));
        insta::assert_snapshot!(format!("{}---\n{}", as_text(&[found]), as_text(&[])));
    }
}
