//! `incident import`: a postmortem to the draft of a record.

use std::path::Path;

use cargo_canary::host::Host;
use cargo_canary::incidents::{self, Components, MAX_TEXT_BYTES};

use crate::args::ReportFormat;
use crate::error::Failure;

/// The draft as an incident file, or as JSON.
pub(super) fn import(file: &Path, format: ReportFormat, host: &Host) -> Result<String, Failure> {
    let failed = |error: &dyn std::error::Error| {
        Failure::input(format!("failed to import `{}`", file.display()))
            .caused_by(error)
            .hint("give a postmortem in Markdown or plain text")
    };
    // One byte more than is taken, so that the importer words what is too large.
    let bytes = host
        .files
        .read(file, MAX_TEXT_BYTES as u64 * 4)
        .map_err(|error| failed(&error))?;
    let components = Components::built_in().map_err(|error| {
        Failure::internal("the table of components is broken").caused_by(&error)
    })?;
    let source = file
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let draft = incidents::import(&source, &bytes, &components).map_err(|error| failed(&error))?;
    Ok(match format {
        ReportFormat::Text => draft.to_toml(),
        ReportFormat::Json => format!("{:#}\n", draft.to_json()),
    })
}
