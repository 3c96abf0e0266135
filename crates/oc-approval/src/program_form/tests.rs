use super::*;

fn argv(words: &str) -> Vec<String> {
    words.split(' ').map(str::to_owned).collect()
}

fn of(line: &str) -> Form {
    let argv = argv(line);
    form(&[argv[0].as_str()], &argv[1..])
}

#[test]
fn sp_141_code_and_files_of_shells_are_seen_in_any_spelling() {
    for line in [
        "sh -c ls",
        "bash -lc ls",
        "bash -xec ls",
        "bash --rcfile f -i",
        "bash --init-file=f",
        "zsh -fc x",
        "pwsh -enc AAAA",
        "pwsh -Command x",
        "cmd /c dir",
        "cmd /K dir",
        "python3 -c 1",
        "python3.11 -Sc 1",
        "python3 -m http.server",
        "node -e 1",
        "node --eval=1",
        "node --ev 1",
        "perl -ne print",
        "ruby -e 1",
        "php -r 1",
        "lua -e 1",
        "find . -exec id ;",
        "git -c core.pager=x log",
        "git log --ext-diff",
        "tar tf a --checkpoint-action=exec=x",
        "tar tIf x a",
        "make CC=x",
        "make --eval=x",
        "rsync -e x a b",
        "awk 1",
        "sed p",
        "npx x",
    ] {
        assert_eq!(of(line), Form::InlineCode, "{line}");
    }
    for line in ["bash x.sh", "python3 x.py -c", "bash -o posix x.sh", "node x.js --eval"] {
        assert_eq!(of(line), Form::Interpreter, "{line}");
    }
    for line in ["git status", "ls -c", "tar tf a", "make all", "cargo build", "find . -name x"] {
        assert_eq!(of(line), Form::Plain, "{line}");
    }
    assert!(interpreter_trust(&argv("x.sh -i")).is_ok());
    for bad in ["-i x.sh", "-o posix x.sh", "+x y", "-s", "--posix x"] {
        assert!(interpreter_trust(&argv(bad)).is_err(), "{bad}");
    }
    assert!(interpreter_trust(&[]).is_err());
}

#[test]
fn sp_142_what_follows_a_payload_does_not_hide_it() {
    assert_eq!(of("sh -c ls a b"), Form::InlineCode);
    assert_eq!(of("bash -c ls -- --version"), Form::InlineCode);
}

#[test]
fn sp_138_wrappers_are_looked_through_or_opaque() {
    for (line, at) in [
        ("env ls", 1),
        ("nice ls", 1),
        ("nice -n 5 ls", 3),
        ("nice -n -5 ls", 3),
        ("nice -5 ls", 2),
        ("timeout 5 ls", 2),
        ("timeout 0.5s ls", 2),
        ("nohup ls", 1),
        ("stdbuf -o0 ls", 2),
        ("stdbuf -o0 -e0 ls", 3),
    ] {
        let argv = argv(line);
        assert_eq!(unwrap(&argv[0], &argv), Unwrapped::At(at), "{line}");
    }
    for line in [
        "env -i ls",
        "env -S ls",
        "env A=b ls",
        "env - ls",
        "nice --adjustment=5 ls",
        "nice -n x ls",
        "timeout -k 5 5 ls",
        "timeout --signal=KILL 5 ls",
        "timeout ls",
        "stdbuf -oL ls",
        "stdbuf --output=0 ls",
        "nohup",
        "nohup -- ls",
        "time ls",
        "setsid ls",
        "script -c id",
        "flock f ls",
        "xargs ls",
        "sudo ls",
        "doas ls",
        "su -c ls",
        "chroot / ls",
        "busybox ls",
        "toybox ls",
        "watch ls",
        "strace ls",
        "ssh h ls",
        "systemd-run ls",
        "unshare ls",
        "parallel ls",
    ] {
        let argv = argv(line);
        assert_eq!(unwrap(&argv[0], &argv), Unwrapped::Opaque, "{line}");
        assert!(is_wrapper(&argv[0]), "{line}");
    }
    assert_eq!(unwrap("env", &argv("env")), Unwrapped::Nothing);
}
