//! Which records count: signature, signer, subject, result, time and policy.
//! A record is refused for the first thing that is wrong with it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use ssh_key::public::KeyData;

use super::dsse::Envelope;
use super::find::Found;
use super::refusal::said;
use super::signature::{self, Fault};
use super::signers::{Signer, Signers, fingerprint};
use super::statement::Statement;
use super::{Accepted, NAMESPACE, Outcome, Record, Refusal, Refused};
use crate::policy::{Acceptance, CanaryTerms, EvidenceKind};

/// How far the clocks of two machines may be apart.
const CLOCKS: SignedDuration = SignedDuration::from_mins(5);
/// How many times as long as asked for a name may be that a message repeats.
const LONGEST_NAME: usize = 80;

/// What records are held against.
#[derive(Clone, Debug)]
pub struct Context<'a> {
    /// The digest of the difference, `sha256:…`; `None` when there is none to
    /// compare with.
    pub digest: Option<&'a str>,
    /// SHA-256 of the head's executable in hex, when the head is one.
    pub executable: Option<&'a str>,
    /// What the policy says of evidence.
    pub terms: &'a CanaryTerms,
    /// Who may sign, or why nobody may.
    pub signers: Result<&'a Signers, String>,
    /// The rules that ask for a canary; `None` when that was not found out.
    pub rules: Option<&'a BTreeSet<String>>,
    /// The day of judgement.
    pub as_of: Timestamp,
    /// The time.
    pub now: Timestamp,
}

/// Judges records. The same record in two places is one record.
#[must_use]
pub fn judge(mut found: Vec<Found>, context: &Context<'_>) -> Outcome {
    found.sort();
    let mut seen = BTreeSet::new();
    found.retain(|record| seen.insert((record.content.clone(), record.signature.clone())));
    let mut outcome = Outcome {
        gaps: match &context.signers {
            Ok(signers) => signers
                .notes()
                .iter()
                .map(|note| format!("the list of signers, {note}"))
                .collect(),
            Err(_) => Vec::new(),
        },
        ..Outcome::default()
    };
    let read: Vec<Signed> = found.into_iter().map(Signed::read).collect();
    let first_uses = first_uses(&read, context);
    for signed in &read {
        let mut record = signed.record();
        match verdict(signed, &mut record, &first_uses, context) {
            Ok((rules, notes)) => outcome.accepted.push(Accepted {
                record,
                rules,
                notes,
            }),
            Err(because) => outcome.refused.push(Refused { record, because }),
        }
    }
    outcome
}

/// A record that was read, with what is signed.
struct Signed {
    name: String,
    statement: Result<Statement, Refusal>,
    content: Vec<u8>,
    by: SignedBy,
}

enum SignedBy {
    /// A signature of OpenSSH beside the statement.
    File(Option<Vec<u8>>),
    /// The signatures of an envelope.
    Envelope(Vec<Vec<u8>>),
}

impl Signed {
    fn read(found: Found) -> Self {
        let not_a_record = |error: &dyn std::fmt::Display| {
            let text: String = error.to_string().chars().take(300).collect();
            Refusal::NotARecord(text)
        };
        let (statement, content, by) = match Envelope::read(&found.content) {
            Some(Ok(envelope)) => (
                Statement::read(&envelope.payload).map_err(|error| not_a_record(&error)),
                envelope.signed(),
                SignedBy::Envelope(envelope.signatures),
            ),
            Some(Err(why)) => (
                Err(not_a_record(&why)),
                Vec::new(),
                SignedBy::Envelope(Vec::new()),
            ),
            None => (
                Statement::read(&found.content).map_err(|error| not_a_record(&error)),
                found.content,
                SignedBy::File(found.signature),
            ),
        };
        Self {
            name: found.name,
            statement,
            content,
            by,
        }
    }

    fn record(&self) -> Record {
        let Ok(statement) = &self.statement else {
            return Record {
                name: self.name.clone(),
                ..Record::default()
            };
        };
        let predicate = &statement.predicate;
        let short = |text: &str| text.chars().take(1_000).collect::<String>();
        Record {
            name: self.name.clone(),
            kind: Some(statement.evidence()),
            decision: Some(short(&predicate.decision)),
            reason: predicate.reason.as_deref().map(short),
            signer: None,
            key: None,
            signed_at: Some(predicate.signed_at),
            expires: predicate.expires,
            duration: statement.duration(),
        }
    }

