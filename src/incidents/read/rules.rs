//! The `[[affects]]` tables of an incident file: which releases are bad.

use std::ops::Range;

use semver::{Version, VersionReq};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::sheet::{Placed, Sheet, short};
use crate::incidents::defect::nearest;
use crate::incidents::range::holds;
use crate::incidents::record::{Affected, Affects};

/// The most rules of one incident.
const MAX_RULES: usize = 64;
/// The most crates of one rule.
const MAX_CRATES: usize = 16;
/// The longest version or requirement, in characters.
const MAX_VERSION: usize = 100;

/// The keys of a rule.
pub(in crate::incidents) const KEYS: &[&str] = &[
    "crates",
    "introduced",
    "fixed-in",
    "features",
    "features-off",
];

/// Reads all rules.
pub(super) fn affects(sheet: &mut Sheet<'_>, table: &DeTable<'_>) -> Vec<Affects> {
    let Some(value) = table.get("affects") else {
        return Vec::new();
    };
    let Some(array) = value
        .get_ref()
        .as_array()
        .filter(|array| array.len() <= MAX_RULES)
    else {
        let expected = format!("at most {MAX_RULES} tables `[[affects]]`");
        sheet.bad(value.span().start, "affects", expected);
        return Vec::new();
    };
    array
        .iter()
        .filter_map(|entry| rule(sheet, entry))
        .collect()
}

/// Reads one rule.
fn rule(sheet: &mut Sheet<'_>, entry: &Spanned<DeValue<'_>>) -> Option<Affects> {
    let Some(table) = entry.get_ref().as_table() else {
        sheet.bad(entry.span().start, "affects", "a table");
        return None;
    };
    sheet.check_keys(table, KEYS);
    let crates = crates(sheet, table, entry.span());
    let mut rule = Affects { crates };
    rule.crates.sort_by(|a, b| a.name.cmp(&b.name));
    for (name, value) in per_crate(sheet, table, "introduced", &rule) {
        let version = sheet
            .text_of("introduced", value, MAX_VERSION)
            .and_then(|text| version(sheet, "introduced", &text));
        if let Some((version, at)) = version {
            introduced(sheet, &mut rule, &name, version, at);
        }
    }
    for (name, value) in per_crate(sheet, table, "fixed-in", &rule) {
        fixed_in(sheet, &mut rule, &name, value);
    }
    for key in ["features", "features-off"] {
        for (name, value) in per_crate(sheet, table, key, &rule) {
            features(sheet, &mut rule, key, &name, value);
        }
    }
    (!rule.crates.is_empty()).then_some(rule)
}

/// Sets the features that have to be on, or off.
fn features(
    sheet: &mut Sheet<'_>,
    rule: &mut Affects,
    key: &'static str,
    name: &str,
    value: &Spanned<DeValue<'_>>,
) {
    let texts = sheet.texts_of(key, value, MAX_VERSION);
    let mut features: Vec<String> = texts.iter().map(|(text, _)| text.clone()).collect();
    features.sort();
    let Some(affected) = rule
        .crates
        .iter_mut()
        .find(|affected| affected.name == name)
    else {
        return;
    };
    if key == "features" {
        affected.features = features;
        return;
    }
    for (text, span) in texts {
        if affected.features.contains(&text) {
            let what = format!("the feature `{}` would have to be on and off", short(&text));
            sheet.contradiction(span.start, what);
        }
    }
    affected.features_off = features;
}

/// The crates of a rule with their bad ranges.
fn crates(sheet: &mut Sheet<'_>, table: &DeTable<'_>, rule: Range<usize>) -> Vec<Affected> {
    let value = table.get("crates");
    let at = value.map_or(rule.start, |value| value.span().start);
    let named = value
        .and_then(|value| value.get_ref().as_table())
        .filter(|named| !named.is_empty() && named.len() <= MAX_CRATES);
    let Some(named) = named else {
        sheet.bad(
            at,
            "crates",
            format!("a table of 1 to {MAX_CRATES} crates with their bad versions"),
        );
        return Vec::new();
    };
    let mut crates = Vec::new();
    for (name, value) in named {
        check_name(sheet, name);
        let Some((text, span)) = sheet.text_of("crates", value, MAX_VERSION) else {
            continue;
        };
        match text.parse::<VersionReq>() {
            Ok(range) => crates.push(Affected {
                name: name.as_ref().to_string(),
                range,
                introduced: None,
                fixed_in: Vec::new(),
                features: Vec::new(),
                features_off: Vec::new(),
            }),
            Err(error) => sheet.bad(
                span.start,
                "crates",
                format!("a range of versions ({error})"),
            ),
        }
    }
    crates
}

