//! The gateway's own program, for service managers: the same server as `openclaw gateway run`. No rule lives here.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use oc_config::{Environment, LoadRequest, Overrides, Reading};
use oc_gateway::server::process::{self, Ready};
use oc_gateway::server::snapshot::Source;
use oc_gateway::settings::Flags;

/// Serves the gateway until a signal ends it.
#[derive(Debug, Parser)]
#[command(name = "openclaw-gateway", version, max_term_width = 100)]
struct Arguments {
    /// The state directory instead of `~/.openclaw`.
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The port instead of `gateway.port`.
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// Start although `gateway.mode` is not set.
    #[arg(long)]
    allow_unconfigured: bool,
}

fn main() -> ExitCode {
    if let Some(code) = runner() {
        return code;
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(e) => {
            let code = u8::try_from(e.exit_code()).unwrap_or(2);
            let _ = e.print();
            return ExitCode::from(code);
        }
    };
    let pairs = std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
    let source = Source {
        request: LoadRequest {
            environment: Environment::from_process(pairs),
            overrides: Overrides { state_dir: arguments.state_dir, config: arguments.config },
            cwd: std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
            os_home: std::env::home_dir(),
            reading: Reading::Product,
        },
        flags: Flags {
            port: arguments.port,
            allow_unconfigured: arguments.allow_unconfigured,
            ..Flags::default()
        },
    };
    match process::run(&source, &mut say) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            let _ = writeln!(std::io::stderr().lock(), "openclaw-gateway: {e}");
            ExitCode::from(1)
        }
    }
}

fn say(ready: &Ready) {
    let mut out = std::io::stdout().lock();
    for address in &ready.addresses {
        let _ = writeln!(out, "listening on {address}");
    }
    let _ = out.flush();
}

/// The hidden command that executors start again from this binary; it comes before everything else.
fn runner() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1).peekable();
    arguments.next_if(|a| a == oc_runner::HIDDEN)?;
    if oc_confine::is_for_us(arguments.peek()) {
        return Some(oc_confine::main(arguments));
    }
    Some(oc_runner::main(arguments))
}
