use super::*;

fn pairs(text: &str) -> Vec<(String, String, u32)> {
    parse(text).into_iter().map(|e| (e.name, e.value, e.line)).collect()
}

fn one(text: &str) -> Option<(String, String)> {
    parse(text).into_iter().next().map(|e| (e.name, e.value))
}

#[test]
fn lines_are_read_as_the_tools_of_the_era_do() {
    for (line, expected) in [
        ("A=b", Some("b")),
        ("A = b ", Some("b")),
        ("  export A=b", Some("b")),
        ("A: b", Some("b")),
        ("A:b", None),
        ("A=", Some("")),
        ("A=b # c", Some("b")),
        ("A=b#c", Some("b")),
        ("A='b # c' # d", Some("b # c")),
        ("A=\"b\\nc\"", Some("b\nc")),
        ("A='b\\nc'", Some("b\\nc")),
        ("A=`it's \"x\"`", Some("it's \"x\"")),
        ("A=\"\"", Some("")),
        ("A=\"b", Some("\"b")),
        ("A=${B}", Some("${B}")),
        ("A=b c", Some("b c")),
        ("A=b=c", Some("b=c")),
        ("# A=b", None),
        ("=b", None),
        ("A", None),
        ("", None),
        ("A=b\r", Some("b")),
        ("\u{feff}A=b", Some("b")),
    ] {
        let found = one(line);
        assert_eq!(found.as_ref().map(|(_, v)| v.as_str()), expected, "{line:?}");
        assert!(found.is_none_or(|(n, _)| n == "A"), "{line:?}");
    }
}

#[test]
fn values_may_span_lines_and_lines_are_counted() {
    let text = "# one\nA=1\n\nK=\"x\ny\" # z\nB=2\n";
    let expected = [("A", "1", 2), ("K", "x\ny", 4), ("B", "2", 6)];
    assert_eq!(pairs(text), expected.map(|(n, v, l)| (n.to_owned(), v.to_owned(), l)));
}

#[test]
fn a_later_line_wins_and_a_stronger_place_wins_over_all() {
    let mut environment = crate::Environment::from_process([
        ("P".to_owned(), "process".to_owned()),
        ("E".to_owned(), String::new()),
    ]);
    environment.add_dotenv("/c/.env", &parse("P=1\nE=1\nX=1\nX=2\n"));
    environment.add_dotenv("/s/.env", &parse("X=3\nY=4\n"));
    let get = |n| environment.get(n).unwrap().to_owned();
    assert_eq!([get("P"), get("E"), get("X"), get("Y")], ["process", "", "2", "4"]);
    assert_eq!(environment.via("X").as_deref(), Some("/c/.env:4"));
    assert_eq!(environment.via("P"), None);
}

#[test]
fn parsing_never_panics_on_odd_text() {
    for text in ["A='", "A=\"\\", "export ", "export=1", "A='\u{3042}", "\u{3042}=1", "A=\n\n'", "\0A=1"] {
        assert!(parse(text).len() <= 1, "{text:?}");
    }
    assert!(parse(&"A='\n".repeat(2000)).len() <= 2000);
}

#[test]
fn another_value_is_put_in_and_nothing_else_changes() {
    let text =
        "\u{feff}# TOKEN=old\nA=1\n export TOKEN = 'old' # why\r\nTOKEN: \"two\nlines\"\nMY_TOKEN=old\nB=x";
    let after = with_value(text, "TOKEN", "new").unwrap();
    let wanted = "\u{feff}# TOKEN=old\nA=1\n export TOKEN=new # why\r\nTOKEN=new\nMY_TOKEN=old\nB=x";
    assert_eq!(after, wanted);
    assert_eq!(with_value("TOKEN=old", "TOKEN", "new").as_deref(), Some("TOKEN=new"));
    assert_eq!(with_value("A=1\n", "TOKEN", "new"), None);
    for bad in ["", "a b", "a\nB=2", "a#b", "'a'"] {
        assert_eq!(with_value("TOKEN=old", "TOKEN", bad), None, "{bad}");
    }
}
