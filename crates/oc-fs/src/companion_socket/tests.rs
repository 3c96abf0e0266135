use serde_json::json;

use super::*;

fn token(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

#[test]
fn a_signed_request_is_answered_and_another_one_is_not() {
    let tmp = tempfile::tempdir().unwrap();
    let path = tmp.path().join("state/exec-approvals.sock");
    let mut server = CompanionServer::listen(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(CompanionServer::listen(&path).is_err(), "one server a socket");
    let thread = std::thread::spawn(move || {
        // The second listen above connected and went away: that is no message.
        let mut handled = Vec::new();
        let mut outcomes = Vec::new();
        for _ in 0..3 {
            let got = server.serve(&token("made-up"), &mut |v| {
                handled.push(v.request.clone());
                Ok(json!({ "exitCode": 0 }))
            });
            outcomes.push(got.is_ok());
        }
        (handled, outcomes)
    });
    assert!(ask(&path, &token("wrong"), "r1", "{\"a\":1}").is_err(), "no answer at all");
    let got = ask(&path, &token("made-up"), "r2", "{\"a\":2}").unwrap();
    assert_eq!(got, Ok(json!({ "exitCode": 0 })));
    let (handled, outcomes) = thread.join().unwrap();
    assert_eq!(handled, ["{\"a\":2}"]);
    assert_eq!(outcomes, [false, false, true]);
    assert!(!path.exists(), "the socket goes with its server");
}

#[test]
fn what_is_no_socket_is_left_in_place() {
    let tmp = tempfile::tempdir().unwrap();
    let path = tmp.path().join("exec-approvals.sock");
    std::fs::write(&path, "mine").unwrap();
    assert!(CompanionServer::listen(&path).is_err());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    std::fs::remove_file(&path).unwrap();
    // A socket that a dead server left behind is replaced.
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    assert!(CompanionServer::listen(&path).is_ok());
}
