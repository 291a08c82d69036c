//! Conditions and files that are not what they should be never make the policy
//! panic.

use cargo_canary::policy::{RenderStyle, load};
use proptest::prelude::*;

use crate::policy_support::nowhere;

/// Pieces that conditions are made of, so that random ones get past the parser often.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "change.built",
            "release.age_days",
            "change.members",
            "risk.score",
            "change.kind",
            "advisories.worst",
            "x",
            "1",
            "2.5",
            "'a'",
            "[",
            "]",
            "(",
            ")",
            "&&",
            "||",
            "!",
            "?",
            ":",
            "==",
            "<",
            ">=",
            "in",
            "+",
            "-",
            "*",
            "/",
            "%",
            ",",
            ".exists(x, ",
            ".all(x, ",
            ".map(x, ",
            ".filter(x, ",
            ".size()",
            "size(",
            "int(",
            "string(",
            "{",
            "}",
            "true",
            "null",
            "0u",
            "has(",
            ".startsWith(",
            "dyn(",
            "\"",
            "\\",
            "é",
            "\u{0}",
            ".",
            "..",
            "`",
        ])
        .prop_map(str::to_owned),
        "[ -~]{0,6}",
        any::<char>().prop_map(String::from),
    ]
}

/// How many made-up inputs of each kind are tried.
fn tries() -> u32 {
    let wanted = std::env::var("CANARY_POLICY_STRESS").ok();
    wanted.map_or(100, |count| count.parse().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: tries(), failure_persistence: None, ..ProptestConfig::default() })]

    /// Many conditions are loaded at once, since each load has a thread of its own.
    #[test]
    fn no_condition_makes_the_loader_or_a_judgement_panic(
        conditions in prop::collection::vec(prop::collection::vec(piece(), 1..14), 20)
    ) {
        use crate::policy_support::{Case, judge};
        let case = [Case::routine("serde")];
        for pieces in conditions {
            let when = pieces.join(" ");
            let text = format!(
                "version = 1\nextends = \"none\"\n[[rule]]\nid = \"x\"\nwhen = {}\nthen = \"warn\"\nreason = \"r\"\n",
                toml::Value::from(when.as_str())
            );
            match load(&text, "canary.toml", &nowhere) {
                Ok(policy) => { judge(&policy, &case); }
                Err(error) => { prop_assert!(!error.render(RenderStyle::Plain).is_empty()); }
            }
        }
    }

    #[test]
    fn no_file_makes_the_loader_panic(
        edits in prop::collection::vec((any::<prop::sample::Index>(), piece(), any::<bool>()), 1..6)
    ) {
        let mut text = cargo_canary::policy::built_in_text("default").unwrap().to_owned();
        for (place, piece, remove) in edits {
            let mut at = place.index(text.len());
            while !text.is_char_boundary(at) { at -= 1; }
            if remove { text.remove(at); } else { text.insert_str(at, &piece); }
        }
        if let Err(error) = load(&text, "canary.toml", &nowhere) {
            prop_assert!(!error.render(RenderStyle::Plain).is_empty());
            prop_assert!(error.problems().iter().all(|it| it.line() >= 1 && it.column() >= 1));
        }
    }
}
