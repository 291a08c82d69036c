//! The own cache of what manifests say: few files with one line for each
//! archive, found by its checksum, name and version. What a checksum stands
//! for never changes, so that nothing here grows old.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::ManifestFacts;
use crate::host::Host;
use crate::pkg::PackageId;

/// The first line of a file; another format gets another number.
const MAGIC: &str = "canary-manifests 1\n";
/// A file with more bytes than this is started anew.
const LARGEST: u64 = 16 << 20;

/// The key of a line: `CHECKSUM NAME@VERSION`.
pub(super) fn key(id: &PackageId, checksum: &str) -> String {
    format!("{checksum} {id}")
}

/// The rest of a line: library, proc-macro, build script, edition.
type Row = (Option<String>, bool, Option<String>, String);

/// The file for a key: one for each first digit of a checksum.
fn shard_path(directory: &Path, key: &str) -> Option<PathBuf> {
    let digit = key.chars().next().filter(char::is_ascii_hexdigit)?;
    Some(directory.join(digit.to_string()))
}

/// What the table has under these keys.
pub(super) fn read<'k>(
    host: &Host,
    directory: &Path,
    keys: impl Iterator<Item = &'k str>,
) -> BTreeMap<String, ManifestFacts> {
    let mut shards: BTreeMap<PathBuf, Vec<&str>> = BTreeMap::new();
    for key in keys {
        if let Some(path) = shard_path(directory, key) {
            shards.entry(path).or_default().push(key);
        }
    }
    let mut found = BTreeMap::new();
    for (path, mut wanted) in shards {
        let Some(content) = content(host, &path) else {
            continue;
        };
        wanted.sort_unstable();
        for (key, row) in rows(&content) {
            if wanted.binary_search(&key).is_ok()
                && let Some(facts) = decode(row)
            {
                found.insert(key.to_owned(), facts);
            }
        }
    }
    found
}

/// Adds to the table. When two processes do so at once, the additions of one
/// are lost and found again by the next that needs them.
pub(super) fn add(host: &Host, directory: &Path, facts: &BTreeMap<&str, &ManifestFacts>) {
    let mut shards: BTreeMap<PathBuf, BTreeMap<&str, String>> = BTreeMap::new();
    for (key, facts) in facts {
        if let (Some(path), Some(row)) = (shard_path(directory, key), encode(facts)) {
            shards.entry(path).or_default().insert(key, row);
        }
    }
    for (path, mut added) in shards {
        let old = content(host, &path).unwrap_or_default();
        for (key, row) in rows(&old) {
            if decode(row).is_some() {
                added.entry(key).or_insert_with(|| row.to_owned());
            }
        }
        let mut new = String::from(MAGIC);
        for (key, row) in &added {
            new.extend([key, " ", row.as_str(), "\n"]);
        }
        // Without the cache the next run is slower, and no worse.
        drop(host.files.write(&path, new.as_bytes()));
    }
}

fn content(host: &Host, path: &Path) -> Option<String> {
    let bytes = host.files.read(path, LARGEST).ok()?;
    String::from_utf8(bytes).ok()
}

/// The whole lines of a file: a last one without an end was cut off.
fn rows(content: &str) -> impl Iterator<Item = (&str, &str)> {
    content
        .strip_prefix(MAGIC)
        .unwrap_or_default()
        .split_inclusive('\n')
        .filter_map(|line| {
            let line = line.strip_suffix('\n')?;
            let (checksum, rest) = line.split_once(' ')?;
            let key_end = checksum.len() + 1 + rest.find(' ')?;
            let (key, row) = (line.get(..key_end)?, line.get(key_end + 1..)?);
            super::is_sha256(checksum).then_some((key, row))
        })
}

fn encode(facts: &ManifestFacts) -> Option<String> {
    let row: Row = (
        facts.library.clone(),
        facts.proc_macro,
        facts.build_script.clone(),
        facts.edition.clone(),
    );
    serde_json::to_string(&row).ok()
}

fn decode(row: &str) -> Option<ManifestFacts> {
    let (library, proc_macro, build_script, edition): Row = serde_json::from_str(row).ok()?;
    Some(ManifestFacts {
        library,
        proc_macro,
        build_script,
        edition,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::MemoryHost;
    use jiff::Timestamp;

    fn facts(library: &str) -> ManifestFacts {
        ManifestFacts {
            library: Some(library.to_owned()),
            proc_macro: true,
            build_script: Some("a\nb\t\"c\"".to_owned()),
            edition: "2021".to_owned(),
        }
    }

    fn sum(digit: char) -> String {
        format!("{} a@1.0.0", digit.to_string().repeat(64))
    }

    #[test]
    fn what_is_added_is_found_beside_what_was_there() {
        let host = MemoryHost::new(Timestamp::UNIX_EPOCH).host();
        let directory = Path::new("/cache");
        let (one, two) = (facts("one"), facts("two"));
        let other = format!("{}b a@1.0.0", "a".repeat(63));
        add(&host, directory, &[(sum('a').as_str(), &one)].into());
        add(&host, directory, &[(other.as_str(), &two)].into());
        let wanted = [sum('a'), other.clone(), sum('c')];
        let found = read(&host, directory, wanted.iter().map(String::as_str));
        assert_eq!(found, [(sum('a'), one), (other, two)].into());
    }

    #[test]
    fn lines_that_are_torn_or_odd_are_left_out() {
        let good = encode(&facts("x")).unwrap();
        let text = format!(
            "{MAGIC}short a@1.0.0 {good}\n{} nonsense\n{} {good}\n{} {good}",
            sum('a'),
            sum('b'),
            sum('c')
        );
        let sums: Vec<_> = rows(&text)
            .filter(|(_, row)| decode(row).is_some())
            .map(|(sum, _)| sum.to_owned())
            .collect();
        assert_eq!(sums, [sum('b')]);
        assert_eq!(
            rows(text.replace("manifests 1", "manifests 9").as_str()).count(),
            0
        );
    }
}
