use super::*;
use crate::plan::Plan;
use crate::sample;

fn offered(plan: &Plan) -> Result<Vec<Remembered>, NotOffered> {
    offer(plan, &sample::circumstances(), &sample::host())
}

#[test]
fn sp_180_what_is_stored_is_one_program_with_these_arguments_in_this_directory() {
    let got = offered(&sample::plan(&["git", "status"])).unwrap();
    assert_eq!(got.len(), 1);
    assert_eq!((got[0].pattern.as_str(), got[0].directory.as_str()), ("/usr/bin/git", "/w"));
    assert!(got[0].arguments.starts_with("sha256:argv:") && got[0].arguments.len() == 12 + 64);
    // Other arguments are another entry, also where joining them could look the same.
    let other =
        argv_pattern(&["git".to_owned(), "-c".to_owned(), "core.pager=x".to_owned(), "status".to_owned()]);
    assert_ne!(got[0].arguments, other);
    assert_ne!(argv_pattern(&["a b".to_owned()]), argv_pattern(&["a".to_owned(), "b".to_owned()]));
}

#[test]
fn sp_180_never_for_what_runs_other_programs() {
    for argv in [
        &["bash", "a.sh"][..],
        &["sh", "-c", "id"],
        &["python3", "a.py"],
        &["python3.11", "-c", "1"],
        &["env", "ls"],
        &["sudo", "ls"],
        &["xargs", "ls"],
        &["find", ".", "-exec", "id", ";"],
        &["busybox", "ls"],
        &["nice", "ls"],
        &["timeout", "5", "ls"],
        &["npm", "test"],
        &["make"],
        &["npx", "x"],
        &["awk", "1"],
        &["jq", "."],
        &["ssh", "h", "id"],
        &["docker", "run", "x"],
        &["/usr/bin/node", "a.js"],
    ] {
        let said = offered(&sample::plan(argv)).unwrap_err();
        assert!(matches!(said, NotOffered::Opener(_)), "{argv:?}: {said}");
    }
    let mut disguised = sample::plan(&["mytool", "x"]);
    disguised.segments[0].executable.as_mut().unwrap().canonical = "/usr/bin/perl".to_owned();
    assert!(matches!(offered(&disguised), Err(NotOffered::Opener(_))));
}

#[test]
fn sp_180_the_reason_is_said() {
    let plan = sample::plan(&["git", "status"]);
    let change = |f: &dyn Fn(&mut Plan)| {
        let mut plan = plan.clone();
        f(&mut plan);
        offered(&plan).unwrap_err()
    };
    assert_eq!(change(&|p| p.segments.clear()), NotOffered::Opaque);
    assert_eq!(change(&|p| p.expansion = Expansion::Expanded), NotOffered::Expansion);
    assert_eq!(change(&|p| p.segments[0].executable = None), NotOffered::Unresolved("git".to_owned()));
    assert_eq!(
        change(&|p| p.segments[0].assignments.push(("TZ".to_owned(), "UTC".to_owned()))),
        NotOffered::Assignments
    );
    assert_eq!(
        change(&|p| p.segments[0].executable.as_mut().unwrap().guard = Guard::Open),
        NotOffered::WritableByOthers("/usr/bin/git".to_owned())
    );
    assert_eq!(change(&|p| p.overrides.push(("A".to_owned(), "1".to_owned()))), NotOffered::Assignments);
    assert_eq!(change(&|p| p.segments[0].form = Form::Wrapper), NotOffered::Opener("git".to_owned()));
    let at = |f: &dyn Fn(&mut Circumstances)| {
        let mut at = sample::circumstances();
        f(&mut at);
        offer(&plan, &at, &sample::host()).unwrap_err()
    };
    assert_eq!(at(&|a| a.ask = Ask::Always), NotOffered::AskAlways);
    assert_eq!(at(&|a| a.security = Security::Full), NotOffered::NoAllowlist);
    assert_eq!(at(&|a| a.host = Host::Node), NotOffered::Elsewhere);
}

#[test]
fn sp_181_only_what_ran_is_stored() {
    // Behind `&&` and `||` it is not known what will run, so the option is not offered at all.
    let mut plan = sample::plan(&["git", "status"]);
    plan.segments.push(sample::segment(&["rm", "x"]));
    plan.segments[1].connector = Connector::And;
    assert_eq!(offered(&plan), Err(NotOffered::Conditional));
    plan.segments[1].connector = Connector::Then;
    let offered = offered(&plan).unwrap();
    assert_eq!(ran(&offered, &[true, false]), offered[..1]);
    assert!(ran(&offered, &[]).is_empty());
    // What stands in a comment is no segment, so there is nothing to store for it.
    let mut plan = sample::plan(&["git", "status"]);
    plan.text.push_str(" # && rm x");
    let one = offer(&plan, &sample::circumstances(), &sample::host()).unwrap();
    assert_eq!(one.len(), 1);
}
