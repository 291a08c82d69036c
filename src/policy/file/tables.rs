//! The tables of a policy file.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use crate::facts::{FactKind, GapReason};
use crate::ledger::{Place, PlaceError};
use crate::snapshot::FeatureChoice;

use super::super::exempt::Versions;
use super::super::{Effect, GapSetting};
use super::values::{Reader, integer, shown};
use super::{At, GapKey, Layer, RawExemption, RawRule, Threshold};

/// How many rules one file may have.
const MOST_RULES: usize = 1_000;
/// How many exemptions one file may have.
const MOST_EXEMPTIONS: usize = 10_000;

const ROOT: [&str; 14] = [
    "version",
    "extends",
    "build",
    "risk",
    "gaps",
    "cooldown",
    "ratchet",
    "rule",
    "exempt",
    "canary",
    "ledger",
    "probe",
    "rollout",
    "exemptions",
];
/// The keys of the table that `probe` reads, see `docs/probe.md`.
pub(in crate::policy) const PROBE: [&str; 15] = [
    "bin",
    "args",
    "build-args",
    "ready",
    "ready-timeout",
    "load",
    "metrics",
    "watch",
    "per",
    "duration",
    "max-memory",
    "max-processes",
    "memory-limit",
    "fd-limit",
    "network",
];
/// The keys of the table that `rollout` reads, see `docs/rollout.md`.
pub(in crate::policy) const ROLLOUT: [&str; 22] = [
    "prometheus",
    "baseline",
    "canary",
    "token-file",
    "user",
    "password-file",
    "client-certificate",
    "client-key",
    "ca",
    "headers",
    "timeout",
    "duration",
    "step",
    "rate-window",
    "warm-up",
    "time-between-deploys",
    "confidence",
    "alike",
    "restarts",
    "skip",
    "metric",
    "plan",
];
const RULE: [&str; 8] = [
    "id",
    "when",
    "then",
    "reason",
    "enabled",
    "scope",
    "wait-days",
    "summarises",
];
const EXEMPT: [&str; 6] = ["package", "version", "rules", "reason", "by", "until"];
pub(in crate::policy) const EFFECTS: [(&str, Effect); 4] = [
    ("warn", Effect::Warn),
    ("canary", Effect::Canary),
    ("incomplete", Effect::Incomplete),
    ("block", Effect::Block),
];
pub(in crate::policy) const SETTINGS: [(&str, GapSetting); 5] = [
    ("pass", GapSetting::Pass),
    ("warn", GapSetting::Warn),
    ("canary", GapSetting::Canary),
    ("incomplete", GapSetting::Incomplete),
    ("block", GapSetting::Block),
];
pub(in crate::policy) const REASONS: [GapReason; 9] = [
    GapReason::OfflineAndNotCached,
    GapReason::FetchFailed,
    GapReason::NotInRegistry,
    GapReason::NotRecorded,
    GapReason::Malformed,
    GapReason::OverLimit,
    GapReason::NotKnownAsOf,
    GapReason::CoarseGraph,
    GapReason::Contradicted,
];
/// Kinds of fact that policies may name and that are not gathered yet.
pub(in crate::policy) const LATER: [&str; 2] = ["archive", "changelog"];

impl Layer {
    pub(super) fn fill(&mut self, reader: &mut Reader, root: &DeTable<'_>) {
        reader.known("policy file", root, &ROOT);
        version(reader, root);
        self.extends = super::cooldown::extends(reader, root);
        if let Some(build) = reader.table("policy file", "build", root) {
            self.build(reader, build);
        }
        if let Some(risk) = reader.table("policy file", "risk", root) {
            reader.known("[risk]", risk, &["canary", "block"]);
            self.canary = threshold(reader, "canary", risk);
            self.block = threshold(reader, "block", risk);
        }
        if let Some(gaps) = reader.table("policy file", "gaps", root) {
            self.gaps(reader, gaps);
        }
        if let Some(cooldown) = reader.table("policy file", "cooldown", root) {
            self.cooldown = super::cooldown::cooldown(reader, cooldown);
        }
        if let Some(ratchet) = reader.table("policy file", "ratchet", root) {
            reader.known("[ratchet]", ratchet, &["then"]);
            self.ratchet = ratchet
                .get("then")
                .and_then(|value| reader.word("[ratchet]", "then", value, &EFFECTS));
        }
        if let Some(stale) = reader.table("policy file", "exemptions", root) {
            let title = "[exemptions]";
            reader.known(title, stale, &["expired", "unused"]);
            let mut effect = |key| {
                let value = stale.get(key)?;
                reader.word(title, key, value, &EFFECTS)
            };
            self.expired = effect("expired");
            self.unused = effect("unused");
        }
        if let Some(canary) = reader.table("policy file", "canary", root) {
            self.canary(reader, canary);
        }
        if let Some(ledger) = reader.table("policy file", "ledger", root) {
            self.ledger(reader, ledger);
        }
        if let Some(probe) = reader.table("policy file", "probe", root) {
            reader.known("[probe]", probe, &PROBE);
        }
        if let Some(rollout) = reader.table("policy file", "rollout", root) {
            reader.known("[rollout]", rollout, &ROLLOUT);
        }
        for (table, place) in reader.tables("rule", root, MOST_RULES) {
            self.rules.extend(rule(reader, table, &place));
        }
        self.unique_rules(reader);
        for (table, place) in reader.tables("exempt", root, MOST_EXEMPTIONS) {
            self.exemptions.extend(exemption(reader, table, &place));
        }
    }

