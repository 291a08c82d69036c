//! A postmortem, the draft out of it, and a record.
#![no_main]

use cargo_canary::incidents::{Components, Origin, import, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let components = Components::built_in().unwrap();
    drop(import("post.md", data, &components));
    drop(read("record.toml", data, Origin::Repository, &components));
});
