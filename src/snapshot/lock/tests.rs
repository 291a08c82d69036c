//! Each lock format, each error, and the agreement of the two readers.

use std::path::{Path, PathBuf};
use std::time::Instant;

use proptest::prelude::*;

use super::*;
use crate::host::Host;
use crate::pkg::Source;

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";
const SUM: &str = "d4f2e5c5a1b0c3d2e1f0a9b8c7d6e5f4a3b2c1d0e9f8a7b6c5d4e3f2a1b0c9d8";

/// The second way: any TOML.
fn by_tables(text: &str, path: &str) -> Result<LockFile, LockError> {
    resolve::build(tables::read(text, path)?, path)
}

fn read(text: &str) -> LockFile {
    let fast = lines::read(text).map(|raw| resolve::build(raw, "Cargo.lock").unwrap());
    let slow = by_tables(text, "Cargo.lock").unwrap();
    if let Some(fast) = fast {
        assert_eq!(fast, slow);
    }
    slow
}

fn error(text: &str) -> LockError {
    parse(text, "Cargo.lock").unwrap_err()
}

fn ids(lock: &LockFile, of: &str) -> Vec<String> {
    let package = lock
        .packages
        .iter()
        .find(|p| p.id.to_string() == of)
        .unwrap();
    package
        .dependencies
        .iter()
        .map(|&to| {
            let id = &lock.packages[to].id;
            format!("{id} {}", id.source)
        })
        .collect()
}

fn package(name: &str, version: &str, rest: &str) -> String {
    format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n{rest}\n")
}

fn registry(name: &str, version: &str) -> String {
    package(
        name,
        version,
        &format!("source = \"{REGISTRY}\"\nchecksum = \"{SUM}\""),
    )
}

fn depends(name: &str, on: &str) -> String {
    package(name, "0.1.0", &format!("dependencies = [\n \"{on}\",\n]"))
}

#[test]
fn format_1_has_root_full_names_and_checksums_apart() {
    let text = format!(
        "[root]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\n \"b 1.0.0 ({REGISTRY})\",\n \"c 0.2.0 (git+https://h.example/c)\",\n]\n\n\
         [[package]]\nname = \"b\"\nversion = \"1.0.0\"\nsource = \"{REGISTRY}\"\n\n\
         [[package]]\nname = \"c\"\nversion = \"0.2.0\"\nsource = \"git+https://h.example/c#0123\"\n\n\
         [metadata]\n\"checksum b 1.0.0 ({REGISTRY})\" = \"{SUM}\"\n\"checksum c 0.2.0 (git+https://h.example/c)\" = \"<none>\"\n\
         \"checksum gone 1.0.0 ({REGISTRY})\" = \"{SUM}\"\n"
    );
    assert!(lines::read(&text).is_some());
    let lock = read(&text);
    assert_eq!(lock.version, 1);
    assert_eq!(
        ids(&lock, "app@0.1.0"),
        ["b@1.0.0 crates.io", "c@0.2.0 git+https://h.example/c#0123"]
    );
    let sums: Vec<_> = lock
        .packages
        .iter()
        .map(|p| p.checksum.as_deref())
        .collect();
    assert_eq!(sums, [None, Some(SUM), None]);
    assert_eq!(
        lock.packages.iter().map(|p| p.line).collect::<Vec<_>>(),
        [2, 10, 15]
    );
}

#[test]
fn formats_2_to_4_use_the_shortest_name() {
    let body = [
        depends("app", "twice 2.0.0"),
        depends("web", &format!("same 1.0.0 ({REGISTRY})")),
        depends("xml", "same 1.0.0"),
        registry("same", "1.0.0"),
        package("same", "1.0.0", ""),
        registry("twice", "1.0.0"),
        registry("twice", "2.0.0"),
        depends("zoo", "xml"),
    ]
    .join("\n");
    for (head, version) in [("", 2), ("version = 3\n\n", 3), ("version = 4\n\n", 4)] {
        let lock = read(&format!("# comment\n{head}{body}"));
        assert_eq!(lock.version, version);
        assert_eq!(ids(&lock, "app@0.1.0"), ["twice@2.0.0 crates.io"]);
        assert_eq!(ids(&lock, "web@0.1.0"), ["same@1.0.0 crates.io"]);
        assert_eq!(ids(&lock, "xml@0.1.0"), ["same@1.0.0 local"]);
        assert_eq!(ids(&lock, "zoo@0.1.0"), ["xml@0.1.0 local"]);
    }
}

