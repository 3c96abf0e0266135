//! The way from a command to a gateway: flags, target, one connection with its runtime.

use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use oc_config::load::{Loaded, Reading};
use oc_gateway::client::{Asked, Client, ClientError, Credentials, DEFAULT_TIMEOUT, Options, Target, target};
use oc_types::Secret;
use serde_json::Value;

use crate::app::App;

/// Which gateway, and what it is shown. They may stand before or after the command's own name.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct WireArgs {
    /// Address of the gateway (`ws://` or `wss://`); needs --token or --password beside it.
    #[arg(long, global = true, value_name = "URL", help_heading = "Gateway")]
    pub url: Option<String>,
    /// The gateway token, instead of the configured one.
    #[arg(long, global = true, value_name = "TOKEN", help_heading = "Gateway")]
    pub token: Option<String>,
    /// The gateway password, instead of the configured one.
    #[arg(long, global = true, value_name = "PASSWORD", help_heading = "Gateway")]
    pub password: Option<String>,
    /// SHA-256 of the gateway's certificate, for `wss://` with a certificate of its own.
    #[arg(long, global = true, value_name = "SHA256", help_heading = "Gateway")]
    pub tls_fingerprint: Option<String>,
    /// How long to wait for an answer, in milliseconds [default: 10000].
    #[arg(long, global = true, value_name = "MS", help_heading = "Gateway")]
    pub timeout: Option<u64>,
}

impl WireArgs {
    /// What the command line says about the target.
    pub fn asked(&self) -> Asked {
        let secret = |text: &Option<String>| {
            text.as_deref().map(str::trim).filter(|t| !t.is_empty()).map(|t| Secret::new(t.to_owned()))
        };
        Asked {
            url: self.url.clone(),
            credentials: Credentials { token: secret(&self.token), password: secret(&self.password) },
            fingerprint: self.tls_fingerprint.clone(),
            local: false,
        }
    }

    /// The deadline, or another one when none was given.
    pub fn timeout_or(&self, default: Duration) -> Duration {
        self.timeout.map_or(default, Duration::from_millis)
    }
}

/// The target of a command.
pub fn resolve(loaded: &Loaded, asked: &Asked) -> Target {
    target::of_configuration(loaded, asked)
}

/// An open connection with the runtime it lives on.
pub struct Connection {
    client: Client,
    runtime: tokio::runtime::Runtime,
    timeout: Duration,
}

impl Connection {
    /// Connects to a target.
    ///
    /// # Errors
    /// With everything that helps to find out why: [`said`] makes it a message.
    pub fn open(loaded: &Loaded, target: &Target, timeout: Duration) -> Result<Self, NotConnected> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(|e| NotConnected::Runtime(e.to_string()))?;
        let options = Options { timeout, ..Options::cli(&loaded.locations.state_dir) };
        let client = runtime
            .block_on(Client::connect(target, &options))
            .map_err(|e| NotConnected::Gateway(Box::new(e)))?;
        Ok(Self { client, runtime, timeout })
    }

    /// Whether the gateway offers a method.
    pub fn offers(&self, method: &str) -> bool {
        self.client.hello().offers(method)
    }

    /// Calls a method.
    ///
    /// # Errors
    /// When it is refused, or no answer comes.
    pub fn call(&self, method: &str, params: Value) -> Result<Value> {
        self.call_within(method, params, self.timeout)
    }

    /// Calls a method with its own deadline.
    ///
    /// # Errors
    /// When it is refused, or no answer comes.
    pub fn call_within(&self, method: &str, params: Value, timeout: Duration) -> Result<Value> {
        self.runtime.block_on(self.client.call_within(method, params, timeout)).map_err(|e| said(&e))
    }

    /// Calls a method and waits for what came of it.
    ///
    /// # Errors
    /// When it is refused, or no answer comes.
    pub fn call_to_the_end(&self, method: &str, params: Value) -> Result<Value> {
        self.runtime.block_on(self.client.call_to_the_end(method, params, self.timeout)).map_err(|e| said(&e))
    }

    /// Waits while the connection stays alive.
    ///
    /// # Errors
    /// When the connection ended meanwhile.
    pub fn pause(&self, time: Duration) -> Result<()> {
        self.runtime.block_on(tokio::time::sleep(time));
        self.client.end().map_or(Ok(()), |e| Err(said(&e)))
    }

    /// Says goodbye.
    pub fn close(self) {
        self.runtime.block_on(self.client.close());
    }
}

/// Why there is no connection.
#[derive(Debug)]
pub enum NotConnected {
    /// No runtime.
    Runtime(String),
    /// The gateway, or the way to it.
    Gateway(Box<ClientError>),
}

impl NotConnected {
    /// The reason alone, one line.
    pub fn reason(&self) -> String {
        match self {
            Self::Runtime(why) => format!("cannot start: {why}"),
            Self::Gateway(e) => e.to_string(),
        }
    }
}

impl From<NotConnected> for anyhow::Error {
    fn from(e: NotConnected) -> Self {
        match e {
            NotConnected::Runtime(why) => anyhow!("cannot start: {why}"),
            NotConnected::Gateway(e) => said(&e),
        }
    }
}

fn said(e: &ClientError) -> anyhow::Error {
    anyhow!("{}", e.lines())
}

/// Connects, does something, says goodbye.
///
/// # Errors
/// Those of the connection and of `work`.
pub fn with<T>(app: &App, args: &WireArgs, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
    let loaded = app.load(Reading::Product);
    let target = resolve(&loaded, &args.asked());
    let connection = Connection::open(&loaded, &target, args.timeout_or(DEFAULT_TIMEOUT))?;
    let outcome = work(&connection);
    connection.close();
    outcome
}

/// One call.
///
/// # Errors
/// Those of the connection and of the call.
pub fn call(app: &App, args: &WireArgs, method: &str, params: Value) -> Result<Value> {
    with(app, args, |c| c.call(method, params))
}

/// Reads the text of `--params`: one JSON object.
///
/// # Errors
/// When it is none.
pub fn params(text: &str) -> Result<Value> {
    let value: Value = serde_json::from_str(text).context("--params is not JSON")?;
    anyhow::ensure!(value.is_object(), "--params is not a JSON object");
    Ok(value)
}

/// Prints a payload as JSON.
pub fn print_json(app: &App, value: &Value) {
    app.print(&format!("{value:#}\n"));
}
