//! What is wrong with a policy file, and where.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// How many problems are shown; the rest is counted.
const SHOWN: usize = 20;

/// The text of one policy file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SourceFile {
    /// What the file is called in messages.
    pub(super) path: String,
    /// Its content.
    pub(super) text: String,
    /// Where its lines end, in bytes. A file of a thousand exemptions is asked
    /// for a thousand lines.
    line_ends: Vec<usize>,
}

impl SourceFile {
    pub(super) fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            line_ends: memchr::memchr_iter(b'\n', text.as_bytes()).collect(),
        }
    }

    /// The line of a place, one-based.
    pub(super) fn line(&self, at: usize) -> usize {
        self.line_ends.partition_point(|end| *end < at) + 1
    }
}

/// One thing that is wrong with a policy file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    file: Arc<SourceFile>,
    span: Range<usize>,
    title: String,
    label: String,
    help: Option<String>,
}

impl Problem {
    pub(super) fn new(
        file: &Arc<SourceFile>,
        span: Range<usize>,
        title: impl Into<String>,
        label: impl Into<String>,
    ) -> Self {
        let length = file.text.len();
        let mut start = span.start.min(length);
        while !file.text.is_char_boundary(start) {
            start -= 1;
        }
        let mut end = span.end.clamp(start, length);
        while !file.text.is_char_boundary(end) {
            end += 1;
        }
        Self {
            file: Arc::clone(file),
            span: start..end,
            title: title.into(),
            label: label.into(),
            help: None,
        }
    }

    pub(super) fn with_help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }

    /// What the file is called.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.file.path
    }

    /// The line, one-based.
    #[must_use]
    pub fn line(&self) -> usize {
        self.file.line(self.span.start)
    }

    /// The column in characters, one-based.
    #[must_use]
    pub fn column(&self) -> usize {
        let before = self.before();
        let line = before.rfind('\n').map_or(0, |at| at + 1);
        before.get(line..).unwrap_or_default().chars().count() + 1
    }

    /// Which part of the policy is wrong, in words.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What is wrong with the marked text.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// What would help, where it is known.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }

    fn before(&self) -> &str {
        self.file.text.get(..self.span.start).unwrap_or_default()
    }

    fn group(&self) -> Group<'_> {
        let snippet = Snippet::source(self.file.text.as_str())
            .path(self.file.path.as_str())
            .annotation(
                AnnotationKind::Primary
                    .span(self.span.clone())
                    .label(self.label.as_str()),
            );
        let group = Level::ERROR
            .primary_title(self.title.as_str())
            .element(snippet);
        match &self.help {
            Some(help) => group.element(Level::HELP.message(help.as_str())),
            None => group,
        }
    }
}

/// Whether a rendered error carries colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RenderStyle {
    /// Text only.
    Plain,
    /// With terminal colours.
    Colour,
}

/// A policy that is not valid: every problem that was found, in the order of
/// the files and lines.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct PolicyError {
    problems: Vec<Problem>,
}

impl PolicyError {
    /// The problems in order; `None` when there is none.
    pub(super) fn of(mut problems: Vec<Problem>) -> Option<Self> {
        if problems.is_empty() {
            return None;
        }
        // Stable, and by place within a file only: the files keep their order.
        problems.sort_by(|a, b| {
            if a.file.path == b.file.path {
                (a.span.start, a.span.end).cmp(&(b.span.start, b.span.end))
            } else {
                std::cmp::Ordering::Equal
            }
        });
        problems.dedup();
        Some(Self { problems })
    }

    /// Everything that is wrong.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// All problems with the lines they are about, ready to be shown.
    #[must_use]
    pub fn render(&self, style: RenderStyle) -> String {
        let renderer = match style {
            RenderStyle::Plain => Renderer::plain(),
            RenderStyle::Colour => Renderer::styled(),
        };
        let mut blocks: Vec<String> = self
            .problems
            .iter()
            .take(SHOWN)
            .map(|problem| renderer.render(&[problem.group()]).clone())
            .collect();
        if let Some(more) = self.problems.len().checked_sub(SHOWN).filter(|n| *n > 0) {
            blocks.push(format!("and {more} more"));
        }
        blocks.join("\n\n")
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = self.problems.first() else {
            return f.write_str("the policy is not valid");
        };
        write!(
            f,
            "policy {}:{}:{} is not valid: {}: {}",
            first.path(),
            first.line(),
            first.column(),
            first.title,
            first.label
        )?;
        match self.problems.len() - 1 {
            0 => Ok(()),
            more => write!(f, " (and {more} more)"),
        }
    }
}
