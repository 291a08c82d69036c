//! Source facts: every detector on a pair of small packages on which it
//! speaks, and on a near miss on which it does not.

use std::collections::BTreeSet;

use cargo_canary::facts::{Part, Shift, SourceDelta, Topic};
use cargo_canary::inspect::{self, DETECTORS};

use crate::support::archives::{between, fresh, update};

type Files = &'static [(&'static str, &'static str)];

/// An update on which a detector speaks, and a near miss.
struct Case {
    old: Files,
    new: Files,
    near: (Files, Files),
    topic: Topic,
    shift: Shift,
    part: Part,
    /// A part of what it says, and of the witness.
    says: &'static str,
    witness: &'static str,
}

fn plain(topic: Topic, says: &'static str, old: Files, new: Files, near: (Files, Files)) -> Case {
    Case {
        old,
        new,
        near,
        topic,
        shift: Shift::Gained,
        part: Part::Library,
        says,
        witness: "src/lib.rs",
    }
}

const EMPTY: Files = &[("src/lib.rs", "pub fn f() {}")];

#[expect(
    clippy::too_many_lines,
    reason = "one entry for each detector, best read as one table"
)]
fn cases() -> Vec<(&'static str, Case)> {
    vec![
        (
            "announced",
            Case {
                part: Part::Metadata,
                witness: "CHANGELOG.md",
                ..plain(
                    Topic::Announced,
                    "a leak",
                    EMPTY,
                    &[
                        ("src/lib.rs", "pub fn f() {}"),
                        (
                            "CHANGELOG.md",
                            "# 1.0.1\n\n- Fix a memory leak.\n\n# 1.0.0\n\nFirst.\n",
                        ),
                    ],
                    (
                        EMPTY,
                        &[
                            ("src/lib.rs", "pub fn f() {}"),
                            (
                                "CHANGELOG.md",
                                "# 1.0.1\n\n- Docs about tea leaves.\n\n# 1.0.0\n\n- Fix a leak.\n",
                            ),
                        ],
                    ),
                )
            },
        ),
        (
            "api",
            Case {
                shift: Shift::Lost,
                witness: "src/a.rs",
                ..plain(
                    Topic::Api,
                    "gone_now",
                    &[
                        ("src/lib.rs", "pub mod a;"),
                        ("src/a.rs", "pub fn gone_now() {}"),
                    ],
                    &[("src/lib.rs", "pub mod a;"), ("src/a.rs", "")],
                    (
                        &[
                            ("src/lib.rs", "mod a;"),
                            ("src/a.rs", "pub fn gone_now() {}"),
                        ],
                        &[("src/lib.rs", "mod a;"), ("src/a.rs", "")],
                    ),
                )
            },
        ),
        (
            "archive-shape",
            Case {
                part: Part::Archive,
                witness: "thing-1.0.1/a\u{fffd}b",
                ..plain(
                    Topic::Archive,
                    "control characters",
                    EMPTY,
                    &[("src/lib.rs", "pub fn f() {}"), ("a\u{1b}b", "")],
                    (EMPTY, &[("src/lib.rs", "pub fn f() {}"), ("a b", "")]),
                )
            },
        ),
        (
            "blobs",
            Case {
                part: Part::Archive,
                witness: "src/tool",
                ..plain(
                    Topic::Executable,
                    "ELF",
                    EMPTY,
                    &[
                        ("src/lib.rs", "pub fn f() {}"),
                        ("src/tool", "\u{7f}ELF...."),
                    ],
                    (
                        &[("src/lib.rs", "pub fn f() {}"), ("tool", "\u{7f}ELF....")],
                        &[
                            ("src/lib.rs", "pub fn f() {}"),
                            ("moved/tool", "\u{7f}ELF...."),
                        ],
                    ),
                )
            },
        ),
        (
            "build-script",
            Case {
                part: Part::BuildScript,
                witness: "build.rs",
                ..plain(
                    Topic::BuildScript,
                    "build script",
                    EMPTY,
                    &[
                        ("src/lib.rs", "pub fn f() {}"),
                        ("build.rs", "fn main() {}"),
                    ],
                    (
                        &[("src/lib.rs", ""), ("build.rs", "fn main() {}")],
                        &[
                            ("src/lib.rs", "fn x() {}"),
                            ("build.rs", "// a comment\nfn main() { }"),
                        ],
                    ),
                )
            },
        ),
        (
            "capabilities",
            plain(
                Topic::Network,
                "std::net::TcpStream",
                EMPTY,
                &[(
                    "src/lib.rs",
                    "use std::net as wire;\npub fn f() { wire::TcpStream::connect(\"a\"); }",
                )],
                (
                    &[
                        ("src/lib.rs", "mod a; pub fn f() {}"),
                        ("src/a.rs", "fn g() { std::net::TcpStream::connect(1); }"),
                    ],
                    &[
                        (
                            "src/lib.rs",
                            "mod a; pub fn f() { std::net::TcpStream::connect(2); }",
                        ),
                        ("src/a.rs", "fn g() { std::net::TcpStream::connect(1); }"),
                    ],
                ),
            ),
        ),
        (
            "channels",
            plain(
                Topic::UnboundedChannel,
                "unbounded_channel",
                EMPTY,
                &[(
                    "src/lib.rs",
                    "use tokio::sync::mpsc; pub fn f() { let x = mpsc::unbounded_channel(); }",
                )],
                (
                    EMPTY,
                    &[(
                        "src/lib.rs",
                        "use tokio::sync::mpsc; pub fn f() { let x = mpsc::channel(8); }",
                    )],
                ),
            ),
        ),
        (
            "commit",
            Case {
                part: Part::Metadata,
                shift: Shift::Lost,
                witness: ".cargo_vcs_info.json",
                ..plain(
                    Topic::Commit,
                    "the commit",
                    &[
                        ("src/lib.rs", ""),
                        (".cargo_vcs_info.json", "{\"git\":{\"sha1\":\"a\"}}"),
                    ],
                    &[("src/lib.rs", "")],
                    (
                        &[
                            ("src/lib.rs", ""),
                            (".cargo_vcs_info.json", "{\"git\":{\"sha1\":\"a\"}}"),
                        ],
                        &[
                            ("src/lib.rs", "fn f() {}"),
                            (".cargo_vcs_info.json", "{\"git\":{\"sha1\":\"b\"}}"),
                        ],
                    ),
                )
            },
        ),
        (
            "drops",
            Case {
                shift: Shift::Lost,
                ..plain(
                    Topic::Drop,
                    "Drop of Guard",
                    &[(
                        "src/lib.rs",
                        "pub struct Guard; impl Drop for Guard { fn drop(&mut self) { free(); } }",
                    )],
                    &[("src/lib.rs", "pub struct Guard;")],
                    (
                        &[(
                            "src/lib.rs",
                            "pub struct Guard; impl Drop for Guard { fn drop(&mut self) { free(); } }",
                        )],
                        &[("src/lib.rs", "")],
                    ),
                )
            },
        ),
        (
            "encoded-text",
            plain(
                Topic::Opaque,
                "encoded text",
                EMPTY,
                &[(
                    "src/lib.rs",
                    concat!("const X: &str = \"", "4142ab9d33f0", "QUJD0011", "\";"),
                )],
                (EMPTY, &[("src/lib.rs", "const X: &str = \"a short one\";")]),
            ),
        ),
        (
            "foreign",
            plain(
                Topic::Foreign,
                "foreign functions",
                EMPTY,
                &[("src/lib.rs", "extern \"C\" { fn other_side(); }")],
                (EMPTY, &[("src/lib.rs", "pub extern \"C\" fn mine() {}")]),
            ),
        ),
        (
            "global-state",
            plain(
                Topic::GlobalState,
                "static SEEN: a collection that can grow",
                EMPTY,
                &[(
                    "src/lib.rs",
                    "static SEEN: Mutex<HashMap<u8, u8>> = Mutex::new(HashMap::new());",
                )],
                (
                    EMPTY,
                    &[("src/lib.rs", "static NAMES: &[&str] = &[\"a\"];")],
                ),
            ),
        ),
        (
            "handles",
            plain(
                Topic::Handle,
                "descriptors",
                EMPTY,
                &[("src/lib.rs", "pub fn f(x: F) { x.into_raw_fd(); }")],
                (
                    EMPTY,
                    &[(
                        "src/lib.rs",
                        "pub fn f(x: F) { F::from_raw_fd(x.into_raw_fd()); }",
                    )],
                ),
            ),
        ),
        (
            "leaks",
            plain(
                Topic::Leak,
                "mem::forget",
                EMPTY,
                &[(
                    "src/lib.rs",
                    "use core::mem; pub fn f() { mem::forget(1); }",
                )],
                (
                    &[("src/lib.rs", "pub fn g() { std::mem::forget(1); }")],
                    &[(
                        "src/lib.rs",
                        "use std::mem::forget; pub fn moved() { forget(1); }",
                    )],
                ),
            ),
        ),
        (
            "limits",
            Case {
                shift: Shift::Changed,
                ..plain(
                    Topic::Limit,
                    "MAX_BUFFER: 8*1024 -> 64*1024",
                    &[("src/lib.rs", "const MAX_BUFFER: usize = 8 * 1024;")],
                    &[("src/lib.rs", "const MAX_BUFFER: usize = 64 * 1024;")],
                    (
                        &[("src/lib.rs", "const NAME: usize = 8;")],
                        &[("src/lib.rs", "const NAME: usize = 64;")],
                    ),
                )
            },
        ),
        (
            "manual-memory",
            plain(
                Topic::ManualMemory,
                "references taken",
                &[("src/lib.rs", "fn f(h: H) { h.ref_inc(); h.ref_dec(); }")],
                &[("src/lib.rs", "fn f(h: H) { h.ref_inc(); }")],
                (
                    EMPTY,
                    &[("src/lib.rs", "fn f(h: H) { h.ref_inc(); h.ref_dec(); }")],
                ),
            ),
        ),
        (
            "metadata",
            Case {
                part: Part::Metadata,
                shift: Shift::Changed,
                witness: "Cargo.toml",
                ..plain(
                    Topic::Metadata,
                    "licence: MIT -> AGPL-3.0",
                    &[
                        ("src/lib.rs", ""),
                        ("Cargo.toml", "[package]\nname='thing'\nlicense='MIT'"),
                    ],
                    &[
                        ("src/lib.rs", ""),
                        ("Cargo.toml", "[package]\nname='thing'\nlicense='AGPL-3.0'"),
                    ],
                    (
                        &[
                            ("src/lib.rs", ""),
                            ("Cargo.toml", "[package]\nname='thing'\nversion='1.0.0'"),
                        ],
                        &[
                            ("src/lib.rs", ""),
                            ("Cargo.toml", "[package]\nname='thing'\nversion='1.0.1'"),
                        ],
                    ),
                )
            },
        ),
        (
            "native-sources",
            Case {
                part: Part::BuildScript,
                shift: Shift::Changed,
                witness: "c/a.c",
                ..plain(
                    Topic::NativeSources,
                    "native sources",
                    &[("build.rs", ""), ("c/a.c", "int a;")],
                    &[("build.rs", ""), ("c/a.c", "int b;")],
                    (
                        &[("build.rs", ""), ("tests/a.c", "int a;")],
                        &[("build.rs", ""), ("tests/a.c", "int b;")],
                    ),
                )
            },
        ),
        (
            "releases",
            Case {
                shift: Shift::Lost,
                ..plain(
                    Topic::Release,
                    "clear",
                    &[("src/lib.rs", "pub fn f(x: V) { x.clear(); x.len(); }")],
                    &[("src/lib.rs", "pub fn f(x: V) { x.len(); }")],
                    (
                        &[("src/lib.rs", "pub fn f(x: V) { x.clear(); }")],
                        &[(
                            "src/lib.rs",
                            "pub fn f(x: V) { g(x); } fn g(x: V) { x.clear(); }",
                        )],
                    ),
                )
            },
        ),
        (
            "tasks",
            plain(
                Topic::Task,
                "tokio::spawn",
                EMPTY,
                &[("src/lib.rs", "pub fn f() { tokio::spawn(async {}); }")],
                (
                    EMPTY,
                    &[(
                        "src/lib.rs",
                        "pub fn f() { let h = tokio::spawn(async {}); keep(h); }",
                    )],
                ),
            ),
        ),
        (
            "unsafe-code",
            plain(
                Topic::Unsafe,
                "unsafe",
                EMPTY,
                &[("src/lib.rs", "macro_rules! m { () => { unsafe { x() } } }")],
                (
                    &[("src/lib.rs", "fn a() { unsafe { x() } }")],
                    &[
                        ("src/lib.rs", "mod b; fn y() {}"),
                        ("src/b.rs", "fn a() { unsafe { x() } }"),
                    ],
                ),
            ),
        ),
        (
            "whole-bodies",
            plain(
                Topic::WholeBody,
                "read_to_end",
                EMPTY,
                &[("src/lib.rs", "pub fn f(r: R) { r.read_to_end(&mut v); }")],
                (
                    EMPTY,
                    &[(
                        "src/lib.rs",
                        "pub fn f(r: R) { r.take(9).read_to_end(&mut v); }",
                    )],
                ),
            ),
        ),
    ]
}

