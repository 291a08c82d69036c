//! A lock file, and the coarse graph of it.
#![no_main]

use cargo_canary::snapshot::{lock, lock_only};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    match lock::parse_bytes(data, "Cargo.lock") {
        Ok(lock) => {
            let workspace = lock_only::workspace(".", &lock);
            assert_eq!(workspace.packages.len(), lock.packages.len());
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
