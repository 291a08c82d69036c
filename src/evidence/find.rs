//! Where records are found: in a directory, in the files of a build, below an
//! address. A record is a file `NAME.json` with its signature beside it in
//! `NAME.json.sig`, or a DSSE envelope `NAME.json`.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::signature::SIGNATURE_LIMIT;
use crate::host::{FileKind, Get, Host, NetError, Response};

/// Where a repository keeps its records.
pub const FOLDER: &str = ".canary/evidence";
/// The largest record, in bytes.
pub const RECORD_LIMIT: u64 = 256 * 1024;
/// How many records of one place are read.
const MOST_RECORDS: usize = 1_000;
/// How many records of one difference are fetched from an address.
const MOST_FETCHED: usize = 64;
/// The largest index of an address, in bytes.
const INDEX_LIMIT: u64 = 64 * 1024;

/// A record as it was found; nothing is believed yet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// Where.
    pub name: String,
    /// The file.
    pub content: Vec<u8>,
    /// The file beside it, if there is one.
    pub signature: Option<Vec<u8>>,
}

/// A place to look in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A directory; it may be missing.
    Directory {
        /// Where it is.
        path: PathBuf,
        /// What it is called in reports.
        shown: String,
        /// Whether it was asked for, so that it is a gap when it is missing.
        wanted: bool,
    },
    /// An address: `ADDRESS/HEX/index.json` names the records of the difference
    /// with the digest `sha256:HEX`, which are beside it.
    Address(String),
}

/// Looks for records in one place. What could not be looked at is said in words.
pub fn find_in(place: &Place, digest: &str, host: &Host) -> (Vec<Found>, Vec<String>) {
    match place {
        Place::Directory {
            path,
            shown,
            wanted,
        } => in_directory(path, shown, *wanted, host),
        Place::Address(address) => at_address(address, digest, host),
    }
}

/// The records among files that were read already, by path.
#[must_use]
pub fn of_files(files: Vec<(String, Vec<u8>)>) -> Vec<Found> {
    let (records, mut signatures): (BTreeMap<_, _>, BTreeMap<_, _>) = files
        .into_iter()
        .partition(|(path, _)| !path.ends_with(".sig"));
    records
        .into_iter()
        .map(|(name, content)| Found {
            signature: signatures.remove(&format!("{name}.sig")),
            name,
            content,
        })
        .collect()
}

/// One record that a person names, and the signature beside it.
///
/// # Errors
/// Those of the operating system.
pub fn read_file(path: &Path, host: &Host) -> io::Result<Found> {
    Ok(Found {
        name: path.display().to_string(),
        content: host.files.read(path, RECORD_LIMIT)?,
        signature: beside(path, host)?,
    })
}