fn finds(delta: &SourceDelta, case: &Case) -> bool {
    delta.findings.iter().any(|finding| {
        (finding.topic, finding.shift, finding.part) == (case.topic, case.shift, case.part)
            && finding.what.contains(case.says)
            && finding.count > 0
            && finding
                .witnesses
                .iter()
                .any(|place| place.file == case.witness)
    })
}

#[test]
fn each_detector_speaks_on_its_case_and_is_quiet_on_a_near_miss() {
    let cases = cases();
    let named: Vec<&str> = cases.iter().map(|(id, _)| *id).collect();
    let all: Vec<&str> = DETECTORS.iter().map(|detector| detector.id).collect();
    assert_eq!(named, all);
    for (id, case) in &cases {
        let long = "4142ab9d33f0".repeat(120);
        let lengthen = |files: Files| -> Vec<(&str, String)> {
            files
                .iter()
                .map(|(path, text)| (*path, text.replace("4142ab9d33f0", &long)))
                .collect()
        };
        let (old, new) = (lengthen(case.old), lengthen(case.new));
        let old: Vec<(&str, &str)> = old
            .iter()
            .map(|(path, text)| (*path, text.as_str()))
            .collect();
        let new: Vec<(&str, &str)> = new
            .iter()
            .map(|(path, text)| (*path, text.as_str()))
            .collect();
        let delta = update(&old, &new);
        assert!(finds(&delta, case), "{id}: {:#?}", delta.findings);
        let near = update(case.near.0, case.near.1);
        let topics = [case.topic];
        let said: Vec<_> = near.on(&topics).collect();
        assert!(said.is_empty(), "{id}: {said:#?}");
    }
}

