//! From files to a validated policy: layers, rules compiled, every reference
//! between the parts checked.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use super::check::{Fault, Scope};
use super::condition::{Condition, compile_all};
use super::cooldown::Cooldown;
use super::exempt::Exemption;
use super::file::{At, Layer, RawRule, Threshold};
use super::nearest::nearest;
use super::problem::{Problem, SourceFile};
use super::template::Template;
use super::validated::{
    Acceptance, CanaryTerms, Gaps, LedgerTerms, Policy, Rule, Stale, Thresholds,
};
use super::waived::{EXPIRED, UNUSED};
use super::{Effect, MIN_PUBLISH_AGE, PolicyError, RISK_BLOCK, RISK_CANARY, RatchetKind};

/// How many files may extend each other.
const DEEPEST: usize = 8;

const DEFAULT: &str = include_str!("../../policies/default.toml");
const STRICT: &str = include_str!("../../policies/strict.toml");

/// The built-in policies by name.
const BUILT_IN: [(&str, &str); 2] = [("default", DEFAULT), ("strict", STRICT)];

/// The text of a built-in policy.
#[must_use]
pub fn built_in_text(name: &str) -> Option<&'static str> {
    BUILT_IN
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, text)| *text)
}

/// Answers for the file that a policy extends: given what `extends` says and
/// the path of the file that says it, the path and the content of the other file,
/// or why there is none, in words.
pub type Resolve<'r> = &'r dyn Fn(&str, &str) -> Result<(String, String), String>;

impl Policy {
    /// One of the built-in policies: `default` or `strict`.
    ///
    /// # Errors
    /// When there is no built-in policy of this name.
    pub fn built_in(name: &str) -> Result<Self, PolicyError> {
        let text = format!("version = 1\nextends = \"{}\"\n", name.escape_debug());
        let nowhere = |name: &str, _: &str| Err(format!("no built-in policy `{name}`"));
        let mut policy = load(&text, "built-in", &nowhere)?;
        policy.name = name.to_owned();
        policy.layers.pop();
        policy.files.pop();
        Ok(policy)
    }
}

/// Reads a policy and what it extends. A file that does not say what it
/// extends extends `default`; `extends = "none"` starts from nothing.
///
/// # Errors
/// When anything in any of the files is wrong; all problems are named.
pub fn load(text: &str, path: &str, resolve: Resolve<'_>) -> Result<Policy, PolicyError> {
    let mut problems = Vec::new();
    let layers = layers(text, path, resolve, &mut problems);
    if let Some(error) = PolicyError::of(std::mem::take(&mut problems)) {
        return Err(error);
    }
    let policy = merge(path, &layers, &mut problems);
    match PolicyError::of(problems) {
        Some(error) => Err(error),
        None => Ok(policy),
    }
}

/// The files, the one that is extended first.
fn layers(text: &str, path: &str, resolve: Resolve<'_>, problems: &mut Vec<Problem>) -> Vec<Layer> {
    let mut layers: Vec<Layer> = Vec::new();
    let mut next = Some((path.to_owned(), text.to_owned()));
    while let Some((path, text)) = next.take() {
        let (layer, mut found) = Layer::read(&path, &text);
        problems.append(&mut found);
        let asked = match &layer.extends {
            Some(asked) => asked.clone(),
            None => At {
                value: "default".to_owned(),
                span: 0..0,
            },
        };
        let file = Arc::clone(&layer.file);
        layers.push(layer);
        if asked.value == "none" {
            break;
        }
        let mut wrong = |label: String, help: Option<String>| {
            let problem = Problem::new(&file, asked.span.clone(), "extends", label);
            problems.push(problem.with_help(help));
        };
        let found = match built_in_text(&asked.value) {
            Some(text) => Ok((asked.value.clone(), text.to_owned())),
            None => resolve(&asked.value, &path),
        };
        match found {
            Err(why) => {
                let known = ["default", "strict", "none"];
                let help = nearest(&asked.value, known)
                    .map(|near| format!("did you mean the built-in policy \"{near}\"?"));
                wrong(why, help);
            }
            Ok((path, _)) if layers.iter().any(|layer| layer.file.path == path) => {
                wrong(
                    format!("`{path}` extends itself, through what it extends"),
                    None,
                );
            }
            Ok(_) if layers.len() >= DEEPEST => {
                wrong(
                    format!("at most {DEEPEST} files may extend each other"),
                    None,
                );
            }
            Ok(found) => next = Some(found),
        }
    }
    layers.reverse();
    layers
}

