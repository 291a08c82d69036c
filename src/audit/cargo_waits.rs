//! What Cargo is set to wait after a release was published: from the environment,
//! from the base's `.cargo/config.toml` read as data, and from the user's Cargo
//! home. The nearest one counts, as with Cargo itself.
//!
//! Keys and the form of time spans:
//! <https://doc.rust-lang.org/nightly/cargo/reference/config.html#registryglobal-min-publish-age>.

use std::collections::BTreeMap;

use toml::{Table, Value};

use crate::host::Host;
use crate::pkg::Source;
use crate::policy::{CargoWaits, Wait};
use crate::snapshot::Opened;

/// Configuration files with more bytes than this are not read.
const LARGEST: u64 = 1 << 20;
/// The configuration files of a checkout; Cargo prefers the first, too.
const OF_BASE: [&str; 2] = [".cargo/config", ".cargo/config.toml"];
/// The names under which Cargo keeps its configuration in its home.
const OF_HOME: [&str; 2] = ["config", "config.toml"];

/// Reads the settings that hold for the base.
pub(super) fn read(base: &Opened<'_>, host: &Host) -> CargoWaits {
    let mut found = Found::default();
    // The farthest first: a nearer one takes its place.
    if let Some(home) = host.env.cargo_home() {
        let content = OF_HOME
            .iter()
            .find_map(|name| host.files.read(&home.join(name), LARGEST).ok());
        if let Some(content) = content {
            found.take(&content, "the user's Cargo configuration");
        }
    }
    for name in OF_BASE {
        match base.read_file(name, LARGEST) {
            Ok(Some(content)) => {
                found.take(&content, &format!("the base's `{name}`"));
                break;
            }
            Ok(None) => {}
            Err(_) => found
                .unreadable
                .push(format!("the base's `{name}` could not be read")),
        }
    }
    found.environment(host);
    found.waits()
}

#[derive(Default)]
struct Found {
    global: Option<(String, String)>,
    named: BTreeMap<String, (String, String)>,
    indexes: BTreeMap<String, String>,
    allows: bool,
    unreadable: Vec<String>,
}

impl Found {
    fn take(&mut self, content: &[u8], from: &str) {
        let Ok(text) = std::str::from_utf8(content) else {
            self.unreadable.push(format!("{from} is not UTF-8"));
            return;
        };
        let table: Table = match text.parse() {
            Ok(table) => table,
            Err(_) => {
                self.unreadable.push(format!("{from} is not TOML"));
                return;
            }
        };
        if let Some(value) = table
            .get("registry")
            .and_then(|it| it.get("global-min-publish-age"))
        {
            let key = "registry.global-min-publish-age";
            if let Some(text) = self.text(value, key, from) {
                self.global = Some((text, format!("`{key}` of {from}")));
            }
        }
        let registries = table.get("registries").and_then(Value::as_table);
        for (name, entry) in registries.into_iter().flatten() {
            if let Some(index) = entry.get("index").and_then(Value::as_str) {
                self.indexes.insert(name.clone(), index.to_owned());
            }
            if let Some(value) = entry.get("min-publish-age") {
                let key = format!("registries.{name}.min-publish-age");
                if let Some(text) = self.text(value, &key, from) {
                    let from = format!("`{key}` of {from}");
                    self.named.insert(name.clone(), (text, from));
                }
            }
        }
        let allows = table
            .get("resolver")
            .and_then(|it| it.get("incompatible-publish-age"))
            .and_then(Value::as_str);
        if let Some(word) = allows {
            self.allows = word == "allow";
        }
    }

    fn text(&mut self, value: &Value, key: &str, from: &str) -> Option<String> {
        let text = value.as_str().map(str::to_owned);
        if text.is_none() {
            self.unreadable
                .push(format!("`{key}` of {from} is not a text"));
        }
        text
    }

    fn environment(&mut self, host: &Host) {
        let get = |name: &str| Some(host.env.get(name)?.to_string_lossy().into_owned());
        let global = "CARGO_REGISTRY_GLOBAL_MIN_PUBLISH_AGE";
        if let Some(text) = get(global) {
            self.global = Some((text, format!("the variable `{global}`")));
        }
        let names: Vec<String> = self
            .indexes
            .keys()
            .cloned()
            .chain(["crates-io".to_owned()])
            .collect();
        for name in names {
            let upper = name.to_uppercase().replace('-', "_");
            let variable = format!("CARGO_REGISTRIES_{upper}_MIN_PUBLISH_AGE");
            if let Some(text) = get(&variable) {
                self.named
                    .insert(name, (text, format!("the variable `{variable}`")));
            }
        }
        if let Some(word) = get("CARGO_RESOLVER_INCOMPATIBLE_PUBLISH_AGE") {
            self.allows = word == "allow";
        }
    }

