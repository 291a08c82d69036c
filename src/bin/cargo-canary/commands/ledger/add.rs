//! `ledger record` and `ledger impact`.

use std::path::Path;

use cargo_canary::host::Host;
use cargo_canary::ledger::{
    Body, Document, Effect, EffectEntry, Entry, FORMAT, Filter, Kind, Mode, Row, Step, Store,
    Stored, Trial,
};
use cargo_canary::policy::nearest;
use cargo_canary::report::safe_for_terminal;
use semver::Version;

use super::super::{incident, tried};
use super::{name, open};
use crate::args::{EffectArg, LedgerImpactArgs, LedgerRecordArgs, Outcome, TrialKind};
use crate::error::Failure;
use crate::exit;
use crate::output;

/// A record of a trial with more bytes than this is not hashed.
const LARGEST: u64 = 256 << 20;

/// Adds the outcome of a trial.
pub(super) fn record(args: &LedgerRecordArgs, host: &Host) -> Result<u8, Failure> {
    version(&args.version)?;
    let trial = Trial {
        package: args.package.clone(),
        package_version: args.version.clone(),
        outcome: match args.outcome {
            Outcome::Pass => "pass",
            Outcome::Fail => "fail",
            Outcome::Inconclusive => "inconclusive",
        }
        .to_owned(),
        method: None,
        diff_digest: None,
        updates: Vec::new(),
        document: args
            .document
            .as_deref()
            .map(|path| document(path, host))
            .transpose()?,
        note: args.said.note.clone(),
    };
    let entry = Entry {
        version: FORMAT,
        at: host.clock.now(),
        repository: name::of(args.name.as_deref(), &args.place.repository, host),
        by: args.said.by.clone(),
        body: match args.kind {
            TrialKind::Evidence => Body::Evidence(trial),
            TrialKind::Rollout => Body::Rollout(trial),
        },
    };
    let stored = Stored::new(entry);
    open(&args.place, Mode::Append, host)?.append(std::slice::from_ref(&stored))?;
    let text = format!(
        "{} {} of {} {} in {}: {}\n",
        &stored.id.get(..12).unwrap_or(&stored.id),
        stored.kind().as_str(),
        safe_for_terminal(&args.package),
        args.version,
        safe_for_terminal(&stored.entry.repository),
        stored.verdict(),
    );
    output::standard_output(text.as_bytes())?;
    Ok(exit::PASS)
}

fn version(text: &str) -> Result<(), Failure> {
    text.parse::<Version>().map(drop).map_err(|error| {
        Failure::input(format!("`{text}` is not a version"))
            .caused_by(&error)
            .hint("write it in full, such as `--version 1.2.3`")
    })
}

fn document(path: &Path, host: &Host) -> Result<Document, Failure> {
    let content = host.files.read(path, LARGEST).map_err(|error| {
        Failure::input(format!("failed to read `{}`", path.display()))
            .caused_by(&error)
            .hint("`--document` takes the file with the record of the trial")
    })?;
    Ok(tried::document(path, &content))
}

/// Ties an effect to the update that had it.
pub(super) fn impact(args: &LedgerImpactArgs, host: &Host) -> Result<u8, Failure> {
    version(&args.version)?;
    if let Some(incident) = &args.incident {
        look_up(incident, &args.place.repository, host);
    }
    let mut store = open(&args.place, Mode::Append, host)?;
    let cause = cause(store.as_mut(), args)?;
    let effect = match args.effect {
        Some(EffectArg::RolledBack) => Effect::RolledBack,
        Some(EffectArg::FixedForward) => Effect::FixedForward,
        Some(EffectArg::Fine) => Effect::Fine,
        Some(EffectArg::Incident) | None => Effect::Incident,
    };
    let entry = Entry {
        version: FORMAT,
        at: host.clock.now(),
        repository: cause.repository.clone(),
        by: args.said.by.clone(),
        body: Body::Effect(EffectEntry {
            effect: effect.as_str().to_owned(),
            package: args.package.clone(),
            package_version: args.version.clone(),
            cause: cause.entry.clone(),
            incident: args.incident.clone(),
            note: args.said.note.clone(),
        }),
    };
    let stored = Stored::new(entry);
    store.append(std::slice::from_ref(&stored))?;
    let short = |id: &str| id.get(..12).unwrap_or(id).to_owned();
    let before = if cause.before.is_empty() {
        String::new()
    } else {
        format!("{} -> ", cause.before)
    };
    let text = format!(
        "{} {}: {} {before}{} in {}, let in by {} with the verdict {}\n",
        short(&stored.id),
        effect.as_str(),
        safe_for_terminal(&args.package),
        args.version,
        safe_for_terminal(&cause.repository),
        short(&cause.entry),
        cause.verdict,
    );
    output::standard_output(text.as_bytes())?;
    Ok(exit::PASS)
}

