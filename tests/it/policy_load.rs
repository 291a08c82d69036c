//! What the loader says about a policy that is not valid.

use cargo_canary::policy::{Policy, RenderStyle, load};

use crate::policy_support::nowhere;

/// Each problem as `line:column title: label`.
pub(crate) fn problems(text: &str) -> Vec<String> {
    let Err(error) = load(text, "canary.toml", &nowhere) else {
        return Vec::new();
    };
    error
        .problems()
        .iter()
        .map(|it| {
            format!(
                "{}:{} {}: {}",
                it.line(),
                it.column(),
                it.title(),
                it.label()
            )
        })
        .collect()
}

#[track_caller]
pub(crate) fn check_file(text: &str, expected: &[&str]) {
    assert_eq!(problems(text), expected, "{text}");
}

#[test]
fn the_built_in_policies_are_valid() {
    for name in ["default", "strict"] {
        let policy = Policy::built_in(name).unwrap();
        assert_eq!(policy.name(), name);
        assert_eq!(policy.layers().last().map(String::as_str), Some(name));
    }
    let error = Policy::built_in("defualt").unwrap_err();
    assert!(
        error.to_string().contains("no built-in policy `defualt`"),
        "{error}"
    );
}

#[test]
fn the_contract_example_is_valid() {
    let text = r#"
version = 1
extends = "default"                  # one of the built-in policies, or a path

[build]                              # the builds that are shipped
targets  = ["x86_64-unknown-linux-gnu"]
features = "default"

[risk]
canary = 40
block  = 80

[gaps]                               # what a missing fact does
default = "incomplete"
changelog = "pass"

[[rule]]
id     = "cooldown"
when   = "change.built && release.age_days < 7.0 && !change.fixes_advisory"
then   = "canary"
reason = "released less than a week ago"

[[exempt]]
package = "tokio"
version = "1.48.0"
rules   = ["cooldown"]
reason  = "fixes our deadlock; read by two people"
by      = "platform"
until   = 2026-12-15

[canary]
min-duration = "4h"
signers      = ".canary/allowed_signers"
"#;
    let policy = load(text, "canary.toml", &nowhere).unwrap();
    assert_eq!(policy.layers(), ["default", "canary.toml"]);
    assert_eq!(policy.canary().min_duration.unwrap().as_secs(), 4 * 3_600);
    assert_eq!(policy.exemptions()[0].origin, "canary.toml:24");
}

#[test]
fn an_error_shows_the_line_and_marks_the_word() {
    let text = "version = 1\n\n[[rule]]\nid = \"misspelt\"\nwhen = 'change.package == \"é\" && release.ages_days < 3.0'\nthen = \"warn\"\nreason = \"r\"\n\n[gaps]\nfeature = \"warn\"\n";
    let error = load(text, "canary.toml", &nowhere).unwrap_err();
    assert_eq!(
        error.render(RenderStyle::Plain),
        r#"error: [gaps]
  --> canary.toml:10:1
   |
10 | feature = "warn"
   | ^^^^^^^ unknown key `feature`; did you mean `features`?"#
    );
    let error = load(
        &text.replace("feature =", "features ="),
        "canary.toml",
        &nowhere,
    )
    .unwrap_err();
    assert_eq!(
        error.render(RenderStyle::Plain),
        r#"error: rule `misspelt`
 --> canary.toml:5:35
  |
5 | when = 'change.package == "é" && release.ages_days < 3.0'
  |                                   ^^^^^^^^^^^^^^^^^ no variable `release.ages_days`; did you mean `release.age_days`?"#
    );
    assert_eq!(
        error.to_string(),
        "policy canary.toml:5:35 is not valid: rule `misspelt`: no variable `release.ages_days`; did you mean `release.age_days`?"
    );
    assert!(error.render(RenderStyle::Colour).contains("\u{1b}["));
}

