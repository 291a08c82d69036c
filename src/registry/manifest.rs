//! What the manifest inside of an archive says. Pure: bytes in, facts out.
//!
//! Only the archive is read, whose checksum the lock file vouches for. What
//! Cargo has unpacked is not: a build can have changed it.

use std::collections::BTreeSet;
use std::io::Read;

use flate2::read::GzDecoder;
use serde::Deserialize;

use super::ManifestFacts;
use crate::facts::GapReason;
use crate::pkg::{PackageId, Source};

/// At most so many bytes of an unpacked archive are looked at; Cargo's own limit.
const LARGEST_UNPACKED: u64 = 512 << 20;
/// A manifest with more bytes than this is not read.
const LARGEST_MANIFEST: u64 = 4 << 20;

/// Why an archive gives no facts, with words for people.
pub(super) type Unusable = (GapReason, String);

/// Reads the facts of a package from its archive.
pub(super) fn facts(id: &PackageId, archive: &[u8]) -> Result<ManifestFacts, Unusable> {
    facts_within(id, archive, LARGEST_UNPACKED)
}

fn facts_within(id: &PackageId, archive: &[u8], limit: u64) -> Result<ManifestFacts, Unusable> {
    let mut unpacked = GzDecoder::new(archive).take(limit);
    let read = scan(id, &mut unpacked);
    if read.is_err() && unpacked.limit() == 0 {
        let text = format!("the archive of {id} unpacks to more than {limit} bytes");
        return Err((GapReason::OverLimit, text));
    }
    read
}

fn scan(id: &PackageId, unpacked: impl Read) -> Result<ManifestFacts, Unusable> {
    let root = format!("{}-{}/", id.name, id.version);
    // The default registry refuses archives that have a path twice. In others
    // the last one counts, as it does when Cargo unpacks them.
    let first_will_do = id.source == Source::CratesIo;
    let broken = |error: std::io::Error| {
        let text = format!("the archive of {id} cannot be unpacked: {error}");
        (GapReason::Malformed, text)
    };
    let mut members = Members::default();
    let mut tar = tar::Archive::new(unpacked);
    let mut manifest: Option<Manifest> = None;
    for entry in tar.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let path = entry.path_bytes().into_owned();
        let Some(inner) = path.strip_prefix(root.as_bytes()) else {
            continue;
        };
        if inner != b"Cargo.toml" {
            members.note(inner);
            continue;
        }
        if entry.size() > LARGEST_MANIFEST {
            let text = format!("the manifest of {id} has {} bytes", entry.size());
            return Err((GapReason::OverLimit, text));
        }
        let mut text = Vec::new();
        entry.read_to_end(&mut text).map_err(broken)?;
        let read = Manifest::read(id, &text)?;
        if first_will_do && read.is_explicit() {
            return read.facts(id, &members);
        }
        manifest = Some(read);
    }
    match manifest {
        Some(manifest) => manifest.facts(id, &members),
        None => Err((
            GapReason::Malformed,
            format!("the archive of {id} has no `Cargo.toml`"),
        )),
    }
}

/// The members of an archive from which Cargo infers targets.
#[derive(Debug, Default)]
struct Members {
    build_script: bool,
    library: bool,
}

impl Members {
    fn note(&mut self, path: &[u8]) {
        self.build_script |= path == b"build.rs";
        self.library |= path == b"src/lib.rs";
    }
}

