use super::path::{in_archive, relative};
use super::*;
use proptest::prelude::*;

#[test]
fn only_exact_versions_folders_and_archives() {
    let pinned = |n: &str, v: &str| Origin::Registry(Pinned { name: n.to_owned(), version: v.to_owned() });
    assert_eq!(origin("voice-notes@1.2.3"), Ok(pinned("voice-notes", "1.2.3")));
    assert_eq!(origin("@me/voice@1.2.3-rc.1+b5"), Ok(pinned("@me/voice", "1.2.3-rc.1+b5")));
    assert_eq!(origin("./x"), Ok(Origin::Folder("./x".to_owned())));
    assert_eq!(origin("/a/b"), Ok(Origin::Folder("/a/b".to_owned())));
    assert_eq!(origin("x-1.0.0.tgz"), Ok(Origin::Archive("x-1.0.0.tgz".to_owned())));
    for text in [
        "voice",
        "voice@latest",
        "voice@^1.2.3",
        "voice@1.2",
        "voice@1.x.3",
        "voice@*",
        "voice@",
        "@me/voice",
        "voice@01.2.3",
        "voice@1.2.3-",
    ] {
        assert!(matches!(origin(text), Err(NotInstallable::NotPinned(..))), "{text}");
    }
    for text in [
        "https://x.test/a.tgz",
        "git+ssh://x/y",
        "me/voice",
        "npm:voice@1.2.3",
        "file:x@1.0.0",
        "voice@npm:other@1.0.0",
        "voice@file:x",
    ] {
        assert!(matches!(origin(text), Err(NotInstallable::Kind(_))), "{text}");
    }
    for text in
        ["", "-g@1.0.0", "--registry=x", ".hidden@1.0.0", "Voice@1.0.0", "a b@1.0.0", "@/x@1.0.0", "@@1.0.0"]
    {
        assert!(matches!(origin(text), Err(NotInstallable::Name(_))), "{text}");
    }
}

#[test]
fn integrity_is_sha512_and_has_one_spelling() {
    let text = format!("sha512-{}==", "A".repeat(86));
    assert_eq!(Integrity::parse(&text).unwrap(), Integrity::new([0; 64]));
    assert_eq!(Integrity::new([0; 64]).to_string(), text);
    for bad in
        ["", "sha1-AAAA", "sha512-AAAA", &text.replace("==", ""), &format!("sha512-{}B==", "A".repeat(85))]
    {
        assert!(Integrity::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn paths_in_archives() {
    assert_eq!(in_archive("package/dist/x.js"), Ok(Some("dist/x.js".to_owned())));
    assert_eq!(in_archive("package/"), Ok(None));
    for bad in [
        "/etc/passwd",
        "package/../x",
        "../x",
        "package//x",
        "package/./x",
        "package/a\\b",
        "package/a\nb",
        "package/\u{202e}x",
        "",
    ] {
        assert!(in_archive(bad).is_err(), "{bad:?}");
    }
}

proptest! {
    #[test]
    fn sp_243_a_path_that_is_taken_stays_below_its_folder(text in "(\\.|/|\\\\|a|b|\\PC){0,40}") {
        if let Ok(path) = relative(&text) {
            prop_assert!(!path.starts_with('/') && path.split('/').all(|p| !p.is_empty() && p != "." && p != ".."));
        }
    }
}