#[test]
fn every_part_of_the_file_has_its_errors() {
    check_file(
        "version = ",
        &["1:11 the file is not TOML: string values must be quoted, expected literal string"],
    );
    check_file(
        "",
        &["1:1 policy file: `version` is missing; write `version = 1`"],
    );
    check_file(
        "version = 2",
        &["1:11 policy file: this program reads `version = 1`"],
    );
    check_file(
        "version = 1\nriks = 3",
        &["2:1 policy file: unknown key `riks`; did you mean `risk`?"],
    );
    check_file(
        "version = 1\nowner = 3",
        &[
            "2:1 policy file: unknown key `owner`; known are version, extends, build, risk, gaps, cooldown, ratchet, rule, exempt, canary, ledger, probe, rollout, exemptions",
        ],
    );
    check_file(
        "version = 1\n[risk]\ncanary = 80\nblock = 40",
        &["3:10 [risk]: `canary` (80) must be below `block` (40)"],
    );
    check_file(
        "version = 1\n[risk]\ncanary = 90",
        &["3:10 [risk]: `canary` (90) must be below `block` (80)"],
    );
    check_file(
        "version = 1\n[risk]\ncanary = 0\nblock = \"nevre\"",
        &[
            "3:10 [risk]: `canary` must be a score from 1 to 100, or \"never\"",
            "4:9 [risk]: `block` must be a score from 1 to 100, or \"never\"",
        ],
    );
    check_file(
        "version = 1\n[build]\ntargets = \"x\"\nfeatures = \"al\"",
        &[
            "3:11 [build]: `targets` must be a list of strings, and this is string",
            "4:12 [build]: `features` is never \"al\"; did you mean \"all\"?",
        ],
    );
    check_file(
        "version = 1\n[build]\ntargets = [\"../x\"]\nfeatures = 1",
        &[
            "3:12 [build]: `../x` is not a target triple",
            "4:12 [build]: `features` must be \"default\", \"all\", \"none\", or a list of features",
        ],
    );
    check_file(
        "version = 1\n[gaps]\ndefault = \"fail\"\nnot-applicable = \"warn\"\nyankde = \"warn\"",
        &[
            "3:11 [gaps]: `default` is never \"fail\"; it is one of pass, warn, canary, incomplete, block",
            "4:1 [gaps]: what does not apply to a source is never a gap; write a rule about `change.git` instead",
            "5:1 [gaps]: unknown key `yankde`; did you mean `yanked`?",
        ],
    );
    check_file(
        "version = 1\n[cooldown]\ndays = -1\nthen = \"stop\"\nfirst-party = [\"ours\"]\nfix = true\n[cooldown.packages]\n\"a b\" = 1\nc = \"x\"\nd = 99999",
        &[
            "3:8 [cooldown]: `days` must be from 0 to 3650",
            "4:8 [cooldown]: `then` is never \"stop\"; it is one of warn, canary, incomplete, block",
            "5:16 [cooldown]: `ours` is no index URL, such as \"sparse+https://registry.example/\"",
            "6:1 [cooldown]: unknown key `fix`; known are days, then, first-party, fixes-wait, packages",
            "8:1 [cooldown.packages]: `a b` is neither a package name nor the start of one with a `*` at its end",
            "9:5 [cooldown.packages]: `c` must be a number, and this is string",
            "10:5 [cooldown.packages]: a wait is from 0 to 3650 days",
        ],
    );
    check_file(
        "version = 1\n[cooldown]\ndays = \"cargoo\"",
        &["3:8 [cooldown]: `days` is never \"cargoo\"; did you mean \"cargo\"?"],
    );
    check_file(
        "version = 1\n[[rule]]\nid = \"min-publish-age\"\nenabled = false",
        &["3:6 rule `min-publish-age`: this id belongs to `[cooldown]`"],
    );
    check_file(
        "version = 1\n[canary]\nmin-duration = \"soon\"",
        &[
            "3:16 [canary]: `min-duration` must be a number with a unit, such as \"90s\", \"30m\", \"4h\" or \"2d\"",
        ],
    );
}

