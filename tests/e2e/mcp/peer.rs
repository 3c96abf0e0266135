//! The official SDKs as clients, each as a process: one line in, one line out.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// Where the counterparts are.
pub struct Peers {
    dir: PathBuf,
}

/// The SDK that a client uses.
#[derive(Clone, Copy, Debug)]
pub enum Sdk {
    Python,
    TypeScript,
}

/// Looks for the counterparts, or says that they are missing. Where nothing may be skipped (`OC_REQUIRE` has `mcp`), that is a failure.
pub fn peers(test: &str) -> Option<Peers> {
    let own = std::env::var_os("OPENCLAW_MCP_PEERS").map(PathBuf::from);
    let cache = std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache/openclaw-mcp-peers"));
    let dir =
        own.or(cache).filter(|dir| dir.join("typescript/node_modules/@modelcontextprotocol/sdk").exists());
    if dir.is_none() {
        let required = std::env::var("OC_REQUIRE").unwrap_or_default().split_whitespace().any(|w| w == "mcp");
        assert!(!required, "{test} needs the counterparts of .ci/install-mcp");
        println!("SKIP {test}: the counterparts are not installed (.ci/install-mcp)");
    }
    dir.map(|dir| Peers { dir })
}

impl Peers {
    pub fn node(&self) -> String {
        self.dir.join("node/node_modules/node/bin/node").display().to_string()
    }

    /// The main file of a stock server.
    pub fn server(&self, package: &str) -> String {
        let path = format!("typescript/node_modules/@modelcontextprotocol/{package}/dist/index.js");
        self.dir.join(path).display().to_string()
    }

    /// A client. `given`: `{command, args, env, cwd}` or `{url, token}`.
    pub fn client(&self, sdk: Sdk, mut given: Value) -> Client {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/e2e/mcp");
        given["modules"] = json!(self.dir.join("typescript"));
        let (program, script) = match sdk {
            Sdk::Python => (self.dir.join("python/bin/python"), "client.py"),
            Sdk::TypeScript => (self.dir.join("node/node_modules/node/bin/node"), "client.mjs"),
        };
        let mut child = Command::new(program)
            .arg(here.join(script))
            .arg(given.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let orders = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().unwrap());
        let mut client = Client { child, orders, answers, hello: Value::Null };
        let mut hello = client.answer();
        client.hello = if hello.get("ok").is_some() { hello["ok"].take() } else { hello };
        client
    }
}

/// A client at work.
pub struct Client {
    child: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    /// What the server said about itself, or why there is no connection.
    pub hello: Value,
}

impl Client {
    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line:?}"))
    }

    /// One order; `{ok}` or `{error}`.
    pub fn ask(&mut self, order: &Value) -> Value {
        writeln!(self.orders.as_mut().unwrap(), "{order}").unwrap();
        self.answer()
    }

    /// One order that succeeds.
    pub fn ok(&mut self, order: &Value) -> Value {
        let mut answer = self.ask(order);
        assert!(answer.get("error").is_none(), "{order}: {answer}");
        answer["ok"].take()
    }

    pub fn names(&mut self) -> Vec<String> {
        let tools = self.ok(&json!({"do": "list"}));
        let mut names: Vec<String> =
            tools.as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    }

    pub fn call(&mut self, name: &str, arguments: Value) -> Value {
        self.ok(&json!({"do": "call", "name": name, "arguments": arguments}))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // It ends when it is told no more; a test that failed does not wait for it.
        drop(self.orders.take());
        if std::thread::panicking() {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}
