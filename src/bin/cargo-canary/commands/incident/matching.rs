//! `incident match`: which incidents apply to a release, a crate or a lock file.

use std::path::Path;

use cargo_canary::advisories::Store;
use cargo_canary::host::Host;
use cargo_canary::incidents::{Catalogue, Match, Record, versions_of_lock};
use cargo_canary::pkg::{PackageId, Source};
use cargo_canary::report::safe_for_terminal;
use cargo_canary::snapshot::lock;
use semver::Version;
use serde_json::json;

use super::show::rule_words;
use crate::args::ReportFormat;
use crate::error::Failure;

/// The largest lock file that is read, in bytes.
const MAX_LOCK: u64 = 64 * 1024 * 1024;

/// The incidents of `NAME`, `NAME@VERSION`, or of a lock file.
pub(super) fn matching(
    catalogue: &Catalogue,
    package: &str,
    format: ReportFormat,
    host: &Host,
) -> Result<String, Failure> {
    let rows = rows(catalogue, package, host)?;
    Ok(match format {
        ReportFormat::Json => {
            let links: Vec<_> = rows
                .iter()
                .map(|row| {
                    json!({ "id": row.id, "package": row.package, "strength": row.strength, "because": row.because })
                })
                .collect();
            format!("{:#}\n", json!({ "links": links }))
        }
        ReportFormat::Text if rows.is_empty() => {
            format!("no incident names {}\n", safe_for_terminal(package))
        }
        ReportFormat::Text => rows
            .iter()
            .map(|row| {
                format!(
                    "{} ({}): {}\n",
                    row.id,
                    row.strength,
                    safe_for_terminal(&row.because)
                )
            })
            .collect(),
    })
}

fn rows(catalogue: &Catalogue, package: &str, host: &Host) -> Result<Vec<Row>, Failure> {
    if package.contains(['/', '\\']) || package.ends_with(".lock") {
        return of_lock(catalogue, Path::new(package), host);
    }
    let (name, version) = match package.split_once('@') {
        Some((name, version)) => (name, Some(version)),
        None => (package, None),
    };
    Ok(match version {
        Some(version) => {
            let version: Version = version.parse().map_err(|error| {
                Failure::input(format!("`{version}` is not a version"))
                    .caused_by(&error)
                    .hint(format!("write it in full, as in `{name}@1.2.3`"))
            })?;
            let found = catalogue.matching(name, &version);
            let records: Vec<Row> = found.iter().map(|it| row_of_match(name, it)).collect();
            let told = found.iter().map(|it| it.record).collect();
            let id = PackageId {
                name: name.to_owned(),
                version,
                source: Source::CratesIo,
            };
            let advisories = advisories(catalogue, &[id], told, host);
            records.into_iter().chain(advisories).collect()
        }
        None => catalogue
            .naming(name)
            .map(|record| row_of_record(name, record))
            .collect(),
    })
}

/// The incidents whose rules hold for a whole lock file. Features are not in
/// it: where a fault needs one, the link says so and is weaker.
fn of_lock(catalogue: &Catalogue, path: &Path, host: &Host) -> Result<Vec<Row>, Failure> {
    let shown = path.display().to_string();
    let failed = |error: &dyn std::error::Error| {
        Failure::input(format!("failed to read `{shown}`"))
            .caused_by(error)
            .hint("name a crate, a crate with `@VERSION`, or a `Cargo.lock`")
    };
    let bytes = host
        .files
        .read(path, MAX_LOCK)
        .map_err(|error| failed(&error))?;
    let lock = lock::parse_bytes(&bytes, &shown).map_err(|error| failed(&error))?;
    let graph = versions_of_lock(&lock);
    let matching = catalogue.matching_all(&graph);
    let told = matching.iter().map(|(_, _, found)| found.record).collect();
    let ids: Vec<PackageId> = lock.packages.iter().map(|it| it.id.clone()).collect();
    let advisories = advisories(catalogue, &ids, told, host);
    let records = matching.iter().map(|(package, version, found)| {
        let row = row_of_match(package, found);
        let mut features = found.affected.features.iter();
        let needs = features.next().map(|feature| {
            features.fold(format!("`{feature}`"), |all, feature| {
                format!("{all}, `{feature}`")
            })
        });
        let because = format!("{version} is in the lock file; {}", row.because);
        match needs {
            Some(needs) => Row {
                strength: "strong",
                because: format!(
                    "{because}; it needs the feature {needs}, which a lock file does not tell"
                ),
                ..row
            },
            None => Row { because, ..row },
        }
    });
    Ok(records.chain(advisories).collect())
}

/// The advisories about memory and other resources that apply today, without
/// those that a record among the rows restates.
fn advisories(
    catalogue: &Catalogue,
    packages: &[PackageId],
    told: Vec<&Record>,
    host: &Host,
) -> Vec<Row> {
    let store = Store::open(host, host.env.cache_dir().as_deref());
    let now = host.clock.now();
    let facts = packages.iter().flat_map(|id| store.applying(id, now));
    facts
        .filter(|fact| told.iter().all(|record| !record.restates(fact)))
        .filter_map(|fact| {
            let category = catalogue.components().resource(&fact)?;
            let repaired = match fact.patched.as_slice() {
                [] => "not repaired in any release".to_owned(),
                patched => format!("repaired in {}", patched.join(" or ")),
            };
            Some(Row {
                because: format!(
                    "{} {} has a known fault of resources ({category}), of {}; {repaired}",
                    fact.package, fact.version, fact.date
                ),
                id: fact.id,
                package: fact.package,
                strength: "repeat",
            })
        })
        .collect()
}

struct Row {
    id: String,
    package: String,
    strength: &'static str,
    because: String,
}

fn row_of_match(name: &str, found: &Match<'_>) -> Row {
    let with: Vec<String> = found
        .together_with
        .iter()
        .map(|(name, range)| format!("{name} {range}"))
        .collect();
    let together = if with.is_empty() {
        String::new()
    } else {
        format!(", together with {}", with.join(" and "))
    };
    Row {
        id: found.record.id.clone(),
        package: name.to_owned(),
        strength: "repeat",
        because: format!(
            "{} {} has this fault{together}: {}",
            name, found.affected.range, found.record.title
        ),
    }
}

fn row_of_record(name: &str, record: &Record) -> Row {
    Row {
        id: record.id.clone(),
        package: name.to_owned(),
        strength: "strong",
        because: format!(
            "the record names {}: {}",
            record
                .affects
                .iter()
                .map(rule_words)
                .collect::<Vec<_>>()
                .join("; or "),
            record.title
        ),
    }
}
