use std::time::Duration;

use serde_json::json;

use super::pause::{Pauses, Trouble};
use super::which::which;
use crate::client::{ClientError, Place, Reason, Refusal};

fn place() -> Place {
    Place { url: "wss://gateway:1".to_owned(), source: "--host".to_owned(), config: None }
}

fn refused(code: &str) -> ClientError {
    let refusal = Refusal {
        code: code.to_owned(),
        message: String::new(),
        details: json!({"requestId": "r\u{1b}[1m"}),
        retryable: false,
    };
    ClientError::new(Reason::Refused { refusal: Box::new(refusal), close: None }, place())
}

#[test]
fn pauses_grow_to_a_bound_and_begin_anew_after_a_connection() {
    let mut pauses = Pauses::default();
    let away: Vec<u64> = (0..9).map(|_| pauses.next(Trouble::Away).as_secs()).collect();
    assert_eq!(away, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    pauses.connected();
    assert_eq!(pauses.next(Trouble::Away), Duration::from_secs(1));
    let knocks: Vec<u64> = (0..5).map(|_| pauses.next(Trouble::NotPaired).as_secs()).collect();
    assert_eq!(knocks, [4, 8, 15, 15, 15]);
    assert_eq!(Pauses::default().next(Trouble::Refused), Duration::from_secs(30));
    for _ in 0..5_000 {
        assert!(pauses.next(Trouble::Away) <= Duration::from_secs(60));
    }
}

#[test]
fn some_troubles_pass_and_some_do_not() {
    let of = |reason| Trouble::of(&ClientError::new(reason, place()));
    assert_eq!(Trouble::of(&refused("NOT_PAIRED")), Trouble::NotPaired);
    assert_eq!(Trouble::of(&refused("INVALID_REQUEST")), Trouble::Refused);
    assert_eq!(Trouble::of(&refused("UNAVAILABLE")), Trouble::Away);
    assert_eq!(of(Reason::Gone), Trouble::Away);
    let other = Reason::WrongCertificate { expected: "a".to_owned(), found: "b".to_owned() };
    assert_eq!(of(other), Trouble::Hopeless, "another certificate is never tried twice");
    assert_eq!(super::request_of(&refused("NOT_PAIRED")).unwrap(), r"r\u{1b}[1m");
}

#[test]
fn which_finds_programs_on_the_path_and_nothing_else() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = tempfile::tempdir().unwrap();
    for (name, mode) in [("tool", 0o755), ("notes", 0o644)] {
        let path = home.path().join(name);
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    let path = format!("relative:{}", home.path().display());
    let asked =
        json!({"bins": ["tool", "notes", "nothing", "../tool", "/bin/sh", ".", "", "a\u{0}b", " tool "]});
    let got = which(&asked, &path).unwrap();
    assert_eq!(got, json!({"bins": {"tool": home.path().join("tool").to_str().unwrap()}}));
    assert!(which(&json!({"bins": vec!["x"; 129]}), &path).is_err());
    assert!(which(&json!({"bins": ["x"], "more": 1}), &path).is_err());
}
