use super::*;
use crate::plan::Plan;
use crate::sample::{self, Table};

fn bind(plan: &Plan, at: &Circumstances, view: &Table) -> Binding {
    Binding::of(plan, at, view).unwrap()
}

#[test]
fn sp_170_every_field_counts() {
    let host = sample::host().file("/w/a.py", "1");
    let (plan, at) = (sample::plan(&["python3", "a.py"]), sample::circumstances());
    let approved = bind(&plan, &at, &host);
    assert_eq!(approved.differs(&bind(&plan, &at, &host)), None);
    let digest = approved.digest();
    let check = |now: Binding, want: Field| {
        assert_eq!(approved.differs(&now), Some(want), "{}", want.words());
        assert_ne!(digest, now.digest(), "{}", want.words());
    };
    let with = |change: &dyn Fn(&mut Plan)| {
        let mut plan = plan.clone();
        change(&mut plan);
        bind(&plan, &at, &host)
    };
    check(with(&|p| p.text.push(' ')), Field::Text);
    check(with(&|p| p.segments[0].argv.push("-v".to_owned())), Field::Argv);
    check(with(&|p| p.segments[0].executable = None), Field::Executable);
    check(
        with(&|p| {
            let executable = Some(sample::executable("/usr/bin/inner"));
            p.segments[0].inner.push(crate::plan::Inner { at: 1, executable, matched: None });
        }),
        Field::Executable,
    );
    for change in [
        |i: &mut crate::plan::Identity| i.device += 1,
        |i: &mut crate::plan::Identity| i.inode += 1,
        |i: &mut crate::plan::Identity| i.size += 1,
        |i: &mut crate::plan::Identity| i.modified_ns += 1,
        |i: &mut crate::plan::Identity| i.sha256 = Some("x".to_owned()),
    ] {
        check(with(&|p| change(&mut p.segments[0].executable.as_mut().unwrap().identity)), Field::Executable);
    }
    let around = |change: &dyn Fn(&mut Circumstances)| {
        let mut at = at.clone();
        change(&mut at);
        bind(&plan, &at, &host)
    };
    check(around(&|a| a.agent = "work".to_owned()), Field::Agent);
    check(around(&|a| a.session = "agent:main:other".to_owned()), Field::Session);
    check(around(&|a| a.host = Host::Sandbox), Field::Host);
    check(around(&|a| a.node = Some("mac".to_owned())), Field::Node);
    let one = with(&|p| p.overrides.push(("A".to_owned(), "1".to_owned())));
    check(one.clone(), Field::Environment);
    let two = with(&|p| p.overrides.push(("A".to_owned(), "2".to_owned())));
    assert_eq!(one.differs(&two), Some(Field::Environment));
    check(bind(&plan, &at, &sample::host().file("/w/a.py", "2")), Field::Operand);
}

#[test]
fn sp_171_a_directory_that_leads_elsewhere_is_another_one() {
    let (plan, at) = (sample::plan(&["x"]), sample::circumstances());
    let approved = bind(&plan, &at, &sample::host());
    let moved = sample::host().directory("/w", 8, 0o700);
    assert_eq!(approved.differs(&bind(&plan, &at, &moved)), Some(Field::Directory));
    assert_eq!(approved.directory_id(), Some((1, 7)));
    for gone in [Table::default(), Table::default().file("/w", ""), Table::default().link("/w", "/tmp")] {
        assert_eq!(Binding::of(&plan, &at, &gone), Err(Unapprovable::Directory("/w".to_owned())));
    }
}

