use oc_runner::protocol::Exit;
use tokio::sync::{mpsc, oneshot};

use super::transcript::Transcript;
use super::*;
use crate::executor::Output;

struct Far {
    output: mpsc::Sender<Output>,
    orders: mpsc::Receiver<Order>,
    exit: oneshot::Sender<Result<Exit, ExecutorError>>,
}

fn running() -> (Running, Far) {
    let (output_far, output) = mpsc::channel(8);
    let (orders, orders_far) = mpsc::channel(2);
    let (exit_far, exit) = oneshot::channel();
    (Running { output, orders, exit }, Far { output: output_far, orders: orders_far, exit: exit_far })
}

fn new(owner: &str) -> NewSession {
    NewSession {
        owner: owner.to_owned(),
        command: "sleep 60".to_owned(),
        directory: "/work".to_owned(),
        terminal: false,
        place: Place::Host,
    }
}

fn done(code: i32) -> Result<Exit, ExecutorError> {
    Ok(Exit { code, timed_out: false, killed: false, dropped: 0 })
}

#[tokio::test]
async fn output_is_polled_once_and_logged_always() {
    let all = ProcessSessions::new(Limits::new(None, None));
    let (near, far) = running();
    let session = all.adopt(new("a"), near).unwrap();
    far.output.send(Output::Out(b"one\ntwo\n".to_vec())).await.unwrap();
    far.output.send(Output::Err("dr\u{fc}ben\n".as_bytes()[..3].to_vec())).await.unwrap();
    far.output.send(Output::Err("dr\u{fc}ben\n".as_bytes()[3..].to_vec())).await.unwrap();
    assert_eq!(session.wait(Duration::from_millis(50)).await, Status::Running);
    assert_eq!(session.poll().text, "one\ntwo\ndr\u{fc}ben\n");
    assert_eq!(session.poll().text, "");
    assert_eq!(session.log(Some(1), Some(1)), ("two".to_owned(), 3));
    assert_eq!(session.log(None, Some(2)).0, "two\ndr\u{fc}ben");
    drop(far.output);
    far.exit.send(done(0)).unwrap();
    assert_eq!(session.wait(Duration::from_secs(5)).await, Status::Completed);
    assert!(matches!(session.write(b"x".to_vec(), false), Err(SessionError::Ended(_))));
    assert!(matches!(all.kill("a", session.id()), Err(SessionError::Ended(_))));
    all.clear("a", session.id()).unwrap();
    assert!(all.list("a").is_empty());
}

#[tokio::test]
async fn another_session_neither_sees_nor_touches_it() {
    let all = ProcessSessions::new(Limits::new(None, None));
    let (near, mut far) = running();
    let id = all.adopt(new("a"), near).unwrap().id().to_owned();
    assert!(all.list("b").is_empty());
    let unknown = SessionError::Unknown(id.clone());
    assert_eq!(all.get("b", &id).unwrap_err(), unknown);
    assert_eq!(all.kill("b", &id).unwrap_err(), unknown);
    assert_eq!(all.clear("b", &id).unwrap_err(), unknown);
    assert_eq!(all.remove("b", &id).unwrap_err(), unknown);
    assert!(far.orders.try_recv().is_err());
    assert_eq!(all.clear("a", &id).unwrap_err(), SessionError::Runs(id.clone()));
    all.remove("a", &id).unwrap();
    assert_eq!(far.orders.recv().await, Some(Order::Kill));
}

#[tokio::test]
async fn input_that_nobody_takes_is_an_answer_and_no_wait() {
    let all = ProcessSessions::new(Limits::new(None, None));
    let (near, mut far) = running();
    let session = all.adopt(new("a"), near).unwrap();
    session.write(b"a".to_vec(), true).unwrap();
    assert!(matches!(session.write(b"b".to_vec(), false), Err(SessionError::Full(_))));
    // Letting go of it ends it, although its orders are stuck.
    session.kill();
    assert_eq!(session.wait(Duration::from_secs(5)).await, Status::Killed);
    assert!(far.output.is_closed() && far.exit.is_closed());
    assert_eq!(far.orders.recv().await, Some(Order::Input(b"a".to_vec())));
}

