//! A policy file, and its judgement of an ordinary update.
#![no_main]

use cargo_canary::policy::{self, RenderStyle};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let nowhere = |name: &str, _: &str| Err(format!("there is no `{name}`"));
    match policy::load(text, "canary.toml", &nowhere) {
        Ok(policy) => drop(policy::decide(
            &policy,
            &[],
            None,
            "2026-11-21".parse().unwrap(),
        )),
        Err(error) => {
            assert!(!error.render(RenderStyle::Plain).is_empty());
            assert!(
                error
                    .problems()
                    .iter()
                    .all(|it| it.line() >= 1 && it.column() >= 1)
            );
        }
    }
});
