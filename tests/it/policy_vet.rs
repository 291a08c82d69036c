//! Audits of `cargo vet` as facts: three shapes of `supply-chain/`.

use cargo_canary::policy::{Around, Vet, Vetted, decide_among};

use crate::policy_support::{Case, TODAY, policy};

fn of(vet: &Vet, package: &str, version: &str) -> Vetted {
    vet.of(package, &version.parse().unwrap(), None)
}

/// As `cargo vet init` leaves it: everything is an exemption.
const FRESH: &str = "[cargo-vet]\nversion = \"0.10\"\n\n[policy.app]\naudit-as-crates-io = false\n\n[[exemptions.libc]]\nversion = \"0.2.150\"\ncriteria = \"safe-to-deploy\"\n\n[[exemptions.proptest]]\nversion = \"1.4.0\"\ncriteria = \"safe-to-run\"\nsuggest = false\n";

#[test]
fn a_fresh_repository_has_exemptions_only() {
    let vet = Vet::read(Some("\n[audits]\n"), Some(FRESH), Some(""));
    let libc = of(&vet, "libc", "0.2.150");
    assert_eq!(libc.criteria, ["safe-to-deploy", "safe-to-run"]);
    assert_eq!(libc.reviewed, Vec::<String>::new());
    assert_eq!(of(&vet, "proptest", "1.4.0").criteria, ["safe-to-run"]);
    assert_eq!(of(&vet, "libc", "0.2.151"), Vetted::default());
    assert_eq!(vet.unreadable, Vec::<String>::new());
}

/// A repository that audits by itself, with criteria of its own.
const OWN: &str = "[criteria.crypto-reviewed]\ndescription = \"read by a cryptographer\"\nimplies = [\"safe-to-deploy\"]\n\n[[audits.ring]]\nwho = \"A <a@example.org>\"\ncriteria = \"crypto-reviewed\"\nversion = \"0.17.0\"\n\n[[audits.ring]]\nwho = \"B <b@example.org>\"\ncriteria = \"safe-to-deploy\"\ndelta = \"0.17.0 -> 0.17.5\"\n\n[[audits.ring]]\ncriteria = [\"safe-to-run\"]\ndelta = \"0.17.5 -> 0.17.7\"\n\n[[audits.ring]]\ncriteria = \"safe-to-deploy\"\ndelta = \"0.17.7 -> 0.17.8@git:0123456789012345678901234567890123456789\"\n\n[[audits.bad]]\ncriteria = \"safe-to-run\"\nviolation = \">=2, <2.3\"\n";

#[test]
fn chains_of_audits_carry_the_criteria_that_every_link_has() {
    let vet = Vet::read(Some(OWN), Some(""), None);
    assert_eq!(
        of(&vet, "ring", "0.17.0").reviewed,
        ["crypto-reviewed", "safe-to-deploy", "safe-to-run"]
    );
    assert_eq!(
        of(&vet, "ring", "0.17.5").reviewed,
        ["safe-to-deploy", "safe-to-run"]
    );
    assert_eq!(of(&vet, "ring", "0.17.7").reviewed, ["safe-to-run"]);
    assert_eq!(of(&vet, "ring", "0.17.8").reviewed, Vec::<String>::new());
    assert!(of(&vet, "bad", "2.1.0").violation);
    assert!(!of(&vet, "bad", "2.3.0").violation);
    // A delta alone starts no chain, an exemption does.
    let config = "[[exemptions.ring]]\nversion = \"0.16.0\"\ncriteria = \"safe-to-deploy\"\n";
    let audits = "[[audits.ring]]\ncriteria = \"safe-to-deploy\"\ndelta = \"0.16.0 -> 0.16.1\"\n";
    let vet = Vet::read(Some(audits), Some(config), None);
    let ring = of(&vet, "ring", "0.16.1");
    assert_eq!((ring.criteria.len(), ring.reviewed.len()), (2, 0));
}

