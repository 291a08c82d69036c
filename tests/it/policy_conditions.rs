//! What the loader says about conditions: names, types, what never holds, and
//! what keeps their evaluation bounded.

use crate::policy_load::{check_file, problems};

/// Checks a condition, written as a literal string that starts in column 9 of line 4.
#[track_caller]
fn check_condition(when: &str, expected: &str) {
    let text = format!(
        "version = 1\n[[rule]]\nid = \"x\"\nwhen = '{when}'\nthen = \"warn\"\nreason = \"r\"\n"
    );
    let expected: Vec<&str> = if expected.is_empty() {
        Vec::new()
    } else {
        vec![expected]
    };
    assert_eq!(problems(&text), expected, "{when}");
}

#[test]
fn conditions_are_checked_when_they_are_loaded() {
    check_condition("change.built", "");
    check_condition("change.members[0] == \"a\"", "");
    check_condition(
        "change.members.filter(m, m != \"a\").size() > 1 || \"b\" in change.members",
        "",
    );
    check_condition("release.age_days < 7 ? change.direct : !change.forced", "");
    check_condition(
        "true",
        "4:9 rule `x`: this reads no variable, so it is always the same",
    );
    check_condition(
        "change.package",
        "4:9 rule `x`: a condition must be true or false; this is a string",
    );
    check_condition(
        "age_days < 3",
        "4:9 rule `x`: no variable `age_days`; did you mean `release.age_days`?",
    );
    check_condition(
        "change",
        "4:9 rule `x`: `change` is a group of variables; name one of them, such as `change.package`",
    );
    check_condition(
        "release.age_days < \"7\"",
        "4:9 rule `x`: a double cannot be compared with a string",
    );
    check_condition(
        "change.package == 1",
        "4:9 rule `x`: a string is never equal to an int",
    );
    check_condition(
        "change.kind == \"upgradedd\"",
        "4:24 rule `x`: `change.kind` is never \"upgradedd\"; did you mean \"upgraded\"?",
    );
    check_condition(
        "change.kind in [\"added\", \"gone\"]",
        "4:34 rule `x`: `change.kind` is never \"gone\"; it is one of added, removed, upgraded, downgraded, duplicated, merged, source-moved, content-changed, features-changed, placement-changed",
    );
    check_condition(
        "risk.level > \"low\"",
        "4:9 rule `x`: the values of `risk.level` are words without an order; compare with `==` or `in`",
    );
    check_condition(
        "risk.score > 100",
        "4:9 rule `x`: this is always false: `risk.score` is from 0 to 100",
    );
    check_condition(
        "0 <= change.forces",
        "4:9 rule `x`: this is always true: `change.forces` is at least 0",
    );
    check_condition(
        "risk.score + 1.0 > 3.0",
        "4:9 rule `x`: an int and a double do not mix here; write `7.0`, or `double(…)`",
    );
}

#[test]
fn a_rule_that_could_never_apply_is_an_error() {
    let never = |name: &str| {
        format!(
            "rule `x`: this contradicts what stands before it about `{name}`, so it never holds"
        )
    };
    for (condition, place, name) in [
        (
            "release.age_days < 1.0 && release.age_days > 5.0",
            "4:35",
            "release.age_days",
        ),
        (
            "release.age_days < 1.0 && 1.0 <= release.age_days",
            "4:35",
            "release.age_days",
        ),
        ("risk.score > 40 && risk.score < 41", "4:28", "risk.score"),
        (
            "risk.score == 40 && change.built && risk.score == 41",
            "4:45",
            "risk.score",
        ),
        (
            "change.kind == \"added\" && change.kind == \"removed\"",
            "4:35",
            "change.kind",
        ),
        (
            "change.kind in [\"added\", \"merged\"] && change.kind == \"removed\"",
            "4:47",
            "change.kind",
        ),
        (
            "change.package == \"a\" && change.package != \"a\"",
            "4:34",
            "change.package",
        ),
        ("change.built && !change.built", "4:25", "change.built"),
        // A branch that never holds is one, too.
        (
            "change.direct || change.built && !change.built",
            "4:42",
            "change.built",
        ),
        (
            "change.built && (change.direct || !change.built)",
            "4:43",
            "change.built",
        ),
    ] {
        check_condition(condition, &format!("{place} {}", never(name)));
    }
    for condition in [
        "release.age_days < 1.0 || release.age_days > 5.0",
        "release.age_days >= 1.0 && release.age_days <= 1.0",
        "release.age_days > 1.0 && release.age_days < 2.0",
        "risk.score > 40 && risk.score < 42",
        "change.built || !change.built",
        "(change.built || change.direct) && !change.built",
        "change.kind in [\"added\", \"merged\"] && change.kind != \"added\"",
        "change.package != \"a\" && change.package != \"b\"",
        "!(change.built && change.direct) && change.built",
        "\"a\" in change.members && !(\"b\" in change.members)",
    ] {
        check_condition(condition, "");
    }
}