/// Says when no incident file has this id. It is recorded all the same: on a bad
/// night the file is written later.
fn look_up(incident: &str, repository: &Path, host: &Host) {
    let lines = match incident::catalogue_of(repository, host) {
        Ok(catalogue) => {
            if catalogue.get(incident).is_some() {
                return;
            }
            let ids = catalogue.records().iter().map(|record| record.id.as_str());
            match nearest(incident, ids) {
                Some(near) => vec![format!("is `{near}` meant?")],
                None => vec![
                    "`cargo-canary incident import` drafts its record from the postmortem"
                        .to_owned(),
                ],
            }
        }
        Err(_) => vec!["the incident files of the repository cannot be read".to_owned()],
    };
    output::notes(
        &format!(
            "no incident file has the id `{}`",
            safe_for_terminal(incident)
        ),
        &lines,
    );
}

/// The audit that let the version in: the latest one of the repository.
fn cause(store: &mut dyn Store, args: &LedgerImpactArgs) -> Result<Row, Failure> {
    let asked = Filter {
        package: Some(args.package.clone()),
        kind: Some(Kind::Audit.as_str().to_owned()),
        step: Some(Step::In.as_str().to_owned()),
        ..Filter::default()
    };
    let took = store.rows(&Filter {
        version: Some(args.version.clone()),
        ..asked.clone()
    })?;
    let named = args.name.as_deref();
    let mut repositories: Vec<&str> = took.iter().map(|row| row.repository.as_str()).collect();
    repositories.sort_unstable();
    repositories.dedup();
    let what = format!("{} {}", args.package, args.version);
    match (named, repositories.as_slice()) {
        (None, [_, _, ..]) => Err(Failure::input(format!(
            "{} repositories took {what}",
            repositories.len()
        ))
        .hint(format!(
            "say which one with `--in NAME`: {}",
            repositories.join(", ")
        ))),
        (Some(name), _) if !repositories.contains(&name) && !repositories.is_empty() => {
            Err(Failure::input(format!("`{name}` did not take {what}"))
                .hint(format!("these did: {}", repositories.join(", "))))
        }
        (_, []) => Err(not_taken(store, &asked, args)?),
        _ => took
            .iter()
            .find(|row| named.is_none_or(|name| name == row.repository))
            .cloned()
            .ok_or_else(|| Failure::internal("an update was found and lost again")),
    }
}

/// No audit in the ledger let the version in.
fn not_taken(
    store: &mut dyn Store,
    asked: &Filter,
    args: &LedgerImpactArgs,
) -> Result<Failure, Failure> {
    let failure = Failure::input(format!(
        "no audit in the ledger let {} {} in",
        args.package, args.version
    ));
    let known = store.rows(&Filter {
        limit: 200,
        ..asked.clone()
    })?;
    let mut versions: Vec<&str> = Vec::new();
    for row in &known {
        if !versions.contains(&row.version.as_str()) {
            versions.push(&row.version);
        }
    }
    Ok(match nearest(&args.version, versions.iter().copied()) {
        Some(near) => failure.hint(format!("there is {} {near}", args.package)),
        None if versions.is_empty() => failure.hint(format!(
            "`{}` is in no audit at all; `cargo-canary check --ledger PLACE` records audits",
            args.package
        )),
        None => failure.hint(format!("of it there are: {}", versions.join(", "))),
    })
}