    /// The line of the list whose key made a signature that holds.
    fn signer<'s>(
        &self,
        signers: &'s Signers,
        record: &mut Record,
    ) -> Result<Vec<&'s Signer>, Refusal> {
        match &self.by {
            SignedBy::File(None) => {
                let file = self.name.rsplit('/').next().unwrap_or_default();
                Err(Refusal::NotSigned(format!("{file}.sig")))
            }
            SignedBy::File(Some(armoured)) => by_openssh(armoured, &self.content, signers, record),
            SignedBy::Envelope(signatures) => {
                by_envelope(signatures, &self.content, signers, record)
            }
        }
    }
}

/// A signature of OpenSSH names its key, so that it can be checked before the
/// key is looked up.
fn by_openssh<'s>(
    armoured: &[u8],
    content: &[u8],
    signers: &'s Signers,
    record: &mut Record,
) -> Result<Vec<&'s Signer>, Refusal> {
    let sig = signature::read(armoured).ok_or(Refusal::NoSignature)?;
    if sig.namespace() != NAMESPACE {
        let other: String = sig.namespace().chars().take(LONGEST_NAME).collect();
        return Err(Refusal::WrongNamespace(other.escape_debug().to_string()));
    }
    signature::holds(&sig, NAMESPACE, content).map_err(|fault| match fault {
        Fault::Broken => Refusal::BadSignature,
        Fault::Unsupported(what) => Refusal::UnsupportedKey(what),
    })?;
    record.key = Some(fingerprint(sig.public_key()));
    of_key(sig.public_key(), signers)
}

fn of_key<'s>(key: &KeyData, signers: &'s Signers) -> Result<Vec<&'s Signer>, Refusal> {
    let named: Vec<&Signer> = signers
        .entries
        .iter()
        .filter(|signer| signer.key == *key)
        .collect();
    if named.is_empty() {
        return Err(Refusal::UnknownKey(fingerprint(key)));
    }
    Ok(named)
}

/// A bare signature does not name its key reliably: every key of the list is
/// tried. A signature of OpenSSH in an envelope is one as well.
fn by_envelope<'s>(
    signatures: &[Vec<u8>],
    content: &[u8],
    signers: &'s Signers,
    record: &mut Record,
) -> Result<Vec<&'s Signer>, Refusal> {
    let mut why = Refusal::BadSignature;
    for bytes in signatures {
        if bytes.starts_with(b"-----BEGIN SSH SIGNATURE-----") {
            match by_openssh(bytes, content, signers, record) {
                Ok(named) => return Ok(named),
                Err(refusal) => why = refusal,
            }
        }
        let named: Vec<&Signer> = signers
            .entries
            .iter()
            .filter(|signer| signature::bare_fits(&signer.key, content, bytes))
            .collect();
        if let Some(first) = named.first() {
            record.key = Some(fingerprint(&first.key));
            return Ok(named);
        }
    }
    Err(why)
}

