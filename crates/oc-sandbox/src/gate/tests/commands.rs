//! Commands on the host: judged, asked about, taken up, run.

use std::collections::VecDeque;
use std::sync::Mutex;

use oc_approval::approver::Permit;
use oc_approval::life_cycle::{Decision, Denial, Ending, Record as Asked, State, Target};
use oc_fs::approval_queue::ApprovalQueue;
use oc_fs::approvals_store::ApprovalsStore;
use oc_policy::elevated::Level;
use oc_runner::protocol::{Program, RunRequest, When};

use super::*;

/// What a person does when a request is announced.
type Person = Box<dyn Fn(&ApprovalQueue, &Asked) -> Reached + Send + Sync>;

/// People who answer in turn, in the queue, while the gate waits.
struct People {
    queue: ApprovalQueue,
    turns: Mutex<VecDeque<Person>>,
    asked: Mutex<Vec<Asked>>,
    resolved: Mutex<Vec<Asked>>,
    running: Mutex<Vec<StillRunning>>,
    told: tokio::sync::mpsc::UnboundedSender<&'static str>,
}

impl std::fmt::Debug for People {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("People")
    }
}

impl Listener for People {
    fn requested(&self, record: &Asked) -> Reached {
        self.asked.lock().unwrap().push(record.clone());
        let _ = self.told.send("requested");
        let turn = self.turns.lock().unwrap().pop_front();
        turn.map_or(Reached::Somebody, |person| person(&self.queue, record))
    }

    fn resolved(&self, record: &Asked) {
        self.resolved.lock().unwrap().push(record.clone());
        let _ = self.told.send("resolved");
    }

    fn running(&self, running: &StillRunning) {
        self.running.lock().unwrap().push(running.clone());
        let _ = self.told.send("running");
    }
}

fn says(decision: Decision, target: Option<Target>) -> Person {
    Box::new(move |queue, record| {
        queue.answer(&record.code, decision, target, &Permit::terminal("me")).unwrap();
        Reached::Somebody
    })
}

fn once() -> Person {
    says(Decision::AllowOnce, None)
}

struct Desk {
    bench: Bench,
    people: Arc<People>,
    told: tokio::sync::Mutex<tokio::sync::mpsc::UnboundedReceiver<&'static str>>,
    /// A directory of the session's own, with a program in it that nobody listed.
    work: PathBuf,
}

fn desk(config: Json, turns: Vec<Person>) -> Desk {
    let mut bench = bench(config);
    let queue = ApprovalQueue::of(&bench.state).unwrap();
    let (tell, told) = tokio::sync::mpsc::unbounded_channel();
    let people = Arc::new(People {
        queue,
        turns: Mutex::new(turns.into()),
        asked: Mutex::default(),
        resolved: Mutex::default(),
        running: Mutex::default(),
        told: tell,
    });
    let home = bench.state.parent().unwrap().canonicalize().unwrap();
    let work = home.join("work");
    std::fs::create_dir_all(&work).unwrap();
    program(&work.join("tool"), "echo one");
    let environment = [
        ("PATH", "/usr/bin:/bin"),
        ("HOME", home.to_str().unwrap()),
        ("LD_PRELOAD", "/tmp/evil.so"),
        ("OPENCLAW_GATEWAY_TOKEN", "secret"),
        ("PAGER", "less"),
    ];
    let environment = environment.map(|(n, v)| (n.to_owned(), v.to_owned()));
    let listener = Arc::clone(&people) as Arc<dyn Listener>;
    let approvals = Approvals::of(&bench.state).unwrap().told_to(listener);
    bench.gate = bench.gate.asking(approvals).with_environment(environment);
    Desk { bench, people, told: told.into(), work }
}

fn program(path: &Path, body: &str) {
    std::fs::write(path, format!("#!/bin/sh\n{body}\n")).unwrap();
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}

impl Desk {
    fn command(&self, text: &str) -> Json {
        json!({"command": text, "workdir": self.work})
    }

    async fn run(&self, text: &str) -> Result<Answer, GateError> {
        self.bench.call("exec", self.command(text), MAIN).await
    }

    async fn no(&self, text: &str) -> Refused {
        self.bench.refused("exec", self.command(text), MAIN).await
    }

