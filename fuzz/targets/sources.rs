//! Two sources of a package, through all detectors: each input is a manifest,
//! a build script, a library and a changelog for either side, split at NUL.
#![no_main]

use std::io::Write as _;

use cargo_canary::inspect;
use cargo_canary::pkg::{PackageId, Source};
use cargo_canary::registry::{SourceTree, UnpackLimits};
use libfuzzer_sys::fuzz_target;

const PATHS: [&str; 4] = ["Cargo.toml", "build.rs", "src/lib.rs", "CHANGELOG.md"];

fuzz_target!(|data: &[u8]| {
    let mut texts = data.split(|byte| *byte == 0);
    let mut side = |version: &str| {
        let id = PackageId {
            name: "thing".to_owned(),
            version: version.parse().unwrap(),
            source: Source::CratesIo,
        };
        let files = PATHS.map(|path| (path, texts.next().unwrap_or_default()));
        let archive = packed(&format!("thing-{version}"), &files);
        let tree = SourceTree::unpack(&id, &archive, &UnpackLimits::default()).unwrap();
        (id, tree)
    };
    let (old, new) = (side("1.0.0"), side("1.0.1"));
    let delta = inspect::inspect(Some((&old.0, &old.1)), (&new.0, &new.1));
    // What is kept of it is read again as it was.
    assert_eq!(
        inspect::decode(&inspect::encode(&delta)).as_ref(),
        Some(&delta)
    );
    drop(inspect::inspect(None, (&new.0, &new.1)));
    // The same sources are no update.
    let same = inspect::inspect(Some((&new.0, &new.1)), (&new.0, &new.1));
    assert!(same.findings.is_empty(), "{:?}", same.findings);
});

/// A compressed tar file of these.
fn packed(root: &str, files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (path, content) in files {
        let mut header = [0_u8; 512];
        let name = format!("{root}/{path}");
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[100..107].copy_from_slice(b"0000644");
        let size = format!("{:011o}", content.len());
        header[124..135].copy_from_slice(size.as_bytes());
        header[136..147].copy_from_slice(b"00000000000");
        header[148..156].copy_from_slice(b"        ");
        header[156] = b'0';
        header[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        out.extend_from_slice(&header);
        out.extend_from_slice(content);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.resize(out.len() + 1024, 0);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&out).unwrap();
    packed.finish().unwrap()
}
