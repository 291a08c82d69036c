//! The `[probe]` table of `canary.toml`: the workload that a repository names, and
//! what it may take. Pure.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

/// Why the table cannot be used; says line and column.
#[derive(Debug, thiserror::Error)]
#[error("the table [probe] of {file} cannot be used")]
pub struct PlanError {
    /// Which file.
    pub file: String,
    /// What is wrong, and where.
    #[source]
    pub source: toml::de::Error,
}

/// The workload that a repository names. What is left out is as on the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Plan {
    /// The executable that is meant, where there are several.
    pub bin: Option<String>,
    /// The arguments of the program; `{port}` is a free port.
    pub args: Vec<String>,
    /// Further arguments of `cargo build`.
    pub build_args: Option<Vec<String>>,
    /// A shell command that succeeds when a server is ready.
    pub ready: Option<String>,
    /// How long it may take until then.
    #[serde(deserialize_with = "time")]
    pub ready_timeout: Option<Duration>,
    /// A shell command that makes work for a server.
    pub load: Option<String>,
    /// The address at which the program tells its counters.
    pub metrics: Option<String>,
    /// The gauges among them that are judged.
    pub watch: Vec<String>,
    /// The counter among them that tells how much work was done.
    pub per: Option<String>,
    /// How long each side runs.
    #[serde(deserialize_with = "time")]
    pub duration: Option<Duration>,
    /// The most memory that a side may hold, in bytes.
    #[serde(deserialize_with = "size")]
    pub max_memory: Option<u64>,
    /// The most processes that a side may have.
    pub max_processes: Option<u64>,
    /// The memory at which the service fails, in bytes.
    #[serde(deserialize_with = "size")]
    pub memory_limit: Option<u64>,
    /// The number of descriptors at which the service fails.
    pub fd_limit: Option<u64>,
    /// Whether the workload may reach a network; it may when this is left out.
    pub network: Option<bool>,
}

#[derive(Deserialize)]
struct File {
    probe: Option<Plan>,
}

/// Reads the table out of a policy file; `None` when it has none. The other tables
/// are the policy's.
///
/// # Errors
/// When the file is no TOML, or a key of the table is unknown or has a wrong value.
pub fn read(text: &str, file: &str) -> Result<Option<Plan>, PlanError> {
    toml::from_str::<File>(text)
        .map(|read| read.probe)
        .map_err(|source| PlanError {
            file: file.to_owned(),
            source,
        })
}

fn time<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(value)?;
    duration(&text).map(Some).map_err(serde::de::Error::custom)
}

fn size<'de, D: Deserializer<'de>>(value: D) -> Result<Option<u64>, D::Error> {
    let text = String::deserialize(value)?;
    bytes(&text).map(Some).map_err(serde::de::Error::custom)
}

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

/// Reads a time up to thirty days: `500ms`, `60s`, `5m`, `1h`, `7d`; a bare number is
/// seconds.
///
/// # Errors
/// Says what is wrong with the text.
pub fn duration(text: &str) -> Result<Duration, String> {
    duration_up_to(text, 30)
}

/// Reads a time up to so many days, as [`duration`] does.
///
/// # Errors
/// Says what is wrong with the text.
pub fn duration_up_to(text: &str, days: u32) -> Result<Duration, String> {
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
    if !(0.001..=f64::from(days) * 86_400.0).contains(&seconds) {
        return Err(format!("a time is between 1 ms and {days} days"));
    }
    Ok(Duration::from_secs_f64(seconds))
}

/// Reads a size: `512MiB`, `4GiB`, `1GB`; a bare number is bytes.
///
/// # Errors
/// Says what is wrong with the text.
pub fn bytes(text: &str) -> Result<u64, String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_beside_those_of_the_policy() {
        let text = "version = 1\n[risk]\ncanary = 40\n[probe]\nargs = [\"--port\", \"{port}\"]\nready = \"curl -fs localhost:{port}\"\nduration = \"2m\"\nmax-memory = \"1GiB\"\nnetwork = false\n";
        let plan = read(text, "canary.toml").unwrap().unwrap();
        assert_eq!(plan.args, ["--port", "{port}"]);
        assert_eq!(plan.duration, Some(Duration::from_secs(120)));
        assert_eq!(plan.max_memory, Some(1 << 30));
        assert_eq!(plan.network, Some(false));
        assert_eq!(plan.load, None);
        assert_eq!(read("version = 1\n", "canary.toml").unwrap(), None);
    }

    #[test]
    fn an_unknown_key_and_a_wrong_value_are_told_with_their_place() {
        for (line, says) in [
            ("loads = \"x\"", "loads"),
            ("duration = \"5 parsecs\"", "parsecs"),
            ("max-memory = \"much\"", "much"),
            ("max-processes = -1", "-1"),
        ] {
            let error = read(&format!("[probe]\n{line}\n"), "canary.toml").unwrap_err();
            let said = error.source.to_string();
            assert!(said.contains(says) && said.contains("line 2"), "{said}");
        }
    }
}