    fn ran(&self) -> Vec<(Place, RunRequest)> {
        self.bench.fake.seen.lock().unwrap().runs.clone()
    }

    async fn heard(&self) -> Option<&'static str> {
        self.told.lock().await.recv().await
    }

    fn asked(&self) -> usize {
        self.people.asked.lock().unwrap().len()
    }

    fn states(&self) -> Vec<State> {
        self.people.queue.records().unwrap().into_iter().map(|r| r.state).collect()
    }
}

fn on_host() -> Json {
    json!({"tools": {"exec": {"host": "gateway"}}})
}

fn names(run: &RunRequest) -> Vec<&str> {
    run.environment.iter().map(|(n, _)| n.as_str()).collect()
}

#[tokio::test]
async fn sp_145_what_the_rules_let_run_goes_to_no_shell() {
    let d = desk(on_host(), Vec::new());
    std::fs::write(d.work.join("a b.txt"), "x\n").unwrap();
    let answer = d.run("ls *.txt 2>/dev/null | wc -l && pwd || whoami; date -u").await.unwrap();
    assert_eq!((answer.place, d.asked()), (Place::Host, 0));
    let runs = d.ran();
    let Program::Analysed { steps } = &runs[0].1.program else { panic!("{:?}", runs[0]) };
    let shape: Vec<(When, Vec<Vec<String>>)> =
        steps.iter().map(|s| (s.when, s.commands.iter().map(|c| c.argv.clone()).collect())).collect();
    let words = |text: &[&str]| text.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        shape,
        [
            (When::Always, vec![words(&["ls", "a b.txt"]), words(&["wc", "-l"])]),
            (When::Succeeded, vec![words(&["pwd"])]),
            (When::Failed, vec![words(&["whoami"])]),
            (When::Always, vec![words(&["date", "-u"])]),
        ]
    );
    assert!(
        steps.iter().flat_map(|s| &s.commands).all(|c| c.identity.is_some() && c.executable.starts_with('/'))
    );
    // In the very directory that was looked at, with nothing that steers programs, and no secret.
    assert_eq!(runs[0].1.directory, d.work.display().to_string());
    assert!(runs[0].1.directory_identity.is_some());
    assert_eq!(names(&runs[0].1), ["HOME", "LESSSECURE", "PATH"]);
    let decision = &d.bench.records()[0].entry;
    assert_eq!((decision.rule.as_str(), decision.approval_id.as_ref()), ("exec: ok", None));
}

#[tokio::test]
async fn a_person_is_asked_answers_and_it_runs_once() {
    let d = desk(on_host(), vec![once()]);
    let answer = d.run("./tool a 'b c'").await.unwrap();
    assert_eq!(answer.result.outcome, Outcome::Done);
    let runs = d.ran();
    let Program::Analysed { steps } = &runs[0].1.program else { panic!("{:?}", runs[0]) };
    assert_eq!(steps[0].commands[0].argv, ["./tool", "a", "b c"]);
    // Others could replace it, so its content is bound as well.
    assert!(steps[0].commands[0].identity.as_ref().unwrap().sha256.is_some());
    assert!(!names(&runs[0].1).contains(&"LD_PRELOAD"));
    assert_eq!(d.states(), [State::Finished { ending: Ending::Exit(0) }]);
    let records: Vec<_> = d.bench.records().into_iter().map(|r| r.entry).collect();
    let verdicts: Vec<&str> = records.iter().map(|e| e.verdict.as_str()).collect();
    assert_eq!(verdicts, ["asked", "allowed", "done"]);
    let id = d.people.asked.lock().unwrap()[0].id.clone();
    assert!(records.iter().all(|e| e.approval_id.as_deref() == Some(id.as_str())), "{records:?}");
    assert_eq!(records[1].rule, "exec: allow-once by terminal:me");
    assert_eq!(answer.result.details["approvalId"], json!(id));
    // The listener heard of both ends, with the answer.
    let decided = d.people.resolved.lock().unwrap()[0].answer.as_ref().unwrap().decision;
    assert_eq!(decided, Decision::AllowOnce);
    // The same again asks again.
    d.people.turns.lock().unwrap().push_back(says(Decision::Deny, None));
    assert_eq!(d.no("./tool a 'b c'").await.explanation().decided_by.rule, "user-denied");
    assert_eq!(d.ran().len(), 1);
}

