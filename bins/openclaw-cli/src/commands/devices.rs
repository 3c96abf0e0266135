//! `openclaw devices`: who is paired with the gateway, who asks to be, and their tokens.

use std::process::ExitCode;

use anyhow::Result;
use oc_text::visible;
use serde_json::{Value, json};

use crate::app::App;
use crate::sheet::{Sheet, age, joined, list, now_ms, text};
use crate::wire::{self, WireArgs};

/// Arguments of `openclaw devices`.
#[derive(Debug, clap::Args)]
pub struct DevicesArgs {
    #[command(flatten)]
    wire: WireArgs,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: DevicesCommand,
}

/// The commands below `openclaw devices`.
#[derive(Debug, clap::Subcommand)]
enum DevicesCommand {
    /// Show the devices that ask to be paired, and those that are.
    List,
    /// Pair a device that asks.
    Approve(RequestArgs),
    /// Refuse a device that asks.
    Reject(RequestArgs),
    /// Give a device a new token for a role. The old one is dead.
    Rotate(RotateArgs),
    /// Take a device's token for a role.
    Revoke(TokenArgs),
}

/// A request.
#[derive(Debug, clap::Args)]
struct RequestArgs {
    /// The id of the request, from `openclaw devices list`.
    #[arg(value_name = "REQUEST")]
    request: String,
}

/// A token.
#[derive(Debug, clap::Args)]
struct TokenArgs {
    /// The device id.
    #[arg(long, value_name = "ID")]
    device: String,
    /// The role: `operator` or `node`.
    #[arg(long, value_name = "ROLE")]
    role: String,
}

/// A new token.
#[derive(Debug, clap::Args)]
struct RotateArgs {
    #[command(flatten)]
    token: TokenArgs,
    /// A scope of the new token; may be given several times. Default: those of the old one.
    #[arg(long, value_name = "SCOPE", num_args = 1..)]
    scope: Vec<String>,
}

/// Runs a command below `openclaw devices`.
///
/// # Errors
/// No connection, a refused call.
pub fn run(app: &App, args: &DevicesArgs) -> Result<ExitCode> {
    let (method, params) = match &args.command {
        DevicesCommand::List => ("device.pair.list", json!({})),
        DevicesCommand::Approve(r) => ("device.pair.approve", json!({"requestId": r.request})),
        DevicesCommand::Reject(r) => ("device.pair.reject", json!({"requestId": r.request})),
        DevicesCommand::Rotate(r) => {
            let mut params = json!({"deviceId": r.token.device, "role": r.token.role});
            if let (false, Some(members)) = (r.scope.is_empty(), params.as_object_mut()) {
                members.insert("scopes".to_owned(), r.scope.as_slice().into());
            }
            ("device.token.rotate", params)
        }
        DevicesCommand::Revoke(t) => ("device.token.revoke", json!({"deviceId": t.device, "role": t.role})),
    };
    let answer = wire::call(app, &args.wire, method, params)?;
    if args.json {
        wire::print_json(app, &answer);
        return Ok(ExitCode::SUCCESS);
    }
    let shown = |name: &str| visible(text(&answer, name).unwrap_or("?"), 100);
    match &args.command {
        DevicesCommand::List => app.print(&render(&answer, now_ms())),
        DevicesCommand::Approve(_) => {
            let device = answer.get("device").and_then(|d| text(d, "deviceId")).unwrap_or("?");
            app.print(&format!("Paired {}.\n", visible(device, 100)));
        }
        DevicesCommand::Reject(_) => app.print(&format!("Refused {}.\n", shown("deviceId"))),
        // The token is for the device; whoever rotates it has to carry it there, so it is shown once.
        DevicesCommand::Rotate(_) => app.print(&format!(
            "New token of {} for role {}: {}\n",
            shown("deviceId"),
            shown("role"),
            shown("token")
        )),
        DevicesCommand::Revoke(_) => {
            app.print(&format!("Revoked the token of {} for role {}.\n", shown("deviceId"), shown("role")));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The list for people.
pub fn render(answer: &Value, now_ms: u64) -> String {
    let mut sheet = Sheet::new(9);
    let (pending, paired) = (list(answer, "pending"), list(answer, "paired"));
    if pending.is_empty() && paired.is_empty() {
        sheet.line("No device is paired, and none asks to be.");
        return sheet.text();
    }
    for p in pending {
        sheet.heading(&format!("Asks to be paired: {}", visible(name(p), 60)));
        sheet.some("Request", text(p, "requestId").map(str::to_owned));
        facts(&mut sheet, p);
        sheet.some("Asked", age(p, "ts", now_ms));
        if p.get("isRepair").and_then(Value::as_bool) == Some(true) {
            sheet.row("Careful", "it is paired already: it asks for more, or has another key");
        }
    }
    for d in paired {
        sheet.heading(&format!("Paired: {}", visible(name(d), 60)));
        facts(&mut sheet, d);
        sheet.some("Since", age(d, "approvedAtMs", now_ms));
        for token in list(d, "tokens") {
            let revoked = age(token, "revokedAtMs", now_ms).map(|a| format!(", revoked {a}"));
            let used = age(token, "lastUsedAtMs", now_ms).map(|a| format!(", used {a}"));
            let scopes = joined(token, "scopes").unwrap_or_else(|| "no scopes".to_owned());
            let role = text(token, "role").unwrap_or("?");
            let end = revoked.or(used).unwrap_or_default();
            sheet.row("Token", &format!("{role}: {scopes}{end}"));
        }
    }
    sheet.text()
}

fn name(device: &Value) -> &str {
    text(device, "displayName").or_else(|| text(device, "clientId")).unwrap_or("a device without a name")
}

fn facts(sheet: &mut Sheet<'_>, device: &Value) {
    sheet.some("Device", text(device, "deviceId").map(str::to_owned));
    let roles = joined(device, "roles").or_else(|| text(device, "role").map(str::to_owned));
    sheet.some("Roles", roles);
    sheet.some("Scopes", joined(device, "scopes"));
    sheet.some("Offers", joined(device, "commands"));
    let from: Vec<&str> =
        ["platform", "clientMode", "remoteIp"].iter().filter_map(|n| text(device, n)).collect();
    sheet.some("From", Some(from.join(", ")));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_read() {
        let id = "a432d0261ffd8276ef79fbb3166c97a807c196448083c6f48d68beff46b92d65";
        let answer = json!({
            "pending": [{"requestId": "8e3c3db6-b78a-4f5d-b6e8-fe17674f946f", "deviceId": id, "displayName": "Evil\u{202e}name", "platform": "ios", "clientId": "openclaw-ios", "clientMode": "ui", "role": "operator", "scopes": ["operator.admin"], "remoteIp": "192.0.2.9", "isRepair": true, "ts": 100_000}],
            "paired": [{"deviceId": id, "platform": "linux", "clientId": "cli", "clientMode": "cli", "roles": ["operator"], "scopes": ["operator.admin", "operator.approvals", "operator.pairing"], "approvedAtMs": 100_000,
                "tokens": [{"role": "operator", "scopes": ["operator.admin", "operator.approvals", "operator.pairing"], "createdAtMs": 1, "lastUsedAtMs": 100_000}, {"role": "node", "scopes": [], "revokedAtMs": 200_000}]}]});
        let none = json!({"pending": [], "paired": []});
        insta::assert_snapshot!(format!("{}---\n{}", render(&answer, 400_000), render(&none, 0)));
    }
}
