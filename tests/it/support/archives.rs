//! Archives of small packages, made in memory.

use std::io::Write as _;

use cargo_canary::facts::SourceDelta;
use cargo_canary::inspect;
use cargo_canary::pkg::{PackageId, Source};
use cargo_canary::registry::{SourceTree, UnpackError, UnpackLimits};
use flate2::Compression;
use flate2::write::GzEncoder;

/// The package that all tests are about.
pub(crate) fn package(version: &str) -> PackageId {
    PackageId {
        name: "thing".to_owned(),
        version: version.parse().unwrap(),
        source: Source::CratesIo,
    }
}

/// One raw entry of an archive: nothing about it is checked.
pub(crate) fn entry(path: &[u8], kind: u8, content: &[u8]) -> Vec<u8> {
    let mut block = vec![0_u8; 512];
    let name = &path[..path.len().min(100)];
    block[..name.len()].copy_from_slice(name);
    block[100..107].copy_from_slice(b"0000644");
    block[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
    block[156] = kind;
    block[257..263].copy_from_slice(b"ustar\0");
    block[263..265].copy_from_slice(b"00");
    if kind == b'1' || kind == b'2' {
        block[157..168].copy_from_slice(b"/etc/passwd");
    }
    block[148..156].copy_from_slice(b"        ");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    block.extend_from_slice(content);
    block.resize(block.len().next_multiple_of(512), 0);
    block
}

/// Entries, packed.
pub(crate) fn pack(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    for entry in entries {
        encoder.write_all(entry).unwrap();
    }
    encoder.write_all(&[0_u8; 1024]).unwrap();
    encoder.finish().unwrap()
}

/// An archive of a package with these files.
pub(crate) fn archive(version: &str, files: &[(&str, &str)]) -> Vec<u8> {
    let mut entries: Vec<Vec<u8>> = Vec::new();
    if files.iter().all(|(path, _)| *path != "Cargo.toml") {
        let manifest =
            format!("[package]\nname = 'thing'\nversion = '{version}'\nedition = '2021'\n");
        let path = format!("thing-{version}/Cargo.toml");
        entries.push(entry(path.as_bytes(), b'0', manifest.as_bytes()));
    }
    for (path, content) in files {
        let path = format!("thing-{version}/{path}");
        entries.push(entry(path.as_bytes(), b'0', content.as_bytes()));
    }
    pack(&entries)
}

/// An archive, unpacked.
pub(crate) fn unpack(version: &str, archive: &[u8]) -> Result<SourceTree, UnpackError> {
    SourceTree::unpack(&package(version), archive, &UnpackLimits::default())
}

/// What an update from one set of files to another does.
pub(crate) fn update(old: &[(&str, &str)], new: &[(&str, &str)]) -> SourceDelta {
    between(("1.0.0", old), ("1.0.1", new))
}

/// As [`update`], with versions.
pub(crate) fn between(old: (&str, &[(&str, &str)]), new: (&str, &[(&str, &str)])) -> SourceDelta {
    let before = unpack(old.0, &archive(old.0, old.1)).unwrap();
    let after = unpack(new.0, &archive(new.0, new.1)).unwrap();
    let (from, to) = (package(old.0), package(new.0));
    inspect::inspect(Some((&from, &before)), (&to, &after))
}

/// What stands out in a new package.
pub(crate) fn fresh(files: &[(&str, &str)]) -> SourceDelta {
    let tree = unpack("1.0.0", &archive("1.0.0", files)).unwrap();
    inspect::inspect(None, (&package("1.0.0"), &tree))
}
