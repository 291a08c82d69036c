//! A file of the advisory database -> a record. Only the block of metadata at
//! its head is read; the prose below it is not.

use std::collections::BTreeMap;

use cvss::Cvss;
use serde::Deserialize;

use super::affected::one_line;
use super::record::{Content, Record, day};
use crate::facts::Severity;
use crate::pkg::Source;

const OPENING: &str = "```toml";
const CLOSING: &str = "\n```";
/// The licence of the database itself, and of each entry that names none.
const OWN_LICENCE: &str = "CC0-1.0";

/// The metadata as its authors write it.
#[derive(Deserialize)]
struct Front {
    advisory: Advisory,
    affected: Option<Affected>,
    versions: Versions,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Advisory {
    id: String,
    package: String,
    date: String,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    categories: Vec<String>,
    cvss: Option<String>,
    informational: Option<String>,
    withdrawn: Option<String>,
    #[serde(default)]
    expect_deleted: bool,
    license: Option<String>,
    url: Option<String>,
    source: Option<String>,
}

#[derive(Default, Deserialize)]
struct Affected {
    #[serde(default)]
    arch: Vec<String>,
    #[serde(default)]
    os: Vec<String>,
    #[serde(default)]
    functions: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
struct Versions {
    patched: Vec<String>,
    #[serde(default)]
    unaffected: Vec<String>,
}

/// The record of the advisory `id` of the crate `package`, as the place of its
/// file says; what cannot be read becomes a record that says so.
pub(super) fn record(package: &str, id: &str, file: &[u8]) -> Record {
    Record {
        package: package.to_owned(),
        id: id.to_owned(),
        content: content(package, id, file),
    }
}

fn content(package: &str, id: &str, file: &[u8]) -> Result<Content, String> {
    let text = std::str::from_utf8(file).map_err(|_| "it is not UTF-8")?;
    let front = front(text)?;
    let advisory = front.advisory;
    if advisory.id != id || advisory.package != package {
        return Err(format!(
            "it calls itself {} of `{}`",
            one_line(&advisory.id),
            one_line(&advisory.package)
        ));
    }
    if let Some(source) = &advisory.source
        && Source::parse(source) != Ok(Source::CratesIo)
    {
        return Err(format!(
            "it is about another registry, `{}`",
            one_line(source)
        ));
    }
    let severity = advisory.cvss.as_deref().map(severity).transpose()?;
    let affected = front.affected.unwrap_or_default();
    let own = advisory
        .license
        .as_deref()
        .is_none_or(|licence| licence == OWN_LICENCE);
    Ok(Content {
        aliases: sorted(advisory.aliases),
        categories: sorted(advisory.categories),
        cvss: advisory.cvss,
        severity,
        informational: advisory.informational,
        withdrawn: advisory.withdrawn.as_deref().map(day).transpose()?,
        deleted: advisory.expect_deleted,
        arch: sorted(affected.arch),
        os: sorted(affected.os),
        functions: affected.functions.into_iter().collect(),
        url: advisory.url.filter(|_| !own),
        licence: advisory.license.filter(|_| !own),
        ..Content::new(
            day(&advisory.date)?,
            trimmed(front.versions.patched),
            trimmed(front.versions.unaffected),
        )?
    })
}

/// Finds the metadata as the `rustsec` crate does: between the fences, where
/// the first table's name may be left out.
fn front(text: &str) -> Result<Front, String> {
    let rest = text
        .strip_prefix(OPENING)
        .ok_or("it does not start with a block of TOML")?;
    let end = rest.find(CLOSING).ok_or("its block of TOML has no end")?;
    let toml = rest[..end].trim();
    let parsed = if toml.starts_with("[advisory]") {
        toml::from_str(toml)
    } else {
        toml::from_str(&format!("[advisory]\n{toml}"))
    };
    parsed.map_err(|error| one_line(error.message()))
}

pub(super) fn severity(vector: &str) -> Result<Severity, String> {
    let vector: Cvss = vector
        .parse()
        .map_err(|error: cvss::Error| one_line(&format!("its CVSS vector: {error}")))?;
    Ok(match vector.severity() {
        cvss::Severity::None => Severity::None,
        cvss::Severity::Low => Severity::Low,
        cvss::Severity::Medium => Severity::Medium,
        cvss::Severity::High => Severity::High,
        cvss::Severity::Critical => Severity::Critical,
    })
}

fn sorted(mut list: Vec<String>) -> Vec<String> {
    list.sort();
    list.dedup();
    list
}

fn trimmed(list: Vec<String>) -> Vec<String> {
    list.into_iter()
        .map(|text| text.trim().to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisories::record;

    fn read(front: &str) -> Result<Content, String> {
        let file = format!("```toml\n{front}\n```\n\n# Title\n\nProse.\n");
        super::record("a", "RUSTSEC-2020-0001", file.as_bytes()).content
    }

    const PLAIN: &str = "[advisory]\nid = \"RUSTSEC-2020-0001\"\npackage = \"a\"\n\
        date = \"2020-01-02\"\n";

    #[test]
    fn the_facts_are_taken_and_the_prose_is_not() {
        let file = format!(
            "```toml\n{PLAIN}aliases = [\"GHSA-2\", \"CVE-1\"]\nkeywords = [\"secret word\"]\n\
             cvss = \"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\"\n\
             [versions]\npatched = [\" >= 1.0 \"]\n```\n# A title\n\nSome prose.\n"
        );
        let found = super::record("a", "RUSTSEC-2020-0001", file.as_bytes());
        let content = found.content.clone().unwrap();
        assert_eq!(content.aliases, ["CVE-1", "GHSA-2"]);
        assert_eq!(content.severity, Some(Severity::Critical));
        assert_eq!(content.patched, [">= 1.0"]);
        let text = record::write(&found).unwrap();
        assert!(!text.contains("prose") && !text.contains("title") && !text.contains("secret"));
    }

    #[test]
    fn both_versions_of_cvss_have_a_severity() {
        for (vector, expected) in [
            (
                "CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L",
                Severity::Medium,
            ),
            (
                "CVSS:3.0/AV:P/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N",
                Severity::Low,
            ),
            (
                "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
                Severity::Critical,
            ),
        ] {
            assert_eq!(severity(vector), Ok(expected), "{vector}");
        }
        assert!(severity("CVSS:9.9/X").is_err());
        assert!(severity("CVSS:4.0/AV:N").is_err());
    }

    #[test]
    fn the_name_of_the_first_table_may_be_left_out() {
        let front = PLAIN.replace("[advisory]\n", "");
        assert!(read(&format!("{front}[versions]\npatched = []")).is_ok());
    }

    #[test]
    fn a_licence_that_asks_for_credit_keeps_the_address() {
        let content = read(&format!(
            "{PLAIN}license = \"CC-BY-4.0\"\nurl = \"https://x.example/1\"\n[versions]\npatched = []"
        ))
        .unwrap();
        assert_eq!(content.licence.as_deref(), Some("CC-BY-4.0"));
        assert_eq!(content.url.as_deref(), Some("https://x.example/1"));
        let own = read(&format!(
            "{PLAIN}url = \"https://x.example/1\"\n[versions]\npatched = []"
        ));
        assert_eq!(own.unwrap().url, None);
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let versions = "[versions]\npatched = []";
        let other = PLAIN.replace("\"a\"", "\"b\"");
        let max = u64::MAX;
        for (front, reason) in [
            (format!("{other}{versions}"), "calls itself"),
            (PLAIN.to_owned(), "versions"),
            (
                format!("{PLAIN}[versions]\npatched = [\"^{max}\"]"),
                "too large",
            ),
            (format!("{PLAIN}cvss = \"high\"\n{versions}"), "CVSS"),
            (
                format!("{PLAIN}source = \"registry+https://x\"\n{versions}"),
                "registry",
            ),
            (
                format!("{PLAIN}x = {}\n{versions}", "[".repeat(100_000)),
                "",
            ),
            (
                format!("{}{versions}", PLAIN.replace("-01-02", "-13-02")),
                "not a date",
            ),
        ] {
            let error = read(&front).unwrap_err();
            assert!(error.contains(reason), "{reason}: {error}");
            assert!(error.len() < 400, "{error}");
        }
        for file in ["", "# no block", "```toml\nnever closed", "```tom\u{e9}"] {
            assert!(
                super::record("a", "RUSTSEC-2020-0001", file.as_bytes())
                    .content
                    .is_err()
            );
        }
        let found = super::record("a", "RUSTSEC-2020-0001", b"```toml\n\xff\n```\n# T\n");
        assert!(found.content.unwrap_err().contains("UTF-8"));
    }
}
