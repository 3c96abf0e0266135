//! `install`, `uninstall`, `start`, `stop`, `restart` of the gateway and of the node host as services of the user. The commands that own
//! them (`openclaw gateway`, `openclaw node`) mount [`ServiceCommand`].

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use oc_config::load::{Loaded, Reading};
use oc_gateway::service::manager::{Action, Manager, ServiceFailure, Status};
use oc_gateway::service::{Kind, Profile, Service};
use serde_json::{Value, json};

use crate::app::App;

/// What to do with the service.
#[derive(Debug, clap::Subcommand)]
pub enum ServiceCommand {
    /// Install it as a service of your user, and start it.
    Install(InstallArgs),
    /// Stop it and remove it.
    Uninstall(PlainArgs),
    /// Start it.
    Start(PlainArgs),
    /// Stop it.
    Stop(PlainArgs),
    /// Stop it and start it again.
    Restart(PlainArgs),
}

/// Arguments of `install`.
#[derive(Debug, clap::Args)]
pub struct InstallArgs {
    /// The port to listen on [default: that of the configuration, read at each start].
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// The program to run [default: `openclaw-gateway` beside this one].
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Print the service file and install nothing.
    #[arg(long)]
    dry_run: bool,
    /// Write the service file and leave the service manager alone.
    #[arg(long)]
    no_start: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl InstallArgs {
    /// For a service whose own flags say where it connects to.
    #[must_use]
    pub fn of_node(program: Option<PathBuf>, dry_run: bool, no_start: bool, json: bool) -> Self {
        Self { port: None, program, dry_run, no_start, json }
    }
}

/// Arguments of the others.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct PlainArgs {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Does it. `arguments` come after the program in the service's command line.
///
/// # Errors
/// What the service manager or the file system said.
pub fn run(app: &App, kind: Kind, arguments: Vec<String>, command: &ServiceCommand) -> Result<ExitCode> {
    let loaded = app.load(Reading::Product);
    let manager = manager(app, &loaded)?;
    let profile = profile(app)?;
    let (word, done, as_json) = match command {
        ServiceCommand::Install(args) => return install(app, &loaded, &manager, kind, arguments, args),
        ServiceCommand::Uninstall(args) => {
            ("uninstalled", manager.uninstall(kind, profile.as_ref()).map(drop), args.json)
        }
        ServiceCommand::Start(args) => {
            ("started", manager.act(kind, profile.as_ref(), Action::Start), args.json)
        }
        ServiceCommand::Stop(args) => {
            ("stopped", manager.act(kind, profile.as_ref(), Action::Stop), args.json)
        }
        ServiceCommand::Restart(args) => {
            ("restarted", manager.act(kind, profile.as_ref(), Action::Restart), args.json)
        }
    };
    done?;
    let name = name(&manager, kind, profile.as_ref());
    if as_json {
        app.print(&format!("{:#}\n", json!({ "ok": true, "result": word, "service": name })));
    } else {
        app.print(&format!("{word} {name}\n"));
    }
    Ok(ExitCode::SUCCESS)
}

/// What is known about the service, for `status`.
///
/// # Errors
/// When this system has no manager that is known.
pub fn status(app: &App, kind: Kind) -> Result<(Status, String)> {
    let loaded = app.load(Reading::Product);
    let (manager, profile) = (manager(app, &loaded)?, profile(app)?);
    let name = name(&manager, kind, profile.as_ref());
    Ok((manager.status(kind, profile.as_ref()), name))
}

/// The status as JSON.
#[must_use]
pub fn status_json(status: &Status, name: &str) -> Value {
    json!({
        "service": name,
        "installed": status.file.is_some(),
        "file": status.file.as_deref().map(Path::to_string_lossy),
        "commandLine": status.command_line,
        "running": status.running,
        "pid": status.pid,
        "detail": status.detail,
    })
}

/// The status as one line.
#[must_use]
pub fn status_line(status: &Status, name: &str) -> String {
    let state = match (&status.file, status.running) {
        (None, _) => "not installed".to_owned(),
        (Some(_), Some(true)) => match status.pid {
            Some(pid) => format!("running (pid {pid})"),
            None => "running".to_owned(),
        },
        (Some(_), Some(false)) => format!("stopped ({})", oc_text::visible(&status.detail, 60)),
        (Some(_), None) => {
            format!("installed; its manager does not answer: {}", oc_text::visible(&status.detail, 300))
        }
    };
    format!("{name}: {state}")
}

fn install(
    app: &App,
    loaded: &Loaded,
    manager: &Manager,
    kind: Kind,
    mut arguments: Vec<String>,
    args: &InstallArgs,
) -> Result<ExitCode> {
    if let Some(port) = args.port {
        arguments.extend(["--port".to_owned(), port.to_string()]);
    }
    let program = program(kind, args.program.as_deref())?;
    let service = Service::new(kind, profile(app)?, &program, arguments, environment(app, loaded))?;
    if args.dry_run {
        app.print(&manager.text(&service));
        return Ok(ExitCode::SUCCESS);
    }
    let file = manager.file(kind, service.profile());
    let started = if args.no_start {
        manager.write(&service)?;
        false
    } else {
        match manager.install(&service) {
            Ok(_) => true,
            Err(e @ ServiceFailure::Manager { .. }) => {
                app.note(&format!(
                    "openclaw: {} was written, and the service was not started: {e}",
                    file.display()
                ));
                return Ok(ExitCode::from(1));
            }
            Err(e) => return Err(e.into()),
        }
    };
    if args.json {
        let out = json!({ "ok": true, "file": file.to_string_lossy(), "started": started });
        app.print(&format!("{out:#}\n"));
    } else {
        app.print(&format!(
            "wrote {}{}\n",
            file.display(),
            if started { " and started the service" } else { "" }
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn manager(app: &App, loaded: &Loaded) -> Result<Manager> {
    let config_home = app.process.text("XDG_CONFIG_HOME").map(PathBuf::from);
    Ok(Manager::of_this_system(&loaded.locations.home, config_home.as_deref(), oc_fs::facts::uid())?)
}

fn profile(app: &App) -> Result<Option<Profile>> {
    let word = app.process.text("OPENCLAW_PROFILE").filter(|p| *p != "default");
    word.map(Profile::parse).transpose().context("OPENCLAW_PROFILE")
}

fn name(manager: &Manager, kind: Kind, profile: Option<&Profile>) -> String {
    match manager {
        Manager::Systemd { .. } => kind.unit_name(profile),
        Manager::Launchd { .. } => kind.label(profile),
    }
}

/// The program's full path, links resolved: the service goes on working when a link is moved away, and nobody else moves it there.
fn program(kind: Kind, given: Option<&Path>) -> Result<PathBuf> {
    let path = match given {
        Some(path) => path.to_owned(),
        None => {
            let own = std::env::current_exe().context("this program's own path")?;
            match kind {
                Kind::Gateway => own.with_file_name("openclaw-gateway"),
                Kind::Node => own,
            }
        }
    };
    match std::fs::canonicalize(&path) {
        Ok(real) if real.is_file() => Ok(real),
        Ok(_) => bail!("{} is no file", path.display()),
        Err(e) => bail!("{}: {e}; name the program with --program", path.display()),
    }
}

/// Which set-up the service uses, where it is not the default one. No secrets: the gateway reads those itself.
fn environment(app: &App, loaded: &Loaded) -> Vec<(String, String)> {
    let places = &loaded.locations;
    let mut out = Vec::new();
    let mut add = |name: &str, value: String| out.push((name.to_owned(), value));
    let default = places.home.join(".openclaw");
    if places.state_dir != default {
        add("OPENCLAW_STATE_DIR", places.state_dir.display().to_string());
    }
    if places.config.parent() != Some(places.state_dir.as_path()) {
        add("OPENCLAW_CONFIG_PATH", places.config.display().to_string());
    }
    if let Some(profile) = app.process.text("OPENCLAW_PROFILE") {
        add("OPENCLAW_PROFILE", profile.to_owned());
    }
    out
}
