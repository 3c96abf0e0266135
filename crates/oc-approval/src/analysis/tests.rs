use super::*;
use crate::allowlist::Rule;
use crate::host_view::FileFacts;
use crate::persist;
use crate::plan::{Form, Match, Standing};
use crate::sample::{Table, circumstances};

/// Programs of the system, and others in places that nobody should trust.
fn host() -> Table {
    let mut table = Table::default();
    for directory in
        ["/bin", "/usr/bin", "/usr", "/opt", "/opt/bin", "/home", "/home/u", "/home/u/bin", "/w", "/w/bin"]
    {
        table = table.directory(directory, 1, 0o755);
    }
    table =
        table.directory("/tmp", 2, 0o1777).directory("/tmp/bin", 3, 0o755).directory("/opt/open", 4, 0o775);
    for directory in ["/usr/bin", "/opt/bin", "/home/u/bin", "/w/bin", "/tmp/bin", "/opt/open"] {
        for name in ["ls", "nice", "git", "tool"] {
            table = program(table, &format!("{directory}/{name}"), 0o755, 0);
        }
    }
    table
}

fn program(mut table: Table, path: &str, mode: u32, uid: u32) -> Table {
    let facts = FileFacts { mode, uid, ..FileFacts::default() };
    table.0.insert(path.to_owned(), (Entry::File(facts), None));
    table
}

fn with_path(text: &str, rules: &Rules, view: &dyn HostView, path: &str) -> Plan {
    let request = Request {
        text,
        directory: "/w",
        path: Some(path),
        home: Some("/home/u"),
        overrides: &[],
        terminal: Terminal::Absent,
    };
    analyse(&request, rules, view)
}

fn plan(text: &str, rules: &Rules) -> Plan {
    with_path(text, rules, &host(), "/usr/bin:/bin")
}

fn allowing(patterns: &[&str]) -> Rules {
    let rule = |pattern: &&str| Rule { pattern: (*pattern).to_owned(), arguments: None, directory: None };
    let list: Vec<Rule> = patterns.iter().map(rule).collect();
    Rules { safe_bins: Vec::new(), allowlist: Allowlist::compile(&list, Some("/home/u")), ..Rules::default() }
}

fn word(plan: &Plan) -> &str {
    plan.miss.as_ref().map_or("ok", |m| m.word.as_str())
}

#[test]
fn sp_139_beyond_the_depth_of_wrappers_a_line_is_opaque_everywhere() {
    let rules = allowing(&["/usr/bin/nice", "/usr/bin/git"]);
    let line = |wrappers: usize| format!("{}git status", "nice ".repeat(wrappers));
    for wrappers in 0..=4 {
        let plan = plan(&line(wrappers), &rules);
        assert_eq!(plan.standing(), Standing::Hit, "{wrappers}: {:?}", plan.miss);
        assert!(plan.segments[0].inner.iter().all(|i| i.matched.is_some()));
    }
    let deep = plan(&line(6), &rules);
    assert_eq!((deep.standing(), word(&deep)), (Standing::Miss, "never-safe"));
    let segment = &deep.segments[0];
    // Classified, shown, run and remembered by the one plan: a wrapper with its whole vector, admitted by nothing, never remembered.
    assert_eq!((segment.form, &segment.matched), (Form::Wrapper, &None));
    assert_eq!(segment.argv.join(" "), line(6));
    assert!(persist::offer(&deep, &circumstances(), &host()).is_err());
}

#[test]
fn sp_139_there_is_one_reader_of_command_text() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut callers = Vec::new();
    let mut open = vec![root.join("crates"), root.join("bins")];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() && name != "tests" && name != "target" {
                open.push(path);
            } else if name.ends_with(".rs") && name != "tests.rs" {
                let text = std::fs::read_to_string(&path).unwrap();
                if text.contains("oc_shell::read(") {
                    callers.push(path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned());
                }
            } else if name == "Cargo.toml" {
                let text = std::fs::read_to_string(&path).unwrap();
                for other in
                    ["shlex", "shell-words", "shellwords", "conch-parser", "yash-syntax", "brush-parser"]
                {
                    assert!(!text.contains(other), "{}: {other}", path.display());
                }
            }
        }
    }
    callers.sort();
    // The second one proposes a text, which is analysed again; the third compares what a text claims with the vector that is analysed.
    let known = [
        "crates/oc-approval/src/analysis.rs",
        "crates/oc-approval/src/explain/text_change.rs",
        "crates/oc-approval/src/node_run/line.rs",
    ];
    assert_eq!(callers, known, "what asks about a command text takes the plan");
}

