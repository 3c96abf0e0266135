//! The words of a YAML line: keys, comments, scalars.

pub(super) fn is_item(text: &str) -> bool {
    text == "-" || text.starts_with("- ")
}

/// A line's text and the comment after it: a `#` at the start or after a blank, outside quotes.
pub(super) fn without_comment(line: &str) -> (&str, Option<&str>) {
    let mut quote = None;
    let mut before = ' ';
    let mut escaped = false;
    for (at, c) in line.char_indices() {
        match quote {
            Some(q) => {
                if c == q && !escaped {
                    quote = None;
                }
                escaped = q == '"' && c == '\\' && !escaped;
            }
            None if c == '#' && before.is_whitespace() => {
                let (text, comment) = line.split_at_checked(at).unwrap_or((line, ""));
                return (text.trim_end(), comment.strip_prefix('#'));
            }
            // A quote opens a text only where a value or key starts.
            None if matches!(c, '"' | '\'') && matches!(before, ' ' | '[' | ',' | '{') => quote = Some(c),
            None => {}
        }
        before = c;
    }
    (line.trim_end(), None)
}

/// `key: value` or `key:`, cut at the first colon that ends a key.
pub(super) fn split_key(text: &str) -> Option<(&str, &str)> {
    if let Some(quote @ ('"' | '\'')) = text.chars().next() {
        let end = text.get(1..)?.find(quote)? + 2;
        let (key, rest) = text.split_at_checked(end)?;
        let value = rest.trim_start().strip_prefix(':')?;
        return (value.is_empty() || value.starts_with(' ')).then(|| (key, value.trim()));
    }
    if is_item(text) {
        return None;
    }
    let (key, value) = match text.split_once(": ") {
        Some((key, value)) => (key, value.trim()),
        None => (text.strip_suffix(':')?, ""),
    };
    (!key.is_empty() && !key.starts_with(['{', '[', '?', '&', '*', '!', '|', '>', '@', '`']))
        .then_some((key.trim(), value))
}

pub(super) fn key_text(key: &str) -> Option<String> {
    match key.chars().next()? {
        '"' | '\'' => quoted(key),
        _ => Some(key.to_owned()),
    }
}

pub(super) fn written_key(key: &str) -> String {
    let mut chars = key.chars();
    let bare = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || matches!(c, '_' | '$'))
        && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '$'));
    if bare { key.to_owned() } else { json_text(key) }
}

fn json_text(text: &str) -> String {
    serde_json::Value::String(text.to_owned()).to_string()
}

/// The text inside quotes.
fn quoted(text: &str) -> Option<String> {
    match text.chars().next()? {
        '\'' => {
            let inner = text.strip_prefix('\'')?.strip_suffix('\'')?;
            let single = inner.replace("''", "");
            (text.len() >= 2 && !single.contains('\'')).then(|| inner.replace("''", "'"))
        }
        '"' => serde_json::from_str(text).ok(),
        _ => None,
    }
}

/// A value that stands on one line, as JSON5.
pub(super) fn scalar_or_list(text: &str) -> Option<String> {
    if text == "{}" {
        return Some("{}".to_owned());
    }
    let Some(inner) = text.strip_prefix('[') else { return scalar(text) };
    let inner = inner.strip_suffix(']')?.trim();
    if inner.contains(['[', '{', '"', '\'']) && inner.contains([']', '}', '\\']) {
        return None;
    }
    let mut items = Vec::new();
    for item in inner.split(',').map(str::trim).filter(|i| !i.is_empty()) {
        items.push(scalar(item)?);
    }
    Some(format!("[{}]", items.join(", ")))
}

/// One scalar as JSON5: quoted texts, `null`, booleans, decimal numbers; other words are texts.
fn scalar(text: &str) -> Option<String> {
    match text.chars().next()? {
        '"' | '\'' => return quoted(text).map(|t| json_text(&t)),
        '&' | '*' | '!' | '|' | '>' | '%' | '@' | '`' | '{' | '[' | '?' => return None,
        _ => {}
    }
    if text.contains(": ") || text.ends_with(':') {
        return None;
    }
    Some(match text {
        "~" | "null" | "Null" | "NULL" => "null".to_owned(),
        "true" | "True" | "TRUE" => "true".to_owned(),
        "false" | "False" | "FALSE" => "false".to_owned(),
        number if is_decimal(number) => number.to_owned(),
        word => json_text(word),
    })
}

fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    all_digits(whole) && all_digits(fraction) && (whole == "0" || !whole.starts_with('0'))
}
