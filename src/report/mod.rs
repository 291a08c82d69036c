//! A finished audit to bytes, in each of the formats. Recomputes nothing and
//! reads nothing.
//!
//! Imports: pkg, facts, snapshot, diff, incidents, risk, policy, evidence, audit, remedy, replay.

mod changelog;
mod evidence;
mod github;
mod gitlab;
mod html;
mod json;
mod markdown;
mod place;
mod remedy;
mod safe;
mod sarif;
mod text;
mod upstream;
mod view;
mod words;

use crate::audit::{Audit, Comparison};
use crate::replay::Replay;

pub use evidence::{Evidence, list as render_evidence};
pub use remedy::{Named, render_rollback, render_subset};
pub use safe::terminal as safe_for_terminal;

/// The formats that a report can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// For people at a terminal.
    Text,
    /// For programs: the report of schema version 1.
    Json,
    /// For a comment on a pull request, or the summary of a job.
    Markdown,
    /// For the log of a GitHub workflow: annotations at lines of lock files.
    Github,
    /// For code scanning: SARIF 2.1.0.
    Sarif,
    /// For a GitLab merge request: a code-quality report.
    Gitlab,
    /// For a release manager: one page that stands for itself.
    Html,
}

/// How text is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Columns; lines are wrapped to fit, except for a single long word.
    pub width: usize,
    /// Whether escape sequences for colour may be used.
    pub color: bool,
    /// Whether to show what is otherwise folded: every change, every gap.
    pub verbose: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            width: 80,
            color: false,
            verbose: false,
        }
    }
}

/// The program that makes the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tool<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its version.
    pub version: &'a str,
}

/// This program.
pub const TOOL: Tool<'static> = Tool {
    name: env!("CARGO_PKG_NAME"),
    version: env!("CARGO_PKG_VERSION"),
};

/// The schema of the JSON report (JSON Schema, draft 2020-12).
pub const JSON_SCHEMA: &str = include_str!("json/schema.json");

/// The report of a whole audit.
#[must_use]
pub fn render(audit: &Audit, format: Format, style: Style) -> Vec<u8> {
    match format {
        Format::Text => text::check(audit, style).into_bytes(),
        Format::Json => json::check(audit),
        Format::Markdown => markdown::check(audit).into_bytes(),
        Format::Github => github::check(audit).into_bytes(),
        Format::Sarif => sarif::check(audit),
        Format::Gitlab => gitlab::check(audit),
        Format::Html => html::check(audit),
    }
}

/// The report of a comparison without judgement; `None` when there is none in
/// this format.
#[must_use]
pub fn render_diff(comparison: &Comparison, format: Format, style: Style) -> Option<Vec<u8>> {
    match format {
        Format::Text => Some(text::diff(comparison, style).into_bytes()),
        Format::Json => Some(json::diff(comparison)),
        Format::Markdown | Format::Github | Format::Sarif | Format::Gitlab | Format::Html => None,
    }
}

/// What a policy makes of a repository's past; `None` when there is no such
/// report in this format.
#[must_use]
pub fn render_replay(replay: &Replay, format: Format, style: Style) -> Option<Vec<u8>> {
    match format {
        Format::Text => Some(text::replay(replay, style).into_bytes()),
        Format::Json => Some(json::replay(replay)),
        Format::Markdown | Format::Github | Format::Sarif | Format::Gitlab | Format::Html => None,
    }
}

/// The library updates between two builds, for a changelog; `None` when there
/// is none in this format.
#[must_use]
pub fn render_changelog(audit: &Audit, format: Format) -> Option<Vec<u8>> {
    match format {
        Format::Markdown => Some(changelog::section(audit).into_bytes()),
        Format::Json => Some(changelog::document(audit)),
        Format::Html => Some(changelog::page(audit)),
        Format::Text | Format::Github | Format::Sarif | Format::Gitlab => None,
    }
}

/// Whether [`render_explain`] knows a format.
#[must_use]
pub fn explains_in(format: Format) -> bool {
    match format {
        Format::Text | Format::Json | Format::Markdown => true,
        Format::Github | Format::Sarif | Format::Gitlab | Format::Html => false,
    }
}

/// The report of the changes of one package; `None` when it has none, or there
/// is none in this format (see [`explains_in`]).
#[must_use]
pub fn render_explain(
    audit: &Audit,
    package: &str,
    format: Format,
    style: Style,
) -> Option<Vec<u8>> {
    let changes: Vec<_> = audit
        .changes
        .iter()
        .filter(|judged| judged.change.package == package || judged.change.id == package)
        .collect();
    if changes.is_empty() {
        return None;
    }
    match format {
        Format::Text => Some(text::explain(audit, &changes, style).into_bytes()),
        Format::Json => Some(json::explain(audit, &changes)),
        Format::Markdown => Some(markdown::explain(audit, &changes).into_bytes()),
        Format::Github | Format::Sarif | Format::Gitlab | Format::Html => None,
    }
}
