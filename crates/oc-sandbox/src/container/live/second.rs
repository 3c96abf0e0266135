//! A second engine of the test's own: one that dies, and one that is reached over TLS and does not see this machine's files.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use oc_runner::protocol::{FileOperation, FileRequest};
use serde_json::json;

use super::setting::{run, shell, tiny_image, ways};
use super::{Setting, engine};
use crate::container::{Engine, EngineAddress};
use crate::executor::{Executor as _, ExecutorError, Place};
use crate::gate::AuthorizedCall;

/// An engine of this test alone.
struct Own {
    child: Child,
    directory: tempfile::TempDir,
}

impl Own {
    fn start(options: &[String]) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            println!("skipped: only root can start a second engine");
            return None;
        }
        let directory = tempfile::tempdir().expect("a directory");
        let at = |name: &str| directory.path().join(name).display().to_string();
        let log = std::fs::File::create(directory.path().join("log")).expect("a log");
        let child = Command::new("dockerd")
            .args([format!("--host=unix://{}", at("sock")), format!("--data-root={}", at("data"))])
            .args([format!("--exec-root={}", at("exec")), format!("--pidfile={}", at("pid"))])
            .args(["--bridge=none", "--iptables=false", "--ip-masq=false", "--ip-forward=false"])
            .args(options)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .spawn()
            .expect("dockerd");
        Some(Self { child, directory })
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("sock")
    }

    async fn connect(&mut self, address: &EngineAddress) -> Engine {
        for _ in 0..150 {
            if let Ok(engine) = Engine::connect(address).await {
                return engine;
            }
            assert!(self.child.try_wait().expect("a state").is_none(), "the engine ended: {}", self.log());
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        panic!("the engine does not answer: {:?} {}", Engine::connect(address).await, self.log())
    }

    /// A killed engine leaves its containers running: their first processes are ended, and what watched over them.
    fn end_containers(&self) {
        // A number of one process and nothing else: `kill` has wider meanings for other words.
        let end = |pid: &str| {
            if pid.parse::<u32>().is_ok_and(|p| p > 1) {
                let _ = Command::new("kill").args(["-9", pid]).status();
            }
        };
        let tasks = self.directory.path().join("exec/containerd/daemon/io.containerd.runtime.v2.task/moby");
        for task in std::fs::read_dir(tasks).into_iter().flatten().flatten() {
            if let Ok(pid) = std::fs::read_to_string(task.path().join("init.pid")) {
                end(pid.trim());
            }
        }
        let address = self.directory.path().join("exec/containerd/containerd.sock").display().to_string();
        for process in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
            let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).into_owned();
            if line.contains("containerd-shim") && line.contains(&address) {
                end(&process.file_name().to_string_lossy());
            }
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let pid = self.child.id().to_string();
        // It takes its own containers' processes along when asked to stop; a killed one leaves its containerd, which is asked as well.
        let _ = Command::new("kill").arg(&pid).status();
        for _ in 0..100 {
            if !matches!(self.child.try_wait(), Ok(None)) {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        let containerd = self.directory.path().join("exec/containerd/containerd.pid");
        if let Ok(pid) = std::fs::read_to_string(containerd) {
            let _ = Command::new("kill").arg(pid.trim()).status();
        }
        self.end_containers();
        let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let below = self.directory.path().display().to_string();
        for mount in mounts.lines().filter_map(|l| l.split(' ').nth(1)).filter(|m| m.starts_with(&below)) {
            let _ = Command::new("umount").args(["-l", mount]).status();
        }
    }
}

#[tokio::test]
async fn sp_239_an_engine_that_dies_takes_the_call_along_and_nothing_runs_on_the_host() {
    if engine().await.is_none() {
        return;
    }
    let Some(mut own) = Own::start(&[]) else { return };
    let address = EngineAddress::Unix(own.socket());
    let engine = own.connect(&address).await;
    if !tiny_image(&engine).await {
        return;
    }
    let (_, runner) = ways().remove(0);
    let setting = Setting::new(engine, runner);
    let executor = setting.executor("agent:main:main", &json!({}));
    run(&executor, shell("true")).await.expect("runs");
    let call = AuthorizedCall::for_tests(Place::Container);
    let running = executor.start(&call, shell("sleep 60")).await.expect("it starts");
    let pid = std::fs::read_to_string(own.directory.path().join("pid")).expect("a pid");
    assert!(Command::new("kill").args(["-9", pid.trim()]).status().expect("kill").success());
    let ended = tokio::time::timeout(Duration::from_secs(20), super::setting::finish(running)).await;
    let ended = ended.expect("in time").expect_err("lost");
    assert!(matches!(ended, ExecutorError::Lost { place: Place::Container, .. }), "{ended}");
    let refused = run(&executor, shell("touch /tmp/on-the-host")).await.expect_err("refused");
    assert!(matches!(refused, ExecutorError::Unavailable { place: Place::Container, .. }), "{refused}");
}

fn openssl(directory: &Path, arguments: &str) -> bool {
    Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|s| s.success())
}

/// A certificate authority with one certificate for server and client.
fn certificates(directory: &Path) -> bool {
    let names = "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n";
    std::fs::write(directory.join("ext"), names).expect("written");
    openssl(
        directory,
        "req -x509 -newkey rsa:2048 -nodes -keyout ca-key.pem -out ca.pem -days 2 -subj /CN=test-authority",
    ) && openssl(directory, "req -newkey rsa:2048 -nodes -keyout key.pem -out cert.csr -subj /CN=test")
        && openssl(
            directory,
            "x509 -req -in cert.csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -out cert.pem -days 2 -extfile ext",
        )
}

#[tokio::test]
async fn an_engine_behind_tls_gets_the_runner_by_copy() {
    if engine().await.is_none() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    if !certificates(directory.path()) {
        println!("skipped: openssl is not installed");
        return;
    }
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").port();
    let at = |name: &str| directory.path().join(name).display().to_string();
    let host = format!("127.0.0.1:{port}");
    let Some(mut own) = Own::start(&[
        format!("--host=tcp://{host}"),
        "--tlsverify".to_owned(),
        format!("--tlscacert={}", at("ca.pem")),
        format!("--tlscert={}", at("cert.pem")),
        format!("--tlskey={}", at("key.pem")),
    ]) else {
        return;
    };
    let address = EngineAddress::Tls { host: host.clone(), certificates: directory.path().to_owned() };
    let engine = own.connect(&address).await;
    let plain = Engine::connect(&EngineAddress::Tcp(host)).await;
    assert!(plain.is_err(), "it takes nobody without a certificate");
    if !tiny_image(&engine).await {
        return;
    }
    for (way, runner) in ways() {
        let has_runner = runner.is_some();
        let setting = Setting::new(engine.clone(), runner);
        let executor = setting.executor("agent:main:main", &json!({}));
        let done = run(&executor, shell("echo far; id -u")).await.expect("it runs");
        assert_eq!(done.out, "far\n65534\n", "{way}");
        if has_runner {
            let call = AuthorizedCall::for_tests(Place::Container);
            let operation = FileOperation::Write { path: "x".to_owned(), expected: None };
            let written = executor.file(&call, FileRequest { root: None, operation }, b"y".to_vec()).await;
            written.expect("written");
        }
        let name = executor.sandbox().context.container_name.clone();
        setting.containers.recreate(vec![name]).await.expect("removed");
    }
}
