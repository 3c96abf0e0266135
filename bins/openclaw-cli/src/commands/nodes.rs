//! `openclaw nodes`: devices that offer commands, through the gateway.

mod act;
mod show;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use oc_text::visible;
use serde_json::{Value, json};

use crate::app::App;
use crate::sheet::{list, now_ms, text};
use crate::wire::{self, Connection, WireArgs};

/// Arguments of `openclaw nodes`.
#[derive(Debug, clap::Args)]
pub struct NodesArgs {
    #[command(flatten)]
    wire: WireArgs,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: NodesCommand,
}

/// The commands below `openclaw nodes`.
#[derive(Debug, clap::Subcommand)]
enum NodesCommand {
    /// Show every known node, whether it is connected and what it offers.
    Status(FilterArgs),
    /// Show the nodes that ask to be paired, and those that are.
    List(FilterArgs),
    /// Show the nodes that ask to be paired.
    Pending,
    /// Pair a node that asks.
    Approve(RequestArgs),
    /// Refuse a node that asks.
    Reject(RequestArgs),
    /// Give a node another name.
    Rename(RenameArgs),
    /// Show one node with everything it offers.
    Describe(NodeArg),
    /// Have a node carry out one of its commands.
    Invoke(act::InvokeArgs),
    /// Run a program on a node. The node's own approvals decide.
    Run(act::RunArgs),
    /// End a node's pairing: its connection closes and its token is dead.
    Unpair(UnpairArgs),
}

/// Which nodes.
#[derive(Debug, clap::Args)]
struct FilterArgs {
    /// Only those that are connected now.
    #[arg(long)]
    connected: bool,
    /// Only those that connected within this time (`90s`, `30m`, `24h`, `7d`).
    #[arg(long, value_name = "TIME", value_parser = span)]
    last_connected: Option<Duration>,
}

/// A request.
#[derive(Debug, clap::Args)]
struct RequestArgs {
    /// The id of the request, from `openclaw nodes pending`.
    #[arg(value_name = "REQUEST")]
    request: String,
}

/// A node.
#[derive(Debug, clap::Args)]
struct NodeArg {
    /// Id, name or address of the node.
    #[arg(long, value_name = "NODE")]
    node: String,
}

/// Arguments of `openclaw nodes unpair`.
#[derive(Debug, clap::Args)]
struct UnpairArgs {
    /// Id, name or address of the node.
    #[arg(value_name = "NODE", required_unless_present = "node", conflicts_with = "node")]
    positional: Option<String>,
    /// The same as a flag.
    #[arg(long, value_name = "NODE")]
    node: Option<String>,
}

/// Arguments of `openclaw nodes rename`.
#[derive(Debug, clap::Args)]
struct RenameArgs {
    #[command(flatten)]
    node: NodeArg,
    /// The new name.
    #[arg(long, value_name = "NAME")]
    name: String,
}

/// A time with its unit.
fn span(text: &str) -> Result<Duration, String> {
    let wrong = || "write a number and s, m, h or d, for example 24h".to_owned();
    let at = text.len().checked_sub(1).ok_or_else(wrong)?;
    let (number, unit) = text.split_at_checked(at).ok_or_else(wrong)?;
    let seconds: u64 = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(seconds).map(Duration::from_secs).ok_or_else(wrong)
}

/// Runs a command below `openclaw nodes`.
///
/// # Errors
/// No connection, no such node, a refused call.
pub fn run(app: &App, args: &NodesArgs) -> Result<ExitCode> {
    let out = |value: Value, words: fn(&Value, u64) -> String| {
        if args.json {
            wire::print_json(app, &value);
        } else {
            app.print(&words(&value, now_ms()));
        }
        Ok(ExitCode::SUCCESS)
    };
    let call = |method, params| wire::call(app, &args.wire, method, params);
    match &args.command {
        NodesCommand::Status(filter) => {
            let mut answer = call("node.list", json!({}))?;
            keep(&mut answer, "nodes", filter);
            out(answer, show::status)
        }
        NodesCommand::List(filter) => {
            let mut answer = call("node.pair.list", json!({}))?;
            keep(&mut answer, "paired", filter);
            out(answer, show::pairing)
        }
        NodesCommand::Pending => {
            let answer = call("node.pair.list", json!({}))?;
            out(answer.get("pending").cloned().unwrap_or_else(|| json!([])), show::pending)
        }
        NodesCommand::Approve(r) => {
            out(without_token(call("node.pair.approve", json!({"requestId": r.request}))?), |v, _| {
                format!(
                    "Paired {}.\n",
                    visible(v.get("node").and_then(|n| text(n, "nodeId")).unwrap_or("?"), 100)
                )
            })
        }
        NodesCommand::Reject(r) => out(call("node.pair.reject", json!({"requestId": r.request}))?, |v, _| {
            format!("Refused {}.\n", visible(text(v, "nodeId").unwrap_or("?"), 100))
        }),
        NodesCommand::Rename(r) => {
            let answer = wire::with(app, &args.wire, |c| {
                let id = resolve(c, &r.node.node)?;
                c.call("node.rename", json!({"nodeId": id, "displayName": r.name}))
            })?;
            out(answer, |v, _| {
                let shown = |name| visible(text(v, name).unwrap_or("?"), 100);
                format!("{} is now called {}.\n", shown("nodeId"), shown("displayName"))
            })
        }
        NodesCommand::Describe(n) => {
            let answer = wire::with(app, &args.wire, |c| {
                let id = resolve(c, &n.node)?;
                c.call("node.describe", json!({ "nodeId": id }))
            })?;
            out(answer, show::describe)
        }
        NodesCommand::Unpair(n) => {
            let answer = wire::with(app, &args.wire, |c| {
                let wanted = n.positional.as_deref().or(n.node.as_deref()).unwrap_or_default();
                let id = resolve(c, wanted)?;
                if c.offers("node.pair.remove") {
                    return c.call("node.pair.remove", json!({ "nodeId": id }));
                }
                // Another release of the gateway: its token at least is dead.
                let revoked = c.call("device.token.revoke", json!({"deviceId": id, "role": "node"}))?;
                Ok(json!({ "nodeId": id, "revokedAtMs": revoked.get("revokedAtMs") }))
            })?;
            out(answer, |v, _| {
                let node = visible(text(v, "nodeId").unwrap_or("?"), 100);
                if v.get("revokedAtMs").is_some() {
                    return format!("Revoked the token of {node}; this gateway keeps its pairing.\n");
                }
                format!("{node} is no longer paired.\n")
            })
        }
        NodesCommand::Invoke(i) => act::invoke(app, &args.wire, args.json, i),
        NodesCommand::Run(r) => act::run(app, &args.wire, args.json, r),
    }
}

