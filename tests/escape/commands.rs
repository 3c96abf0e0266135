//! `openclaw sandbox list`, `recreate` and `doctor` beside a sandbox that is in use.

use std::process::Output;

use serde_json::{Value, json};

use crate::gate::{Installed, has_engine};
use crate::host::Host;

fn said(output: &Output) -> (Option<i32>, String) {
    let both = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    (output.status.code(), String::from_utf8_lossy(&both).into_owned())
}

#[test]
fn containers_are_listed_removed_on_request_and_described() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    if !runtime.block_on(has_engine()) {
        return;
    }
    let host = Host::new();
    let workspace = host.workspace("agent", host.is_root.then_some(1000));
    let installed = Installed::new(&host, &workspace, "auto");
    let sandbox = |arguments: &[&str]| said(&installed.openclaw(&[&["sandbox"], arguments].concat()));
    assert_eq!(sandbox(&["list"]), (Some(0), "No sandbox containers\n".to_owned()));
    assert!(installed.invoke("echo kept > /tmp/kept").output().unwrap().status.success());
    let (_, kept) = said(&installed.invoke("cat /tmp/kept").output().unwrap());
    assert!(kept.contains("kept\\n"), "the second call finds the same running container: {kept}");
    let names = installed.containers();
    let (code, text) = sandbox(&["list"]);
    assert_eq!(code, Some(0), "{text}");
    for part in [
        names[0].as_str(),
        "status: running",
        "as configured",
        "session: agent:main",
        "1 sandbox container, 1 running",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    for (arguments, code, part) in [
        (&["recreate"][..], 1, "exactly one of"),
        (&["recreate", "--all", "--agent", "main"], 1, "exactly one of"),
        (&["recreate", "--session", "agent:other", "--force"], 0, "No containers match"),
        (&["recreate", "--agent", "mai", "--force"], 0, "No containers match"),
        (&["recreate", "--all"], 1, "--force"),
    ] {
        let (got, text) = sandbox(arguments);
        assert!(got == Some(code) && text.contains(part), "{arguments:?}: {got:?} {text}");
        assert_eq!(installed.containers(), names, "{arguments:?} removed something");
    }
    let doctor: Value =
        serde_json::from_slice(&installed.openclaw(&["sandbox", "doctor", "--json"]).stdout).unwrap();
    assert_eq!(doctor["container"]["works"], json!(true), "{doctor}");
    assert_eq!(doctor["backend"]["chosen"], json!("container"), "{doctor}");
    assert!(
        doctor["container"]["runner"].as_str().is_some_and(|r| r.ends_with("openclaw-runner")),
        "{doctor}"
    );
    let (code, text) = sandbox(&["recreate", "--agent", "main", "--force"]);
    assert!(code == Some(0) && text.contains("Removed 1"), "{text}");
    assert!(installed.containers().is_empty());
    assert_eq!(sandbox(&["list"]).1, "No sandbox containers\n");
}

#[test]
fn sp_239_an_engine_without_the_image_refuses_and_says_what_to_do() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    if !runtime.block_on(has_engine()) {
        return;
    }
    let host = Host::new();
    let workspace = host.workspace("agent", host.is_root.then_some(1000));
    let installed =
        Installed::with(&host, &workspace, "auto", &json!({ "image": "openclaw-no-such-image:x" }));
    let output = installed.invoke("touch /tmp/ran-on-the-host").output().unwrap();
    let (code, text) = said(&output);
    assert!(code == Some(1) && text.contains("sandbox image build"), "{text}");
    assert!(installed.containers().is_empty() && !std::path::Path::new("/tmp/ran-on-the-host").exists());
    let doctor: Value =
        serde_json::from_slice(&installed.openclaw(&["sandbox", "doctor", "--json"]).stdout).unwrap();
    assert_eq!(doctor["container"]["image"]["present"], json!(false), "{doctor}");
    let refused = doctor["backend"]["refused"].as_str().unwrap_or_default();
    assert!(refused.contains("openclaw-no-such-image:x is missing"), "{doctor}");
}
