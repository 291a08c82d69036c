//! Archives and sources that were made to break readers: what is odd is
//! reported, nothing is followed, nothing panics, and nothing grows without
//! bound.

use std::io::Write as _;
use std::time::{Duration, Instant};

use cargo_canary::facts::{GapReason, Topic};
use cargo_canary::inspect;
use cargo_canary::registry::{OddityKind, SourceTree, UnpackLimits};
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use crate::support::archives::{archive, entry, pack, package, unpack, update};

/// An archive with one odd entry beside a plain one.
fn with(odd: Vec<Vec<u8>>) -> Vec<u8> {
    let mut entries = vec![
        entry(b"thing-1.0.0/Cargo.toml", b'0', b"[package]\nname='thing'"),
        entry(b"thing-1.0.0/src/lib.rs", b'0', b"pub fn f() {}"),
    ];
    entries.extend(odd);
    pack(&entries)
}

#[test]
fn shapes_that_have_no_place_in_a_package_are_reported_and_not_followed() {
    let long = [b'a'; 90];
    let pax = |path: &[u8]| {
        let record = |length: usize| {
            let mut record = format!("{length} path=").into_bytes();
            record.extend_from_slice(path);
            record.push(b'\n');
            record
        };
        let length = (8 + path.len()..).find(|l| record(*l).len() == *l).unwrap();
        vec![entry(b"x", b'x', &record(length)), entry(b"y", b'0', b"in")]
    };
    let mut overlong = b"thing-1.0.0/".to_vec();
    overlong.extend(long.repeat(20));
    let plain = |path: &[u8], kind: u8| vec![entry(path, kind, b"")];
    let cases: [(OddityKind, Vec<Vec<u8>>); 13] = [
        (OddityKind::Link, plain(b"thing-1.0.0/link", b'2')),
        (OddityKind::Link, plain(b"thing-1.0.0/hard", b'1')),
        (OddityKind::Special, plain(b"thing-1.0.0/dev", b'3')),
        (OddityKind::Special, plain(b"thing-1.0.0/pipe", b'6')),
        (OddityKind::PathOutside, plain(b"/etc/passwd", b'0')),
        (OddityKind::PathOutside, plain(b"thing-1.0.0/../../x", b'0')),
        (OddityKind::PathOutside, plain(b"thing-1.0.0/C:/x", b'0')),
        (OddityKind::OtherRoot, plain(b"other-1.0.0/x", b'0')),
        (
            OddityKind::Duplicate,
            plain(b"thing-1.0.0/src/lib.rs", b'0'),
        ),
        (
            OddityKind::CaseClash,
            plain(b"thing-1.0.0/src/LIB.rs", b'0'),
        ),
        (
            OddityKind::ControlCharacters,
            plain(b"thing-1.0.0/a\x1b[2Jb", b'0'),
        ),
        (OddityKind::NotUtf8, plain(b"thing-1.0.0/\xff\xfe", b'0')),
        (OddityKind::LongPath, pax(&overlong)),
    ];
    for (kind, odd) in cases {
        let tree = unpack("1.0.0", &with(odd)).unwrap();
        let kinds: Vec<_> = tree.oddities().iter().map(|oddity| oddity.kind).collect();
        assert_eq!(kinds, [kind], "{:?}", tree.oddities());
        for oddity in tree.oddities() {
            assert!(!oddity.path.chars().any(char::is_control));
            assert!(oddity.path.len() < 300);
        }
        assert!(tree.files().iter().all(|file| !file.path.contains("..")));
        assert!(tree.read("link").is_none() && tree.read("dev").is_none());
    }
    let plain = unpack("1.0.0", &with(Vec::new())).unwrap();
    assert!(plain.oddities().is_empty());
    assert_eq!(plain.read("src/lib.rs"), Some(b"pub fn f() {}".as_slice()));
}

