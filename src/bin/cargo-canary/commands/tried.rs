//! What a trial is of, and its record in the ledger: what `probe`, `rollout judge` and
//! `evidence sign` share.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use cargo_canary::audit::{self, AuditError, EvidenceSources, LedgerChoice, PolicyChoice, Request};
use cargo_canary::host::Host;
use cargo_canary::ledger::{Body, Document, Entry, FORMAT, Stored, Trial, Tried, updates_of};
use cargo_canary::policy::LedgerTerms;
use cargo_canary::snapshot::{BuildName, GraphMode};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::request::build_name;
use crate::args::{DifferenceArgs, TrialLedgerArgs};
use crate::error::Failure;
use crate::output;

/// How large a report of `check` may be, in bytes.
const REPORT_LIMIT: u64 = 256 << 20;
/// How large a policy may be, in bytes.
const POLICY_LIMIT: u64 = 1 << 20;

/// The builds of a trial as the command line names them.
#[derive(Clone, Copy)]
pub(super) struct Named<'a> {
    pub(super) repository: &'a Path,
    pub(super) base: Option<&'a str>,
    pub(super) head: Option<&'a str>,
    pub(super) policy: Option<&'a Path>,
}

impl Named<'_> {
    /// The request by which `check` would compare them.
    pub(super) fn request(self, ledger: &TrialLedgerArgs, host: &Host) -> Result<Request, Failure> {
        Ok(Request {
            repository: self.repository.to_owned(),
            base: self.base.map_or(BuildName::MergeBase, build_name),
            head: self.head.map_or(BuildName::Worktree, build_name),
            policy: self.policy.and_then(|file| whole_policy(file, host)),
            targets: Vec::new(),
            features: None,
            graph: GraphMode::Auto,
            as_of: None,
            publishers: None,
            locked_data: false,
            cache_dir: None,
            evidence: EvidenceSources::default(),
            ledger: choice(ledger, host)?,
        })
    }

    /// Whether the command line names a build.
    pub(super) fn any(self) -> bool {
        self.base.is_some() || self.head.is_some()
    }
}

fn choice(args: &TrialLedgerArgs, host: &Host) -> Result<LedgerChoice, Failure> {
    if args.no_ledger {
        return Ok(LedgerChoice::Never);
    }
    let place = super::ledger::named_place(args.ledger.as_deref(), host)?;
    Ok(place.map_or(LedgerChoice::OfPolicy, LedgerChoice::At))
}

/// A file that is a policy, and not one table for one command alone.
pub(super) fn whole_policy(file: &Path, host: &Host) -> Option<PolicyChoice> {
    let content = host.files.read(file, POLICY_LIMIT).ok()?;
    let table: toml::Table = String::from_utf8_lossy(&content).parse().ok()?;
    table
        .contains_key("version")
        .then(|| PolicyChoice::File(file.to_owned()))
}

/// The difference that a trial is of, as far as it is known.
#[derive(Default)]
pub(super) struct Difference {
    pub(super) digest: Option<String>,
    pub(super) updates: Vec<Tried>,
    /// The ledger that the policy names, where the policy was read.
    pub(super) terms: Option<LedgerTerms>,
}

/// The difference that is named: by its digest, by a report, or by its builds, which are
/// compared as `check` compares them.
pub(super) fn difference(
    args: &DifferenceArgs,
    named: Named<'_>,
    request: &Request,
    host: &Host,
) -> Result<Difference, Failure> {
    if args.diff_digest.is_some() {
        return Ok(Difference {
            digest: args.diff_digest.clone(),
            ..Difference::default()
        });
    }
    if let Some(file) = &args.report {
        return of_report(file, host);
    }
    if !named.any() {
        return Ok(Difference::default());
    }
    let (comparison, terms) = audit::compare_for_trial(request, host, &|_| {})?;
    let none = comparison.diff.changes.is_empty();
    if none {
        let why = "the result is not tied to a difference".to_owned();
        output::notes("both builds have the same dependencies", &[why]);
    }
    Ok(Difference {
        digest: (!none).then(|| comparison.diff.digest.clone()),
        updates: audit::tried(&comparison),
        terms: Some(terms),
    })
}

