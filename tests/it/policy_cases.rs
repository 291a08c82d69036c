//! Cases beside a policy: the built-in ones hold and leave no rule out, a case
//! that does not hold shows a difference, a wrong file is shown with its places.

use cargo_canary::policy::{
    Cases, Policy, RenderStyle, built_in_cases, built_in_text, cases_schema, load, schema,
};

use crate::policy_support::{nowhere, policy};
use crate::support::schema::violations;

const ONE_RULE: &str = "[[rule]]\nid = \"young\"\nwhen = \"change.built && release.age_days < 7.0\"\nthen = \"canary\"\nreason = \"young\"\n";

fn outcome(rules: &str, cases: &str) -> String {
    let text = format!("version = 1\nas-of = 2026-11-21\n{cases}");
    match Cases::read(&text, "canary.test.toml") {
        Ok(cases) => cases.run(&policy(rules)).render(),
        Err(error) => error.render(RenderStyle::Plain),
    }
}

#[test]
fn the_cases_of_the_built_in_policies_hold_and_make_every_rule_speak() {
    for name in ["default", "strict"] {
        let cases = Cases::read(built_in_cases(name).unwrap(), name).unwrap();
        assert!(cases.count() > 10);
        let outcome = cases.run(&Policy::built_in(name).unwrap());
        assert_eq!(outcome.failed(), 0, "{}", outcome.render());
        if name == "default" {
            assert_eq!(outcome.silent, Vec::<String>::new());
        }
    }
}

#[test]
fn the_cases_of_a_built_in_policy_fail_when_a_rule_is_taken_out() {
    let whole = Cases::read(built_in_cases("default").unwrap(), "default").unwrap();
    let rules: Vec<String> = Policy::built_in("default")
        .unwrap()
        .rules()
        .map(|(id, _)| id.to_owned())
        .collect();
    assert!(rules.len() > 10);
    for id in rules {
        let without = format!("version = 1\n[[rule]]\nid = \"{id}\"\nenabled = false\n");
        let policy = load(&without, "canary.toml", &nowhere).unwrap();
        assert!(
            whole.run(&policy).failed() > 0,
            "no case notices that `{id}` is gone"
        );
    }
}

#[test]
fn a_case_that_does_not_hold_shows_what_differs_and_why() {
    let cases = "[[case]]\nname = \"six days pass\"\nrelease.age_days = 6.0\nexpect = { decision = \"pass\", rules = [\"other\"] }\n\n[[case]]\nname = \"eight days pass\"\nrelease.age_days = 8.0\nexpect = { decision = \"pass\", rules = [] }\n";
    assert_eq!(
        outcome(ONE_RULE, cases),
        "FAILED six days pass (canary.test.toml:4)\n  decision\n  - pass\n  + canary\n  rules\n  - other\n  + young\n  because canary (young of package): young\n\n2 cases, 1 failed\n"
    );
}

#[test]
fn a_rule_that_no_case_makes_speak_is_named() {
    let cases = "[[case]]\nname = \"a\"\nexpect = { decision = \"pass\" }\n";
    assert_eq!(
        outcome(ONE_RULE, cases),
        "1 case, all hold\nrules that no case makes speak: young\n"
    );
}

#[test]
fn gaps_and_what_does_not_exist_can_be_stated() {
    let cases = "[[case]]\nname = \"unknown\"\ngaps = { publish-time = \"not-recorded\" }\nexpect = { decision = \"incomplete\" }\n\n[[case]]\nname = \"no such thing\"\nabsent = [\"release.age_days\"]\nexpect = { decision = \"pass\", rules = [] }\n\n[[case]]\nname = \"a way out\"\nrelease.age_days = 6.5\nexpect = { decision = \"canary\", way-out = \"wait until 2026-11-22\" }\n";
    assert!(outcome(ONE_RULE, cases).starts_with("3 cases, all hold\n"));
}

