//! Time spans as the configuration writes them: `30m`, `1h30m`, `45s`, `250ms`, `30d`.

/// Milliseconds of a span; a number without a unit counts in `unit_ms`. `None` for what is no span. Fractions of a millisecond go.
#[must_use]
pub fn millis(text: &str, unit_ms: u64) -> Option<u64> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    let mut total = 0.0_f64;
    while !rest.is_empty() {
        let digits = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let number: f64 = rest.strip_suffix(digits)?.parse().ok()?;
        let after = digits.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        let unit = digits.strip_suffix(after)?;
        if unit.is_empty() && !after.is_empty() {
            return None;
        }
        total += number * unit_millis(unit, unit_ms)?;
        rest = after.trim_start();
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "never negative, and the cast saturates"
    )]
    Some(total as u64)
}

fn unit_millis(unit: &str, own: u64) -> Option<f64> {
    Some(match unit.to_ascii_lowercase().as_str() {
        #[expect(clippy::cast_precision_loss, reason = "units are small numbers")]
        "" => own as f64,
        "ms" => 1.0,
        "s" => 1000.0,
        "m" => 60_000.0,
        "h" => 3_600_000.0,
        "d" => 86_400_000.0,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read() {
        for (text, want) in [
            ("30m", Some(1_800_000)),
            ("1h30m", Some(5_400_000)),
            ("1h 30m", Some(5_400_000)),
            ("1.5h", Some(5_400_000)),
            ("250ms", Some(250)),
            ("30D", Some(2_592_000_000)),
            ("5", Some(300_000)),
            ("0", Some(0)),
            ("", None),
            ("m", None),
            ("-1m", None),
            ("1..2m", None),
            ("3 weeks", None),
            ("5 5", None),
        ] {
            assert_eq!(millis(text, 60_000), want, "{text}");
        }
    }
}
