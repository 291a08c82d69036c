//! What is printed, and how.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Options about what is printed.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// The format of the report
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub(crate) format: ReportFormat,
    /// Write the report to this file
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Show what is otherwise folded
    #[arg(long, short)]
    pub(crate) verbose: bool,
    /// Whether to colour the text
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,
    /// Show no progress
    #[arg(long)]
    pub(crate) no_progress: bool,
}

/// Options about what is printed of an audit.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct AuditOutputArgs {
    /// The format of the report
    #[arg(long, value_enum)]
    pub(crate) format: Option<AuditFormat>,
    /// Write the report to this file
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Show what is otherwise folded
    #[arg(long, short)]
    pub(crate) verbose: bool,
    /// Whether to colour the text
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,
    /// Show no progress
    #[arg(long)]
    pub(crate) no_progress: bool,
}

impl AuditOutputArgs {
    /// The same without the format.
    pub(crate) fn plain(&self) -> OutputArgs {
        OutputArgs {
            format: ReportFormat::Text,
            output: self.output.clone(),
            verbose: self.verbose,
            color: self.color,
            no_progress: self.no_progress,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    Text,
    Json,
}

/// The formats of a report about two builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AuditFormat {
    /// For people at a terminal
    Text,
    /// For programs
    Json,
    /// For a comment on a pull request, or the summary of a job
    Markdown,
    /// For the log of a GitHub workflow: annotations at lines of lock files
    Github,
    /// For code scanning: SARIF 2.1.0
    Sarif,
    /// For a GitLab merge request: a code-quality report
    Gitlab,
    /// For a release manager: one page that stands for itself
    Html,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}
