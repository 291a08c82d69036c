//! Commands about the catalogue of incidents.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::output::ReportFormat;

#[derive(Debug, Subcommand)]
pub(crate) enum IncidentCommand {
    /// List the incidents
    List(IncidentListArgs),
    /// Show one incident
    Show {
        /// Its id
        id: String,
        /// The format of the answer
        #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
        format: ReportFormat,
    },
    /// Show which incidents apply to a release or a lock file
    Match {
        /// The package, with `@VERSION` where one is meant; or a Cargo.lock
        package: String,
        /// The format of the answer
        #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
        format: ReportFormat,
    },
    /// Check incident files and name every defect
    Lint {
        /// Files, or directories with them [default: .canary/incidents]
        paths: Vec<PathBuf>,
    },
    /// Read a postmortem and draft its record
    Import {
        /// The postmortem, in Markdown or plain text
        file: PathBuf,
        /// The format of the draft: `text` is an incident file
        #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
        format: ReportFormat,
        /// Write the draft to this file
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct IncidentListArgs {
    /// Only those of this component
    #[arg(long)]
    pub(crate) component: Option<String>,
    /// Only those that failed in this way
    #[arg(long)]
    pub(crate) failure: Option<String>,
    /// Only those with this cause
    #[arg(long)]
    pub(crate) cause: Option<String>,
    /// Only those that name this crate
    #[arg(long = "crate", value_name = "NAME")]
    pub(crate) package: Option<String>,
    /// Only the repository's own
    #[arg(long, conflicts_with = "built_in")]
    pub(crate) own: bool,
    /// Only those that come with the program
    #[arg(long)]
    pub(crate) built_in: bool,
    /// The format of the answer
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub(crate) format: ReportFormat,
}
