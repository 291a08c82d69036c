//! `incident show`: one record.

use cargo_canary::incidents::{Affects, Catalogue, Record};
use cargo_canary::policy::nearest;
use cargo_canary::report::safe_for_terminal;

use crate::args::ReportFormat;
use crate::error::Failure;

fn find<'a>(catalogue: &'a Catalogue, id: &str) -> Result<&'a Record, Failure> {
    catalogue.get(id).ok_or_else(|| {
        let ids: Vec<&str> = catalogue
            .records()
            .iter()
            .map(|record| record.id.as_str())
            .collect();
        let failure = Failure::input(format!("there is no incident `{id}`"));
        match nearest(id, ids) {
            Some(near) => failure.hint(format!("there is `{near}`")),
            None => failure.hint("`cargo-canary incident list` lists them"),
        }
    })
}

/// A record in words, or as JSON.
pub(super) fn show(
    catalogue: &Catalogue,
    id: &str,
    format: ReportFormat,
) -> Result<String, Failure> {
    let record = find(catalogue, id)?;
    Ok(match format {
        ReportFormat::Text => text(record),
        ReportFormat::Json => format!("{:#}\n", record.to_json()),
    })
}

fn text(record: &Record) -> String {
    let mut text = String::new();
    let mut row = |name: &str, value: String| {
        text.push_str(&format_args!("{name:<11} {}\n", safe_for_terminal(&value)).to_string());
    };
    row("id", record.id.clone());
    row("title", record.title.clone());
    row("date", record.date.to_string());
    row("failure", record.failure.as_str().to_owned());
    row("component", record.component.clone());
    row("cause", record.cause.as_str().to_owned());
    if let Some(minutes) = record.duration_minutes {
        row("duration", format!("{minutes} minutes"));
    }
    if let Some(percent) = record.impact_percent {
        row("impact", format!("{percent} of 100 users"));
    }
    for resolution in &record.resolution {
        row("resolution", resolution.as_str().to_owned());
    }
    for suspected in &record.suspected {
        row("suspected", format!("{suspected} (wrongly)"));
    }
    for rule in &record.affects {
        row("affects", rule_words(rule));
    }
    for source in &record.sources {
        row("source", source.clone());
    }
    if let Some(note) = &record.note {
        row("note", note.clone());
    }
    text
}

/// A rule in words.
pub(super) fn rule_words(rule: &Affects) -> String {
    rule.crates
        .iter()
        .map(|affected| {
            let fixed: Vec<String> = affected.fixed_in.iter().map(ToString::to_string).collect();
            let fixed = if fixed.is_empty() {
                String::new()
            } else {
                format!(" (fixed in {})", fixed.join(", "))
            };
            format!("{} {}{fixed}", affected.name, affected.range)
        })
        .collect::<Vec<_>>()
        .join(" together with ")
}
