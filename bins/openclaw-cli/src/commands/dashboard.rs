//! `openclaw dashboard`: the address of the console.

use std::process::{Command, ExitCode, Stdio};

use anyhow::Result;
use oc_config::load::{Loaded, Reading};
use oc_gateway::client::{Asked, Scheme, Target};
use oc_types::Node;
use serde_json::json;

use crate::app::App;
use crate::wire;

/// Arguments of `openclaw dashboard`.
#[derive(Debug, clap::Args)]
pub struct DashboardArgs {
    /// Only print the address.
    #[arg(long)]
    no_open: bool,
    /// Print JSON: the address, without the token.
    #[arg(long)]
    json: bool,
}

/// Prints the address and opens it.
///
/// The token stands in the fragment, which browsers keep to themselves, and only in what is printed here: the address that a browser is
/// started with has none, because other users of this machine can read the arguments of a process.
///
/// # Errors
/// A target that is not usable.
pub fn run(app: &App, args: &DashboardArgs) -> Result<ExitCode> {
    let loaded = app.load(Reading::Product);
    let target = wire::resolve(&loaded, &Asked::default());
    if let Some(refusal) = target.refusal(false) {
        anyhow::bail!("{refusal}");
    }
    let plain = address(&target).trim_end_matches('/').to_owned() + &base_path(&loaded);
    if args.json {
        wire::print_json(app, &json!({ "url": plain }));
        return Ok(ExitCode::SUCCESS);
    }
    app.print(&format!("{}\n", with_token(&plain, &target)));
    if !target.is_loopback() && target.scheme == Scheme::Plain {
        app.note("openclaw: a browser makes no device identity over plain http to another machine; use https or a tunnel to 127.0.0.1");
    }
    if !args.no_open && !open(app, &plain) {
        app.note("openclaw: no browser was started; open the address yourself");
    }
    Ok(ExitCode::SUCCESS)
}

/// The address of a gateway for a browser, without base path and token.
pub fn address(target: &Target) -> String {
    let shown = &target.display;
    let http = shown
        .strip_prefix("wss://")
        .map(|rest| format!("https://{rest}"))
        .or_else(|| shown.strip_prefix("ws://").map(|rest| format!("http://{rest}")));
    http.map_or_else(|| shown.clone(), |http| format!("{http}/"))
}

/// `gateway.controlUi.basePath` with a slash on both ends.
fn base_path(loaded: &Loaded) -> String {
    let path = loaded.tree.path(&["gateway", "controlUi", "basePath"]).and_then(Node::as_str).unwrap_or("");
    match path.trim().trim_matches('/') {
        "" => "/".to_owned(),
        path => format!("/{path}/"),
    }
}

fn with_token(plain: &str, target: &Target) -> String {
    match &target.credentials.token {
        Some(token) => format!("{plain}#token={}", escaped(token.expose())),
        None => plain.to_owned(),
    }
}

/// Percent-encoding of everything that is not plain in a fragment.
fn escaped(text: &str) -> String {
    text.bytes()
        .map(|b| match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(b).to_string(),
            b => format!("%{b:02X}"),
        })
        .collect()
}

/// Starts the browser of the desktop; whether there is one.
fn open(app: &App, url: &str) -> bool {
    let program = if cfg!(target_os = "macos") { "/usr/bin/open" } else { "xdg-open" };
    let desktop = cfg!(target_os = "macos")
        || ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|n| app.process.text(n).is_some());
    desktop
        && Command::new(program)
            .arg(url)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|s| s.success())
}

#[cfg(test)]
mod tests {
    use oc_gateway::client::{Source, target};
    use oc_types::Secret;

    use super::*;

    #[test]
    fn the_token_stands_in_the_fragment_and_nowhere_else() {
        let mut t = target::parse("wss://gateway.example:9/base", Source::Remote);
        assert_eq!(address(&t), "https://gateway.example:9/base/");
        t.credentials.token = Some(Secret::new("a b&c#".to_owned()));
        let url = with_token("https://gateway.example:9/", &t);
        assert_eq!(url, "https://gateway.example:9/#token=a%20b%26c%23");
        assert!(!url.contains('?'));
        t.credentials.token = None;
        assert_eq!(with_token("https://h/", &t), "https://h/");
    }
}