#[tokio::test]
async fn a_text_that_only_a_shell_understands_goes_to_one_after_a_person_saw_it() {
    let d = desk(on_host(), (0..3).map(|_| once()).collect());
    for text in ["for i in 1 2; do echo $i; done", "cd /tmp && ./tool", "./tool > out.txt"] {
        d.run(text).await.unwrap();
        let runs = d.ran();
        let Program::Shell { shell, text: sent } = &runs.last().unwrap().1.program else { panic!("{text}") };
        assert!(shell.starts_with("/bin/") && sent == text, "{shell} {sent}");
    }
    assert_eq!(d.asked(), 3);
}

#[tokio::test]
async fn sp_173_an_approval_is_for_the_program_that_was_shown() {
    let change = |what: fn(&Path)| -> Person {
        Box::new(move |queue, record| {
            what(Path::new(record.request.cwd()));
            queue.answer(&record.id, Decision::AllowOnce, None, &Permit::terminal("me")).unwrap();
            Reached::Somebody
        })
    };
    let d = desk(
        on_host(),
        vec![
            change(|dir| program(&dir.join("tool"), "echo two, and more")),
            change(|dir| {
                std::fs::rename(dir, dir.with_file_name("old")).unwrap();
                std::fs::create_dir(dir).unwrap();
                program(&dir.join("tool"), "echo one");
            }),
        ],
    );
    assert_eq!(d.no("./tool").await.explanation().decided_by.rule, "executable-changed");
    let second = d.no("./tool").await;
    assert_eq!(second.explanation().decided_by.rule, "approval-mismatch", "{second}");
    d.bench.nothing_ran();
    let reasons: Vec<_> = d.states();
    assert!(
        matches!(
            reasons.as_slice(),
            [
                State::Denied { reason: Denial::ExecutableChanged, .. },
                State::Denied { reason: Denial::ApprovalMismatch, .. }
            ]
        ),
        "{reasons:?}"
    );
}

#[tokio::test]
async fn sp_177_an_answer_that_comes_after_the_rules_changed_does_not_count() {
    for (config, rule) in [
        (json!({"tools": {"deny": ["exec"]}}), "deny list"),
        (json!({"tools": {"exec": {"host": "gateway", "security": "deny"}}}), "security-deny"),
        (json!({"tools": {"exec": {"security": "ask"}}}), "approval-mismatch"),
    ] {
        let d = desk(on_host(), vec![Box::new(|_, _| Reached::Somebody)]);
        let call = d.run("./tool");
        let change = async {
            assert_eq!(d.heard().await, Some("requested"));
            d.bench.gate.reload(snapshot(&config, &d.bench.state));
            let id = d.people.asked.lock().unwrap()[0].id.clone();
            d.people.queue.answer(&id, Decision::AllowOnce, None, &Permit::terminal("me")).unwrap();
        };
        let (done, ()) = tokio::join!(call, change);
        let Err(GateError::Refused(refused)) = done else { panic!("{done:?}") };
        assert_eq!(refused.explanation().decided_by.rule, rule, "{refused}");
        d.bench.nothing_ran();
        assert!(matches!(d.states()[0], State::Denied { .. }), "{:?}", d.states());
    }
}

#[tokio::test]
async fn sp_174_who_gives_up_denies_what_was_asked() {
    let d = desk(on_host(), vec![Box::new(|_, _| Reached::Somebody)]);
    {
        let call = d.run("./tool");
        tokio::pin!(call);
        tokio::select! {
            done = &mut call => panic!("{done:?}"),
            told = d.heard() => assert_eq!(told, Some("requested")),
        }
    }
    assert_eq!(d.heard().await, Some("resolved"));
    assert_eq!(d.states(), [State::Denied { reason: Denial::RunAborted, detail: String::new() }]);
    d.bench.nothing_ran();
}

