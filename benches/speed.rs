//! How long the parts take, without any disk, network or other process:
//! `cargo bench`. Whole processes are measured by `benches/peers.sh`.
#![expect(
    clippy::unwrap_used,
    reason = "a measurement ends at the first surprise"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use cargo_canary::advisories::Store;
use cargo_canary::audit::Audit;
use cargo_canary::diff::{GraphDiff, diff};
use cargo_canary::facts::Finding;
use cargo_canary::host::memory::MemoryHost;
use cargo_canary::pkg::{DependencyKind, PackageId, Source};
use cargo_canary::policy::{Policy, Subject, Verdict, decide};
use cargo_canary::registry::{Dependency, IndexRelease, ManifestFacts};
use cargo_canary::snapshot::direct::{self, Published};
use cargo_canary::snapshot::graph;
use cargo_canary::snapshot::lock::{LockFile, parse};
use cargo_canary::snapshot::tree::MemoryTree;
use cargo_canary::snapshot::{
    BuildSettings, FeatureChoice, GraphKind, Input, InputKind, Snapshot, Workspace, lock_only,
};
use divan::Bencher;
use jiff::Timestamp;

#[path = "made/host.rs"]
mod host;
#[path = "made/text.rs"]
mod text;

use text::Side;

fn main() {
    divan::main();
}

#[divan::bench(args = [1_000, 10_000, 20_000])]
fn lock_file(bencher: Bencher<'_, '_>, packages: usize) {
    let text = text::lock(packages, Side::Base);
    bencher.bench(|| -> LockFile { parse(&text, "Cargo.lock").unwrap() });
}

#[divan::bench(args = [1_100, 10_000])]
fn verdict_on_lock_files(bencher: Bencher<'_, '_>, packages: usize) {
    let memory = host::pair(packages);
    bencher.bench(|| -> Audit { host::verdict(&memory.host()) });
}

fn snapshot(packages: usize, side: Side) -> Snapshot {
    let lock = parse(&text::lock(packages, side), "Cargo.lock").unwrap();
    Snapshot {
        input: Input {
            given: "made".to_owned(),
            kind: InputKind::Lock,
            commit: None,
            digest: String::new(),
        },
        workspaces: vec![lock_only::workspace(".", &lock)],
        not_covered: Vec::new(),
    }
}

#[divan::bench(args = [5_000, 10_000])]
fn difference(bencher: Bencher<'_, '_>, packages: usize) {
    let (base, head) = (
        snapshot(packages, Side::Base),
        snapshot(packages, Side::Head),
    );
    bencher.bench(|| -> GraphDiff { diff(&base, &head, &BTreeMap::new()) });
}

#[divan::bench]
fn difference_that_is_large(bencher: Bencher<'_, '_>) {
    let (base, head) = (snapshot(10_000, Side::Base), snapshot(5_000, Side::Head));
    bencher.bench(|| -> GraphDiff { diff(&base, &head, &BTreeMap::new()) });
}

#[divan::bench]
fn advisories_of_every_package(bencher: Bencher<'_, '_>) {
    let store = Store::embedded();
    let as_of: Timestamp = "2026-08-21T00:00:00Z".parse().unwrap();
    let names = [
        "time", "openssl", "tokio", "hyper", "smallvec", "regex", "a-00001", "serde",
    ];
    let ids: Vec<PackageId> = names
        .iter()
        .flat_map(|name| (0..125).map(move |patch| (name, patch)))
        .map(|(name, patch)| PackageId {
            name: (*name).to_owned(),
            version: format!("0.1.{patch}").parse().unwrap(),
            source: Source::CratesIo,
        })
        .collect();
    bencher.bench(|| -> usize { ids.iter().map(|id| store.applying(id, as_of).len()).sum() });
}

#[divan::bench]
fn policy_that_is_read() -> Policy {
    Policy::built_in("default").unwrap()
}

#[divan::bench]
fn policy_on_two_hundred_changes(bencher: Bencher<'_, '_>) {
    judge_two_hundred(bencher, &Policy::built_in("default").unwrap());
}

fn judge_two_hundred(bencher: Bencher<'_, '_>, policy: &Policy) {
    let audit = host::verdict(&host::pair(10_000).host());
    let subjects: Vec<Subject<'_>> = audit
        .changes
        .iter()
        .map(|judged| Subject {
            change: &judged.change,
            dossier: &judged.dossier,
            links: &judged.links,
            assessment: &judged.assessment,
        })
        .collect();
    assert_eq!(subjects.len(), 200);
    let day = "2026-01-02".parse().unwrap();
    bencher.bench(|| -> Verdict { decide(policy, &subjects, None, day) });
}

