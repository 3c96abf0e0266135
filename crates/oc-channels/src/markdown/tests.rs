use proptest::prelude::*;

use super::*;

fn html(text: &str) -> String {
    render(text, &Html)
}

#[test]
fn marks_become_tags_and_the_rest_is_escaped() {
    for (text, expected) in [
        ("plain", "plain"),
        ("a < b & c > \"d\"", "a &lt; b &amp; c &gt; &quot;d&quot;"),
        ("**bold** and *it* and _it_ and ~~no~~", "<b>bold</b> and <i>it</i> and <i>it</i> and <s>no</s>"),
        ("**bold *both* bold**", "<b>bold <i>both</i> bold</b>"),
        ("snake_case_name 2*3*4", "snake_case_name 2*3*4"),
        ("**open", "**open"),
        ("* item\n* item", "* item\n* item"),
        ("`a<b` ``x`y``", "<code>a&lt;b</code> <code>x`y</code>"),
        ("# Title\ntext", "<b>Title</b>\ntext"),
        (
            "```rust\nlet x = 1 < 2;\n```\nafter",
            "<pre><code class=\"language-rust\">let x = 1 &lt; 2;</code></pre>\nafter",
        ),
        ("```\nopen", "<pre>open</pre>"),
        ("[x](https://e.org/a?b=1&c=2)", "<a href=\"https://e.org/a?b=1&amp;c=2\">x</a>"),
        ("[x](javascript:alert(1))", "[x](javascript:alert(1))"),
        ("[x](https://e.org/\"onclick=)", "<a href=\"https://e.org/&quot;onclick=\">x</a>"),
        ("\\*not\\* <i>raw</i>", "*not* &lt;i&gt;raw&lt;/i&gt;"),
        ("**`**`**", "<b><code>**</code></b>"),
    ] {
        assert_eq!(html(text), expected, "{text}");
    }
    assert_eq!(render("**b** `c` [l](https://e.org) ~~s~~", &Plain), "b c l (https://e.org) s");
}

/// Every tag is one of ours and closes in order.
fn balanced(text: &str) -> bool {
    let mut open: Vec<&str> = Vec::new();
    for piece in text.split('<').skip(1) {
        let Some((tag, _)) = piece.split_once('>') else { return false };
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop() != Some(name) {
                return false;
            }
        } else {
            let name = tag.split(' ').next().unwrap();
            if !["b", "i", "s", "code", "pre", "a"].contains(&name) {
                return false;
            }
            open.push(name);
        }
    }
    open.is_empty()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_text_gives_balanced_tags(text in "[a-c <>&\"*_~`#\\\\\\[\\]()\n:/h]{0,60}") {
        let out = html(&text);
        prop_assert!(balanced(&out), "{out}");
    }

    #[test]
    fn any_text_is_rendered(text in any::<String>()) {
        let out = html(&text);
        prop_assert!(balanced(&out), "{out}");
        let _ = render(&text, &Plain);
    }
}