#[tokio::test]
async fn sp_174_a_fallback_runs_what_it_may_and_nothing_that_must_be_asked() {
    let nobody = || -> Person { Box::new(|_, _| Reached::Nobody) };
    let exec = |more: Json| {
        let mut exec = json!({"host": "gateway", "ask": "always"});
        exec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"tools": {"exec": exec}})
    };
    for (fallback, text, more, runs) in [
        ("deny", "ls", json!({}), false),
        ("allowlist", "ls", json!({}), true),
        ("allowlist", "./tool", json!({}), false),
        ("full", "./tool", json!({"security": "full"}), true),
        // It never widens the enforcement, and never stands in for the answer that inline code needs.
        ("full", "./tool", json!({}), false),
        ("full", "sh -c 'id'", json!({"security": "full", "strictInlineEval": true}), false),
    ] {
        let d = desk(exec(more.clone()), vec![nobody()]);
        let file = json!({"version": 1, "defaults": {"askFallback": fallback}});
        let store = ApprovalsStore::of(&d.bench.state);
        store.set(oc_approval::approvals_file::edit::Document::of(file).unwrap(), None).unwrap();
        let done = d.run(text).await;
        assert_eq!(done.is_ok(), runs, "{fallback} {text} {more}: {done:?}");
        assert_eq!((d.asked(), d.ran().len()), (1, usize::from(runs)), "{fallback} {text}");
        if runs {
            assert_eq!(d.bench.records()[1].entry.rule, "exec: ask-fallback");
        }
    }
}

#[tokio::test]
async fn sp_180_always_means_the_same_words_in_the_same_directory() {
    let d = desk(
        on_host(),
        vec![says(Decision::AllowAlways, None), says(Decision::Deny, None), says(Decision::Deny, None)],
    );
    let tool = d.work.join("tool").display().to_string();
    // A program that its own user can change is bound by content with every question; to be remembered it must be another's.
    assert!(d.run("stat --version").await.is_ok());
    assert!(d.run("stat --version").await.is_ok(), "it is remembered");
    assert_eq!(d.asked(), 1);
    let again = d.ran();
    let Program::Analysed { .. } = &again[1].1.program else { panic!("{again:?}") };
    assert!(names(&again[1].1).contains(&"LESSSECURE"), "by itself");
    // Another word, another directory.
    assert_eq!(d.no("stat /").await.explanation().decided_by.rule, "user-denied");
    let other = json!({"command": "stat --version", "workdir": "/"});
    assert_eq!(d.bench.refused("exec", other, MAIN).await.explanation().decided_by.rule, "user-denied");
    let text = std::fs::read_to_string(d.bench.state.join("exec-approvals.json")).unwrap();
    assert!(text.contains("\"allow-always\"") && text.contains("sha256:argv:"), "{text}");
    assert!(text.contains("lastUsedAt"), "{text}");
    assert!(!text.contains(&tool));
}

#[tokio::test]
async fn sp_184_session_and_call_only_narrow() {
    let d = desk(on_host(), (0..2).map(|_| says(Decision::Deny, None)).collect());
    let mut c = call("exec", d.command("ls"), MAIN);
    c.caller.exec.overrides.ask = Some(oc_approval::approvals_file::Ask::Always);
    assert!(matches!(d.bench.gate.call(&c).await, Err(GateError::Refused(_))));
    let mut asks = d.command("ls");
    asks["ask"] = json!("always");
    d.bench.refused("exec", asks, MAIN).await;
    assert_eq!(d.asked(), 2);
    // A wish for more changes nothing or is refused.
    for (wish, stage) in [
        (json!({"security": "full", "ask": "off"}), Stage::Approval),
        (json!({"host": "node"}), Stage::Arguments),
        (json!({"host": "sandbox"}), Stage::Arguments),
        (json!({"node": "phone"}), Stage::Arguments),
        (json!({"elevated": true}), Stage::Arguments),
        (json!({"security": "deny"}), Stage::Approval),
    ] {
        d.people.turns.lock().unwrap().push_back(says(Decision::Deny, None));
        let mut arguments = d.command("./tool");
        arguments.as_object_mut().unwrap().extend(wish.as_object().unwrap().clone());
        let refused = d.bench.refused("exec", arguments, MAIN).await;
        assert_eq!(refused.stage(), stage, "{wish}: {refused}");
    }
    d.bench.nothing_ran();
}

#[tokio::test]
async fn sp_183_an_approvals_file_that_cannot_be_read_denies_host_commands() {
    let d = desk(on_host(), Vec::new());
    std::fs::create_dir_all(&d.bench.state).unwrap();
    let file = d.bench.state.join("exec-approvals.json");
    std::fs::write(&file, "{").unwrap();
    let refused = d.no("ls").await;
    assert_eq!(refused.explanation().decided_by.rule, "approvals-file-unreadable", "{refused}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{");
    d.bench.nothing_ran();
}

