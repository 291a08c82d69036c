//! `evidence sign`, `evidence verify` and `evidence list`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use cargo_canary::audit::{self, AuditError, Comparison, EvidenceDesk, Request};
use cargo_canary::evidence::{
    self, About, Found, Key, Outcome, ResultError, SignError, Statement, TrialResult, Word,
};
use cargo_canary::host::Host;
use cargo_canary::report::{self, Evidence, safe_for_terminal};
use jiff::SignedDuration;

use super::request::request;
use super::tried::{self, Difference, Ended};
use crate::args::{AuditArgs, EvidenceCommand, ListArgs, ReportFormat, SignArgs, VerifyArgs};
use crate::error::Failure;
use crate::exit;
use crate::output;
use crate::progress::Progress;

/// The largest result that is read, in bytes.
const RESULT_LIMIT: u64 = 64 << 20;
/// The longest reason for an approval, in bytes.
const REASON_LIMIT: usize = 4_000;

pub(crate) fn run(command: &EvidenceCommand) -> Result<u8, Failure> {
    match command {
        EvidenceCommand::Sign(args) => sign(args),
        EvidenceCommand::Verify(args) => verify(args),
        EvidenceCommand::List(args) => list(args),
    }
}

fn sign(args: &SignArgs) -> Result<u8, Failure> {
    // Before anything is signed or written.
    let format = super::plain_format(args.audit.output.format, "evidence sign")?;
    let host = super::host(&args.audit.data)?;
    let word = word(args, &host)?;
    let request = request(&args.audit, &host)?;
    let (desk, comparison) = desk(&args.audit, &request, &host)?;
    let about = about(args, &word, &comparison, &host)?;
    if about.changes.is_empty() {
        return Err(Failure::input(
            "both builds have the same dependencies: there is nothing to sign for",
        )
        .hint("name the builds as for `check`, with `--base` and `--head`"));
    }
    let key = match &args.key {
        Some(file) => Key::File(file.clone()),
        None => evidence::git_key(&args.audit.repository, &host).ok_or_else(|| {
            Failure::input("there is no key to sign with")
                .hint("name one: `--key ~/.ssh/id_ed25519`")
                .hint("or let git know the one for commits: `git config gpg.format ssh` and `git config user.signingkey ~/.ssh/id_ed25519.pub`")
        })?,
    };
    let now = host.clock.now();
    let valid_for = SignedDuration::try_from(args.valid_for).unwrap_or(SignedDuration::MAX);
    let expires = now
        .checked_add(valid_for)
        .map_err(|error| Failure::input("`--valid-for` is too long").caused_by(&error))?;
    let statement = Statement::new(&about, &word, now, Some(expires));
    let content = statement.bytes();
    if content.len() as u64 > evidence::RECORD_LIMIT {
        return Err(Failure::input(
            "the record would be larger than `check` reads",
        ));
    }
    let signature = evidence::sign(&content, &key, &host)?;
    let file = args.audit.output.output.clone().unwrap_or_else(|| {
        let time = statement_time(now);
        let kind = statement.evidence().as_str();
        let digest: String = about.digest.chars().skip(7).take(16).collect();
        audit::repository_root(&args.audit.repository, &host)
            .join(evidence::FOLDER)
            .join(format!("{kind}-{digest}-{time}.json"))
    });
    // The signature first: a record without one would be refused.
    output::report(&signature, Some(&beside(&file)), &host)?;
    output::report(&content, Some(&file), &host)?;
    let outcome = desk.judge(
        vec![Found {
            name: file.display().to_string(),
            content,
            signature: Some(signature),
        }],
        None,
        &host,
    );
    let answer = match format {
        ReportFormat::Text => said(args, &file, &about, &outcome).into_bytes(),
        ReportFormat::Json => {
            let signers = desk.signers();
            let evidence = Evidence {
                outcome: &outcome,
                difference: Ok(&about.digest),
                signers: signers.as_ref().map(|(from, keys)| (from.as_str(), *keys)),
            };
            evidence.json()
        }
    };
    output::standard_output(&answer)?;
    let content = statement.bytes();
    let of = Difference {
        digest: Some(about.digest),
        updates: audit::tried(&comparison),
        terms: None,
    };
    let name = args.audit.ledger.ledger_name.as_deref();
    let ended = ended(&word, &statement, file, &content);
    let recorded = tried::record(&ended, &of, (&request, desk.ledger()), name, &host);
    tried::code_after(recorded, exit::PASS)
}

