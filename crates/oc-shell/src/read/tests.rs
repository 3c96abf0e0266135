#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    reason = "tests"
)]

use proptest::prelude::*;

use super::{MAX_BLANKS, MAX_BYTES, MAX_COMMANDS, MAX_WORDS, read};
use crate::{Connector, Line, Piece, Reason, Redirection, Word};

/// Words as a person reads them; `<~>`, `<*>`, `<?>`, `<[..]>` are what is left to expand.
fn show(word: &Word) -> String {
    word.pieces
        .iter()
        .map(|p| match p {
            Piece::Literal(t) => t.clone(),
            Piece::Home => "<~>".into(),
            Piece::AnyRun => "<*>".into(),
            Piece::AnyOne => "<?>".into(),
            Piece::Class(t) => format!("<[{t}]>"),
        })
        .collect()
}

fn flat(line: &Line) -> Vec<Vec<String>> {
    line.steps.iter().flat_map(|s| &s.pipeline.commands).map(|c| c.words.iter().map(show).collect()).collect()
}

#[track_caller]
fn reads(text: &str, argv: &[&[&str]]) {
    assert_eq!(flat(&read(text).unwrap_or_else(|e| panic!("{text}: {e}"))), argv, "{text}");
}

#[track_caller]
fn refuses(reason: Reason, texts: &[&str]) {
    for text in texts {
        assert_eq!(read(text).expect_err(text).reason, reason, "{text:?}");
    }
}

#[test]
fn sp_130_everyday_words() {
    reads("ls", &[&["ls"]]);
    reads(" \tls  -la\tsrc ", &[&["ls", "-la", "src"]]);
    reads("grep 'a;b' \"c d\" e\\ f", &[&["grep", "a;b", "c d", "e f"]]);
    reads("awk '{print $1}' x", &[&["awk", "{print $1}", "x"]]);
    reads("a'b'\"c\"d ''", &[&["abcd", ""]]);
    reads("echo \"\" \"\\$\\`\\\"\\\\ \\a\"", &[&["echo", "", "$`\"\\ \\a"]]);
    reads(
        "find . \\( -name '*.rs' \\) -o ! -name {} -exec",
        &[&["find", ".", "(", "-name", "*.rs", ")", "-o", "!", "-name", "{}", "-exec"]],
    );
    reads("ls ~ ~/x 'a~' a~ \"~\" ./~", &[&["ls", "<~>", "<~>/x", "a~", "a~", "~", "./~"]]);
    reads(
        "ls *.txt a?c [a-z0]x [!b]c '*' \\?",
        &[&["ls", "<*>.txt", "a<?>c", "<[a-z0]>x", "<[!b]>c", "*", "?"]],
    );
    reads("cat 日本語.txt été", &[&["cat", "日本語.txt", "été"]]);
    reads("dd if=x of=y --a=b", &[&["dd", "if=x", "of=y", "--a=b"]]);
    reads("grep \"foo$\" x$ \"s/a$/b/\" 'x' $", &[&["grep", "foo$", "x$", "s/a$/b/", "x", "$"]]);
    reads("~/bin/x y", &[&["<~>/bin/x", "y"]]);
    reads("\\sh -c", &[&["sh", "-c"]]);
}

#[test]
fn sp_130_no_place_for_these_characters() {
    refuses(Reason::Nul, &["\0", "ls\0; sh", "ls 'a\0'"]);
    refuses(Reason::Empty, &["", " ", " \t ", "\n", " \r\n"]);
    refuses(
        Reason::ControlChar,
        &[
            "ls \x07",
            "ls\x0b-la",
            "ls\x0csh",
            "ls 'a\x1b[2K'",
            "ls \x7f",
            "ls \u{9b}2K",
            "ls\u{85}sh",
            "ls\u{a0}-la",
            "ls\u{2028}sh",
            "ls \u{202e}txt",
            "ls\u{feff}",
            "sh\u{ad} x",
            "l\u{200b}s",
            "ls '\u{3000}'",
            "ls \u{e0041}",
            "ls # \u{200b}",
            "ls \u{3164}",
            "ls \u{34f}",
            "ls \u{2800}\u{2060}",
        ],
    );
    refuses(Reason::NonAsciiCommand, &["сat README.md", "ｌｓ", "ls；sh", "'é'", "ls | \"ö\"", "~/é"]);
}

#[test]
fn sp_130_unterminated_or_dangling() {
    refuses(
        Reason::Parse,
        &[
            "ls 'abc",
            "ls \"abc",
            "ls \\",
            "cat a \"; sh",
            "ls &&",
            "| ls",
            "ls ||",
            "&& ls",
            "ls | | cat",
            "ls |",
            "; ls",
            "ls ;; ls",
            "ls; ; ls",
            "# only",
            "''",
            "\"\" x",
            "ls \"a\\\"",
            "ls |||ls",
            "ls &&& ls",
            "&",
            "ls && ;",
            "ls | # c",
            "ls || #c",
        ],
    );
}

