//! `incident lint`: every defect of incident files, with its place.

use std::path::{Path, PathBuf};

use cargo_canary::host::{FileKind, Host};
use cargo_canary::incidents::{self, Components, MAX_BYTES, MAX_FILES};
use cargo_canary::report::safe_for_terminal;

use crate::error::Failure;

/// Where a repository keeps its own incidents.
const FOLDER: &str = ".canary/incidents";

/// Checks files, and the `.toml` files of directories.
pub(super) fn lint(paths: &[PathBuf], host: &Host) -> Result<String, Failure> {
    let default = [PathBuf::from(FOLDER)];
    let paths = if paths.is_empty() {
        &default[..]
    } else {
        paths
    };
    let mut files = Vec::new();
    for path in paths {
        collect(path, host, &mut files)?;
    }
    let mut contents = Vec::new();
    for file in files {
        // A file that is too large is a defect, which the reader words.
        let bytes = host
            .files
            .read(&file, 16 * MAX_BYTES as u64)
            .map_err(|error| failed(&file, &error))?;
        contents.push((file.display().to_string(), bytes));
    }
    let components = Components::built_in().map_err(|error| {
        Failure::internal("the table of components is broken").caused_by(&error)
    })?;
    let defects = incidents::lint(&contents, &components);
    if defects.is_empty() {
        return Ok(format!("{} incident files, no defect\n", contents.len()));
    }
    let listing: Vec<String> = defects
        .iter()
        .map(|defect| safe_for_terminal(&defect.to_string()).into_owned())
        .collect();
    Err(Failure::incident_defects(listing))
}

/// A file, or the incident files of a directory, in order.
fn collect(path: &Path, host: &Host, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let kind = host
        .files
        .kind(path)
        .map_err(|error| failed(path, &error))?;
    if !matches!(kind, FileKind::Directory) {
        files.push(path.to_owned());
        return Ok(());
    }
    let entries = host
        .files
        .list(path)
        .map_err(|error| failed(path, &error))?;
    let mut found: Vec<PathBuf> = entries
        .into_iter()
        .map(|entry| path.join(entry.name))
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect();
    found.sort();
    files.append(&mut found);
    if files.len() > MAX_FILES {
        return Err(Failure::input(format!(
            "more than {MAX_FILES} incident files"
        )));
    }
    Ok(())
}

fn failed(path: &Path, error: &dyn std::error::Error) -> Failure {
    Failure::input(format!("failed to read `{}`", path.display()))
        .caused_by(error)
        .hint(format!(
            "name files, or directories with them; the default is `{FOLDER}`"
        ))
}
