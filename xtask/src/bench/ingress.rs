//! Messages in: decisions and whole turns of the pipeline (`crates/oc-channels/benches`), and the memory of a real gateway that has talked in
//! many sessions with a fake model that answers at once.

use std::process::{Child, Command, Stdio};

use anyhow::{Result, ensure};
use serde_json::json;

use super::gateway::{TOKEN, build, load, ready, resident, start_with};
use super::of_crate;
use crate::steps::built;

/// Memory of the whole gateway with a thousand sessions.
const SESSIONS_MIB: f64 = 64.0;

/// Arguments of `bench ingress`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Sessions of the gateway whose memory is looked at.
    #[arg(long, default_value_t = 1_000)]
    sessions: usize,
}

/// The fake provider; ends with this value.
struct Model(Child);

impl Drop for Model {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Builds, measures and prints; false when a promise is broken.
pub fn run(args: &Args) -> Result<bool> {
    let pipeline = of_crate("oc-channels")?;
    build()?;
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let mut model = Command::new(built("release/examples/load"));
    model.args(["model", &port.to_string()]).stdout(Stdio::null());
    let _model = Model(model.spawn()?);
    ready(port)?;
    let config = json!({
        "models": { "providers": { "fake": {
            "baseUrl": format!("http://127.0.0.1:{port}/v1"), "api": "openai-completions", "apiKey": "none",
            "models": [{ "id": "m", "name": "m", "contextWindow": 128_000, "maxTokens": 4096 }],
        } } },
        "agents": { "defaults": { "model": { "primary": "fake/m" } } },
    });
    let server = start_with(&[built("release/openclaw-gateway").display().to_string()], &config)?;
    let before = resident(&server) / 1024.0;
    let begun = std::time::Instant::now();
    let words = [&server.port.to_string(), TOKEN, &args.sessions.to_string(), "4"].map(str::to_owned);
    let mut all = vec!["turns"];
    all.extend(words.iter().map(String::as_str));
    let (done, _) = load(&all, None)?;
    let seconds = begun.elapsed().as_secs_f64();
    ensure!(done >= args.sessions as f64, "only {done} of {} turns were answered", args.sessions);
    let after = resident(&server) / 1024.0;
    println!(
        "{} sessions with a turn each, a gateway and a fake model over sockets: {:.0} turns/s",
        args.sessions,
        done / seconds
    );
    println!("memory of that gateway: {before:.1} MiB before, {after:.1} MiB after");
    let held = after <= SESSIONS_MIB;
    println!(
        "goal {}: {} sessions within {SESSIONS_MIB} MiB",
        if held { "held" } else { "MISSED" },
        args.sessions
    );
    Ok(pipeline && held)
}