/// What was signed, for the ledger. Only a trial can fail: what the gate held up was
/// not tried.
fn ended<'a>(word: &Word, statement: &Statement, file: PathBuf, content: &'a [u8]) -> Ended<'a> {
    let (outcome, note) = match word {
        Word::Approval(reason) => ("pass", reason.clone()),
        Word::Result(result) => {
            let outcome = match result.decision.as_str() {
                "pass" | "no-leak" => "pass",
                "fail" | "leak" => "fail",
                _ => "inconclusive",
            };
            (outcome, result.decision.clone())
        }
    };
    Ended {
        rollout: false,
        method: statement.evidence().as_str(),
        outcome,
        note: Some(note),
        document: Some((file, content)),
    }
}

/// The builds and what records of their difference are held against.
fn desk(
    args: &AuditArgs,
    request: &Request,
    host: &Host,
) -> Result<(EvidenceDesk, Comparison), AuditError> {
    let progress = Progress::new(!args.output.no_progress);
    EvidenceDesk::of_builds(request, host, &|event| progress.show(event))
}

/// What is to be signed.
fn word(args: &SignArgs, host: &Host) -> Result<Word, Failure> {
    let Some(file) = &args.from else {
        let reason = args.reason.as_deref().unwrap_or_default().trim();
        if reason.is_empty() {
            return Err(Failure::input("an approval needs a reason")
                .hint("say what you looked at: `--reason \"read the source of both releases\"`"));
        }
        if reason.len() > REASON_LIMIT {
            return Err(Failure::input(format!(
                "the reason has more than {REASON_LIMIT} bytes"
            )));
        }
        return Ok(Word::Approval(reason.to_owned()));
    };
    let shown = file.display();
    let content = host
        .files
        .read(file, RESULT_LIMIT)
        .map_err(|error| Failure::input(format!("failed to read `{shown}`")).caused_by(&error))?;
    TrialResult::read(&content)
        .map(Word::Result)
        .map_err(|error| {
            let failure = Failure::input(format!("failed to read `{shown}`")).caused_by(&error);
            match error {
                ResultError::TooLarge => failure,
                ResultError::NotJson(_)
                | ResultError::Unknown
                | ResultError::NoDecision
                | ResultError::OddDecision(..) => failure.hint(
                    "`cargo-canary probe … --format json --output probe.json` writes a result, and `rollout judge … --format json --output judge.json`",
                ),
            }
        })
}

/// What the record is about. A result that says itself what it is about is not
/// signed for anything else.
fn about(
    args: &SignArgs,
    word: &Word,
    comparison: &Comparison,
    host: &Host,
) -> Result<About, Failure> {
    let mut about = EvidenceDesk::about(comparison, host);
    let of_file = |file: &Option<PathBuf>| {
        file.as_deref()
            .map(|file| {
                audit::digest_of(file, host).ok_or_else(|| {
                    Failure::input(format!("failed to read `{}`", file.display()))
                        .hint("name the executable that was tried")
                })
            })
            .transpose()
    };
    let (base, head) = (of_file(&args.base_exe)?, of_file(&args.head_exe)?);
    about.executables = (base.or(about.executables.0), head.or(about.executables.1));
    let Word::Result(result) = word else {
        return Ok(about);
    };
    if let Some(other) = result
        .difference
        .as_ref()
        .filter(|other| **other != about.digest)
    {
        return Err(Failure::input(format!(
            "the result is for another difference: {other}, and these builds make {}",
            about.digest
        ))
        .hint("name the builds that were tried, with `--base` and `--head`"));
    }
    let sides = [
        ("base", &result.executables.0, &mut about.executables.0),
        ("head", &result.executables.1, &mut about.executables.1),
    ];
    for (side, stated, known) in sides {
        match (stated, known.as_ref()) {
            (Some(stated), Some(known)) if stated != known => {
                return Err(Failure::input(format!(
                    "the result is of another executable: its {side} has the digest sha256:{stated}, and this one sha256:{known}"
                )));
            }
            (Some(stated), None) => *known = Some(stated.clone()),
            _ => {}
        }
    }
    Ok(about)
}

