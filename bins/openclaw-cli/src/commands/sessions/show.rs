//! `openclaw sessions show`: what was said in a session, credentials masked.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Result, bail};
use oc_config::load::Reading;
use oc_gateway::methods::{Place, sessions};
use oc_text::visible;
use serde_json::{Value, json};

use crate::app::App;
use crate::sheet::{Sheet, ago, list, now_ms, text};
use crate::wire;

/// Most characters of one message without `--full`.
const SHORT: usize = 400;
/// Most characters of one message with it.
const FULL: usize = 200_000;

/// Arguments of `openclaw sessions show`.
#[derive(Debug, clap::Args)]
pub struct ShowArgs {
    /// The session, as `sessions list` names it.
    #[arg(value_name = "KEY")]
    key: String,
    /// The last so many messages, 1 to 1000.
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    /// Do not cut long messages.
    #[arg(long)]
    full: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Shows it. A session that is not there has no messages and is exit code 1.
///
/// # Errors
/// A store or transcript that cannot be read, a key that is none.
pub fn run(app: &App, args: &ShowArgs) -> Result<ExitCode> {
    let loaded = app.load(Reading::Product);
    let now = now_ms();
    let place = Place::new(Arc::new(loaded.locations), Arc::new(loaded.tree), now);
    let asked = json!({ "sessionKey": args.key, "limit": args.limit });
    let found = match sessions::history(&place, asked) {
        Ok(found) => found,
        Err(failure) => bail!("{}: {}", visible(&args.key, 120), failure.message),
    };
    if found.get("sessionId").is_none() {
        bail!(
            "there is no session `{}`; `openclaw sessions list --agent ID` names an agent's",
            visible(&args.key, 120)
        );
    }
    if args.json {
        wire::print_json(app, &found);
    } else {
        app.print(&render(&found, now, if args.full { FULL } else { SHORT }));
    }
    Ok(ExitCode::SUCCESS)
}

fn render(found: &Value, now: u64, most: usize) -> String {
    let mut sheet = Sheet::new(10);
    let messages = list(found, "messages");
    sheet.line(&format!(
        "{} messages of {}",
        messages.len(),
        visible(text(found, "sessionKey").unwrap_or("?"), 200)
    ));
    for message in messages {
        let when = message.get("timestamp").and_then(Value::as_u64).map(|t| ago(now.saturating_sub(t)));
        let who = visible(text(message, "role").unwrap_or("?"), 40);
        sheet.heading(&when.map_or_else(|| who.clone(), |when| format!("{who}, {when}")));
        sheet.some("Tool", text(message, "toolName").map(|n| visible(n, 120)));
        sheet.some("Text", text(message, "content").map(|t| cut(t, most)));
        for part in list(message, "content") {
            match text(part, "type") {
                Some("text") => sheet.some("Text", text(part, "text").map(|t| cut(t, most))),
                Some("toolCall") => {
                    let arguments = part.get("arguments").map(Value::to_string).unwrap_or_default();
                    sheet.row(
                        "Calls",
                        &cut(&format!("{} {arguments}", text(part, "name").unwrap_or("?")), most),
                    );
                }
                Some(other) => sheet.row("Holds", &visible(other, 40)),
                None => {}
            }
        }
    }
    sheet.text()
}

/// At most so many characters.
fn cut(all: &str, most: usize) -> String {
    if all.chars().count() <= most {
        return all.to_owned();
    }
    let mut out: String = all.chars().take(most).collect();
    out.push_str(" ... (--full shows all)");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_calls_and_results_are_told_apart() {
        let found = json!({ "sessionKey": "agent:main:main", "sessionId": "s", "messages": [
            { "role": "user", "content": "list my files\u{202e}", "timestamp": 940_000 },
            { "role": "assistant", "timestamp": 950_000, "content": [
                { "type": "text", "text": "At once." },
                { "type": "toolCall", "id": "c", "name": "exec", "arguments": { "command": "ls" } } ] },
            { "role": "toolResult", "toolName": "exec", "timestamp": 960_000, "content": [
                { "type": "text", "text": "a".repeat(500) }, { "type": "image", "data": "AAAA" } ] },
        ] });
        insta::assert_snapshot!(render(&found, 1_000_000, SHORT));
    }
}
