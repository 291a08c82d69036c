//! One advisory as facts, and its block of lines in the file of facts.
//!
//! A block starts with `= PACKAGE ID`; every further line is a key, a space and
//! a value. The same checks hold when a block is written and when it is read,
//! so nothing that comes out of a file can carry a control character or a line
//! of unbounded length.

use std::fmt::Write as _;

use jiff::civil::Date;
use rustsec::advisory::Versions;
use semver::Version;

use super::affected::{matcher, one_line};
use crate::facts::{AdvisoryFact, Severity};

/// What the line of a record starts with.
pub(super) const HEAD: &str = "= ";
/// No line of a block is longer.
const MAX_LINE: usize = 4096;
/// No block has more lines.
const MAX_LINES: usize = 2048;

/// One advisory about one crate.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Record {
    /// The crate.
    pub(super) package: String,
    /// `RUSTSEC-…`
    pub(super) id: String,
    /// The facts, or why the database's file of it could not be read.
    pub(super) content: Result<Content, String>,
}

/// The facts of one advisory.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Content {
    /// The day it was reported.
    pub(super) date: Date,
    /// Its names elsewhere, sorted.
    pub(super) aliases: Vec<String>,
    /// Its categories, sorted.
    pub(super) categories: Vec<String>,
    /// Its CVSS vector.
    pub(super) cvss: Option<String>,
    /// What that vector amounts to.
    pub(super) severity: Option<Severity>,
    /// `unsound`, `unmaintained`, `notice`, or a later word.
    pub(super) informational: Option<String>,
    /// The day it was taken back.
    pub(super) withdrawn: Option<Date>,
    /// Whether the crate is expected to be gone from the registry.
    pub(super) deleted: bool,
    /// The processor architectures it is restricted to, sorted.
    pub(super) arch: Vec<String>,
    /// The operating systems it is restricted to, sorted.
    pub(super) os: Vec<String>,
    /// Requirements of the releases that are no longer affected, as written.
    pub(super) patched: Vec<String>,
    /// Requirements of the releases that never were affected, as written.
    pub(super) unaffected: Vec<String>,
    /// The functions it is about, sorted, with the versions that have them.
    pub(super) functions: Vec<(String, Vec<String>)>,
    /// The licence of the entry where it is not the database's own.
    pub(super) licence: Option<String>,
    /// The address that such a licence asks to be named.
    pub(super) url: Option<String>,
    /// The `rustsec` crate's matcher for `patched` and `unaffected`.
    pub(super) versions: Versions,
}

impl Content {
    /// The facts without any of the optional ones.
    ///
    /// # Errors
    /// When the requirements are not usable.
    pub(super) fn new(
        date: Date,
        patched: Vec<String>,
        unaffected: Vec<String>,
    ) -> Result<Self, String> {
        let versions = matcher(&patched, &unaffected)?;
        Ok(Self {
            date,
            aliases: Vec::new(),
            categories: Vec::new(),
            cvss: None,
            severity: None,
            informational: None,
            withdrawn: None,
            deleted: false,
            arch: Vec::new(),
            os: Vec::new(),
            patched,
            unaffected,
            functions: Vec::new(),
            licence: None,
            url: None,
            versions,
        })
    }

    /// Whether it was known, and not taken back, on this day.
    pub(super) fn in_force(&self, day: Date) -> bool {
        self.date <= day && self.withdrawn.is_none_or(|withdrawn| withdrawn > day)
    }

    /// Whether this is a vulnerability or an unsoundness, not a mere notice.
    pub(super) fn is_fault(&self) -> bool {
        matches!(self.informational.as_deref(), None | Some("unsound"))
    }

    /// Whether this version is affected, by the `rustsec` crate's judgement.
    pub(super) fn affects(&self, version: &Version) -> bool {
        self.versions.is_vulnerable(version)
    }

    /// The facts as a report needs them, for one matched version.
    pub(super) fn fact(&self, package: &str, id: &str, version: &Version) -> AdvisoryFact {
        AdvisoryFact {
            id: id.to_owned(),
            aliases: self.aliases.clone(),
            package: package.to_owned(),
            version: version.clone(),
            date: self.date,
            informational: self.informational.clone(),
            categories: self.categories.clone(),
            severity: self.severity,
            patched: self.patched.clone(),
        }
    }
}