#[test]
fn a_git_reference_is_the_same_in_format_3_and_4() {
    let git = |url: &str| package("a", "1.0.0", &format!("source = \"{url}\""));
    let old = read(&format!(
        "version = 3\n\n{}",
        git("git+https://h.example/a?branch=x/y+z#0123")
    ));
    let new = read(&format!(
        "version = 4\n\n{}",
        git("git+https://h.example/a?branch=x%2Fy%2Bz#0123")
    ));
    assert_eq!(old.packages, new.packages);
    let expected = Some("branch=x/y+z".to_owned());
    assert!(
        matches!(&new.packages[0].id.source, Source::Git { reference, .. } if *reference == expected)
    );
    assert!(matches!(
        error(&format!(
            "version = 4\n\n{}",
            git("git+https://h.example/a?branch=%0A#0123")
        )),
        LockError::Source { line: 4, .. }
    ));
}

#[test]
fn a_dependency_on_one_of_several_repositories_is_found_by_its_address() {
    let one = |url: &str| {
        package(
            "a",
            "1.0.0",
            &format!("source = \"git+https://h.example/{url}\""),
        )
    };
    let text = [
        depends("app", "a 1.0.0 (git+https://h.example/y?tag=v1)"),
        one("x#01"),
        one("y?tag=v1#02"),
        one("y?tag=v2#03"),
    ]
    .join("\n");
    assert_eq!(
        ids(&read(&text), "app@0.1.0"),
        ["a@1.0.0 git+https://h.example/y?tag=v1#02"]
    );
}

#[test]
fn other_spellings_of_a_source_are_understood() {
    for (own, named) in [
        (
            "git+https://h.example/a?branch=master#01",
            "git+https://h.example/a",
        ),
        ("git+https://h.example/a.git#01", "git+https://h.example/a/"),
        ("git+https://h.example/a#01", "git+https://h.example/a#01"),
        (REGISTRY, "sparse+https://index.crates.io/"),
    ] {
        let text = [
            depends("app", &format!("a 1.0.0 ({named})")),
            package("a", "1.0.0", &format!("source = \"{own}\"")),
        ]
        .join("\n");
        assert_eq!(ids(&read(&text), "app@0.1.0").len(), 1, "{named}");
    }
    let text = [
        depends("app", "a 1.0.0 (git+https://h.example/a#02)"),
        package("a", "1.0.0", "source = \"git+https://h.example/a#01\""),
    ]
    .join("\n");
    assert!(matches!(error(&text), LockError::Dangling { .. }));
}

#[test]
fn replacements_and_unused_patches_are_understood() {
    let text = [
        package("a", "1.0.0", "replace = \"a 1.0.0\"").replace("\nreplace", &format!("\nsource = \"{REGISTRY}\"\nreplace")),
        package("a", "1.0.0", ""),
        "[[patch.unused]]\nname = \"u\"\nversion = \"1.0.0\"\nsource = \"git+https://h.example/u#01\"\n".into(),
    ]
    .join("\n");
    assert!(lines::read(&text).is_some());
    let lock = read(&text);
    assert_eq!(lock.packages.len(), 2);
    assert_eq!(
        lock.packages.iter().map(|p| p.replace).collect::<Vec<_>>(),
        [Some(1), None]
    );
}

#[test]
fn a_byte_order_mark_and_other_line_ends_change_nothing() {
    let text = [depends("app", "b"), registry("b", "1.0.0")].join("\n");
    let plain = parse(&text, "Cargo.lock").unwrap();
    let dos = format!("\u{feff}{}", text.replace('\n', "\r\n"));
    assert!(lines::read(&text.replace('\n', "\r\n")).is_some());
    assert_eq!(parse(&dos, "Cargo.lock").unwrap(), plain);
    assert_eq!(parse(text.trim_end(), "Cargo.lock").unwrap(), plain);
}

