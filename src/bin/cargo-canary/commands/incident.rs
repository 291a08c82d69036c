//! `incident list`, `show` and `match`.

use cargo_canary::host::Host;
use cargo_canary::incidents::{Catalogue, MAX_BYTES, Match, Record};
use cargo_canary::policy::nearest;
use cargo_canary::report::safe_for_terminal;
use cargo_canary::snapshot::{self, BuildName};
use semver::Version;
use serde_json::json;

use crate::args::{IncidentCommand, ReportFormat};
use crate::error::Failure;
use crate::exit;
use crate::output;

pub(crate) fn run(command: &IncidentCommand) -> Result<u8, Failure> {
    let catalogue = catalogue()?;
    let text = match command {
        IncidentCommand::List { component } => list(&catalogue, component.as_deref())?,
        IncidentCommand::Show { id } => show(find(&catalogue, id)?),
        IncidentCommand::Match { package, format } => matching(&catalogue, package, *format)?,
    };
    output::standard_output(text.as_bytes())?;
    Ok(exit::PASS)
}

/// The built-in records and those of the working tree, where there is one.
fn catalogue() -> Result<Catalogue, Failure> {
    let host = Host::real(None);
    let files = snapshot::open(&BuildName::Worktree, std::path::Path::new("."), &host)
        .and_then(|tree| tree.read_folder(".canary/incidents", ".toml", MAX_BYTES as u64))
        .unwrap_or_default();
    Catalogue::with_repository(&files).map_err(|error| {
        Failure::incidents("failed to read the incidents of the working tree", &error)
    })
}

fn list(catalogue: &Catalogue, component: Option<&str>) -> Result<String, Failure> {
    if let Some(component) = component
        && !catalogue.components().is_known(component)
    {
        let known: Vec<&str> = catalogue
            .components()
            .all()
            .iter()
            .map(|component| component.name.as_str())
            .collect();
        let failure = Failure::input(format!("there is no component `{component}`"));
        return Err(match nearest(component, known.iter().copied()) {
            Some(near) => failure.hint(format!("there is `{near}`")),
            None => failure.hint(format!("the components are {}", known.join(", "))),
        });
    }
    let mut text = String::new();
    for record in catalogue.records() {
        if component.is_none_or(|component| record.component == component) {
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
    }
    Ok(text)
}

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

fn show(record: &Record) -> String {
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

fn rule_words(rule: &cargo_canary::incidents::Affects) -> String {
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

fn matching(catalogue: &Catalogue, package: &str, format: ReportFormat) -> Result<String, Failure> {
    let (name, version) = match package.split_once('@') {
        Some((name, version)) => (name, Some(version)),
        None => (package, None),
    };
    let rows = match version {
        Some(version) => {
            let version: Version = version.parse().map_err(|error| {
                Failure::input(format!("`{version}` is not a version"))
                    .caused_by(&error)
                    .hint(format!("write it in full, as in `{name}@1.2.3`"))
            })?;
            catalogue
                .matching(name, &version)
                .iter()
                .map(|found| row_of_match(name, found))
                .collect()
        }
        None => catalogue
            .naming(name)
            .map(|record| row_of_record(name, record))
            .collect::<Vec<_>>(),
    };
    Ok(match format {
        ReportFormat::Json => {
            let links: Vec<_> = rows
                .iter()
                .map(|row| {
                    json!({ "id": row.id, "package": row.package, "strength": row.strength, "because": row.because })
                })
                .collect();
            format!("{:#}\n", json!({ "links": links }))
        }
        ReportFormat::Text if rows.is_empty() => {
            format!("no incident names {}\n", safe_for_terminal(package))
        }
        ReportFormat::Text => rows
            .iter()
            .map(|row| {
                format!(
                    "{} ({}): {}\n",
                    row.id,
                    row.strength,
                    safe_for_terminal(&row.because)
                )
            })
            .collect(),
    })
}

struct Row {
    id: String,
    package: String,
    strength: &'static str,
    because: String,
}

fn row_of_match(name: &str, found: &Match<'_>) -> Row {
    let with: Vec<String> = found
        .together_with
        .iter()
        .map(|(name, range)| format!("{name} {range}"))
        .collect();
    let together = if with.is_empty() {
        String::new()
    } else {
        format!(", together with {}", with.join(" and "))
    };
    Row {
        id: found.record.id.clone(),
        package: name.to_owned(),
        strength: "repeat",
        because: format!(
            "{} {} has this fault{together}: {}",
            name, found.affected.range, found.record.title
        ),
    }
}

fn row_of_record(name: &str, record: &Record) -> Row {
    Row {
        id: record.id.clone(),
        package: name.to_owned(),
        strength: "strong",
        because: format!(
            "the record names {}: {}",
            record
                .affects
                .iter()
                .map(rule_words)
                .collect::<Vec<_>>()
                .join("; or "),
            record.title
        ),
    }
}