#[test]
fn functions_scopes_and_forms_are_checked_when_they_are_loaded() {
    check_condition(
        "change.package.startWith(\"a\")",
        "4:9 rule `x`: no function `startWith`; did you mean `startsWith`?",
    );
    check_condition(
        "change.package.startsWith(\"a\", \"b\")",
        "4:9 rule `x`: `startsWith` is not called like this; see the reference of variables and functions",
    );
}

#[test]
fn what_keeps_evaluation_bounded_is_checked_too() {
    let many = ["change.members.exists(x, x == \"a\")"; 5].join(" || ");
    check_condition(
        &many,
        "4:161 rule `x`: a condition has at most 4 of `exists`, `all`, `exists_one` and `filter`",
    );
    check_condition(
        "has(change.package)",
        "4:13 rule `x`: `has` is not available: every variable exists, and a fact that could not be had is handled by `[gaps]`",
    );
    check_condition(
        "difference.changes > 3",
        "4:9 rule `x`: `difference.changes` is about the whole difference; the rule needs `scope = \"difference\"`",
    );
    check_condition(
        "change.members.map(x, x) == []",
        "4:9 rule `x`: only `exists`, `all`, `exists_one` and `filter` are available over lists",
    );
    check_condition(
        "change.members.exists(x, change.members.exists(y, change.members.exists(z, x == z)))",
        "4:59 rule `x`: at most 2 of `exists`, `all`, `exists_one` and `filter` may stand inside each other",
    );
    check_condition(
        "change.members.exists(change, change == \"a\")",
        "4:9 rule `x`: `change` has a meaning already; choose another name",
    );
    check_condition(
        "change.members.exists(x, x.y)",
        "4:34 rule `x`: `x` has no fields",
    );
    check_condition(
        "release.age_days <",
        "4:27 rule `x`: the condition ends here and something is missing",
    );
    check_condition(
        "change.built change.direct",
        "4:22 rule `x`: did not expect `change`",
    );
    check_condition(
        "change.built &&& true",
        "4:24 rule `x`: this is not a token of CEL: `& `",
    );
    check_condition(
        &format!("change.built{}", " ".repeat(4_096)),
        "4:8 rule `x`: a condition has at most 4096 bytes; this one has 4108",
    );
    check_condition(
        &format!("risk.score{} > 7", " + 1".repeat(200)),
        "4:8 rule `x`: the condition is nested more than 64 levels deep",
    );
}

#[test]
fn places_are_exact_in_literal_strings_and_whole_in_escaped_ones() {
    let rule = |when: &str| {
        format!(
            "version = 1\n[[rule]]\nid = \"x\"\nwhen = {when}\nthen = \"warn\"\nreason = \"r\"\n"
        )
    };
    check_file(
        &rule("'''\n\nchange.built &&\n  relase.age_days < 3'''"),
        &["7:3 rule `x`: no variable `relase.age_days`; did you mean `release.age_days`?"],
    );
    check_file(
        &rule("'''\r\nchange.builtt'''"),
        &["5:1 rule `x`: no variable `change.builtt`; did you mean `change.built`?"],
    );
    check_file(
        &rule("\"change.builtt\""),
        &["4:9 rule `x`: no variable `change.builtt`; did you mean `change.built`?"],
    );
    check_file(
        &rule("\"change.package == \\\"a\\\" && change.builtt\""),
        &["4:8 rule `x`: no variable `change.builtt`; did you mean `change.built`?"],
    );
}
