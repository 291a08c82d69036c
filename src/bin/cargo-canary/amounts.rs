//! Times and sizes as they are written on the command line: as in `[probe]`.

use std::time::Duration;

use cargo_canary::probe::plan::duration_up_to;
pub(crate) use cargo_canary::probe::plan::{bytes, duration};

/// A time as [`duration`] reads it, up to ten years: so long a record may count.
pub(crate) fn validity(text: &str) -> Result<Duration, String> {
    duration_up_to(text, 3_650)
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