#[tokio::test]
async fn only_so_many_run_and_finished_ones_do_not_count() {
    let all = ProcessSessions::new(Limits { running: 2, ..Limits::new(None, None) });
    let (first, far) = running();
    let (second, _far2) = running();
    let session = all.adopt(new("a"), first).unwrap();
    all.adopt(new("a"), second).unwrap();
    assert_eq!(all.adopt(new("a"), running().0).unwrap_err(), SessionError::TooMany(2));
    all.adopt(new("b"), running().0).unwrap();
    drop(far.output);
    far.exit.send(done(1)).unwrap();
    assert_eq!(session.wait(Duration::from_secs(5)).await, Status::Failed);
    all.adopt(new("a"), running().0).unwrap();
}

#[tokio::test]
async fn finished_commands_are_forgotten_after_a_while() {
    let all = ProcessSessions::new(Limits { keep: Duration::ZERO, ..Limits::new(None, None) });
    let (near, far) = running();
    let session = all.adopt(new("a"), near).unwrap();
    drop(far.output);
    far.exit.send(done(0)).unwrap();
    session.wait(Duration::from_secs(5)).await;
    assert!(all.list("a").is_empty());
}

#[test]
fn the_end_of_long_output_is_kept() {
    let mut transcript = Transcript::new(1000);
    for i in 0..1000 {
        transcript.push(0, format!("line {i} \u{e4}\u{1f600}\n").as_bytes());
    }
    transcript.push(1, &[0xff, b'x', 0xf0, 0x9f]);
    transcript.end();
    let kept = transcript.kept();
    assert_eq!(kept.text.chars().count(), 1000);
    assert!(kept.text.ends_with("\u{fffd}x\u{fffd}") && kept.dropped > 5000);
    assert_eq!(
        Limits::new(Some(1), Some(5)),
        Limits { output: 1000, keep: Duration::from_secs(60), running: 32 }
    );
    assert_eq!(Limits::new(Some(u64::MAX), None).keep, Duration::from_secs(3 * 3600));
}

#[test]
fn keys_become_what_a_terminal_sends() {
    let cases = [
        ("Enter", "\r"),
        ("C-c", "\u{3}"),
        ("^d", "\u{4}"),
        ("C-Space", "\0"),
        ("M-x", "\u{1b}x"),
        ("C-M-a", "\u{1b}\u{1}"),
        ("Up", "\u{1b}[A"),
        ("C-Left", "\u{1b}[1;5D"),
        ("S-Tab", "\u{1b}[Z"),
        ("F1", "\u{1b}OP"),
        ("F12", "\u{1b}[24~"),
        ("PageDown", "\u{1b}[6~"),
        ("S-Delete", "\u{1b}[3;2~"),
        ("a", "a"),
        ("\u{e4}", "\u{e4}"),
        ("-", "-"),
        ("^", "^"),
    ];
    for (key, bytes) in cases {
        assert_eq!(encode_keys(&[key.to_owned()], &[], None).unwrap(), bytes.as_bytes(), "{key}");
    }
    for key in ["", "Nothing", "C-\u{e4}", "X-a", "F13"] {
        assert!(matches!(encode_keys(&[key.to_owned()], &[], None), Err(KeyError::Name(_))), "{key}");
    }
    let hex = ["1b".to_owned(), "0x5B".to_owned()];
    assert_eq!(encode_keys(&["A".to_owned()], &hex, Some("hi")).unwrap(), b"hi\x1b[A");
    assert!(encode_keys(&[], &["+1".to_owned()], None).is_err());
}

#[test]
fn a_paste_cannot_end_its_own_bracket() {
    assert_eq!(paste("a\u{1b}[201~\rb", true), b"\x1b[200~a\rb\x1b[201~");
    assert_eq!(paste("a\u{1b}[20\u{1b}[201~1~b", true), b"\x1b[200~ab\x1b[201~");
    assert_eq!(paste("a", false), b"a");
}