fn beside(path: &Path, host: &Host) -> io::Result<Option<Vec<u8>>> {
    let mut name = path.as_os_str().to_owned();
    name.push(".sig");
    match host.files.read(Path::new(&name), SIGNATURE_LIMIT) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn in_directory(path: &Path, shown: &str, wanted: bool, host: &Host) -> (Vec<Found>, Vec<String>) {
    let entries = match host.files.list(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound && !wanted => {
            return (Vec::new(), Vec::new());
        }
        Err(error) => return (Vec::new(), vec![format!("{shown}: {error}")]),
    };
    let mut names: Vec<&str> = entries
        .iter()
        .filter(|entry| matches!(entry.kind, FileKind::File(_)))
        .filter_map(|entry| entry.name.to_str())
        .filter(|name| name.ends_with(".json"))
        .collect();
    let mut gaps = Vec::new();
    if names.len() > MOST_RECORDS {
        let over = names.len() - MOST_RECORDS;
        gaps.push(format!(
            "{shown}: {over} of {} records were not read; at most {MOST_RECORDS} of a place are",
            names.len()
        ));
        names.truncate(MOST_RECORDS);
    }
    let mut found = Vec::new();
    for name in names {
        match read_file(&path.join(name), host) {
            Ok(record) => found.push(Found {
                name: format!("{shown}/{name}"),
                ..record
            }),
            Err(error) => gaps.push(format!("{shown}/{name}: {error}")),
        }
    }
    (found, gaps)
}

#[derive(Deserialize)]
struct Index {
    records: BTreeSet<String>,
}

fn at_address(address: &str, digest: &str, host: &Host) -> (Vec<Found>, Vec<String>) {
    let shown = public(address);
    let gap = |why: String| (Vec::new(), vec![format!("{shown}: {why}")]);
    let Some(net) = &host.net else {
        return gap("not asked, for there is to be no network".to_owned());
    };
    let hex = digest.trim_start_matches("sha256:");
    let folder = format!("{}/{hex}", address.trim_end_matches('/'));
    let get = |name: &str, limit: u64| Get {
        url: format!("{folder}/{name}"),
        headers: Vec::new(),
        limit,
    };
    let index = match one(net.get_all(&[get("index.json", INDEX_LIMIT)]).pop()) {
        Ok(Some(body)) => body,
        Ok(None) => return (Vec::new(), Vec::new()),
        Err(why) => return gap(why),
    };
    let index: Index = match serde_json::from_slice(&index) {
        Ok(index) => index,
        Err(error) => return gap(format!("its index cannot be read: {error}")),
    };
    let mut gaps = Vec::new();
    if index.records.len() > MOST_FETCHED {
        gaps.push(format!(
            "{shown}: {} of {} records were not fetched; at most {MOST_FETCHED} of a difference are",
            index.records.len() - MOST_FETCHED,
            index.records.len()
        ));
    }
    // A name with a path in it could lead elsewhere.
    let (names, odd): (Vec<_>, Vec<_>) = index
        .records
        .iter()
        .take(MOST_FETCHED)
        .partition(|name| is_plain(name));
    if !odd.is_empty() {
        gaps.push(format!(
            "{shown}: {} names in its index are no plain file names that end in `.json`",
            odd.len()
        ));
    }
    let requests: Vec<Get> = names
        .iter()
        .flat_map(|name| {
            [
                get(name, RECORD_LIMIT),
                get(&format!("{name}.sig"), SIGNATURE_LIMIT),
            ]
        })
        .collect();
    let mut answers = net.get_all(&requests).into_iter();
    let mut found = Vec::new();
    for name in names {
        let (record, signature) = (one(answers.next()), one(answers.next()));
        let name = format!("{shown}/{hex}/{name}");
        match (record, signature) {
            (Ok(Some(content)), Ok(signature)) => found.push(Found {
                name,
                content,
                signature,
            }),
            (Ok(None), _) => gaps.push(format!("{name}: it is not there")),
            (Err(why), _) | (_, Err(why)) => gaps.push(format!("{name}: {why}")),
        }
    }
    (found, gaps)
}

/// The body of an answer; `None` where there is nothing.
fn one(answer: Option<Result<Response, NetError>>) -> Result<Option<Vec<u8>>, String> {
    match answer {
        Some(Ok(response)) if response.status == 200 => Ok(Some(response.body)),
        Some(Ok(response)) if matches!(response.status, 404 | 410) => Ok(None),
        Some(Ok(response)) => Err(format!("the answer has the status {}", response.status)),
        Some(Err(error)) => Err(error.to_string()),
        None => Err("there is no answer".to_owned()),
    }
}

fn is_plain(name: &str) -> bool {
    name.ends_with(".json")
        && name.len() <= 200
        && !name.starts_with('.')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// An address without user name, password and query.
fn public(address: &str) -> String {
    let address = address.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = address.split_once("://") else {
        return address.to_owned();
    };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{}", path.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::host::memory::MemoryHost;

    const AT: &str = "https://e.example/shop/";

    fn address(host: &MemoryHost) -> (Vec<Found>, Vec<String>) {
        let place = Place::Address("https://me:pw@e.example/shop/".replace("me:pw@", ""));
        find_in(&place, "sha256:ab", &host.host())
    }

    fn empty() -> MemoryHost {
        MemoryHost::new(Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn an_address_has_an_index_for_each_difference() {
        let host = empty()
            .answer(
                &format!("{AT}ab/index.json"),
                200,
                r#"{"records":["a.json","b.json","../x.json","c.json"]}"#,
            )
            .answer(&format!("{AT}ab/a.json"), 200, "A")
            .answer(&format!("{AT}ab/a.json.sig"), 200, "S")
            .answer(&format!("{AT}ab/b.json"), 404, "")
            .answer(&format!("{AT}ab/b.json.sig"), 404, "")
            .answer(&format!("{AT}ab/c.json"), 200, "C")
            .answer(&format!("{AT}ab/c.json.sig"), 404, "");
        let (found, gaps) = address(&host);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].name, "https://e.example/shop/ab/a.json");
        assert_eq!(found[0].signature.as_deref(), Some(b"S".as_slice()));
        assert_eq!(found[1].signature, None);
        assert_eq!(gaps.len(), 2, "{gaps:?}");
        assert!(gaps[0].contains("1 names in its index"));
        assert!(gaps[1].contains("b.json: it is not there"));
    }

    #[test]
    fn an_address_that_cannot_be_asked_is_a_gap_and_one_without_records_is_none() {
        let (found, gaps) = address(&empty());
        assert!(
            found.is_empty() && gaps[0].contains("no network"),
            "{gaps:?}"
        );
        let index = format!("{AT}ab/index.json");
        let (_, gaps) = address(&empty().answer(&index, 404, ""));
        assert_eq!(gaps, [] as [String; 0]);
        let (_, gaps) = address(&empty().answer(&index, 403, ""));
        assert!(gaps[0].contains("status 403"), "{gaps:?}");
        let (_, gaps) = address(&empty().answer(&index, 200, "<html>"));
        assert!(gaps[0].contains("index cannot be read"), "{gaps:?}");
        let (_, gaps) = address(&empty().answer(&index, 200, " ".repeat(70_000)));
        assert!(gaps[0].contains("larger than"), "{gaps:?}");
        let many: Vec<String> = (0..70).map(|at| format!("\"{at}.json\"")).collect();
        let many = format!("{{\"records\":[{}]}}", many.join(","));
        let (_, gaps) = address(&empty().answer(&index, 200, many));
        assert!(
            gaps[0].contains("6 of 70 records were not fetched"),
            "{gaps:?}"
        );
        assert_eq!(
            public("https://me:pw@h.example/x/?token=1"),
            "https://h.example/x"
        );
    }

    #[test]
    fn a_directory_that_was_asked_for_has_to_be_there() {
        let host = empty()
            .file("/e/a.json", "A")
            .file("/e/a.json.sig", "S")
            .host();
        let place = |path: &str, wanted| Place::Directory {
            path: path.into(),
            shown: "E".into(),
            wanted,
        };
        let (found, gaps) = find_in(&place("/e", true), "", &host);
        assert_eq!((found.len(), gaps.len()), (1, 0));
        assert_eq!(found[0].name, "E/a.json");
        assert_eq!(find_in(&place("/f", false), "", &host).1, [] as [String; 0]);
        assert!(find_in(&place("/f", true), "", &host).1[0].starts_with("E: "));
    }

    #[test]
    fn a_record_that_is_too_large_is_a_gap() {
        let host = empty().file("/e/a.json", vec![b' '; 300_000]).host();
        let place = Place::Directory {
            path: "/e".into(),
            shown: "E".into(),
            wanted: false,
        };
        let (found, gaps) = find_in(&place, "", &host);
        assert!(
            found.is_empty() && gaps[0].contains("E/a.json: larger"),
            "{gaps:?}"
        );
    }
}
