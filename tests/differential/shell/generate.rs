//! Texts: commands put together by the shell's grammar, written with every kind of quoting, then some of them damaged.

/// Texts that are always compared.
pub const FIXED: [&str; 30] = [
    "aa 2>&1 >/dev/null | bb 1>&2",
    "aa 2>/dev/null|bb</dev/null;",
    "aa 2 >/dev/null b2>/dev/null 2>&1",
    "no1 && aa || bb; no1 || ls && aa",
    "aa < missing || bb < sub",
    "A=1 B_1='x y' LC_ALL=C aa A=2 && bb",
    ">/dev/null _Z=a=b </dev/null TZ= aa",
    "aa ''#x a#b c\\#d # ' \" $( `",
    "aa;# x",
    "aa ~ ~/h.txt ~/*.txt a~ x/~ '~' \\~ \"~\"/x",
    "aa < ~/h.txt *.txt ?? [ab]* [!a]* [a-c]?",
    "aa ~//x //usr ./'*'// */ */* s*/.z ./* ./.e* .h* .[eh]* sub/../*.txt \"a \"* st\\** '['* 'no match'*",
    "aa \"x$\" $ y$ \"$ \" \"$/\" \"$|\" \"$)\" \"$,\"",
    "aa {} {a} { } a{b}c {\\a} }{ c{* x{y",
    "aa ! !! !x ^a %1 @ = a=b --c=d +x",
    "aa Á é 日本 'あ' \"€\" \\é 👍️ ÁÂÃÄÅÆÇÈ",
    "aa é* Á? 日*/x [a]Á ~/é",
    "aa \"\" '' \"\"'' a\"\"b \\a\\b \"\\a\\$\\`\\\"\\\\\"",
    "./aa x && ~/bin/bb y",
    "\\aa x; 'bb' y; \"l\"s z; x.y",
    "aa a\\ b 'c d' \"e f\" g\\\tq '\t'",
    "aa ] a] [b] '[b]' [c] [a]b 'x[y'",
    "aa -n -- -x -* '-'* [-n",
    "aa|bb|ls|no1|x.y 2>&1|aa",
    "aa 'it'\\''s' \"it's\" 'say \"x\"'",
    "aa if then fi do done in time function {",
    "aa a:b a,b a..b a%b a@b a+b _ .",
    "aa \\; \\| \\& \\( \\) \\< \\> \\$ \\` ';' '&&' \"||\"",
    "aa \\\\ '\\' \"\\\\\" '\\\\' \\'",
    "aa ~;bb ~|ls ~</dev/null",
];

/// splitmix64.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64, index: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ index.wrapping_mul(0xD1B5_4A32_D192_ED03))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

/// A text.
pub fn line(r: &mut Random) -> String {
    let mut text = String::new();
    blanks(r, &mut text, 6);
    let steps = 1 + r.below(3);
    for i in 0..steps {
        if i > 0 {
            join(r, &mut text, &[";", "&&", "||"]);
        }
        let commands = if r.one_in(3) { 1 + r.below(3) } else { 1 };
        for j in 0..commands {
            if j > 0 {
                join(r, &mut text, &["|"]);
            }
            command(r, &mut text);
        }
    }
    if r.one_in(8) {
        text.push_str(r.pick(&[";", " ;", " # x ' \"", ";# `", "; ", "\t"]));
    }
    for _ in 0..[0, 0, 0, 1, 1, 2, 4][r.below(7)] {
        text = damage(r, &text);
    }
    text
}

fn join(r: &mut Random, text: &mut String, by: &[&str]) {
    blanks(r, text, 2);
    text.push_str(r.pick(by));
    blanks(r, text, 2);
}

fn blanks(r: &mut Random, text: &mut String, rarely: usize) {
    if r.one_in(rarely) {
        text.push_str(r.pick(&[" ", " ", "  ", "\t", " \t "]));
    }
}

fn command(r: &mut Random, text: &mut String) {
    if r.one_in(6) {
        redirection(r, text);
        text.push(' ');
    }
    for _ in 0..[0, 0, 0, 0, 1, 2][r.below(6)] {
        text.push_str(r.pick(&["A", "B_1", "LC_ALL", "TZ", "_Z", "A"]));
        text.push('=');
        if !r.one_in(4) {
            let value = literal(r);
            write(r, text, &value);
        }
        text.push(' ');
    }
    let program = r.pick(&["aa", "bb", "ls", "no1", "x.y", "aa", "./aa", "~/bin/bb"]);
    if program.starts_with('~') || !r.one_in(5) {
        text.push_str(program)
    } else {
        write(r, text, program)
    }
    for _ in 0..r.below(5) {
        text.push_str(r.pick(&[" ", " ", " ", "  ", "\t"]));
        match r.below(10) {
            0..=4 => {
                let operand = literal(r);
                write(r, text, &operand);
            }
            5..=6 => pattern(r, text),
            7 => text.push_str(r.pick(&["~", "~/", "~/h.txt", "~/*", "a~", "./~", "-n", "--", "''", "\"\""])),
            8 => text.push_str(r.pick(&[
                "{}",
                "{a}",
                "a=b",
                "--x=y",
                "$",
                "a$",
                "\"a$\"",
                "\"$ x\"",
                "!",
                "!x",
                "#x",
                "a#",
                "[",
                "]",
                "{",
                "}",
                "2",
                "a2",
                "1",
                "^",
                "%1",
                "=",
                "-",
                ".",
                "..",
                "time",
                "if",
                "do",
                "\\\\",
                "'\\'",
                "{a,b}",
                "{1..3}",
                "a=~",
                "a=~/x",
                "--x=a:~",
                "{a}>/dev/null",
                "22>/dev/null",
                "\'2\'>/dev/null",
            ])),
            _ => redirection(r, text),
        }
    }
}

