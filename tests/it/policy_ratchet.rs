//! The record of what a repository lives with: what it has, how it is written,
//! and that it only ever shrinks.

use cargo_canary::policy::{
    Around, Baseline, Decision, Novelty, RatchetKind, RatchetNews, Subject, decide_among,
};

use crate::policy_support::{Case, TODAY, policy};

fn read(text: &str) -> Baseline {
    Baseline::read(text, ".canary/baseline.toml").unwrap()
}

fn with(entries: &[(RatchetKind, &str)]) -> Baseline {
    let mut found = read(
        "version = 1\nadvisories = []\nbuild-scripts = []\nduplicates = []\ngit-sources = []\nproc-macros = []\nunsafe = []\n",
    );
    for (kind, entry) in entries {
        found.add(*kind, (*entry).to_owned());
    }
    found
}

#[test]
fn the_record_is_sorted_has_one_entry_a_line_and_reads_back() {
    let found = with(&[
        (RatchetKind::BuildScripts, "ring"),
        (RatchetKind::BuildScripts, "libc"),
        (RatchetKind::Advisories, "RUSTSEC-2024-0384 instant"),
        (RatchetKind::GitSources, "a https://git.example/\"x\""),
    ]);
    let text = found.render();
    assert_eq!(
        text,
        "# What this repository lives with. A change brings in nothing new of these kinds;\n# what is gone no longer counts. Written by `cargo-canary policy baseline`.\nversion = 1\n\nadvisories = [\n  \"RUSTSEC-2024-0384 instant\",\n]\n\nbuild-scripts = [\n  \"libc\",\n  \"ring\",\n]\n\nduplicates = []\n\ngit-sources = [\n  'a https://git.example/\"x\"',\n]\n\nproc-macros = []\n\nunsafe = []\n"
    );
    assert_eq!(read(&text), found);
    assert_eq!(found.count(), 4);
}

#[test]
fn what_the_base_has_may_stay_and_what_went_is_new_again() {
    let scripts = |names: &[&str]| {
        let entries: Vec<_> = names
            .iter()
            .map(|it| (RatchetKind::BuildScripts, *it))
            .collect();
        with(&entries)
    };
    let record = scripts(&["libc", "ring"]);
    let base = scripts(&["libc", "cc"]);
    assert_eq!(record.within(&base), scripts(&["libc"]));
    assert_eq!(record.gone(&base), 1);
    let held = record.held(&base);
    // `cc` went in by an exemption: it was there before this change.
    assert_eq!(held.news(&base), []);
    // `ring` went and comes back: that is new, whatever the record says.
    assert_eq!(
        held.news(&scripts(&["libc", "ring"])),
        [Novelty {
            kind: RatchetKind::BuildScripts,
            package: "ring".to_owned(),
            because: "ring has a build script, which runs on the build machine".to_owned(),
        }]
    );
}

#[test]
fn for_unsafe_code_the_record_counts_as_far_as_its_packages_are_there() {
    let unsafe_ = |names: &[&str]| {
        let entries: Vec<_> = names.iter().map(|it| (RatchetKind::Unsafe, *it)).collect();
        with(&entries)
    };
    // The base side lists all packages: they are not read again.
    let held = unsafe_(&["libc", "gone"]).held(&unsafe_(&["libc", "serde"]));
    let news = held.news(&unsafe_(&["libc", "serde", "gone"]));
    let packages: Vec<&str> = news.iter().map(|it| it.package.as_str()).collect();
    assert_eq!(packages, ["gone", "serde"]);
}

#[test]
fn a_kind_without_its_key_is_not_held() {
    let record = read("version = 1\nbuild-scripts = []\n");
    let head = with(&[
        (RatchetKind::Unsafe, "libc"),
        (RatchetKind::BuildScripts, "libc"),
    ]);
    let kinds: Vec<RatchetKind> = record.news(&head).iter().map(|it| it.kind).collect();
    assert_eq!(kinds, [RatchetKind::BuildScripts]);
}

#[test]
fn a_wrong_record_names_its_places() {
    let wrong = |text: &str| Baseline::read(text, "b.toml").unwrap_err().to_string();
    assert_eq!(
        wrong("version = 1\nbuild-script = []\n"),
        "policy b.toml:2:1 is not valid: baseline: unknown key `build-script`; did you mean `build-scripts`?"
    );
    assert_eq!(
        wrong("unsafe = [1]\n"),
        "policy b.toml:1:1 is not valid: baseline: `version` is missing (and 1 more)"
    );
    assert!(wrong("version = 2").contains("this program reads `version = 1`"));
    assert!(wrong("version =").contains("not TOML"));
}

fn judged(rules: &str, news: RatchetNews) -> (Decision, Vec<String>) {
    let case = Case::routine("ring");
    let subjects: Vec<Subject<'_>> = vec![case.subject()];
    let around = Around {
        ratchet: Some(&news),
        ..Around::default()
    };
    let verdict = decide_among(&policy(rules), &subjects, &around, TODAY.parse().unwrap());
    let lines = verdict.reasons.iter().map(|it| {
        let change = it.change.as_deref().unwrap_or("*");
        format!("{change} {}: {}", it.rule, it.because)
    });
    (verdict.decision, lines.collect())
}

fn one() -> RatchetNews {
    RatchetNews {
        news: with(&[]).news(&with(&[(RatchetKind::ProcMacros, "ring")])),
        ..RatchetNews::default()
    }
}

#[test]
fn something_new_blocks_unless_the_policy_or_an_exemption_says_otherwise() {
    assert_eq!(
        judged("", one()),
        (
            Decision::Block,
            vec![
                "ring ratchet-proc-macros: ring is a procedural macro, which runs in the compiler"
                    .to_owned()
            ]
        )
    );
    assert_eq!(
        judged("[ratchet]\nthen = \"warn\"\n", one()).0,
        Decision::Pass
    );
    assert_eq!(
        judged("[ratchet]\nthen = \"canary\"\n", one()).0,
        Decision::Canary
    );
    let exempt = "[[exempt]]\npackage = \"ring\"\nversion = \"1.0.1\"\nrules = [\"ratchet-proc-macros\"]\nreason = \"r\"\nuntil = 2026-12-01\n";
    assert_eq!(judged(exempt, one()).0, Decision::Pass);
    assert_eq!(judged("", RatchetNews::default()).0, Decision::Pass);
}

#[test]
fn what_could_not_be_looked_at_is_a_gap() {
    let gap = crate::policy_support::gap(
        cargo_canary::facts::FactKind::Source,
        cargo_canary::facts::GapReason::FetchFailed,
    );
    let news = RatchetNews {
        gaps: vec![("ring".to_owned(), gap)],
        ..RatchetNews::default()
    };
    assert_eq!(judged("", news.clone()).0, Decision::Incomplete);
    assert_eq!(
        judged("[gaps]\nsource = \"pass\"\n", news).0,
        Decision::Pass
    );
}
