//! `incident list`, `show`, `match`, `lint` and `import`.

mod import;
mod lint;
mod list;
mod matching;
mod show;

use std::path::Path;

use cargo_canary::host::Host;
use cargo_canary::incidents::{Catalogue, MAX_BYTES};
use cargo_canary::snapshot::{self, BuildName};

use crate::args::IncidentCommand;
use crate::error::Failure;
use crate::exit;
use crate::output;

pub(crate) fn run(command: &IncidentCommand) -> Result<u8, Failure> {
    let host = Host::real(None);
    let text = match command {
        IncidentCommand::List(args) => list::list(&catalogue(&host)?, args)?,
        IncidentCommand::Show { id, format } => show::show(&catalogue(&host)?, id, *format)?,
        IncidentCommand::Match { package, format } => {
            matching::matching(&catalogue(&host)?, package, *format, &host)?
        }
        IncidentCommand::Lint { paths } => lint::lint(paths, &host)?,
        IncidentCommand::Import {
            file,
            format,
            output,
        } => {
            let text = import::import(file, *format, &host)?;
            output::report(text.as_bytes(), output.as_deref(), &host)?;
            return Ok(exit::PASS);
        }
    };
    output::standard_output(text.as_bytes())?;
    Ok(exit::PASS)
}

/// The built-in records and those of the working tree, where there is one.
fn catalogue(host: &Host) -> Result<Catalogue, Failure> {
    catalogue_of(Path::new("."), host)
}

/// The built-in records and those of the working tree of a repository.
pub(super) fn catalogue_of(repository: &Path, host: &Host) -> Result<Catalogue, Failure> {
    let files = snapshot::open(&BuildName::Worktree, repository, host)
        .and_then(|tree| tree.read_folder(".canary/incidents", ".toml", MAX_BYTES as u64))
        .unwrap_or_default();
    Catalogue::with_repository(&files).map_err(|error| {
        Failure::incidents("failed to read the incidents of the working tree", &error)
    })
}
