//! The archive of a package: as it comes, and as a tar file that is compressed here.
#![no_main]

use std::io::Write as _;

use cargo_canary::pkg::{PackageId, Source};
use cargo_canary::registry::{SourceTree, UnpackLimits};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let id = PackageId {
        name: "thing".to_owned(),
        version: "1.0.0".parse().unwrap(),
        source: Source::CratesIo,
    };
    let limits = UnpackLimits {
        bytes: 1 << 20,
        entries: 1000,
        ..UnpackLimits::default()
    };
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(data).unwrap();
    for archive in [data, &packed.finish().unwrap()] {
        let Ok(tree) = SourceTree::unpack(&id, archive, &limits) else {
            continue;
        };
        for file in tree.files() {
            assert!(tree.read(&file.path).is_some());
            assert!(!file.path.starts_with('/') && !file.path.split('/').any(|part| part == ".."));
        }
        for oddity in tree.oddities() {
            assert!(!oddity.path.contains(char::is_control));
        }
    }
});