/// A rule out of all layers, before its condition is compiled.
struct Merged<'l> {
    raw: RawRule,
    /// The file that the condition is written in.
    file: &'l Arc<SourceFile>,
    /// The file that the reason is written in.
    reason_file: &'l Arc<SourceFile>,
    /// The file that `summarises` is written in.
    summarises_file: &'l Arc<SourceFile>,
}

fn merge(name: &str, layers: &[Layer], problems: &mut Vec<Problem>) -> Policy {
    let mut gaps = Gaps::default();
    let mut cooldown = Cooldown::default();
    let mut ratchet = Effect::Block;
    let mut stale = Stale::default();
    let mut risk = Thresholds::default();
    let mut canary = CanaryTerms::default();
    let mut ledger = LedgerTerms::default();
    let mut build = crate::snapshot::BuildSettings {
        targets: Vec::new(),
        features: crate::snapshot::FeatureChoice::Default,
    };
    for layer in layers {
        gaps.extend(&layer.gaps);
        cooldown.extend(&layer.cooldown, &layer.file.path);
        ratchet = layer.ratchet.unwrap_or(ratchet);
        stale.expired = layer.expired.unwrap_or(stale.expired);
        stale.unused = layer.unused.unwrap_or(stale.unused);
        if let Some(targets) = &layer.targets {
            build.targets.clone_from(targets);
        }
        if let Some(features) = &layer.features {
            build.features.clone_from(features);
        }
        terms(layer, &mut canary);
        ledger.url = layer.ledger_url.clone().or(ledger.url);
        ledger.name = layer.ledger_name.clone().or(ledger.name);
        thresholds(layer, &mut risk, problems);
    }
    let rules = compile(merge_rules(layers, problems), problems);
    let ids: BTreeSet<&str> = layers
        .iter()
        .flat_map(|layer| layer.rules.iter().map(|rule| rule.id.value.as_str()))
        .chain([RISK_CANARY, RISK_BLOCK, MIN_PUBLISH_AGE])
        .chain(RatchetKind::ALL.map(RatchetKind::rule))
        .collect();
    let exemptions = exemptions(layers, &ids, problems);
    canary.accept = acceptances(layers, &ids, problems);
    let reads = rules
        .iter()
        .flat_map(|rule| rule.condition.reads.iter().chain(rule.reason.reads()))
        .copied()
        .collect();
    Policy {
        name: name.to_owned(),
        layers: layers.iter().map(|layer| layer.file.path.clone()).collect(),
        build,
        risk,
        gaps,
        cooldown,
        ratchet,
        stale,
        files: layers.iter().map(|layer| Arc::clone(&layer.file)).collect(),
        rules,
        exemptions,
        canary,
        ledger,
        reads,
    }
}

/// Takes over what a later layer says of evidence.
fn terms(layer: &Layer, canary: &mut CanaryTerms) {
    canary.min_duration = layer.min_duration.or(canary.min_duration);
    canary.max_age = layer.max_age.or(canary.max_age);
    if let Some(signers) = &layer.signers {
        canary.signers = Some(signers.clone());
        canary.signers_named_in = Some(layer.file.path.clone());
    }
    if let Some(location) = &layer.location {
        canary.location = Some(location.clone());
    }
}

/// Which evidence is accepted: the list of the last layer that has one.
fn acceptances(
    layers: &[Layer],
    ids: &BTreeSet<&str>,
    problems: &mut Vec<Problem>,
) -> Vec<Acceptance> {
    for layer in layers {
        for rule in layer
            .acceptances
            .iter()
            .flat_map(|raw| raw.rules.iter().flatten())
            .filter(|rule| !ids.contains(rule.value.as_str()))
        {
            let label = unknown_rule(&rule.value, ids.iter().copied());
            let span = rule.span.clone();
            problems.push(Problem::new(&layer.file, span, "[[canary.accept]]", label));
        }
    }
    layers
        .iter()
        .rev()
        .map(|layer| &layer.acceptances)
        .find(|list| !list.is_empty())
        .into_iter()
        .flatten()
        .map(|raw| Acceptance {
            kinds: raw.kinds.iter().copied().collect(),
            rules: raw
                .rules
                .as_ref()
                .map(|rules| rules.iter().map(|rule| rule.value.clone()).collect()),
            signers: raw.signers.clone(),
            min_duration: raw.min_duration,
            max_age: raw.max_age,
        })
        .collect()
}

