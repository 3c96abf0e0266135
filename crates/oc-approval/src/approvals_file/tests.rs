use super::*;

#[test]
fn what_is_no_approvals_file_is_an_error_and_not_an_empty_one() {
    for (text, want) in [
        ("", ApprovalsFileError::Syntax(1)),
        ("{\"version\":1", ApprovalsFileError::Syntax(1)),
        ("[]", ApprovalsFileError::Shape("the file")),
        ("{}", ApprovalsFileError::Version),
        ("{\"version\":2}", ApprovalsFileError::Version),
        ("{\"version\":1,\"agents\":[]}", ApprovalsFileError::Shape("agents")),
        ("{\"version\":1,\"agents\":{\"a\":1}}", ApprovalsFileError::Shape("an entry of agents")),
        ("{\"version\":1,\"defaults\":true}", ApprovalsFileError::Shape("defaults")),
    ] {
        assert_eq!(ApprovalsFile::parse(text), Err(want), "{text}");
    }
    assert_eq!(ApprovalsFile::parse("{\"version\":1}"), Ok(ApprovalsFile::default()));
}

#[test]
fn levels_resolve_agent_then_everyone_then_defaults() {
    let file = ApprovalsFile::parse(
        r#"{"version":1,"defaults":{"security":"full","ask":"off","askFallback":"full"},
            "agents":{"*":{"ask":"always"},"main":{"security":"sometimes","autoAllowSkills":true}}}"#,
    )
    .unwrap();
    let main = file.posture("main");
    assert_eq!((main.security, main.ask), (Some(Security::Full), Some(Ask::Always)));
    assert_eq!((main.ask_fallback, main.auto_allow_skills), (Security::Full, true));
    assert!(!file.posture("other").auto_allow_skills);
    let empty = ApprovalsFile::default().posture("main");
    assert_eq!((empty.security, empty.ask, empty.ask_fallback), (None, None, Security::Deny));
}

#[test]
fn lists_join_everyones_and_the_agents_own_and_the_older_name_moves() {
    let file = ApprovalsFile::parse(
        r#"{"version":1,"agents":{"*":{"allowlist":["/bin/a"]},"b":{"allowlist":["/bin/b"]},
            "default":{"ask":"off","allowlist":["/bin/x","/BIN/Y"]},
            "main":{"allowlist":[{"pattern":"/bin/y","argPattern":"^z$"},{"id":"1"},"",7]}}}"#,
    )
    .unwrap();
    let list = |agent| file.allowlist(agent).map(|e| e.pattern.as_str()).collect::<Vec<_>>();
    assert_eq!(list("main"), ["/bin/a", "/bin/y", "/bin/x"]);
    assert_eq!(list("c"), ["/bin/a"]);
    assert_eq!(list("*"), ["/bin/a"]);
    assert_eq!(file.posture("main").ask, Some(Ask::Off));
    assert!(file.allowlist("main").any(|e| e.arguments.is_some()));
}

#[test]
fn sp_153_a_bound_that_cannot_be_read_is_no_freedom() {
    let file = ApprovalsFile::parse(
        r#"{"version":1,"agents":{"main":{"allowlist":[{"pattern":"/bin/a","argPattern":7},
            {"pattern":"/bin/b","cwd":["/w"]},{"pattern":"/bin/c","argPattern":null}]}}}"#,
    )
    .unwrap();
    assert_eq!(file.allowlist("main").map(|e| e.pattern.as_str()).collect::<Vec<_>>(), ["/bin/c"]);
}