#[test]
fn sp_140_a_wrapper_and_what_it_starts_must_both_be_allowed() {
    for (patterns, expected) in [
        (&["/usr/bin/nice", "/usr/bin/git"][..], Standing::Hit),
        (&["/usr/bin/nice"], Standing::Miss),
        (&["/usr/bin/git"], Standing::Miss),
        (&["/usr/bin/*"], Standing::Hit),
        (&[], Standing::Miss),
    ] {
        for line in
            ["nice git status", "nice -n 5 git status", "nice -5 git status", "/usr/bin/nice /usr/bin/git"]
        {
            let plan = plan(line, &allowing(patterns));
            assert_eq!(plan.standing(), expected, "{line} with {patterns:?}: {:?}", plan.miss);
        }
    }
    // A safe use of a listed program inside of an allowed wrapper is admitted, the wrapper alone admits nothing.
    let rules = Rules { safe_bins: vec!["ls".to_owned()], ..allowing(&["/usr/bin/nice"]) };
    assert_eq!(plan("nice ls -l", &rules).standing(), Standing::Hit);
    assert_eq!(plan("nice ls -R /", &rules).standing(), Standing::Miss);
    assert_eq!(plan("nice git", &rules).standing(), Standing::Miss);
}

#[test]
fn sp_151_no_request_line_or_workspace_changes_where_programs_are_found() {
    let view = host();
    let rules = Rules { safe_bins: vec!["ls".to_owned()], ..Rules::default() };
    let path = vec![("PATH".to_owned(), "/w/bin:/usr/bin".to_owned())];
    let request = Request {
        text: "ls",
        directory: "/w",
        path: Some("/usr/bin"),
        home: Some("/home/u"),
        overrides: &path,
        terminal: Terminal::Absent,
    };
    assert_eq!(analyse(&request, &rules, &view).standing(), Standing::Refused);
    assert_eq!(word(&plan("PATH=/w/bin ls", &rules)), "assignment");
    assert_eq!(word(&plan("env PATH=/w/bin ls", &Rules::default())), "unresolved", "there is no env here");
    // Relative and empty entries are passed over, and what stands there makes the line ask.
    for path in ["bin:/usr/bin", "/usr/bin:bin", "/usr/bin:./bin"] {
        assert_eq!(word(&with_path("ls", &rules, &view, path)), "unresolved", "{path}");
    }
    let shadow = program(host(), "/w/ls", 0o755, 0);
    for path in [":/usr/bin", "/usr/bin:", "/usr/bin::/bin", ".:/usr/bin"] {
        assert_eq!(word(&with_path("ls", &rules, &shadow, path)), "unresolved", "{path}");
        assert_eq!(
            with_path("ls", &rules, &view, path).standing(),
            Standing::Hit,
            "{path}: nothing is there"
        );
    }
    // The first entry of the host's own path decides, and it is the path that runs.
    let plan = with_path("ls", &rules, &view, "/opt/bin:/usr/bin");
    assert_eq!(word(&plan), "untrusted-dir");
    assert_eq!(plan.segments[0].executable.as_ref().unwrap().path, "/opt/bin/ls");
}