#[derive(Debug, Deserialize)]
struct Manifest {
    // The name that the section had before 2015.
    #[serde(alias = "project")]
    package: Package,
    lib: Option<Lib>,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    edition: Option<String>,
    build: Option<Build>,
    autolib: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Build {
    Switch(bool),
    Path(String),
    Paths(BTreeSet<String>),
}

#[derive(Debug, Deserialize)]
struct Lib {
    name: Option<String>,
    path: Option<String>,
    #[serde(rename = "proc-macro", alias = "proc_macro")]
    proc_macro: Option<bool>,
    #[serde(rename = "crate-type", alias = "crate_type")]
    crate_type: Option<CrateType>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum CrateType {
    One(String),
    Many(Vec<String>),
}

impl Manifest {
    fn read(id: &PackageId, text: &[u8]) -> Result<Self, Unusable> {
        let malformed = |why: &str| {
            let text = format!("the manifest in the archive of {id} {why}");
            (GapReason::Malformed, text)
        };
        let text = std::str::from_utf8(text).map_err(|_| malformed("is not UTF-8"))?;
        let manifest: Self = toml::from_str(text).map_err(|error| {
            let message = error.message().lines().next().unwrap_or_default();
            malformed(&format!("cannot be read: {message}"))
        })?;
        if manifest.package.name != id.name {
            return Err(malformed("is of another package"));
        }
        Ok(manifest)
    }

    /// Whether the manifest says all, so that nothing is inferred from the members.
    fn is_explicit(&self) -> bool {
        let build = matches!(
            self.package.build,
            Some(Build::Switch(false) | Build::Path(_) | Build::Paths(_))
        );
        let library = self.package.autolib == Some(false)
            || self.lib.as_ref().is_some_and(|lib| lib.path.is_some());
        build && library
    }

