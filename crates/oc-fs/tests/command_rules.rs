//! Rules of the command analysis that need real files: wrappers, trusted directories, programs of skills.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    reason = "tests"
)]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use oc_approval::allowlist::{Allowlist, Rule};
use oc_approval::analysis::{Request, Rules, SkillProgram, analyse};
use oc_approval::approvals_file::{Ask, Security};
use oc_approval::binding::{Circumstances, Host};
use oc_approval::persist;
use oc_approval::plan::{Match, Plan, Standing};
use oc_approval::safe_bin::usage::Terminal;
use oc_fs::host_view::Disk;

fn plan(text: &str, rules: &Rules, path: &str) -> Plan {
    let request = Request {
        text,
        directory: "/",
        path: Some(path),
        home: Some("/root"),
        overrides: &[],
        terminal: Terminal::Absent,
    };
    analyse(&request, rules, &Disk)
}

fn allowing(patterns: &[&Path]) -> Rules {
    let rules: Vec<Rule> = patterns
        .iter()
        .map(|p| Rule { pattern: p.display().to_string(), arguments: None, directory: None })
        .collect();
    Rules { allowlist: Allowlist::compile(&rules, None), safe_bins: Vec::new(), ..Rules::default() }
}

const SYSTEM: &str = "/usr/bin:/bin";