/// Where the record is, whether it counts, and what comes next.
fn said(args: &SignArgs, file: &Path, about: &About, outcome: &Outcome) -> String {
    let shown = file.display().to_string();
    let shown = safe_for_terminal(&shown);
    let mut said = format!(
        "wrote {shown}\nwrote {shown}.sig\nfor the difference {}\n",
        about.digest
    );
    for accepted in &outcome.accepted {
        let words = accepted.record.in_words();
        let _ = writeln!(said, "`check` accepts it: {}", safe_for_terminal(&words));
    }
    for refused in &outcome.refused {
        let why = refused.because.to_string();
        let _ = writeln!(
            said,
            "`check` would refuse it ({}): {}",
            refused.because.code(),
            safe_for_terminal(&why)
        );
        if refused.because.code() == "unknown-key" {
            said.push_str("to let it count, add the public key to the list of signers in the base, after the name of its owner\n");
        }
    }
    let of = |option: &str, value: Option<&str>| match value {
        Some(value) => format!(" {option} {value}"),
        None => String::new(),
    };
    let head = Some(args.audit.head.as_str()).filter(|head| *head != "WORKTREE");
    // A record in another place is found only where that is named.
    let folder = args.audit.output.output.as_ref().map(|_| {
        let folder = file
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        folder.map_or_else(|| ".".to_owned(), |folder| folder.display().to_string())
    });
    let command = format!(
        "cargo-canary check{}{}{}{}",
        of("--base", args.audit.base.as_deref()),
        of("--head", head),
        of("--policy", args.audit.policy.as_deref()),
        of("--evidence", folder.as_deref())
    );
    let _ = writeln!(said, "next: {}", safe_for_terminal(&command));
    said
}

fn verify(args: &VerifyArgs) -> Result<u8, Failure> {
    let host = super::host(&args.audit.data)?;
    let request = request(&args.audit, &host)?;
    let found = evidence::read_file(&args.file, &host).map_err(|error| {
        Failure::input(format!("failed to read `{}`", args.file.display()))
            .caused_by(&error)
            .hint("name the record, `….json`; its signature is beside it in `….json.sig`")
    })?;
    let named = args.audit.base.is_some() || args.audit.head != "WORKTREE";
    let (desk, difference) = match desk(&args.audit, &request, &host) {
        Ok((desk, comparison)) => (desk, Ok(comparison.diff.digest)),
        // Nobody asked for a comparison, and there is nothing to compare.
        Err(AuditError::Base { source } | AuditError::Head { source }) if !named => {
            let desk = EvidenceDesk::without_builds(&request, &host)?;
            (desk, Err(source.to_string()))
        }
        Err(error) => return Err(error.into()),
    };
    let outcome = desk.judge(vec![found], None, &host);
    answer(&args.audit, &desk, &difference, &outcome, &host)?;
    Ok(if outcome.refused.is_empty() {
        exit::PASS
    } else {
        exit::BLOCK
    })
}

fn list(args: &ListArgs) -> Result<u8, Failure> {
    let host = super::host(&args.audit.data)?;
    let request = request(&args.audit, &host)?;
    let (desk, comparison) = desk(&args.audit, &request, &host)?;
    let (found, gaps) = desk.look(&host);
    let mut outcome = desk.judge(found, None, &host);
    outcome.gaps.splice(0..0, gaps);
    answer(
        &args.audit,
        &desk,
        &Ok(comparison.diff.digest),
        &outcome,
        &host,
    )?;
    Ok(exit::PASS)
}

fn answer(
    args: &AuditArgs,
    desk: &EvidenceDesk,
    difference: &Result<String, String>,
    outcome: &Outcome,
    host: &Host,
) -> Result<(), Failure> {
    let signers = desk.signers();
    let evidence = Evidence {
        outcome,
        difference: difference.as_deref().map_err(String::as_str),
        signers: signers.as_ref().map(|(from, keys)| (from.as_str(), *keys)),
    };
    let bytes = match super::plain_format(args.output.format, "evidence")? {
        ReportFormat::Json => evidence.json(),
        ReportFormat::Text => {
            report::render_evidence(&evidence, output::style(&args.output.plain()))
        }
    };
    output::report(&bytes, args.output.output.as_deref(), host)
}

/// The file of the signature of a record.
fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".sig");
    name.into()
}

/// A time as a part of a file name.
fn statement_time(time: jiff::Timestamp) -> String {
    time.to_zoned(jiff::tz::TimeZone::UTC)
        .strftime("%Y%m%dT%H%M%SZ")
        .to_string()
}

impl From<SignError> for Failure {
    fn from(error: SignError) -> Self {
        let failure = Failure::input("failed to sign").caused_by(&error);
        match error {
            SignError::Run(_) => failure.hint("`ssh-keygen` is part of OpenSSH (openssh-client)"),
            SignError::Refused(_) => failure.hint(
                "a key with a passphrase has to be in the agent: `ssh-add KEY`, then `--key KEY.pub`",
            ),
            SignError::Key(_) | SignError::Odd => failure,
        }
    }
}