#[tokio::test]
async fn sp_151_no_request_and_no_workspace_changes_where_programs_are_found() {
    let d = desk(on_host(), vec![says(Decision::Deny, None)]);
    program(&d.work.join("ls"), "echo shadowed");
    d.run("ls").await.unwrap();
    let runs = d.ran();
    let Program::Analysed { steps } = &runs[0].1.program else { panic!() };
    assert!(["/usr/bin/ls", "/bin/ls"].contains(&steps[0].commands[0].executable.as_str()));
    let path = runs[0].1.environment.iter().find(|(n, _)| n == "PATH").unwrap().1.clone();
    assert_eq!(path, "/usr/bin:/bin");
    for name in ["PATH", "Path", "LD_PRELOAD", "BASH_ENV", "ENV", "IFS"] {
        let mut arguments = d.command("ls");
        arguments["env"] = json!({name: d.work});
        let refused = d.bench.refused("exec", arguments, MAIN).await;
        assert_eq!(refused.explanation().decided_by.rule, "env-forbidden", "{name}: {refused}");
    }
    // The operator's own key is searched and handed on as one value; what lies there is no safe program.
    let mut config = on_host();
    config["tools"]["exec"]["pathPrepend"] = json!([d.work]);
    d.bench.gate.reload(snapshot(&config, &d.bench.state));
    d.no("ls").await;
    let shown = d.people.asked.lock().unwrap()[0].request.clone();
    let shown = serde_json::to_value(&shown).unwrap();
    assert_eq!(shown["resolvedPath"], json!(d.work.join("ls")));
    assert_eq!(d.ran().len(), 1);
}

#[tokio::test]
async fn the_place_is_the_persons_choice_where_the_configuration_leaves_it() {
    let mut config = open_sandbox();
    config["tools"]["exec"] = json!({"security": "ask"});
    let d = desk(
        config,
        vec![says(Decision::AllowOnce, Some(Target::Sandbox)), says(Decision::AllowOnce, Some(Target::Host))],
    );
    for place in [Place::Container, Place::Host] {
        let answer = d.bench.call("exec", json!({"command": "ls"}), GROUP).await.unwrap();
        assert_eq!(answer.place, place);
    }
    assert_eq!(d.asked(), 2, "a listed program asks as well");
}

#[tokio::test]
async fn ask_always_asks_before_a_sandbox_too() {
    let mut config = open_sandbox();
    config["tools"]["exec"] = json!({"ask": "always", "security": "sandbox"});
    let d = desk(config, vec![once(), says(Decision::Deny, None)]);
    let answer = d.bench.call("exec", json!({"command": "ls", "workdir": "sub"}), GROUP).await.unwrap();
    assert_eq!((answer.place, d.ran()[0].1.directory.as_str()), (Place::Container, "/workspace/sub"));
    assert_eq!(d.bench.refused("exec", json!({"command": "ls"}), GROUP).await.stage(), Stage::Approval);
    assert_eq!(d.ran().len(), 1);
}

#[tokio::test]
async fn elevation_asks_on_the_host_or_runs_there_and_only_for_who_may() {
    let mut config = open_sandbox();
    config["tools"]["elevated"] = json!({"allowFrom": {"telegram": ["7"]}});
    let d = desk(config, (0..3).map(|_| once()).collect());
    let elevated = |directive: Option<Level>, level: Option<Level>, sender: &str| {
        let mut c = call("exec", json!({"command": "./none --x", "workdir": d.work}), GROUP);
        c.caller.channel = Some("telegram".to_owned());
        c.caller.sender.id = Some(sender.to_owned());
        c.caller.exec.directive = directive;
        c.caller.exec.level = level;
        c
    };
    program(&d.work.join("none"), "true");
    for (directive, level, sender, place, asked) in [
        (None, Some(Level::Ask), "7", Place::Host, 1),
        (Some(Level::Full), Some(Level::Ask), "7", Place::Host, 1),
        (Some(Level::Off), Some(Level::Full), "7", Place::Container, 1),
        (Some(Level::Full), None, "8", Place::Container, 1),
    ] {
        let mut c = elevated(directive, level, sender);
        if place == Place::Container {
            c.arguments.remove("workdir");
        }
        let answer = d.bench.gate.call(&c).await.unwrap();
        assert_eq!((answer.place, d.asked()), (place, asked), "{directive:?} {level:?} {sender}");
    }
    // The stricter file counts at any level.
    let file = json!({"version": 1, "defaults": {"security": "deny"}});
    let store = ApprovalsStore::of(&d.bench.state);
    store.set(oc_approval::approvals_file::edit::Document::of(file).unwrap(), None).unwrap();
    let GateError::Refused(refused) =
        d.bench.gate.call(&elevated(Some(Level::Full), None, "7")).await.unwrap_err()
    else {
        panic!()
    };
    assert_eq!(refused.explanation().decided_by.rule, "security-deny");
}