/// A name that a registry would take.
fn check_name(sheet: &mut Sheet<'_>, name: &Spanned<std::borrow::Cow<'_, str>>) {
    let text: &str = name.as_ref();
    let fits = !text.is_empty()
        && text.len() <= 64
        && text
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_');
    if !fits {
        sheet.bad(name.span().start, text, "the name of a crate");
    }
}

/// The entries of a table that says something of the rule's crates.
fn per_crate<'t, 'i>(
    sheet: &mut Sheet<'_>,
    table: &'t DeTable<'i>,
    key: &'static str,
    rule: &Affects,
) -> Vec<(String, &'t Spanned<DeValue<'i>>)> {
    let Some(value) = table.get(key) else {
        return Vec::new();
    };
    let Some(named) = value.get_ref().as_table() else {
        sheet.bad(value.span().start, key, "a table by crate");
        return Vec::new();
    };
    let mut entries = Vec::new();
    for (name, value) in named {
        let text: &str = name.as_ref();
        if rule.crates.iter().any(|affected| affected.name == text) {
            entries.push((text.to_owned(), value));
        } else {
            let near = nearest(
                text,
                rule.crates.iter().map(|affected| affected.name.as_str()),
            );
            let near = near
                .map(|near| format!("; the nearest is `{near}`"))
                .unwrap_or_default();
            let what = format!(
                "`{}` in `{key}` is not one of the rule's crates{near}",
                short(text)
            );
            sheet.contradiction(name.span().start, what);
        }
    }
    entries
}

/// Reads a version.
fn version(
    sheet: &mut Sheet<'_>,
    key: &str,
    (text, span): &Placed<String>,
) -> Option<(Version, usize)> {
    match text.parse::<Version>() {
        Ok(version) => Some((version, span.start)),
        Err(error) => {
            sheet.bad(span.start, key, format!("a version ({error})"));
            None
        }
    }
}

/// Sets the first bad release, which must be in the bad range.
fn introduced(sheet: &mut Sheet<'_>, rule: &mut Affects, name: &str, version: Version, at: usize) {
    let Some(affected) = rule
        .crates
        .iter_mut()
        .find(|affected| affected.name == name)
    else {
        return;
    };
    if !holds(&affected.range, &version) {
        let what = format!(
            "{name} {version} is said to have brought the fault, and is not in `{}`",
            affected.range
        );
        sheet.contradiction(at, what);
    }
    affected.introduced = Some(version);
}

/// Sets the releases with the repair, which must not be in the bad range.
fn fixed_in(sheet: &mut Sheet<'_>, rule: &mut Affects, name: &str, value: &Spanned<DeValue<'_>>) {
    let texts = if value.get_ref().is_array() {
        sheet.texts_of("fixed-in", value, MAX_VERSION)
    } else {
        sheet
            .text_of("fixed-in", value, MAX_VERSION)
            .into_iter()
            .collect()
    };
    let versions: Vec<(Version, usize)> = texts
        .iter()
        .filter_map(|text| version(sheet, "fixed-in", text))
        .collect();
    let Some(affected) = rule
        .crates
        .iter_mut()
        .find(|affected| affected.name == name)
    else {
        return;
    };
    for (version, at) in versions {
        if holds(&affected.range, &version) {
            let what = format!(
                "{name} {version} is said to be repaired, and is in the bad range `{}`",
                affected.range
            );
            sheet.contradiction(at, what);
        }
        affected.fixed_in.push(version);
    }
    affected.fixed_in.sort();
}
