//! `openclaw explain connection`: would this caller come in, and which rule says so.

use anyhow::Result;
use oc_config::load::Loaded;
use oc_gateway::explain::connection::{self, Auth, ClientIs, DeviceIs, Question, Surface};
use oc_types::Explanation;

use super::Common;

/// Arguments of `openclaw explain connection`.
#[derive(Debug, clap::Args)]
#[command(args_override_self = true)]
pub struct ConnectionArgs {
    /// Which door: the protocol (`ws`) or a request (`http`).
    #[arg(long, value_name = "DOOR", default_value = "ws", value_parser = ["ws", "http"])]
    surface: String,
    /// The path of a request.
    #[arg(long, value_name = "PATH")]
    path: Option<String>,
    /// The other end of the socket.
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    peer: String,
    /// A header of the request, `Name: value`. Repeatable.
    #[arg(long, value_name = "HEADER")]
    header: Vec<String>,
    /// How a browser reaches the page.
    #[arg(long, value_name = "SCHEME", value_parser = ["http", "https"])]
    scheme: Option<String>,
    /// An address of the gateway's host; default: those of this one. Repeatable.
    #[arg(long, value_name = "IP")]
    own_ip: Vec<String>,
    /// The program.
    #[arg(long, value_name = "CLIENT", default_value = "cli", value_parser = ["cli", "control-ui", "node", "backend"])]
    client: String,
    /// On which side it is.
    #[arg(long, value_name = "ROLE", value_parser = ["operator", "node"])]
    role: Option<String>,
    /// What it shows, by kind; never a secret itself.
    #[arg(long, value_name = "KIND", default_value = "none", value_parser = ["none", "token", "wrong-token", "password", "wrong-password"])]
    auth: String,
    /// Its device identity.
    #[arg(long, value_name = "KIND", default_value = "none", value_parser = ["none", "new", "paired"])]
    device: String,
    /// Flags of every subject.
    #[command(flatten)]
    pub common: Common,
}

/// Answers, also for a configuration that is invalid.
///
/// # Errors
/// A question that names no address.
pub fn explain(loaded: &Loaded, args: &ConnectionArgs) -> Result<Explanation> {
    let question = Question {
        surface: if args.surface == "http" { Surface::Http } else { Surface::Ws },
        path: args.path.clone(),
        peer: Some(args.peer.clone()),
        headers: args.header.clone(),
        scheme: args.scheme.clone(),
        own: args.own_ip.clone(),
        client: match args.client.as_str() {
            "control-ui" => ClientIs::ControlUi,
            "node" => ClientIs::Node,
            "backend" => ClientIs::Backend,
            _ => ClientIs::Cli,
        },
        role: args.role.clone(),
        auth: match args.auth.as_str() {
            "token" => Auth::Token,
            "wrong-token" => Auth::WrongToken,
            "password" => Auth::Password,
            "wrong-password" => Auth::WrongPassword,
            _ => Auth::None,
        },
        device: match args.device.as_str() {
            "new" => DeviceIs::New,
            "paired" => DeviceIs::Paired,
            _ => DeviceIs::None,
        },
    };
    Ok(connection::explain(loaded, &question, &oc_gateway::server::bind::interfaces())?)
}
