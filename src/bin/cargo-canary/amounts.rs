//! Times and sizes as they are written on the command line: as in `[probe]`.

use std::time::Duration;

pub(crate) use cargo_canary::probe::plan::{bytes, duration};

/// A number and what follows it.
fn split(text: &str) -> Result<(f64, &str), String> {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: f64 = number
        .parse()
        .map_err(|_| format!("`{text}` does not begin with a number"))?;
    Ok((number, unit.trim()))
}

/// The longest time that a record may count, in seconds.
const LONGEST_VALIDITY: f64 = 315_360_000.0;

/// A time as [`duration`] reads it, up to ten years.
pub(crate) fn validity(text: &str) -> Result<Duration, String> {
    let (number, unit) = split(text)?;
    let factor = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        _ => return Err(format!("`{unit}` is none of ms, s, m, h, d")),
    };
    let seconds = number * factor;
    if !(0.001..=LONGEST_VALIDITY).contains(&seconds) {
        let days = LONGEST_VALIDITY / 86_400.0;
        return Err(format!("a time is between 1 ms and {days} days"));
    }
    Ok(Duration::from_secs_f64(seconds))
}

/// A digest as reports write it: `sha256:` and 64 digits.
pub(crate) fn digest(text: &str) -> Result<String, String> {
    let hex = text.strip_prefix("sha256:").unwrap_or_default();
    if hex.len() == 64
        && hex
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    {
        Ok(text.to_owned())
    } else {
        Err(
            "a digest is `sha256:` and 64 digits in hex, as `diff-digest` of `check --format json`"
                .to_owned(),
        )
    }
}
