//! A finished audit to bytes, in each of the formats. Recomputes nothing and
//! reads nothing.
//!
//! Imports: pkg, facts, snapshot, diff, risk, policy, audit.

mod json;
mod safe;
mod text;

use crate::audit::{Audit, Comparison};

pub use safe::terminal as safe_for_terminal;

/// The formats that a report can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// For people at a terminal.
    Text,
    /// For programs: the report of schema version 1.
    Json,
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

/// The report of a whole audit.
#[must_use]
pub fn render(audit: &Audit, format: Format, style: Style) -> Vec<u8> {
    match format {
        Format::Text => text::check(audit, style).into_bytes(),
        Format::Json => json::check(audit),
    }
}

/// The report of a comparison without judgement.
#[must_use]
pub fn render_diff(comparison: &Comparison, format: Format, style: Style) -> Vec<u8> {
    match format {
        Format::Text => text::diff(comparison, style).into_bytes(),
        Format::Json => json::diff(comparison),
    }
}

/// The report of the changes of one package; `None` when it has none.
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
    Some(match format {
        Format::Text => text::explain(audit, &changes, style).into_bytes(),
        Format::Json => json::explain(audit, &changes),
    })
}