#[tokio::test]
async fn without_a_queue_what_needs_an_answer_is_refused_and_the_rest_runs() {
    let b = bench(on_host());
    assert_eq!(
        b.refused("exec", json!({"command": "made-up --x"}), MAIN).await.explanation().decided_by.rule,
        "approval-unavailable"
    );
    assert!(b.call("exec", json!({"command": "ls"}), MAIN).await.is_ok());
}

#[tokio::test]
async fn with_nothing_configured_a_session_without_sandbox_is_not_asked_and_the_result_says_where() {
    let d = desk(json!({}), Vec::new());
    let answer = d.run("for i in 1; do echo $i; done").await.unwrap();
    assert_eq!((answer.place, d.asked()), (Place::Host, 0));
    assert_eq!(answer.result.details["routeFallback"], "sandbox-inactive");
}

#[tokio::test]
async fn sp_191_the_request_carries_what_a_person_needs() {
    let d = desk(on_host(), vec![says(Decision::Deny, None)]);
    let mut arguments = d.command("./tool a");
    arguments["env"] = json!({"CI": "1"});
    d.bench.refused("exec", arguments, MAIN).await;
    let asked = d.people.asked.lock().unwrap()[0].clone();
    let prompt = oc_approval::prompt::prompt(&asked, asked.created_at_ms, 10_000).text;
    for part in [
        "./tool a".to_owned(),
        d.work.display().to_string(),
        "main".to_owned(),
        MAIN.to_owned(),
        "5 min 0 s".to_owned(),
        d.work.join("tool").display().to_string(),
        "gateway".to_owned(),
        "CI".to_owned(),
        asked.code.clone(),
    ] {
        // A long path is folded.
        assert!(prompt.replace("\n             ", "").contains(&part), "{part}:\n{prompt}");
    }
}

#[tokio::test]
async fn sp_146_a_call_has_one_spelling_of_its_command() {
    let d = desk(on_host(), Vec::new());
    for arguments in [
        json!({"command": "ls", "argv": ["rm", "-r", "/"]}),
        json!({"command": "ls", "rawCommand": "rm -r /"}),
        json!({"command": "ls", "raw_command": "ls"}),
        json!({"command": ["ls", "-l"]}),
        json!({"command": "  "}),
    ] {
        let refused = d.bench.refused("exec", arguments.clone(), MAIN).await;
        assert_eq!(refused.stage(), Stage::Arguments, "{arguments}: {refused}");
    }
    d.bench.nothing_ran();
}

#[tokio::test]
async fn sp_204_no_file_tool_writes_what_decides_about_commands() {
    let d = desk(json!({"tools": {"exec": {"applyPatch": {"enabled": true}}}}), Vec::new());
    std::fs::create_dir_all(&d.bench.state).unwrap();
    for name in
        ["openclaw.json", "exec-approvals.json", "exec-approval-queue.json", "ledger/ledger-000001.jsonl"]
    {
        let path = d.bench.state.join(name);
        let patch = format!("*** Begin Patch\n*** Add File: {}\n+{{}}\n*** End Patch", path.display());
        for (tool, arguments) in [
            ("write", json!({"path": path, "content": "{}"})),
            ("write", json!({"path": format!("~/.openclaw/{name}"), "content": "{}"})),
            ("edit", json!({"path": path, "oldText": "a", "newText": "b"})),
            ("apply_patch", json!({"input": patch})),
        ] {
            let mut c = call(tool, arguments, MAIN);
            c.caller.model = Some(("openai".to_owned(), "gpt-5".to_owned()));
            let answer = d.bench.gate.call(&c).await.unwrap();
            assert_eq!(answer.result.outcome, Outcome::Failed, "{tool} {name}: {answer:?}");
        }
    }
    let seen = d.bench.fake.seen.lock().unwrap();
    assert!(seen.files.is_empty(), "{:?}", seen.files);
}

