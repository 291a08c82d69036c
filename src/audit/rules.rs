//! Which policy judges, and which incidents are remembered: from outside or
//! from the base, never from the change under judgement.

use std::path::Path;

use crate::host::Host;
use crate::incidents::{self, Catalogue};
use crate::policy::{self, LedgerTerms, Policy};
use crate::snapshot::{self, Opened};

use super::AuditError;
use super::cargo_waits;
use super::data::PolicyOrigin;
use super::pinned::Pinned;
use super::run::{Builds, PolicyChoice, Request};

/// Where a repository keeps its policy.
const POLICY_FILE: &str = "canary.toml";
/// Where a repository keeps its own incidents.
const INCIDENTS: &str = ".canary/incidents";
/// How large a policy file may be, in bytes.
const POLICY_LIMIT: u64 = 1 << 20;

/// The policy for this request, and where it comes from.
pub(super) fn choose(
    request: &Request,
    builds: &Builds<'_>,
    host: &Host,
) -> Result<(Policy, PolicyOrigin), AuditError> {
    let of_base = of_build(&builds.base)?;
    let edited_by_change = match of_build(&builds.head) {
        Ok(of_head) => of_head.is_some() && of_head != of_base,
        // A policy that the change makes unreadable is an edit, too.
        Err(_) => true,
    };
    let origin = |name: &str, read_from: &str| PolicyOrigin {
        name: name.to_owned(),
        read_from: read_from.to_owned(),
        edited_by_change,
        ledger: policy::LedgerTerms::default(),
    };
    let cache = request.cache_dir(host);
    let pins = Pinned {
        host,
        cache: cache.as_deref(),
        fetch: !request.locked_data,
    };
    let (policy, origin) = match &request.policy {
        Some(PolicyChoice::BuiltIn(name)) => (built_in(name)?, origin(name, "built in")),
        Some(PolicyChoice::File(path)) => {
            let name = path.display().to_string();
            let policy = read_with(path, host, &pins)?;
            (policy, origin(&name, "given on the command line"))
        }
        None => match of_base {
            Some(content) => {
                let read_from = format!("of the base {}", builds.base.given());
                (
                    from_base(&content, &builds.base, &pins)?,
                    origin(POLICY_FILE, &read_from),
                )
            }
            None => (built_in("default")?, origin("default", "built in")),
        },
    };
    let policy = policy.with_cargo_waits(cargo_waits::read(&builds.base, host));
    let ledger = policy.ledger().clone();
    Ok((policy, PolicyOrigin { ledger, ..origin }))
}

/// The policy of one build alone: that from outside, its own, or the built-in one.
pub(super) fn of_head(
    request: &Request,
    head: &Opened<'_>,
    host: &Host,
) -> Result<Policy, AuditError> {
    let cache = request.cache_dir(host);
    let pins = Pinned {
        host,
        cache: cache.as_deref(),
        fetch: !request.locked_data,
    };
    match (&request.policy, of_build(head)?) {
        (Some(PolicyChoice::BuiltIn(name)), _) => built_in(name),
        (Some(PolicyChoice::File(path)), _) => read_with(path, host, &pins),
        (None, Some(content)) => from_base(&content, head, &pins),
        (None, None) => built_in("default"),
    }
}

/// The ledger that the policy names: the policy that is named, else the base's.
///
/// # Errors
/// When the base cannot be read, or the policy is not valid.
pub fn ledger_terms(request: &Request, host: &Host) -> Result<LedgerTerms, AuditError> {
    if request.policy.is_some() {
        return Ok(outside(request, host)?.ledger().clone());
    }
    let base = snapshot::open(&request.base, &request.repository, host).map_err(|source| {
        AuditError::Base {
            source: Box::new(source),
        }
    })?;
    Ok(of_head(request, &base, host)?.ledger().clone())
}

/// The policy that is named, else the built-in one.
pub(super) fn outside(request: &Request, host: &Host) -> Result<Policy, AuditError> {
    match &request.policy {
        Some(PolicyChoice::BuiltIn(name)) => built_in(name),
        Some(PolicyChoice::File(path)) => read_policy(path, host),
        None => built_in("default"),
    }
}

fn of_build(build: &Opened<'_>) -> Result<Option<Vec<u8>>, AuditError> {
    build
        .read_file(POLICY_FILE, POLICY_LIMIT)
        .map_err(|source| AuditError::PolicyOfBase {
            source: Box::new(source),
        })
}

fn built_in(name: &str) -> Result<Policy, AuditError> {
    if policy::built_in_text(name).is_none() {
        return Err(AuditError::NoBuiltIn {
            name: name.to_owned(),
        });
    }
    Policy::built_in(name).map_err(AuditError::Policy)
}

/// Reads and checks a policy file.
///
/// # Errors
/// When it cannot be read, or is not valid.
pub fn read_policy(path: &Path, host: &Host) -> Result<Policy, AuditError> {
    let cache = host.env.cache_dir();
    let pins = Pinned {
        host,
        cache: cache.as_deref(),
        fetch: true,
    };
    read_with(path, host, &pins)
}

fn read_with(path: &Path, host: &Host, pins: &Pinned<'_>) -> Result<Policy, AuditError> {
    let content = host
        .files
        .read(path, POLICY_LIMIT)
        .map_err(|source| AuditError::PolicyFile {
            path: path.to_owned(),
            source,
        })?;
    policy::load(
        &text(&content),
        &path.display().to_string(),
        &|named, by| {
            if let Some(answer) = pins.resolve(named, by) {
                return answer;
            }
            let other = beside(named, by);
            match host.files.read(Path::new(&other), POLICY_LIMIT) {
                Ok(bytes) => Ok((other, text(&bytes))),
                Err(error) => Err(format!("cannot read `{other}`: {error}")),
            }
        },
    )
    .map_err(AuditError::Policy)
}

fn from_base(content: &[u8], base: &Opened<'_>, pins: &Pinned<'_>) -> Result<Policy, AuditError> {
    policy::load(&text(content), POLICY_FILE, &|named, by| {
        if let Some(answer) = pins.resolve(named, by) {
            return answer;
        }
        let other = beside(named, by);
        match base.read_file(&other, POLICY_LIMIT) {
            Ok(Some(bytes)) => Ok((other, text(&bytes))),
            Ok(None) => Err(format!("the base has no file `{other}`")),
            Err(error) => Err(format!("cannot read `{other}` of the base: {error}")),
        }
    })
    .map_err(AuditError::Policy)
}

/// The path of a file that another names, from where that one stands.
pub(super) fn beside(named: &str, by: &str) -> String {
    match by.rsplit_once('/') {
        Some((folder, _)) if !named.starts_with('/') => format!("{folder}/{named}"),
        _ => named.to_owned(),
    }
}

/// Bytes that are not UTF-8 become replacement characters, at which the policy
/// reader then points.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The incidents that come with the program, and those of the base.
pub(super) fn catalogue(base: &Opened<'_>) -> Result<Catalogue, AuditError> {
    let files = base
        .read_folder(INCIDENTS, ".toml", incidents::MAX_BYTES as u64)
        .map_err(|source| AuditError::Base {
            source: Box::new(source),
        })?;
    Catalogue::with_repository(&files).map_err(AuditError::Incidents)
}
