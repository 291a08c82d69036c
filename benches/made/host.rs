//! Made-up builds on a host in memory.

use cargo_canary::audit::{Audit, EvidenceSources, Request, run};
use cargo_canary::host::Host;
use cargo_canary::host::memory::MemoryHost;
use cargo_canary::snapshot::{BuildName, GraphMode};

use super::text::{Side, cargo_entry, is_changed, lock, name};

/// A host with two lock files of so many packages, and the index entries of the
/// packages that changed where Cargo keeps them.
pub(crate) fn pair(packages: usize) -> MemoryHost {
    let host = MemoryHost::new("2026-01-02T03:04:05Z".parse().unwrap())
        .var("CARGO_HOME", "/cargo")
        .var("CARGO_CANARY_CACHE", "/cache")
        .file("/base/Cargo.lock", lock(packages, Side::Base))
        .file("/head/Cargo.lock", lock(packages, Side::Head));
    (0..packages)
        .filter(|package| is_changed(*package))
        .fold(host, |host, package| {
            let name = name(package);
            let index = "/cargo/registry/index/index.crates.io-1949cf8c6b5b557f/.cache";
            let path = format!("{index}/{}/{}/{name}", &name[0..2], &name[2..4]);
            host.file(&path, cargo_entry(package, packages))
        })
}

/// The request for a verdict on two named builds with the default policy, and
/// without fetching anything.
pub(crate) fn request(base: &str, head: &str) -> Request {
    Request {
        repository: "/".into(),
        base: BuildName::Named(base.to_owned()),
        head: BuildName::Named(head.to_owned()),
        policy: None,
        targets: Vec::new(),
        features: None,
        graph: GraphMode::Auto,
        as_of: None,
        publishers: None,
        locked_data: true,
        cache_dir: None,
        evidence: EvidenceSources::default(),
        ledger: cargo_canary::audit::LedgerChoice::Never,
    }
}

/// A verdict on the pair, from lock files alone.
pub(crate) fn verdict(host: &Host) -> Audit {
    run(
        &request("/base/Cargo.lock", "/head/Cargo.lock"),
        host,
        &|_| {},
    )
    .unwrap()
}