/// A policy of a large team: fifty rules of its own and three hundred exemptions.
fn large_policy() -> String {
    let mut text = "version = 1\nextends = \"default\"\n".to_owned();
    for rule in 0..50 {
        let _ = writeln!(
            text,
            "\n[[rule]]\nid = \"rule-{rule}\"\nwhen = 'change.target && release.age_days < {rule}.5 && !(change.package in [\"a\", \"b\", \"c\"]) && risk.score > {rule}'\nthen = \"canary\"\nreason = \"{{release.age_days}} days old\""
        );
    }
    for crate_ in 0..300 {
        let _ = writeln!(
            text,
            "\n[[exempt]]\npackage = \"a-{crate_:05}\"\nversion = \"^0.1\"\nrules = [\"rule-1\", \"rule-2\"]\nreason = \"read\"\nuntil = 2027-01-01"
        );
    }
    text
}

fn read(text: &str) -> Policy {
    let nowhere = |name: &str, _: &str| Err(format!("there is no `{name}`"));
    cargo_canary::policy::load(text, "canary.toml", &nowhere).unwrap()
}

#[divan::bench]
fn policy_of_fifty_rules_and_three_hundred_exemptions_that_is_read(bencher: Bencher<'_, '_>) {
    let text = large_policy();
    bencher.bench(|| -> Policy { read(&text) });
}

#[divan::bench]
fn policy_of_fifty_rules_and_three_hundred_exemptions_on_two_hundred_changes(
    bencher: Bencher<'_, '_>,
) {
    let policy = read(&large_policy());
    judge_two_hundred(bencher, &policy);
}

/// A registry that knows the made-up crates without reading anything.
struct MadeUp {
    releases: BTreeMap<PackageId, IndexRelease>,
}

impl MadeUp {
    fn of(lock: &LockFile) -> Self {
        let releases = lock
            .packages
            .iter()
            .map(|package| {
                let dependencies = package
                    .dependencies
                    .iter()
                    .map(|to| declared(&lock.packages[*to].id))
                    .collect();
                let release = IndexRelease {
                    version: package.id.version.clone(),
                    checksum: package.checksum.clone().unwrap_or_default(),
                    dependencies,
                    features: BTreeMap::from([
                        ("default".to_owned(), vec!["one".to_owned()]),
                        ("one".to_owned(), Vec::new()),
                    ]),
                    links: None,
                    rust_version: None,
                };
                (package.id.clone(), release)
            })
            .collect();
        Self { releases }
    }
}

fn declared(id: &PackageId) -> Dependency {
    Dependency {
        name: id.name.clone(),
        package: id.name.clone(),
        req: "^1".parse().unwrap(),
        kind: DependencyKind::Normal,
        optional: false,
        default_features: true,
        features: vec!["one".to_owned()],
        target: None,
        source: None,
    }
}

impl Published for MadeUp {
    fn releases(&self, wanted: &[PackageId]) -> Vec<Finding<IndexRelease>> {
        wanted
            .iter()
            .map(|id| Finding::Seen(self.releases[id].clone()))
            .collect()
    }

    fn manifests(
        &self,
        wanted: &[(PackageId, Option<String>)],
    ) -> Vec<Finding<Arc<ManifestFacts>>> {
        wanted
            .iter()
            .map(|(id, _)| {
                Finding::Seen(Arc::new(ManifestFacts {
                    library: Some(id.name.replace('-', "_")),
                    proc_macro: false,
                    build_script: None,
                    edition: "2021".to_owned(),
                }))
            })
            .collect()
    }
}

#[divan::bench(args = [500])]
fn full_graph(bencher: Bencher<'_, '_>, packages: usize) {
    let lock = parse(&text::lock(packages, Side::Base), "Cargo.lock").unwrap();
    let registry = MadeUp::of(&lock);
    let mut manifest =
        "[package]\nname = 'a-root'\nversion = '0.1.0'\nedition = '2024'\n[dependencies]\n"
            .to_owned();
    for direct in text::direct(packages) {
        manifest.extend([&text::name(direct), " = '1'\n"]);
    }
    let tree = MemoryTree::new()
        .file("Cargo.toml", manifest)
        .file("src/main.rs", "fn main() {}");
    let settings = BuildSettings {
        targets: vec!["x86_64-unknown-linux-gnu".to_owned()],
        features: FeatureChoice::Default,
    };
    let doors = MemoryHost::new(Timestamp::UNIX_EPOCH).host();
    bencher.bench(|| -> Workspace {
        let document = direct::metadata(&tree, ".", &lock, &registry, &doors).unwrap();
        let workspace = graph::resolve(
            &document.json,
            Some(&lock),
            ".",
            GraphKind::Direct,
            Some(document.resolver),
            &settings,
        )
        .unwrap();
        assert_eq!(workspace.packages.len(), packages + 1);
        workspace
    });
}
