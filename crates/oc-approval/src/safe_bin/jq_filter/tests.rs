use super::check;

#[track_caller]
fn passes(filters: &[&str]) {
    for filter in filters {
        assert_eq!(check(filter), Ok(()), "{filter}");
    }
}

#[track_caller]
fn asks(filters: &[&str]) {
    for filter in filters {
        assert_eq!(check(filter).expect_err(filter).word, "operand");
    }
}

#[test]
fn sp_143_filters_that_only_compute() {
    passes(&[
        "",
        ".",
        ".a",
        ".a.b[0]",
        ".[]",
        ".[] | select(.x > 1) | .name",
        "map(.a)",
        "{a, b: .c, \"d e\": 1}",
        ".env",
        ".[\"env\"]",
        "{env: .x, debug, include: 1, input_filename: {env}}",
        "\"a \\(.b) c \\(\"x\\(.y)\")\"",
        "@csv",
        "@base64 \"x\\(.a)\"",
        ".. | numbers",
        "def f(g; $x): g + $x; f(.a; 1)",
        "reduce .[] as $x (0; . + $x)",
        "foreach .[] as {a: $x, env: $y} (0; . + $x; [$x, .])",
        "if .a then .b elif .c then .d else empty end",
        "try error(\"x\") catch .",
        ".a // \"b\"",
        ".a |= . + 1",
        ".a? // .b",
        "[limit(3; .[])]",
        "label $out | foreach .[] as $i (0; .+$i; if . > 3 then ., break $out else . end)",
        "$__loc__",
        "to_entries[] | \"\\(.key)=\\(.value)\"",
        ".a[1:3], .b[-1:]",
        "1e3 + 1.5 + .5",
        "# env",
        "input, inputs",
        "test(\"a|b\"; \"i\")",
        "\"env $ENV \\\\(env)\"",
        "group_by(.a) | length",
        "$x",
        "--1",
        ".a as [$x, $y] | $x",
        ".a as $x ?// [$x] | $x",
        "paths(type == \"number\")",
        "ltrimstr(\"a\")",
        ".a and .b or (.c | not)",
        "now | strftime(\"%Y\")",
        "with_entries(select(.key | startswith(\"x\")))",
        ".\"env\"",
        ".a.env.include",
        "{(.a): 1}",
        "{$x, @json \"y\": 1}",
        "sort_by(.a, .b) | reverse | first",
        "{a: (1, 2)}",
        "add / length",
        "keys - [\"a\"]",
        "getpath([\"a\",\"b\"])",
        "[.[] | tostring] | join(\",\")",
    ]);
}

#[test]
fn sp_143_filters_that_read_the_environment_or_modules() {
    asks(&[
        "env",
        "$ENV.SECRET",
        "env|keys",
        "$ENV",
        "$ ENV",
        "$\tENV",
        "$ # x\nENV",
        "include \"payload\"; .",
        "import \"a\" as b; b::f",
        "import \"a\" as $b; $b",
        "input_filename",
        "debug",
        ". | debug(\"x\")",
        "halt_error",
        "stderr",
        "modulemeta",
        "get_search_list",
        "\"a\\(env)\"",
        "\"\\(\"\\(env)\")\"",
        "{a: env}",
        "{(env|tostring): 1}",
        "{\"\\(env)\": 1}",
        "{$ENV}",
        "[env]",
        "def env: 1; env",
        "def f: env; f",
        "(def env: 1; env), env",
        ". env",
        ".. env",
        "..env",
        ".[] | env",
        "map(env)",
        "@json \"\\(env)\"",
        "1env",
        "1e env",
        "a::env",
        "$__prog_args",
        "module {}; .",
        "{a: 1} , env",
        "[1, env]",
        "{a: [1, env]}",
        "{a: f(1, env)}",
        "unknown_function",
        "def f(env): 1; f(2)",
        "$a::b",
        ".a|env",
        "if env then 1 else 2 end",
        "{a:1|env}",
        "{a:.x}|env",
        "limit(1; env)",
        "{a,b}|env",
        ".\"\\(env)\"",
        ".[env]",
        "env.PATH",
        "-env",
        "{(\"a\",env):1}",
    ]);
}

#[test]
fn sp_143_filters_that_are_not_read_to_their_end() {
    asks(&[
        "\"a", "(", "]", "{", "\"\\(", "\"\\(.a", "\"\\(.a)", "(]", "# x\\\n.", "\\", "`", "'a'", "&", "é",
        "\"a\\", ".\r", "\u{b}",
    ]);
}

#[test]
fn the_lists_are_sorted() {
    use super::{FUNCTIONS, KEYWORDS, REFUSED};
    assert!(KEYWORDS.is_sorted() && FUNCTIONS.is_sorted() && REFUSED.is_sorted());
}