#[test]
fn sp_130_grammar_words_and_grouping() {
    refuses(
        Reason::Compound,
        &[
            "( sh )",
            "(ls;sh)",
            "{ sh; }",
            "if ls; then sh; fi",
            "for f in a; do ls; done",
            "while ls",
            "until ls",
            "case x in x) sh;; esac",
            "! sh",
            "time sh",
            "coproc sh",
            "function f",
            "select x in a",
            "ls() { sh; }",
            "ls | ! cat",
            "ls; then",
            "\\if",
            "'while' x",
            ">/dev/null if",
            "LANG=C time ls",
            "ls (",
            "ls )",
            "{cat x",
            "}",
            "ls | }",
            "echo @(a)",
            "echo !(a)",
            "]] x",
        ],
    );
    refuses(Reason::Expansion, &["!!", "!sh", "^ls^sh", "%1", "'!x'"]);
    refuses(
        Reason::Brace,
        &["ls {a,b}", "ls a{b,c", "ls {1..3}", "ls x{a','b}", "cat /e{tc,}/x", "sort -{o,n}p", "ls {a.'.b}'"],
    );
    refuses(Reason::Background, &["ls &", "ls & sh", "ls |& sh", "ls &;", "ls 2>&1&"]);
}

#[test]
fn sp_130_wildcards_that_shells_read_alike() {
    refuses(
        Reason::Glob,
        &[
            "/bin/s[h] x",
            "/???/sh x",
            "./ev*.sh",
            "*",
            "[ -n x ]",
            "[[ -n x ]]",
            "ls [^a]",
            "ls [[:alpha:]]",
            "ls [abc",
            "ls []a]",
            "ls [a-]",
            "ls [-a]",
            "ls [z-a]",
            "ls [a-Z]",
            "ls ['a']",
            "ls [a/b]",
            "ls [é]",
            "ls []",
            "ls [!]",
            "ls .*",
            "ls a/.?",
            "ls ..*",
            "ls .[!a]/x",
            "ls '\\'*",
            "ls [a-b-c]",
            "ls *//x",
            "ls //*",
            "ls a//*",
            "ls *'/'/",
        ],
    );
    reads(
        "ls .e* .[e]nv [.]env a.* */.x [a-cx-z_]",
        &[&["ls", ".e<*>", ".<[e]>nv", "<[.]>env", "a.<*>", "<*>/.x", "<[a-cx-z_]>"]],
    );
}

#[test]
fn sp_131_expansion_and_substitution_in_and_out_of_double_quotes() {
    refuses(
        Reason::Substitution,
        &[
            "cat \"$(id)\"",
            "ls `id`",
            "ls \"`id`\"",
            "ls $(sh)",
            "cat a$(id)",
            "cat <(sh)",
            "cut >(sh)",
            "ls $((1))",
            "\"$(x)\"",
        ],
    );
    refuses(
        Reason::Expansion,
        &[
            "$SHELL -c",
            "cat $HOME/x",
            "cat \"$HOME\"",
            "ls ${x}",
            "ls \"${x:-y}\"",
            "ls $'a'",
            "ls $\"a\"",
            "ls $[1]",
            "ls $?",
            "ls \"$@\"",
            "ls $#",
            "cat${IFS}x",
            "ls \"a$'b'\"",
            "ls \"$\\\"\"",
            "ls $\\x",
            "ls $;",
            "ls $-",
            "ls \"$$\"",
            "ls ~root",
            "ls ~+",
            "ls ~-/x",
            "ls ~'/x'",
            "make a=~/x",
            "ls a:~",
            "ls --a=~",
            "ls ~\\/x",
            "ls a'='~",
        ],
    );
    reads("echo '$(id)' \\$x \\`id\\` '`'", &[&["echo", "$(id)", "$x", "`id`", "`"]]);
}

#[test]
fn sp_132_here_documents_and_here_strings() {
    refuses(
        Reason::Redirection,
        &["cat <<EOF", "cat <<'E' | sh", "cat <<-E", "cat <<<x", "cat << EOF", "cat <<<'a b'", "cat 0<<E"],
    );
    refuses(Reason::LineBreak, &["cat <<EOF\n$(id)\nEOF", "cat <<'X'\nx\nX"]);
}

#[test]
fn sp_133_line_breaks_anywhere() {
    refuses(
        Reason::LineBreak,
        &[
            "ls\nsh",
            "pwd\r\nsh",
            "ls # note\nsh",
            "s\\\nh x",
            "ls 'a\nb'",
            "ls \"a\\\nb\"",
            "ls \r",
            "ls | \\\nsh",
            "#\nsh",
            "ls #'\nsh #'",
        ],
    );
}

