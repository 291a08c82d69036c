//! Where the shared data is, on machines that have it.

use std::path::{Path, PathBuf};

/// A folder of the shared data; says so and is `None` where it is missing.
pub(crate) fn folder(name: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let root = std::env::var_os("CANARY_SHARED_DATA").map_or(beside, PathBuf::from);
    let folder = root.join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: the shared data has no folder `{name}` here");
    None
}
