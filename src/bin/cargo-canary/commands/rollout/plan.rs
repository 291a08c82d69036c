//! `rollout plan`: from a verdict to a plan.

use std::fmt::Write as _;

use cargo_canary::audit::{self, Audit, JudgedChange};
use cargo_canary::diff::ChangeKind;
use cargo_canary::host::Host;
use cargo_canary::incidents::{Catalogue, Direction, Strength};
use cargo_canary::policy::Decision;
use cargo_canary::report::safe_for_terminal;
use cargo_canary::rollout::plan::{Noise, Plan, PlanError, Service, Subject, Update, noise_beside};
use cargo_canary::rollout::prometheus::{self, Window};
use cargo_canary::rollout::{Config, Kind, Said};
use cargo_canary::snapshot::Role;
use jiff::tz::TimeZone;
use serde_json::json;

use super::{Table, table};
use crate::args::{AuditArgs, PlanArgs, ReportFormat};
use crate::commands::{plain_format, request::request, triage};
use crate::error::Failure;
use crate::exit;
use crate::output;
use crate::progress::Progress;

/// What stands for the address of Prometheus and for the labels where nothing is said.
const PLACEHOLDERS: (&str, &str, &str) = ("http://prometheus.monitoring:9090", "stable", "canary");

pub(super) fn run(args: &PlanArgs) -> Result<u8, Failure> {
    let options = &args.audit.output;
    let format = plain_format(options.format, "rollout plan")?;
    let host: Host = crate::commands::host(&args.audit.data)?;
    let request = request(&args.audit, &host)?;
    let Table { name, text, .. } = table(args.audit.policy.as_deref(), &request, &host)?;
    let service = Service::read(&text)?;
    let config = Config::read(&text, &name, &said(&text, &service))?;
    let progress = Progress::new(!options.no_progress);
    let audit = audit::run(&request, &host, &|event| progress.show(event))?;
    drop(progress);
    if audit.changes.is_empty() {
        return Err(Failure::input(
            "both builds have the same dependencies: there is nothing to roll out",
        )
        .hint("name the builds as for `check`, with `--base` and `--head`"));
    }
    let measured = if args.measure {
        measured(&config)?
    } else {
        Vec::new()
    };
    let plan = Plan::new(subject(&args.audit, &audit, measured)?, service, config)?;
    if let Some(folder) = &args.write {
        for file in plan.files() {
            output::report(
                file.content.as_bytes(),
                Some(&folder.join(file.name)),
                &host,
            )?;
        }
        output::report(&shape(&plan), Some(&folder.join("plan.json")), &host)?;
    }
    let bytes = match format {
        ReportFormat::Json => shape(&plan),
        ReportFormat::Text => match &args.write {
            Some(folder) => said_of(&plan, &folder.display().to_string()).into_bytes(),
            None => plan.checklist().into_bytes(),
        },
    };
    output::report(&bytes, options.output.as_deref(), &host)?;
    Ok(exit::PASS)
}

/// Placeholders for what `[rollout]` does not say.
fn said(text: &str, service: &Service) -> Said {
    let table: toml::Table = text.parse().unwrap_or_default();
    let has = |key: &str| {
        table
            .get("rollout")
            .and_then(|rollout| rollout.get(key))
            .is_some()
    };
    let (address, baseline, canary) = PLACEHOLDERS;
    let labels = |track: &str| {
        let mut labels = service.selector.clone();
        labels.retain(|name, _| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
        labels.insert("track".to_owned(), track.to_owned());
        labels
    };
    let mut said = Said::default();
    if !has("prometheus") {
        said.prometheus = Some(address.to_owned());
    }
    if !has("baseline") {
        said.baseline = labels(baseline);
    }
    if !has("canary") {
        said.canary = labels(canary);
    }
    said
}

/// How much the baseline varies now.
fn measured(config: &Config) -> Result<Vec<(String, Noise)>, Failure> {
    let mut host = Host::real(None);
    let window = Window::ending(host.clock.now(), config.duration, config.step);
    host.net = Some(Box::new(prometheus::open(&config.access, &host)?));
    let seen = prometheus::ask(config, window, &host)?;
    let step = window.step.as_secs_f64();
    let found: Vec<(String, Noise)> = seen
        .iter()
        .filter(|seen| seen.metric.kind == Kind::Trend)
        .filter_map(|seen| {
            let of = |side: &prometheus::Reply| -> Vec<Vec<(f64, f64)>> {
                let series = side.series.iter().flatten();
                series.map(|one| one.points(step)).collect()
            };
            let noise = noise_beside(&of(&seen.baseline), &of(&seen.canary))?;
            Some((seen.metric.id.clone(), noise))
        })
        .collect();
    if found.is_empty() {
        let why = seen
            .iter()
            .find_map(|seen| seen.baseline.series.as_ref().err());
        let because = why.map_or("the baseline has none of the series", String::as_str);
        return Err(Failure::input(format!(
            "failed to measure how much the baseline varies: {because}"
        ))
        .hint("look at `prometheus` and `baseline` under [rollout], or plan without `--measure`"));
    }
    Ok(found)
}

fn subject(
    args: &AuditArgs,
    audit: &Audit,
    measured: Vec<(String, Noise)>,
) -> Result<Subject, Failure> {
    let catalogue = Catalogue::built_in().map_err(|error| {
        Failure::internal("failed to read the built-in incidents").caused_by(&error)
    })?;
    let mut options = String::new();
    for (option, value) in [
        ("--base", args.base.as_deref()),
        (
            "--head",
            Some(args.head.as_str()).filter(|head| *head != "WORKTREE"),
        ),
        ("--policy", args.policy.as_deref()),
    ] {
        if let Some(value) = value {
            let _ = write!(options, " {option} {}", word(value));
        }
    }
    let comparison = &audit.comparison;
    Ok(Subject {
        day: comparison.as_of.to_zoned(TimeZone::UTC).date(),
        builds: (
            comparison.base.input.given.clone(),
            comparison.head.input.given.clone(),
        ),
        options,
        difference: comparison.diff.digest.clone(),
        verdict: decision(audit.verdict.decision).to_owned(),
        updates: audit
            .ranked()
            .into_iter()
            .filter(|judged| judged.change.incoming().is_some())
            .map(|judged| update(judged, &catalogue))
            .collect(),
        min_duration: audit.evidence.min_duration,
        measured,
    })
}

fn decision(decision: Decision) -> &'static str {
    match decision {
        Decision::Pass => "pass",
        Decision::Canary => "canary",
        Decision::Incomplete => "incomplete",
        Decision::Block => "block",
    }
}

