//! The crates of a lock file as a directory source: of each its own manifest,
//! out of an archive that has the lock file's checksum, and empty files where
//! its targets are. No source code is unpacked.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use flate2::read::GzDecoder;
use rayon::prelude::*;
use toml::{Table, Value};

use super::CleanRoomError;
use super::paths::{is_copied_empty, is_plain_path};
use crate::facts::Finding;
use crate::pkg::{PackageId, Source};
use crate::registry::Registry;
use crate::snapshot::lock::LockFile;

/// The most that an archive may unpack to, in bytes; cargo's own limit.
const UNPACKED_LIMIT: u64 = 512 << 20;
/// The largest manifest, in bytes.
const MANIFEST_LIMIT: u64 = 8 << 20;
/// The most files in one archive.
const ENTRIES_LIMIT: usize = 200_000;

/// What of one crate is written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Skeleton {
    /// Its `Cargo.toml`.
    pub(super) manifest: Vec<u8>,
    /// Its `.cargo-checksum.json`.
    pub(super) checksums: String,
    /// The files that are written empty.
    pub(super) empty: BTreeSet<String>,
}

/// The skeletons of all crates of a lock file that come from crates.io, by the
/// names of their directories.
pub(super) fn skeletons(
    lock: &LockFile,
    registry: &Registry<'_>,
) -> Result<BTreeMap<String, Skeleton>, CleanRoomError> {
    let mut wanted = Vec::new();
    let mut names = BTreeSet::new();
    for package in &lock.packages {
        if package.id.source != Source::CratesIo {
            continue;
        }
        let name = directory_name(&package.id);
        // Two names that differ in case only would be one directory on some systems.
        if !is_plain(&package.id.name) || !names.insert(name.to_ascii_lowercase()) {
            return Err(CleanRoomError::BadName { name });
        }
        let checksum = package.checksum.as_deref();
        let checksum = checksum.ok_or_else(|| CleanRoomError::NoChecksum {
            package: Box::new(package.id.clone()),
        })?;
        wanted.push((name, &package.id, checksum));
    }
    let read: Vec<_> = wanted
        .par_iter()
        .map(|(_, id, checksum)| one(id, checksum, registry))
        .collect();
    let mut missing = Vec::new();
    let mut skeletons = BTreeMap::new();
    for ((name, id, _), read) in wanted.into_iter().zip(read) {
        match read? {
            Ok(skeleton) => {
                skeletons.insert(name, skeleton);
            }
            Err(reason) => missing.push((id.clone(), reason)),
        }
    }
    if missing.is_empty() {
        return Ok(skeletons);
    }
    missing.sort();
    Err(CleanRoomError::MissingCrates { crates: missing })
}

/// The name of a crate's directory.
pub(super) fn directory_name(id: &PackageId) -> String {
    format!("{}-{}", id.name, id.version)
}

/// Whether a name is one that a registry accepts, so that it is safe in a path.
pub(super) fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !name.is_empty() && name.len() <= 128 && name.chars().all(plain)
}

/// The skeleton of one crate, or why its archive could not be had. The registry
/// gives out an archive only when it has the checksum.
fn one(
    id: &PackageId,
    checksum: &str,
    registry: &Registry<'_>,
) -> Result<Result<Skeleton, String>, CleanRoomError> {
    let bytes = match registry.archive(id, checksum) {
        Finding::Seen(bytes) => bytes,
        Finding::Absent(searched) => return Ok(Err(format!("not in {searched}"))),
        Finding::Unknown(gap) => return Ok(Err(gap.detail)),
    };
    skeleton(id, checksum, &bytes)
        .map(Ok)
        .map_err(|detail| CleanRoomError::Archive {
            package: Box::new(id.clone()),
            detail,
        })
}

fn skeleton(id: &PackageId, checksum: &str, archive: &[u8]) -> Result<Skeleton, String> {
    // One byte more than the limit, so that an archive that is cut is noticed.
    let stream = GzDecoder::new(archive).take(UNPACKED_LIMIT + 1);
    let mut archive = tar::Archive::new(stream);
    let prefix = directory_name(id);
    let mut manifest = None;
    let mut sources = Vec::new();
    let entries = archive.entries().map_err(|error| error.to_string())?;
    for (count, entry) in entries.enumerate() {
        if count >= ENTRIES_LIMIT {
            return Err(format!("it has more than {ENTRIES_LIMIT} files"));
        }
        let mut entry = entry.map_err(|error| error.to_string())?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path = entry.path_bytes();
        let Ok(path) = std::str::from_utf8(&path) else {
            continue;
        };
        let Some(path) = path
            .strip_prefix(&prefix)
            .and_then(|path| path.strip_prefix('/'))
            .map(str::to_owned)
        else {
            return Err(format!("it holds `{path}`, which is outside of `{prefix}`"));
        };
        if path == "Cargo.toml" {
            // Unpacking writes a later file over an earlier one of the same name.
            let mut content = Vec::new();
            let read = entry.by_ref().take(MANIFEST_LIMIT + 1);
            { read }
                .read_to_end(&mut content)
                .map_err(|error| error.to_string())?;
            if content.len() as u64 > MANIFEST_LIMIT {
                return Err(format!(
                    "its manifest is larger than {MANIFEST_LIMIT} bytes"
                ));
            }
            manifest = Some(content);
        } else if is_plain_path(&path) {
            sources.push(path);
        }
    }
    if archive.into_inner().limit() == 0 {
        return Err(format!("it unpacks to more than {UNPACKED_LIMIT} bytes"));
    }
    let manifest = manifest.ok_or("it holds no manifest")?;
    let text = String::from_utf8_lossy(&manifest);
    let empty = if names_its_files(&text) {
        BTreeSet::new()
    } else {
        let needed = |path: &String| is_copied_empty(path, &text);
        sources.into_iter().filter(needed).collect()
    };
    Ok(Skeleton {
        checksums: format!("{{\"files\":{{}},\"package\":\"{checksum}\"}}"),
        manifest,
        empty,
    })
}

