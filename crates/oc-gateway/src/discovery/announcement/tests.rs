#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

fn facts() -> Facts {
    Facts {
        port: 18_789,
        machine: "annas-laptop".into(),
        label: None,
        tls: Some("ab".repeat(32)),
        canvas_port: Some(18_793),
        tailnet_dns: Some("annas-laptop.tail1234.ts.net".into()),
        cli_path: Some("/home/anna/.local/bin/openclaw".into()),
        ssh_port: None,
    }
}

fn keys(mode: Mode, facts: &Facts) -> Vec<&'static str> {
    announcement(mode, facts).unwrap().txt.into_iter().map(|(k, _)| k).collect()
}

#[test]
fn sp_352_minimal_is_the_default_and_keeps_everything_but_finding_to_itself() {
    assert_eq!(Mode::of(None, None), Mode::Minimal);
    let said = announcement(Mode::Minimal, &facts()).unwrap();
    assert_eq!(
        keys(Mode::Minimal, &facts()),
        ["role", "gatewayPort", "transport", "gatewayTls", "gatewayTlsSha256"]
    );
    let all = format!("{said:?}");
    for hint in ["anna", "/home", "ts.net", "ssh", "18793"] {
        assert!(!all.contains(hint), "{hint}: {all}");
    }
    assert_eq!((said.instance.as_str(), said.host.as_str()), ("openclaw (OpenClaw)", "openclaw.local."));
    assert_eq!(said.txt.first().unwrap(), &("role", "gateway".to_owned()));
}

#[test]
fn full_tells_all_of_the_table_and_only_what_is_known() {
    let wanted = [
        "role",
        "gatewayPort",
        "transport",
        "gatewayTls",
        "gatewayTlsSha256",
        "displayName",
        "lanHost",
        "canvasPort",
        "tailnetDns",
        "cliPath",
        "sshPort",
    ];
    assert_eq!(keys(Mode::Full, &facts()), wanted);
    let bare = Facts { port: 1, machine: "m".into(), ssh_port: Some(2222), ..Facts::default() };
    let said = announcement(Mode::Full, &bare).unwrap();
    assert_eq!(said.txt.last().unwrap(), &("sshPort", "2222".to_owned()));
    assert_eq!(
        keys(Mode::Full, &bare),
        ["role", "gatewayPort", "transport", "displayName", "lanHost", "sshPort"]
    );
    assert_eq!(said.instance, "m (OpenClaw)");
}

#[test]
fn off_the_environment_and_unknown_words_announce_nothing() {
    assert_eq!(announcement(Mode::Off, &facts()), None);
    for word in ["1", "true", "YES", " on "] {
        assert_eq!(Mode::of(Some("full"), Some(word)), Mode::Off, "{word}");
    }
    for word in ["0", "", "false", "no"] {
        assert_eq!(Mode::of(Some("full"), Some(word)), Mode::Full, "{word}");
    }
    assert_eq!(Mode::of(Some("off"), None), Mode::Off);
    assert_eq!(Mode::of(Some("loud"), None), Mode::Off);
}

#[test]
fn odd_names_make_no_odd_records() {
    let odd = Facts {
        machine: format!("evil\u{202e}\n{}", "x".repeat(300)),
        label: Some("-bad_label!.example".into()),
        cli_path: Some("/p".repeat(200)),
        ..facts()
    };
    let said = announcement(Mode::Full, &odd).unwrap();
    assert!(said.instance.len() <= 63 && !said.instance.contains(['\n', '\u{202e}']), "{said:?}");
    assert_eq!(said.host, "badlabel.local.");
    assert!(said.txt.iter().all(|(k, v)| k.len() + 1 + v.len() <= 255));
    assert!(!said.txt.iter().any(|(k, _)| *k == "cliPath"));
    let empty = Facts { label: Some("...".into()), ..facts() };
    assert_eq!(announcement(Mode::Minimal, &empty).unwrap().host, "openclaw.local.");
}
