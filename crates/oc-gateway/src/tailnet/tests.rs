#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::entrance::tailscale::{Headers, NoIdentity, Surface, claim};

/// A fake of the daemon's command. It notes what it is called with and answers as the script says.
struct FakeTailscale {
    directory: tempfile::TempDir,
}

impl FakeTailscale {
    fn new(script: &str) -> Self {
        let fake = Self { directory: tempfile::tempdir().unwrap() };
        let text = format!(
            "#!/bin/sh\nprintf '%s|' \"$@\" >> '{0}'\necho >> '{0}'\n{script}\n",
            fake.log().display()
        );
        std::fs::write(fake.program(), text).unwrap();
        std::fs::set_permissions(fake.program(), std::fs::Permissions::from_mode(0o700)).unwrap();
        fake
    }

    fn program(&self) -> PathBuf {
        self.directory.path().join("tailscale")
    }

    fn log(&self) -> PathBuf {
        self.directory.path().join("log")
    }

    fn calls(&self) -> Vec<String> {
        std::fs::read_to_string(self.log()).unwrap_or_default().lines().map(str::to_owned).collect()
    }
}

const ANNA: &str = r#"case "$3" in
  100.64.0.1) echo '{"Node":{},"UserProfile":{"ID":1,"LoginName":"anna@example.com","DisplayName":"Anna"}}';;
  100.64.0.2) echo '{"UserProfile":{}}';;
  100.64.0.3) echo 'not json';;
  *) echo "peer not found" >&2; exit 1;;
esac"#;

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[tokio::test]
async fn sp_332_the_fake_daemon_says_whose_address_it_is_and_the_answer_is_kept() {
    let fake = FakeTailscale::new(ANNA);
    let tailnet = Tailnet::at(&fake.program());
    for _ in 0..3 {
        assert_eq!(tailnet.whois(address("100.64.0.1")).await.unwrap(), "anna@example.com");
        assert_eq!(tailnet.whois(address("::ffff:100.64.0.1")).await.unwrap(), "anna@example.com");
        assert!(
            tailnet.whois(address("100.64.0.9")).await.unwrap_err().to_string().contains("peer not found")
        );
    }
    assert_eq!(tailnet.whois(address("100.64.0.2")).await, Err(TailnetFailure::Nobody("whois")));
    assert_eq!(tailnet.whois(address("100.64.0.3")).await, Err(TailnetFailure::Nobody("whois")));
    let calls = fake.calls();
    assert_eq!(calls.len(), 4, "one call an address: {calls:?}");
    assert_eq!(calls[0], "whois|--json|100.64.0.1|");
}

#[tokio::test]
async fn sp_332_a_request_is_held_against_the_fake_daemons_word() {
    let fake = FakeTailscale::new(ANNA);
    let tailnet = Tailnet::at(&fake.program());
    let headers = |address, login| Headers {
        forwarded_for: Some(address),
        forwarded_proto: Some("https"),
        forwarded_host: Some("box.ts.net"),
        login: Some(login),
        ..Headers::default()
    };
    let ask = async |headers: Headers<'_>| {
        let made = claim(Surface::Handshake, true, address("127.0.0.1"), headers)?;
        let whois = tailnet.whois(made.address).await;
        made.confirm(whois)
    };
    assert_eq!(ask(headers("100.64.0.1", "ANNA@example.com")).await.unwrap().login, "anna@example.com");
    assert_eq!(ask(headers("100.64.0.1", "eve@example.com")).await, Err(NoIdentity::TailscaleUserMismatch));
    assert_eq!(ask(headers("100.64.0.9", "anna@example.com")).await, Err(NoIdentity::TailscaleWhoisFailed));
    let before = fake.calls().len();
    assert!(ask(headers("--json", "anna@example.com")).await.is_err());
    assert!(ask(headers("$(touch x)", "anna@example.com")).await.is_err());
    assert_eq!(fake.calls().len(), before, "what is no address never reaches the command");
}

#[tokio::test]
async fn a_kept_answer_ends() {
    let fake = FakeTailscale::new(ANNA);
    let mut tailnet = Tailnet::at(&fake.program());
    (tailnet.fresh, tailnet.failed) = (Duration::ZERO, Duration::ZERO);
    tailnet.whois(address("100.64.0.1")).await.unwrap();
    tailnet.whois(address("100.64.0.1")).await.unwrap();
    assert_eq!(fake.calls().len(), 2);
    tailnet.fresh = FRESH;
    for n in 0..=KEPT {
        tailnet.keep(address(&format!("10.0.{}.{}", n / 256, n % 256)), Ok("x".into()));
    }
    assert_eq!(tailnet.answers.lock().unwrap().len(), KEPT, "bounded");
}

#[tokio::test]
async fn a_daemon_that_hangs_is_not_waited_for() {
    let fake = FakeTailscale::new("exec sleep 600");
    let mut tailnet = Tailnet::at(&fake.program());
    assert_eq!(tailnet.patience, Duration::from_secs(5));
    tailnet.patience = Duration::from_millis(200);
    assert_eq!(tailnet.whois(address("100.64.0.1")).await, Err(TailnetFailure::Timeout("whois")));
}

#[tokio::test]
async fn without_the_command_nobody_is_known() {
    let none = Tailnet::with(None);
    assert_eq!(none.whois(address("100.64.0.1")).await, Err(TailnetFailure::NotInstalled));
    let gone = Tailnet::at(Path::new("/nowhere/tailscale"));
    assert!(matches!(gone.publish(Publication::Serve, 1).await, Err(TailnetFailure::Failed { .. })));
}

#[tokio::test]
async fn publishing_and_taking_back_are_these_commands() {
    let fake = FakeTailscale::new(
        "[ \"$1\" = status ] && echo '{\"Self\":{\"DNSName\":\"box.tail1.ts.net.\"}}'; exit 0",
    );
    let tailnet = Tailnet::at(&fake.program());
    tailnet.publish(Publication::Serve, 18_789).await.unwrap();
    tailnet.publish(Publication::Funnel, 18_789).await.unwrap();
    tailnet.reset(Publication::Serve).await.unwrap();
    tailnet.reset(Publication::Funnel).await.unwrap();
    assert_eq!(tailnet.dns_name().await.unwrap(), "box.tail1.ts.net");
    let wanted = [
        "serve|--bg|--yes|18789|",
        "funnel|--bg|--yes|18789|",
        "serve|reset|",
        "funnel|reset|",
        "status|--json|",
    ];
    assert_eq!(fake.calls(), wanted);
}

#[test]
fn logins_of_every_release_and_no_others_are_read() {
    for said in [
        r#"{"UserProfile":{"LoginName":" a@b "}}"#,
        r#"{"userProfile":{"loginName":"a@b"}}"#,
        r#"{"User":{"LoginName":"a@b"}}"#,
        r#"{"login":"a@b"}"#,
    ] {
        assert_eq!(answer::login(said).as_deref(), Some("a@b"), "{said}");
    }
    for said in ["", "{}", "[]", r#"{"UserProfile":{"LoginName":""}}"#, r#"{"UserProfile":{"LoginName":5}}"#]
    {
        assert_eq!(answer::login(said), None, "{said}");
    }
    assert_eq!(answer::dns_name(r#"{"Self":{"DNSName":"a b."}}"#), None);
}
