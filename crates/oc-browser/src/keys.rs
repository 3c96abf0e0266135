//! Names of keys, as `press` takes them: `Enter`, `a`, `Control+A`. Pure.

use crate::cdp::method::Key;

/// Named keys: name, code, Windows code, text.
const NAMED: &[(&str, &str, i64, &str)] = &[
    ("Enter", "Enter", 13, "\r"),
    ("Tab", "Tab", 9, ""),
    ("Escape", "Escape", 27, ""),
    ("Backspace", "Backspace", 8, ""),
    ("Delete", "Delete", 46, ""),
    ("Space", "Space", 32, " "),
    ("ArrowLeft", "ArrowLeft", 37, ""),
    ("ArrowUp", "ArrowUp", 38, ""),
    ("ArrowRight", "ArrowRight", 39, ""),
    ("ArrowDown", "ArrowDown", 40, ""),
    ("Home", "Home", 36, ""),
    ("End", "End", 35, ""),
    ("PageUp", "PageUp", 33, ""),
    ("PageDown", "PageDown", 34, ""),
];

/// Modifiers and their bits.
const MODIFIERS: [(&str, i64); 4] = [("Alt", 1), ("Control", 2), ("Meta", 4), ("Shift", 8)];

/// The presses and releases of a key; `None` for a name that there is not.
pub(crate) fn of(name: &str) -> Option<[Key; 2]> {
    let (mut rest, mut modifiers) = (name, 0);
    // `+` is a key itself when nothing follows it.
    while let Some((word, after)) =
        rest.split_once('+').filter(|(word, after)| !word.is_empty() && !after.is_empty())
    {
        modifiers |= MODIFIERS.iter().find(|(m, _)| *m == word)?.1;
        rest = after;
    }
    let key = match NAMED.iter().find(|(n, ..)| *n == rest) {
        Some((name, code, number, text)) => Key {
            key: if *name == "Space" { " ".to_owned() } else { (*name).to_owned() },
            code: Some((*code).to_owned()),
            windows_virtual_key_code: Some(*number),
            text: (!text.is_empty() && modifiers & 7 == 0).then(|| (*text).to_owned()),
            modifiers,
            r#type: "keyDown",
        },
        None => {
            let mut characters = rest.chars();
            let (Some(one), None) = (characters.next(), characters.next()) else { return None };
            if one.is_control() {
                return None;
            }
            let upper = one.to_ascii_uppercase();
            Key {
                key: one.to_string(),
                code: None,
                windows_virtual_key_code: upper.is_ascii_alphanumeric().then(|| i64::from(u32::from(upper))),
                text: (modifiers & 7 == 0).then(|| one.to_string()),
                modifiers,
                r#type: "keyDown",
            }
        }
    };
    let up = Key { r#type: "keyUp", text: None, ..key.clone() };
    Some([key, up])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_a_name_or_is_one_character() {
        let [down, up] = of("Enter").unwrap();
        assert_eq!(
            (down.r#type, down.text.as_deref(), up.r#type, up.text),
            ("keyDown", Some("\r"), "keyUp", None)
        );
        let [down, _] = of("Control+a").unwrap();
        assert_eq!((down.modifiers, down.text, down.windows_virtual_key_code), (2, None, Some(65)));
        assert_eq!(of("Shift+Tab").unwrap()[0].modifiers, 8);
        assert_eq!(of("+").unwrap()[0].key, "+");
        for none in ["", "enter", "ab", "Hyper+a", "Control+", "\n"] {
            assert!(of(none).is_none(), "{none:?}");
        }
    }
}
