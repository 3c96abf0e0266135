use super::*;
use crate::adapter::Destination;
use oc_policy::inbound::{ConversationId, ConversationKind, Inbound, MutableNames, Phone, SenderId};
use oc_types::ChannelId;

fn event(id: &str) -> Arc<Event> {
    let conversation = ConversationId::new("42");
    let mut message =
        Inbound::new(ChannelId::parse("telegram").unwrap(), ConversationKind::Direct, conversation.clone());
    message.sender.id = SenderId::new("42");
    message.sender.phone = Phone::parse("+1 555 111 0001");
    message.sender.names = MutableNames::new(Some("ada"), Some("Ada\nL"), None, None);
    message.text = "hello\nthere \"quoted\" \u{1f980}".to_owned();
    Arc::new(Event {
        id: id.to_owned(),
        message,
        reply: Destination { conversation, thread: None, reply_to: Some("7".to_owned()) },
        attachments: Vec::new(),
        quoted: None,
        payload: None,
    })
}

fn route() -> Route {
    let to = event("1").reply.clone();
    Route { channel: ChannelId::parse("telegram").unwrap(), account: "default".to_owned(), to }
}

fn piece(text: &str) -> Piece {
    Piece { text: text.to_owned(), buttons: Vec::new() }
}

/// What a new process finds.
fn reopened(path: &Path, now: i64) -> (Inbox, Vec<String>) {
    let (inbox, left) = Inbox::open(path, now).unwrap();
    let words = left.iter().map(|r| match r {
        Recovered::Waiting { entry, again } => format!("waiting {} {again}", entry.id),
        Recovered::Interrupted { entries } => {
            format!("interrupted {:?}", entries.iter().map(|e| e.id).collect::<Vec<_>>())
        }
        Recovered::Unsent(a) => {
            format!("unsent {:?} {}/{} doubt {}", a.entries, a.sent.len(), a.pieces.len(), a.in_doubt())
        }
    });
    let words = words.collect();
    (inbox, words)
}

/// Lets go of the journal and waits until its lock is free.
async fn close(inbox: Inbox) {
    inbox.flush().await.unwrap();
    drop(inbox);
}

#[tokio::test]
async fn what_a_restart_finds_follows_the_table() {
    let dir = tempfile::tempdir().unwrap();
    let path = Inbox::path_in(dir.path());
    let (inbox, left) = reopened(&path, 0);
    assert_eq!(left, Vec::<String>::new());
    let mut ids = Vec::new();
    for i in 0..8 {
        ids.push(inbox.accept(&format!("k{i}"), event(&i.to_string()), 10).await.unwrap());
    }
    let at = |i: usize| vec![ids[i]];
    // 0 waits; 1 had begun; 2 and 3 had acted together; 4 is answered in part; 5 in doubt; 6 done; 7 silent.
    inbox.started(&at(1)).unwrap();
    let turn = inbox.started(&[ids[2], ids[3]]).unwrap();
    inbox.acted(turn).await.unwrap();
    let a = inbox.answering(&at(4), route(), vec![piece("a"), piece("b")], false).await.unwrap();
    inbox.sending(a, 0).await.unwrap();
    inbox.sent(a, 0, Some("s1".to_owned()));
    let b = inbox.answering(&at(5), route(), vec![piece("c")], false).await.unwrap();
    inbox.sending(b, 0).await.unwrap();
    inbox.done(&at(6), Ending::Answered, 11);
    inbox.done(&at(7), Ending::Silent, 11);
    let instance = inbox.instance();
    close(inbox).await;
    for _ in 0..2 {
        // The second time from the shortened journal.
        let (inbox, left) = reopened(&path, 20);
        let want = [
            format!("waiting {} false", ids[0]),
            format!("waiting {} true", ids[1]),
            format!("interrupted [{}, {}]", ids[2], ids[3]),
            format!("unsent [{}] 1/2 doubt false", ids[4]),
            format!("unsent [{}] 0/1 doubt true", ids[5]),
        ];
        assert_eq!(left, want);
        assert_eq!(inbox.instance(), instance);
        assert!((0..8).all(|i| inbox.has(&format!("k{i}"))), "no key is forgotten");
        assert_eq!(inbox.waiting(), 6);
        assert_eq!(inbox.event(ids[0]).unwrap().message.text, event("0").message.text);
        // What was begun over 1 is forgotten by the second run, as nobody began again.
        let again = inbox.started(&at(1)).unwrap();
        assert!(again > b);
        close(inbox).await;
    }
}

#[tokio::test]
async fn keys_of_what_is_done_run_out() {
    let dir = tempfile::tempdir().unwrap();
    let path = Inbox::path_in(dir.path());
    let (inbox, _) = reopened(&path, 0);
    let id = inbox.accept("k", event("1"), 1000).await.unwrap();
    inbox.done(&[id], Ending::Answered, 1001);
    close(inbox).await;
    let (inbox, _) = reopened(&path, 1000 + book::KEY_TTL_MS);
    assert!(inbox.has("k"));
    close(inbox).await;
    let (inbox, _) = reopened(&path, 1001 + book::KEY_TTL_MS);
    assert!(!inbox.has("k"));
}

#[tokio::test]
async fn sp_008_a_journal_that_cannot_be_read_takes_nothing_and_stays() {
    let dir = tempfile::tempdir().unwrap();
    let path = Inbox::path_in(dir.path());
    oc_fs::mode::create_directories(path.parent().unwrap()).unwrap();
    oc_fs::atomic::replace(&path, b"0000000000000000 {}\nmore\n").unwrap();
    assert!(matches!(Inbox::open(&path, 0), Err(InboxFailure::Unusable { .. })));
    assert_eq!(oc_fs::owned_file::read(&path, 100).unwrap().unwrap(), b"0000000000000000 {}\nmore\n");
}

#[tokio::test]
async fn sp_007_one_process_at_a_time_holds_the_inbox() {
    let dir = tempfile::tempdir().unwrap();
    let path = Inbox::path_in(dir.path());
    let (inbox, _) = reopened(&path, 0);
    let two = tokio::task::spawn_blocking(move || {
        oc_fs::lock::acquire(&path, oc_fs::lock::Convention::Own, std::time::Duration::from_millis(50))
    });
    assert!(two.await.unwrap().is_err());
    drop(inbox);
}
