use super::*;

fn ids() -> impl FnMut() -> Option<String> {
    let mut n = 0;
    move || {
        n += 1;
        Some(format!("id{n}"))
    }
}

fn json(text: &str) -> Document {
    Document::parse(text).unwrap()
}

#[test]
fn older_forms_become_the_present_one_and_unknown_members_stay() {
    let mut d = json(
        r#"{"version":1,"future":{"x":1},"agents":{
            "default":{"ask":"off","security":"full","allowlist":["/bin/X","/bin/y",{"pattern":"/bin/z","note":1}]},
            "main":{"security":"deny","allowlist":[{"pattern":"/bin/x","id":"kept"},"",7,{"id":"1"}]}}}"#,
    );
    d.normalise(&mut ids()).unwrap();
    let got: Value = serde_json::from_str(&d.text()).unwrap();
    assert_eq!(
        got,
        serde_json::json!({"version":1,"future":{"x":1},"agents":{"main":{"security":"deny","ask":"off","allowlist":[
            {"pattern":"/bin/x","id":"kept"},{"id":"id1","pattern":"/bin/y"},{"id":"id2","pattern":"/bin/z","note":1}]}}})
    );
    let before = d.clone();
    d.normalise(&mut || None).unwrap();
    assert_eq!(d, before, "again changes nothing");
    assert!(d.text().ends_with("}\n"));
}

#[test]
fn patterns_and_agents_are_checked() {
    let mut d = Document::default();
    assert_eq!(d.add("*", "git", "1"), Err(EditRefused::Basename("git".to_owned())));
    assert_eq!(d.add("*", "  ", "1"), Err(EditRefused::Empty));
    assert!(matches!(d.add("../x", "/bin/x", "1"), Err(EditRefused::Agent(_))));
    assert_eq!(d.add("main", "~/bin/*", "1"), Ok(Changed::Yes));
    assert_eq!(d.remove("other", "~/bin/*"), Ok(Changed::No));
    assert_eq!(d.remove("main", "~/bin/*"), Ok(Changed::Yes));
}

#[test]
fn sp_180_what_is_remembered_is_bound_and_a_plain_entry_is_another_one() {
    let entry = Remembered {
        pattern: "/usr/bin/git".to_owned(),
        arguments: "sha256:argv:ab".to_owned(),
        directory: "/w".to_owned(),
    };
    let mut d = Document::default();
    assert_eq!(d.remember("main", &entry, "1"), Ok(Changed::Yes));
    assert_eq!(d.remember("main", &entry, "2"), Ok(Changed::No));
    let file = ApprovalsFile::parse(&d.text()).unwrap();
    let rules = file.rules("main");
    assert_eq!(rules[0].arguments.as_deref(), Some("sha256:argv:ab"));
    assert_eq!(rules[0].directory.as_deref(), Some("/w"));
    assert!(file.rules("other").is_empty(), "one agent's entries never count for another");
    assert_eq!(d.add("main", "/usr/bin/git", "3"), Ok(Changed::Yes));
}

#[test]
fn a_bound_that_is_no_text_is_no_freedom() {
    for member in ["\"argPattern\":7", "\"cwd\":[]", "\"argPattern\":{}"] {
        let text = format!(
            "{{\"version\":1,\"agents\":{{\"*\":{{\"allowlist\":[{{\"pattern\":\"/bin/x\",{member}}}]}}}}}}"
        );
        assert!(ApprovalsFile::parse(&text).unwrap().rules("a").is_empty(), "{member}");
    }
}

#[test]
fn uses_are_noted_in_the_present_content() {
    let mut d = json(
        r#"{"version":1,"agents":{"*":{"allowlist":[{"pattern":"/bin/x"}]},"main":{"allowlist":[{"pattern":"/bin/y"}]}}}"#,
    );
    let run = |pattern| Use { agent: "main", pattern, command: "x -a", resolved_path: "/bin/x", at_ms: 5 };
    assert_eq!(d.used(&run("/bin/x")), Changed::Yes);
    assert_eq!(d.used(&run("/bin/y")), Changed::Yes);
    assert_eq!(d.used(&run("/bin/gone")), Changed::No);
    assert_eq!(d.shown()["agents"]["*"]["allowlist"][0]["lastUsedAt"], 5);
    assert_eq!(d.shown()["agents"]["main"]["allowlist"][0]["lastUsedCommand"], "x -a");
}
