//! `exposure`: were we exposed, where, and when?

use cargo_canary::exposure::{self, Answer, ExposureError, Held, Question};
use cargo_canary::host::Host;
use cargo_canary::report::safe_for_terminal;
use jiff::Timestamp;
use semver::{Version, VersionReq};
use serde_json::json;

use super::request::day;
use crate::args::{ExposureArgs, ReportFormat};
use crate::error::Failure;
use crate::exit;
use crate::output;

pub(crate) fn run(args: &ExposureArgs) -> Result<u8, Failure> {
    let host = Host::real(None);
    let question = question(&args.package)?;
    let since = args
        .since
        .as_deref()
        .map(|text| day("--since", text))
        .transpose()?;
    let until = args
        .until
        .as_deref()
        .map(|text| day("--until", text))
        .transpose()?;
    let mut answers = Vec::new();
    for repository in &args.repositories {
        let mut answer = exposure::search(&question, repository, &host)?;
        answer.held.retain(|held| overlaps(held, since, until));
        answers.push(answer);
    }
    let text = match args.output.format {
        ReportFormat::Json => format!("{:#}\n", document(&args.package, &answers)),
        ReportFormat::Text => table(&args.package, args.repositories.len(), &answers),
    };
    output::report(text.as_bytes(), args.output.output.as_deref(), &host)?;
    Ok(exit::PASS)
}

/// `NAME`, `NAME@1.2.3` for one version, or `NAME@>=1.2, <2` for a range.
fn question(text: &str) -> Result<Question, Failure> {
    let (package, versions) = match text.split_once('@') {
        Some((package, versions)) => (package, Some(versions.trim())),
        None => (text, None),
    };
    let versions = versions
        .map(|text| {
            let exact = text.parse::<Version>().map(|version| format!("={version}"));
            VersionReq::parse(exact.as_deref().unwrap_or(text))
        })
        .transpose()
        .map_err(|error| {
            Failure::input(format!("`{text}` does not name versions"))
                .caused_by(&error)
                .hint(format!(
                    "write `{package}@1.2.3`, or a range: `{package}@>=1.2.0, <1.2.5`"
                ))
        })?;
    Ok(Question {
        package: package.to_owned(),
        versions,
    })
}

fn overlaps(held: &Held, since: Option<Timestamp>, until: Option<Timestamp>) -> bool {
    let ended_before = since.is_some_and(|since| held.to.is_some_and(|to| to < since));
    let began_after = until.is_some_and(|until| held.from > until);
    !ended_before && !began_after
}

impl From<ExposureError> for Failure {
    fn from(error: ExposureError) -> Self {
        Self::input("failed to look through the history")
            .caused_by(&error)
            .hint("name a repository with `-C DIR`")
    }
}

fn document(asked: &str, answers: &[Answer]) -> serde_json::Value {
    let held: Vec<_> = answers
        .iter()
        .flat_map(|answer| &answer.held)
        .map(|held| {
            json!({
                "repository": held.repository.display().to_string(),
                "lock": held.lock,
                "version": held.version.to_string(),
                "source": held.source.to_string(),
                "checksum": held.checksum,
                "from": held.from.to_string(),
                "to": held.to.map(|to| to.to_string()),
                "entered": held.entered,
                "left": held.left,
                "commits": held.commits,
                "refs": held.refs,
            })
        })
        .collect();
    json!({
        "asked": asked,
        "held": held,
        "commits": answers.iter().map(|answer| answer.commits).sum::<usize>(),
        "locks": answers.iter().map(|answer| answer.locks).sum::<usize>(),
        "gaps": answers.iter().flat_map(|answer| &answer.gaps).collect::<Vec<_>>(),
    })
}

fn table(asked: &str, repositories: usize, answers: &[Answer]) -> String {
    let commits: usize = answers.iter().map(|answer| answer.commits).sum();
    let locks: usize = answers.iter().map(|answer| answer.locks).sum();
    let held: Vec<&Held> = answers.iter().flat_map(|answer| &answer.held).collect();
    let searched = format!("{commits} commits with {locks} states of lock files");
    let mut text = if held.is_empty() {
        format!(
            "NOT HELD: {} is in none of {searched}\n",
            safe_for_terminal(asked)
        )
    } else {
        format!(
            "HELD: {} was found in {searched}\n",
            safe_for_terminal(asked)
        )
    };
    for held in held {
        let place = if repositories > 1 {
            format!("{}: {}", held.repository.display(), held.lock)
        } else {
            held.lock.clone()
        };
        let to = held.to.map_or("now".to_owned(), |to| {
            to.strftime("%Y-%m-%d %H:%M UTC").to_string()
        });
        text.push_str(
            &format_args!(
                "\n{} {} from {}\n  {} to {to}, {} commits\n",
                safe_for_terminal(&place),
                held.version,
                held.source,
                held.from.strftime("%Y-%m-%d %H:%M UTC"),
                held.commits,
            )
            .to_string(),
        );
        if let Some(checksum) = &held.checksum {
            text.push_str(&format_args!("  sha256 {checksum}\n").to_string());
        }
        for (word, commits) in [
            ("came in with", &held.entered),
            ("went out with", &held.left),
        ] {
            if let Some(first) = commits.first() {
                let more = match commits.len() - 1 {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                text.push_str(
                    &format_args!("  {word} {}{more}\n", first.get(..12).unwrap_or(first))
                        .to_string(),
                );
            }
        }
        if !held.refs.is_empty() {
            let shown: Vec<String> = held
                .refs
                .iter()
                .take(5)
                .map(|name| safe_for_terminal(name).into_owned())
                .collect();
            let more = match held.refs.len().saturating_sub(5) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            text.push_str(&format_args!("  still in {}{more}\n", shown.join(", ")).to_string());
        }
    }
    for gap in answers.iter().flat_map(|answer| &answer.gaps) {
        text.push_str("\nNot looked at: ");
        text.push_str(&safe_for_terminal(gap));
        text.push('\n');
    }
    text
}