#[test]
fn sp_164_safe_programs_lie_in_trusted_directories_only() {
    let trusting = |directories: &[&str]| Rules {
        safe_bins: vec!["ls".to_owned()],
        trusted_directories: directories.iter().map(|d| (*d).to_owned()).collect(),
        ..Rules::default()
    };
    let view = host();
    for (path, directories, expected) in [
        ("/usr/bin", &[][..], "ok"),
        ("/opt/bin", &[], "untrusted-dir"),
        ("/opt/bin", &["/opt/bin"], "ok"),
        ("/opt/bin", &["/opt/bin/"], "ok"),
        ("/opt/bin", &["/opt"], "untrusted-dir"),
        ("/opt/open", &["/opt/open"], "untrusted-dir"),
        ("/tmp/bin", &["/tmp/bin"], "untrusted-dir"),
        ("/home/u/bin", &["/home/u/bin"], "untrusted-dir"),
        ("/w/bin", &[], "untrusted-dir"),
    ] {
        let plan = with_path("ls", &trusting(directories), &view, path);
        assert_eq!(word(&plan), expected, "{path} trusting {directories:?}");
    }
    // Owned by somebody else, writable by others, or a link through such a place.
    let rules = trusting(&["/opt/bin"]);
    for view in [
        program(host(), "/opt/bin/ls", 0o755, 1000),
        program(host(), "/opt/bin/ls", 0o775, 0),
        program(host(), "/opt/bin/ls", 0o757, 0),
        host().link("/opt/bin/ls", "/opt/open/ls"),
        host().link("/opt/bin/ls", "/tmp/bin/ls"),
    ] {
        assert_eq!(word(&with_path("ls", &rules, &view, "/opt/bin")), "untrusted-dir");
    }
}

#[test]
fn sp_182_a_skill_admits_the_path_that_was_recorded_and_no_name() {
    let skills = vec![SkillProgram { name: "tool".to_owned(), path: "/opt/bin/tool".to_owned() }];
    let rules = Rules { skills, ..allowing(&[]) };
    let view = host();
    let found = with_path("tool x", &rules, &view, "/opt/bin:/usr/bin");
    assert_eq!(found.segments[0].matched, Some(Match::Skill));
    // A file of the same name in front of it, elsewhere, or by another path.
    for (line, path) in [
        ("tool x", "/usr/bin:/opt/bin"),
        ("tool x", "/w/bin:/opt/bin"),
        ("bin/tool x", "/opt/bin"),
        ("git", "/opt/bin"),
    ] {
        assert_eq!(with_path(line, &rules, &view, path).standing(), Standing::Miss, "{line} with {path}");
    }
    // A link of that name leads to another program; a link to the recorded program is that program.
    let linked = host().link("/w/bin/tool", "/usr/bin/git").link("/w/bin/t", "/opt/bin/tool");
    assert_eq!(with_path("tool", &rules, &linked, "/w/bin").standing(), Standing::Miss);
    assert_eq!(with_path("t", &rules, &linked, "/w/bin").standing(), Standing::Miss);
}

/// A directory of many names.
struct Crowd(usize);

impl HostView for Crowd {
    fn entry(&self, path: &str) -> Entry {
        let facts = FileFacts { mode: 0o755, ..FileFacts::default() };
        match path {
            "/w" | "/usr" | "/usr/bin" | "/w/d" => Entry::Directory(facts),
            "/usr/bin/ls" => Entry::File(facts),
            other if other.starts_with("/w/d/") => Entry::File(facts),
            _ => Entry::Missing,
        }
    }
    fn names(&self, directory: &str, limit: usize) -> Option<Vec<String>> {
        (directory == "/w/d" && self.0 <= limit).then(|| (0..self.0).map(|n| format!("{n:05}.log")).collect())
    }
    fn sha256(&self, _: &str) -> Option<String> {
        None
    }
    fn uid(&self) -> u32 {
        1000
    }
}

#[test]
fn wildcards_find_and_cost_so_much_and_no_more() {
    let rules = Rules { safe_bins: vec!["ls".to_owned()], ..Rules::default() };
    let ask = |text: &str, names: usize| word(&with_path(text, &rules, &Crowd(names), "/usr/bin")).to_owned();
    assert_eq!(ask("ls d/*.log", 1024), "ok");
    assert_eq!(ask("ls d/*.log", 1025), "too-long");
    assert_eq!(ask("ls d/0*.log d/*.txt", 1024), "ok", "one that finds nothing is itself");
    assert_eq!(ask("ls d/*.log d/*.log", 600), "too-long", "the words of a line share the limit");
    assert_eq!(ask("ls d/*.txt", 4096), "ok");
    assert_eq!(ask("ls d/*.txt", 4097), "glob");
    let many = format!("ls{}", " d/*0?*0?x".repeat(100));
    assert_eq!(ask(&many, 1024), "too-long", "too many comparisons");
    // Whatever follows in the line is not admitted either, and says why.
    let plan = with_path(&format!("{many}; ls"), &rules, &Crowd(1024), "/usr/bin");
    assert!(plan.segments.iter().all(|s| s.matched.is_none() && s.miss.is_some()));
}