#[test]
fn what_stands_twice_counts_as_it_does_for_cargo() {
    let twice = with(vec![entry(b"thing-1.0.0/src/lib.rs", b'0', b"second")]);
    let tree = unpack("1.0.0", &twice).unwrap();
    assert_eq!(tree.read("src/lib.rs"), Some(b"second".as_slice()));
}

#[test]
fn bombs_and_floods_end_at_a_limit() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let block = vec![0_u8; 1 << 20];
    for _ in 0..40 {
        encoder.write_all(&block).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    let limits = UnpackLimits {
        bytes: 8 << 20,
        ..UnpackLimits::default()
    };
    let error = SourceTree::unpack(&package("1.0.0"), &bomb, &limits).unwrap_err();
    assert_eq!(error.reason(), GapReason::OverLimit);
    let tree = unpack("1.0.0", &bomb).unwrap();
    assert_eq!(tree.oddities()[0].kind, OddityKind::Bomb);

    let many: Vec<Vec<u8>> = (0..300)
        .map(|at| entry(format!("thing-1.0.0/{at}").as_bytes(), b'2', b""))
        .collect();
    let limits = UnpackLimits {
        entries: 100,
        ..UnpackLimits::default()
    };
    let error = SourceTree::unpack(&package("1.0.0"), &pack(&many), &limits).unwrap_err();
    assert!(error.to_string().contains("100 entries"), "{error}");
    // Of many odd entries the first are kept.
    assert!(unpack("1.0.0", &pack(&many)).unwrap().oddities().len() < 100);
}