/// Whether a manifest names all that cargo would else look for. Those that cargo
/// writes since 2024 do, which spares most of the files.
fn names_its_files(manifest: &str) -> bool {
    let Ok(manifest) = toml::from_str::<Table>(manifest) else {
        return false;
    };
    let Some(package) = manifest.get("package").and_then(Value::as_table) else {
        return false;
    };
    let off = |key: &&str| package.get(*key).and_then(Value::as_bool) == Some(false);
    let named = |key: &&str| package.contains_key(*key);
    let has_path = |target: &Value| target.get("path").is_some();
    let targets = ["bin", "example", "test", "bench"]
        .iter()
        .filter_map(|key| manifest.get(*key).and_then(Value::as_array))
        .flatten();
    let discovery = [
        "autolib",
        "autobins",
        "autoexamples",
        "autotests",
        "autobenches",
    ];
    discovery.iter().all(off)
        && ["build", "readme"].iter().all(named)
        && manifest.get("lib").into_iter().chain(targets).all(has_path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn id() -> PackageId {
        PackageId {
            name: "dep".into(),
            version: "1.0.0".parse().unwrap(),
            source: Source::CratesIo,
        }
    }

    fn pack(files: &[(&str, &str)]) -> Vec<u8> {
        let mut tar = tar::Builder::new(Vec::new());
        for (path, content) in files {
            let mut header = tar::Header::new_gnu();
            // Set by hand: the builder refuses the paths that matter here.
            header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            tar.append(&header, content.as_bytes()).unwrap();
        }
        let bytes = tar.into_inner().unwrap();
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(&bytes).unwrap();
        gz.finish().unwrap()
    }

    #[test]
    fn a_skeleton_holds_the_manifest_and_names_the_targets() {
        let archive = pack(&[
            ("dep-1.0.0/Cargo.toml", "[package]"),
            ("dep-1.0.0/src/lib.rs", "pub fn f() {}"),
            ("dep-1.0.0/src/deep/inner.rs", ""),
            ("dep-1.0.0/build.rs", "fn main() {}"),
            ("dep-1.0.0/data.bin", "x"),
        ]);
        let skeleton = skeleton(&id(), "00", &archive).unwrap();
        assert_eq!(skeleton.manifest, b"[package]");
        assert_eq!(
            skeleton.empty.iter().collect::<Vec<_>>(),
            ["build.rs", "src/lib.rs"]
        );
    }

    #[test]
    fn a_manifest_that_names_its_files_needs_none() {
        let auto = "autolib = false\nautobins = false\nautoexamples = false\nautotests = false\nautobenches = false\n";
        let named =
            format!("[package]\nbuild = false\nreadme = false\n{auto}[lib]\npath = 'src/lib.rs'\n");
        assert!(names_its_files(&named));
        let unnamed = format!("{named}[[test]]\nname = 'x'\n");
        assert!(!names_its_files(&unnamed));
        assert!(!names_its_files(&named.replace("autotests = false", "")));
        assert!(!names_its_files(&named.replace("build = false", "")));
    }

    #[test]
    fn the_later_of_two_manifests_holds_as_it_does_when_unpacking() {
        let archive = pack(&[
            ("dep-1.0.0/Cargo.toml", "one"),
            ("dep-1.0.0/Cargo.toml", "two"),
        ]);
        assert_eq!(skeleton(&id(), "00", &archive).unwrap().manifest, b"two");
    }

    #[test]
    fn files_outside_of_the_crates_directory_are_refused() {
        for path in ["../Cargo.toml", "other-1.0.0/Cargo.toml", "/etc/Cargo.toml"] {
            let archive = pack(&[("dep-1.0.0/Cargo.toml", "x"), (path, "y")]);
            assert!(skeleton(&id(), "00", &archive).is_err(), "{path}");
        }
        let archive = pack(&[
            ("dep-1.0.0/Cargo.toml", "x"),
            ("dep-1.0.0/../../src/lib.rs", "y"),
        ]);
        assert!(skeleton(&id(), "00", &archive).unwrap().empty.is_empty());
    }

    #[test]
    fn an_archive_that_is_cut_or_empty_is_an_error() {
        let whole = pack(&[("dep-1.0.0/Cargo.toml", &"x".repeat(5000))]);
        assert!(skeleton(&id(), "00", &whole[..whole.len() / 2]).is_err());
        assert!(skeleton(&id(), "00", b"").is_err());
        assert!(skeleton(&id(), "00", &pack(&[])).is_err());
    }

    #[test]
    fn names_that_would_leave_the_directory_are_not_plain() {
        assert!(is_plain("serde_json"));
        for name in ["", "..", "../x", "a/b", "a\\b", "a b", "ä"] {
            assert!(!is_plain(name), "{name}");
        }
    }
}
