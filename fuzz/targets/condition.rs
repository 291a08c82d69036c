//! The condition of a rule, evaluated on an ordinary update.
#![no_main]

use cargo_canary::policy::{self, Cases};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|condition: &str| {
    if condition.contains("'''") || condition.contains('\r') {
        return;
    }
    let text = format!(
        "version = 1\nextends = \"none\"\n[[rule]]\nid = \"x\"\nwhen = '''\n{condition}'''\nthen = \"warn\"\nreason = \"r\"\n"
    );
    let nowhere = |name: &str, _: &str| Err(format!("there is no `{name}`"));
    let Ok(policy) = policy::load(&text, "canary.toml", &nowhere) else {
        return;
    };
    let case = "version = 1\nas-of = 2026-11-21\n[[case]]\nname = \"a\"\nexpect = { decision = \"pass\" }\n";
    let cases = Cases::read(case, "canary.test.toml").unwrap();
    // A rule that warns never decides.
    assert!(cases.run(&policy).failed() == 0);
});