#[test]
fn what_is_cut_off_is_no_package() {
    let whole = with(Vec::new());
    for end in [0, 1, 10, whole.len() / 2, whole.len() - 12] {
        let error = unpack("1.0.0", &whole[..end]).unwrap_err();
        assert_eq!(error.reason(), GapReason::Malformed);
    }
    // An entry that says to be longer than the archive.
    let mut liar = entry(b"thing-1.0.0/a", b'0', b"");
    liar[124..135].copy_from_slice(b"00077777777");
    let sum: u32 = liar[..148]
        .iter()
        .chain(&liar[156..512])
        .map(|b| u32::from(*b))
        .sum::<u32>()
        + 8 * 32;
    liar[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    assert!(unpack("1.0.0", &pack(&[liar])).is_err());
}

#[test]
fn deep_and_long_sources_are_read_in_time() {
    let sources = [
        "(".repeat(50_000),
        "mod a { ".repeat(12_500),
        "fn f() { ".repeat(12_500),
        format!("fn f() {{ {} }}", "!".repeat(75_000)),
        format!("type T = {};", "A<".repeat(25_000)),
        format!("use {}a{};", "a::{".repeat(7_500), "}".repeat(7_500)),
        format!("use {};", "a::".repeat(25_000)),
        format!("fn f() {{ {} }}", "a::".repeat(25_000)),
        format!("impl {} for B {{}}", "A<".repeat(25_000)),
        "#[cfg(test)] ".repeat(7_500),
        "#".repeat(50_000),
        "/*".repeat(50_000),
        format!("x{}", "\"".repeat(25_001)),
        "use a as b; use b as a; ".repeat(1_250),
        "mod a; ".repeat(12_500),
        "include!(\"lib.rs\"); ".repeat(5_000),
        "pub use crate::a; ".repeat(5_000),
        "unsafe ".repeat(25_000),
        format!("fn f() {{ {} }}", "std::net::TcpStream; ".repeat(5_000)),
        "static A: Mutex<Vec<u8>> = x; ".repeat(2_500),
    ];
    for source in &sources {
        let start = Instant::now();
        let old = [("src/lib.rs", "fn before() {}")];
        let new = [
            ("src/lib.rs", source.as_str()),
            ("src/a.rs", source.as_str()),
        ];
        let delta = update(&old, &new);
        assert!(delta.findings.len() < 400);
        let shown = source.chars().take(30).collect::<String>();
        assert!(
            start.elapsed() < Duration::from_secs(5),
            "{shown}: {:?}",
            start.elapsed()
        );
    }
}

#[test]
fn text_of_an_archive_cannot_talk_to_a_terminal() {
    let source =
        "extern \"C\" { fn \u{202e}evil(); } pub fn f() { std::mem::forget(\"\u{1b}[2J\u{7}\"); }";
    let delta = update(&[("src/lib.rs", "")], &[("src/lib.rs", source)]);
    assert!(delta.on(&[Topic::Leak]).count() > 0);
    for finding in &delta.findings {
        let texts = finding
            .witnesses
            .iter()
            .flat_map(|w| [&w.file, &w.item, &w.text]);
        for text in texts.chain([&finding.what]) {
            assert!(
                !text.chars().any(|c| c.is_control() || c == '\u{202e}'),
                "{text:?}"
            );
        }
    }
}

/// Pieces of sources that detectors and the lexer care about.
const PIECES: &[&str] = &[
    "fn f() {",
    "}",
    "{",
    "(",
    ")",
    "[",
    "]",
    ";",
    "use ",
    "std::",
    "net::",
    "{self, ",
    "as x",
    "*",
    "mod a;",
    "mod b {",
    "impl ",
    "Drop for ",
    "X",
    "<",
    ">",
    "unsafe ",
    "extern \"C\" ",
    "static ",
    "const MAX: u8 = 1",
    "\"",
    "r#\"",
    "'a",
    "'",
    "\\",
    "/*",
    "*/",
    "//",
    "\n",
    "#[cfg(test)]",
    "#![",
    "include!(\"a.rs\")",
    "forget(",
    ".leak()",
    "é",
    "\u{0}",
    "macro_rules! m",
    "$x",
    "::",
    ":",
    "=",
    "pub ",
    "pub(crate) ",
    "struct S",
    "spawn(",
    "path = ",
    "#[path = \"../../x.rs\"]",
    "thread_local! {",
    "1.5",
    "b'",
    "=>",
    "->",
    ",",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn sources_made_of_pieces_are_compared_without_panic(
        old in proptest::collection::vec(proptest::sample::select(PIECES), 0..60),
        new in proptest::collection::vec(proptest::sample::select(PIECES), 0..60),
    ) {
        let (old, new) = (old.concat(), new.concat());
        let delta = update(
            &[("src/lib.rs", &old), ("src/a.rs", &new), ("build.rs", &new)],
            &[("src/lib.rs", &new), ("src/a.rs", &old), ("build.rs", &old)],
        );
        prop_assert_eq!(inspect::decode(&inspect::encode(&delta)), Some(delta.clone()));
        // The same thing twice gives the same bytes, and nothing against itself.
        let same = update(&[("src/lib.rs", &old)], &[("src/lib.rs", &old)]);
        prop_assert!(same.same_code);
        prop_assert!(same.findings.is_empty());
    }

    #[test]
    fn archives_with_changed_bytes_are_read_without_panic(
        places in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..20),
        packed in any::<bool>(),
    ) {
        let files = [("src/lib.rs", "mod a; fn f() { std::mem::forget(1); }"), ("src/a.rs", "fn g() {}")];
        let mut bytes = if packed {
            archive("1.0.0", &files)
        } else {
            entry(b"thing-1.0.0/src/lib.rs", b'0', b"fn f() { std::mem::forget(1); }")
        };
        for (place, byte) in places {
            let at = place.index(bytes.len());
            bytes[at] = byte;
        }
        let archive = if packed { bytes } else { pack(&[bytes]) };
        if let Ok(tree) = unpack("1.0.0", &archive) {
            let id = package("1.0.0");
            let delta = inspect::inspect(Some((&id, &tree)), (&id, &tree));
            prop_assert!(delta.findings.is_empty());
        }
    }
}