/// For each result the first record of ours that states it, where the same
/// result is stated of several differences: its digest, when, and its name.
type FirstUses<'a> = BTreeMap<&'a str, (Timestamp, String, &'a str)>;

/// Only records with a signature of the list count: others could make a good
/// one look like a copy.
fn first_uses<'a>(read: &'a [Signed], context: &Context<'_>) -> FirstUses<'a> {
    let mut uses = FirstUses::new();
    let Ok(signers) = context.signers else {
        return uses;
    };
    for signed in read {
        let Ok(statement) = &signed.statement else {
            continue;
        };
        let Some(trial) = &statement.predicate.trial else {
            continue;
        };
        let mut unused = Record::default();
        if signed.signer(signers, &mut unused).is_err() {
            continue;
        }
        let this = (
            statement.predicate.signed_at,
            statement.difference(),
            signed.name.as_str(),
        );
        uses.entry(&trial.result_digest)
            .and_modify(|first| {
                if this < *first {
                    *first = this.clone();
                }
            })
            .or_insert(this);
    }
    uses
}

type Counts = (Vec<String>, Vec<String>);

/// The rules for which a record counts, and notes; or why it does not count.
fn verdict(
    signed: &Signed,
    record: &mut Record,
    first_uses: &FirstUses<'_>,
    context: &Context<'_>,
) -> Result<Counts, Refusal> {
    let statement = signed.statement.as_ref().map_err(Clone::clone)?;
    about(statement, context)?;
    let signers = context
        .signers
        .as_ref()
        .map_err(|why| Refusal::NoSigners(why.clone()))?;
    let named = signed.signer(signers, record)?;
    let (times, signed_at) = times(statement, context);
    let usable = usable(&named, &times)?;
    record.signer = usable.first().map(|signer| signer.principals.clone());
    if signed_at > context.now.checked_add(CLOCKS).unwrap_or(context.now) {
        return Err(Refusal::FromTheFuture(signed_at));
    }
    if !statement.is_pass() {
        let word: String = statement.predicate.decision.chars().take(40).collect();
        return Err(Refusal::NotAPass(word.escape_debug().to_string()));
    }
    if let Some(trial) = &statement.predicate.trial
        && let Some((_, difference, name)) = first_uses.get(trial.result_digest.as_str())
        && *difference != statement.difference()
    {
        return Err(Refusal::Replayed((*name).to_owned()));
    }
    let rules = by_policy(statement, record, &usable, context)?;
    let mut notes = Vec::new();
    if signed_at > context.as_of {
        notes.push("it was signed after the day of judgement".to_owned());
    }
    if statement.head_executable().is_some() && context.executable.is_none() {
        notes.push("it names an executable, which the head is not".to_owned());
    }
    Ok((rules, notes))
}

/// Whether a statement is about this difference and these executables.
fn about(statement: &Statement, context: &Context<'_>) -> Result<(), Refusal> {
    let difference = statement.difference();
    if context.digest.is_some_and(|digest| digest != difference) {
        let builds = statement.builds().map(|(base, head)| {
            let short = |name: &str| name.chars().take(LONGEST_NAME).collect::<String>();
            format!(", made between {} and {}", short(base), short(head))
        });
        let digest: String = difference.chars().take(19).collect();
        return Err(Refusal::OtherDifference(format!(
            "{digest}…{}",
            builds.unwrap_or_default()
        )));
    }
    match (statement.head_executable(), context.executable) {
        (Some(stated), Some(found)) if stated != found => {
            Err(Refusal::OtherExecutable(stated.to_owned()))
        }
        _ => Ok(()),
    }
}

/// The times at which a key has to be valid, and when the record was signed as
/// it says: a past day of judgement does not make a key valid again or not yet.
fn times(statement: &Statement, context: &Context<'_>) -> (Vec<Timestamp>, Timestamp) {
    let signed_at = statement.predicate.signed_at;
    (vec![signed_at, signed_at.max(context.as_of)], signed_at)
}

/// The lines of the list under which the key may sign this at these times.
fn usable<'s>(named: &[&'s Signer], times: &[Timestamp]) -> Result<Vec<&'s Signer>, Refusal> {
    let key = |signer: &Signer| fingerprint(&signer.key);
    let mut why = None;
    let mut usable = Vec::new();
    for signer in named {
        if signer.authority {
            why.get_or_insert(Refusal::Authority(key(signer)));
        } else if !signer.covers_namespace() {
            why.get_or_insert(Refusal::KeyForOtherPurpose(key(signer)));
        } else if let Some(at) = times.iter().find(|time| !signer.valid_at(**time)) {
            why.get_or_insert(Refusal::KeyNotValid {
                key: key(signer),
                at: *at,
            });
        } else {
            usable.push(*signer);
        }
    }
    match why {
        Some(why) if usable.is_empty() => Err(why),
        _ => Ok(usable),
    }
}

