use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::time::Duration;

use oc_runner::protocol::{FileOperation, Identity, Input, Process, Program, Step, When};

use super::*;
use crate::executor::{Order, Output};

fn executor() -> HostExecutor {
    HostExecutor::new(Launch::runner_file().unwrap_or_else(|e| panic!("{e}")))
}

fn call() -> AuthorizedCall {
    AuthorizedCall::for_tests(Place::Host)
}

fn request(program: Program, directory: &Path) -> RunRequest {
    RunRequest {
        program,
        directory: directory.display().to_string(),
        directory_identity: None,
        environment: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
        input: Input::Empty,
        terminal: None,
        timeout_ms: Some(20_000),
        output_limit: 1_000_000,
    }
}

fn shell(text: &str) -> RunRequest {
    request(Program::Shell { shell: "/bin/sh".to_owned(), text: text.to_owned() }, Path::new("/"))
}

fn identity(path: &Path) -> Identity {
    let meta = fs::metadata(path).unwrap();
    Identity {
        device: meta.dev(),
        inode: meta.ino(),
        size: meta.size(),
        modified_ns: i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec()),
        sha256: None,
    }
}

fn sha256(bytes: &[u8]) -> String {
    ring::digest::digest(&ring::digest::SHA256, bytes).as_ref().iter().map(|b| format!("{b:02x}")).collect()
}

fn program(path: &Path, identity: Option<Identity>) -> Program {
    let argv = vec!["probe".to_owned(), "a b".to_owned()];
    let executable = path.display().to_string();
    let process = Process { executable, identity, argv, environment: Vec::new(), redirections: Vec::new() };
    Program::Analysed { steps: vec![Step { when: When::Always, commands: vec![process] }] }
}

async fn text(executor: &HostExecutor, run: RunRequest) -> Result<String, ExecutorError> {
    let call = call();
    let mut running = executor.start(&call, run).await?;
    let mut out = Vec::new();
    while let Some(piece) = running.output.recv().await {
        out.extend_from_slice(piece.bytes());
    }
    running.exit.await.unwrap().map(|_| String::from_utf8(out).unwrap())
}

fn code(e: ExecutorError) -> String {
    match e {
        ExecutorError::Failed { code, .. } => code,
        other => other.to_string(),
    }
}

#[tokio::test]
async fn sp_145_the_decided_program_starts_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let host = executor();
    // A program of the system, started from the handle that was compared.
    let echo = Path::new("/usr/bin/printf");
    let mut good = program(echo, Some(identity(echo)));
    if let Program::Analysed { steps } = &mut good {
        steps[0].commands[0].argv =
            vec!["printf".to_owned(), "[%s]".to_owned(), "a  b".to_owned(), "$HOME".to_owned()];
    }
    assert_eq!(text(&host, request(good, folder.path())).await.unwrap(), "[a  b][$HOME]");
    // A script that its user can write: bound by content as well.
    let script = folder.path().join("tool");
    let body = "#!/bin/sh\necho \"$0|$1\"\n";
    fs::write(&script, body).unwrap();
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let bound = Identity { sha256: Some(sha256(body.as_bytes())), ..identity(&script) };
    let said = text(&host, request(program(&script, Some(bound.clone())), folder.path())).await.unwrap();
    assert!(said.ends_with("|a b\n"), "{said}");
    for (field, wrong) in [
        ("content", Identity { sha256: Some(sha256(b"x")), ..bound.clone() }),
        ("inode", Identity { inode: bound.inode + 1, ..bound.clone() }),
        ("size", Identity { size: 1, ..bound.clone() }),
        ("time", Identity { modified_ns: 0, ..bound.clone() }),
    ] {
        let refused = text(&host, request(program(&script, Some(wrong)), folder.path())).await.unwrap_err();
        assert_eq!(code(refused), "executable-changed", "{field}");
    }
    // Swapped after the decision.
    fs::rename(&script, folder.path().join("old")).unwrap();
    fs::write(&script, "#!/bin/sh\necho pwned\n").unwrap();
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let refused = text(&host, request(program(&script, Some(bound)), folder.path())).await.unwrap_err();
    assert_eq!(code(refused), "executable-changed");
}

