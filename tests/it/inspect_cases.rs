//! For each detector an update on which it speaks, and a near miss.

use cargo_canary::facts::{Part, Shift, Topic};

/// The files of a package.
pub(crate) type Files = &'static [(&'static str, &'static str)];

/// An update on which a detector speaks, and a near miss.
pub(crate) struct Case {
    pub(crate) old: Files,
    pub(crate) new: Files,
    pub(crate) near: (Files, Files),
    pub(crate) topic: Topic,
    pub(crate) shift: Shift,
    pub(crate) part: Part,
    /// A part of what it says, and of the witness.
    pub(crate) says: &'static str,
    pub(crate) witness: &'static str,
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

/// A package with next to nothing in it.
pub(crate) const EMPTY: Files = &[("src/lib.rs", "pub fn f() {}")];

#[expect(
    clippy::too_many_lines,
    reason = "one entry for each detector, best read as one table"
)]
pub(crate) fn cases() -> Vec<(&'static str, Case)> {
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
