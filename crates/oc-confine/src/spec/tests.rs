use proptest::prelude::*;

use super::*;

pub(crate) fn sample() -> Spec {
    Spec {
        version: VERSION,
        user: 1000,
        group: 1000,
        mounts: vec![Bind {
            source: "/home/ann/work".to_owned(),
            target: "/workspace".to_owned(),
            access: Access::Write,
        }],
        scratch: vec![Scratch { target: "/tmp".to_owned(), size: 1 << 20 }],
        workdir: "/workspace".to_owned(),
        limits: Limits {
            processes: 64,
            memory: None,
            processors: None,
            file_size: 1 << 20,
            open_files: 64,
            named: Vec::new(),
        },
        command: vec!["__runner".to_owned(), "serve".to_owned()],
    }
}

fn refused(change: impl FnOnce(&mut Spec)) -> SpecError {
    let mut spec = sample();
    change(&mut spec);
    Spec::read(&mut spec.to_bytes().unwrap().as_slice()).unwrap_err()
}

#[test]
fn a_spec_reads_back_and_nothing_behind_it_is_taken() {
    let mut bytes = sample().to_bytes().unwrap();
    bytes.extend(b"the runner's");
    let mut from = bytes.as_slice();
    assert_eq!(Spec::read(&mut from).unwrap(), sample());
    assert_eq!(from, b"the runner's");
}

#[test]
fn places_that_no_mount_may_have_are_refused() {
    for target in [
        "",
        "/",
        "workspace",
        "/a/../b",
        "/a//b",
        "/a/",
        "/./a",
        "/usr/x",
        "/etc",
        "/proc/1",
        "/dev",
        "/.openclaw/x",
    ] {
        let wrong = refused(|s| s.mounts[0].target = target.to_owned());
        assert!(matches!(wrong, SpecError::Wrong(_)), "{target}: {wrong}");
    }
    for source in ["", "/", "relative", "/a/../../etc", "/a\0b"] {
        let wrong = refused(|s| s.mounts[0].source = source.to_owned());
        assert!(matches!(wrong, SpecError::Wrong(_)), "{source}: {wrong}");
    }
}

#[test]
fn nonsense_is_refused() {
    assert_eq!(refused(|s| s.version = 9), SpecError::Version(9));
    let changes: [fn(&mut Spec); 8] = [
        |s| s.workdir = "/elsewhere".to_owned(),
        |s| s.limits.processes = 0,
        |s| s.limits.processes = u32::MAX,
        |s| s.limits.processors = Some(0),
        |s| s.limits.named = vec![("nofiles".to_owned(), 1, 1)],
        |s| s.limits.named = vec![("cpu".to_owned(), 2, 1)],
        |s| s.command.clear(),
        |s| s.mounts.push(s.mounts[0].clone()),
    ];
    for change in changes {
        assert!(matches!(refused(change), SpecError::Wrong(_)));
    }
}

#[test]
fn nobody_is_root_inside() {
    let root = Spec { user: 0, group: 0, ..sample() };
    assert_eq!((root.inside_user(), root.inside_group()), (NOBODY, NOBODY));
}

proptest! {
    #[test]
    fn garbage_is_an_error_and_never_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Spec::read(&mut bytes.as_slice()).is_err());
    }
}
