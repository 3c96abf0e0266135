use super::*;
use crate::sample::Table;

fn host() -> Table {
    Table::default()
        .directory("/a", 1, 0o755)
        .directory("/a/b", 2, 0o755)
        .file("/a/b/f", "x")
        .link("/a/l", "b")
        .link("/a/up", "../a/b/../b/f")
        .link("/a/abs", "/a/b/")
        .link("/a/file-slash", "b/f/")
        .link("/a/loop", "loop")
        .link("/a/none", "nothing/../x")
}

fn kind(entry: &Entry) -> &'static str {
    match entry {
        Entry::Missing => "missing",
        Entry::File(_) => "file",
        Entry::Directory(_) => "directory",
        Entry::Link { .. } => "link",
        Entry::Other(_) => "other",
        Entry::Unknown => "unknown",
    }
}

#[test]
fn a_path_is_followed_as_the_kernel_does() {
    let view = host();
    let facts = Facts::new(&view);
    for (path, end, entry) in [
        ("/", "/", "directory"),
        ("/a", "/a", "directory"),
        ("//a/./b/", "/a/b", "directory"),
        ("/a/b/..", "/a", "directory"),
        ("/a/../../a/b/f", "/a/b/f", "file"),
        ("/a/l/f", "/a/b/f", "file"),
        ("/a/l/../b", "/a/b", "directory"),
        ("/a/l/../..", "/", "directory"),
        ("/a/up", "/a/b/f", "file"),
        ("/a/abs/f", "/a/b/f", "file"),
        ("/a/abs", "/a/b", "directory"),
        ("/a/b/f/", "/a/b/f", "missing"),
        ("/a/b/f/..", "/a/b", "missing"),
        ("/a/b/f/x/../y", "/a/b/f/y", "missing"),
        ("/a/file-slash", "/a/b/f", "missing"),
        ("/a/x/../b/f", "/a/b/f", "missing"),
        ("/a/none/z", "/a/x/z", "missing"),
        ("/a/loop", "/a/loop", "unknown"),
        ("/a/loop/x", "/a/loop", "unknown"),
    ] {
        // Asked twice: what is remembered is what was found.
        for found in [facts.end(path), facts.end(path), facts.end_in("/a", path)] {
            assert_eq!((found.path.as_str(), kind(&found.entry)), (end, entry), "{path}");
        }
    }
    for (directory, word, end) in [
        ("/a", "b/f", "/a/b/f"),
        ("/a/b", "../l", "/a/b"),
        ("/", "a", "/a"),
        ("/a", "", "/a"),
        ("/a", ".", "/a"),
    ] {
        assert_eq!(facts.end_in(directory, word).path, end, "{directory} {word}");
        assert_eq!(facts.end_in(directory, word), facts.end(&join(directory, word)), "{directory} {word}");
    }
    let (_, passed) = facts.way("/a/l/f");
    let links: Vec<bool> = passed.iter().map(|p| p.is_link).collect();
    assert_eq!(links, [false, true, false, false]);
}

#[test]
fn spelled_paths() {
    for (directory, word, normal) in [
        ("", "/", "/"),
        ("/", "a", "/a"),
        ("/", "..", "/"),
        ("/a/b", "../c", "/a/c"),
        ("/a", "/x//y/./", "/x/y"),
        ("/a", "../../..", "/"),
        ("/a", "", "/a"),
    ] {
        assert_eq!(normal_in(directory, word), normal, "{directory} {word}");
        assert!(is_normal(normal), "{normal}");
    }
}

#[test]
fn what_is_not_normal() {
    for path in ["/a/", "//a", "/a/./b", "/a/..", "/a//b", "/."] {
        assert!(!is_normal(path), "{path}");
    }
}

#[test]
fn questions_are_limited_and_asked_once() {
    let view = Table::default();
    let facts = Facts::new(&view);
    for _ in 0..2 * MAX_QUESTIONS {
        facts.end("/same");
    }
    assert!(!facts.is_exhausted());
    for n in 0..MAX_QUESTIONS {
        facts.end(&format!("/{n}"));
    }
    assert!(facts.is_exhausted());
    facts.allow(100);
    assert_eq!(facts.end("/new").entry, Entry::Unknown, "what is exhausted stays so");
    // Long paths count for more.
    let facts = Facts::new(&view);
    for n in 0..MAX_QUESTIONS / 5 {
        facts.end(&format!("/{n}{}", "x".repeat(640)));
    }
    assert!(facts.is_exhausted());
}