#[test]
fn any_other_toml_is_read_too() {
    let text = "package = [{ version = '1.0.0', name = \"\\u0061\", dependencies = [\"b\"] }, { name = 'b', version = '2.0.0' }]\nother = { x = [1] }\n";
    assert!(lines::read(text).is_none());
    let lock = read(text);
    assert_eq!(ids(&lock, "a@1.0.0"), ["b@2.0.0 local"]);
}

#[test]
fn what_toml_refuses_is_never_taken_by_the_line_reader() {
    let twice = format!("[metadata]\n\"checksum b 1.0.0 ({REGISTRY})\" = \"{SUM}\"\n");
    for text in [
        "[[package]]\nname = \"a\"\nname = \"b\"\nversion = \"1.0.0\"\n".to_owned(),
        "[[package]]\nname = \"a\u{1}\"\nversion = \"1.0.0\"\n".to_owned(),
        "[[package]]\nname = \"a\"\r\r\nversion = \"1.0.0\"\n".to_owned(),
        "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\ndependencies = [\n".to_owned(),
        format!("{twice}{}", twice.split_once('\n').unwrap().1),
        format!("{twice}{twice}"),
        "version = 03\n".to_owned(),
        "[root]\nname = \"a\"\nversion = \"1.0.0\"\n[root]\nname = \"b\"\nversion = \"1.0.0\"\n"
            .to_owned(),
    ] {
        assert!(toml::from_str::<toml::Table>(&text).is_err(), "{text}");
        assert!(lines::read(&text).is_none(), "{text}");
        assert!(matches!(error(&text), LockError::Syntax { .. }), "{text}");
    }
}

#[test]
fn a_conflict_names_its_line_and_both_labels() {
    let text = format!(
        "version = 3\n\n[[package]]\nname = \"a\"\n<<<<<<< HEAD\nversion = \"1.0.0\"\n||||||| base\n=======\nversion = \"1.1.0\"\n>>>>>>> feature/\u{202e}x\n{}",
        registry("b", "1.0.0")
    );
    assert_eq!(
        error(&text),
        LockError::Conflict {
            path: "Cargo.lock".into(),
            line: 5,
            ours: "HEAD".into(),
            theirs: "feature/\\u{202e}x".into()
        }
    );
    assert!(matches!(
        error("x\n<<<<<<< HEAD\n"),
        LockError::Conflict { line: 2, .. }
    ));
}

#[test]
fn an_unknown_format_is_an_error() {
    for version in ["5", "0", "999999999", "-1"] {
        let text = format!("# x\nversion = {version}\n\n{}", registry("a", "1.0.0"));
        assert!(
            matches!(error(&text), LockError::Format { line: 2, version: v, .. } if v == version)
        );
    }
}

#[test]
fn what_is_listed_is_read_where_what_it_needs_is_missing() {
    let torn = [depends("app", "gone"), registry("a", "1.0.0")].join("\n");
    assert!(parse(&torn, "x").is_err());
    let lock = listed(torn.as_bytes(), "x").unwrap();
    let names: Vec<&str> = lock.packages.iter().map(|it| it.id.name.as_str()).collect();
    assert_eq!(names, ["a", "app"]);
    assert!(lock.packages.iter().all(|it| it.dependencies.is_empty()));
    // What is wrong with the list itself is still an error.
    let twice = [registry("a", "1.0.0"), registry("a", "1.0.0")].join("\n");
    assert!(listed(twice.as_bytes(), "x").is_err());
    assert!(listed(b"\xff", "x").is_err());
}