fn redirection(r: &mut Random, text: &mut String) {
    text.push_str(r.pick(&[
        ">/dev/null",
        "1>/dev/null",
        "2>/dev/null",
        ">>/dev/null",
        "2>>/dev/null",
        "2>&1",
        "1>&2",
        "</dev/null",
        "> /dev/null",
        "2> /dev/null",
        "< a.txt",
        "<sub/x.txt",
        "<~/h.txt",
        "<missing",
        "< 'a b'",
        "2>& 1",
        "1>>\t/dev/null",
        ">'/dev/null'",
        "<a\\ b",
        "<.",
        "<'st*r'",
    ]));
}

/// A text that an operand may be.
fn literal(r: &mut Random) -> String {
    const PARTS: [&str; 56] = [
        "a", "b", "1", "2", "txt", "sub", " ", "\t", "'", "\"", "\\", "$", "`", "*", "?", "[", "]", "{", "}",
        ",", ".", "..", "!", "#", "~", "/", "=", ":", "-", "+", "%", "@", "^", "|", "&", ";", "<", ">", "(",
        ")", "é", "Á", "日", "あ", "€", "👍", "Á", "ç", "$(id)", "${x}", "a=b", "x", "_", "\u{fe0f}", "0",
        "Z",
    ];
    (0..1 + r.below(5)).map(|_| r.pick(&PARTS)).collect()
}

/// The text in some quoting; sometimes in too little.
fn write(r: &mut Random, out: &mut String, text: &str) {
    let style = r.below(6);
    match style {
        0 | 1 => out.push_str(&format!("'{}'", text.replace('\'', "'\\''"))),
        2 => {
            out.push('"');
            for c in text.chars() {
                if matches!(c, '"' | '\\' | '`') || (c == '$' && !r.one_in(8)) {
                    out.push('\\');
                }
                out.push(c);
            }
            out.push('"');
        }
        _ => {
            for c in text.chars() {
                let is_plain = c.is_ascii_alphanumeric() || !c.is_ascii() || "-_./=:,+%@^".contains(c);
                match r.below(if style == 5 { 12 } else { 8 }) {
                    0 if c != '\'' => out.push_str(&format!("'{c}'")),
                    1 if !"$`\"\\".contains(c) => out.push_str(&format!("\"{c}\"")),
                    2 => out.push_str(&format!("\\{c}")),
                    11 => out.push(c),
                    _ if is_plain => out.push(c),
                    _ => out.push_str(&format!("\\{c}")),
                }
            }
        }
    }
}

fn pattern(r: &mut Random, out: &mut String) {
    const PARTS: [&str; 28] = [
        "*", "*", "?", "[ab]", "[a-c]", "[!a]", "[0-9]", "a", "b", ".", ".e", "t", "/", "sub", "sub/", "*/",
        "./", "x", "'a '", "\\[", "'*'", "-", "~", "é", "..", "[.]", "c\\{", "../",
    ];
    for _ in 0..1 + r.below(5) {
        out.push_str(r.pick(&PARTS));
    }
}

/// Takes out, doubles or puts in a character or a piece of grammar.
fn damage(r: &mut Random, text: &str) -> String {
    const PARTS: [&str; 60] = [
        "'",
        "\"",
        "\\",
        "$",
        "`",
        "*",
        "?",
        "[",
        "]",
        "{",
        "}",
        ",",
        "..",
        "!",
        "#",
        "~",
        "/",
        "=",
        ":",
        " ",
        "\t",
        "|",
        "||",
        "&&",
        "&",
        ";",
        ";;",
        "<",
        ">",
        ">>",
        ">&",
        "<&",
        "<<",
        "(",
        ")",
        "\n",
        "2>&1",
        "2>",
        "1",
        "2",
        "A=",
        "=~",
        ":~",
        "/dev/null",
        "aa",
        " if ",
        " ! ",
        " time ",
        " { ",
        " } ",
        "é",
        "\u{a0}",
        "\u{200b}",
        "+=",
        "[a]=",
        "$'",
        "$\"",
        "^",
        "%",
        "\r",
    ];
    let mut characters: Vec<String> = text.chars().map(String::from).collect();
    let at = r.below(characters.len() + 1);
    match r.below(4) {
        0 if at < characters.len() => {
            characters.remove(at);
        }
        1 if at < characters.len() => {
            let other = r.below(characters.len());
            characters.swap(at, other);
        }
        2 if at < characters.len() => {
            let twice = characters[at].clone();
            characters.insert(at, twice);
        }
        _ => characters.insert(at, r.pick(&PARTS).to_owned()),
    }
    characters.concat()
}
