//! A store out of records that a caller holds already, each with the day on
//! which it became known.

use std::borrow::Cow;

use jiff::civil::Date;

use super::Store;
use super::facts_file::{self, FactsFile};
use super::front_matter::severity;
use super::record::{self, Content, Record, day};

/// One advisory, as a caller has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// `RUSTSEC-…`
    pub id: String,
    /// The crate.
    pub package: String,
    /// The first day on which it could be looked up, `2026-08-21`.
    pub known_since: String,
    /// The day on which it was taken back.
    pub withdrawn: Option<String>,
    /// `unsound`, `unmaintained`, `notice`; none for a vulnerability.
    pub informational: Option<String>,
    /// Its CVSS vector.
    pub cvss: Option<String>,
    /// Requirements of the releases that are no longer affected.
    pub patched: Vec<String>,
    /// Requirements of the releases that never were affected.
    pub unaffected: Vec<String>,
}

impl Store {
    /// A store over these advisories. One that cannot be read is a gap for its
    /// crate, as it is in a file of facts.
    ///
    /// # Errors
    /// When they cannot be written down as facts: two with one id for one
    /// crate, or a name that is none.
    pub fn of_reports(reports: &[Report]) -> Result<Self, String> {
        let mut records: Vec<Record> = reports
            .iter()
            .map(|report| Record {
                package: report.package.clone(),
                id: report.id.clone(),
                content: content(report),
            })
            .collect();
        records.sort_by(|a, b| (&a.package, &a.id).cmp(&(&b.package, &b.id)));
        let newest = records
            .iter()
            .filter_map(|record| record.content.as_ref().ok().map(|content| content.date))
            .max()
            .unwrap_or(Date::constant(1970, 1, 1));
        let blocks: Vec<String> = records
            .iter()
            .map(record::write)
            .collect::<Result<_, _>>()?;
        let text = facts_file::write(&blocks, newest, None);
        let file = FactsFile::parse(Cow::Owned(text), true).map_err(|error| error.to_string())?;
        Ok(Self::of_file(file, "the caller's records".into()))
    }
}

fn content(report: &Report) -> Result<Content, String> {
    Ok(Content {
        severity: report.cvss.as_deref().map(severity).transpose()?,
        cvss: report.cvss.clone(),
        informational: report.informational.clone(),
        withdrawn: report.withdrawn.as_deref().map(day).transpose()?,
        ..Content::new(
            day(&report.known_since)?,
            report.patched.clone(),
            report.unaffected.clone(),
        )?
    })
}
