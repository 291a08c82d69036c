//! Real releases, judged by hand: what the detectors say of ordinary updates,
//! of known leaks, and of two crates with compiled code in them. Needs the
//! network; `CANARY_INSPECT_REAL=1 cargo test --test it inspect_real -- --nocapture`
//! writes the table that `docs/source-facts.md` shows.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use cargo_canary::facts::{Finding, Part, Shift, SourceDelta, SourceFinding, Topic};
use cargo_canary::host::{Host, NetLimits, RealNet};
use cargo_canary::inspect;
use cargo_canary::pkg::{PackageId, Source, Step};
use cargo_canary::registry::{Access, Freshness, Registry, SourceTree, UnpackLimits, Wanted};
use semver::Version;
use serde_json::Value;

use crate::support::data;

/// A host with a network, where the network is asked for.
fn asked() -> Option<Host> {
    if std::env::var_os("CANARY_INSPECT_REAL").is_none() {
        println!("skipped: CANARY_INSPECT_REAL is not set, and real releases need the network");
        return None;
    }
    Some(Host::real(Some(Box::new(RealNet::new(
        NetLimits::default(),
    )))))
}

fn registry(host: &Host) -> Registry<'_> {
    let access = Access {
        cache_dir: Some(std::env::temp_dir().join("canary-inspect-real")),
        cargo_home: host.env.cargo_home(),
        user_home: host.env.home(),
        fetch: true,
        max_age: Duration::from_secs(86_400),
    };
    Registry::open(host, access)
}

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn tree(registry: &Registry<'_>, name: &str, version: &Version) -> Option<(PackageId, SourceTree)> {
    let id = PackageId {
        name: name.to_owned(),
        version: version.clone(),
        source: Source::CratesIo,
    };
    let record = registry.record(&Source::CratesIo, name);
    let checksum = record.seen()?.release(version)?.ok()?.checksum;
    match registry.archive(&id, &checksum) {
        Finding::Seen(bytes) => {
            let tree = SourceTree::unpack(&id, &bytes, &UnpackLimits::default()).ok()?;
            Some((id, tree))
        }
        Finding::Absent(_) => None,
        Finding::Unknown(gap) => {
            println!("  {id}: {}", gap.detail);
            None
        }
    }
}

fn update(
    registry: &Registry<'_>,
    name: &str,
    from: &Version,
    to: &Version,
) -> Option<SourceDelta> {
    let (old, new) = (tree(registry, name, from)?, tree(registry, name, to)?);
    let start = Instant::now();
    let delta = inspect::inspect(Some((&old.0, &old.1)), (&new.0, &new.1));
    let bytes = delta.before.unwrap_or_default().bytes + delta.after.bytes;
    println!(
        "{name} {from} -> {to}: {} findings, {} KiB, {} ms{}",
        delta.findings.len(),
        bytes / 1024,
        start.elapsed().as_millis(),
        if delta.same_code { ", same code" } else { "" },
    );
    Some(delta)
}

fn show(delta: &SourceDelta) {
    for finding in &delta.findings {
        let place = finding.witnesses.first().map(ToString::to_string);
        println!(
            "    {} {} {} x{}: {} | {}",
            finding.shift.as_str(),
            finding.topic.as_str(),
            finding.part.as_str(),
            finding.count,
            finding.what,
            place.unwrap_or_default()
        );
    }
    for left in &delta.not_read {
        println!("    not read: {left}");
    }
}

#[test]
fn ordinary_updates_say_little() {
    let Some(host) = asked() else { return };
    let registry = registry(&host);
    for (name, from, to) in [
        ("tokio", "1.40.0", "1.41.0"),
        ("tokio", "1.43.0", "1.43.1"),
        ("tokio", "1.45.0", "1.45.1"),
        ("rustls", "0.23.20", "0.23.21"),
        ("rustls", "0.23.25", "0.23.26"),
        ("rustls", "0.23.27", "0.23.28"),
        ("serde_json", "1.0.137", "1.0.138"),
        ("serde_json", "1.0.139", "1.0.140"),
        ("serde_json", "1.0.117", "1.0.118"),
        ("serde_derive", "1.0.171", "1.0.172"),
        ("libc", "0.2.170", "0.2.171"),
        ("object", "0.36.0", "0.36.1"),
    ] {
        let delta = update(&registry, name, &version(from), &version(to)).unwrap();
        show(&delta);
    }
}

#[test]
fn the_compiled_program_in_a_derive_crate_is_found() {
    let Some(host) = asked() else { return };
    let registry = registry(&host);
    let delta = update(
        &registry,
        "serde_derive",
        &version("1.0.171"),
        &version("1.0.172"),
    )
    .unwrap();
    let program = delta
        .on(&[Topic::Executable])
        .find(|finding| finding.shift == Shift::Gained && finding.part == Part::Archive);
    assert!(program.is_some());
    assert!(
        delta
            .on(&[Topic::Process])
            .any(|finding| finding.part == Part::ProcMacro)
    );
}

/// The release before one, in time and in its own line where it can be.
fn predecessor(registry: &Registry<'_>, name: &str, of: &Version) -> Option<Version> {
    let record = registry.record(&Source::CratesIo, name);
    let record = record.seen()?;
    let mut before: Vec<Version> = record
        .lines()
        .iter()
        .map(|line| line.version.clone())
        .filter(|version| version < of && version.pre.is_empty())
        .collect();
    before.sort();
    before.pop()
}

