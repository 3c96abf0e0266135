//! How a secret may be written elsewhere: inside JSON, in an address, as base 64.

/// The text itself and its other spellings.
pub(super) fn of(secret: &str) -> Vec<String> {
    let json = serde_json::Value::from(secret).to_string();
    let json = json.get(1..json.len().saturating_sub(1)).unwrap_or_default().to_owned();
    let mut out = vec![secret.to_owned(), percent(secret), base64(secret.as_bytes())];
    // Once more for JSON inside a JSON text.
    let twice = serde_json::Value::from(json.as_str()).to_string();
    out.push(twice.get(1..twice.len().saturating_sub(1)).unwrap_or_default().to_owned());
    out.push(json);
    out
}

fn percent(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~');
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// Without padding and without the last character, which depends on what follows.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let whole = bytes.chunks_exact(3);
    whole
        .flat_map(|c| {
            let n = c.iter().fold(0usize, |n, b| (n << 8) | usize::from(*b));
            [n >> 18, n >> 12, n >> 6, n].map(|s| s & 63)
        })
        .filter_map(|s| ALPHABET.get(s).copied().map(char::from))
        .collect()
}