fn thresholds(layer: &Layer, risk: &mut Thresholds, problems: &mut Vec<Problem>) {
    let score = |threshold: Threshold| match threshold {
        Threshold::From(score) => Some(score),
        Threshold::Never => None,
    };
    if let Some(canary) = &layer.canary {
        risk.canary = score(canary.value);
    }
    if let Some(block) = &layer.block {
        risk.block = score(block.value);
    }
    let Some(stated) = layer.canary.as_ref().or(layer.block.as_ref()) else {
        return;
    };
    if let (Some(canary), Some(block)) = (risk.canary, risk.block)
        && canary >= block
    {
        let label = format!("`canary` ({canary}) must be below `block` ({block})");
        problems.push(Problem::new(
            &layer.file,
            stated.span.clone(),
            "[risk]",
            label,
        ));
    }
}

/// Why a rule cannot have an id, where it cannot.
fn taken(id: &str) -> Option<&'static str> {
    match id {
        RISK_CANARY | RISK_BLOCK => Some("this id belongs to the thresholds of `[risk]`"),
        MIN_PUBLISH_AGE => Some("this id belongs to `[cooldown]`"),
        _ if id.starts_with("ratchet") => Some("this id belongs to `[ratchet]`"),
        EXPIRED | UNUSED => Some("this id belongs to `[exemptions]`"),
        _ => None,
    }
}

/// One rule for each id, in the order of their first appearance. A later layer
/// replaces a rule as a whole when it states a condition, and otherwise only
/// the keys that it states.
fn merge_rules<'l>(layers: &'l [Layer], problems: &mut Vec<Problem>) -> Vec<Merged<'l>> {
    let mut merged: Vec<Merged<'l>> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for layer in layers {
        for raw in &layer.rules {
            let id = raw.id.value.as_str();
            if let Some(label) = taken(id) {
                let title = format!("rule `{id}`");
                problems.push(Problem::new(&layer.file, raw.id.span.clone(), title, label));
                continue;
            }
            let new = Merged {
                raw: raw.clone(),
                file: &layer.file,
                reason_file: &layer.file,
                summarises_file: &layer.file,
            };
            match places.get(id).and_then(|at| merged.get_mut(*at)) {
                None => {
                    places.insert(id, merged.len());
                    merged.push(new);
                }
                Some(old) if raw.when.is_some() => *old = new,
                Some(old) => change_keys(old, raw, &layer.file),
            }
        }
    }
    merged
}

/// Takes over the keys that a later layer states.
fn change_keys<'l>(old: &mut Merged<'l>, raw: &RawRule, file: &'l Arc<SourceFile>) {
    if let Some(reason) = &raw.reason {
        old.raw.reason = Some(reason.clone());
        old.reason_file = file;
    }
    old.raw.then = raw.then.or(old.raw.then);
    old.raw.enabled = raw.enabled.or(old.raw.enabled);
    old.raw.difference = raw.difference.or(old.raw.difference);
    old.raw.wait_days = raw.wait_days.or(old.raw.wait_days);
    if raw.summarises.is_some() {
        old.raw.summarises.clone_from(&raw.summarises);
        old.summarises_file = file;
    }
}

/// A rule with everything that it needs.
struct Complete<'l> {
    merged: Merged<'l>,
    when: At<String>,
    then: Effect,
    reason: At<String>,
    scope: Scope,
}

fn compile(merged: Vec<Merged<'_>>, problems: &mut Vec<Problem>) -> Vec<Rule> {
    let ids: BTreeSet<String> = merged
        .iter()
        .map(|rule| rule.raw.id.value.clone())
        .collect();
    let complete: Vec<Complete<'_>> = merged
        .into_iter()
        .filter(|rule| rule.raw.enabled != Some(false))
        .filter_map(|rule| complete(rule, problems))
        .collect();
    let sources: Vec<(&str, Scope)> = complete
        .iter()
        .map(|rule| (rule.when.value.as_str(), rule.scope))
        .collect();
    let conditions = compile_all(&sources);
    let mut rules = Vec::new();
    for (rule, condition) in complete.iter().zip(conditions) {
        check_summarises(rule, &ids, problems);
        let title = format!("rule `{}`", rule.merged.raw.id.value);
        let reason = Template::parse(&rule.reason.value, rule.scope).map_err(|label| {
            let file = rule.merged.reason_file;
            problems.push(Problem::new(file, rule.reason.span.clone(), &title, label));
        });
        let condition = condition.map_err(|faults| {
            problems.extend(
                faults
                    .iter()
                    .map(|fault| place(rule.merged.file, &rule.when, &title, fault)),
            );
        });
        if let (Ok(condition), Ok(reason)) = (condition, reason) {
            rules.push(finish(rule, condition, reason));
        }
    }
    rules
}

