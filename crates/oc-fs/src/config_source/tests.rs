use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use oc_config::load::{LoadRequest, Reading, load};
use oc_config::{Environment, Loaded, Overrides};

use super::*;

struct Home {
    tmp: tempfile::TempDir,
    state: PathBuf,
}

/// A home with a state directory, a directory outside it, and everything an include may not be.
fn home() -> Home {
    let tmp = tempfile::tempdir().unwrap();
    let state = tmp.path().join(".openclaw");
    let outside = tmp.path().join("outside");
    fs::create_dir_all(state.join("sub/dir")).unwrap();
    fs::create_dir_all(&outside).unwrap();
    let part = "{ logging: { redactSensitive: \"off\" } }";
    for file in [state.join("plain.json5"), state.join("sub/dir/deep.json5"), outside.join("o.json5")] {
        fs::write(file, part).unwrap();
    }
    symlink(outside.join("o.json5"), state.join("link.json5")).unwrap();
    symlink(state.join("plain.json5"), state.join("inside-link.json5")).unwrap();
    symlink(&outside, state.join("linkdir")).unwrap();
    symlink(state.join("sub"), state.join("inside-linkdir")).unwrap();
    fs::hard_link(outside.join("o.json5"), state.join("hard.json5")).unwrap();
    let fifo = rustix::fs::FileType::Fifo;
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, state.join("fifo.json5"), fifo, mode, 0).unwrap();
    Home { tmp, state }
}

fn request(home: &Home, reading: Reading) -> LoadRequest {
    let pairs = [("HOME".to_owned(), home.tmp.path().to_str().unwrap().to_owned())];
    LoadRequest {
        environment: Environment::from_process(pairs),
        overrides: Overrides::default(),
        cwd: home.tmp.path().to_path_buf(),
        os_home: None,
        reading,
    }
}

fn with_config(home: &Home, text: &[u8], reading: Reading) -> Loaded {
    fs::write(home.state.join("openclaw.json"), text).unwrap();
    load(&request(home, reading), &DiskSource)
}

fn including(home: &Home, target: &str, reading: Reading) -> Loaded {
    with_config(home, format!("{{ $include: {target:?} }}").as_bytes(), reading)
}

fn one_line(loaded: &Loaded) -> String {
    assert_eq!(loaded.issues.len(), 1, "{:?}", loaded.issues);
    let text = loaded.issues[0].to_string();
    assert!(!text.contains('\n'), "{text}");
    text
}

#[test]
fn sp_051_includes_stay_plain_files_below_the_configuration() {
    let home = home();
    let inside = home.state.join("plain.json5");
    for good in ["./plain.json5", "sub/dir/deep.json5", "sub/../plain.json5", inside.to_str().unwrap()] {
        let loaded = including(&home, good, Reading::Product);
        assert_eq!(loaded.issues, vec![], "{good}");
        assert_eq!(loaded.tree.path(&["logging", "redactSensitive"]).unwrap().as_str(), Some("off"));
    }
    let outside = home.tmp.path().join("outside/o.json5");
    for (bad, why) in [
        ("../outside/o.json5", "outside"),
        (outside.to_str().unwrap(), "outside"),
        ("sub/../../outside/o.json5", "outside"),
        ("link.json5", "link"),
        ("inside-link.json5", "link"),
        ("linkdir/o.json5", "link"),
        ("inside-linkdir/dir/deep.json5", "link"),
        ("hard.json5", "hard link"),
        ("fifo.json5", "no regular file"),
        ("sub", "no regular file"),
        ("/dev/zero", "outside"),
        (".", "link"),
        ("absent.json5", "does not exist"),
    ] {
        let loaded = including(&home, bad, Reading::Product);
        let text = one_line(&loaded);
        assert!(text.contains(why) && text.contains("openclaw.json:1:3"), "{bad}: {text}");
        assert!(loaded.tree.get("logging").is_none(), "{bad}");
    }
}

#[test]
fn sp_051_a_linked_state_directory_is_the_operators_choice() {
    let home = home();
    let real = home.tmp.path().join("real");
    fs::rename(&home.state, &real).unwrap();
    symlink(&real, &home.state).unwrap();
    for good in ["./plain.json5".to_owned(), real.join("plain.json5").to_str().unwrap().to_owned()] {
        assert_eq!(including(&home, &good, Reading::Product).issues, vec![], "{good}");
    }
}

#[test]
fn the_era_reads_any_regular_file() {
    let home = home();
    let outside = home.tmp.path().join("outside/o.json5");
    for good in
        ["../outside/o.json5", outside.to_str().unwrap(), "link.json5", "linkdir/o.json5", "hard.json5"]
    {
        assert_eq!(including(&home, good, Reading::Era).issues, vec![], "{good}");
    }
    for bad in ["fifo.json5", "/dev/zero", "sub"] {
        let loaded = including(&home, bad, Reading::Era);
        assert!(one_line(&loaded).contains("no regular file"), "{bad}");
    }
}

#[test]
fn sp_016_what_is_no_text_file_is_refused_at_once() {
    let home = home();
    let config = home.state.join("openclaw.json");
    let began = Instant::now();
    for target in ["fifo.json5", "sub", "/dev/zero", "/dev/null", "/dev/tty"] {
        symlink(home.state.join(target), &config).unwrap();
        let loaded = load(&request(&home, Reading::Product), &DiskSource);
        assert!(one_line(&loaded).contains(config.to_str().unwrap()), "{target}");
        assert!(loaded.exists);
        fs::remove_file(&config).unwrap();
    }
    assert!(began.elapsed() < Duration::from_secs(2));
}

#[test]
fn sp_016_ten_megabytes_are_refused_with_path_and_fix() {
    let home = home();
    let loaded = with_config(&home, &vec![b'['; 10 << 20], Reading::Product);
    let text = one_line(&loaded);
    assert!(text.contains("larger than 5 MiB") && text.contains("split"), "{text}");
}

#[test]
fn a_link_to_nothing_is_not_an_absent_configuration() {
    let home = home();
    symlink("nowhere", home.state.join("openclaw.json")).unwrap();
    let loaded = load(&request(&home, Reading::Product), &DiskSource);
    assert!(one_line(&loaded).contains("link to a file that does not exist"));
}

#[test]
fn an_unreadable_file_is_an_error_that_names_it() {
    // A file below a file cannot be opened by anybody, the superuser included.
    assert_eq!(
        system("Permission denied (os error 13)"),
        "permission denied; run as its owner, or make it readable for you"
    );
    let home = home();
    let mut request = request(&home, Reading::Product);
    request.overrides.config = Some(home.state.join("x".repeat(300)));
    let loaded = load(&request, &DiskSource);
    assert!(one_line(&loaded).contains("file name too long"));
}

#[test]
fn sp_057_a_fifo_as_env_file_does_not_hold_the_run_up() {
    let home = home();
    fs::rename(home.state.join("fifo.json5"), home.tmp.path().join(".env")).unwrap();
    let loaded = load(&request(&home, Reading::Product), &DiskSource);
    assert_eq!(loaded.issues, vec![]);
    assert_eq!(loaded.warnings.len(), 1);
}
