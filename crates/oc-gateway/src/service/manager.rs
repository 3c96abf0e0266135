//! The user's service manager: a file in its directory, and its own command to load it. The command is called by its full path with an
//! argument vector, and never waits for long.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use oc_fs::{atomic, bounded_read, mode};
use thiserror::Error;

use super::{Kind, Profile, Service, plist, unit};

/// How long the manager's command may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked at.
const POLL: Duration = Duration::from_millis(20);
/// Most bytes of its output that are read.
const OUTPUT: u64 = 64 * 1024;
/// Largest service file that is read, in bytes.
const MAX_FILE: u64 = 64 * 1024;

/// Which manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Manager {
    /// systemd's manager of the user.
    Systemd {
        /// Where its units are: `~/.config/systemd/user`.
        directory: PathBuf,
        /// Its command.
        program: PathBuf,
    },
    /// launchd's domain of the user.
    Launchd {
        /// Where its jobs are: `~/Library/LaunchAgents`.
        directory: PathBuf,
        /// Its command.
        program: PathBuf,
        /// The user's number.
        uid: u32,
    },
}

/// What to do with a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Start it.
    Start,
    /// Stop it; it comes back at the next login.
    Stop,
    /// Stop and start it.
    Restart,
}

/// What is known about a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Its file, when it is installed.
    pub file: Option<PathBuf>,
    /// What the file runs; `None` when it was written by somebody else.
    pub command_line: Option<Vec<String>>,
    /// Whether the manager says that it runs; `None` when the manager does not answer.
    pub running: Option<bool>,
    /// Its process.
    pub pid: Option<u32>,
    /// The manager's word, or why it does not answer.
    pub detail: String,
}

/// Why something was not done.
#[derive(Debug, Error)]
pub enum ServiceFailure {
    /// The file could not be written.
    #[error("the service file could not be written: {0}")]
    Write(#[from] atomic::WriteFailure),
    /// The file system refused.
    #[error("{}: {why}", path.display())]
    System {
        /// The path.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// There is no such service.
    #[error("{} is not installed; `openclaw gateway install` does it", .0.display())]
    Missing(PathBuf),
    /// The manager's command is not there, failed, or took too long.
    #[error("{command}: {why}")]
    Manager {
        /// The command line.
        command: String,
        /// What it said.
        why: String,
    },
    /// There is no manager that this program knows.
    #[error(
        "services are installed on Linux with systemd and on macOS; run `openclaw gateway` in another way here"
    )]
    Unknown,
}

impl Manager {
    /// The manager of this system. `config_home` is `XDG_CONFIG_HOME`.
    ///
    /// # Errors
    /// [`ServiceFailure::Unknown`].
    pub fn of_this_system(home: &Path, config_home: Option<&Path>, uid: u32) -> Result<Self, ServiceFailure> {
        if cfg!(target_os = "macos") {
            return Ok(Self::Launchd {
                directory: home.join("Library/LaunchAgents"),
                program: PathBuf::from("/bin/launchctl"),
                uid,
            });
        }
        if !cfg!(target_os = "linux") {
            return Err(ServiceFailure::Unknown);
        }
        let config =
            config_home.filter(|p| p.is_absolute()).map_or_else(|| home.join(".config"), Path::to_owned);
        let places = ["/usr/bin/systemctl", "/bin/systemctl"].map(PathBuf::from);
        let [first, _] = places.clone();
        let program = places.into_iter().find(|p| p.exists()).unwrap_or(first);
        Ok(Self::Systemd { directory: config.join("systemd/user"), program })
    }

    /// The service's file.
    #[must_use]
    pub fn file(&self, kind: Kind, profile: Option<&Profile>) -> PathBuf {
        match self {
            Self::Systemd { directory, .. } => directory.join(kind.unit_name(profile)),
            Self::Launchd { directory, .. } => directory.join(format!("{}.plist", kind.label(profile))),
        }
    }

    /// The service's text for this manager.
    #[must_use]
    pub fn text(&self, service: &Service) -> String {
        match self {
            Self::Systemd { .. } => unit::text(service),
            Self::Launchd { .. } => plist::text(service),
        }
    }

    /// Writes the file, owner-only, and makes the manager load and start it. Returns the file; when only the second part fails it is written
    /// all the same.
    ///
    /// # Errors
    /// See [`ServiceFailure`].
    pub fn install(&self, service: &Service) -> Result<PathBuf, ServiceFailure> {
        let path = self.write(service)?;
        let (kind, profile) = (service.kind(), service.profile());
        match self {
            Self::Systemd { .. } => {
                self.call(&["--user", "daemon-reload"])?;
                self.call(&["--user", "enable", "--now", &kind.unit_name(profile)])?;
            }
            Self::Launchd { uid, .. } => {
                // An earlier one of the same name would stay loaded with its old text.
                let _ = self.call(&["bootout", &format!("gui/{uid}/{}", kind.label(profile))]);
                self.call(&["bootstrap", &format!("gui/{uid}"), &path.to_string_lossy()])?;
            }
        }
        Ok(path)
    }

    /// Writes the file only.
    ///
    /// # Errors
    /// [`ServiceFailure::Write`], [`ServiceFailure::System`].
    pub fn write(&self, service: &Service) -> Result<PathBuf, ServiceFailure> {
        let path = self.file(service.kind(), service.profile());
        if let Some(directory) = path.parent() {
            mode::create_directories(directory)
                .map_err(|e| ServiceFailure::System { path: directory.to_owned(), why: e.to_string() })?;
        }
        atomic::replace(&path, self.text(service).as_bytes())?;
        Ok(path)
    }

