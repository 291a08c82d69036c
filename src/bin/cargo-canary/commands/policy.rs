//! The commands about policies.

use std::path::{Path, PathBuf};

use cargo_canary::audit::{self, Request};
use cargo_canary::host::{Host, RealNet};
use cargo_canary::policy::{self, Cases, Policy};
use cargo_canary::report::safe_for_terminal;
use cargo_canary::snapshot::{BuildName, GraphMode};

use super::request::{build_name, day};
use crate::args::PolicyCommand;
use crate::error::Failure;
use crate::exit;
use crate::output;

/// How many gaps are named one by one.
const NAMED_GAPS: usize = 10;

pub(crate) fn run(command: &PolicyCommand) -> Result<u8, Failure> {
    let text = match command {
        PolicyCommand::Init {
            repository,
            output,
            print,
        } => init(repository, output.as_deref(), *print)?,
        PolicyCommand::Check {
            file,
            explain,
            offline,
        } => check(file, *explain, *offline)?,
        PolicyCommand::Test { policy, cases } => return test(policy, cases),
        PolicyCommand::Replay(args) => return super::replay::run(args),
        PolicyCommand::Baseline {
            head,
            repository,
            shrink,
            as_of,
            data,
            output,
        } => {
            let request = Request {
                repository: repository.clone(),
                base: BuildName::MergeBase,
                head: build_name(head),
                policy: None,
                targets: Vec::new(),
                features: None,
                graph: GraphMode::Auto,
                as_of: as_of
                    .as_deref()
                    .map(|text| day("--as-of", text))
                    .transpose()?,
                publishers: None,
                locked_data: data.locked_data,
                cache_dir: data.cache.clone(),
                ledger: cargo_canary::audit::LedgerChoice::Never,
                evidence: audit::EvidenceSources::default(),
            };
            return baseline(&request, *shrink, output.as_deref(), &super::host(data)?);
        }
        PolicyCommand::Schema { cases } => {
            let schema = if *cases {
                policy::cases_schema()
            } else {
                policy::schema()
            };
            format!("{schema:#}\n")
        }
        PolicyCommand::Show { name } => policy::built_in_text(name)
            .map(str::to_owned)
            .ok_or_else(|| Failure::no_built_in_policy(name))?,
        PolicyCommand::Variables => policy::reference(),
    };
    output::standard_output(text.as_bytes())?;
    Ok(exit::PASS)
}

/// Writes a starting policy; one that is there is not written over.
fn init(repository: &Path, file: Option<&Path>, print: bool) -> Result<String, Failure> {
    let host = Host::real(None);
    let (found, root) = audit::surroundings(repository, &host)?;
    let text = policy::starting_policy(&found).map_err(|error| Failure::deny(&error))?;
    let nowhere = |name: &str, _: &str| Err(format!("there is no file `{name}`"));
    policy::load(&text, "canary.toml", &nowhere)
        .map_err(|error| Failure::internal("the starting policy is not valid").caused_by(&error))?;
    if print {
        return Ok(text);
    }
    let file = file.map_or_else(|| root.join("canary.toml"), Path::to_owned);
    if host.files.kind(&file).is_ok() {
        return Err(Failure::policy_is_there(&file));
    }
    output::report(text.as_bytes(), Some(&file), &host)?;
    let shown = safe_for_terminal(&file.display().to_string()).into_owned();
    let taken = match &found.deny {
        Some((path, _)) => format!("with what `{path}` says; look at what is not taken over"),
        None => "from the built-in policy `default`".to_owned(),
    };
    Ok(format!(
        "wrote {shown}, {taken}\nnext: read it, then `cargo-canary policy check {shown}`\n"
    ))
}

fn check(file: &Path, explain: bool, offline: bool) -> Result<String, Failure> {
    let host = if offline {
        Host::real(None)
    } else {
        Host::real(Some(Box::new(RealNet::default())))
    };
    let policy = audit::read_policy(file, &host)?;
    let thresholds = policy.thresholds();
    let from = |bound: Option<u8>| {
        bound.map_or("never".to_owned(), |score| format!("from {score} of 100"))
    };
    let explained = if explain {
        explained(&policy)
    } else {
        String::new()
    };
    Ok(format!(
        "{} is valid: {}, {}; by score canary {}, block {}\nlayers: {}\n{explained}",
        safe_for_terminal(&file.display().to_string()),
        counted(policy.rules().count(), "rule"),
        counted(policy.exemptions().len(), "exemption"),
        from(thresholds.canary),
        from(thresholds.block),
        safe_for_terminal(&policy.layers().join(", ")),
    ))
}

