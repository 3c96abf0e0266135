//! `openclaw gateway status`: service, configuration, port, and whether the gateway answers.

use std::net::TcpListener;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use oc_config::load::{Loaded, Reading};
use oc_gateway::client::{DEFAULT_TIMEOUT, Scheme, Source, Target};
use oc_gateway::service::Kind;
use oc_types::Node;
use serde_json::{Value, json};

use super::standing::Standing;
use crate::app::App;
use crate::sheet::Sheet;
use crate::wire::{self, Connection, WireArgs};

/// Arguments of `openclaw gateway status`.
#[derive(Debug, clap::Args)]
pub struct StatusArgs {
    /// Do not connect; only look.
    #[arg(long)]
    no_probe: bool,
    /// Accepted for scripts; services of the system are looked at either way.
    #[arg(long, hide = true)]
    deep: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What was found.
struct Found {
    service: Standing,
    config: String,
    exists: bool,
    valid: bool,
    bind: String,
    target: Target,
    port_busy: Option<bool>,
    rpc: Option<Result<(), String>>,
}

/// Looks and prints. A gateway that does not answer is a finding, not a failure of this command.
pub fn run(app: &App, args: &WireArgs, status: &StatusArgs) -> Result<ExitCode> {
    let loaded = app.load(Reading::Product);
    let found = look(app, &loaded, args, !status.no_probe);
    if status.json {
        wire::print_json(app, &as_json(&found));
    } else {
        app.print(&as_text(&found));
    }
    Ok(ExitCode::SUCCESS)
}

fn look(app: &App, loaded: &Loaded, args: &WireArgs, probe: bool) -> Found {
    let target = wire::resolve(loaded, &args.asked());
    let local = matches!(target.source, Source::Local | Source::LocalAddress);
    let rpc = probe.then(|| answers(loaded, &target, args.timeout_or(DEFAULT_TIMEOUT)));
    let bind = loaded.tree.path(&["gateway", "bind"]).and_then(Node::as_str).unwrap_or("loopback");
    Found {
        service: Standing::of(app, Kind::Gateway),
        config: loaded.locations.config.display().to_string(),
        exists: loaded.exists,
        valid: loaded.is_valid(),
        bind: bind.to_owned(),
        port_busy: local.then(|| busy(&target)),
        rpc,
        target,
    }
}

fn answers(loaded: &Loaded, target: &Target, timeout: Duration) -> Result<(), String> {
    let c = Connection::open(loaded, target, timeout).map_err(|e| e.reason())?;
    let outcome = c.call("status", json!({}));
    c.close();
    outcome.map(|_| ()).map_err(|e| format!("{e:#}").lines().next().unwrap_or_default().to_owned())
}

/// Whether somebody listens: then the port cannot be bound. It is given back at once.
fn busy(target: &Target) -> bool {
    TcpListener::bind((target.host.as_str(), target.port)).is_err()
}

fn as_json(f: &Found) -> Value {
    let mut rpc = json!({"ok": f.rpc.as_ref().is_some_and(Result::is_ok), "url": f.target.display});
    if let (Some(Err(why)), Some(members)) = (&f.rpc, rpc.as_object_mut()) {
        members.insert("error".to_owned(), why.as_str().into());
    }
    let file = json!({"path": f.config, "exists": f.exists, "valid": f.valid});
    let mut out = json!({
        "service": f.service.json(),
        "config": {"cli": file, "daemon": file},
        "gateway": {"bindMode": f.bind, "bindHost": f.target.host, "port": f.target.port,
            "portSource": "env/config", "probeUrl": f.target.display, "probeNote": note(f)},
        "rpc": rpc,
        "extraServices": [],
    });
    if let (Some(busy), Some(members)) = (f.port_busy, out.as_object_mut()) {
        let status = if busy { "busy" } else { "free" };
        let port = json!({"port": f.target.port, "status": status, "listeners": [], "hints": []});
        members.insert("port".to_owned(), port);
    }
    if f.rpc.is_none()
        && let Some(members) = out.as_object_mut()
    {
        members.shift_remove("rpc");
    }
    out
}

fn note(f: &Found) -> Option<&'static str> {
    match (f.target.source, f.bind.as_str()) {
        (Source::Local, "loopback" | "auto") => Some("only programs on this machine can connect"),
        _ => None,
    }
}

fn as_text(f: &Found) -> String {
    let mut sheet = Sheet::new(10);
    sheet.row("Service", &f.service.words());
    let standing = match (f.exists, f.valid) {
        (false, _) => ", not there: the defaults count",
        (true, false) => ", not valid: `openclaw doctor` helps",
        (true, true) => "",
    };
    sheet.row("Config", &format!("{}{standing}", f.config));
    sheet.row("Target", &format!("{} ({})", f.target.display, f.target.source));
    if f.port_busy.is_some() {
        sheet.row("Bind", &format!("{}, port {}", f.bind, f.target.port));
    }
    match f.port_busy {
        Some(true) => sheet.row("Port", "in use"),
        Some(false) => sheet.row("Port", "free: no gateway listens"),
        None => {}
    }
    if f.target.scheme != Scheme::Invalid {
        sheet.some("Console", Some(super::super::dashboard::address(&f.target)));
    }
    match &f.rpc {
        Some(Ok(())) => sheet.row("Answers", "yes"),
        Some(Err(why)) => sheet.row("Answers", &format!("no: {why}")),
        None => sheet.row("Answers", "not asked"),
    }
    sheet.text()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(rpc: Result<(), String>) -> Found {
        let mut target = oc_gateway::client::target::parse("ws://127.0.0.1:18789", Source::Local);
        target.source = Source::Local;
        Found {
            service: Standing::sample(),
            config: "/home/u/.openclaw/openclaw.json".to_owned(),
            exists: true,
            valid: true,
            bind: "loopback".to_owned(),
            target,
            port_busy: Some(rpc.is_ok()),
            rpc: Some(rpc),
        }
    }

    #[test]
    fn what_people_read() {
        let down = "no gateway answers: cannot connect: Connection refused (os error 111)".to_owned();
        let both = format!("{}---\n{}", as_text(&found(Ok(()))), as_text(&found(Err(down))));
        insta::assert_snapshot!(both);
    }

    #[test]
    fn what_programs_read() {
        insta::assert_snapshot!(format!("{:#}", as_json(&found(Err("why".to_owned())))));
    }
}
