//! Links to advisories about memory and other resources.

use cargo_canary::facts::{AdvisoryDelta, AdvisoryFact, Finding};
use cargo_canary::incidents::{Catalogue, Direction, Link, Strength, Surroundings, Versions, link};

use crate::incidents::own;
use crate::incidents_links::{brief, change, dossier, graph};

/// An advisory of a category, as found for a release.
fn advisory(id: &str, category: &str) -> AdvisoryFact {
    AdvisoryFact {
        id: id.to_owned(),
        aliases: vec![format!("CVE-{id}")],
        package: "moka".to_owned(),
        version: "0.12.0".parse().unwrap(),
        date: "2024-01-02".parse().unwrap(),
        informational: None,
        categories: vec!["crypto-failure".to_owned(), category.to_owned()],
        severity: None,
        patched: vec![">= 0.12.9".to_owned()],
    }
}

#[test]
fn an_advisory_about_resources_is_linked_by_its_direction() {
    let catalogue = Catalogue::built_in().unwrap();
    let change = change("mocha", Some("1.0.0"), Some("1.1.0"));
    let around = Versions::new();
    let mut dossier = dossier();
    let denial = |id: &str| advisory(id, "denial-of-service");
    dossier.advisories = Finding::Seen(AdvisoryDelta {
        introduced: vec![
            denial("RUSTSEC-2024-0001"),
            advisory("RUSTSEC-2024-0009", "malicious"),
        ],
        remaining: vec![denial("RUSTSEC-2024-0002")],
        fixed: vec![
            denial("RUSTSEC-2024-0003"),
            AdvisoryFact {
                informational: Some("unmaintained".to_owned()),
                ..denial("RUSTSEC-2024-0008")
            },
        ],
    });
    let as_of = "2027-01-01".parse().unwrap();
    let surroundings = Surroundings {
        base: &around,
        head: &around,
        as_of,
    };
    let found = link(&change, &dossier, &surroundings, &catalogue);
    assert_eq!(
        brief(&found),
        [
            ("RUSTSEC-2024-0001", Strength::Repeat, Direction::Enters),
            ("RUSTSEC-2024-0002", Strength::Repeat, Direction::Stays),
            ("RUSTSEC-2024-0003", Strength::Repeat, Direction::Leaves),
        ]
    );
    assert_eq!(
        found[0].because,
        "moka 0.12.0 enters the versions with a known fault of resources (denial-of-service), \
         of 2024-01-02; repaired in >= 0.12.9"
    );
    assert!(found.iter().all(Link::is_advisory));
}

#[test]
fn an_advisory_that_a_record_restates_is_linked_once() {
    let record = own(
        "own-moka",
        "cause = \"third-party-update\"\nsources = [\"https://rustsec.org/advisories/RUSTSEC-2024-0001.html\"]\n\n[[affects]]\ncrates = { \"moka\" = \"=0.12.0\" }\n",
    );
    let catalogue = Catalogue::with_repository(&[record]).unwrap();
    let change = change("moka", Some("0.11.0"), Some("0.12.0"));
    let graph = graph(&[("moka", "0.12.0")]);
    let mut dossier = dossier();
    dossier.advisories = Finding::Seen(AdvisoryDelta {
        introduced: vec![advisory("RUSTSEC-2024-0001", "denial-of-service")],
        ..AdvisoryDelta::default()
    });
    let as_of = "2027-01-01".parse().unwrap();
    let none = Versions::new();
    let surroundings = Surroundings {
        base: &none,
        head: &graph,
        as_of,
    };
    let found = link(&change, &dossier, &surroundings, &catalogue);
    let about: Vec<&str> = found.iter().map(|link| link.id.as_str()).collect();
    assert!(about.contains(&"own-moka"), "{about:?}");
    assert!(!about.contains(&"RUSTSEC-2024-0001"), "{about:?}");
}
