//! Each way in which a record does not count, with the reason.

use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::time::Duration;

use cargo_canary::evidence::{
    About, Context, Found, Outcome, Signers, Statement, TrialResult, Word, judge,
};
use cargo_canary::policy::{Acceptance, CanaryTerms, EvidenceKind};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::keys::{Keys, NAMESPACE};

fn keys() -> &'static Keys {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    KEYS.get_or_init(|| {
        let keys = Keys::new();
        for name in ["alice", "bob", "mallory"] {
            keys.make(name, &["-t", "ed25519"]);
        }
        keys
    })
}

const NOW: &str = "2026-03-10T12:00:00Z";

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn digest(digit: char) -> String {
    format!("sha256:{}", String::from(digit).repeat(64))
}

/// A record of a probe that went well, with what a test changes of it.
struct Case {
    statement: Value,
    signer: &'static str,
    namespace: &'static str,
    signers: String,
    terms: CanaryTerms,
    executable: Option<String>,
    as_of: Timestamp,
    rules: Vec<&'static str>,
}

impl Case {
    fn new() -> Self {
        Self::of(r#"{"decision":"no-leak","resources":[],"duration-seconds":14400}"#)
    }

    fn of(result: &str) -> Self {
        let result = TrialResult::read(result.as_bytes()).unwrap();
        Self::saying(&Word::Result(result))
    }

    fn saying(word: &Word) -> Self {
        let about = About {
            digest: digest('a'),
            builds: ("v1".into(), "v2".into()),
            ..About::default()
        };
        let signed_at = time("2026-03-01T00:00:00Z");
        let expires = Some(time("2026-03-31T00:00:00Z"));
        let statement = Statement::new(&about, word, signed_at, expires);
        Self {
            statement: serde_json::from_slice(&statement.bytes()).unwrap(),
            signer: "alice",
            namespace: NAMESPACE,
            signers: keys().line("alice@example.org", "", "alice"),
            terms: CanaryTerms::default(),
            executable: None,
            as_of: time(NOW),
            rules: vec!["cooldown"],
        }
    }

    fn set(mut self, pointer: &str, value: Value) -> Self {
        *self.statement.pointer_mut(pointer).unwrap() = value;
        self
    }

    fn found(&self) -> Found {
        let content = serde_json::to_vec_pretty(&self.statement).unwrap();
        Found {
            name: ".canary/evidence/r.json".into(),
            signature: Some(keys().sign(self.signer, self.namespace, &content)),
            content,
        }
    }

    fn judged(&self, found: Vec<Found>) -> Outcome {
        let signers = Signers::parse(self.signers.as_bytes()).unwrap();
        let rules: BTreeSet<String> = self.rules.iter().map(|rule| (*rule).to_owned()).collect();
        let digest = digest('a');
        judge(
            found,
            &Context {
                digest: Some(&digest),
                executable: self.executable.as_deref(),
                terms: &self.terms,
                signers: Ok(&signers),
                rules: Some(&rules),
                as_of: self.as_of,
                now: time(NOW),
            },
        )
    }

    fn outcome(&self) -> Outcome {
        self.judged(vec![self.found()])
    }

    #[track_caller]
    fn accepted(&self) -> Vec<String> {
        let outcome = self.outcome();
        assert_eq!(outcome.refused, [], "it counts");
        outcome.accepted[0].rules.clone()
    }

    #[track_caller]
    fn refused(&self, code: &str, words: &str) {
        refused(&self.outcome(), code, words);
    }
}

#[track_caller]
fn refused(outcome: &Outcome, code: &str, words: &str) {
    assert_eq!(outcome.accepted, [], "{code}");
    assert_eq!(outcome.refused.len(), 1);
    let because = &outcome.refused[0].because;
    assert_eq!(because.code(), code, "{because}");
    assert!(because.to_string().contains(words), "{because}");
}

fn acceptance(kinds: &[EvidenceKind]) -> Acceptance {
    Acceptance {
        kinds: kinds.iter().copied().collect(),
        ..Acceptance::default()
    }
}

#[test]
fn a_good_record_counts_for_every_rule_that_asks_for_a_canary() {
    let mut case = Case::new();
    case.rules = vec!["cooldown", "risk-canary"];
    assert_eq!(case.accepted(), ["cooldown", "risk-canary"]);
    let record = &case.outcome().accepted[0].record;
    assert_eq!(record.signer.as_deref(), Some("alice@example.org"));
    assert_eq!(record.kind, Some(EvidenceKind::Probe));
    assert_eq!(record.duration, Some(Duration::from_secs(14_400)));
    assert!(record.key.as_ref().unwrap().starts_with("SHA256:"));
    assert!(record.in_words().contains("probe, no-leak, 4 h, by alice"));
}

#[test]
fn altered_and_forged_records_are_refused() {
    let case = Case::new();
    let good = case.found();
    let alter = |from: &str, to: &str| {
        let text = String::from_utf8(good.content.clone()).unwrap();
        assert!(text.contains(from));
        let content = text.replacen(from, to, 1).into_bytes();
        Found {
            content,
            ..good.clone()
        }
    };
    let altered = alter("no-leak", "no-leak ");
    refused(&case.judged(vec![altered]), "bad-signature", "altered");
    let longer = alter("14400.0", "94400.0");
    refused(&case.judged(vec![longer]), "bad-signature", "forged");
    // A signature of somebody else, beside this content.
    let other = Case::new().set("/predicate/signed-at", json!("2026-03-02T00:00:00Z"));
    let forged = Found {
        signature: other.found().signature,
        ..good.clone()
    };
    refused(&case.judged(vec![forged]), "bad-signature", "forged");
    let unsigned = Found {
        signature: None,
        ..good.clone()
    };
    refused(&case.judged(vec![unsigned]), "not-signed", "`r.json.sig`");
    let text = Found {
        signature: Some(b"trust me".to_vec()),
        ..good
    };
    refused(&case.judged(vec![text]), "no-signature", "is none");
}

#[test]
fn only_the_keys_of_the_list_count_and_only_for_this_purpose() {
    let mut case = Case::new();
    case.signer = "mallory";
    case.refused("unknown-key", "SHA256:");
    let mut case = Case::new();
    case.namespace = "git";
    case.refused("wrong-namespace", "signed for `git`");
    let line = |options: &str| {
        let mut case = Case::new();
        case.signers = keys().line("alice@example.org", options, "alice");
        case
    };
    line("namespaces=\"git\"").refused("key-for-other-purpose", NAMESPACE);
    line("cert-authority").refused("certificate-authority", "not supported");
    line("namespaces=\"git,cargo-canary-evidence\"").accepted();
    // Valid when it was signed and no longer now, and the other way round.
    line("valid-before=\"20260305Z\"").refused("key-not-valid", "2026-03-10");
    line("valid-after=\"20260305Z\"").refused("key-not-valid", "2026-03-01");
    line("valid-after=\"20260301Z\",valid-before=\"20260310120001Z\"").accepted();
    // Of two lines for one key the one that fits is used.
    let mut case = line("valid-before=\"20260305Z\"");
    case.signers += &keys().line("alice@new.example", "", "alice");
    case.accepted();
    assert_eq!(
        case.outcome().accepted[0].record.signer.as_deref(),
        Some("alice@new.example")
    );
}

#[test]
fn a_record_is_for_one_difference_and_one_executable() {
    let other = json!("b".repeat(64));
    let case = Case::new().set("/subject/0/digest/sha256", other.clone());
    case.refused(
        "other-difference",
        "sha256:bbbbbbbbbbbb…, made between v1 and v2",
    );
    // Two differences in one record are none.
    let mut two = Case::new();
    let again = two.statement["subject"][0].clone();
    two.statement["subject"].as_array_mut().unwrap().push(again);
    two.refused("not-a-record", "exactly one subject");

    let with_executable = |found: &str| {
        let mut case = Case::new();
        let subject = json!({"name": "head-executable", "digest": {"sha256": "c".repeat(64)}});
        case.statement["subject"]
            .as_array_mut()
            .unwrap()
            .push(subject);
        case.executable = Some(found.repeat(64));
        case
    };
    with_executable("c").accepted();
    with_executable("d").refused("other-executable", &"c".repeat(64));
}

#[test]
fn a_record_expires_by_itself_by_the_policy_and_by_the_age_of_its_trial() {
    let late = |as_of: &str| {
        let mut case = Case::new();
        case.as_of = time(as_of);
        case
    };
    late("2026-03-30T23:59:59Z").accepted();
    late("2026-03-31T00:00:00Z").refused("expired", "2026-03-31T00:00:00Z");
    let mut case = Case::new();
    case.terms.max_age = Some(Duration::from_secs(9 * 86_400));
    case.refused("expired", "2026-03-10T00:00:00Z");
    case.terms.max_age = Some(Duration::from_secs(10 * 86_400));
    case.accepted();
    // Signing an old result again does not make it younger.
    let mut old = Case::of(
        r#"{"decision":"pass","metrics":[],"window":{"start":"2026-02-20T00:00:00Z","end":"2026-02-20T08:00:00Z"}}"#,
    );
    old.terms.max_age = Some(Duration::from_secs(14 * 86_400));
    old.refused("expired", "2026-03-06T08:00:00Z");
    let endless = Case::new().set("/predicate/expires", Value::Null);
    endless.refused("never-expires", "max-age");
    let future = Case::new().set("/predicate/signed-at", json!("2026-03-10T12:06:00Z"));
    future.refused("from-the-future", "still to come");
    // A past day of judgement pins facts; the trial may have come later.
    let case = late("2026-02-01T00:00:00Z");
    case.accepted();
    assert!(case.outcome().accepted[0].notes[0].contains("after the day of judgement"));
}

#[test]
fn only_a_pass_is_a_pass() {
    for (result, word) in [
        (r#"{"decision":"leak","resources":[]}"#, "`leak`"),
        (
            r#"{"decision":"inconclusive","resources":[]}"#,
            "`inconclusive`",
        ),
        (r#"{"decision":"fail","metrics":[]}"#, "`fail`"),
        (
            r#"{"decision":"inconclusive","metrics":[]}"#,
            "`inconclusive`",
        ),
        (r#"{"verdict":{"decision":"canary"}}"#, "`canary`"),
        (r#"{"verdict":{"decision":"block"}}"#, "`block`"),
    ] {
        Case::of(result).refused("not-a-pass", word);
    }
    // The word of one kind is not that of another.
    Case::new()
        .set("/predicate/decision", json!("approved"))
        .refused("not-a-pass", "`approved`");
}

#[test]
fn a_trial_has_to_be_as_long_as_the_policy_wants() {
    let wants = |seconds: u64| {
        let mut case = Case::new();
        case.terms.min_duration = Some(Duration::from_secs(seconds));
        case
    };
    wants(14_400).accepted();
    wants(14_401).refused("too-short", "ran for 4 h");
    let mut silent = Case::of(r#"{"decision":"no-leak","resources":[]}"#);
    silent.accepted();
    silent.terms.min_duration = Some(Duration::from_secs(3_600));
    silent.refused("no-duration", "the policy wants 1 h");
    // A person's word takes no time.
    let mut approval = Case::saying(&Word::Approval("read it".into()));
    approval.terms.min_duration = Some(Duration::from_secs(3_600));
    approval.accepted();
}

#[test]
fn a_result_cannot_be_signed_for_a_second_difference() {
    let mut first = Case::new()
        .set("/subject/0/digest/sha256", json!("b".repeat(64)))
        .set("/predicate/signed-at", json!("2026-02-28T00:00:00Z"));
    let second = Case::new();
    let named = |case: &Case, name: &str| Found {
        name: name.to_owned(),
        ..case.found()
    };
    let both = |first: &Case| {
        let found = vec![named(first, "first.json"), named(&second, "second.json")];
        let outcome = second.judged(found);
        let mut codes: Vec<(String, &str)> = outcome
            .refused
            .iter()
            .map(|refused| (refused.record.name.clone(), refused.because.code()))
            .collect();
        codes.sort();
        codes
    };
    assert_eq!(
        both(&first),
        [
            ("first.json".to_owned(), "other-difference"),
            ("second.json".to_owned(), "replayed")
        ]
    );
    // What a stranger signs takes nothing away from a good record.
    first.signer = "mallory";
    assert_eq!(
        both(&first),
        [("first.json".to_owned(), "other-difference")]
    );
    // The same record twice is one record.
    let found = vec![named(&second, "a.json"), named(&second, "b.json")];
    let outcome = second.judged(found);
    assert_eq!((outcome.accepted.len(), outcome.refused.len()), (1, 0));
}

#[test]
fn the_policy_says_who_may_attest_what_for_which_rules() {
    use EvidenceKind::{Approval, Audit, Probe, Rollout};
    let with = |accept: Vec<Acceptance>| {
        let mut case = Case::new();
        case.terms.accept = accept;
        case.terms.min_duration = Some(Duration::from_secs(86_400));
        case.rules = vec!["cooldown", "risk-canary"];
        case
    };
    with(vec![acceptance(&[Rollout, Approval])]).refused("kind-not-accepted", "`probe`");
    let short = Acceptance {
        min_duration: Some(Duration::from_secs(60)),
        ..acceptance(&[Probe])
    };
    with(vec![acceptance(&[Probe])]).refused("too-short", "1 d");
    assert_eq!(with(vec![short.clone()]).accepted().len(), 2);
    let of = |signers: &[&str]| Acceptance {
        signers: Some(signers.iter().map(|s| (*s).to_owned()).collect()),
        ..short.clone()
    };
    with(vec![of(&["*@ops.example"])]).refused("signer-not-allowed", "from alice@example.org");
    with(vec![of(&["*@ops.example"]), of(&["alice@*"])]).accepted();
    let for_rules = |rules: &[&str]| Acceptance {
        rules: Some(rules.iter().map(|s| (*s).to_owned()).collect()),
        ..short.clone()
    };
    assert_eq!(
        with(vec![for_rules(&["cooldown"])]).accepted(),
        ["cooldown"]
    );
    with(vec![for_rules(&["other"])]).refused("other-rules", "for other rules: other");
    // A report of `check` counts only where the policy says so.
    let report = r#"{"verdict":{"decision":"pass"},"as-of":"2026-03-01T00:00:00Z"}"#;
    Case::of(report).refused("kind-not-accepted", "`audit`");
    let mut audit = Case::of(report);
    audit.terms.accept = vec![acceptance(&[Audit])];
    audit.accepted();
}

#[test]
fn what_is_no_record_is_named_and_nothing_panics() {
    let case = Case::new();
    let judged = |content: Vec<u8>| {
        case.judged(vec![Found {
            name: "x.json".into(),
            content,
            signature: Some(b"x".to_vec()),
        }])
    };
    for (content, words) in [
        (Vec::new(), "EOF"),
        (b"\0\xff\xfe".to_vec(), "expected value"),
        (b"{\"a\":[".repeat(5_000), "EOF while parsing"),
        (br#"{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"x"}"#.to_vec(), "not a `https://in-toto.io/Statement/v1`"),
        (br#"{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://slsa.dev/provenance/v1"}"#.to_vec(), "slsa.dev"),
        (br#"{"_type":"https://in-toto.io/Statement/v1","predicateType":"urn:cargo-canary:probe:v1"}"#.to_vec(), "missing field"),
        (br#"{"payloadType":"text/plain","payload":"","signatures":[]}"#.to_vec(), "text/plain"),
    ] {
        refused(&judged(content), "not-a-record", words);
    }
    for broken in ["A".repeat(64), "a".repeat(63), "../x".to_owned()] {
        let case = Case::new().set("/subject/0/digest/sha256", json!(broken));
        case.refused("not-a-record", "exactly one subject");
    }
    let long = Case::new().set("/predicate/trial/duration-seconds", json!(1e300));
    assert_eq!(long.outcome().accepted[0].record.duration, None);
    // Every byte of a signature matters, and none makes it panic.
    let good = case.found();
    let signature = good.signature.clone().unwrap();
    for at in 0..signature.len() - 1 {
        let mut broken = signature.clone();
        broken[at] ^= 1;
        let outcome = case.judged(vec![Found {
            signature: Some(broken.clone()),
            ..good.clone()
        }]);
        assert_eq!(outcome.accepted, [], "byte {at}");
    }
}