/// Drops the nodes that were not asked for.
fn keep(answer: &mut Value, name: &str, filter: &FilterArgs) {
    let now = now_ms();
    let Some(nodes) = answer.get_mut(name).and_then(Value::as_array_mut) else { return };
    nodes.retain(|n| {
        let connected = n.get("connected").and_then(Value::as_bool) == Some(true);
        let at = ["connectedAtMs", "lastConnectedAtMs"].iter().find_map(|m| n.get(*m)?.as_u64());
        let recent = filter.last_connected.is_none_or(|span| {
            let span = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
            at.is_some_and(|at| now.saturating_sub(at) <= span)
        });
        (connected || !filter.connected) && recent
    });
}

/// A node's token is for the node: it fetches its own.
fn without_token(mut answer: Value) -> Value {
    if let Some(node) = answer.get_mut("node").and_then(Value::as_object_mut) {
        node.shift_remove("token");
    }
    answer
}

/// The id of the node that is meant: by its id, name, address, or the beginning of its id.
pub fn resolve(c: &Connection, wanted: &str) -> Result<String> {
    let answer = c.call("node.list", json!({}))?;
    pick(list(&answer, "nodes"), wanted)
}

fn pick(nodes: &[Value], wanted: &str) -> Result<String> {
    let wanted = wanted.trim();
    let ids = |fits: &dyn Fn(&Value) -> bool| -> Vec<String> {
        nodes.iter().filter(|n| fits(n)).filter_map(|n| text(n, "nodeId").map(str::to_owned)).collect()
    };
    let exact = |n: &Value| text(n, "nodeId") == Some(wanted);
    let named = |n: &Value| {
        text(n, "displayName").is_some_and(|name| name.eq_ignore_ascii_case(wanted))
            || text(n, "remoteIp") == Some(wanted)
    };
    let begins = |n: &Value| wanted.len() >= 6 && text(n, "nodeId").is_some_and(|id| id.starts_with(wanted));
    for found in [ids(&exact), ids(&named), ids(&begins)] {
        match found.as_slice() {
            [] => {}
            [id] => return Ok(id.clone()),
            [..] => bail!("`{}` fits {} nodes; give the id", visible(wanted, 60), found.len()),
        }
    }
    let known: Vec<&str> =
        nodes.iter().filter_map(|n| text(n, "displayName").or_else(|| text(n, "nodeId"))).collect();
    let known = if known.is_empty() { "none".to_owned() } else { visible(&known.join(", "), 300) };
    bail!("no node is called `{}`; known nodes: {known}", visible(wanted, 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_found_by_id_name_address_or_the_beginning_of_its_id() {
        let nodes = [
            json!({"nodeId": "abcdef123", "displayName": "Pi", "remoteIp": "192.0.2.4"}),
            json!({"nodeId": "abcdef999", "displayName": "Pi"}),
            json!({"nodeId": "x", "displayName": "Phone"}),
        ];
        for (wanted, id) in [("x", "x"), ("phone", "x"), ("192.0.2.4", "abcdef123"), ("abcdef1", "abcdef123")]
        {
            assert_eq!(pick(&nodes, wanted).unwrap(), id);
        }
        assert!(pick(&nodes, "pi").unwrap_err().to_string().contains("2 nodes"));
        assert!(pick(&nodes, "abc").unwrap_err().to_string().contains("known nodes: Pi, Pi, Phone"));
        assert!(pick(&[], "a").unwrap_err().to_string().contains("none"));
    }

    #[test]
    fn times_have_a_unit() {
        assert_eq!(span("24h").unwrap(), Duration::from_secs(86_400));
        for bad in ["", "h", "24", "1w", "999999999999999999d", "1é"] {
            assert!(span(bad).is_err(), "{bad}");
        }
    }
}
