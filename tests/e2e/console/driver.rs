//! The browser's driver (`drive.mjs`) as a process: one line in, one line out.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::house::TOKEN;

/// What the driver is made of.
pub struct Needs {
    chromium: PathBuf,
    modules: PathBuf,
}

/// Looks for what is needed, or says what is missing. Where nothing may be skipped (`OC_REQUIRE` has `chromium`), that is a failure.
pub fn needs() -> Option<Needs> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let program = |name: &str| std::env::split_paths(&path).map(|dir| dir.join(name)).find(|p| p.exists());
    let own = std::env::var_os("OPENCLAW_CONSOLE_DRIVER").map(PathBuf::from);
    let cache = std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache/openclaw-console-driver"));
    let modules = own.or(cache).filter(|dir| dir.join("node_modules/playwright-core").exists());
    let found = match (program("chromium"), program("node"), modules) {
        (None, _, _) => Err("chromium is not installed"),
        (_, None, _) => Err("node is not installed"),
        (_, _, None) => Err("playwright-core is not installed (.ci/install-console-driver)"),
        (Some(chromium), Some(_), Some(modules)) => Ok(Needs { chromium, modules }),
    };
    let required =
        std::env::var("OC_REQUIRE").unwrap_or_default().split_whitespace().any(|w| w == "chromium");
    match found {
        Ok(needs) => Some(needs),
        Err(why) => {
            assert!(!required, "{why}");
            eprintln!("skipped: {why}");
            None
        }
    }
}

pub struct Driver {
    child: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Driver {
    pub fn start(needs: &Needs, port: u16) -> Self {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/e2e/console");
        let artifacts = std::env::var_os("OC_ARTIFACTS")
            .map_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).join("console"), PathBuf::from);
        let given = json!({
            "modules": needs.modules, "chromium": needs.chromium, "port": port, "token": TOKEN, "artifacts": artifacts,
            // To work on the pages without building: a folder that is shown instead of the files in the program.
            "files": std::env::var("OC_CONSOLE_FILES").ok(),
        });
        let mut child = Command::new("node")
            .arg(here.join("drive.mjs"))
            .arg(given.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let orders = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().unwrap());
        let mut driver = Self { child, orders, answers };
        let ready = driver.answer();
        assert!(ready["ready"].is_string(), "{ready}");
        driver
    }

    /// Has a step done; what was seen. A step that fails ends the test.
    pub fn ask(&mut self, order: &Value) -> Value {
        writeln!(self.orders.as_mut().unwrap(), "{order}").unwrap();
        let mut answer = self.answer();
        assert!(answer.get("error").is_none(), "{order}: {answer}");
        answer["ok"].take()
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line:?}"))
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Without orders it closes its browser; only a driver that failed is killed.
        drop(self.orders.take());
        if std::thread::panicking() {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}
