//! The arguments of a comparison, turned into a request.

use std::path::PathBuf;
use std::time::Duration;

use cargo_canary::audit::{EvidenceSources, LedgerChoice, PolicyChoice, Request};
use cargo_canary::host::Host;
use cargo_canary::registry::PublisherApi;
use cargo_canary::snapshot::{BuildName, FeatureChoice, GraphMode};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::args::{AuditArgs, Graph};
use crate::error::Failure;

pub(super) fn request(args: &AuditArgs, host: &Host) -> Result<Request, Failure> {
    Ok(Request {
        repository: args.repository.clone(),
        base: args
            .base
            .as_deref()
            .map_or(BuildName::MergeBase, build_name),
        head: build_name(&args.head),
        policy: args.policy.as_deref().map(policy_choice),
        targets: args.target.clone(),
        features: args.features.as_deref().map(features),
        graph: graph(args.graph),
        as_of: args
            .as_of
            .as_deref()
            .map(|text| day("--as-of", text))
            .transpose()?,
        publishers: args.publishers.as_deref().map(publishers).transpose()?,
        locked_data: args.data.locked_data,
        cache_dir: args.data.cache.clone(),
        evidence: EvidenceSources {
            places: args.evidence.evidence.clone(),
            signers: args.evidence.signers.clone(),
        },
        ledger: ledger(args, host)?,
    })
}

pub(super) fn graph(graph: Graph) -> GraphMode {
    match graph {
        Graph::Auto => GraphMode::Auto,
        Graph::Direct => GraphMode::Direct,
        Graph::Cargo => GraphMode::Cargo,
        Graph::LockOnly => GraphMode::LockOnly,
    }
}

fn ledger(args: &AuditArgs, host: &Host) -> Result<LedgerChoice, Failure> {
    if args.ledger.no_ledger {
        return Ok(LedgerChoice::Never);
    }
    let place = super::ledger::named_place(args.ledger.ledger.as_deref(), host)?;
    Ok(place.map_or(LedgerChoice::OfPolicy, LedgerChoice::At))
}

/// crates.io asks for at most one request a second; who runs a site of their own
/// on this machine need not wait.
fn publishers(base: &str) -> Result<PublisherApi, Failure> {
    let inward = base.starts_with("http://127.0.0.1:") || base.starts_with("http://localhost:");
    if !inward && !base.starts_with("https://") {
        return Err(
            Failure::input(format!("`--publishers={base}` is no address of a site"))
                .hint("write it as `--publishers=https://crates.io`"),
        );
    }
    Ok(PublisherApi {
        base: base.to_owned(),
        pause: Duration::from_millis(if inward { 0 } else { 1_050 }),
        max_age: Duration::from_secs(24 * 60 * 60),
    })
}

pub(super) fn build_name(text: &str) -> BuildName {
    if text == "WORKTREE" {
        BuildName::Worktree
    } else {
        BuildName::Named(text.to_owned())
    }
}

pub(super) fn policy_choice(text: &str) -> PolicyChoice {
    match text.strip_prefix("builtin:") {
        Some(name) => PolicyChoice::BuiltIn(name.to_owned()),
        None => PolicyChoice::File(PathBuf::from(text)),
    }
}

/// `default`, `all`, `none`, or names apart by commas; with `default` among them
/// they are added to the default features, otherwise they stand alone.
pub(super) fn features(text: &str) -> FeatureChoice {
    let mut names: std::collections::BTreeSet<String> = text
        .split([',', ' '])
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    match text.trim() {
        "all" => return FeatureChoice::All,
        "none" | "" => return FeatureChoice::None,
        "default" => return FeatureChoice::Default,
        _ => {}
    }
    if names.remove("default") {
        FeatureChoice::DefaultAnd(names)
    } else {
        FeatureChoice::Only(names)
    }
}

/// A day, or a time, that an option names.
pub(super) fn day(option: &str, text: &str) -> Result<Timestamp, Failure> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    text.parse::<Date>()
        .and_then(|date| date.to_zoned(TimeZone::UTC))
        .map(|zoned| zoned.timestamp())
        .map_err(|source| Failure::bad_date(option, text, &source))
}