#[test]
fn sp_134_a_comment_ends_the_text() {
    reads("ls # a 'b \" $( ` \\", &[&["ls"]]);
    reads("ls;# x", &[&["ls"]]);
    reads("ls a#b \\# '#' c# # d", &[&["ls", "a#b", "#", "#", "c#"]]);
    reads("ls ''#x", &[&["ls", "#x"]]);
    refuses(Reason::Redirection, &["ls >#x", "ls > # x", "cat < #"]);
}

#[test]
fn sp_135_every_separator_splits_and_quoted_ones_do_not() {
    let line = read("a x|b;c&&d||e | f ;").unwrap();
    assert_eq!(flat(&line), [vec!["a", "x"], vec!["b"], vec!["c"], vec!["d"], vec!["e"], vec!["f"]]);
    let connectors: Vec<_> = line.steps.iter().map(|s| (s.connector, s.pipeline.commands.len())).collect();
    assert_eq!(
        connectors,
        [(Connector::Then, 2), (Connector::Then, 1), (Connector::And, 1), (Connector::Or, 2)]
    );
    reads("echo 'a|b' \"c;d\" e\\&\\&f", &[&["echo", "a|b", "c;d", "e&&f"]]);
    refuses(Reason::LineBreak, &["a\nb"]);
    refuses(Reason::Background, &["a & b", "a |& b"]);
}

#[test]
fn sp_136_only_these_redirections() {
    let all = "x 2>&1 >/dev/null 1>/dev/null >>/dev/null 2> /dev/null 2>>'/dev/null' 1>& 2 </a/b <~/c < 'd e' f>/dev/null *</g";
    let line = read(all).unwrap();
    assert_eq!(flat(&line), [vec!["x", "f", "<*>"]]);
    let words = |r: &Redirection| match r {
        Redirection::From(word) => show(word),
        other => format!("{other:?}"),
    };
    let found: Vec<_> = line.steps[0].pipeline.commands[0].redirections.iter().map(words).collect();
    assert_eq!(
        found,
        [
            "ErrToOut",
            "OutToNull",
            "OutToNull",
            "OutToNull",
            "ErrToNull",
            "ErrToNull",
            "OutToErr",
            "/a/b",
            "<~>/c",
            "d e",
            "OutToNull",
            "/g",
        ]
    );
    refuses(Reason::Redirection, &["sort < ''", "x <\"\"", "aa <''; ls"]);
    reads("2>/dev/null ls", &[&["ls"]]);
    reads("echo 2 >/dev/null a2>/dev/null", &[&["echo", "2", "a2"]]);
    refuses(
        Reason::Redirection,
        &[
            "ls > out",
            "ls>out",
            "ls >> ~/.bashrc",
            "ls >| out",
            "ls &> out",
            "ls &>> out",
            "ls 2> out",
            "ls 1<> out",
            "ls >& out",
            "> out ls",
            "ls {fd}> out",
            "ls {fd}>/dev/null",
            "ls 3>/dev/null",
            "ls 22>/dev/null",
            "ls '2'>/dev/null",
            "ls \\2>/dev/null",
            "> /dev/null",
            "ls 0</x",
            "ls 1</x",
            "ls <&0",
            "ls <&-",
            "ls 2>&-",
            "ls 2>&1-",
            "ls 2>&'1'",
            "ls 2>&1>/dev/null",
            "ls >&2",
            "ls >&1",
            "ls 2>&2",
            "ls 2>&3",
            "cat <*.txt",
            "cat <a[b]",
            "ls >/dev/nul*",
            "ls >",
            "ls <",
            "ls 2>|/dev/null",
            "ls <>/dev/null",
            "ls >/dev/null2>&1",
            "ls ''>/dev/null",
            "ls >~/dev/null",
            "ls >/dev/null/../x",
            "ls 02>/dev/null",
            "LANG=C >/dev/null",
            "ls >;",
            "cat <>x",
        ],
    );
}

#[test]
fn sp_137_assignments_before_a_command() {
    let line = read("LC_ALL=C TZ='UTC' X= >/dev/null Y=a=b sort A=b").unwrap();
    let command = &line.steps[0].pipeline.commands[0];
    let found: Vec<_> = command.assignments.iter().map(|a| (a.name.as_str(), a.value.as_str())).collect();
    assert_eq!(found, [("LC_ALL", "C"), ("TZ", "UTC"), ("X", ""), ("Y", "a=b")]);
    assert_eq!(flat(&line), [["sort", "A=b"]]);
    refuses(
        Reason::Assignment,
        &[
            "A=b",
            "A=b; ls",
            "ls; A=b",
            "A=* ls",
            "A+=b ls",
            "A'x'=b ls",
            "'A'=b ls",
            "./a=b",
            "1=2 ls",
            "A=[a] ls",
            "A=b | ls",
        ],
    );
    refuses(Reason::Expansion, &["A=~ ls", "PATH=/a:~/b ls", "A=$B ls", "A=\"$B\" ls"]);
    refuses(Reason::Substitution, &["A=$(id) ls", "A=`id` ls"]);
    assert!(read("A=(a b) ls").is_err() && read("A[0]=b ls").is_err());
}