/// Writes a block.
///
/// # Errors
/// When a value has characters that have no place in it; nothing is written then.
pub(super) fn write(record: &Record) -> Result<String, String> {
    let mut out = format!("{HEAD}{} {}\n", record.package, record.id);
    let mut line = |key: &str, value: &str| {
        let _ = writeln!(out, "{key} {value}");
    };
    match &record.content {
        Err(reason) => line("unreadable", &one_line(reason)),
        Ok(content) => {
            line("date", &content.date.to_string());
            for (key, list) in [
                ("aliases", &content.aliases),
                ("categories", &content.categories),
            ] {
                if !list.is_empty() {
                    line(key, &list.join(" "));
                }
            }
            if let Some(cvss) = &content.cvss {
                line("cvss", cvss);
            }
            if let Some(severity) = content.severity {
                line("severity", severity.as_str());
            }
            if let Some(informational) = &content.informational {
                line("informational", informational);
            }
            if let Some(withdrawn) = content.withdrawn {
                line("withdrawn", &withdrawn.to_string());
            }
            if content.deleted {
                line("deleted", "yes");
            }
            for (key, list) in [("arch", &content.arch), ("os", &content.os)] {
                if !list.is_empty() {
                    line(key, &list.join(" "));
                }
            }
            for (key, list) in [
                ("patched", &content.patched),
                ("unaffected", &content.unaffected),
            ] {
                for requirement in list {
                    line(key, requirement);
                }
            }
            for (path, requirements) in &content.functions {
                line("function", &format!("{path} {}", requirements.join(" | ")));
            }
            for (key, value) in [("licence", &content.licence), ("url", &content.url)] {
                if let Some(value) = value {
                    line(key, value);
                }
            }
        }
    }
    // What cannot be read back must not be written.
    match read(&out) {
        Ok(back) if back == *record || record.content.is_err() => Ok(out),
        Ok(_) => Err("its values do not survive being written".to_owned()),
        Err(reason) => Err(reason),
    }
}

/// The crate and the id in the first line of a block.
pub(super) fn head(line: &str) -> Option<(&str, &str)> {
    let (package, id) = line.strip_prefix(HEAD)?.split_once(' ')?;
    (is_package(package) && is_id(id)).then_some((package, id))
}

/// Reads a block.
///
/// # Errors
/// What is wrong with it, in words.
pub(super) fn read(block: &str) -> Result<Record, String> {
    let mut lines = block.lines();
    let (package, id) = lines
        .next()
        .and_then(head)
        .ok_or("its first line is not a head")?;
    let mut draft = Draft::default();
    for (number, line) in lines.enumerate() {
        if number >= MAX_LINES || line.len() > MAX_LINE {
            return Err("it is too long".to_owned());
        }
        draft.line(line)?;
    }
    Ok(Record {
        package: package.to_owned(),
        id: id.to_owned(),
        content: draft.finish()?,
    })
}

/// The lines of a block, before the required ones are known to be there.
#[derive(Default)]
struct Draft<'a> {
    unreadable: Option<&'a str>,
    date: Option<Date>,
    aliases: Vec<String>,
    categories: Vec<String>,
    cvss: Option<String>,
    severity: Option<Severity>,
    informational: Option<String>,
    withdrawn: Option<Date>,
    deleted: bool,
    arch: Vec<String>,
    os: Vec<String>,
    patched: Vec<String>,
    unaffected: Vec<String>,
    functions: Vec<(String, Vec<String>)>,
    licence: Option<String>,
    url: Option<String>,
}

impl<'a> Draft<'a> {
    fn line(&mut self, line: &'a str) -> Result<(), String> {
        let (key, value) = line.split_once(' ').unwrap_or((line, ""));
        if !value.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) {
            return Err(format!(
                "`{}` holds control or foreign characters",
                one_line(key)
            ));
        }
        match key {
            "unreadable" => self.unreadable = Some(value),
            "date" => self.date = Some(day(value)?),
            "aliases" => self.aliases = words(value)?,
            "categories" => self.categories = words(value)?,
            "cvss" => self.cvss = Some(word(value)?),
            "severity" => self.severity = Some(severity(value)?),
            "informational" => self.informational = Some(word(value)?),
            "withdrawn" => self.withdrawn = Some(day(value)?),
            "deleted" if value == "yes" => self.deleted = true,
            "arch" => self.arch = words(value)?,
            "os" => self.os = words(value)?,
            "patched" => self.patched.push(value.to_owned()),
            "unaffected" => self.unaffected.push(value.to_owned()),
            "function" => self.functions.push(function(value)?),
            "licence" => self.licence = Some(word(value)?),
            "url" => self.url = Some(word(value)?),
            _ => return Err(format!("unknown line `{}`", one_line(line))),
        }
        Ok(())
    }

    fn finish(self) -> Result<Result<Content, String>, String> {
        if let Some(reason) = self.unreadable {
            return Ok(Err(reason.to_owned()));
        }
        let date = self.date.ok_or("it has no date")?;
        Ok(Ok(Content {
            aliases: self.aliases,
            categories: self.categories,
            cvss: self.cvss,
            severity: self.severity,
            informational: self.informational,
            withdrawn: self.withdrawn,
            deleted: self.deleted,
            arch: self.arch,
            os: self.os,
            functions: self.functions,
            licence: self.licence,
            url: self.url,
            ..Content::new(date, self.patched, self.unaffected)?
        }))
    }
}

/// A day as `YYYY-MM-DD`.
pub(super) fn day(text: &str) -> Result<Date, String> {
    match text.parse() {
        Ok(date) if text.len() == 10 => Ok(date),
        _ => Err(format!("`{}` is not a date", one_line(text))),
    }
}

fn severity(text: &str) -> Result<Severity, String> {
    use Severity::{Critical, High, Low, Medium, None};
    [None, Low, Medium, High, Critical]
        .into_iter()
        .find(|severity| severity.as_str() == text)
        .ok_or_else(|| format!("`{}` is not a severity", one_line(text)))
}