#[test]
fn each_topic_belongs_to_one_detector_and_the_table_is_sorted() {
    let topics: Vec<Topic> = DETECTORS.iter().flat_map(|d| d.topics).copied().collect();
    let distinct: BTreeSet<Topic> = topics.iter().copied().collect();
    assert_eq!(topics.len(), distinct.len());
    assert_eq!(distinct.len(), Topic::ALL.len());
    assert!(DETECTORS.windows(2).all(|pair| pair[0].id < pair[1].id));
    assert!(DETECTORS.iter().all(|d| d.what.ends_with('.')));
}

#[test]
fn what_is_for_tests_only_is_not_looked_at() {
    let leak = "pub fn f() { std::mem::forget(1); }";
    for files in [
        [("src/lib.rs", "pub fn f() {}"), ("tests/a.rs", leak)],
        [("src/lib.rs", "#[cfg(test)] mod t;"), ("src/t.rs", leak)],
        [
            (
                "src/lib.rs",
                "#[cfg(test)] mod t { fn f() { std::mem::forget(1); } }",
            ),
            ("a", ""),
        ],
        [("src/lib.rs", "pub fn f() {}"), ("src/main.rs", leak)],
    ] {
        let delta = update(EMPTY, &files);
        assert_eq!(delta.on(&[Topic::Leak]).count(), 0, "{files:?}");
    }
    for files in [
        [("src/lib.rs", "mod t;"), ("src/t/mod.rs", leak)],
        [
            ("src/lib.rs", "#[path = \"../odd.rs\"] mod t;"),
            ("odd.rs", leak),
        ],
        [("src/lib.rs", "include!(\"t.in\");"), ("src/t.in", leak)],
        [
            (
                "src/lib.rs",
                "macro_rules! m { ($x:ident) => { mod $x; } } m!(t);",
            ),
            ("src/t.rs", leak),
        ],
        [("src/lib.rs", "mod a { pub mod t; }"), ("src/a/t.rs", leak)],
        [
            ("src/lib.rs", "cfg_if! { if #[cfg(x)] { mod t; } }"),
            ("src/t.rs", leak),
        ],
        [
            ("src/lib.rs", "#[cfg_attr(x, path = \"u.rs\")] mod t;"),
            ("src/u.rs", leak),
        ],
    ] {
        let delta = update(EMPTY, &files);
        assert_eq!(delta.on(&[Topic::Leak]).count(), 1, "{files:?}");
    }
}