/// The difference of a report of `check`.
fn of_report(file: &Path, host: &Host) -> Result<Difference, Failure> {
    let failed = || Failure::input(format!("failed to read `{}`", file.display()));
    let next = "`cargo-canary check --format json --output report.json` writes one";
    let content = host
        .files
        .read(file, REPORT_LIMIT)
        .map_err(|error| failed().caused_by(&error).hint(next))?;
    let report: Value =
        serde_json::from_slice(&content).map_err(|error| failed().caused_by(&error).hint(next))?;
    let digest = report["diff-digest"]
        .as_str()
        .map(crate::amounts::digest)
        .and_then(Result::ok);
    let Some(digest) = digest else {
        return Err(Failure::input(format!(
            "`{}` is no report of `check`: it has no `diff-digest`",
            file.display()
        ))
        .hint(next));
    };
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let updates = report["changes"].as_array().into_iter().flatten();
    let updates = updates.flat_map(|change| {
        let before = change["from"].as_array().cloned().unwrap_or_default();
        let after = change["to"].as_array().cloned().unwrap_or_default();
        after
            .into_iter()
            .filter(move |release| !before.contains(release))
            .filter_map(|release| {
                Some(Tried {
                    package: text(&change["package"])?,
                    version: text(&release["version"])?,
                    forced_by: text(&change["forced-by"]),
                })
            })
            .collect::<Vec<_>>()
    });
    Ok(Difference {
        digest: Some(digest),
        updates: updates.collect(),
        terms: None,
    })
}

/// The ledger that the policy names: that of `file`, where it is a whole policy, else
/// that of the base.
pub(super) fn terms(request: &Request, text: &str, host: &Host) -> Result<LedgerTerms, AuditError> {
    let wanted = request.ledger != LedgerChoice::Never;
    let whole = text
        .parse::<toml::Table>()
        .is_ok_and(|table| table.contains_key("version"));
    if wanted && whole {
        audit::ledger_terms(request, host)
    } else {
        Ok(LedgerTerms::default())
    }
}

/// What came of a trial.
pub(super) struct Ended<'a> {
    /// Whether it was a rollout; else it is evidence.
    pub(super) rollout: bool,
    /// What was done.
    pub(super) method: &'a str,
    /// `pass`, `fail` or `inconclusive`.
    pub(super) outcome: &'a str,
    /// Why, in words.
    pub(super) note: Option<String>,
    /// The file with the result, and its content.
    pub(super) document: Option<(PathBuf, &'a [u8])>,
}

/// Adds the result of a trial to the ledger that is named, if one is.
pub(super) fn record(
    result: &Ended<'_>,
    difference: &Difference,
    (request, terms): (&Request, &LedgerTerms),
    name: Option<&str>,
    host: &Host,
) -> Result<(), Failure> {
    let Some(book) = super::ledger::to_append(request, terms, name, host)? else {
        return Ok(());
    };
    let (mut store, repository) = (book.store, book.repository);
    let mut updates = difference.updates.clone();
    if let (Some(digest), true) = (&difference.digest, updates.is_empty()) {
        updates = updates_of(store.as_mut(), &repository, digest)?;
    }
    if updates.is_empty() {
        let why = if difference.digest.is_some() {
            "the ledger has no audit of this difference; `check` with the same ledger records one"
        } else {
            "name the builds with `--base` and `--head`, or a report of `check` with `--report`"
        };
        output::notes(
            "the ledger gets the result without the updates it is of",
            &[why.to_owned()],
        );
    }
    let trial = Trial {
        package: String::new(),
        package_version: String::new(),
        outcome: result.outcome.to_owned(),
        method: Some(result.method.to_owned()),
        diff_digest: difference.digest.clone(),
        updates,
        document: result
            .document
            .as_ref()
            .map(|(file, content)| document(file, content)),
        note: result.note.clone(),
    };
    let entry = Entry {
        version: FORMAT,
        at: host.clock.now(),
        repository,
        by: None,
        body: if result.rollout {
            Body::Rollout(trial)
        } else {
            Body::Evidence(trial)
        },
    };
    store.append(&[Stored::new(entry)])?;
    Ok(())
}

/// A file as the ledger names it.
pub(super) fn document(file: &Path, content: &[u8]) -> Document {
    let mut digest = "sha256:".to_owned();
    for byte in Sha256::digest(content) {
        // Writing into a string cannot fail.
        let _ = write!(digest, "{byte:02x}");
    }
    Document {
        name: file.file_name().map_or_else(
            || file.display().to_string(),
            |name| name.to_string_lossy().into_owned(),
        ),
        digest,
    }
}

/// The code of a command whose result was written, after it was recorded: one that lets
/// a change through without a record of it does not stand.
pub(super) fn code_after(recorded: Result<(), Failure>, code: u8) -> Result<u8, Failure> {
    match recorded {
        Ok(()) => Ok(code),
        Err(failure) if code != crate::exit::PASS => {
            failure.print();
            Ok(code)
        }
        Err(failure) => Err(failure),
    }
}