#[tokio::test]
async fn sp_145_nothing_of_a_line_runs_when_one_program_changed() {
    let folder = tempfile::tempdir().unwrap();
    let host = executor();
    let touch = Path::new("/usr/bin/touch");
    let Program::Analysed { mut steps } = program(touch, Some(identity(touch))) else { panic!() };
    steps[0].commands[0].argv = vec!["touch".to_owned(), "made".to_owned()];
    let changed = Identity { inode: 1, ..identity(touch) };
    let Program::Analysed { steps: mut second } = program(touch, Some(changed)) else { panic!() };
    steps.append(&mut second);
    let refused = text(&host, request(Program::Analysed { steps }, folder.path())).await.unwrap_err();
    assert_eq!(code(refused), "executable-changed");
    assert!(!folder.path().join("made").exists());
}

#[tokio::test]
async fn sp_171_the_working_directory_is_the_one_that_was_seen() {
    let folder = tempfile::tempdir().unwrap();
    let host = executor();
    let base = fs::canonicalize(folder.path()).unwrap();
    let work = base.join("parent/work");
    fs::create_dir_all(&work).unwrap();
    let seen = fs::metadata(&work).unwrap();
    let mut run = shell("/bin/pwd -P");
    run.directory = work.display().to_string();
    run.directory_identity = Some((seen.dev(), seen.ino()));
    assert_eq!(text(&host, run.clone()).await.unwrap().trim(), work.display().to_string());
    // A parent becomes a link to a place with a directory of the same name.
    fs::rename(base.join("parent"), base.join("moved")).unwrap();
    fs::create_dir_all(base.join("other/work")).unwrap();
    symlink("other", base.join("parent")).unwrap();
    assert_eq!(code(text(&host, run.clone()).await.unwrap_err()), "changed");
    // Even when the link leads to the very same directory.
    fs::remove_file(base.join("parent")).unwrap();
    symlink("moved", base.join("parent")).unwrap();
    assert_eq!(code(text(&host, run.clone()).await.unwrap_err()), "changed");
    // Another directory in its place.
    fs::remove_file(base.join("parent")).unwrap();
    fs::create_dir_all(&work).unwrap();
    assert_eq!(code(text(&host, run).await.unwrap_err()), "changed");
}

#[tokio::test]
async fn sp_244_nothing_of_this_process_reaches_a_command() {
    let host = executor();
    let said = text(&host, shell("/usr/bin/env")).await.unwrap();
    let names: Vec<&str> = said.lines().filter_map(|l| l.split('=').next()).collect();
    assert!(names.iter().all(|n| ["PATH", "PWD", "_", "OLDPWD", "SHLVL"].contains(n)), "{said}");
    // Neither do its open files, except those that its own starter made everybody inherit.
    let said = text(&host, shell("ls -l /proc/self/fd")).await.unwrap();
    let inherited = |n: &str| {
        let info = fs::read_to_string(format!("/proc/self/fdinfo/{n}")).unwrap_or_default();
        let flags = info.lines().find_map(|l| l.strip_prefix("flags:")).unwrap_or("02000000");
        u32::from_str_radix(flags.trim(), 8).unwrap() & 0o2_000_000 == 0
    };
    // The listing's own handle leads to the list.
    let open = said.lines().filter_map(|l| l.split_once(" -> ")).filter(|(_, to)| !to.ends_with("/fd"));
    let numbers: Vec<&str> = open.filter_map(|(left, _)| left.split(' ').next_back()).collect();
    assert!(["0", "1", "2"].iter().all(|n| numbers.contains(n)), "{said}");
    let strange: Vec<&str> =
        numbers.into_iter().filter(|n| !["0", "1", "2"].contains(n) && !inherited(n)).collect();
    assert!(strange.is_empty(), "{strange:?}: {said}");
}