    fn build(&mut self, reader: &mut Reader, build: &DeTable<'_>) {
        let title = "[build]";
        reader.known(title, build, &["targets", "features"]);
        if let Some(targets) = reader.texts(title, "targets", build) {
            for target in &targets {
                if !is_triple(&target.value) {
                    let label = format!("`{}` is not a target triple", shown(&target.value));
                    reader.problem(target.span.clone(), title, label);
                }
            }
            let mut targets: Vec<String> = targets.into_iter().map(|at| at.value).collect();
            targets.sort();
            targets.dedup();
            self.targets = Some(targets);
        }
        self.features = features(reader, build);
    }

    fn ledger(&mut self, reader: &mut Reader, ledger: &DeTable<'_>) {
        let title = "[ledger]";
        reader.known(title, ledger, &["url", "name"]);
        if let Some(url) = reader.text(title, "url", ledger) {
            match Place::parse_public(&url.value, Path::new("")) {
                Ok(_) => self.ledger_url = Some(url.value),
                Err(PlaceError::Password(_)) => reader.problem(
                    url.span,
                    title,
                    "a password has no place in a policy; give it in the variable PGPASSWORD",
                ),
                Err(PlaceError::Unknown(_) | PlaceError::Scheme(_)) => reader.problem(
                    url.span,
                    title,
                    "`url` must be a `postgres://` address, or a path that ends in .jsonl or .db",
                ),
            }
        }
        if let Some(name) = reader.text(title, "name", ledger) {
            if name.value.trim().is_empty() || name.value.chars().any(char::is_control) {
                reader.problem(
                    name.span,
                    title,
                    "`name` must be what the repository is called",
                );
            } else {
                self.ledger_name = Some(name.value);
            }
        }
    }

    fn gaps(&mut self, reader: &mut Reader, gaps: &DeTable<'_>) {
        let title = "[gaps]";
        let mut known: Vec<&str> = vec!["default"];
        known.extend(FactKind::ALL.map(FactKind::as_str));
        known.extend(REASONS.map(GapReason::as_str));
        known.extend(LATER);
        if let Some((key, _)) = gaps.get_key_value("not-applicable") {
            let label = "what does not apply to a source is never a gap; write a rule about \
                         `change.git` instead";
            reader.problem(key.span(), title, label);
        }
        known.push("not-applicable");
        reader.known(title, gaps, &known);
        for (key, value) in gaps {
            let name: &str = key.get_ref().as_ref();
            let kind = FactKind::ALL.into_iter().find(|kind| kind.as_str() == name);
            let reason = REASONS.into_iter().find(|reason| reason.as_str() == name);
            let found = match (kind, reason) {
                (Some(kind), _) => GapKey::Kind(kind),
                (None, Some(reason)) => GapKey::Reason(reason),
                (None, None) if name == "default" => GapKey::Default,
                (None, None) if LATER.contains(&name) => GapKey::Later,
                (None, None) => continue,
            };
            if let Some(setting) = reader.word(title, name, value, &SETTINGS) {
                self.gaps.push((found, setting));
            }
        }
    }

    /// Two rules with one id in one file: one of them would be lost.
    fn unique_rules(&self, reader: &mut Reader) {
        let mut first: BTreeMap<&str, usize> = BTreeMap::new();
        for rule in &self.rules {
            let id = rule.id.value.as_str();
            if let Some(line) = first.get(id) {
                let label = format!("there is a rule with this id in line {line} already");
                reader.problem(rule.id.span.clone(), &title_of("rule", id), label);
                continue;
            }
            let before = self.file.text.get(..rule.id.span.start).unwrap_or_default();
            first.insert(id, before.matches('\n').count() + 1);
        }
    }
}

fn title_of(what: &str, name: &str) -> String {
    format!("{what} `{}`", shown(name))
}

fn version(reader: &mut Reader, root: &DeTable<'_>) {
    let Some(value) = root.get("version") else {
        let label = "`version` is missing; write `version = 1`";
        reader.problem(0..0, "policy file", label);
        return;
    };
    if integer(value.get_ref()) != Some(1) {
        let label = "this program reads `version = 1`";
        reader.problem(value.span(), "policy file", label);
    }
}

