//! Fetches the tools that the checks use and a fresh machine lacks.

use std::process::Command;

use anyhow::Result;

use crate::steps::{answers, root};

/// A tool, how to see that it is there, and the command that brings it.
struct Tool {
    program: &'static str,
    /// What it is called with to see that it is there.
    probe: &'static str,
    install: &'static [&'static str],
}

const VERSION: &str = "--version";

const fn debian(package: &'static str) -> [&'static str; 6] {
    ["apt-get", "install", "-y", "-qq", "--no-install-recommends", package]
}

/// Debian packages need root; the others do not.
const TOOLS: [Tool; 24] = [
    Tool {
        program: "cargo-nextest",
        probe: VERSION,
        install: &["cargo", "install", "cargo-nextest", "--locked"],
    },
    Tool { program: "cargo-deny", probe: VERSION, install: &["cargo", "install", "cargo-deny", "--locked"] },
    Tool { program: "cargo-fuzz", probe: VERSION, install: &["cargo", "install", "cargo-fuzz", "--locked"] },
    Tool {
        program: "detect-secrets",
        probe: VERSION,
        install: &["python3", "-m", "pip", "install", "--quiet", "detect-secrets==1.5.0"],
    },
    Tool {
        program: "chromium",
        probe: VERSION,
        install: &["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"],
    },
    Tool { program: "tmux", probe: "-V", install: &debian("tmux") },
    Tool {
        program: "xmllint",
        probe: VERSION,
        install: &["apt-get", "install", "-y", "-qq", "--no-install-recommends", "libxml2-utils"],
    },
    Tool { program: "dockerd", probe: VERSION, install: &debian("docker.io") },
    Tool { program: "iptables", probe: VERSION, install: &debian("iptables") },
    Tool { program: "busybox", probe: "true", install: &debian("busybox-static") },
    Tool { program: "npm", probe: VERSION, install: &debian("npm") },
    Tool { program: "debootstrap", probe: VERSION, install: &debian("debootstrap") },
    Tool { program: "ip", probe: "-V", install: &debian("iproute2") },
    Tool { program: "nginx", probe: "-v", install: &debian("nginx-light") },
    Tool { program: "systemd-analyze", probe: VERSION, install: &debian("systemd") },
    // Programs that the command cases take for installed.
    Tool { program: "less", probe: VERSION, install: &debian("less") },
    Tool { program: "more", probe: VERSION, install: &debian("util-linux") },
    Tool { program: "file", probe: VERSION, install: &debian("file") },
    Tool { program: "zip", probe: VERSION, install: &debian("zip") },
    Tool { program: "unzip", probe: "-v", install: &debian("unzip") },
    Tool { program: "gawk", probe: VERSION, install: &debian("gawk") },
    Tool { program: "jq", probe: VERSION, install: &debian("jq") },
    // A chat server that an adapter is tested with.
    Tool { program: "ngircd", probe: VERSION, install: &debian("ngircd") },
    // Makes the key with which a fake of a chat service signs.
    Tool { program: "openssl", probe: "version", install: &debian("openssl") },
];

/// Whether a program answers, asked the way it understands (`tmux` knows no `--version`).
pub fn is_there(program: &str) -> bool {
    let probe = TOOLS.iter().find(|t| t.program == program).map_or(VERSION, |t| t.probe);
    answers(program, probe)
}

/// Installs what is missing. What cannot be installed is said here and shows up again as a skipped step.
pub fn run() -> Result<()> {
    let mut listed = false;
    for tool in TOOLS.iter().filter(|t| !answers(t.program, t.probe)) {
        let Some((program, args)) = tool.install.split_first() else { continue };
        if *program == "apt-get" && !listed {
            listed = true;
            let _ = Command::new("apt-get").args(["update", "-qq"]).status();
        }
        println!("==> installing {}: {}", tool.program, tool.install.join(" "));
        let done = Command::new(program)
            .args(args)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .current_dir(root())
            .status();
        if !done.is_ok_and(|s| s.success()) {
            println!("    could not install {}; the steps that need it will say so", tool.program);
        }
    }
    // The other implementation that the interoperability tests run, outside the work tree.
    let peer = Command::new("sh").arg(".ci/install-upstream").current_dir(root()).status();
    if !peer.is_ok_and(|s| s.success()) {
        println!("    could not install the peer; the tests that need it will say so");
    }
    // The chat servers that adapters are tested with, likewise.
    for (script, what) in [
        ("install-telegram-test-api", "Telegram's test server"),
        ("install-synapse", "the Matrix homeserver"),
    ] {
        let done = Command::new("sh").arg(format!(".ci/{script}")).current_dir(root()).status();
        if !done.is_ok_and(|s| s.success()) {
            println!("    could not install {what}; the test that needs it will say so");
        }
    }
    // What the console's test drives the browser with, likewise.
    let driver = Command::new("sh").arg(".ci/install-console-driver").current_dir(root()).status();
    if !driver.is_ok_and(|s| s.success()) {
        println!("    could not install the console's driver; the test that needs it will say so");
    }
    // The model provider of the tests, likewise.
    let fakellm = Command::new("sh").arg(".ci/install-fakellm").current_dir(root()).status();
    if !fakellm.is_ok_and(|s| s.success()) {
        println!("    could not install fakellm; the test that needs it will say so");
    }
    // The counterparts of the MCP tests: official SDKs and stock servers, likewise.
    let peers = Command::new("sh").arg(".ci/install-mcp").current_dir(root()).status();
    if !peers.is_ok_and(|s| s.success()) {
        println!("    could not install the MCP counterparts; the tests that need them will say so");
    }
    // OpenAI's own client, likewise.
    let client = Command::new("sh").arg(".ci/install-openai").current_dir(root()).status();
    if !client.is_ok_and(|s| s.success()) {
        println!("    could not install OpenAI's client; the test that needs it will say so");
    }
    Ok(())
}