    fn waits(self) -> CargoWaits {
        let mut waits = CargoWaits {
            unreadable: self.unreadable,
            ..CargoWaits::default()
        };
        if self.allows {
            return waits;
        }
        let mut wait = |(text, from): (String, String)| match span_in_days(&text) {
            Some(days) => Some(Wait { days, from }),
            None => {
                let text: String = text.chars().take(60).collect();
                waits.unreadable.push(format!(
                    "{from} is `{}`, which is no time span such as `7 days`",
                    text.escape_debug()
                ));
                None
            }
        };
        let global = self.global.and_then(&mut wait);
        let mut registries = BTreeMap::new();
        for (name, stated) in self.named {
            let source = if name == "crates-io" {
                Some(Source::CratesIo)
            } else {
                self.indexes.get(&name).and_then(|index| source_of(index))
            };
            if let (Some(source), Some(wait)) = (source, wait(stated)) {
                registries.insert(source, wait);
            }
        }
        waits.global = global;
        waits.registries = registries;
        waits
    }
}

/// The source that lock files write for the registry with this index.
fn source_of(index: &str) -> Option<Source> {
    if index.starts_with("sparse+") || index.starts_with("registry+") {
        Source::parse(index).ok()
    } else {
        Source::parse(&format!("registry+{index}")).ok()
    }
}

/// A whole number and a unit, as Cargo writes time spans; `0` alone is none.
fn span_in_days(text: &str) -> Option<f64> {
    if text == "0" {
        return Some(0.0);
    }
    let at = text.find(|c: char| !c.is_ascii_digit())?;
    let (count, unit) = text.split_at(at);
    let count: u32 = count.parse().ok()?;
    let seconds = match unit.strip_prefix(' ').unwrap_or(unit) {
        "second" | "seconds" => 1.0,
        "minute" | "minutes" => 60.0,
        "hour" | "hours" => 3_600.0,
        "day" | "days" => 86_400.0,
        "week" | "weeks" => 604_800.0,
        // Cargo's month is the twelfth part of a mean Gregorian year.
        "month" | "months" => 2_629_746.0,
        _ => return None,
    };
    Some(f64::from(count) * seconds / 86_400.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(files: &[(&str, &str)]) -> CargoWaits {
        let mut found = Found::default();
        for (from, text) in files {
            found.take(text.as_bytes(), from);
        }
        found.waits()
    }

    #[test]
    fn time_spans_are_those_of_cargo() {
        assert_eq!(span_in_days("0"), Some(0.0));
        assert_eq!(span_in_days("3 days"), Some(3.0));
        assert_eq!(span_in_days("1 day"), Some(1.0));
        assert_eq!(span_in_days("2weeks"), Some(14.0));
        assert_eq!(span_in_days("12 hours"), Some(0.5));
        assert_eq!(span_in_days("1 month"), Some(2_629_746.0 / 86_400.0));
        for wrong in [
            "",
            "3",
            "days",
            "-1 days",
            "3 fortnights",
            "3.5 days",
            "3  days",
        ] {
            assert_eq!(span_in_days(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_nearest_setting_counts_and_a_registry_has_its_own() {
        let home = "[registry]\nglobal-min-publish-age = \"30 days\"\n[registries.ours]\nindex = \"sparse+https://r.example/\"\n";
        let base = "[registry]\nglobal-min-publish-age = \"7 days\"\n[registries.ours]\nmin-publish-age = \"0\"\n[registries.crates-io]\nmin-publish-age = \"1 day\"\n";
        let waits = waits(&[("home", home), ("base", base)]);
        let global = waits.global.unwrap();
        assert_eq!(global.days, 7.0);
        assert_eq!(global.from, "`registry.global-min-publish-age` of base");
        let ours = Source::parse("sparse+https://r.example/").unwrap();
        assert_eq!(waits.registries[&ours].days, 0.0);
        assert_eq!(waits.registries[&Source::CratesIo].days, 1.0);
        assert!(waits.unreadable.is_empty());
    }

    #[test]
    fn a_resolver_that_allows_fresh_releases_waits_for_nothing() {
        let text = "[registry]\nglobal-min-publish-age = \"7 days\"\n[resolver]\nincompatible-publish-age = \"allow\"\n";
        assert_eq!(waits(&[("x", text)]), CargoWaits::default());
        let deny = text.replace("allow", "deny");
        assert!(waits(&[("x", &deny)]).global.is_some());
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let found = waits(&[
            ("a", "[registry"),
            ("b", "registry.global-min-publish-age = 7"),
            ("c", "registry.global-min-publish-age = \"soon\""),
        ]);
        assert_eq!(
            found.unreadable,
            [
                "a is not TOML",
                "`registry.global-min-publish-age` of b is not a text",
                "`registry.global-min-publish-age` of c is `soon`, which is no time span such as `7 days`",
            ]
        );
        assert_eq!(found.global, None);
    }
}
