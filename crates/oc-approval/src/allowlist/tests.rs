use super::*;
use crate::plan::{Guard, Identity};

fn program(found: &str, canonical: &str) -> Executable {
    Executable {
        path: found.to_owned(),
        canonical: canonical.to_owned(),
        identity: Identity { device: 1, inode: 1, size: 1, modified_ns: 0, sha256: None },
        guard: Guard::Kept,
    }
}

fn rule(pattern: &str) -> Rule {
    Rule { pattern: pattern.to_owned(), arguments: None, directory: None }
}

fn argv(words: &str) -> Vec<String> {
    words.split(' ').map(str::to_owned).collect()
}

#[test]
fn sp_152_patterns_are_anchored_and_stars_stop_at_separators() {
    let matches = |p: &str, path: &str| PathPattern::compile(p, Some("/h")).is_some_and(|p| p.matches(path));
    for (pattern, path) in [
        ("/usr/bin/git", "/usr/bin/git"),
        ("/opt/tools/*", "/opt/tools/run"),
        ("/opt/**", "/opt/a/b/c"),
        ("/opt/**/run", "/opt/a/b/run"),
        ("~/bin/?g", "/h/bin/rg"),
        ("~", "/h"),
        ("/a/*b*c", "/a/xxbyyc"),
    ] {
        assert!(matches(pattern, path), "{pattern} {path}");
    }
    for (pattern, path) in [
        ("/opt/tools/*", "/opt/tools/deep/run"),
        ("/opt/tools/*", "/opt/tools"),
        ("/usr/bin.git", "/usr/binXgit"),
        ("/usr/bin[X]git", "/usr/binXgit"),
        ("/usr/bin/?", "/usr/bin//"),
        ("/usr/bin/git", "/usr/bin/gits"),
        ("/usr/bin/git", "/x/usr/bin/git"),
        ("/usr/bin/Git", "/usr/bin/git"),
        ("git", "/usr/bin/git"),
        ("/a{b,c}", "/ab"),
    ] {
        assert!(!matches(pattern, path), "{pattern} {path}");
    }
}

#[test]
fn sp_150_a_bare_name_is_no_pattern() {
    assert!(PathPattern::compile("ls", Some("/h")).is_none());
    assert!(PathPattern::compile("*", None).is_none());
    assert!(PathPattern::compile("~/bin/x", None).is_none(), "no home, no guess");
}

#[test]
fn sp_154_a_wild_pattern_must_match_link_and_target() {
    let admits = |p: &str, found: &str, to: &str| {
        Allowlist::compile(&[rule(p)], None).find(&program(found, to), &argv("x"), "/").is_some()
    };
    assert!(admits("/bin/ls", "/bin/ls", "/usr/bin/ls"), "a literal may name the link");
    assert!(admits("/usr/bin/ls", "/bin/ls", "/usr/bin/ls"), "or the target");
    assert!(!admits("/opt/t/*", "/opt/t/cat", "/bin/sh"));
    assert!(admits("/opt/t/*", "/opt/t/cat", "/opt/t/cat2"));
}

#[test]
fn sp_153_an_argument_pattern_covers_the_whole_vector() {
    let list = |arguments: &str, directory: Option<&str>| {
        let bound = Rule {
            arguments: Some(arguments.to_owned()),
            directory: directory.map(str::to_owned),
            ..rule("/usr/bin/git")
        };
        Allowlist::compile(&[bound], None)
    };
    let git = program("/usr/bin/git", "/usr/bin/git");
    let admits = |l: &Allowlist, words: &str, dir: &str| l.find(&git, &argv(words), dir).is_some();
    let bound = list(&bound_arguments(&argv("git status")), Some("/w"));
    assert!(admits(&bound, "git status", "/w"));
    for (words, dir) in
        [("git status", "/x"), ("git status -s", "/w"), ("git", "/w"), ("/usr/bin/git status", "/w")]
    {
        assert!(!admits(&bound, words, dir), "{words} {dir}");
    }
    let regex = list("log( --oneline)?|status", None);
    assert!(admits(&regex, "git log --oneline", "/") && admits(&regex, "git status", "/"));
    assert!(!admits(&regex, "git log --oneline -p", "/") && !admits(&regex, "git -c x log", "/"));
    for broken in ["(", "sha256:other:00", "sha256:argv:zz", "a(?=b)", "x)|(status"] {
        assert!(!admits(&list(broken, None), "git status", "/"), "{broken}");
    }
}
