//! `db status` and `db update`.

use std::path::Path;

use cargo_canary::advisories::{self, Status, Store, UpdateSource};
use cargo_canary::host::Host;
use jiff::Timestamp;

use crate::args::{DataArgs, DbCommand};
use crate::error::Failure;
use crate::exit;
use crate::output;

/// What the facts can be brought from.
const FROM: &str =
    "`--from DIR` takes a checkout of the advisory database, `--from FILE` a .tar.gz of one";

pub(crate) fn run(command: &DbCommand) -> Result<u8, Failure> {
    match command {
        DbCommand::Status { data } => status(data),
        DbCommand::Update { from, data } => update(from.as_deref(), data),
    }
}

fn status(data: &DataArgs) -> Result<u8, Failure> {
    let host = super::host(data)?;
    let cache = data.cache.clone().or_else(|| host.env.cache_dir());
    let store = Store::open(&host, cache.as_deref());
    output::standard_output(describe(&store.status(), host.clock.now()).as_bytes())?;
    Ok(exit::PASS)
}

fn update(from: Option<&Path>, data: &DataArgs) -> Result<u8, Failure> {
    let host = super::host(data)?;
    let Some(cache) = data.cache.clone().or_else(|| host.env.cache_dir()) else {
        return Err(
            Failure::input("there is no directory for caches").hint("name one with `--cache DIR`")
        );
    };
    let source = match from {
        None => UpdateSource::Url(advisories::DEFAULT_URL.to_owned()),
        Some(path) => local(path, &host)?,
    };
    let status = advisories::update(&source, &host, &cache).map_err(|error| {
        Failure::input("failed to update the advisory facts")
            .caused_by(&error)
            .hint(FROM)
    })?;
    output::standard_output(describe(&status, host.clock.now()).as_bytes())?;
    Ok(exit::PASS)
}

fn local(path: &Path, host: &Host) -> Result<UpdateSource, Failure> {
    match host.files.list(path) {
        Ok(_) => Ok(UpdateSource::Directory(path.to_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Failure::input(format!(
            "failed to read `{}`",
            path.display()
        ))
        .caused_by(&error)
        .hint(FROM)),
        Err(_) => Ok(UpdateSource::Tarball(path.to_owned())),
    }
}

fn describe(status: &Status, now: Timestamp) -> String {
    let mut text = format!(
        "{} advisories, from {}\nstate of {} ({} days ago)\n{}\n",
        status.advisories,
        status.origin,
        status.snapshot_date,
        status.age_days(now),
        status.digest
    );
    if let Some(commit) = &status.commit {
        text.push_str("commit ");
        text.push_str(commit);
        text.push('\n');
    }
    for problem in &status.problems {
        text.push_str("not usable: ");
        text.push_str(&cargo_canary::report::safe_for_terminal(
            &problem.to_string(),
        ));
        text.push('\n');
    }
    text
}