#[tokio::test]
async fn sp_239_a_call_for_another_place_does_not_run_here() {
    let host = executor();
    let other = AuthorizedCall::for_tests(Place::Container);
    let refused = host.start(&other, shell("true")).await.unwrap_err();
    assert!(matches!(refused, ExecutorError::Unavailable { place: Place::Host, .. }));
}

#[tokio::test]
async fn a_lost_runner_is_replaced_for_the_next_call() {
    let host = executor();
    assert_eq!(text(&host, shell("echo one")).await.unwrap(), "one\n");
    let parent = text(&host, shell("cut -d' ' -f4 /proc/$PPID/stat")).await.unwrap();
    let lost = text(&host, shell(&format!("kill -KILL {}; sleep 5", parent.trim()))).await.unwrap_err();
    assert!(matches!(lost, ExecutorError::Lost { place: Place::Host, .. }), "{lost:?}");
    assert_eq!(text(&host, shell("echo two")).await.unwrap(), "two\n");
}

fn file(root: &Path, operation: FileOperation) -> FileRequest {
    FileRequest { root: Some(root.display().to_string()), operation }
}

#[tokio::test]
async fn files_are_read_written_moved_and_listed() {
    let folder = tempfile::tempdir().unwrap();
    let (host, call, root) = (executor(), call(), folder.path());
    let path = |p: &str| p.to_owned();
    let big: Vec<u8> = (0..3_000_000_u32).map(|i| i.to_le_bytes()[0]).collect();
    let write =
        |p: &str, expected: Option<String>| file(root, FileOperation::Write { path: path(p), expected });
    let read = |p: &str| file(root, FileOperation::Read { path: path(p), offset: 0, limit: 10_000_000 });
    let made = host.file(&call, write("a/b/c", None), big.clone()).await.unwrap();
    assert_eq!((made.size, made.sha256.clone()), (3_000_000, sha256(&big)));
    let got = host.file(&call, read("a/b/c"), Vec::new()).await.unwrap();
    assert!(got.content == big && got.sha256 == made.sha256);
    let part = FileOperation::Read { path: path("a/b/c"), offset: 256, limit: 3 };
    assert_eq!(host.file(&call, file(root, part), Vec::new()).await.unwrap().content, [0, 1, 2]);
    // Only when it is what was read.
    let stale = write("a/b/c", Some(sha256(b"other")));
    assert_eq!(code(host.file(&call, stale, b"x".to_vec()).await.unwrap_err()), "changed");
    host.file(&call, write("a/b/c", Some(made.sha256)), b"new".to_vec()).await.unwrap();
    let taken = write("a/b/c", Some(String::new()));
    assert_eq!(code(host.file(&call, taken, b"x".to_vec()).await.unwrap_err()), "exists");
    assert_eq!(fs::read(root.join("a/b/c")).unwrap(), b"new");
    let rename =
        |from: &str, to: &str| file(root, FileOperation::Rename { path: path(from), target: path(to) });
    host.file(&call, rename("a/b/c", "d/e"), Vec::new()).await.unwrap();
    host.file(&call, write("f", None), b"f".to_vec()).await.unwrap();
    assert_eq!(code(host.file(&call, rename("f", "d/e"), Vec::new()).await.unwrap_err()), "exists");
    let list = file(root, FileOperation::List { path: path("."), limit: 10 });
    let names: Vec<String> = host
        .file(&call, list, Vec::new())
        .await
        .unwrap()
        .entries
        .into_iter()
        .map(|(n, k)| format!("{n}:{k}"))
        .collect();
    assert_eq!(names, ["a:directory", "d:directory", "f:file"]);
    host.file(&call, file(root, FileOperation::Remove { path: path("f") }), Vec::new()).await.unwrap();
    let look = file(root, FileOperation::Look { path: path("f") });
    assert_eq!(code(host.file(&call, look, Vec::new()).await.unwrap_err()), "not-found");
    let make = file(root, FileOperation::MakeDirectory { path: path("x/y") });
    host.file(&call, make, Vec::new()).await.unwrap();
    assert!(root.join("x/y").is_dir());
    // No temporary is left anywhere.
    assert_eq!(fs::read_dir(root.join("a/b")).unwrap().count(), 0);
}

