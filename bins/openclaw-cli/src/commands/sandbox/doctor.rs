//! `openclaw sandbox doctor`: what this machine offers for each backend, what is missing, and what to do.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};
use oc_config::load::{Loaded, Reading};
use oc_confine::offer::{Offer, look};
use oc_policy::sandbox::{Backend, default_agent, resolve};
use oc_sandbox::native::{Trial, trial};
use oc_sandbox::runner_file::runner_file;
use serde_json::{Value as Json, json};

use super::super::explain::place;
use super::super::explain::render::line;
use super::engine::{connect, wait};
use crate::app::App;

/// Arguments of `openclaw sandbox doctor`.
#[derive(Debug, clap::Args)]
pub struct DoctorArgs {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What the engine has.
struct Container {
    engine: Result<(String, String), String>,
    image: String,
    present: bool,
    /// The resident runner's program, or why there is none.
    runner: Result<String, String>,
}

/// What came of making a native sandbox.
struct Native {
    trial: Result<Trial, String>,
    offer: Offer,
}

/// Looks, tries, and prints. The exit code is 0 when at least one backend works.
///
/// # Errors
/// An invalid configuration.
pub fn run(app: &App, args: &DoctorArgs) -> Result<ExitCode> {
    let loaded = app.load(Reading::Product);
    if let Some(issue) = loaded.issues.first() {
        bail!("the configuration is invalid: {issue}");
    }
    let settings = resolve(&loaded.tree, &default_agent(&loaded.tree), &place(&loaded))?;
    let image = settings.docker.image.value.clone();
    let (container, native) = wait(async {
        let container = container(app, &loaded, image).await;
        let trial = trial(Path::new("/proc/self/exe")).await.map_err(|e| e.to_string());
        Ok((container, Native { trial, offer: look() }))
    })?;
    let chosen = chosen(&container, &native, settings.backend.value);
    if args.json {
        let out = json(&container, &native, settings.backend.value, &chosen);
        app.print(&format!("{}\n", serde_json::to_string_pretty(&out)?));
    } else {
        app.print(&text(&container, &native, &chosen));
    }
    let works = container.works() || native.trial.is_ok();
    Ok(if works { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Which sandbox a session gets with this configuration on this machine; the gate chooses the same way.
fn chosen(container: &Container, native: &Native, asked: Backend) -> Result<&'static str, String> {
    let refused = |e: &String| Err(format!("sandbox.backend is {asked}: {e}"));
    match (asked, &container.engine, &native.trial) {
        (Backend::Auto | Backend::Container, Ok(_), _) if container.present => Ok("container"),
        // An engine that answers is taken: what is wrong with it shows, and no call runs elsewhere than expected.
        (Backend::Auto | Backend::Container, Ok(_), _) => {
            refused(&format!("the image {} is missing", container.image))
        }
        (Backend::Container, Err(e), _) => refused(e),
        (Backend::Auto | Backend::Native, _, Ok(_)) => Ok("native"),
        (Backend::Auto | Backend::Native, _, Err(e)) => refused(e),
    }
}

async fn container(app: &App, loaded: &Loaded, image: String) -> Container {
    let runner = runner_file().map(|path| path.display().to_string()).map_err(|e| e.to_string());
    match connect(app, loaded).await {
        Err(e) => Container { engine: Err(e.to_string()), image, present: false, runner },
        Ok(engine) => {
            let present = engine.has_image(&image).await.unwrap_or(false);
            let engine = Ok((engine.address().to_string(), engine.version()));
            Container { engine, image, present, runner }
        }
    }
}

impl Container {
    fn works(&self) -> bool {
        self.engine.is_ok() && self.present
    }

    fn fixes(&self) -> Vec<String> {
        let mut out = Vec::new();
        match (&self.engine, self.present) {
            (Err(cause), _) => {
                out.push(format!("{cause}. Install or start a container engine, or name it in DOCKER_HOST."));
            }
            (Ok(_), false) => out.push(format!(
                "The image {} is missing. `openclaw sandbox image build` makes the default one.",
                self.image
            )),
            (Ok(_), true) => {}
        }
        if let (Ok(_), Err(cause)) = (&self.engine, &self.runner) {
            out.push(format!(
                "{cause}. Without it commands take the engine's slower exec, and there are no file tools."
            ));
        }
        out
    }
}

impl Native {
    fn fixes(&self) -> Vec<String> {
        let mut out = Vec::new();
        if let Err(cause) = &self.trial {
            out.push(format!("{cause}."));
            if let Some(switch) = &self.offer.restricted_by {
                out.push(format!(
                    "{switch} keeps ordinary users from making user namespaces. An administrator can change it, or allow \
                     openclaw alone (an AppArmor profile with `userns,`)."
                ));
            }
            if self.offer.user_namespaces == Some(0) {
                out.push("user.max_user_namespaces is 0: user namespaces are switched off.".to_owned());
            }
            if !self.offer.openat2 {
                out.push("openat2 does not work here: Linux 5.6 or later is needed.".to_owned());
            }
        }
        out
    }

    /// Which limit counts what.
    fn limits(&self) -> [(&'static str, &'static str); 4] {
        let processes = match self.trial.as_ref().map(|t| t.processes_counted_by.as_str()) {
            Ok("namespace") => "the whole sandbox (range of process numbers), and RLIMIT_NPROC",
            _ => "the sandbox's user (RLIMIT_NPROC)",
        };
        [
            ("memory", "each process (RLIMIT_AS, RLIMIT_DATA); scratch directories by their size"),
            ("processes", processes),
            ("cpu", "a set of processors (fractions are rounded up)"),
            ("disk", "each file (RLIMIT_FSIZE); scratch directories by their size"),
        ]
    }
}

fn json(container: &Container, native: &Native, asked: Backend, chosen: &Result<&str, String>) -> Json {
    let engine = container.engine.as_ref();
    let offer = &native.offer;
    let limits: serde_json::Map<String, Json> =
        native.limits().into_iter().map(|(k, v)| (k.to_owned(), v.into())).collect();
    json!({
        "works": container.works() || native.trial.is_ok(),
        "backend": {
            "configured": asked,
            "chosen": chosen.as_ref().ok(),
            "refused": chosen.as_ref().err(),
        },
        "container": {
            "works": container.works(),
            "engine": engine.ok().map(|(address, _)| address),
            "apiVersion": engine.ok().map(|(_, version)| version),
            "image": { "name": container.image, "present": container.present },
            "runner": container.runner.as_ref().ok(),
            "missing": container.fixes(),
        },
        "native": {
            "works": native.trial.is_ok(),
            "kernel": offer.kernel,
            "landlockAbi": native.trial.as_ref().ok().map(|t| t.landlock_abi),
            "seccompActions": offer.seccomp_actions,
            "maxUserNamespaces": offer.user_namespaces,
            "restrictedBy": offer.restricted_by,
            "openat2": offer.openat2,
            "securityModules": offer.security_modules,
            "delegatedCgroup": offer.delegated_cgroup,
            "limits": limits,
            "missing": native.fixes(),
        },
    })
}

fn text(container: &Container, native: &Native, chosen: &Result<&str, String>) -> String {
    let works = |yes: bool| if yes { "works" } else { "does not work" };
    let mut out = format!("Container: {}\n", works(container.works()));
    if let Ok((address, version)) = &container.engine {
        let present = if container.present { "present" } else { "missing" };
        let runner = container.runner.as_deref().unwrap_or("missing");
        out.push_str(&format!(
            "  engine: {address}, API {version}\n  image: {} ({present})\n  runner: {runner}\n",
            container.image
        ));
    }
    for fix in container.fixes() {
        line(&mut out, 2, &fix);
    }
    let offer = &native.offer;
    out.push_str(&format!("\nNative: {}\n  kernel: {}\n", works(native.trial.is_ok()), offer.kernel));
    match &native.trial {
        Ok(t) => {
            out.push_str("  namespaces: user, mount, process, network, IPC, host name, cgroup (tried)\n");
            out.push_str(&format!("  Landlock: version {}\n", t.landlock_abi));
            line(&mut out, 2, &format!("seccomp: {}", offer.seccomp_actions.join(" ")));
        }
        Err(_) => {
            for fix in native.fixes() {
                line(&mut out, 2, &fix);
            }
        }
    }
    let cgroup = match &offer.delegated_cgroup {
        Some(path) => format!("{} is delegated; it is not used yet", path.display()),
        None => "no version 2 group is delegated to this user; process limits stand in".to_owned(),
    };
    line(&mut out, 2, &format!("control groups: {cgroup}"));
    out.push_str("  what limits what:\n");
    for (what, by) in native.limits() {
        line(&mut out, 4, &format!("{what}: {by}"));
    }
    out.push('\n');
    let chosen = match chosen {
        Ok(place) => format!("A sandboxed session's calls run in: {place}"),
        Err(e) => format!("A sandboxed session's calls are refused: {e}"),
    };
    line(&mut out, 0, &chosen);
    out
}