#[test]
fn the_same_code_is_seen_as_the_same() {
    let old = [
        ("src/lib.rs", "mod a;"),
        ("src/a.rs", "fn f() {}"),
        ("README.md", "a"),
    ];
    let mut new = old;
    new[2].1 = "b";
    let delta = update(&old, &new);
    assert!(
        delta.same_code && delta.findings.is_empty(),
        "{:?}",
        delta.findings
    );
    new[1].1 = "fn g() {}";
    assert!(!update(&old, &new).same_code);
    let delta = fresh(&old);
    assert!(!delta.same_code && delta.before.is_none());
    assert_eq!((delta.after.files, delta.after.compiled_files), (4, 2));
}

#[test]
fn imports_re_exports_and_macros_do_not_hide_what_is_used() {
    let hidden: [Files; 4] = [
        &[
            (
                "src/lib.rs",
                "mod sys; use crate::sys::Run; pub fn f() { Run::new(\"sh\"); }",
            ),
            ("src/sys.rs", "pub use std::process::Command as Run;"),
        ],
        &[(
            "src/lib.rs",
            "use std::{self as s}; pub fn f() { s::process::Command::new(\"sh\"); }",
        )],
        &[(
            "src/lib.rs",
            "macro_rules! m { () => { ::std::process::Command::new(\"sh\") } }",
        )],
        &[(
            "src/lib.rs",
            "use std::process::*; pub fn f() { Command::new(\"sh\"); }",
        )],
    ];
    for files in hidden {
        let delta = update(EMPTY, files);
        assert!(
            delta.on(&[Topic::Process]).count() > 0,
            "{files:?}: {:?}",
            delta.findings
        );
    }
}