#[tokio::test]
async fn sp_001_file_operations_stay_beneath_their_root() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    fs::create_dir_all(root.join("dir")).unwrap();
    fs::write(folder.path().join("secret"), "secret").unwrap();
    symlink("../secret", root.join("link")).unwrap();
    symlink("..", root.join("up")).unwrap();
    symlink("nowhere", root.join("dangling")).unwrap();
    fs::hard_link(folder.path().join("secret"), root.join("hard")).unwrap();
    fs::create_dir(root.join("a-directory")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        root.join("fifo"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    let (host, call) = (executor(), call());
    let outside = folder.path().join("secret").display().to_string();
    let cases = [
        ("link", "escapes"),
        ("up/secret", "escapes"),
        ("dangling", "escapes"),
        ("../secret", "escapes"),
        ("dir/../../secret", "escapes"),
        (outside.as_str(), "escapes"),
        ("hard", "hard-linked"),
        ("a-directory", "not-regular"),
        ("fifo", "not-regular"),
    ];
    for (path, wanted) in cases {
        let path = path.to_owned();
        let operations = [
            FileOperation::Read { path: path.clone(), offset: 0, limit: 100 },
            FileOperation::Write { path: path.clone(), expected: None },
            FileOperation::Remove { path: path.clone() },
            FileOperation::Rename { path: path.clone(), target: "target".to_owned() },
        ];
        for operation in operations {
            let words = format!("{operation:?}");
            let refused = host.file(&call, file(&root, operation), b"x".to_vec()).await.unwrap_err();
            assert_eq!(code(refused), wanted, "{words}");
        }
    }
    for target in ["../target", "up/target", "link"] {
        fs::write(root.join("plain"), "plain").unwrap();
        let operation = FileOperation::Rename { path: "plain".to_owned(), target: target.to_owned() };
        assert!(host.file(&call, file(&root, operation), Vec::new()).await.is_err(), "{target}");
    }
    assert_eq!(fs::read(folder.path().join("secret")).unwrap(), b"secret");
    // The whole host is another matter: its own links are followed, and what they lead to is what is opened.
    let operation =
        FileOperation::Read { path: root.join("link").display().to_string(), offset: 0, limit: 100 };
    let whole = FileRequest { root: Some("/".to_owned()), operation };
    assert_eq!(host.file(&call, whole, Vec::new()).await.unwrap().content, b"secret");
}

#[tokio::test]
async fn sp_250_a_tree_of_many_ends_with_its_call() {
    let host = executor();
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("alive");
    // Sixty processes at most, some orphaned; all of them say that they live, and end by themselves after a while.
    let tree = format!(
        "grow() {{ if [ $1 -gt 0 ]; then (grow $(($1 - 1)) &) ; grow $(($1 - 1)) & fi; trap '' TERM; \
         for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do echo > {}; sleep 0.2; done; }}; grow 4",
        mark.display()
    );
    let mut run = shell(&tree);
    run.timeout_ms = Some(1000);
    let call = call();
    let running = host.start(&call, run).await.unwrap();
    let exit = running.exit.await.unwrap().unwrap();
    assert!(exit.timed_out);
    let _ = fs::remove_file(&mark);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!mark.exists());
}

#[tokio::test]
async fn a_terminal_takes_keys() {
    let host = executor();
    let mut run = shell("read -r line; echo \"got $line\"");
    run.terminal = Some((80, 24));
    run.input = Input::Frames;
    let call = call();
    let mut running = host.start(&call, run).await.unwrap();
    running.orders.send(Order::Input(b"hello\r".to_vec())).await.unwrap();
    let mut said = String::new();
    while let Some(Output::Out(bytes) | Output::Err(bytes)) = running.output.recv().await {
        said.push_str(&String::from_utf8(bytes).unwrap());
    }
    assert!(said.contains("got hello"), "{said}");
}