/// A repository that takes over audits of others and trusts publishers.
const IMPORTS: &str = "[[publisher.serde]]\nversion = \"1.0.190\"\nwhen = \"2023-10-20\"\nuser-id = 3618\nuser-login = \"someone\"\n\n[[publisher.serde]]\nversion = \"1.0.100\"\nwhen = \"2019-08-16\"\nuser-id = 3618\n\n[[publisher.serde]]\nversion = \"1.0.191\"\nwhen = \"2023-11-01\"\nuser-id = 99\n\n[[audits.peer.audits.bytes]]\nwho = \"P\"\ncriteria = \"does-not-crash\"\nversion = \"1.5.0\"\n\n[[audits.peer.audits.bytes]]\ncriteria = \"unmapped\"\nversion = \"1.6.0\"\n\n[[audits.peer.audits.http]]\ncriteria = \"safe-to-deploy\"\nversion = \"1.0.0\"\n\n[[audits.peer.wildcard-audits.serde]]\ncriteria = \"safe-to-run\"\nuser-id = 99\nstart = \"2023-01-01\"\nend = \"2024-01-01\"\n";

#[test]
fn imported_audits_are_mapped_and_publishers_are_trusted_for_a_time() {
    let config = "[imports.peer]\nurl = \"https://peer.example/audits.toml\"\n\n[imports.peer.criteria-map]\ndoes-not-crash = [\"safe-to-run\"]\n";
    let audits = "[[trusted.serde]]\ncriteria = \"safe-to-deploy\"\nuser-id = 3618\nstart = \"2023-01-01\"\nend = \"2024-06-01\"\n";
    let vet = Vet::read(Some(audits), Some(config), Some(IMPORTS));
    assert_eq!(
        of(&vet, "serde", "1.0.190").reviewed,
        ["safe-to-deploy", "safe-to-run"]
    );
    assert_eq!(of(&vet, "serde", "1.0.100").reviewed, Vec::<String>::new());
    assert_eq!(of(&vet, "serde", "1.0.191").reviewed, ["safe-to-run"]);
    assert_eq!(of(&vet, "bytes", "1.5.0").reviewed, ["safe-to-run"]);
    assert_eq!(of(&vet, "bytes", "1.6.0").reviewed, Vec::<String>::new());
    assert_eq!(
        of(&vet, "http", "1.0.0").reviewed,
        ["safe-to-deploy", "safe-to-run"]
    );
    assert_eq!(vet.unreadable, Vec::<String>::new());
}

#[test]
fn what_cannot_be_read_does_not_count_and_is_named() {
    let vet = Vet::read(
        Some(
            "[[audits.a]]\ncriteria = \"safe-to-run\"\nversion = \"new\"\n[[audits.a]]\ncriteria = \"x\"\ndelta = \"1\"\n[[audits.a]]\nwho = \"nobody\"\n",
        ),
        Some("[["),
        None,
    );
    assert_eq!(
        vet.unreadable,
        [
            "`supply-chain/config.toml` is not TOML; nothing in it counts",
            "an audit of `a` has a version that is none; it does not count",
            "an audit of `a` has a delta without `->`; it does not count",
            "an audit of `a` says neither `version` nor `delta` nor `violation`; it does not count",
        ]
    );
    // Criteria that stand for each other in a circle end.
    let circle = "[criteria.a]\nimplies = \"b\"\n[criteria.b]\nimplies = \"a\"\n[[audits.x]]\ncriteria = \"a\"\nversion = \"1.0.0\"\n";
    assert_eq!(
        of(&Vet::read(Some(circle), None, None), "x", "1.0.0").reviewed,
        ["a", "b"]
    );
}

fn rules(vetted: Option<Vetted>) -> Vec<String> {
    let policy = policy(
        "[[rule]]\nid = \"not-reviewed\"\nwhen = 'change.target && !(\"safe-to-deploy\" in vet.criteria)'\nthen = \"canary\"\nreason = \"{vet.criteria}\"\n",
    );
    let case = Case::routine("serde");
    let vetted = [vetted];
    let around = Around {
        vetted: &vetted,
        ..Around::default()
    };
    let verdict = decide_among(&policy, &[case.subject()], &around, TODAY.parse().unwrap());
    verdict.reasons.into_iter().map(|it| it.rule).collect()
}

#[test]
fn conditions_weigh_audits_by_their_criteria() {
    let met = |criteria: &[&str]| Vetted {
        criteria: criteria.iter().map(|it| (*it).to_owned()).collect(),
        ..Vetted::default()
    };
    assert_eq!(rules(Some(met(&["safe-to-run"]))), ["not-reviewed"]);
    assert_eq!(
        rules(Some(met(&["safe-to-deploy", "safe-to-run"]))),
        Vec::<String>::new()
    );
    assert_eq!(
        rules(None),
        Vec::<String>::new(),
        "without such files the rule does not apply"
    );
}