    fn facts(self, id: &PackageId, members: &Members) -> Result<ManifestFacts, Unusable> {
        let build_script = match self.package.build {
            Some(Build::Switch(false)) => None,
            Some(Build::Switch(true)) => Some("build.rs".to_owned()),
            Some(Build::Path(path)) => Some(path),
            Some(Build::Paths(paths)) => paths.into_iter().next(),
            None => members.build_script.then(|| "build.rs".to_owned()),
        };
        let inferred = members.library && self.package.autolib != Some(false);
        let library = match &self.lib {
            Some(Lib {
                name: Some(name), ..
            }) => Some(name.clone()),
            Some(_) => Some(id.name.replace('-', "_")),
            None => inferred.then(|| id.name.replace('-', "_")),
        };
        let proc_macro = self.lib.is_some_and(|lib| {
            lib.proc_macro == Some(true)
                || match lib.crate_type {
                    Some(CrateType::One(kind)) => kind == "proc-macro",
                    Some(CrateType::Many(kinds)) => kinds.iter().any(|kind| kind == "proc-macro"),
                    None => false,
                }
        });
        let edition = self.package.edition.unwrap_or_else(|| "2015".to_owned());
        if !edition.bytes().all(|b| b.is_ascii_digit()) || edition.len() != 4 {
            let text =
                format!("the manifest in the archive of {id} has an edition that is no year");
            return Err((GapReason::Malformed, text));
        }
        Ok(ManifestFacts {
            library,
            proc_macro,
            build_script,
            edition,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn id() -> PackageId {
        PackageId {
            name: "my-crate".to_owned(),
            version: "1.0.0".parse().unwrap(),
            source: Source::CratesIo,
        }
    }

    fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (path, content) in members {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            let path = format!("my-crate-1.0.0/{path}");
            tar.append_data(&mut header, path, *content).unwrap();
        }
        tar.into_inner().unwrap().finish().unwrap()
    }

    fn read(members: &[(&str, &[u8])]) -> ManifestFacts {
        facts(&id(), &archive(members)).unwrap()
    }

    #[test]
    fn a_manifest_that_says_all_is_believed() {
        let manifest = b"[package]\nname='my-crate'\nedition='2021'\nbuild='b/x.rs'\n\
            [lib]\nname='odd'\npath='src/lib.rs'\nproc-macro=true\n";
        let facts = read(&[("Cargo.toml", manifest)]);
        assert_eq!(facts.library.as_deref(), Some("odd"));
        assert_eq!(facts.build_script.as_deref(), Some("b/x.rs"));
        assert!(facts.proc_macro);
        assert_eq!(facts.edition, "2021");
    }

    #[test]
    fn what_an_old_manifest_leaves_out_is_inferred_from_all_members() {
        let manifest = b"[project]\nname='my-crate'\n";
        let facts = read(&[
            ("Cargo.toml", manifest),
            ("build.rs", b""),
            ("src/lib.rs", b""),
        ]);
        assert_eq!(facts.library.as_deref(), Some("my_crate"));
        assert_eq!(facts.build_script.as_deref(), Some("build.rs"));
        assert_eq!(facts.edition, "2015");
        let facts = read(&[("Cargo.toml", manifest), ("src/main.rs", b"")]);
        assert_eq!((facts.library, facts.build_script), (None, None));
    }

    #[test]
    fn switches_outweigh_what_is_there() {
        let manifest = b"[package]\nname='my-crate'\nbuild=false\nautolib=false\n";
        let facts = read(&[
            ("build.rs", b""),
            ("src/lib.rs", b""),
            ("Cargo.toml", manifest),
        ]);
        assert_eq!((facts.library, facts.build_script), (None, None));
        let manifest =
            b"[package]\nname='my-crate'\nbuild=true\n[lib]\ncrate-type=['proc-macro']\n";
        let facts = read(&[("Cargo.toml", manifest)]);
        assert!(facts.proc_macro);
        assert_eq!(facts.build_script.as_deref(), Some("build.rs"));
    }

    #[test]
    fn in_another_registry_the_last_of_two_manifests_counts() {
        let tame = b"[package]\nname='my-crate'\nbuild=false\n[lib]\npath='src/lib.rs'\n";
        let wild = b"[package]\nname='my-crate'\nbuild='x.rs'\n[lib]\npath='src/lib.rs'\n";
        let bytes = archive(&[("Cargo.toml", tame), ("Cargo.toml", wild)]);
        let other = PackageId {
            source: Source::parse("sparse+https://r.example/").unwrap(),
            ..id()
        };
        let facts = facts(&other, &bytes).unwrap();
        assert_eq!(facts.build_script.as_deref(), Some("x.rs"));
    }

    #[test]
    fn an_archive_that_is_broken_or_hostile_is_an_error() {
        let reason = |bytes: &[u8]| facts(&id(), bytes).unwrap_err().0;
        assert_eq!(reason(b"no archive"), GapReason::Malformed);
        assert_eq!(reason(b""), GapReason::Malformed);
        let other = archive(&[("Cargo.toml", b"[package]\nname='other'\n")]);
        assert_eq!(reason(&other), GapReason::Malformed);
        assert_eq!(
            reason(&archive(&[("src/lib.rs", b"")])),
            GapReason::Malformed
        );
        let whole = archive(&[
            ("a", &[7; 5000]),
            ("Cargo.toml", b"[package]\nname='my-crate'\n"),
        ]);
        assert_eq!(reason(&whole[..whole.len() / 2]), GapReason::Malformed);
        let big = vec![b'#'; usize::try_from(LARGEST_MANIFEST).unwrap() + 1];
        assert_eq!(
            reason(&archive(&[("Cargo.toml", &big)])),
            GapReason::OverLimit
        );
    }

    #[test]
    fn a_bomb_is_given_up_at_the_limit() {
        let mut bomb = GzEncoder::new(Vec::new(), Compression::fast());
        let mut header = tar::Header::new_gnu();
        header.set_path("my-crate-1.0.0/zeros").unwrap();
        header.set_size(1 << 40);
        header.set_mode(0o644);
        header.set_cksum();
        bomb.write_all(header.as_bytes()).unwrap();
        bomb.write_all(&vec![0; 1 << 20]).unwrap();
        let bomb = bomb.finish().unwrap();
        let read = facts_within(&id(), &bomb, 1 << 19);
        assert_eq!(read.unwrap_err().0, GapReason::OverLimit);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_reading_panic(
            manifest in ".{0,200}",
            tail in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
        ) {
            let text = format!("[package]\nname = 'my-crate'\n{manifest}");
            drop(facts(&id(), &archive(&[("Cargo.toml", text.as_bytes())])));
            let mut bytes = GzEncoder::new(Vec::new(), Compression::fast());
            bytes.write_all(&tail).unwrap();
            proptest::prop_assert!(facts(&id(), &bytes.finish().unwrap()).is_err());
            proptest::prop_assert!(facts(&id(), &tail).is_err());
        }
    }
}