/// The update of the same size that comes next behind a fix, with no leak on record.
fn harmless(
    registry: &Registry<'_>,
    name: &str,
    after: &Version,
    step: Step,
    bad: &BTreeSet<Version>,
) -> Option<(Version, Version)> {
    let record = registry.record(&Source::CratesIo, name);
    let record = record.seen()?;
    let mut versions: Vec<Version> = record
        .lines()
        .iter()
        .map(|line| line.version.clone())
        .filter(|version| version.pre.is_empty())
        .collect();
    versions.sort();
    let pairs: Vec<(Version, Version)> = versions
        .windows(2)
        .map(|pair| (pair[0].clone(), pair[1].clone()))
        .filter(|(from, to)| {
            Step::between(from, to) == step && !bad.contains(to) && !bad.contains(from)
        })
        .collect();
    let later = pairs.iter().find(|(from, _)| from >= after);
    later.or_else(|| pairs.last()).cloned()
}

#[test]
fn known_leaks_beside_harmless_updates() {
    let Some(host) = asked() else { return };
    let Some(leaks) = data::folder("leaks") else {
        return;
    };
    let registry = registry(&host);
    let text = std::fs::read_to_string(leaks.join("catalogue.jsonl")).unwrap();
    let rows: Vec<Value> = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let field = |row: &Value, key: &str| row[key].as_str().map(str::to_owned);
    let wanted: Vec<Wanted> = rows
        .iter()
        .filter_map(|row| field(row, "crate"))
        .collect::<BTreeSet<_>>()
        .into_iter()
        .map(|name| Wanted {
            source: Source::CratesIo,
            name,
            holding: Vec::new(),
            freshness: Freshness::Holding,
        })
        .collect();
    registry.prefetch(&wanted);
    let (mut leaky, mut plain, mut plain_hit) = (0, 0, 0);
    let mut ranks = Vec::new();
    let mut done: BTreeSet<(String, Version)> = BTreeSet::new();
    for row in &rows {
        let (Some(name), Some(introduced)) = (field(row, "crate"), field(row, "introduced")) else {
            continue;
        };
        let failure = field(row, "failure_mode").unwrap_or_default();
        if !GROWTH.contains(&failure.as_str()) {
            continue;
        }
        let Ok(introduced) = introduced.parse::<Version>() else {
            continue;
        };
        let Some(before) = predecessor(&registry, &name, &introduced) else {
            continue;
        };
        if !done.insert((name.clone(), introduced.clone())) {
            continue;
        }
        let step = Step::between(&before, &introduced);
        if !matches!(step, Step::Patch | Step::Minor | Step::Major) {
            continue;
        }
        let bad: BTreeSet<Version> = rows
            .iter()
            .filter(|other| field(other, "crate").as_deref() == Some(&name))
            .flat_map(|other| [field(other, "introduced"), field(other, "fixed")])
            .flatten()
            .filter_map(|text| text.parse().ok())
            .collect();
        let after = field(row, "fixed")
            .and_then(|f| f.parse().ok())
            .unwrap_or(introduced.clone());
        let Some((from, to)) = harmless(&registry, &name, &after, step, &bad) else {
            continue;
        };
        let (Some(bad_delta), Some(good_delta)) = (
            update(&registry, &name, &before, &introduced),
            update(&registry, &name, &from, &to),
        ) else {
            continue;
        };
        println!(
            "  leak ({}): {}",
            step.as_str(),
            field(row, "trigger").unwrap_or_default()
        );
        show_resources(&bad_delta);
        println!("  harmless {from} -> {to}:");
        show_resources(&good_delta);
        leaky += 1;
        plain += 1;
        ranks.extend(rank(&bad_delta));
        plain_hit += usize::from(rank(&good_delta).is_some());
    }
    let leaky_hit = ranks.len();
    ranks.sort_unstable();
    println!("places of the first among the findings of its release: {ranks:?}");
    println!("leaks {leaky_hit} of {leaky}, harmless {plain_hit} of {plain}");
    assert!(leaky >= 20);
}

/// The failures of the catalogue in which something is held on to or grows.
const GROWTH: [&str; 7] = [
    "leak",
    "unbounded-growth",
    "fragmentation",
    "connection-leak",
    "buffering",
    "OOM-on-input",
    "task-leak",
];

/// Where the first finding that has points and is about memory or resources stands
/// among all of the release, in the order in which they are shown, and of how many.
fn rank(delta: &SourceDelta) -> Option<(usize, usize)> {
    let at = delta.findings.iter().position(SourceFinding::may_grow)?;
    Some((at + 1, delta.findings.len()))
}

fn show_resources(delta: &SourceDelta) {
    for finding in delta.findings.iter().filter(|finding| finding.may_grow()) {
        let place = finding.witnesses.first().map(ToString::to_string);
        println!(
            "    {} {} x{}: {} | {}",
            finding.shift.as_str(),
            finding.topic.as_str(),
            finding.count,
            finding.what,
            place.unwrap_or_default()
        );
    }
}