fn update(judged: &JudgedChange, catalogue: &Catalogue) -> Update {
    let change = &judged.change;
    let roles = catalogue.components().roles(
        &change.package,
        judged.dossier.source.seen().map(|delta| &delta.purpose),
    );
    let undo = match (change.kind, change.from.as_slice()) {
        (ChangeKind::Upgraded, [before]) => Some(format!(
            "cargo update -p {} --precise {}",
            change.package, before.version
        )),
        _ => None,
    };
    Update {
        package: change.package.clone(),
        step: triage::step(&change.from, &change.to),
        score: judged.assessment.score,
        root: change.forced_by.is_none(),
        runs: change.placement.roles.contains(&Role::Target),
        decision: decision(judged.decision).to_owned(),
        components: roles
            .into_iter()
            .map(|role| role.component.to_owned())
            .collect(),
        incidents: judged
            .links
            .iter()
            .filter(|link| link.strength > Strength::Weak && link.direction != Direction::Leaves)
            .map(|link| format!("{}: {}", link.id, link.because))
            .collect(),
        undo,
    }
}

/// A value as one word of a shell.
fn word(text: &str) -> String {
    let fine = |c: char| c.is_ascii_alphanumeric() || "-_./:@^~=+".contains(c);
    if !text.is_empty() && text.chars().all(fine) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// What was written, and the plan in a few lines.
fn said_of(plan: &Plan, folder: &str) -> String {
    let mut out = folded("", &plan.sentence());
    out.push('\n');
    for step in &plan.steps {
        let minutes = step.pause.as_secs() / 60;
        let _ = writeln!(out, "{:>3} % for {minutes} min", step.weight);
    }
    out.push('\n');
    for watch in &plan.watch {
        let start = format!("watch {}: ", watch.metric);
        out.push_str(&folded(&start, &watch.because.join("; ")));
    }
    for watch in &plan.missing {
        let start = format!("no metric {}: ", watch.metric);
        out.push_str(&folded(&start, &watch.because.join("; ")));
    }
    for note in &plan.notes {
        out.push_str(&folded("note: ", note));
    }
    out.push('\n');
    for file in plan.files() {
        let _ = writeln!(out, "wrote {folder}/{}", file.name);
    }
    let _ = writeln!(out, "wrote {folder}/plan.json");
    let lines: Vec<String> = out
        .lines()
        .map(|line| safe_for_terminal(line).into_owned())
        .collect();
    format!("{}\n", lines.join("\n"))
}

/// A line of at most 80 columns, continued below itself.
fn folded(start: &str, text: &str) -> String {
    let indent = start.chars().count().min(12);
    let (mut out, mut length) = (start.trim_end().to_owned(), start.chars().count());
    let mut first = start.is_empty();
    for word in text.split_whitespace() {
        let wide = word.chars().count();
        if first {
            first = false;
        } else if length + wide >= 80 {
            let _ = write!(out, "\n{}", " ".repeat(indent));
            length = indent;
        } else {
            out.push(' ');
            length += 1;
        }
        out.push_str(word);
        length += wide;
    }
    out.push('\n');
    out
}

/// Five digits: the noise is known no better.
fn rounded(value: f64) -> f64 {
    format!("{value:.4e}").parse().unwrap_or(value)
}

/// The JSON of a plan.
fn shape(plan: &Plan) -> Vec<u8> {
    let watch = |list: &[cargo_canary::rollout::plan::Watch]| {
        list.iter()
            .map(|watch| json!({ "metric": watch.metric, "because": watch.because }))
            .collect::<Vec<_>>()
    };
    let power: Vec<_> = plan
        .power
        .iter()
        .map(|power| {
            json!({
                "metric": power.metric,
                "matters-per-second": rounded(power.matters),
                "deviation": rounded(power.noise.deviation),
                "noise": if power.noise.over.is_some() { "measured" } else { "assumed" },
                "seconds-needed": power.needed.as_secs(),
                "visible-per-second": rounded(power.visible),
                "power": power.probability,
                "decides": power.decides,
            })
        })
        .collect();
    let steps: Vec<_> = plan
        .steps
        .iter()
        .map(|step| json!({ "weight": step.weight, "pause-seconds": step.pause.as_secs() }))
        .collect();
    let document = json!({
        "schema-version": 1,
        "diff-digest": plan.subject.difference,
        "verdict": plan.subject.verdict,
        "risk": plan.tier,
        "duration-seconds": plan.duration.as_secs(),
        "because": plan.sentence(),
        "steps": steps,
        "watch": watch(&plan.watch),
        "missing": watch(&plan.missing),
        "power": power,
        "notes": plan.notes,
    });
    format!("{document:#}\n").into_bytes()
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        Self::input("failed to plan the rollout")
            .caused_by(&error)
            .hint("`docs/rollout.md` has the keys of [rollout] and of [rollout.plan]")
    }
}
