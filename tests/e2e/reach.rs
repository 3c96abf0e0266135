//! `openclaw security reach` and `openclaw policy diff` over the seed's three bots; the page in a real browser.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    missing_docs,
    reason = "tests"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/reach").join(format!("{name}.json5"))
}

fn openclaw(args: &[&str]) -> Output {
    let home = tempfile::tempdir().unwrap();
    Command::new(env!("CARGO_BIN_EXE_openclaw"))
        .args(args)
        .env_clear()
        .env("HOME", home.path())
        .env("OPENCLAW_GATEWAY_TOKEN", "made-up-token-0123456789abcdef")
        .env("OPENCLAW_HOOK_TOKEN", "made-up-hook-0123456789abcdef")
        .env("TELEGRAM_BOT_TOKEN", "1:made-up")
        .current_dir(home.path())
        .output()
        .unwrap()
}

fn stdout(out: &Output) -> String {
    String::from_utf8_lossy(&out.stdout).into_owned()
}

fn reach(name: &str, format: &[&str]) -> String {
    let file = fixture(name);
    let mut args = vec!["--config", file.to_str().unwrap(), "security", "reach"];
    args.extend(format);
    let out = openclaw(&args);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    stdout(&out)
}

#[test]
fn the_three_bots_of_the_seed() {
    for name in ["personal", "family", "public"] {
        let text = reach(name, &[]);
        assert!(text.lines().all(|l| l.chars().count() <= 80), "{text}");
        insta::assert_snapshot!(format!("reach_{name}"), text);
    }
}

#[test]
fn strangers_reach_no_file_and_no_shell_at_the_public_bot() {
    let json: serde_json::Value = serde_json::from_str(&reach("public", &["--json"])).unwrap();
    let strangers: Vec<&str> = json["cells"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|c| c["caller"] == "stranger")
        .map(|c| c["tool"].as_str().unwrap())
        .collect();
    assert!(!strangers.is_empty());
    for tool in
        ["read", "write", "edit", "apply_patch", "exec", "process", "browser", "gateway", "cron", "nodes"]
    {
        assert!(!strangers.contains(&tool), "{tool}");
    }
}

#[test]
fn diffs_between_the_three_bots() {
    for (old, new) in [("personal", "family"), ("family", "public"), ("public", "personal")] {
        let (a, b) = (fixture(old), fixture(new));
        let out = openclaw(&["policy", "diff", a.to_str().unwrap(), b.to_str().unwrap()]);
        assert_eq!(out.status.code(), Some(1), "each of these opens something");
        insta::assert_snapshot!(format!("diff_{old}_{new}"), stdout(&out));
    }
    let same = fixture("family");
    let out = openclaw(&["policy", "diff", same.to_str().unwrap(), same.to_str().unwrap()]);
    assert_eq!(out.status.code(), Some(0));
    assert_eq!(stdout(&out), "The change opens nothing.\n");
}

#[test]
fn an_invalid_side_is_no_comparison() {
    let dir = tempfile::tempdir().unwrap();
    let bad = dir.path().join("bad.json5");
    std::fs::write(&bad, "{ gateway: { bnd: \"lan\" } }").unwrap();
    let good = fixture("family");
    let out = openclaw(&["policy", "diff", good.to_str().unwrap(), bad.to_str().unwrap()]);
    assert_eq!(out.status.code(), Some(1));
    assert!(out.stdout.is_empty() && String::from_utf8_lossy(&out.stderr).contains("gateway.bnd"));
}

/// Chromium, or a plain word that there is none. Where nothing may be skipped (`OC_REQUIRE`), its absence is a failure.
fn chromium() -> Option<&'static str> {
    let there =
        Command::new("chromium").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if there.is_ok_and(|s| s.success()) {
        return Some("chromium");
    }
    let required = std::env::var("OC_REQUIRE").unwrap_or_default();
    assert!(!required.contains("chromium"), "chromium is required here and missing");
    eprintln!("skipped: chromium is not installed");
    None
}

#[test]
fn the_page_shows_the_matrix_in_a_browser() {
    let Some(browser) = chromium() else { return };
    let dir = tempfile::tempdir().unwrap();
    let page = dir.path().join("reach.html");
    std::fs::write(&page, reach("public", &["--html"])).unwrap();
    let profile = format!("--user-data-dir={}", dir.path().join("profile").display());
    let run = |extra: &[&str]| {
        let mut command = Command::new(browser);
        command
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .args([profile.as_str(), "--window-size=1600,1100", "--timeout=20000"])
            .args(extra)
            .arg(format!("file://{}", page.display()));
        command.stdin(Stdio::null()).stderr(Stdio::null()).output().unwrap()
    };
    let dom = stdout(&run(&["--dump-dom"]));
    assert!(dom.contains("<h1>Who reaches what</h1>"), "{dom}");
    assert_eq!(dom.matches("<table data-agent=").count(), 2);
    assert_eq!(dom.matches("<tbody>").count(), 2);
    let table = dom.split("data-agent=\"public\"").nth(1).unwrap();
    let rows = table.split("</table>").next().unwrap();
    assert_eq!(rows.matches("<th scope=\"col\">").count(), 8, "one column for each class of caller");
    let tools = rows.matches("<tr data-tool=").count();
    assert!(tools >= 24, "one row for each tool, not {tools}");
    assert_eq!(rows.matches("<td data-caller=").count(), tools * 8);
    let strangers: Vec<&str> = rows.split("<td data-caller=\"stranger\" class=\"").skip(1).collect();
    let open = |class: &str| strangers.iter().filter(|c| c.starts_with(class)).count();
    assert!(open("sandbox") > 0 && open("shut") > 0);
    assert_eq!(open("open") + open("asked"), 0, "nothing on a host for strangers");
    assert!(!dom.contains("<script"), "the page runs nothing");

    let artifacts = std::env::var_os("OC_ARTIFACTS").map_or_else(|| dir.path().to_path_buf(), PathBuf::from);
    std::fs::create_dir_all(&artifacts).unwrap();
    let shot = artifacts.join("reach.png");
    run(&[&format!("--screenshot={}", shot.display())]);
    let bytes = std::fs::read(&shot).unwrap();
    assert!(bytes.starts_with(b"\x89PNG") && bytes.len() > 20_000, "{} bytes", bytes.len());
}