fn threshold(reader: &mut Reader, key: &str, risk: &DeTable<'_>) -> Option<At<Threshold>> {
    let value = risk.get(key)?;
    let found = if value.get_ref().as_str() == Some("never") {
        Some(Threshold::Never)
    } else {
        integer(value.get_ref())
            .filter(|score| (1..=100).contains(score))
            .and_then(|score| u8::try_from(score).ok())
            .map(Threshold::From)
    };
    if found.is_none() {
        let label = format!("`{key}` must be a score from 1 to 100, or \"never\"");
        reader.problem(value.span(), "[risk]", label);
    }
    found.map(|value_found| At {
        value: value_found,
        span: value.span(),
    })
}

fn features(reader: &mut Reader, build: &DeTable<'_>) -> Option<FeatureChoice> {
    let value = build.get("features")?;
    if matches!(value.get_ref(), DeValue::Array(_)) {
        let names = reader.texts("[build]", "features", build)?;
        let mut names: std::collections::BTreeSet<String> =
            names.into_iter().map(|at| at.value).collect();
        return Some(if names.remove("default") {
            FeatureChoice::DefaultAnd(names)
        } else {
            FeatureChoice::Only(names)
        });
    }
    let words = [("default", 0), ("all", 1), ("none", 2)];
    if !matches!(value.get_ref(), DeValue::String(_)) {
        let label = "`features` must be \"default\", \"all\", \"none\", or a list of features";
        reader.problem(value.span(), "[build]", label);
        return None;
    }
    match reader.word("[build]", "features", value, &words)? {
        0 => Some(FeatureChoice::Default),
        1 => Some(FeatureChoice::All),
        _ => Some(FeatureChoice::None),
    }
}

fn rule(reader: &mut Reader, table: &DeTable<'_>, place: &Range<usize>) -> Option<RawRule> {
    let Some(id) = reader.required_text("rule", "id", table, place) else {
        reader.known("rule", table, &RULE);
        return None;
    };
    let title = title_of("rule", &id.value);
    reader.known(&title, table, &RULE);
    if !is_id(&id.value) {
        let label = "an id has lower-case letters, digits and `-`";
        reader.problem(id.span.clone(), &title, label);
    }
    let of = |key: &str| table.get(key);
    let then = of("then").and_then(|value| reader.word(&title, "then", value, &EFFECTS));
    let scopes = [("change", false), ("difference", true)];
    let difference = of("scope").and_then(|value| reader.word(&title, "scope", value, &scopes));
    let wait_days = reader.number(&title, "wait-days", table);
    if let Some(days) = wait_days
        .as_ref()
        .filter(|days| !(0.0..=3_650.0).contains(&days.value))
    {
        let label = "`wait-days` must be from 0 to 3650";
        reader.problem(days.span.clone(), &title, label);
    }
    Some(RawRule {
        when: reader.text(&title, "when", table),
        then,
        reason: reader.text(&title, "reason", table),
        enabled: reader.bool(&title, "enabled", table),
        difference,
        wait_days: wait_days.map(|days| days.value),
        summarises: reader.texts(&title, "summarises", table),
        id,
    })
}

fn exemption(
    reader: &mut Reader,
    table: &DeTable<'_>,
    place: &Range<usize>,
) -> Option<RawExemption> {
    let package = reader.required_text("exemption", "package", table, place);
    let title = match &package {
        Some(package) => title_of("exemption of", &package.value),
        None => "exemption".to_owned(),
    };
    reader.known(&title, table, &EXEMPT);
    let reason = reader.required_text(&title, "reason", table, place);
    let by = reader.text(&title, "by", table);
    let version = reader.required_text(&title, "version", table, place);
    let versions = version.as_ref().and_then(|version| {
        let found = Versions::parse(&version.value);
        if found.is_none() {
            let label = "`version` must be a version, such as \"1.48.0\", or a requirement, \
                         such as \">=1.48, <2\"";
            reader.problem(version.span.clone(), &title, label);
        }
        found
    });
    let rules = required(reader, &title, "rules", table, place, |reader| {
        reader.texts(&title, "rules", table)
    });
    let until = required(reader, &title, "until", table, place, |reader| {
        reader.date(&title, "until", table)
    });
    Some(RawExemption {
        package: package?,
        version: version?.value,
        versions: versions?,
        rules: rules?,
        reason: reason?.value,
        by: by.map(|at| at.value),
        until: until?,
    })
}

fn required<T>(
    reader: &mut Reader,
    title: &str,
    key: &str,
    table: &DeTable<'_>,
    place: &Range<usize>,
    read: impl Fn(&mut Reader) -> Option<T>,
) -> Option<T> {
    if table.contains_key(key) {
        return read(reader);
    }
    reader.missing(title, key, place);
    None
}

fn is_triple(text: &str) -> bool {
    text.len() <= 100
        && text.contains('-')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

fn is_id(text: &str) -> bool {
    text.len() <= 64
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}
