//! Amounts as the engine's command line reads them.

use bollard::models::ResourcesUlimits;

/// A whole number.
pub(super) fn count(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| "is no whole number".to_owned())
}

/// Bytes: a number, optionally with a fraction, and one of the letters `k m g t p` (powers of 1024), optionally followed by `b`/`ib`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "the engine's command line counts in doubles, too; the range is checked"
)]
pub(crate) fn bytes(text: &str) -> Result<i64, String> {
    let wrong = || "is no amount of memory such as 512m or 1g".to_owned();
    let digits = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits).ok_or_else(wrong)?;
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let factor = match unit.trim_start().to_ascii_lowercase().as_str() {
        "" | "b" => 1_u64,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        "t" | "tb" | "tib" => 1 << 40,
        "p" | "pb" | "pib" => 1 << 50,
        _ => return Err(wrong()),
    };
    let bytes = number * factor as f64;
    if bytes >= 0.0 && bytes < i64::MAX as f64 { Ok(bytes as i64) } else { Err(wrong()) }
}

/// CPUs in billionths: at most nine digits after the point.
pub(super) fn nano_cpus(text: &str) -> Result<i64, String> {
    let wrong = || "is no number of CPUs such as 1.5".to_owned();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let all_digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) {
        return Err(wrong());
    }
    if fraction.len() > 9 {
        return Err("has more than nine digits after the point".to_owned());
    }
    format!("{whole}{fraction:0<9}").parse().map_err(|_| wrong())
}

/// `name=soft` or `name=soft:hard`; -1 is unlimited.
pub(super) fn ulimit(text: &str) -> Result<ResourcesUlimits, String> {
    let wrong = || "is no limit such as nofile=1024:2048".to_owned();
    let (name, values) = text.split_once('=').ok_or_else(wrong)?;
    let (soft, hard) = values.split_once(':').unwrap_or((values, values));
    let (soft, hard) = (count(soft).map_err(|_| wrong())?, count(hard).map_err(|_| wrong())?);
    if hard != -1 && (soft == -1 || soft > hard) {
        return Err(format!("the soft limit {soft} is above the hard limit {hard}"));
    }
    Ok(ResourcesUlimits { name: Some(name.to_owned()), soft: Some(soft), hard: Some(hard) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_the_engine_reads_them() {
        for (text, want) in [
            ("1g", 1 << 30),
            ("512m", 512 << 20),
            ("1.5g", 3 << 29),
            ("64kb", 65536),
            ("7", 7),
            ("1 GiB", 1 << 30),
        ] {
            assert_eq!(bytes(text), Ok(want), "{text}");
        }
        for bad in ["", "g", "1x", "-1", "1gg", "1.2.3"] {
            assert!(bytes(bad).is_err(), "{bad}");
        }
        assert_eq!(nano_cpus("1.5"), Ok(1_500_000_000));
        assert_eq!(nano_cpus("2"), Ok(2_000_000_000));
        assert_eq!(nano_cpus("0.000000001"), Ok(1));
        for bad in ["", ".", "1e3", "-1", "0.0000000001"] {
            assert!(nano_cpus(bad).is_err(), "{bad}");
        }
        let both = ulimit("nofile=5:9").expect("a limit");
        assert_eq!((both.soft, both.hard), (Some(5), Some(9)));
        assert_eq!(ulimit("nofile=5").expect("a limit").hard, Some(5));
        for bad in ["nofile", "nofile=9:5", "nofile=x"] {
            assert!(ulimit(bad).is_err(), "{bad}");
        }
    }
}