#[test]
fn every_broken_part_is_named_with_its_line() {
    let a = registry("a", "1.0.0");
    let cases = [
        (
            format!("{a}\n{a}"),
            "Cargo.lock:8: `a@1.0.0 (crates.io)` is listed a second time; the first is on line 2",
        ),
        (
            depends("app", "gone"),
            "Cargo.lock:5: `app@0.1.0` depends on `gone`, which is not in the lock file",
        ),
        (
            [depends("app", "a 2.0.0"), a.clone()].join("\n"),
            "Cargo.lock:5: `app@0.1.0` depends on `a 2.0.0`, which is not in the lock file",
        ),
        (
            [depends("app", "a 1.0.0 x"), a.clone()].join("\n"),
            "Cargo.lock:5: `app@0.1.0` depends on `a 1.0.0 x`, which is not in the lock file",
        ),
        (
            [
                depends("app", "a"),
                registry("a", "1.0.0"),
                registry("a", "2.0.0"),
            ]
            .join("\n"),
            "Cargo.lock:5: `app@0.1.0` depends on `a`, which 2 packages match",
        ),
        (
            [
                depends("app", "a 1.0.0"),
                registry("a", "1.0.0"),
                package("a", "1.0.0", "source = \"git+https://h.example/a#01\""),
            ]
            .join("\n"),
            "Cargo.lock:5: `app@0.1.0` depends on `a 1.0.0`, which 2 packages match",
        ),
        (
            a.replace(SUM, "12ab"),
            "Cargo.lock:2: the checksum of `a@1.0.0` is not 64 hex digits: `12ab`",
        ),
        (
            registry("a/b", "1.0.0"),
            "Cargo.lock:2: `a/b` is not a package name",
        ),
        (
            registry("é", "1.0.0"),
            "Cargo.lock:2: `é` is not a package name",
        ),
        (
            package("a\\u0007", "1.0.0", ""),
            "Cargo.lock:2: `a\\u{7}` is not a package name",
        ),
        (
            package("-a", "1.0.0", ""),
            "Cargo.lock:2: `-a` is not a package name",
        ),
        (
            package("a\u{202e}b", "1.0.0", ""),
            "Cargo.lock:2: `a\\u{202e}b` is not a package name",
        ),
        (
            package("", "1.0.0", ""),
            "Cargo.lock:2: `` is not a package name",
        ),
        (
            package("a", "1.0", ""),
            "Cargo.lock:2: `1.0` is not a version of `a`: unexpected end of input while parsing minor version number",
        ),
        (
            package("a", "1.0.0", "source = \"ftp+x\""),
            "Cargo.lock:2: the source of `a` is not usable",
        ),
        (
            package("a", "1.0.0", "source = \"path+file:///x\""),
            "Cargo.lock:2: the source of `a` is not usable",
        ),
        (
            "[[package]]\nname = \"a\"\n".to_owned(),
            "Cargo.lock:1:1: missing field `version`",
        ),
        (
            "[[package]]\nname = \"a\nversion = \"1.0.0\"\n".to_owned(),
            "Cargo.lock:2:10: invalid basic string, expected `\"`",
        ),
        (
            format!(
                "{a}\n[metadata]\n\"checksum a 1.0.0 ({REGISTRY})\" = \"{}\"\n",
                SUM.replace('d', "e")
            ),
            "Cargo.lock:8: a second, different checksum for `a@1.0.0`",
        ),
        (String::new(), "Cargo.lock holds no package"),
        (
            "# only a comment\n".to_owned(),
            "Cargo.lock holds no package",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(error(&text).to_string(), expected);
    }
}

#[test]
fn names_of_other_scripts_are_for_local_packages() {
    let lock = read(&package("größe", "1.0.0", ""));
    assert_eq!(lock.packages[0].id.name, "größe");
}

#[test]
fn a_lock_without_packages_is_fine_when_it_states_its_format() {
    assert_eq!(
        read("version = 4\n"),
        LockFile {
            version: 4,
            packages: Vec::new()
        }
    );
}

#[test]
fn too_large_a_file_is_not_read() {
    let text = "#".repeat(usize::try_from(MAX_BYTES).unwrap() + 1);
    assert!(matches!(error(&text), LockError::TooLarge { .. }));
}

#[test]
fn bytes_that_are_no_text_are_an_error() {
    let expected = LockError::NotText {
        path: "x".into(),
        offset: 2,
    };
    assert_eq!(parse_bytes(b"# \xff", "x"), Err(expected));
}

/// A lock file with `count` packages as cargo writes it.
pub(super) fn synthetic(count: usize) -> String {
    let mut parts = vec!["version = 4\n\n".to_owned()];
    for at in 0..count {
        let on: Vec<String> = [1, 2, 5, 11, 40]
            .iter()
            .filter(|&&step| at + step < count)
            .map(|step| format!(" \"package-{:06}\",\n", at + step))
            .collect();
        let source = if at == 0 {
            String::new()
        } else {
            format!("source = \"{REGISTRY}\"\nchecksum = \"{SUM}\"\n")
        };
        let list = if on.is_empty() {
            String::new()
        } else {
            format!("dependencies = [\n{}]\n", on.concat())
        };
        parts.push(format!(
            "[[package]]\nname = \"package-{at:06}\"\nversion = \"1.{at}.0\"\n{source}{list}\n"
        ));
    }
    parts.concat()
}

#[test]
fn the_time_grows_with_the_size_and_no_faster() {
    let took = |count: usize| {
        let text = synthetic(count);
        let best = (0..5).map(|_| {
            let start = Instant::now();
            assert_eq!(parse(&text, "Cargo.lock").unwrap().packages.len(), count);
            start.elapsed()
        });
        let best = best.min().unwrap();
        println!("{count} packages: {best:?}");
        best
    };
    let (small, _, large) = (took(1_000), took(10_000), took(20_000));
    assert!(
        large < small * 20 * 6,
        "{small:?} for 1,000 and {large:?} for 20,000"
    );
}

#[test]
fn many_versions_of_one_name_do_not_take_longer() {
    let count = 20_000;
    let mut parts = vec![package("app", "1.0.0", &{
        let on: Vec<String> = (0..count).map(|at| format!(" \"b 1.0.{at}\",\n")).collect();
        format!("dependencies = [\n{}]", on.concat())
    })];
    parts.extend((0..count).map(|at| registry("b", &format!("1.0.{at}"))));
    let start = Instant::now();
    let lock = parse(&parts.concat(), "Cargo.lock").unwrap();
    assert_eq!(lock.packages[0].dependencies.len(), count);
    assert!(start.elapsed().as_secs() < 5);
}

fn shared() -> Option<PathBuf> {
    let host = Host::real(None);
    let folder = match host.env.path("CANARY_SHARED_DATA") {
        Some(folder) => folder,
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
    };
    let found = host.files.kind(&folder).is_ok();
    if !found {
        println!("skipped: there is no {}", folder.display());
    }
    found.then_some(folder)
}

#[test]
fn both_readers_agree_on_real_lock_files() {
    let Some(folder) = shared() else { return };
    let host = Host::real(None);
    let mut seen = 0;
    for case in host.files.list(&folder.join("showcase")).unwrap() {
        for side in ["before.lock", "after.lock"] {
            let path = folder.join("showcase").join(&case.name).join(side);
            let Ok(bytes) = host.files.read(&path, MAX_BYTES) else {
                continue;
            };
            let text = String::from_utf8(bytes).unwrap();
            let raw = lines::read(&text)
                .unwrap_or_else(|| panic!("{} is in cargo's form", path.display()));
            let fast = resolve::build(raw, "x").unwrap();
            assert_eq!(fast, by_tables(&text, "x").unwrap());
            assert!(fast.packages.len() > 10);
            seen += 1;
        }
    }
    assert!(seen >= 20, "only {seen} lock files");
}

proptest! {
    #[test]
    fn a_damaged_file_is_read_alike_or_left_to_toml(at in 0_usize..600, with in "[ -~\n\"\\\\=\\[\\]]{0,6}", cut in 0_usize..8) {
        let text = ["version = 3\n\n".to_owned(), depends("app", "b"), registry("b", "1.0.0"),
            format!("[metadata]\n\"checksum b 1.0.0 ({REGISTRY})\" = \"{SUM}\"\n")].join("\n");
        let at = at.min(text.len());
        let end = (at + cut).min(text.len());
        let damaged = format!("{}{with}{}", &text[..at], &text[end..]);
        if let Some(raw) = lines::read(&damaged) {
            let slow = tables::read(&damaged, "x");
            prop_assert!(slow.is_ok(), "{damaged}");
            prop_assert_eq!(resolve::build(raw, "x"), resolve::build(slow.unwrap(), "x"));
        }
    }

    #[test]
    fn nothing_makes_it_panic(text in "\\PC{0,200}") {
        let _ = parse(&text, "x");
    }
}
