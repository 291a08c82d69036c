//! `triage`: suspects in order, and the way to prove which one it was. Runs
//! nothing of the builds.

use std::fmt::Write as _;

use cargo_canary::audit::{self, Audit};
use cargo_canary::host::Host;
use cargo_canary::incidents::{Catalogue, Direction};
use cargo_canary::pkg::Release;
use cargo_canary::probe::triage::{self, Known, Suspect, Symptom, Update};
use cargo_canary::report::safe_for_terminal;
use serde_json::json;

use super::request::request;
use crate::args::{ReportFormat, SymptomArg, TriageArgs};
use crate::error::Failure;
use crate::exit;
use crate::output;
use crate::progress::Progress;

/// So many suspects are shown unless all are asked for.
const SHOWN: usize = 8;

pub(crate) fn run(args: &TriageArgs) -> Result<u8, Failure> {
    let options = &args.audit.output;
    let format = super::plain_format(options.format, "triage")?;
    let host: Host = super::host(&args.audit.data)?;
    let request = request(&args.audit, &host)?;
    let progress = Progress::new(!options.no_progress);
    let audit = audit::run(&request, &host, &|event| progress.show(event))?;
    drop(progress);
    let symptom = symptom(args.symptom);
    let suspects = suspects(&audit, symptom)?;
    let plan = plan(args, symptom, &suspects);
    let bytes = match format {
        ReportFormat::Json => {
            let suspects: Vec<_> = suspects.iter().map(shape).collect();
            let document = json!({
                "schema-version": 1,
                "symptom": symptom.as_str(),
                "suspects": suspects,
                "plan": plan,
            });
            format!("{document:#}\n")
        }
        ReportFormat::Text => text(symptom, &suspects, &plan, options.verbose),
    };
    output::report(bytes.as_bytes(), options.output.as_deref(), &host)?;
    Ok(exit::PASS)
}

pub(super) fn symptom(symptom: SymptomArg) -> Symptom {
    match symptom {
        SymptomArg::Memory => Symptom::Memory,
        SymptomArg::Handles => Symptom::Handles,
        SymptomArg::Hang => Symptom::Hang,
        SymptomArg::Panic => Symptom::Panic,
        SymptomArg::Latency => Symptom::Latency,
    }
}

/// The suspects of an audit.
pub(super) fn suspects(audit: &Audit, symptom: Symptom) -> Result<Vec<Suspect>, Failure> {
    let catalogue = Catalogue::built_in().map_err(|error| {
        Failure::internal("failed to read the built-in incidents").caused_by(&error)
    })?;
    let updates: Vec<Update> = audit
        .changes
        .iter()
        .map(|judged| Update {
            package: judged.change.package.clone(),
            step: step(&judged.change.from, &judged.change.to),
            score: judged.assessment.score,
            known: judged
                .links
                .iter()
                .filter_map(|link| {
                    Some(Known {
                        failure: catalogue.get(&link.id)?.failure.as_str().to_owned(),
                        enters: link.direction == Direction::Enters,
                        because: link.because.clone(),
                    })
                })
                .collect(),
            components: catalogue
                .components()
                .roles(
                    &judged.change.package,
                    judged.dossier.source.seen().map(|delta| &delta.purpose),
                )
                .into_iter()
                .map(|role| role.component.to_owned())
                .collect(),
        })
        .collect();
    triage::suspects(&updates, symptom)
        .map_err(|error| Failure::internal("failed to order the suspects").caused_by(&error))
}

pub(super) fn step(from: &[Release], to: &[Release]) -> String {
    let versions = |releases: &[Release]| {
        let all: Vec<String> = releases.iter().map(|r| r.version.to_string()).collect();
        if all.is_empty() {
            "none".to_owned()
        } else {
            all.join(" + ")
        }
    };
    format!("{} -> {}", versions(from), versions(to))
}

fn shape(suspect: &Suspect) -> serde_json::Value {
    json!({
        "package": suspect.package,
        "step": suspect.step,
        "share": (suspect.share * 1e4).round() / 1e4,
        "reasons": suspect.reasons,
    })
}

/// What to do next, as commands.
fn plan(args: &TriageArgs, symptom: Symptom, suspects: &[Suspect]) -> Vec<String> {
    let mut plan = Vec::new();
    let base = args.audit.base.as_deref().unwrap_or("BASE");
    let builds = format!("--base {base} --head {}", args.audit.head);
    match symptom {
        Symptom::Memory | Symptom::Handles => plan.push(format!(
            "cargo canary bisect {builds} --probe --symptom {} -- ARGS OF THE SERVICE",
            symptom.as_str()
        )),
        Symptom::Hang | Symptom::Panic | Symptom::Latency => plan.push(format!(
            "cargo canary bisect {builds} --symptom {} -- A COMMAND THAT SHOWS IT",
            symptom.as_str()
        )),
    }
    if let Some(first) = suspects.first()
        && let Some((from, _)) = first.step.split_once(" -> ")
        && !from.contains(' ')
        && from != "none"
    {
        plan.push(format!("cargo update {} --precise {from}", first.package));
    }
    plan
}

fn percent(share: f64) -> String {
    if share < 0.01 {
        "<1".to_owned()
    } else {
        format!("{:.0}", share * 100.0)
    }
}

fn text(symptom: Symptom, suspects: &[Suspect], plan: &[String], all: bool) -> String {
    let mut out = format!(
        "{} suspects for the symptom `{}`\n\n",
        suspects.len(),
        symptom.as_str()
    );
    let shown = if all { suspects.len() } else { SHOWN };
    for suspect in suspects.iter().take(shown) {
        let _ = writeln!(
            out,
            "{:>4} %  {} {}",
            percent(suspect.share),
            safe_for_terminal(&suspect.package),
            safe_for_terminal(&suspect.step)
        );
        for reason in &suspect.reasons {
            let _ = writeln!(out, "        {}", safe_for_terminal(reason));
        }
    }
    if let Some(more) = suspects.len().checked_sub(shown).filter(|more| *more > 0) {
        let _ = writeln!(out, "        and {more} more, see `--verbose`");
    }
    out.push_str("\nthe way to prove it, and the quickest way back for the first suspect:\n");
    for line in plan {
        let _ = writeln!(out, "  {}", safe_for_terminal(line));
    }
    out
}
