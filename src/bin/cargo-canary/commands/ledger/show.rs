//! `ledger show`: one entry, and what came of it.

use cargo_canary::host::Host;
use cargo_canary::ledger::{
    Audited, Body, Build, EffectEntry, Filter, Kind, Mode, Released, Store, Stored, Trial,
};
use cargo_canary::report::safe_for_terminal;
use serde_json::json;

use super::open;
use crate::args::{LedgerShowArgs, ReportFormat};
use crate::error::Failure;
use crate::exit;
use crate::output;

pub(super) fn run(args: &LedgerShowArgs, host: &Host) -> Result<u8, Failure> {
    let mut store = open(&args.place, Mode::Read, host)?;
    let id = args.id.to_ascii_lowercase();
    if id.len() < 4 || id.len() > 64 || !id.chars().all(|c| c.is_ascii_hexdigit()) {
        return Err(
            Failure::input(format!("`{}` is no id of an entry", args.id)).hint(
                "an id is hexadecimal; its first digits, at least 4, suffice: see `ledger list`",
            ),
        );
    }
    let found = store.starting_with(&id)?;
    let stored = match found.as_slice() {
        [one] => one,
        [] => {
            return Err(Failure::input(format!("no entry has the id `{id}`"))
                .hint("`cargo-canary ledger list` shows the ids"));
        }
        several => {
            let ids: Vec<&str> = several
                .iter()
                .map(|it| it.id.get(..16).unwrap_or(&it.id))
                .collect();
            return Err(Failure::input(format!("several entries begin with `{id}`"))
                .hint(format!("write more of it: {}", ids.join(", "))));
        }
    };
    let effects = effects(store.as_mut(), stored)?;
    let text = match args.output.format {
        ReportFormat::Json => document(stored, &effects)?,
        ReportFormat::Text => page(stored, &effects),
    };
    output::report(text.as_bytes(), args.output.output.as_deref(), host)?;
    Ok(exit::PASS)
}

/// What came of an audit.
fn effects(store: &mut dyn Store, stored: &Stored) -> Result<Vec<Stored>, Failure> {
    if stored.kind() != Kind::Audit {
        return Ok(Vec::new());
    }
    let mut found = store.entries(&Filter {
        kind: Some(Kind::Effect.as_str().to_owned()),
        repository: Some(stored.entry.repository.clone()),
        since: Some(stored.entry.at.as_microsecond()),
        ..Filter::default()
    })?;
    found.retain(|it| matches!(&it.entry.body, Body::Effect(effect) if effect.cause == stored.id));
    found.reverse();
    Ok(found)
}

fn document(stored: &Stored, effects: &[Stored]) -> Result<String, Failure> {
    let value = |stored: &Stored| {
        serde_json::from_str::<serde_json::Value>(&stored.text)
            .map_err(|error| Failure::internal("an entry is no JSON").caused_by(&error))
    };
    let effects: Vec<_> = effects
        .iter()
        .map(|it| Ok(json!({ "id": it.id, "entry": value(it)? })))
        .collect::<Result<_, Failure>>()?;
    let document = json!({ "id": stored.id, "entry": value(stored)?, "effects": effects });
    Ok(format!("{document:#}\n"))
}

/// Lines, each made harmless for the terminal.
struct Page(String);

impl Page {
    fn line(&mut self, indent: usize, text: &str) {
        self.0.push_str(&" ".repeat(indent));
        self.0.push_str(&safe_for_terminal(text));
        self.0.push('\n');
    }

    fn field(&mut self, name: &str, text: &str) {
        self.line(0, &format!("{name:<10} {text}"));
    }
}

