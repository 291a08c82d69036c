//! Times and sizes as they are written on the command line.

use std::time::Duration;

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

/// The longest time that a run may take, in seconds.
const LONGEST_RUN: f64 = 2_592_000.0;
/// The longest time that a record may count, in seconds.
const LONGEST_VALIDITY: f64 = 315_360_000.0;

/// A time: `500ms`, `60s`, `5m`, `1h`, `2d`; a bare number is seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    up_to(text, LONGEST_RUN)
}

/// As [`duration`], up to ten years.
pub(crate) fn validity(text: &str) -> Result<Duration, String> {
    up_to(text, LONGEST_VALIDITY)
}

fn up_to(text: &str, most: f64) -> Result<Duration, String> {
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
    if !(0.001..=most).contains(&seconds) {
        let days = most / 86_400.0;
        return Err(format!("a time is between 1 ms and {days} days"));
    }
    Ok(Duration::from_secs_f64(seconds))
}

/// A size: `512MiB`, `4GiB`, `1GB`; a bare number is bytes.
pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    let (number, unit) = split(text)?;
    let factor: f64 = match unit {
        "" | "B" => 1.0,
        "K" | "KiB" => 1024.0,
        "M" | "MiB" => 1_048_576.0,
        "G" | "GiB" => 1_073_741_824.0,
        "KB" | "kB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        _ => return Err(format!("`{unit}` is none of B, KiB, MiB, GiB, KB, MB, GB")),
    };
    let size = number * factor;
    if !(1.0..=1e18).contains(&size) {
        return Err("a size is between 1 byte and 10^18 bytes".to_owned());
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "within the bounds just checked"
    )]
    let size = size as u64;
    Ok(size)
}