#[test]
fn limits() {
    refuses(
        Reason::TooLong,
        &[
            &format!("ls {}", "a".repeat(MAX_BYTES)),
            &format!("ls{}x", " ".repeat(MAX_BLANKS + 1)),
            &format!("ls '{}'", "\t ".repeat(MAX_BLANKS)),
            &vec!["a"; MAX_WORDS + 1].join(" "),
            &vec!["a"; MAX_COMMANDS + 1].join("|"),
            &vec!["a"; 10_000].join(";"),
        ],
    );
    assert!(read(&format!("ls{}x", " ".repeat(MAX_BLANKS))).is_ok());
    assert!(read(&vec!["a"; MAX_WORDS].join(" ")).is_ok());
    assert!(read(&vec!["a"; MAX_COMMANDS].join("|")).is_ok());
    assert!(read(&format!("ls {}", "a".repeat(MAX_BYTES - 3))).is_ok());
}

#[test]
fn places_are_in_the_text() {
    let text = "ls 'a b' | wc -l";
    let line = read(text).unwrap();
    let spans: Vec<_> = line.steps[0].pipeline.commands.iter().map(|c| &text[c.span.clone()]).collect();
    assert_eq!(spans, ["ls 'a b'", "wc -l"]);
    assert_eq!(&text[line.steps[0].pipeline.commands[0].words[1].span.clone()], "'a b'");
    assert_eq!(read("ls | \u{e9}").unwrap_err().at, 5);
}

/// Pieces of shell text that mean something.
fn shell_text() -> impl Strategy<Value = String> {
    let atom = prop::sample::select(vec![
        "ls",
        "a",
        "2",
        "1",
        " ",
        "\t",
        "|",
        "||",
        "&&",
        ";",
        "&",
        ">",
        ">>",
        "<",
        "/dev/null",
        ">&",
        "'",
        "\"",
        "\\",
        "$",
        "`",
        "(",
        ")",
        "{",
        "}",
        ",",
        "..",
        "*",
        "?",
        "[",
        "]",
        "!",
        "^",
        "-",
        "~",
        "/",
        "=",
        ":",
        "#",
        "A=",
        "if",
        "é",
        "\u{200b}",
        "\n",
        "\r",
        "\0",
        ".",
        "+",
        "%",
        "@",
        "2>&1",
        "2>/dev/null",
    ]);
    prop::collection::vec(atom, 0..24).prop_map(|v| v.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    /// Never a panic; places are inside the text; limits hold.
    #[test]
    fn sp_130_any_text_is_read_or_refused(text in prop_oneof![shell_text(), any::<String>()]) {
        match read(&text) {
            Ok(line) => {
                let commands: Vec<_> = line.steps.iter().flat_map(|s| &s.pipeline.commands).collect();
                prop_assert!(!commands.is_empty() && commands.len() <= MAX_COMMANDS);
                for command in commands {
                    prop_assert!(text.get(command.span.clone()).is_some());
                    prop_assert!(!command.words.is_empty() && command.words.len() <= MAX_WORDS);
                    prop_assert!(command.words.iter().all(|w| text.get(w.span.clone()).is_some() && !w.pieces.is_empty()));
                }
            }
            Err(e) => prop_assert!(e.at <= text.len()),
        }
    }

    /// Single quotes around an operand give that operand, whatever it holds, unless the text cannot be read at all.
    #[test]
    fn sp_130_single_quotes_are_literal(operand in prop_oneof![shell_text(), any::<String>()]) {
        let quoted = format!("x '{}' y", operand.replace('\'', "'\\''"));
        if let Ok(line) = read(&quoted) {
            prop_assert_eq!(flat(&line), [vec!["x".to_owned(), operand, "y".to_owned()]]);
        } else {
            prop_assert!(super::alphabet::check(&quoted).is_err());
        }
    }

    /// What follows a readable text after `;` never changes how it is read.
    #[test]
    fn sp_135_texts_are_read_apart(first in shell_text(), second in shell_text()) {
        if let (Ok(a), Ok(b)) = (read(&first), read(&second))
            && !first.contains('#') && !first.ends_with('\\') && !first.trim_end().ends_with(';')
            && let Ok(both) = read(&format!("{first};{second}"))
        {
            prop_assert_eq!(flat(&both), [flat(&a), flat(&b)].concat());
        }
    }
}