/// Judges the cases of each file by the policy.
fn test(name: &str, files: &[PathBuf]) -> Result<u8, Failure> {
    let host = Host::real(None);
    let built_in = name.strip_prefix("builtin:");
    let policy = match built_in {
        Some(name) => {
            if policy::built_in_text(name).is_none() {
                return Err(Failure::no_built_in_policy(name));
            }
            Policy::built_in(name).map_err(|error| Failure::policy(&error))?
        }
        None => audit::read_policy(Path::new(name), &host)?,
    };
    let mut all = Vec::new();
    match built_in.filter(|_| files.is_empty()) {
        Some(built_in) => {
            let text = policy::built_in_cases(built_in).unwrap_or_default();
            let path = format!("{name}, cases");
            all.push(Cases::read(text, &path).map_err(|error| Failure::cases(&error))?);
        }
        None if files.is_empty() => {
            all.push(cases(&Path::new(name).with_extension("test.toml"), &host)?);
        }
        None => {
            for file in files {
                all.push(cases(file, &host)?);
            }
        }
    }
    let mut outcomes = all.iter().map(|cases| cases.run(&policy));
    let Some(mut outcome) = outcomes.next() else {
        return Ok(exit::PASS);
    };
    for more in outcomes {
        outcome.cases.extend(more.cases);
        outcome.silent.retain(|rule| more.silent.contains(rule));
    }
    let text: String = outcome
        .render()
        .lines()
        .map(|line| format!("{}\n", safe_for_terminal(line)))
        .collect();
    output::standard_output(text.as_bytes())?;
    Ok(if outcome.failed() == 0 {
        exit::PASS
    } else {
        exit::BLOCK
    })
}

fn cases(file: &Path, host: &Host) -> Result<Cases, Failure> {
    let path = file.display().to_string();
    let content = host
        .files
        .read(file, 1 << 20)
        .map_err(|error| Failure::no_cases(&path, &error))?;
    Cases::read(&String::from_utf8_lossy(&content), &path).map_err(|error| Failure::cases(&error))
}

/// Records what a build lives with. What could not be looked at is named, and is
/// new when it is seen one day.
fn baseline(
    request: &Request,
    shrink: bool,
    file: Option<&Path>,
    host: &Host,
) -> Result<u8, Failure> {
    let recorded = audit::baseline(request, host)?;
    let found = if shrink {
        let kept = recorded.kept.ok_or_else(Failure::no_baseline)?;
        kept.within(&recorded.baseline)
    } else {
        recorded.baseline
    };
    output::report(found.render().as_bytes(), file, host)?;
    let mut notes: Vec<String> = recorded
        .gaps
        .iter()
        .take(NAMED_GAPS)
        .map(|(_, gap)| gap.detail.clone())
        .collect();
    let more = recorded.gaps.len().saturating_sub(NAMED_GAPS);
    if more > 0 {
        notes.push(format!("and {more} more"));
    }
    output::notes("not recorded, since it could not be looked at", &notes);
    Ok(exit::PASS)
}

/// Where each value comes from: a line for each key, rules by id.
fn explained(policy: &Policy) -> String {
    let provenance = policy.provenance();
    let lines = provenance.iter().map(|it| {
        let instead = match it.instead_of.as_slice() {
            [] => String::new(),
            all => format!(", in the place of {}", all.join(", ")),
        };
        let value = format!("{} = {}", it.key, it.value);
        let from = format!("    {} ({}){instead}", it.origin, it.layer.as_str());
        format!(
            "{}\n{}",
            safe_for_terminal(&value),
            safe_for_terminal(&from)
        )
    });
    let lines: Vec<String> = lines.collect();
    format!("\n{}\n", lines.join("\n"))
}

fn counted(count: usize, of: &str) -> String {
    match count {
        0 => format!("no {of}s"),
        1 => format!("1 {of}"),
        _ => format!("{count} {of}s"),
    }
}
