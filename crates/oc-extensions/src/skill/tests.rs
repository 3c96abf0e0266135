use super::*;

fn skill(head: &str) -> Result<Skill, NotASkill> {
    parse(&format!("---\n{head}\n---\nDo it.\n"))
}

#[test]
fn a_skill_says_what_it_needs() {
    let text = r#"name: github
description: Issues
  and more
metadata: {"openclaw": {"skillKey": "gh", "primaryEnv": "GH_TOKEN", "os": ["darwin", "linux"], "requires": {"bins": ["gh"], "anyBins": ["rg", "grep"], "env": ["GH_TOKEN"], "config": ["channels.slack"]}}}"#;
    let list = |all: &[&str]| all.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
    let want = Skill {
        name: SkillName::parse("github").unwrap(),
        description: "Issues and more".to_owned(),
        key: "gh".to_owned(),
        always: false,
        hidden_from_model: false,
        primary_env: Some("GH_TOKEN".to_owned()),
        requires: Requirements {
            bins: list(&["gh"]),
            any_bins: list(&["rg", "grep"]),
            env: list(&["GH_TOKEN"]),
            config: list(&["channels.slack"]),
            os: list(&["darwin", "linux"]),
        },
    };
    assert_eq!(skill(text), Ok(want));
}

#[test]
fn a_requirement_that_cannot_be_read_is_not_overlooked() {
    for (head, member) in [
        ("metadata: words", "metadata"),
        ("metadata: {openclaw: 5}", "metadata.openclaw"),
        ("metadata: {openclaw: {requires: ['gh']}}", "requires"),
        ("metadata: {openclaw: {requires: {binaries: ['gh']}}}", "requires"),
        ("metadata: {openclaw: {requires: {bins: [5]}}}", "bins"),
        ("metadata: {openclaw: {os: {linux: true}}}", "os"),
        ("metadata: {openclaw: {always: 'yes'}}", "always"),
    ] {
        let got = skill(&format!("name: x\ndescription: y\n{head}"));
        assert_eq!(got, Err(NotASkill::Metadata(member)), "{head}");
    }
    assert!(matches!(skill("name: x\ndescription: y\nmetadata: {openclaw: "), Err(NotASkill::Head(_))));
    assert_eq!(skill("name: x"), Err(NotASkill::Missing("description")));
    assert!(parse("# readme").unwrap_err().is_other_file());
    assert!(!skill("name: [x]\ndescription: y").unwrap_err().is_other_file());
}

#[test]
fn sp_018_a_skill_name_is_a_folder_name_and_nothing_else() {
    for good in ["github", "My Skill_2.0", "日本語"] {
        assert_eq!(SkillName::parse(good).unwrap().as_str(), good);
    }
    let long = "x".repeat(MAX_NAME + 1);
    for bad in ["", "..", ".x", "a/b", "a\\b", "a\u{0}b", "a\nb", "__proto__", "a<b", "\u{202e}x", &long] {
        assert!(SkillName::parse(bad).is_err(), "{bad:?}");
    }
    assert!(matches!(skill("name: ../../etc\ndescription: y"), Err(NotASkill::Name(_))));
}

#[test]
fn a_description_is_one_printable_line() {
    let s = skill("name: x\ndescription: |\n  one\n  two\u{1b}[31m\u{202e}").unwrap();
    assert_eq!(s.description, "one two\\u{1b}[31m\\u{202e}");
    let s = skill(&format!("name: x\ndescription: {}", "d".repeat(5000))).unwrap();
    assert_eq!(s.description.chars().count(), MAX_DESCRIPTION + 1);
}

#[test]
fn program_names_are_no_paths_and_no_options() {
    for bad in ["", "a/b", "..", "-x", "a b", "$(x)", "a;b"] {
        assert!(!is_program_name(bad), "{bad}");
    }
    assert!(is_program_name("g++") && is_program_name("python3.12"));
}
