//! The folder of shared data, which the repository does not hold.

/// The folder, where there is one; says so where there is not.
#[expect(clippy::print_stdout, reason = "a test says that it was skipped")]
pub(crate) fn folder() -> Option<String> {
    let folder = std::env::var("CANARY_SHARED_DATA")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data").to_owned());
    if std::path::Path::new(&folder).join("corpus").is_dir() {
        return Some(folder);
    }
    println!("skipped: there is no shared data here");
    None
}
