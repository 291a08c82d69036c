//! The page and the schema of the incident format, held against the reader's tables.

use std::path::Path;

use cargo_canary::incidents::{Components, reference, schema};

/// Where the made part of the page begins and ends.
const MARKS: (&str, &str) = ("<!-- made: begin -->\n", "<!-- made: end -->\n");

/// Holds a file against what it should be; writes it where `CANARY_UPDATE` is set.
fn hold(file: &str, wanted: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("CANARY_UPDATE").is_some() {
        std::fs::write(&path, wanted).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap();
    assert!(
        found == wanted,
        "{file} is not up to date; run this test with CANARY_UPDATE=1"
    );
}

#[test]
fn the_page_of_the_format_follows_the_tables() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/incidents.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (before, rest) = page.split_once(MARKS.0).unwrap();
    let (_, after) = rest.split_once(MARKS.1).unwrap();
    let made = reference(&Components::built_in().unwrap());
    hold(
        "docs/incidents.md",
        &[before, MARKS.0, &made, MARKS.1, after].concat(),
    );
}

#[test]
fn the_schema_follows_the_tables() {
    let schema = format!("{:#}\n", schema(&Components::built_in().unwrap()));
    hold("docs/incident.schema.json", &schema);
}
