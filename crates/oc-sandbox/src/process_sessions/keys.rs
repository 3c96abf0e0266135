//! Key names and what a terminal sends for them.

use thiserror::Error;

/// A key that has no meaning.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// An unknown name.
    #[error(
        "`{0}` is no key; use a character, a name like `Enter`, `Up`, `F5`, or one with `C-`, `M-`, `S-` before it"
    )]
    Name(String),
    /// Not hexadecimal.
    #[error("`{0}` is no byte in hexadecimal; use two digits, like `1b`")]
    Hex(String),
}

/// Keys that send one fixed sequence.
const FIXED: [(&str, &str); 11] = [
    ("enter", "\r"),
    ("return", "\r"),
    ("cr", "\r"),
    ("tab", "\t"),
    ("btab", "\u{1b}[Z"),
    ("escape", "\u{1b}"),
    ("esc", "\u{1b}"),
    ("space", " "),
    ("bspace", "\u{7f}"),
    ("backspace", "\u{7f}"),
    ("nul", "\0"),
];

/// Keys with a letter after the bracket: modifiers go between.
const LETTERED: [(&str, char); 6] =
    [("up", 'A'), ("down", 'B'), ("right", 'C'), ("left", 'D'), ("home", 'H'), ("end", 'F')];

/// Keys with a number before the tilde.
const NUMBERED: [(&str, u8); 18] = [
    ("insert", 2),
    ("ic", 2),
    ("delete", 3),
    ("del", 3),
    ("dc", 3),
    ("pageup", 5),
    ("pgup", 5),
    ("ppage", 5),
    ("pagedown", 6),
    ("pgdn", 6),
    ("npage", 6),
    ("f5", 15),
    ("f6", 17),
    ("f7", 18),
    ("f8", 19),
    ("f9", 20),
    ("f10", 21),
    ("f11", 23),
];

/// The bytes of `literal`, then `hex`, then `keys`.
///
/// # Errors
/// See [`KeyError`].
pub fn encode(keys: &[String], hex: &[String], literal: Option<&str>) -> Result<Vec<u8>, KeyError> {
    let mut out = literal.unwrap_or_default().as_bytes().to_vec();
    for text in hex {
        let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
        let plain = matches!(digits.len(), 1 | 2) && digits.bytes().all(|b| b.is_ascii_hexdigit());
        let byte = u8::from_str_radix(digits, 16).ok().filter(|_| plain);
        out.push(byte.ok_or_else(|| KeyError::Hex(text.clone()))?);
    }
    for key in keys {
        out.extend(one(key).ok_or_else(|| KeyError::Name(key.clone()))?.as_bytes());
    }
    Ok(out)
}

#[derive(Clone, Copy, Default)]
struct Held {
    shift: bool,
    meta: bool,
    control: bool,
}

fn one(key: &str) -> Option<String> {
    let mut held = Held::default();
    let mut name = key;
    while let Some((prefix, rest)) = name.split_once('-').filter(|(_, rest)| !rest.is_empty()) {
        match prefix {
            "C" | "c" | "Ctrl" | "ctrl" => held.control = true,
            "M" | "m" | "Alt" | "alt" => held.meta = true,
            "S" | "s" | "Shift" | "shift" => held.shift = true,
            _ => break,
        }
        name = rest;
    }
    if let Some(rest) = name.strip_prefix('^').filter(|r| !r.is_empty()) {
        held.control = true;
        name = rest;
    }
    let mut characters = name.chars();
    if let (Some(c), None) = (characters.next(), characters.next()) {
        return character(c, held);
    }
    let lower = name.to_ascii_lowercase();
    let modifier = 1 + u8::from(held.shift) + 2 * u8::from(held.meta) + 4 * u8::from(held.control);
    if let Some((_, letter)) = LETTERED.iter().find(|(n, _)| *n == lower) {
        return Some(if modifier == 1 {
            format!("\u{1b}[{letter}")
        } else {
            format!("\u{1b}[1;{modifier}{letter}")
        });
    }
    if let Some(number) =
        lower.strip_prefix('f').and_then(|n| n.parse::<u8>().ok()).filter(|n| (1..=4).contains(n))
    {
        let letter = char::from(b'O'.checked_add(number)?);
        return Some(if modifier == 1 {
            format!("\u{1b}O{letter}")
        } else {
            format!("\u{1b}[1;{modifier}{letter}")
        });
    }
    let numbered = NUMBERED.iter().find(|(n, _)| *n == lower).map(|(_, n)| *n);
    if let Some(number) = numbered.or((lower == "f12").then_some(24)) {
        return Some(if modifier == 1 {
            format!("\u{1b}[{number}~")
        } else {
            format!("\u{1b}[{number};{modifier}~")
        });
    }
    let (_, fixed) = FIXED.iter().find(|(n, _)| *n == lower)?;
    match (*fixed, held) {
        ("\t", Held { shift: true, control: false, meta: false }) => Some("\u{1b}[Z".to_owned()),
        (" ", Held { control: true, .. }) => character(' ', held),
        (fixed, Held { control: false, meta, .. }) => Some(with_meta(fixed.to_owned(), meta)),
        (_, Held { control: true, .. }) => None,
    }
}

fn character(c: char, held: Held) -> Option<String> {
    let text = if held.control {
        let byte = match c.to_ascii_uppercase() {
            ' ' | '@' => 0,
            '?' => 0x7f,
            upper @ 'A'..='_' => u8::try_from(u32::from(upper)).ok()? & 0x1f,
            _ => return None,
        };
        char::from(byte).to_string()
    } else if held.shift {
        c.to_uppercase().collect()
    } else {
        c.to_string()
    };
    Some(with_meta(text, held.meta))
}

fn with_meta(text: String, meta: bool) -> String {
    if meta { format!("\u{1b}{text}") } else { text }
}
