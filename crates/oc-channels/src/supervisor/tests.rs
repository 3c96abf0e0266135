use super::*;

fn unavailable() -> AdapterFailure {
    AdapterFailure::Unavailable { service: "x", why: "gone".to_owned() }
}

#[test]
fn pauses_double_to_a_limit_and_start_anew_after_a_steady_connection() {
    let mut backoff = Backoff::default();
    let short = Duration::from_secs(1);
    let pauses: Vec<u64> = (0..11)
        .map(|_| match backoff.ended(&unavailable(), short) {
            Afterwards::Again(pause) => pause.as_secs(),
            Afterwards::Stop => panic!("it stopped"),
        })
        .collect();
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    assert_eq!(backoff.ended(&unavailable(), STEADY), Afterwards::Again(Duration::from_secs(1)));
}

#[test]
fn a_refused_credential_is_not_tried_again_and_wishes_are_respected() {
    let mut backoff = Backoff::default();
    let refused = AdapterFailure::Credential {
        service: "x",
        key: "channels.x.token".to_owned(),
        why: "401".to_owned(),
    };
    assert_eq!(backoff.ended(&refused, STEADY), Afterwards::Stop);
    let settings = AdapterFailure::Settings { key: "channels.x".to_owned(), why: "no token".to_owned() };
    assert_eq!(backoff.ended(&settings, STEADY), Afterwards::Stop);
    let limited = AdapterFailure::RateLimited { service: "x", after: Duration::from_secs(40) };
    assert_eq!(Backoff::default().ended(&limited, STEADY), Afterwards::Again(Duration::from_secs(40)));
    let taken = AdapterFailure::Conflict { service: "x", why: "another poller".to_owned() };
    assert_eq!(Backoff::default().ended(&taken, STEADY), Afterwards::Again(Duration::from_secs(30)));
}