#[test]
fn a_new_package_says_what_it_can_do_and_no_more() {
    let files = [
        (
            "src/lib.rs",
            "pub fn f() { unsafe { x() } std::mem::forget(1); }",
        ),
        (
            "build.rs",
            "fn main() { std::process::Command::new(\"curl\"); }",
        ),
    ];
    let delta = fresh(&files);
    let topics: Vec<_> = delta
        .findings
        .iter()
        .map(|finding| (finding.topic, finding.part))
        .collect();
    assert_eq!(topics, [(Topic::Process, Part::BuildScript)]);
}

#[test]
fn only_compatible_releases_may_not_lose_public_items() {
    let (old, new): (Files, Files) = (
        &[("src/lib.rs", "pub fn gone_now() {}")],
        &[("src/lib.rs", "")],
    );
    assert_eq!(
        between(("1.0.0", old), ("1.1.0", new))
            .on(&[Topic::Api])
            .count(),
        1
    );
    assert_eq!(
        between(("1.0.0", old), ("2.0.0", new))
            .on(&[Topic::Api])
            .count(),
        0
    );
}

#[test]
fn what_is_stored_is_what_is_read() {
    for (_, case) in cases() {
        let delta = update(case.old, case.new);
        assert_eq!(inspect::decode(&inspect::encode(&delta)), Some(delta));
    }
    assert_eq!(inspect::decode(b"{}"), None);
}