fn word(text: &str) -> Result<String, String> {
    if text.is_empty() || text.contains(' ') {
        return Err(format!("`{}` is not one word", one_line(text)));
    }
    Ok(text.to_owned())
}

fn words(text: &str) -> Result<Vec<String>, String> {
    text.split(' ').map(word).collect()
}

fn function(text: &str) -> Result<(String, Vec<String>), String> {
    let (path, requirements) = text.split_once(' ').ok_or("a function without versions")?;
    let requirements = requirements.split(" | ").filter(|text| !text.is_empty());
    Ok((word(path)?, requirements.map(str::to_owned).collect()))
}

/// Whether this can be the name of a crate.
pub(super) fn is_package(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// Whether this can be an id of the advisory database.
pub(super) fn is_id(text: &str) -> bool {
    let number = |text: &str| text.len() >= 4 && text.bytes().all(|b| b.is_ascii_digit());
    text.len() <= 32
        && text
            .strip_prefix("RUSTSEC-")
            .and_then(|rest| rest.split_once('-'))
            .is_some_and(|(year, rest)| number(year) && year.len() == 4 && number(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: &str = "= time RUSTSEC-2020-0071\ndate 2020-11-18\n\
        aliases CVE-2020-26235 GHSA-wcg3-cvx6-7396\ncategories memory-corruption\n\
        cvss CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H\nseverity medium\n\
        os linux macos\npatched >= 0.2.23\nunaffected =0.2.0\n\
        function time::at ^0.1 | >= 0.2, < 0.2.23\n";

    #[test]
    fn a_block_is_read_and_written_back_as_it_was() {
        let record = read(BLOCK).unwrap();
        let content = record.content.clone().unwrap();
        assert_eq!(content.severity, Some(Severity::Medium));
        assert_eq!(content.functions[0].1, ["^0.1", ">= 0.2, < 0.2.23"]);
        assert!(content.affects(&Version::new(0, 1, 43)));
        assert!(!content.affects(&Version::new(0, 2, 0)));
        assert_eq!(write(&record).unwrap(), BLOCK);
    }

    #[test]
    fn an_unreadable_record_keeps_its_reason() {
        let record = Record {
            package: "a".into(),
            id: "RUSTSEC-2020-0001".into(),
            content: Err("a reason\nof two lines".into()),
        };
        let text = write(&record).unwrap();
        assert_eq!(text.lines().count(), 2);
        assert_eq!(
            read(&text).unwrap().content,
            Err("a reason of two lines".into())
        );
    }

    #[test]
    fn a_value_that_would_break_the_lines_is_not_written() {
        let mut content = Content::new(Date::constant(2020, 1, 1), vec![], vec![]).unwrap();
        content.aliases = vec!["CVE-1\nwithdrawn 2000-01-01".into()];
        let record = |content: &Content| Record {
            package: "a".into(),
            id: "RUSTSEC-2020-0001".into(),
            content: Ok(content.clone()),
        };
        assert!(write(&record(&content)).is_err());
        content.aliases = vec!["two words".into()];
        assert!(write(&record(&content)).is_err());
        content.aliases = vec!["\u{1b}[2J".into()];
        assert!(write(&record(&content)).is_err());
        content.aliases.clear();
        assert!(write(&record(&content)).is_ok());
    }

    #[test]
    fn a_damaged_block_says_what_is_wrong() {
        for (damaged, reason) in [
            ("= a/b RUSTSEC-2020-0001\n", "head"),
            ("= a RUSTSEC-20-1\n", "head"),
            ("= a RUSTSEC-2020-0001\n", "no date"),
            ("= a RUSTSEC-2020-0001\ndate 2020-1-1\n", "not a date"),
            (
                "= a RUSTSEC-2020-0001\ndate 2020-01-01\nnew x\n",
                "unknown line",
            ),
            (
                "= a RUSTSEC-2020-0001\ndate 2020-01-01\npatched >=\n",
                "requirement",
            ),
            (
                "= a RUSTSEC-2020-0001\ndate 2020-01-01\ncvss a\u{1b}b\n",
                "control",
            ),
        ] {
            let error = read(damaged).unwrap_err();
            assert!(error.contains(reason), "{damaged:?}: {error}");
        }
        let long = format!("= a RUSTSEC-2020-0001\nurl {}\n", "x".repeat(MAX_LINE));
        assert!(read(&long).unwrap_err().contains("too long"));
    }

    #[test]
    fn a_withdrawn_record_is_in_force_until_its_day() {
        let mut content = Content::new(Date::constant(2020, 1, 5), vec![], vec![]).unwrap();
        content.withdrawn = Some(Date::constant(2021, 1, 5));
        assert!(!content.in_force(Date::constant(2020, 1, 4)));
        assert!(content.in_force(Date::constant(2020, 1, 5)));
        assert!(content.in_force(Date::constant(2021, 1, 4)));
        assert!(!content.in_force(Date::constant(2021, 1, 5)));
    }
}
