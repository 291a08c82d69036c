//! The built-in catalogue as a whole, and repositories' own records beside it.

use cargo_canary::incidents::{BUILT_IN, Catalogue, CatalogueError};

use crate::incidents_links::graph;

/// A repository's record about a crate.
pub(crate) fn own(id: &str, text: &str) -> (String, Vec<u8>) {
    let head = format!(
        "version = 1\nid = \"{id}\"\ntitle = \"Ours\"\ndate = 2020-01-01\nfailure = \"hang\"\ncomponent = \"json\"\n"
    );
    (
        format!(".canary/incidents/{id}.toml"),
        format!("{head}{text}").into_bytes(),
    )
}

#[test]
fn no_file_of_the_catalogue_is_forgotten() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/incidents/catalogue");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            format!(
                "incidents/catalogue/{}",
                entry.unwrap().file_name().into_string().unwrap()
            )
        })
        .collect();
    files.sort();
    let listed: Vec<&str> = BUILT_IN.iter().map(|(file, _)| *file).collect();
    assert_eq!(files, listed);
}

#[test]
fn the_catalogue_is_clean_and_each_record_is_named_like_its_file() {
    let catalogue = Catalogue::built_in().unwrap_or_else(|error| panic!("{error:#?}"));
    assert_eq!(catalogue.records().len(), BUILT_IN.len());
    assert!(catalogue.records().len() >= 120);
    for record in catalogue.records() {
        assert_eq!(
            record.file,
            format!("incidents/catalogue/{}.toml", record.id)
        );
        assert!(!record.sources.is_empty(), "{}", record.id);
        assert!(
            !record.title.ends_with('.') && record.title.len() > 20,
            "{}",
            record.id
        );
    }
}

#[test]
fn the_five_incidents_are_there_with_their_figures() {
    let catalogue = Catalogue::built_in().unwrap();
    let figures = |id: &str| {
        let record = catalogue.get(id).unwrap();
        (
            record.duration_minutes,
            record.impact_percent.map(|percent| percent.tenths / 10),
            record.component.as_str(),
            record.cause.as_str(),
        )
    };
    assert_eq!(
        figures("2024-06-14-json-library-leak"),
        (Some(105), Some(60), "json", "third-party-update")
    );
    assert_eq!(
        figures("2024-06-05-image-resize-leak"),
        (Some(270), Some(75), "image", "third-party-update")
    );
    assert_eq!(
        figures("2024-08-10-database-connection-leak"),
        (Some(165), Some(70), "database-pool", "own-change")
    );
    assert_eq!(
        figures("2023-08-05-upload-buffering"),
        (Some(90), Some(70), "http-server", "own-change")
    );
    assert_eq!(
        figures("2023-08-10-care-api-leak"),
        (Some(120), Some(80), "http-server", "own-change")
    );
    let care = catalogue.get("2023-08-10-care-api-leak").unwrap();
    assert!(care.note.as_deref().unwrap().contains("contradicts itself"));
}

#[test]
fn a_graph_is_matched_as_a_whole() {
    let catalogue = Catalogue::built_in().unwrap();
    let found = |packages: &[(&str, &str)]| {
        let matches = catalogue.matching_all(&graph(packages));
        matches
            .into_iter()
            .map(|(name, version, found)| format!("{name} {version} {}", found.record.id))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        found(&[("metrics", "0.24.4"), ("metrics-util", "0.19.0")]),
        [
            "metrics 0.24.4 metrics-0.24.4-util-0.19-hash",
            "metrics-util 0.19.0 metrics-0.24.4-util-0.19-hash"
        ]
    );
    assert!(found(&[("metrics", "0.24.4")]).is_empty());
    let alone = catalogue.matching("metrics", &"0.24.4".parse().unwrap());
    assert_eq!(alone[0].together_with[0].0, "metrics-util");
}

#[test]
fn defects_of_several_files_come_together_with_their_places() {
    let bad = own("bad", "cause = \"bad luck\"\n");
    let worse = (
        ".canary/incidents/worse.toml".to_owned(),
        b"version = 1\nid = [".to_vec(),
    );
    let error = Catalogue::with_repository(&[bad, worse]).unwrap_err();
    let CatalogueError::Defects { defects } = &error else {
        panic!("{error}")
    };
    let places: Vec<(&str, u32)> = defects
        .iter()
        .map(|defect| (defect.file.as_str(), defect.line))
        .collect();
    assert!(
        places.contains(&(".canary/incidents/bad.toml", 7)),
        "{defects:?}"
    );
    assert!(
        places
            .iter()
            .any(|(file, line)| *file == ".canary/incidents/worse.toml" && *line == 2),
        "{defects:?}"
    );
    let many = vec![(String::new(), Vec::new()); 3_000];
    assert!(matches!(
        Catalogue::with_repository(&many),
        Err(CatalogueError::TooManyFiles { count: 3_000, .. })
    ));
}
