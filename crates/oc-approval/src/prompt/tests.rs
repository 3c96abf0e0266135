use super::*;
use crate::binding::{Circumstances, Host};
use crate::life_cycle::{Asking, Kind, Owner, Requests};
use crate::plan::Plan;
use crate::request::{Asked, SandboxOffer};
use crate::sample;

fn record(plan: &Plan, at: &Circumstances) -> Record {
    let host = sample::host().file("/w/package.json", "{}");
    let asked = Asked::of(plan, at, SandboxOffer::Available, &host).unwrap();
    let owner = Owner { pid: 1, started: "b:1".to_owned() };
    let asking = Asking { kind: Kind::Exec, owner, id: None, timeout_ms: 300_000 };
    Requests::default().take(asked, asking, 1_000, &mut || Some([0x5a; 16])).unwrap()
}

fn text(command: &str) -> Record {
    let mut plan = sample::plan(&["x"]);
    plan.text = command.to_owned();
    plan.segments.clear();
    record(&plan, &sample::circumstances())
}

#[test]
fn sp_191_a_prompt_has_everything_the_seed_lists_and_the_program() {
    let mut plan = sample::plan(&["npm", "test"]);
    plan.overrides.push(("NODE_ENV".to_owned(), "its-value-is-not-shown".to_owned()));
    let record = record(&plan, &sample::circumstances());
    let shown = prompt(&record, 2_500, 4_000);
    assert_eq!(shown.approvable, Approvable::Here);
    assert!(!shown.text.contains("its-value"));
    assert!(shown.text.lines().all(|l| columns(l) <= WIDTH), "{}", shown.text);
    insta::assert_snapshot!(shown.text);
}

#[test]
fn sp_191_a_prompt_that_asks_for_the_place() {
    let mut at = sample::circumstances();
    at.host = Host::Prompt;
    let mut plan = sample::plan(&["git", "log"]);
    plan.text = "git log *.md".to_owned();
    plan.segments[0].argv = vec!["git".to_owned(), "log".to_owned(), "a.md".to_owned(), "b.md".to_owned()];
    insta::assert_snapshot!(prompt(&record(&plan, &at), 1_000, 4_000).text);
}

#[test]
fn sp_190_what_cannot_be_seen_is_written_out() {
    let record = text("ls\u{202e}\n\trm -rf ~\u{200b} \u{1b}[2K#\r");
    let shown = prompt(&record, 1_000, 4_000).text;
    assert!(shown.contains("ls\\u{202e}\\n\\trm -rf ~\\u{200b} \\u{1b}[2K#\\r"), "{shown}");
    assert!(shown.chars().all(|c| c == '\n' || is_plain(c)));
    assert!(shown.contains("characters that cannot be seen"));
}

#[test]
fn sp_190_the_end_of_a_long_command_is_shown_or_it_is_not_approvable() {
    let command = format!("echo {} && rm -rf /", "x".repeat(15_000));
    let record = text(&command);
    let whole = prompt(&record, 1_000, 100_000);
    assert_eq!(whole.approvable, Approvable::Here);
    let unfolded: String = whole.text.lines().map(|l| l.get(INDENT..).unwrap_or_default()).collect();
    assert!(unfolded.contains(&command));
    for limit in [0, 100, 2_000, 4_096] {
        let cut = prompt(&record, 1_000, limit);
        assert_eq!(cut.approvable, Approvable::NotHere, "{limit}");
        assert!(cut.text.chars().count() <= limit);
        assert!(!cut.text.contains("/approve"), "{}", cut.text);
    }
    insta::assert_snapshot!(prompt(&record, 1_000, 2_000).text);
    // Blanks push nothing out of sight.
    let blanks = text(&format!("ls{}; rm -rf /", " ".repeat(500)));
    let shown = prompt(&blanks, 1_000, 4_000).text;
    assert!(shown.contains("; rm -rf /"));
}

#[test]
fn sp_192_credentials_are_masked_and_bound_exactly() {
    let secret = "sk-abcdefghijklmnopqrstuvwxyz0123456789"; // made up
    let one = text(&format!("curl -H 'Authorization: Bearer {secret}' https://example.org"));
    let shown = prompt(&one, 1_000, 4_000).text;
    assert!(!shown.contains(secret), "{shown}");
    let other = text(&format!(
        "curl -H 'Authorization: Bearer {}' https://example.org",
        secret.replace("mnop", "ponm")
    ));
    assert_eq!(prompt(&other, 1_000, 4_000).text.lines().nth(1), shown.lines().nth(1), "looks the same");
    assert!(one.binding.differs(&other.binding).is_some(), "and is not the same");
}

#[test]
fn sp_193_the_prompt_shows_the_plan_that_is_bound() {
    // A request has no public constructor but the one that takes the plan, and the renderer takes the record alone.
    let plan = sample::plan(&["git", "push", "--force"]);
    let record = record(&plan, &sample::circumstances());
    assert_eq!(record.request.command(), plan.text);
    let shown = prompt(&record, 1_000, 4_000).text;
    assert!(shown.contains("git push --force") && shown.contains("git = /usr/bin/git"));
    let again = crate::binding::Binding::of(&plan, &sample::circumstances(), &sample::host()).unwrap();
    assert_eq!(record.binding.differs(&again), None);
}

#[test]
fn times_in_words() {
    for (ms, want) in [(1, "1 s"), (59_000, "59 s"), (61_000, "1 min 1 s"), (7_500_000, "2 h 5 min")] {
        assert_eq!(span(ms), want);
    }
    let record = text("x");
    assert_eq!(expiry(&record, 300_999), "in 1 s");
    assert_eq!(expiry(&record, 301_000), "expired");
}