/// The rules for which the policy accepts a record.
fn by_policy(
    statement: &Statement,
    record: &mut Record,
    signers: &[&Signer],
    context: &Context<'_>,
) -> Result<Vec<String>, Refusal> {
    let kind = statement.evidence();
    // Where the policy says nothing: trials and approvals, by everyone who may sign.
    let usual = [Acceptance {
        kinds: [
            EvidenceKind::Probe,
            EvidenceKind::Rollout,
            EvidenceKind::Approval,
        ]
        .into(),
        ..Acceptance::default()
    }];
    let accept = if context.terms.accept.is_empty() {
        &usual[..]
    } else {
        &context.terms.accept
    };
    let of_kind: Vec<&Acceptance> = accept
        .iter()
        .filter(|acceptance| acceptance.kinds.contains(&kind))
        .collect();
    if of_kind.is_empty() {
        return Err(Refusal::KindNotAccepted(kind));
    }
    let mut rules = BTreeSet::new();
    let mut expires: Option<Timestamp> = None;
    let mut why = None;
    let mut accepted = false;
    for acceptance in of_kind {
        match accepts(acceptance, statement, signers, context) {
            Ok(until) => {
                accepted = true;
                expires = expires.max(Some(until));
                rules.extend(of_rules(acceptance, context));
            }
            Err(refusal) => {
                why.get_or_insert(refusal);
            }
        }
    }
    match why {
        Some(why) if !accepted => {
            if let Refusal::Expired(at) = why {
                record.expires = Some(at);
            }
            return Err(why);
        }
        _ => {}
    }
    record.expires = expires;
    if rules.is_empty() && context.rules.is_some_and(|rules| !rules.is_empty()) {
        let others: BTreeSet<&str> = accept
            .iter()
            .filter(|acceptance| acceptance.kinds.contains(&kind))
            .flat_map(|acceptance| acceptance.rules.iter().flatten())
            .map(String::as_str)
            .collect();
        let others: Vec<&str> = others.into_iter().collect();
        return Err(Refusal::OtherRules(others.join(", ")));
    }
    Ok(rules.into_iter().collect())
}

/// The rules of an acceptance among those that are asked about.
fn of_rules(acceptance: &Acceptance, context: &Context<'_>) -> Vec<String> {
    let asked = context.rules.into_iter().flatten();
    match &acceptance.rules {
        None => asked.cloned().collect(),
        Some(rules) => asked
            .filter(|rule| rules.contains(*rule))
            .cloned()
            .collect(),
    }
}

/// Until when an acceptance takes a record.
fn accepts(
    acceptance: &Acceptance,
    statement: &Statement,
    signers: &[&Signer],
    context: &Context<'_>,
) -> Result<Timestamp, Refusal> {
    let kind = statement.evidence();
    if let Some(patterns) = &acceptance.signers
        && !signers.iter().any(|signer| signer.is_one_of(patterns))
    {
        let signer = signers.first().map(|signer| signer.principals.clone());
        return Err(Refusal::SignerNotAllowed {
            kind,
            signer: signer.unwrap_or_default(),
        });
    }
    let wanted = acceptance.min_duration.or(context.terms.min_duration);
    if let Some(wanted) = wanted.filter(|_| kind.is_trial()) {
        let ran = statement.duration().ok_or(Refusal::NoDuration(wanted))?;
        // Samples are not taken at the very ends of a trial.
        if ran.as_secs_f64().round() < wanted.as_secs_f64() {
            return Err(Refusal::TooShort { ran, wanted });
        }
    }
    let max_age = acceptance.max_age.or(context.terms.max_age);
    let until = expiry(statement, max_age).ok_or(Refusal::NeverExpires)?;
    if until <= context.as_of {
        return Err(Refusal::Expired(until));
    }
    Ok(until)
}

/// The end of a record: its own, or so long after the trial as the policy says,
/// whichever is sooner. A later signature does not make a trial younger.
fn expiry(statement: &Statement, max_age: Option<Duration>) -> Option<Timestamp> {
    let predicate = &statement.predicate;
    let ended = predicate.trial.as_ref().and_then(|trial| trial.ended);
    let from = ended.map_or(predicate.signed_at, |ended| ended.min(predicate.signed_at));
    let by_policy = max_age.and_then(|age| {
        let age = SignedDuration::try_from(age).ok()?;
        from.checked_add(age).ok()
    });
    match (predicate.expires, by_policy) {
        (Some(own), Some(by_policy)) => Some(own.min(by_policy)),
        (own, by_policy) => own.or(by_policy),
    }
}

impl Record {
    /// What it is in a few words: `probe, no-leak, 4 h, by alice@example.org`.
    #[must_use]
    pub fn in_words(&self) -> String {
        let mut words: Vec<String> = Vec::new();
        words.extend(self.kind.map(|kind| kind.as_str().to_owned()));
        words.extend(self.decision.clone());
        words.extend(self.duration.as_ref().map(said));
        words.extend(self.signer.as_ref().map(|signer| format!("by {signer}")));
        words.join(", ")
    }
}