/// A program that a test made, in a directory of its own.
fn program(directory: &Path, name: &str, mode: u32) -> PathBuf {
    fs::create_dir_all(directory).unwrap();
    let path = directory.join(name);
    fs::write(&path, "#!/bin/sh\necho it ran\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path
}

#[test]
fn sp_140_wrapper_and_inner_command_must_both_be_allowed() {
    let (nice, timeout, id) =
        (Path::new("/usr/bin/nice"), Path::new("/usr/bin/timeout"), Path::new("/usr/bin/id"));
    for text in ["nice id", "nice -n 5 id -u", "nice -5 id"] {
        for (patterns, standing) in [
            (&[nice][..], Standing::Miss),
            (&[id][..], Standing::Miss),
            (&[nice, timeout][..], Standing::Miss),
            (&[nice, id][..], Standing::Hit),
        ] {
            let found = plan(text, &allowing(patterns), SYSTEM);
            assert_eq!(found.standing(), standing, "{text} {patterns:?}: {:?}", found.miss);
        }
    }
    let both = plan("timeout 5 nice id", &allowing(&[nice, timeout, id]), SYSTEM);
    assert_eq!(both.standing(), Standing::Hit, "{:?}", both.miss);
    // What starts is the program that was judged, not the word.
    assert_eq!(both.segments[0].started_argv(), ["timeout", "5", "/usr/bin/nice", "/usr/bin/id"]);
    assert_eq!(plan("timeout 5 nice id", &allowing(&[timeout, id]), SYSTEM).standing(), Standing::Miss);
    // A form that is not looked through is never a hit.
    for text in ["nice --adjustment=5 id", "timeout -s KILL 5 id", "timeout -k 1 5 id"] {
        assert_eq!(plan(text, &allowing(&[nice, timeout, id]), SYSTEM).standing(), Standing::Miss, "{text}");
    }
}

#[test]
fn sp_139_beyond_the_depth_limit_a_command_is_opaque_to_everything_that_reads_the_plan() {
    let (nice, id) = (Path::new("/usr/bin/nice"), Path::new("/usr/bin/id"));
    let rules = allowing(&[nice, id]);
    let at = Circumstances {
        agent: "main".to_owned(),
        session: "agent:main:main".to_owned(),
        host: Host::Gateway,
        node: None,
        security: Security::Allowlist,
        ask: Ask::OnMiss,
    };
    let nested = |depth: usize| format!("{}id", "nice ".repeat(depth));
    let deepest =
        (1..20).take_while(|n| plan(&nested(*n), &rules, SYSTEM).standing() == Standing::Hit).count();
    assert!((1..=8).contains(&deepest), "{deepest}");
    for depth in deepest + 1..deepest + 4 {
        let found = plan(&nested(depth), &rules, SYSTEM);
        assert_eq!(found.standing(), Standing::Miss, "{depth}");
        assert!(found.segments.iter().all(|s| s.matched.is_none()), "{depth}");
        assert!(persist::offer(&found, &at, &Disk).is_err(), "nothing of it is remembered");
        // The person sees every word of it.
        assert_eq!(found.segments[0].argv.len(), depth + 1);
    }
}

/// The analysis is the only caller of the reader, and there is no other reader of shell text in the tree.
#[test]
fn sp_164_only_kept_directories_are_trusted_and_path_makes_none() {
    let tmp = tempfile::tempdir().unwrap();
    let root = tmp.path().canonicalize().unwrap();
    let listed = |directory: &Path, trusted: &[&Path]| {
        let rules = Rules {
            safe_bins: vec!["pwd".to_owned()],
            trusted_directories: trusted.iter().map(|d| d.display().to_string()).collect(),
            ..Rules::default()
        };
        plan("pwd", &rules, &format!("{}:{SYSTEM}", directory.display()))
    };
    // The directories above are the test's own; where others may write to them nothing below is kept.
    let (kept, open, group) = (root.join("kept"), root.join("open"), root.join("group"));
    for directory in [&kept, &open, &group] {
        program(directory, "pwd", 0o755);
        fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).unwrap();
    }
    fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
    fs::set_permissions(&group, fs::Permissions::from_mode(0o775)).unwrap();
    for (directory, trusted) in [
        // On PATH, and named by nobody.
        (&kept, &[][..]),
        // Named, and others can write there.
        (&open, &[open.as_path()][..]),
        (&group, &[group.as_path()][..]),
        // Another directory is named: the one above, the one beside.
        (&kept, &[root.as_path(), group.as_path()][..]),
    ] {
        let found = listed(directory, trusted);
        assert_eq!(found.standing(), Standing::Miss, "{directory:?} {trusted:?}");
        assert_eq!(found.miss.as_ref().unwrap().word, "untrusted-dir", "{directory:?} {trusted:?}");
    }
    // A home is never trusted, whoever names it.
    let rules = Rules {
        safe_bins: vec!["pwd".to_owned()],
        trusted_directories: vec![kept.display().to_string()],
        ..Rules::default()
    };
    let below_home = |home: &Path| {
        let (path, home) = (format!("{}:{SYSTEM}", kept.display()), home.display().to_string());
        let request = Request {
            text: "pwd",
            directory: "/",
            path: Some(&path),
            home: Some(&home),
            overrides: &[],
            terminal: Terminal::Absent,
        };
        analyse(&request, &rules, &Disk).standing()
    };
    assert_eq!(below_home(&root), Standing::Miss);
    // The system's own directories are, and a bare name finds the program there.
    assert_eq!(plan("pwd", &Rules::default(), SYSTEM).standing(), Standing::Hit);
}

#[test]
fn sp_182_a_skills_program_is_a_path_not_a_name() {
    let tmp = tempfile::tempdir().unwrap();
    let root = tmp.path().canonicalize().unwrap();
    let real = program(&root.join("skill"), "made-up-tool", 0o755);
    let rules = Rules {
        safe_bins: Vec::new(),
        skills: vec![SkillProgram { name: "made-up-tool".to_owned(), path: real.display().to_string() }],
        ..Rules::default()
    };
    let on = |directory: &Path| plan("made-up-tool x", &rules, &format!("{}:{SYSTEM}", directory.display()));
    let found = on(&root.join("skill"));
    assert_eq!(found.segments[0].matched, Some(Match::Skill), "{:?}", found.miss);
    // The same name elsewhere, found first; and a link of that name to another program.
    program(&root.join("shadow"), "made-up-tool", 0o755);
    assert_eq!(on(&root.join("shadow")).standing(), Standing::Miss);
    fs::create_dir_all(root.join("link")).unwrap();
    symlink("/usr/bin/id", root.join("link/made-up-tool")).unwrap();
    assert_eq!(on(&root.join("link")).standing(), Standing::Miss);
}
