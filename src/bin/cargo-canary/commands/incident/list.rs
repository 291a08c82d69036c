//! `incident list`: the records, filtered.

use cargo_canary::incidents::{Catalogue, Cause, Failure as Mode, Origin, Record};
use cargo_canary::policy::nearest;
use cargo_canary::report::safe_for_terminal;
use serde_json::json;

use crate::args::{IncidentListArgs, ReportFormat};
use crate::error::Failure;

/// The records that pass the filters, one on each line, or as JSON.
pub(super) fn list(catalogue: &Catalogue, args: &IncidentListArgs) -> Result<String, Failure> {
    check(catalogue, args)?;
    let records: Vec<&Record> = catalogue
        .records()
        .iter()
        .filter(|record| fits(record, args))
        .collect();
    if args.format == ReportFormat::Json {
        let records: Vec<_> = records.iter().map(|record| record.to_json()).collect();
        return Ok(format!("{:#}\n", json!({ "incidents": records })));
    }
    let mut text = String::new();
    for record in records {
        text.push_str(
            &format_args!(
                "{}  {}  {:<18} {}\n",
                record.date,
                record.id,
                record.failure.as_str(),
                safe_for_terminal(&record.title)
            )
            .to_string(),
        );
    }
    if text.is_empty() {
        text.push_str("no incident fits\n");
    }
    Ok(text)
}

/// The words of the filters must be words of the format.
fn check(catalogue: &Catalogue, args: &IncidentListArgs) -> Result<(), Failure> {
    let components: Vec<&str> = catalogue
        .components()
        .all()
        .iter()
        .map(|component| component.name.as_str())
        .collect();
    let failures: Vec<&str> = Mode::ALL.iter().map(|word| word.as_str()).collect();
    let causes: Vec<&str> = Cause::ALL.iter().map(|word| word.as_str()).collect();
    known(
        "component",
        args.component.as_deref(),
        &components,
        "components",
    )?;
    known("failure", args.failure.as_deref(), &failures, "failures")?;
    known("cause", args.cause.as_deref(), &causes, "causes")
}

fn known(what: &str, word: Option<&str>, all: &[&str], plural: &str) -> Result<(), Failure> {
    match word {
        Some(word) if !all.contains(&word) => {
            let failure = Failure::input(format!("there is no {what} `{word}`"));
            Err(match nearest(word, all.iter().copied()) {
                Some(near) => failure.hint(format!("there is `{near}`")),
                None => failure.hint(format!("the {plural} are {}", all.join(", "))),
            })
        }
        Some(_) | None => Ok(()),
    }
}

fn fits(record: &Record, args: &IncidentListArgs) -> bool {
    let is =
        |wanted: &Option<String>, word: &str| wanted.as_deref().is_none_or(|wanted| wanted == word);
    let names = |name: &String| {
        record
            .affects
            .iter()
            .flat_map(|rule| &rule.crates)
            .any(|affected| affected.name == *name)
    };
    is(&args.component, &record.component)
        && is(&args.failure, record.failure.as_str())
        && is(&args.cause, record.cause.as_str())
        && args.package.as_ref().is_none_or(names)
        && (!args.own || record.origin == Origin::Repository)
        && (!args.built_in || record.origin == Origin::BuiltIn)
}