    /// Stops the service and removes its file. Returns the file.
    ///
    /// # Errors
    /// See [`ServiceFailure`]. The file goes even when the manager does not answer; then that is the error.
    pub fn uninstall(&self, kind: Kind, profile: Option<&Profile>) -> Result<PathBuf, ServiceFailure> {
        let path = self.installed(kind, profile)?;
        let stopped = match self {
            Self::Systemd { .. } => self.call(&["--user", "disable", "--now", &kind.unit_name(profile)]),
            Self::Launchd { uid, .. } => {
                self.call(&["bootout", &format!("gui/{uid}/{}", kind.label(profile))])
            }
        };
        std::fs::remove_file(&path)
            .map_err(|e| ServiceFailure::System { path: path.clone(), why: e.to_string() })?;
        if let Self::Systemd { .. } = self {
            let _ = self.call(&["--user", "daemon-reload"]);
        }
        stopped.map(|_| path)
    }

    /// Starts, stops, restarts.
    ///
    /// # Errors
    /// See [`ServiceFailure`].
    pub fn act(&self, kind: Kind, profile: Option<&Profile>, action: Action) -> Result<(), ServiceFailure> {
        let path = self.installed(kind, profile)?;
        match self {
            Self::Systemd { .. } => {
                let verb = match action {
                    Action::Start => "start",
                    Action::Stop => "stop",
                    Action::Restart => "restart",
                };
                self.call(&["--user", verb, &kind.unit_name(profile)])?;
            }
            Self::Launchd { uid, .. } => {
                let target = format!("gui/{uid}/{}", kind.label(profile));
                match action {
                    Action::Start => {
                        self.call(&["bootstrap", &format!("gui/{uid}"), &path.to_string_lossy()])?
                    }
                    Action::Stop => self.call(&["bootout", &target])?,
                    Action::Restart => self.call(&["kickstart", "-k", &target])?,
                };
            }
        }
        Ok(())
    }

    /// What is known.
    #[must_use]
    pub fn status(&self, kind: Kind, profile: Option<&Profile>) -> Status {
        let path = self.file(kind, profile);
        let Ok(text) = bounded_read::text(&path, MAX_FILE) else { return Status::default() };
        let mut status = Status { file: Some(path), ..Status::default() };
        match self {
            Self::Systemd { .. } => {
                status.command_line = unit::read(&text).map(|(line, _)| line);
                let unit = kind.unit_name(profile);
                let asked = self.call(&["--user", "show", "--property=ActiveState,SubState,MainPID", &unit]);
                match asked {
                    Ok(said) => read_show(&said, &mut status),
                    Err(e) => status.detail = e.to_string(),
                }
            }
            Self::Launchd { uid, .. } => {
                let target = format!("gui/{uid}/{}", kind.label(profile));
                match self.call(&["print", &target]) {
                    Ok(said) => read_print(&said, &mut status),
                    Err(e) => status.detail = e.to_string(),
                }
            }
        }
        status
    }

    fn installed(&self, kind: Kind, profile: Option<&Profile>) -> Result<PathBuf, ServiceFailure> {
        let path = self.file(kind, profile);
        if path.symlink_metadata().is_ok() { Ok(path) } else { Err(ServiceFailure::Missing(path)) }
    }

    fn call(&self, arguments: &[&str]) -> Result<String, ServiceFailure> {
        let (Self::Systemd { program, .. } | Self::Launchd { program, .. }) = self;
        call(program, arguments)
    }
}

fn read_show(said: &str, status: &mut Status) {
    for (name, value) in said.lines().filter_map(|l| l.split_once('=')) {
        match name {
            "ActiveState" => {
                status.running = Some(matches!(value, "active" | "reloading" | "activating"));
                status.detail = value.to_owned();
            }
            "MainPID" => status.pid = value.parse().ok().filter(|p| *p != 0),
            _ => {}
        }
    }
}

fn read_print(said: &str, status: &mut Status) {
    for (name, value) in said.lines().filter_map(|l| l.split_once(" = ")) {
        match name.trim() {
            "state" if status.running.is_none() => {
                status.running = Some(value.trim() == "running");
                status.detail = value.trim().to_owned();
            }
            "pid" if status.pid.is_none() => status.pid = value.trim().parse().ok(),
            _ => {}
        }
    }
}

/// Runs a command to its end, or ends it.
fn call(program: &Path, arguments: &[&str]) -> Result<String, ServiceFailure> {
    let failed = |why: String| ServiceFailure::Manager {
        command: format!("{} {}", program.display(), arguments.join(" ")),
        why,
    };
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| failed(e.to_string()))?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let read = |stream: Option<Box<dyn Read + Send>>| {
        std::thread::spawn(move || {
            let mut text = Vec::new();
            if let Some(mut stream) = stream {
                let _ = stream.by_ref().take(OUTPUT).read_to_end(&mut text);
                let _ = std::io::copy(&mut stream, &mut std::io::sink());
            }
            String::from_utf8_lossy(&text).into_owned()
        })
    };
    let out = read(out.map(|s| Box::new(s) as Box<dyn Read + Send>));
    let err = read(err.map(|s| Box::new(s) as Box<dyn Read + Send>));
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        match child.try_wait().map_err(|e| failed(e.to_string()))? {
            Some(status) => break status,
            None if Instant::now() >= deadline => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(failed(format!("no answer within {} seconds", PATIENCE.as_secs())));
            }
            None => std::thread::sleep(POLL),
        }
    };
    let (out, err) = (out.join().unwrap_or_default(), err.join().unwrap_or_default());
    if status.success() {
        return Ok(out);
    }
    let said = oc_text::visible(err.trim(), 500);
    Err(failed(if said.is_empty() { status.to_string() } else { said }))
}