#[test]
fn a_wrong_file_of_cases_names_every_place() {
    let text = "version = 1\n[[case]]\nname = \"a\"\nrelease.age_day = 6.0\nchange.kind = \"updated\"\nchange.built = true\nrisk.score = 300\nexpect = { decision = \"blocked\" }\n\n[[case]]\nname = \"a\"\nrelease.age_days = \"six\"\nchange.to = \"latest\"\nabsent = [\"x.y\"]\ngap = 1\nexpect = { decision = \"pass\" }\n\n[[case]]\nname = \"b\"\ngaps = { yanked = \"lost\", risk = \"fetch-failed\" }\n";
    let error = Cases::read(text, "canary.test.toml").unwrap_err();
    let found: Vec<String> = error
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
        .collect();
    let wanted = [
        "4:9 case `a`: no variable `release.age_day`; did you mean `release.age_days`?",
        "5:15 case `a`: `change.kind` is one of added, removed, upgraded, downgraded, duplicated, merged, source-moved, content-changed, features-changed, placement-changed",
        "6:16 case `a`: `change.built` follows from `change.target` and `change.host`; state those",
        "7:14 case `a`: `risk.score` is never 300",
        "8:23 case `a`: `decision` is never \"blocked\"; did you mean \"block\"?",
        "12:20 case `a`: `release.age_days` is of type double, and this is string",
        "13:13 case `a`: `latest` is not a version, such as \"1.0.1\"",
        "14:11 case `a`: no variable `x.y`",
        "15:1 case `a`: unknown key `gap`; did you mean `gaps`?",
        "18:1 case `b`: `expect` is missing",
        "20:19 case `b`: `yanked` is never \"lost\"; it is one of offline-and-not-cached, fetch-failed, not-in-registry, not-recorded, malformed, over-limit, not-known-as-of, coarse-graph, contradicted",
        "20:27 case `b`: unknown key `risk`; known are publish-time, yanked, later-releases, yank-cluster, history, advisories, manifest, placement, features, source, outcomes, publisher",
    ];
    assert_eq!(found, wanted);
    let twice = "version = 1\n[[case]]\nname = \"a\"\nexpect = { decision = \"pass\" }\n[[case]]\nname = \"a\"\nexpect = { decision = \"pass\" }\n";
    let error = Cases::read(twice, "c.toml").unwrap_err();
    assert_eq!(
        error.to_string(),
        "policy c.toml:6:8 is not valid: case: another case has this name"
    );
}

#[test]
fn hostile_files_of_cases_are_refused_and_panic_nowhere() {
    for text in [
        "",
        "version = 2",
        "version = 1\ncase = 3",
        "\u{0}",
        "version = 1\n[[case]]\n[[case.changes]]",
    ] {
        assert!(Cases::read(text, "x").is_err(), "{text}");
    }
    let many = "[[case]]\nname = \"a\"\nexpect = { decision = \"pass\" }\n".repeat(3_000);
    assert!(Cases::read(&format!("version = 1\n{many}"), "x").is_err());
    assert!(Cases::read(&" ".repeat(2 << 20), "x").is_err());
}

fn as_json(toml: &str) -> serde_json::Value {
    serde_json::to_value(toml::from_str::<toml::Table>(toml).unwrap()).unwrap()
}

#[test]
fn the_schemas_hold_for_what_comes_with_the_program_and_refuse_unknown_keys() {
    for name in ["default", "strict"] {
        let text = built_in_text(name).unwrap();
        assert_eq!(violations(&schema(), &as_json(text)), Vec::<String>::new());
        let wrong = format!("typo = 1\n{text}");
        assert_ne!(
            violations(&schema(), &as_json(&wrong)),
            Vec::<String>::new()
        );
        let cases = built_in_cases(name).unwrap();
        assert_eq!(
            violations(&cases_schema(), &as_json(cases)),
            Vec::<String>::new()
        );
        let wrong = cases.replace("release.yanked ", "release.yankd ");
        assert!(wrong == cases || !violations(&cases_schema(), &as_json(&wrong)).is_empty());
    }
}

/// Every key that the schema knows is one that the loader knows, and the other
/// way round: a file with each of them is valid for both.
#[test]
fn the_schema_and_the_loader_know_the_same_keys() {
    let schema = schema();
    let keys = |pointer: &str| -> Vec<String> {
        let table = schema.pointer(pointer).unwrap().as_object().unwrap();
        table.keys().cloned().collect()
    };
    for (table, pointer) in [
        ("", "/properties"),
        ("[build]\n", "/properties/build/properties"),
        ("[risk]\n", "/properties/risk/properties"),
        ("[gaps]\n", "/properties/gaps/properties"),
        ("[[rule]]\n", "/properties/rule/items/properties"),
        ("[[exempt]]\n", "/properties/exempt/items/properties"),
        ("[cooldown]\n", "/properties/cooldown/properties"),
        ("[ratchet]\n", "/properties/ratchet/properties"),
        ("[canary]\n", "/properties/canary/properties"),
        ("[probe]\n", "/properties/probe/properties"),
        ("[rollout]\n", "/properties/rollout/properties"),
    ] {
        let known = keys(pointer);
        for key in &known {
            let error = load(
                &format!("{table}{key} = 1979-05-27T07:32:00Z\n"),
                "x",
                &nowhere,
            )
            .unwrap_err();
            let text = error.render(RenderStyle::Plain);
            assert!(
                !text.contains("unknown key"),
                "the loader does not know {table}{key}"
            );
        }
        let error = load(&format!("{table}zzzzzzzzzzzz = 1\n"), "x", &nowhere).unwrap_err();
        let text = error.render(RenderStyle::Plain);
        let (_, listed) = text.split_once("known are ").unwrap();
        let listed = listed.lines().next().unwrap();
        for key in listed.split(", ").filter(|key| *key != "not-applicable") {
            assert!(
                known.iter().any(|it| it == key),
                "the schema does not know {table}{key}"
            );
        }
    }
}