fn page(stored: &Stored, effects: &[Stored]) -> String {
    let mut page = Page(String::new());
    let entry = &stored.entry;
    let title = format!(
        "{} of {}: {}",
        stored.kind().as_str(),
        entry.repository,
        stored.verdict()
    );
    page.line(0, &title);
    page.0.push('\n');
    page.field("entry", &stored.id);
    page.field(
        "recorded",
        &entry.at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
    );
    if let Some(by) = &entry.by {
        page.field("by", by);
    }
    match &entry.body {
        Body::Audit(audited) => audit(&mut page, audited),
        Body::Evidence(it) | Body::Rollout(it) => trial(&mut page, it),
        Body::Effect(it) => effect(&mut page, it),
    }
    if !effects.is_empty() {
        page.0.push('\n');
        page.line(0, "What came of it");
        for it in effects {
            if let Body::Effect(effect) = &it.entry.body {
                let incident = effect.incident.as_deref().unwrap_or_default();
                let text = format!(
                    "{}  {} {}: {} {incident}",
                    it.entry.at.strftime("%Y-%m-%d %H:%M"),
                    effect.package,
                    effect.package_version,
                    effect.effect,
                );
                page.line(2, text.trim_end());
            }
        }
    }
    page.0
}

fn build(build: &Build) -> String {
    match &build.commit {
        Some(commit) => format!("{} ({})", build.input, commit.get(..12).unwrap_or(commit)),
        None => build.input.clone(),
    }
}

fn audit(page: &mut Page, audited: &Audited) {
    page.field("judged by", &audited.tool);
    page.field(
        "as of",
        &audited.as_of.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
    );
    page.field("base", &build(&audited.base));
    page.field("head", &build(&audited.head));
    let edited = if audited.policy.edited_by_change {
        "; the change edits it"
    } else {
        ""
    };
    let policy = format!(
        "{}, {}{edited}",
        audited.policy.name, audited.policy.read_from
    );
    page.field("policy", &policy);
    if !audited.reasons.is_empty() {
        page.0.push('\n');
        page.line(0, "Decided by");
        for reason in &audited.reasons {
            let about = reason.change.as_deref().unwrap_or("the whole difference");
            let text = format!("{:<10}  {about}: {}", reason.decision, reason.rule);
            page.line(2, &text);
            page.line(14, &reason.because);
        }
    }
    if !audited.exemptions.is_empty() {
        page.0.push('\n');
        page.line(0, "Exemptions used");
        for waived in &audited.exemptions {
            page.line(2, &format!("{}: {}", waived.change, waived.because));
        }
    }
    page.0.push('\n');
    page.line(0, "Changes");
    if audited.changes.is_empty() {
        page.line(2, "none");
    }
    for changed in &audited.changes {
        let text = format!(
            "{:<10}  {}  {} -> {}  score {}, {}",
            changed.decision,
            changed.id,
            versions(&changed.from),
            versions(&changed.to),
            changed.score,
            changed.change
        );
        page.line(2, &text);
    }
}

fn versions(releases: &[Released]) -> String {
    if releases.is_empty() {
        return "nothing".to_owned();
    }
    let versions: Vec<&str> = releases.iter().map(|it| it.version.as_str()).collect();
    versions.join(", ")
}

fn trial(page: &mut Page, trial: &Trial) {
    if let Some(method) = &trial.method {
        page.field("by way of", method);
    }
    if !trial.package.is_empty() {
        let text = format!("{} {}", trial.package, trial.package_version);
        page.field("tried", &text);
    }
    if let Some(digest) = &trial.diff_digest {
        page.field("difference", digest);
    }
    if let Some(document) = &trial.document {
        page.field(
            "document",
            &format!("{} {}", document.name, document.digest),
        );
    }
    if let Some(note) = &trial.note {
        page.field("note", note);
    }
    if !trial.updates.is_empty() {
        page.0.push('\n');
        page.line(0, "Updates");
        for update in &trial.updates {
            let forced = match &update.forced_by {
                Some(root) => format!(", forced by {root}"),
                None => String::new(),
            };
            page.line(2, &format!("{} {}{forced}", update.package, update.version));
        }
    }
}

fn effect(page: &mut Page, effect: &EffectEntry) {
    page.field(
        "update",
        &format!("{} {}", effect.package, effect.package_version),
    );
    page.field("let in by", &effect.cause);
    if let Some(incident) = &effect.incident {
        page.field("incident", incident);
    }
    if let Some(note) = &effect.note {
        page.field("note", note);
    }
}