/// What the runner table says about a command: the bound files, `inline`, `none`, or the refusal.
fn says(line: &str) -> String {
    let host = sample::host()
        .file("/w/a.py", "1")
        .file("/w/a.sh", "1")
        .file("/w/run", "1")
        .file("/w/package.json", "{}")
        .file("/w/Makefile", "all:")
        .link("/w/l.py", "a.py")
        .link("/w/loop", "loop")
        .directory("/w/d", 9, 0o700)
        .link("/w/node_modules/.bin/eslint", "../eslint/bin/eslint.js")
        .file("/w/node_modules/.bin/../eslint/bin/eslint.js", "x");
    let words: Vec<&str> = line.split(' ').collect();
    match operand(&sample::segment(&words), "/w", &host) {
        Ok(Operand::None) => "none".to_owned(),
        Ok(Operand::Inline) => "inline".to_owned(),
        Ok(Operand::File(file)) => file.path,
        Err(e) => format!("refused: {e}"),
    }
}

#[test]
fn sp_172_runner_table() {
    for line in ["ls -l a.py", "cargo test", "git status", "awk -F: {print} a.py", "env", "sudo ls"] {
        assert_eq!(says(line), "none", "{line}");
    }
    for line in [
        "python3 -c print(1)",
        "python3 -Ic print(1)",
        "bash -c id",
        "bash -xec id",
        "node -e 1",
        "node --eval=1",
        "node -p 1",
        "perl -e 1",
        "env python3 -c 1",
        "sudo -u me bash -c id",
    ] {
        assert_eq!(says(line), "inline", "{line}");
    }
    for (line, file) in [
        ("python3 a.py --flag x.py", "/w/a.py"),
        ("python3.11 -u -W ignore /w/a.py", "/w/a.py"),
        ("python3 -- a.py", "/w/a.py"),
        ("python3 l.py", "/w/a.py"),
        ("bash -e a.sh", "/w/a.sh"),
        ("bash -o pipefail a.sh", "/w/a.sh"),
        ("env A=1 nice -n 5 bash a.sh", "/w/a.sh"),
        ("timeout 5 python3 a.py", "/w/a.py"),
        ("deno run --allow-read a.py", "/w/a.py"),
        ("npm test", "/w/package.json"),
        ("npm run build", "/w/package.json"),
        ("make", "/w/Makefile"),
        ("npx eslint .", "/w/node_modules/.bin/../eslint/bin/eslint.js"),
    ] {
        assert_eq!(says(line), file, "{line}");
    }
    for (line, why) in [
        ("python3", "it reads what it runs from its input"),
        ("python3 -", "`-` is not a local file"),
        ("python3 -m http.server", "runs more than one script file"),
        ("python3 -i a.py", "runs more than one script file"),
        ("python3 gone.py", "there is no file /w/gone.py"),
        ("python3 d", "/w/d is not a regular file"),
        ("python3 loop", "too many links"),
        ("node --require ./x.js a.py", "runs more than one script file"),
        ("perl -Ilib a.py", "runs more than one script file"),
        ("deno run https://example.org/x.ts", "is not a local file"),
        ("bash -s", "runs more than one script file"),
        ("xargs python3", "it reads what it runs from its input"),
        ("npx cowsay hi", "is not installed"),
        ("npx -p x y", "it may fetch"),
        ("npm exec x", "may fetch"),
        ("make -C d", "names another place"),
        ("just", "there is no justfile or Justfile in /w"),
        ("awk -f a.py", "its program may come from a file"),
        ("xonsh a.py", "which file it runs is not known"),
    ] {
        let said = says(line);
        assert!(said.starts_with("refused: ") && said.contains(why), "{line}: {said}");
    }
}

#[test]
fn sp_172_a_program_that_is_a_link_to_an_interpreter_is_one() {
    let mut segment = sample::segment(&["mytool", "gone.py"]);
    segment.executable.as_mut().unwrap().canonical = "/usr/bin/python3.12".to_owned();
    assert!(operand(&segment, "/w", &sample::host()).is_err());
}

#[test]
fn texts_longer_than_a_person_can_be_shown_are_not_approvable() {
    let long = "x".repeat(oc_shell::MAX_BYTES + 1);
    let refused = Binding::of(&sample::plan(&[&long]), &sample::circumstances(), &sample::host());
    assert_eq!(refused, Err(Unapprovable::TooLong(long.len())));
}