#[test]
fn the_terms_of_evidence_are_checked_and_taken_over() {
    let text = r#"
version = 1
extends = "default"
[canary]
min-duration = "4h"
location = "https://evidence.example.org/shop"
signers = "keys/allowed"
[[canary.accept]]
evidence = ["rollout", "probe"]
rules = ["risk-canary", "fresh-release"]
signers = ["*@ops.example"]
max-age = "2d"
"#;
    let policy = load(text, "p/canary.toml", &nowhere).unwrap();
    let terms = policy.canary();
    assert_eq!(terms.max_age.unwrap().as_secs(), 30 * 86_400);
    assert_eq!(terms.signers_named_in.as_deref(), Some("p/canary.toml"));
    assert!(terms.location.as_ref().unwrap().ends_with("/shop"));
    let accept = &terms.accept[0];
    assert_eq!(accept.kinds.len(), 2);
    assert!(accept.rules.as_ref().unwrap().contains("risk-canary"));
    assert_eq!(accept.signers.as_ref().unwrap(), &["*@ops.example"]);
    assert_eq!(accept.max_age.unwrap().as_secs(), 2 * 86_400);
    assert_eq!(accept.min_duration, None);

    check_file(
        "version = 1
[canary]
max-age = \"4000d\"
location = \"ftp://x\"
max-agee = \"1d\"
[[canary.accept]]
evidence = [\"prob\"]
[[canary.accept]]
signers = []
",
        &[
            "3:11 [canary]: `max-age` must be at most 3650 days",
            "4:12 [canary]: `location` must be an address that begins with `https://` or `http://`; records of a directory are named with `--evidence DIR`",
            "5:1 [canary]: unknown key `max-agee`; known are min-duration, max-age, signers, location, accept",
            "7:13 [[canary.accept]]: there is no evidence `prob`; it is one of probe, rollout, approval, audit",
            "8:1 [[canary.accept]]: `evidence` is missing",
        ],
    );
    check_file(
        "version = 1\n[[canary.accept]]\nevidence = [\"probe\"]\nrules = [\"risk-canry\"]\n",
        &["4:10 [[canary.accept]]: no rule `risk-canry`; did you mean `risk-canary`?"],
    );
}

#[test]
fn every_key_of_a_rule_has_its_errors() {
    check_file(
        "version = 1\n[[rule]]\nwhen = 'true'",
        &["2:1 rule: `id` is missing"],
    );
    check_file(
        "version = 1\n[[rule]]\nid = \"x\"",
        &[
            "3:6 rule `x`: `when` is missing, and no earlier layer has a rule with this id",
            "3:6 rule `x`: `then` is missing, and no earlier layer has a rule with this id",
            "3:6 rule `x`: `reason` is missing, and no earlier layer has a rule with this id",
        ],
    );
    check_file(
        "version = 1\n[[rule]]\nid = \"X y\"\nwhen = 'change.built'\nthen = \"blok\"\nreason = \"r\"",
        &[
            "3:6 rule `X y`: an id has lower-case letters, digits and `-`",
            "5:8 rule `X y`: `then` is never \"blok\"; did you mean \"block\"?",
        ],
    );
    check_file(
        "version = 1\n[[rule]]\nid = \"duplicated\"\nenabled = false\n[[rule]]\nid = \"duplicated\"\nenabled = true",
        &["6:6 rule `duplicated`: there is a rule with this id in line 3 already"],
    );
    check_file(
        "version = 1\n[[rule]]\nid = \"risk-block\"\nenabled = false",
        &["3:6 rule `risk-block`: this id belongs to the thresholds of `[risk]`"],
    );
    check_file(
        "version = 1\n[[rule]]\nid = \"x\"\nwhen = 'change.built'\nthen = \"warn\"\nreason = \"{change.too}\"\nsummarises = [\"downgraded\"]",
        &[
            "6:10 rule `x`: no variable `change.too`; did you mean `change.to`?",
            "7:15 rule `x`: only a rule with `scope = \"difference\"` can stand for others",
        ],
    );
    check_file(
        "version = 1\n[[rule]]\nid = \"mass-downgrade\"\nsummarises = [\"downgrade\"]",
        &["4:15 rule `mass-downgrade`: no rule `downgrade`; did you mean `downgraded`?"],
    );
    check_file(
        "version = 1\n[[rule]]\nid = \"x\"\nscope = \"diff\"\nwait-days = -1\nenabled = 3",
        &[
            "4:9 rule `x`: `scope` is never \"diff\"; it is one of change, difference",
            "5:13 rule `x`: `wait-days` must be from 0 to 3650",
            "6:11 rule `x`: `enabled` must be `true` or `false`, and this is integer",
        ],
    );
    check_file(
        "version = 1\n[rule]\nid = 1",
        &["2:1 rule: `rule` must be written `[[rule]]`, and this is table"],
    );
}

#[test]
fn every_key_of_an_exemption_has_its_errors() {
    check_file(
        "version = 1\n[[exempt]]\npackage = \"tokio\"",
        &[
            "2:1 exemption of `tokio`: `reason` is missing",
            "2:1 exemption of `tokio`: `version` is missing",
            "2:1 exemption of `tokio`: `rules` is missing",
            "2:1 exemption of `tokio`: `until` is missing",
        ],
    );
    check_file(
        "version = 1\n[[exempt]]\npackage = \"tokio\"\nversion = \"new\"\nrules = []\nreason = \" \"\nuntil = 2026-12-15T00:00:00Z\nowner = \"me\"",
        &[
            "4:11 exemption of `tokio`: `version` must be a version, such as \"1.48.0\", or a requirement, such as \">=1.48, <2\"",
            "5:9 exemption of `tokio`: `rules` is empty",
            "6:10 exemption of `tokio`: `reason` is empty",
            "7:9 exemption of `tokio`: `until` must be a day, such as 2026-12-15",
            "8:1 exemption of `tokio`: unknown key `owner`; known are package, version, rules, reason, by, until",
        ],
    );
    check_file(
        "version = 1\n[[exempt]]\npackage = \"tokio\"\nversion = \"1.0.0\"\nrules = [\"fresh-relaese\"]\nreason = \"r\"\nuntil = \"2026-12-15\"",
        &["5:10 exemption of `tokio`: no rule `fresh-relaese`; did you mean `fresh-release`?"],
    );
}

#[test]
fn layers_are_found_bounded_and_never_circular() {
    check_file(
        "version = 1\nextends = \"defualt\"",
        &["2:11 extends: there is no file `defualt`"],
    );
    let circular = |name: &str, _: &str| {
        Ok((
            name.to_owned(),
            "version = 1\nextends = \"a.toml\"".to_owned(),
        ))
    };
    let error = load("version = 1\nextends = \"b.toml\"", "a.toml", &circular).unwrap_err();
    assert_eq!(
        error.to_string(),
        "policy b.toml:2:11 is not valid: extends: `a.toml` extends itself, through what it extends"
    );
    let endless = |name: &str, _: &str| {
        Ok((
            name.to_owned(),
            format!("version = 1\nextends = \"x{name}\""),
        ))
    };
    let error = load("version = 1\nextends = \"x\"", "a.toml", &endless).unwrap_err();
    assert!(error.to_string().contains("at most 8 files"), "{error}");
    let found = |_: &str, from: &str| {
        assert_eq!(from, "team/canary.toml");
        Ok((
            "org.toml".to_owned(),
            "version = 1\n[risk]\nblock = 90".to_owned(),
        ))
    };
    let policy = load("version = 1\nextends = \"org\"", "team/canary.toml", &found).unwrap();
    assert_eq!(policy.layers(), ["default", "org.toml", "team/canary.toml"]);
    assert_eq!(policy.thresholds().block, Some(90));
    assert_eq!(policy.thresholds().canary, Some(40));
}

#[test]
fn a_later_layer_replaces_a_rule_or_changes_its_keys() {
    let base = "version = 1\nextends = \"none\"\n[[rule]]\nid = \"a\"\nwhen = 'change.built'\nthen = \"warn\"\nreason = \"r\"\n";
    let resolve = |_: &str, _: &str| Ok(("base.toml".to_owned(), base.to_owned()));
    let ids = |text: &str| -> Vec<String> {
        let text = format!("version = 1\nextends = \"base\"\n{text}");
        let policy = load(&text, "canary.toml", &resolve).unwrap();
        policy
            .rules()
            .map(|(id, origin)| format!("{id} {origin}"))
            .collect()
    };
    assert_eq!(ids(""), ["a base.toml:4"]);
    assert_eq!(
        ids("[[rule]]\nid = \"a\"\nthen = \"block\""),
        ["a base.toml:4"]
    );
    assert_eq!(
        ids("[[rule]]\nid = \"a\"\nenabled = false"),
        Vec::<String>::new()
    );
    assert_eq!(
        ids("[[rule]]\nid = \"a\"\nwhen = 'change.direct'\nthen = \"block\"\nreason = \"r\""),
        ["a canary.toml:4"]
    );
}
