//! Links through what a library is for and what its update shows in the source.

use cargo_canary::facts::{Finding, SourceDelta};
use cargo_canary::incidents::{Catalogue, Direction, Link, Strength, Surroundings, Versions, link};

use crate::incidents::own;
use crate::incidents_links::{brief, change, dossier};
use crate::support::archives::{between, fresh};

/// The links of an update with this difference in its source.
fn links(delta: SourceDelta, catalogue: &Catalogue) -> Vec<Link> {
    let change = change("fresh-pixels", Some("1.0.0"), Some("1.0.1"));
    let mut dossier = dossier();
    dossier.source = Finding::Seen(delta);
    let nothing = Versions::new();
    let around = Surroundings {
        base: &nothing,
        head: &nothing,
        as_of: "2027-01-01".parse().unwrap(),
    };
    link(&change, &dossier, &around, catalogue)
}

/// A manifest with a keyword that says what the library is for.
const IMAGE: &str = "[package]\nname = \"fresh-pixels\"\nversion = \"1.0.0\"\nedition = \"2021\"\nkeywords = [\"WebP\", \"encoder\"]\n";
/// A manifest that says nothing.
const SILENT: &str =
    "[package]\nname = \"fresh-pixels\"\nversion = \"1.0.0\"\nedition = \"2021\"\n";
const CLEAN: &str = "pub fn encode(x: Vec<u8>) -> usize { x.len() }\n";
const LEAKY: &str = "pub fn encode(x: Vec<u8>) -> usize {\n    let n = x.len();\n    std::mem::forget(x);\n    n\n}\n";
const BUFFERS: &str = "use std::io::Read;\npub fn encode(mut x: std::fs::File) -> usize {\n    let mut all = Vec::new();\n    x.read_to_end(&mut all).unwrap();\n    all.len()\n}\n";

fn update(manifest: &str, before: &str, after: &str) -> SourceDelta {
    between(
        ("1.0.0", &[("Cargo.toml", manifest), ("src/lib.rs", before)]),
        ("1.0.1", &[("Cargo.toml", manifest), ("src/lib.rs", after)]),
    )
}

#[test]
fn a_library_that_no_table_lists_is_known_by_its_keywords() {
    let catalogue = Catalogue::built_in().unwrap();
    let found = links(update(IMAGE, CLEAN, CLEAN), &catalogue);
    assert_eq!(
        brief(&found),
        [(
            "2024-06-05-image-resize-leak",
            Strength::Weak,
            Direction::Resembles
        )]
    );
    let start = "fresh-pixels is an image library by its keyword `webp`: ";
    assert!(found[0].because.starts_with(start), "{}", found[0].because);
    assert!(links(update(SILENT, CLEAN, LEAKY), &catalogue).is_empty());
}

#[test]
fn a_finding_of_the_kind_of_the_failure_is_named_with_its_place() {
    let catalogue = Catalogue::built_in().unwrap();
    let found = links(update(IMAGE, CLEAN, LEAKY), &catalogue);
    let because = &found[0].because;
    assert!(
        because.contains("and its update gained mem::forget and ManuallyDrop (src/lib.rs:3): "),
        "{because}"
    );
    // A stranger's outage stays a weak reason, whatever the source shows.
    assert_eq!(found[0].strength, Strength::Weak);
    let other_kind = links(update(IMAGE, CLEAN, BUFFERS), &catalogue);
    assert!(
        !other_kind[0].because.contains("its update"),
        "{}",
        other_kind[0].because
    );
    // Everything in a new package is gained, so that nothing is said of it.
    let new = fresh(&[("Cargo.toml", IMAGE), ("src/lib.rs", LEAKY)]);
    assert!(!links(new, &catalogue)[0].because.contains("its update"));
}

#[test]
fn the_teams_own_failure_and_a_finding_of_its_kind_are_a_strong_link() {
    let text = |failure: &str| {
        let (file, bytes) = own("our-pictures", "cause = \"own-change\"\n");
        let text = String::from_utf8(bytes).unwrap();
        let (before, rest) = text.split_once("failure = ").unwrap();
        let (_, rest) = rest.split_once('\n').unwrap();
        let text = format!("{before}failure = \"{failure}\"\n{rest}");
        (file, text.replace("\"json\"", "\"image\"").into_bytes())
    };
    let strength = |failure: &str, after: &str| {
        let catalogue = Catalogue::with_repository(&[text(failure)]).unwrap();
        let found = links(update(IMAGE, CLEAN, after), &catalogue);
        let own = found.iter().find(|link| link.id == "our-pictures");
        own.map(|link| link.strength)
    };
    assert_eq!(strength("memory-leak", LEAKY), Some(Strength::Strong));
    assert_eq!(strength("memory-leak", CLEAN), Some(Strength::Weak));
    assert_eq!(
        strength("whole-body-buffering", BUFFERS),
        Some(Strength::Strong)
    );
    // The built-in record about a leak fits what is seen better than the team's own about a hang.
    assert_eq!(strength("hang", LEAKY), None);
}