/// The rule with its condition, effect and reason, when it has them all.
fn complete<'l>(merged: Merged<'l>, problems: &mut Vec<Problem>) -> Option<Complete<'l>> {
    let raw = &merged.raw;
    let mut need = |key: &str, there: bool| {
        if !there {
            let title = format!("rule `{}`", raw.id.value);
            let label = format!("`{key}` is missing, and no earlier layer has a rule with this id");
            problems.push(Problem::new(merged.file, raw.id.span.clone(), title, label));
        }
    };
    need("when", raw.when.is_some());
    need("then", raw.then.is_some());
    need("reason", raw.reason.is_some());
    let (when, then, reason) = (raw.when.clone()?, raw.then?, raw.reason.clone()?);
    let scope = match raw.difference {
        Some(true) => Scope::Difference,
        Some(false) | None => Scope::Change,
    };
    Some(Complete {
        merged,
        when,
        then,
        reason,
        scope,
    })
}

fn finish(rule: &Complete<'_>, condition: Condition, reason: Template) -> Rule {
    let raw = &rule.merged.raw;
    Rule {
        id: raw.id.value.clone(),
        then: rule.then,
        reason,
        scope: rule.scope,
        wait_days: raw.wait_days.or(condition.waits_for_age),
        summarises: raw
            .summarises
            .iter()
            .flatten()
            .map(|id| id.value.clone())
            .collect(),
        condition,
        origin: origin(rule.merged.file, &raw.id.span),
    }
}

fn check_summarises(rule: &Complete<'_>, ids: &BTreeSet<String>, problems: &mut Vec<Problem>) {
    let raw = &rule.merged.raw;
    let title = format!("rule `{}`", raw.id.value);
    for id in raw.summarises.iter().flatten() {
        let label = if rule.scope == Scope::Change {
            "only a rule with `scope = \"difference\"` can stand for others".to_owned()
        } else if ids.contains(&id.value)
            || [RISK_CANARY, RISK_BLOCK, MIN_PUBLISH_AGE].contains(&id.value.as_str())
        {
            continue;
        } else {
            unknown_rule(&id.value, ids.iter().map(String::as_str))
        };
        let file = rule.merged.summarises_file;
        problems.push(Problem::new(file, id.span.clone(), &title, label));
    }
}

fn unknown_rule<'a>(id: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    match nearest(id, known) {
        Some(near) => format!("no rule `{}`; did you mean `{near}`?", id.escape_debug()),
        None => format!("no rule `{}`", id.escape_debug()),
    }
}

fn exemptions(
    layers: &[Layer],
    ids: &BTreeSet<&str>,
    problems: &mut Vec<Problem>,
) -> Vec<Exemption> {
    let mut exemptions = Vec::new();
    for layer in layers {
        for raw in &layer.exemptions {
            for rule in raw
                .rules
                .iter()
                .filter(|rule| !ids.contains(rule.value.as_str()))
            {
                let title = format!("exemption of `{}`", raw.package.value.escape_debug());
                let label = unknown_rule(&rule.value, ids.iter().copied());
                problems.push(Problem::new(&layer.file, rule.span.clone(), title, label));
            }
            exemptions.push(Exemption {
                package: raw.package.value.clone(),
                version: raw.version.clone(),
                versions: raw.versions.clone(),
                rules: raw.rules.iter().map(|rule| rule.value.clone()).collect(),
                reason: raw.reason.clone(),
                by: raw.by.clone(),
                until: raw.until,
                origin: origin(&layer.file, &raw.package.span),
            });
        }
    }
    exemptions
}

fn origin(file: &Arc<SourceFile>, span: &Range<usize>) -> String {
    format!("{}:{}", file.path, file.line(span.start))
}

/// A fault of a condition, with its place in the file: exact where the string
/// stands in the file as it is, the whole string where it has escapes.
fn place(file: &Arc<SourceFile>, when: &At<String>, title: &str, fault: &Fault) -> Problem {
    let exact = fault.place.clone().and_then(|place| {
        let written = file.text.get(when.span.clone())?;
        let quotes = if written.starts_with("'''") || written.starts_with("\"\"\"") {
            let rest = written.get(3..)?;
            3 + if rest.starts_with("\r\n") {
                2
            } else {
                usize::from(rest.starts_with('\n'))
            }
        } else {
            1
        };
        let start = when.span.start + quotes;
        let content = file.text.get(start..start + when.value.len())?;
        if content != when.value {
            return None;
        }
        let byte = |at: usize| {
            content
                .char_indices()
                .nth(at)
                .map_or(content.len(), |(at, _)| at)
        };
        Some(start + byte(place.start)..start + byte(place.end))
    });
    Problem::new(
        file,
        exact.unwrap_or_else(|| when.span.clone()),
        title,
        &fault.what,
    )
}
