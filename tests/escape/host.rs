//! What lies on the host to be had: files, sockets, a process; and running a probe there without protection.

use std::fs;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::probes::{Probe, Unprotected};

/// The host's side of the suite.
pub struct Host {
    _folder: tempfile::TempDir,
    pub home: PathBuf,
    pub state: PathBuf,
    pub other: PathBuf,
    pub root: PathBuf,
    listener: TcpListener,
    _sockets: [UnixListener; 2],
    abstract_name: String,
    pub sleeper: Child,
    pub is_root: bool,
}

impl Host {
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("escape").tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        fs::set_permissions(&root, fs::Permissions::from_mode(0o755)).unwrap();
        let home = root.join("home");
        let state = home.join(".openclaw");
        let other = state.join("sandboxes/agent-other-00000000");
        fs::create_dir_all(&other).unwrap();
        for file in [home.join("secret"), other.join("secret"), state.join("openclaw.json")] {
            fs::write(file, "the secret\n").unwrap();
        }
        let name = format!("escape-{}", root.file_name().unwrap().to_str().unwrap());
        let sockets = [
            UnixListener::bind(home.join("engine.sock")).unwrap(),
            UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap(),
        ];
        Self {
            listener: TcpListener::bind("127.0.0.1:0").unwrap(),
            _sockets: sockets,
            abstract_name: name,
            sleeper: Command::new("sleep").arg("300").spawn().unwrap(),
            is_root: rustix::process::geteuid().is_root(),
            home,
            state,
            other,
            root,
            _folder: folder,
        }
    }

    /// A workspace with the tools of the probes, given to a user.
    pub fn workspace(&self, name: &str, owner: Option<u32>) -> PathBuf {
        let workspace = self.root.join(name);
        let tools = workspace.join(".tools");
        fs::create_dir_all(&tools).unwrap();
        let perl = Path::new("/usr/bin/perl");
        assert!(perl.exists(), "the probes need perl");
        let needs = Command::new("ldd").arg(perl).output().unwrap();
        let needs = String::from_utf8(needs.stdout).unwrap();
        let libraries = needs.split_whitespace().filter(|w| w.starts_with('/')).map(PathBuf::from);
        for file in libraries.chain([perl.to_owned()]) {
            let target = tools.join(file.file_name().unwrap());
            fs::copy(&file, &target).unwrap();
            fs::set_permissions(&target, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let loader = fs::read_dir(&tools).unwrap().flatten();
        let loader = loader.map(|e| e.file_name().into_string().unwrap()).find(|n| n.starts_with("ld-"));
        fs::rename(tools.join(loader.unwrap()), tools.join("ld.so")).unwrap();
        if let Some(uid) = owner {
            chown(&workspace, Some(uid), Some(uid)).unwrap();
        }
        if self.is_root {
            let id = workspace.join("suid-id");
            fs::copy("/usr/bin/id", &id).unwrap();
            chown(&id, Some(0), Some(0)).unwrap();
            fs::set_permissions(&id, fs::Permissions::from_mode(0o4755)).unwrap();
        }
        workspace
    }

    /// The probe's script with its variables, for a workspace that the script sees as `seen`.
    pub fn script(&self, probe: &Probe, seen: &str) -> String {
        let port = self.listener.local_addr().unwrap().port();
        format!(
            "W={seen}; export W; T=$W/.tools; P=\"$T/ld.so --library-path $T $T/perl\"; export P
             HOME_DIR={home}; STATE={state}; OTHER={other}; SOCKET={home}/engine.sock; PORT={port}; ABSTRACT={name}; HOST_PID={pid}
             export HOME_DIR STATE OTHER SOCKET PORT ABSTRACT HOST_PID
             {script}",
            home = self.home.display(),
            state = self.state.display(),
            other = self.other.display(),
            name = self.abstract_name,
            pid = self.sleeper.id(),
            script = probe.script,
        )
    }

    /// Whether a probe gets what it is after without protection; `None` when that cannot be shown by this user.
    pub fn succeeds_unprotected(&self, probe: &Probe, workspace: &Path) -> Option<(bool, String)> {
        const NAMESPACES: [&str; 9] = [
            "unshare",
            "--user",
            "--map-root-user",
            "--mount",
            "--pid",
            "--net",
            "--ipc",
            "--fork",
            "--mount-proc",
        ];
        let mut script = self.script(probe, workspace.to_str().unwrap());
        let wrap: &[&str] = match probe.unprotected {
            Unprotected::Shell => &[],
            Unprotected::RootShell if self.is_root => &[],
            Unprotected::OtherUser if self.is_root => {
                &["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
            }
            Unprotected::RootShell | Unprotected::OtherUser => return None,
            Unprotected::Namespaces => &NAMESPACES,
            Unprotected::Prepared(commands) => {
                // Its own /run, so that the host's is left alone.
                let (variables, probe_text) = script.split_at(script.len() - probe.script.len());
                script = format!("mount -t tmpfs none /run\n{variables}\n{commands}\n{probe_text}");
                &NAMESPACES
            }
        };
        // A handle that is open by accident, and a variable that is set.
        let opened = format!("exec 7<{}; {script}", self.home.display());
        let mut words = ["timeout", "-s", "KILL", "60"].iter().chain(wrap).copied();
        let output = Command::new(words.next().unwrap())
            .args(words)
            .args(["sh", "-c", &opened])
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("ESCAPE_CANARY", "1")
            .current_dir(workspace)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        Some((said.contains("ESCAPED"), said))
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.sleeper.kill();
        let _ = self.sleeper.wait();
    }
}