#[tokio::test]
async fn a_request_from_elsewhere_goes_into_the_same_queue() {
    let d = desk(on_host(), vec![once()]);
    let asked = d.bench.gate.question(&call("exec", d.command("./tool"), MAIN)).await.unwrap();
    let approvals =
        Approvals::of(&d.bench.state).unwrap().told_to(Arc::clone(&d.people) as Arc<dyn Listener>);
    let asking = approvals.put(asked, Some("chosen-id".to_owned()), 60_000).await.unwrap();
    let (asking, outcome) = asking.answered().await.unwrap();
    assert!(matches!(outcome, oc_fs::approval_queue::Outcome::Allowed(_)), "{outcome:?}");
    let binding = asking.record().binding.clone();
    let taken = asking.take_up(binding).await.unwrap().unwrap();
    assert_eq!(taken.grant().id, "chosen-id");
    taken.finished(Ending::Exit(0));
    assert_eq!(d.states(), [State::Finished { ending: Ending::Exit(0) }]);
    let refused = d.bench.gate.question(&call("read", json!({"path": "a"}), MAIN)).await.unwrap_err();
    assert_eq!(refused.stage(), Stage::Arguments);
}

#[tokio::test]
async fn an_approved_command_that_takes_its_time_is_told_of_once() {
    let mut config = on_host();
    config["tools"]["exec"]["approvalRunningNoticeMs"] = json!(1);
    let mut d = desk(config.clone(), vec![once()]);
    d.bench.fake.stays = true;
    let fake = Arc::new(d.bench.fake.clone());
    let gate = std::mem::replace(&mut d.bench.gate, bench(json!({})).gate);
    d.bench.gate = Gate { executors: fake, ..gate };
    let arguments = json!({"command": "./tool", "workdir": d.work, "background": true});
    let answer = d.bench.call("exec", arguments, MAIN).await.unwrap();
    let mut heard = Vec::new();
    while heard.last() != Some(&"running") {
        heard.push(d.heard().await.unwrap());
    }
    let said = d.people.running.lock().unwrap().clone();
    assert_eq!((said.len(), said[0].command.as_str(), said[0].after_ms), (1, "./tool", 1));
    assert_eq!(json!(said[0].approval), answer.result.details["approvalId"]);
    d.bench.gate.close().await;
    // Not of what is over before, nor when it is switched off.
    for (ms, config) in [(60_000, config.clone()), (0, config)] {
        let mut config = config;
        config["tools"]["exec"]["approvalRunningNoticeMs"] = json!(ms);
        let d = desk(config, vec![once()]);
        d.run("./tool").await.unwrap();
        assert!(d.people.running.lock().unwrap().is_empty());
    }
}

#[tokio::test]
async fn the_login_shells_directories_are_searched_before_the_services() {
    let d = desk(on_host(), vec![says(Decision::Deny, None), once()]);
    let extra = d.work.join("bin");
    std::fs::create_dir_all(&extra).unwrap();
    program(&extra.join("mine"), "echo mine");
    assert_eq!(d.no("mine").await.stage(), Stage::Approval);
    d.bench.gate.search_first(&format!("{}:/usr/bin:relative:", extra.display()));
    d.run("mine").await.unwrap();
    let found: Vec<Json> = d
        .people
        .asked
        .lock()
        .unwrap()
        .iter()
        .map(|a| serde_json::to_value(&a.request).unwrap()["resolvedPath"].clone())
        .collect();
    assert_eq!(found, [Json::Null, json!(extra.join("mine"))]);
    let run = d.ran().last().unwrap().1.clone();
    let path = run.environment.iter().find(|(n, _)| n == "PATH").unwrap().1.clone();
    assert_eq!(path, format!("{}:/usr/bin:/bin", extra.display()));
}
