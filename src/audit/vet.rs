//! The files of `cargo vet` in both builds.

use crate::diff::Change;
use crate::policy::{Vet, Vetted};
use crate::snapshot::Opened;

/// How large a file may be, in bytes: those that import many audits are long.
const LIMIT: u64 = 16 << 20;
const FILES: [&str; 3] = [
    "supply-chain/audits.toml",
    "supply-chain/config.toml",
    "supply-chain/imports.lock",
];

/// What the audits say of each change's incoming release, and what of the base's
/// files could not be read. `None` for a change that brings none in from a
/// registry; empty when the base has no such files.
pub(super) fn vetted(
    changes: &[Change],
    base: &Opened<'_>,
    head: &Opened<'_>,
) -> (Vec<Option<Vetted>>, Vec<String>) {
    let (Some(of_base), of_head) = (read(base), read(head)) else {
        return (Vec::new(), Vec::new());
    };
    let vetted = changes.iter().map(|change| {
        let release = change.incoming().filter(|it| it.source.is_registry())?;
        Some(of_base.of(&change.package, &release.version, of_head.as_ref()))
    });
    (vetted.collect(), of_base.unreadable.clone())
}

fn read(build: &Opened<'_>) -> Option<Vet> {
    let mut unreadable = Vec::new();
    let mut there = false;
    let texts = FILES.map(|file| match build.read_file(file, LIMIT) {
        Ok(content) => content.map(|content| {
            there = true;
            String::from_utf8_lossy(&content).into_owned()
        }),
        Err(_) => {
            there = true;
            unreadable.push(format!("`{file}` could not be read; nothing in it counts"));
            None
        }
    });
    let [audits, config, imports] = texts.each_ref().map(Option::as_deref);
    let mut vet = Vet::read(audits, config, imports);
    vet.unreadable.extend(unreadable);
    there.then_some(vet)
}
