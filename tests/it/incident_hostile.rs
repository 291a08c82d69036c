//! Hostile texts and records: no panic, bounded time, drafts that lint can read.

use std::time::{Duration, Instant};

use cargo_canary::incidents::{
    Components, ImportError, MAX_TEXT_BYTES, Origin, import, lint, read,
};
use proptest::prelude::*;

/// Far more than any text takes, also on a busy machine without optimisation.
const LIMIT: Duration = Duration::from_secs(40);

/// The draft of some bytes, as an incident file.
fn draft(bytes: &[u8]) -> Option<String> {
    import("x.md", bytes, &Components::built_in().unwrap())
        .ok()
        .map(|draft| draft.to_toml())
}

/// A draft may lack what it needs, and has no other defect.
fn only_lacks(toml: &str) {
    let files = [("x.toml".to_owned(), toml.as_bytes().to_vec())];
    for defect in lint(&files, &Components::built_in().unwrap()) {
        let text = defect.to_string();
        assert!(text.contains("is missing"), "{text}\n{toml}");
    }
}

#[test]
fn large_texts_of_one_kind_take_bounded_time() {
    let sizes = |piece: &str| piece.repeat((48 * 1024) / piece.len());
    for piece in [
        "12:30 ",
        "2024-06-14 12:30 UTC to 13:30\n",
        "a",
        "# ",
        "- [ ] do it\n",
        "| a | b |\n",
        "we suspected the network, assuming the database, ",
        "memory leak in the third-party library ",
        "1h 2m ",
        "\u{1f559}",
        "â€“",
        "**",
        "[",
        "noon midnight ",
        "from ",
    ] {
        let begun = Instant::now();
        if let Some(toml) = draft(sizes(piece).as_bytes()) {
            only_lacks(&toml);
        }
        assert!(
            begun.elapsed() < LIMIT,
            "{piece:?} took {:?}",
            begun.elapsed()
        );
    }
}

#[test]
fn a_text_that_is_too_large_or_empty_is_an_error() {
    let components = Components::built_in().unwrap();
    let large = vec![b'a'; MAX_TEXT_BYTES + 1];
    assert!(matches!(
        import("x", &large, &components),
        Err(ImportError::TooLarge { .. })
    ));
    for empty in [&b""[..], b"  \n\n", b"\xff\xfe", b"---\n***\n"] {
        assert_eq!(import("x", empty, &components), Err(ImportError::Empty));
    }
}

#[test]
fn what_is_hostile_in_a_text_is_harmless_in_the_draft() {
    let text = "# Outage \"\"\" ] \u{1b}[31mred\u{202e}\n\nOn 2024-06-14 from 10:00 to 11:00 UTC 5 % of users saw a memory leak in our code.\n\n## Actions\n- \"]\\nid = \\\"x\n- # not a comment\n";
    let toml = draft(text.as_bytes()).unwrap();
    assert!(!toml.contains('\u{1b}') && !toml.contains('\u{202e}'));
    only_lacks(&toml);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Some(toml) = draft(&bytes) {
            only_lacks(&toml);
        }
        prop_assert!(read("x.toml", &bytes, Origin::Repository, &Components::built_in().unwrap()).is_err());
    }

    #[test]
    fn texts_of_the_right_words_are_read_without_panic(
        pieces in proptest::collection::vec(
            prop_oneof![
                Just("## Timeline\n"), Just("\n\n"), Just("- "), Just("12:30 PM "), Just("2🕙0 AM "), Just("to "),
                Just("2024-02-29"), Just("31 June 2024 "), Just("UTC+99 "), Just("(UTC-5) "), Just("memory leak "),
                Just("Duration: "), Just("half a working day "), Just("| "), Just("99.9 % of users "), Just("İ"),
                Just("suspected "), Just("was ruled out"), Just("restored. "), Just("```\n"), Just("ÿ"), Just("9999999999h "),
            ],
            0..60,
        )
    ) {
        if let Some(toml) = draft(pieces.concat().as_bytes()) {
            only_lacks(&toml);
        }
    }
}
