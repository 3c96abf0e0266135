#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::process::Command;

use proptest::prelude::*;

use super::*;

fn service(
    program: &str,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> Result<Service, ServiceRefused> {
    Service::new(
        Kind::Gateway,
        None,
        Path::new(program),
        arguments.iter().map(|a| (*a).to_owned()).collect(),
        environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
    )
}

/// Says that a test is left out. Where nothing may be skipped (`OC_REQUIRE` has the word), that is a failure.
fn skip(test: &str, word: &str, why: &str) {
    let required = std::env::var("OC_REQUIRE").unwrap_or_default().split_whitespace().any(|w| w == word);
    assert!(!required, "{test} needs {word}: {why}");
    println!("SKIP {test}: {why}");
}

#[test]
fn names_of_units_and_jobs_are_upstreams() {
    let work = Profile::parse("work").unwrap();
    assert_eq!(Kind::Gateway.unit_name(None), "openclaw-gateway.service");
    assert_eq!(Kind::Gateway.unit_name(Some(&work)), "openclaw-gateway-work.service");
    assert_eq!(Kind::Node.unit_name(None), "openclaw-node.service");
    assert_eq!(Kind::Gateway.label(None), "ai.openclaw.gateway");
    assert_eq!(Kind::Gateway.label(Some(&work)), "ai.openclaw.work");
    assert_eq!(Kind::Node.label(None), "ai.openclaw.node");
    for bad in ["", "-a", "A", "a/b", "a b", "a.b", "ä", "a\n", &"a".repeat(33)] {
        assert!(Profile::parse(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn sp_073_what_no_service_file_can_hold_is_refused() {
    for bad in ["a\nExecStartPre=/bin/x", "a\rb", "a\0b", "a\u{1b}[1m", "a\u{85}b"] {
        assert!(matches!(service("/x", &[bad], &[]), Err(ServiceRefused::Text(_))), "{bad:?}");
        assert!(service(&format!("/x{bad}"), &[], &[]).is_err());
        assert!(service("/x", &[], &[("A", bad)]).is_err());
        assert!(service("/x", &[], &[(bad, "a")]).is_err());
    }
    assert!(matches!(service("x", &[], &[]), Err(ServiceRefused::Program(_))));
    for bad in ["/a\"b", "/a'b", "/a\\b"] {
        assert!(matches!(service(bad, &[], &[]), Err(ServiceRefused::Quote(_))), "{bad}");
    }
    for name in ["", "1A", "A-B", "A=B", "A B"] {
        assert!(matches!(service("/x", &[], &[(name, "a")]), Err(ServiceRefused::Name(_))), "{name}");
    }
}

#[test]
fn a_service_file_holds_no_secret() {
    for name in ["OPENCLAW_GATEWAY_TOKEN", "OPENCLAW_GATEWAY_PASSWORD", "X_API_KEY", "MY_SECRET"] {
        assert_eq!(service("/x", &[], &[(name, "a")]), Err(ServiceRefused::Secret(name.into())));
    }
}

#[test]
fn the_unit_and_the_job_as_they_are_written() {
    let made = service(
        "/opt/open claw/openclaw-gateway",
        &["--port", "18789", "100% \"a\" $HOME \\ <&>'"],
        &[("OPENCLAW_STATE_DIR", "/home/u/my state")],
    )
    .unwrap();
    insta::assert_snapshot!("unit", unit::text(&made));
    insta::assert_snapshot!("job", plist::text(&made));
}

#[test]
fn a_unit_of_another_form_is_not_guessed_at() {
    for text in [
        "",
        "[Service]\nExecStart=/usr/bin/openclaw gateway\n",
        "ExecStart=\"/usr/bin/openclaw\"\n",
        "ExecStart=\":/a\"\nExecStart=\":/b\"\n",
        "ExecStart=\":/a\" \n",
        "ExecStart=\":/a\" \"%h\"\n",
        "ExecStart=\":/a\" \"\\x41\"\n",
        "ExecStart=\":/a\n",
        "ExecStart=\":/a\"\nEnvironment=\"A\"\n",
    ] {
        assert_eq!(unit::read(text), None, "{text:?}");
    }
}

/// systemd's own reader takes the unit, with every odd character in it.
#[test]
fn sp_073_systemd_verifies_the_unit() {
    let Ok(version) = Command::new("systemd-analyze").arg("--version").output() else {
        skip("sp_073_systemd_verifies_the_unit", "systemd-analyze", "systemd-analyze is not installed");
        return;
    };
    assert!(version.status.success());
    let tmp = tempfile::tempdir().unwrap();
    let program = tmp.path().join("open claw % $HOME <&> ;# 日本");
    std::fs::copy("/bin/true", &program).unwrap();
    let odd = ["", " ", "%h", "$HOME", "${HOME}", "a\\b", "\"", "'", ";", "#", "=", "日本", "-", "a;b"];
    let environment = [("A", "x y"), ("B", "%t\\\"'$"), ("C", "")];
    let made = service(program.to_str().unwrap(), &odd, &environment).unwrap();
    let file = tmp.path().join(Kind::Gateway.unit_name(None));
    let text = unit::text(&made);
    std::fs::write(&file, &text).unwrap();
    let out = Command::new("systemd-analyze")
        .args(["--user", "--man=no", "verify"])
        .env("XDG_RUNTIME_DIR", tmp.path())
        .arg(&file)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(out.status.success() && !said.contains("openclaw-gateway"), "{said}\n{text}");
    // The same check does see a program that is not there.
    std::fs::write(&file, text.replace("open claw", "closed claw")).unwrap();
    let out = Command::new("systemd-analyze")
        .args(["--user", "--man=no", "verify"])
        .env("XDG_RUNTIME_DIR", tmp.path())
        .arg(&file)
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&out.stderr).contains("closed claw"), "{out:?}");
}

/// The command line is run as it is read back from the unit: the service is what it says it is, where no user manager runs.
#[test]
fn the_parsed_command_line_runs() {
    let made =
        service("/bin/sh", &["-c", "printf '%s|' \"$@\"", "sh", "a b", "%h", "$HOME", "\"q\\"], &[]).unwrap();
    let (line, _) = unit::read(&unit::text(&made)).unwrap();
    let out = Command::new(&line[0]).args(&line[1..]).output().unwrap();
    assert_eq!(String::from_utf8(out.stdout).unwrap(), "a b|%h|$HOME|\"q\\|");
}

/// Another language's reader takes the job and sees the same values.
#[test]
fn sp_073_the_job_parses_to_the_same_values() {
    let code = "import plistlib,sys,json\nd=plistlib.loads(sys.stdin.buffer.read())\nprint(json.dumps([d['ProgramArguments'],d['EnvironmentVariables'],d['Label'],d['Umask']]))";
    if !Command::new("python3").arg("--version").output().is_ok_and(|o| o.status.success()) {
        skip("sp_073_the_job_parses_to_the_same_values", "python3", "python3 is not installed");
        return;
    }
    let odd = "a<b>&amp;\"'% $HOME ]]> <!-- 日本 \\";
    let made = service("/opt/x y", &[odd], &[("A", odd)]).unwrap();
    let mut child = Command::new("python3")
        .args(["-c", code])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), plist::text(&made).as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    let got: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(got[0], serde_json::json!(["/opt/x y", odd]));
    assert_eq!(got[1]["A"], odd);
    assert_eq!((got[2].as_str(), got[3].as_u64()), (Some("ai.openclaw.gateway"), Some(63)));
}

#[test]
fn without_a_manager_the_file_is_written_and_the_failure_is_told() {
    let tmp = tempfile::tempdir().unwrap();
    let manager = manager::Manager::Systemd {
        directory: tmp.path().join("systemd/user"),
        program: tmp.path().join("no-systemctl"),
    };
    let made = service("/bin/true", &["--x"], &[]).unwrap();
    assert!(matches!(manager.install(&made), Err(manager::ServiceFailure::Manager { .. })));
    let status = manager.status(Kind::Gateway, None);
    assert_eq!(status.command_line.unwrap(), ["/bin/true", "--x"]);
    assert_eq!((status.running, status.file.is_some()), (None, true));
    assert!(status.detail.contains("no-systemctl"));
    assert!(manager.uninstall(Kind::Gateway, None).is_err());
    assert_eq!(manager.status(Kind::Gateway, None), manager::Status::default());
    let missing = manager.act(Kind::Gateway, None, manager::Action::Start).unwrap_err();
    assert!(missing.to_string().contains("openclaw gateway install"), "{missing}");
}

/// A stand-in for the manager's command that notes what it was called with.
#[test]
fn the_manager_is_called_with_the_units_name() {
    use std::os::unix::fs::PermissionsExt;
    let tmp = tempfile::tempdir().unwrap();
    let program = tmp.path().join("systemctl");
    let log = tmp.path().join("log");
    let script = format!(
        "#!/bin/sh\necho \"$@\" >> {}\ncase \"$*\" in *show*) printf 'ActiveState=active\\nSubState=running\\nMainPID=42\\n';; *restart*) echo no >&2; exit 3;; esac\n",
        log.display()
    );
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
    let manager = manager::Manager::Systemd { directory: tmp.path().join("user"), program };
    let made = service("/bin/true", &[], &[]).unwrap();
    manager.install(&made).unwrap();
    manager.act(Kind::Gateway, None, manager::Action::Stop).unwrap();
    let failed = manager.act(Kind::Gateway, None, manager::Action::Restart).unwrap_err().to_string();
    assert!(failed.ends_with("restart openclaw-gateway.service: no"), "{failed}");
    let status = manager.status(Kind::Gateway, None);
    assert_eq!((status.running, status.pid, status.detail.as_str()), (Some(true), Some(42), "active"));
    manager.uninstall(Kind::Gateway, None).unwrap();
    let called = std::fs::read_to_string(log).unwrap();
    let wanted = [
        "--user daemon-reload",
        "--user enable --now openclaw-gateway.service",
        "--user stop openclaw-gateway.service",
        "--user restart openclaw-gateway.service",
        "--user show --property=ActiveState,SubState,MainPID openclaw-gateway.service",
        "--user disable --now openclaw-gateway.service",
        "--user daemon-reload",
    ];
    assert_eq!(called.lines().collect::<Vec<_>>(), wanted);
}

proptest! {
    #[test]
    fn sp_073_every_value_survives_the_unit(
        program in "/[^\\p{C}\"'\\\\]{0,20}", arguments in proptest::collection::vec("\\PC{0,20}", 0..4), value in "\\PC{0,20}",
    ) {
        let refs: Vec<&str> = arguments.iter().map(String::as_str).collect();
        prop_assume!(!program.chars().chain(arguments.join("").chars()).chain(value.chars()).any(char::is_control));
        let made = service(&program, &refs, &[("A", &value)]).unwrap();
        let text = unit::text(&made);
        let (line, environment) = unit::read(&text).unwrap();
        prop_assert_eq!(&line[0], &program);
        prop_assert_eq!(&line[1..], &arguments[..]);
        prop_assert_eq!(environment, vec![("A".to_owned(), value)]);
        // Nothing became a line, a section or a key of its own.
        let keys = text.lines().filter(|l| l.contains('=')).count();
        prop_assert_eq!(keys, 15);
    }

    #[test]
    fn sp_073_no_text_makes_two_lines(text in any::<String>()) {
        if let Ok(made) = service("/x", &[&text], &[("A", &text)]) {
            prop_assert_eq!(unit::text(&made).lines().count(), 20);
        }
    }
}
