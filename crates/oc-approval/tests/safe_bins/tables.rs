//! The tables in `fixtures/exec`.

use oc_approval::safe_bin::catalogue::{Catalogue, DEFAULT_SAFE_BINS, built_in};
use oc_approval::safe_bin::usage::Terminal;

use crate::line::{judged, plain, verdict, words};

fn rows(name: &str) -> Vec<serde_json::Value> {
    let path = format!("{}/../../fixtures/exec/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn text<'a>(row: &'a serde_json::Value, key: &str) -> &'a str {
    row[key].as_str().unwrap()
}

#[test]
fn sp_165_every_trap_asks() {
    let rows = rows("traps.jsonl");
    assert!(rows.len() > 600);
    let allowed: Vec<String> = rows
        .iter()
        .filter(|row| verdict(text(row, "line")).is_ok())
        .map(|row| format!("{} {} ({})", text(row, "id"), text(row, "line"), text(row, "why")))
        .collect();
    assert!(allowed.is_empty(), "{}", allowed.join("\n"));
}

#[test]
fn sp_166_everyday_lines_are_allowed() {
    let rows = rows("everyday.jsonl");
    assert!(rows.len() > 300);
    let asked: Vec<String> = rows
        .iter()
        .filter_map(|row| {
            let why = verdict(text(row, "line")).err()?;
            Some(format!("{} {}: {}", text(row, "id"), text(row, "line"), why.text()))
        })
        .collect();
    assert!(asked.is_empty(), "{}", asked.join("\n"));
}

#[test]
fn sp_165_every_listed_program_has_traps_and_everyday_lines() {
    let (traps, days) = (rows("traps.jsonl"), rows("everyday.jsonl"));
    let of = |rows: &[serde_json::Value], name: &str| {
        rows.iter().filter(|row| text(row, "line").split(' ').next() == Some(name)).count()
    };
    for name in DEFAULT_SAFE_BINS.iter().chain(&["find", "echo", "tr", "jq"]) {
        assert!(built_in(name).is_some(), "{name}");
        assert!(*name == "echo" || of(&traps, name) >= 2, "{name}: {}", of(&traps, name));
        assert!(of(&days, name) >= 1, "{name}");
    }
}

#[test]
fn sp_143_code_in_arguments_is_never_a_safe_use() {
    for line in [
        "awk 'BEGIN{system(\"id\")}'",
        "awk -f x.awk",
        "sed '1e id' a.txt",
        "sed -n 's/x/id/e' a.txt",
        "find . -exec id ';'",
        "tar tf a.tar --to-command=id",
        "tar tf a.tar --checkpoint-action=exec=id",
        "git -c core.pager=id log",
        "perl -e 1",
        "python3 -c 1",
        "node -e 1",
        "ruby -e 1",
        "php -r 1",
        "lua -e 1",
        "make x",
        "ssh -o ProxyCommand=id x",
        "sort --compress-program=id a.txt",
        "zip -T -TT id a.zip",
    ] {
        assert!(verdict(line).is_err(), "{line}");
    }
}

#[test]
fn sp_165_pagers_are_harmless_without_a_terminal_only() {
    for line in ["less README.md", "more README.md", "less", "more -s README.md"] {
        let words = words(line);
        let with = |terminal| judged(&words, &Catalogue::default(), terminal);
        assert_eq!(with(Terminal::Absent), Ok(()), "{line}");
        assert_eq!(with(Terminal::Present).unwrap_err().word, "pager-terminal", "{line}");
    }
}

#[test]
fn sp_165_file_names_never_become_options_or_tests() {
    for words in [
        &["sort", "*-o", "*x"][..],
        &["sort", "*--output=x"],
        &["uniq", "*a", "*b"],
        &["tar", "tf", "a.tar", "*--checkpoint-action=exec=id"],
        &["tar", "*tf", "*a.tar"],
        &["sed", "p", "*-i.bak"],
        &["find", "*-delete"],
        &["find", "*a", "*!"],
        &["find", ".", "*-name", "x"],
        &["less", "*+!id"],
        &["less", "*-oout"],
        &["more", "*+!id"],
        &["date", "*+x"],
        &["awk", "1", "*ARGV=x"],
        &["tr", "*a", "b"],
        &["jq", "*-f", "x"],
        &["unzip", "-l", "*-d"],
    ] {
        let judged = judged(&plain(words), &Catalogue::default(), Terminal::Absent);
        assert!(judged.is_err(), "{words:?}");
    }
    for words in
        [&["cat", "*a.txt", "*b.txt"][..], &["sort", "*a.txt"], &["ls", "--", "*-l"], &["wc", "-l", "*x.md"]]
    {
        let judged = judged(&plain(words), &Catalogue::default(), Terminal::Absent);
        assert_eq!(judged, Ok(()), "{words:?}");
    }
}

#[test]
fn sp_162_a_pattern_by_option_leaves_no_operand_for_one() {
    // Under `safeBinReads: stdin` every file operand is refused: with `-e` there is no operand left that is not a file.
    assert_eq!(verdict("grep id_rsa"), Ok(()), "the pattern");
    for line in ["grep -e x id_rsa", "grep --regexp=x id_rsa", "grep -nex id_rsa", "sed -e p id_rsa"] {
        assert_eq!(verdict(line).unwrap_err().word, "protected-path", "{line}");
    }
    assert_eq!(verdict("grep -m 1 x a.txt"), Ok(()), "the value of an option is no operand");
    assert_eq!(verdict("tr a b"), Ok(()));
    assert_eq!(verdict("tr a b c").unwrap_err().word, "operand");
}

#[test]
fn sp_163_a_filter_never_looks_at_files() {
    #[derive(Debug)]
    struct Nothing;
    impl oc_approval::safe_bin::reads::ReadRule for Nothing {
        fn read(&self, operand: &str) -> Result<(), oc_approval::plan::Miss> {
            panic!("read {operand}")
        }
        fn list(&self, operand: &str) -> Result<(), oc_approval::plan::Miss> {
            panic!("list {operand}")
        }
        fn walk(
            &self,
            operand: &str,
            _: oc_approval::safe_bin::reads::Walk,
        ) -> Result<(), oc_approval::plan::Miss> {
            panic!("walk {operand}")
        }
    }
    use oc_approval::safe_bin::profile::Kind;
    use oc_approval::safe_bin::usage::{Input, Usage};
    for row in rows("everyday.jsonl").iter().chain(&rows("traps.jsonl")) {
        let words = words(text(row, "line"));
        let (name, arguments) = words.split_first().unwrap();
        if built_in(&name.text).is_none_or(|p| p.kind() == Kind::Filter) {
            let usage =
                Usage { name: &name.text, arguments, input: Input::Empty, terminal: Terminal::Absent };
            drop(oc_approval::safe_bin::judge(&usage, &Catalogue::default(), &Nothing));
        }
    }
    for words in [&["tr", "*a", "b"][..], &["id", "*root"], &["seq", "*1"]] {
        assert_eq!(
            judged(&plain(words), &Catalogue::default(), Terminal::Absent).unwrap_err().word,
            "operand",
            "{words:?}"
        );
    }
}
