//! What an update makes of good and of bad databases.

use std::io::Write as _;

use super::*;
use crate::host::memory::MemoryHost;

const ARCHIVE: &str = "https://db.example/main.tar.gz";

fn now() -> Timestamp {
    "2026-08-21T12:00:00Z".parse().unwrap()
}

fn advisory(package: &str, id: &str, date: &str) -> String {
    format!(
        "```toml\n[advisory]\nid = \"{id}\"\npackage = \"{package}\"\ndate = \"{date}\"\n\
         [versions]\npatched = [\">= 1.0.0\"]\n```\n\n# A title\n\nProse.\n"
    )
}

fn checkout() -> MemoryHost {
    MemoryHost::new(now())
        .file("/db/README.md", "prose")
        .file(
            "/db/crates/b/RUSTSEC-2021-0002.md",
            advisory("b", "RUSTSEC-2021-0002", "2021-05-02"),
        )
        .file(
            "/db/crates/a/RUSTSEC-2020-0001.md",
            advisory("a", "RUSTSEC-2020-0001", "2020-05-01"),
        )
        .file("/db/crates/a/.hidden", "x")
}

fn from_directory(host: &MemoryHost) -> Result<Status, UpdateError> {
    update(
        &UpdateSource::Directory("/db".into()),
        &host.host(),
        Path::new("/cache"),
    )
}

fn written(host: &MemoryHost) -> String {
    let bytes = host
        .host()
        .files
        .read(Path::new("/cache/advisories.facts"), 1 << 20)
        .unwrap();
    String::from_utf8(bytes).unwrap()
}

fn archive(mtime: u64) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let content = advisory("a", "RUSTSEC-2020-0001", "2020-05-01");
    let mut header = tar::Header::new_ustar();
    header.set_size(content.len() as u64);
    header.set_mtime(mtime);
    header.set_cksum();
    builder
        .append_data(
            &mut header,
            "db-main/crates/a/RUSTSEC-2020-0001.md",
            content.as_bytes(),
        )
        .unwrap();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(&builder.into_inner().unwrap()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_checkout_becomes_a_sorted_file_of_facts() {
    let host = checkout();
    let status = from_directory(&host).unwrap();
    assert_eq!(status.advisories, 2);
    assert_eq!(status.problems, []);
    assert_eq!(status.snapshot_date, Date::constant(2021, 5, 2));
    assert_eq!(
        status.origin,
        super::super::Origin::File("/cache/advisories.facts".into())
    );
    assert_eq!(status.age_days(now()), 1937);
    let text = written(&host);
    let heads: Vec<_> = text.lines().filter(|line| line.starts_with("= ")).collect();
    assert_eq!(heads, ["= a RUSTSEC-2020-0001", "= b RUSTSEC-2021-0002"]);
    assert!(text.contains("CC0 1.0") && !text.contains("rose."));
    from_directory(&host).unwrap();
    assert_eq!(written(&host), text);
}

#[test]
fn a_bad_file_is_a_problem_and_the_others_still_count() {
    let host = checkout()
        .file(
            "/db/crates/a/RUSTSEC-2020-0009.md",
            "```toml\nnot = toml = at all\n```\n",
        )
        .file("/db/crates/c/RUSTSEC-2020-0008.md", vec![b'x'; 300 << 10])
        .file("/db/crates/c/notes.md", "x")
        .file("/db/crates/c\u{1b}[2J/RUSTSEC-2020-0007.md", "x")
        .file("/db/crates/c/RUSTSEC-0000-0000.md", "a draft");
    let status = from_directory(&host).unwrap();
    assert_eq!(status.advisories, 4);
    let about: Vec<_> = status
        .problems
        .iter()
        .map(|problem| (problem.package.as_deref(), problem.advisory.as_deref()))
        .collect();
    assert_eq!(
        about,
        [
            (None, None),
            (None, None),
            (Some("a"), Some("RUSTSEC-2020-0009")),
            (Some("c"), Some("RUSTSEC-2020-0008")),
        ]
    );
    for problem in &status.problems {
        assert!(
            !problem.to_string().contains(|c: char| c.is_control()),
            "{problem}"
        );
    }
}

#[test]
fn a_directory_without_advisories_is_an_error_and_nothing_is_written() {
    let host = MemoryHost::new(now()).file("/db/crates/a/notes.md", "x");
    assert!(matches!(
        from_directory(&host),
        Err(UpdateError::Empty { .. })
    ));
    let host = MemoryHost::new(now()).file("/db/README.md", "x");
    assert!(matches!(
        from_directory(&host),
        Err(UpdateError::Read { .. })
    ));
    assert!(
        host.host()
            .files
            .read(Path::new("/cache/advisories.facts"), 1)
            .is_err()
    );
}

#[test]
fn an_archive_is_dated_by_its_entries_but_never_in_the_future() {
    for (mtime, expected) in [
        (1_700_000_000, (2023, 11, 14)),
        (90_000_000_000, (2026, 8, 21)),
    ] {
        let host = MemoryHost::new(now()).file("/db.tar.gz", archive(mtime));
        let source = UpdateSource::Tarball("/db.tar.gz".into());
        let status = update(&source, &host.host(), Path::new("/cache")).unwrap();
        let (year, month, day) = expected;
        assert_eq!(status.snapshot_date, Date::constant(year, month, day));
        assert_eq!(status.advisories, 1);
    }
}

#[test]
fn an_archive_is_fetched_over_https() {
    let host = MemoryHost::new(now()).answer(ARCHIVE, 200, archive(1_700_000_000));
    let source = UpdateSource::Url(ARCHIVE.to_owned());
    let status = update(&source, &host.host(), Path::new("/cache")).unwrap();
    assert_eq!(status.advisories, 1);
    assert!(written(&host).contains("= a RUSTSEC-2020-0001"));
}

#[test]
fn a_fetch_that_fails_leaves_the_old_file() {
    let cache = Path::new("/cache");
    let old = checkout();
    from_directory(&old).unwrap();
    let before = written(&old);
    let host = old
        .clone()
        .answer(ARCHIVE, 404, "none")
        .answer("https://x.example/", 200, "<html>");
    let run = |url: &str| update(&UpdateSource::Url(url.to_owned()), &host.host(), cache);
    assert!(matches!(
        run(ARCHIVE),
        Err(UpdateError::Answer { status: 404, .. })
    ));
    assert!(matches!(
        run("https://x.example/"),
        Err(UpdateError::Archive { .. })
    ));
    assert!(matches!(
        run("https://none.example/"),
        Err(UpdateError::Fetch { .. })
    ));
    let insecure = run("http://me:secret@db.example/main.tar.gz?token=1").unwrap_err();
    assert!(matches!(insecure, UpdateError::NotHttps { .. }));
    assert!(!insecure.to_string().contains("secret") && !insecure.to_string().contains("token"));
    assert_eq!(written(&host), before);
    let offline = update(&UpdateSource::Url(ARCHIVE.into()), &old.host(), cache);
    assert!(matches!(offline, Err(UpdateError::NoNetwork { .. })));
}

#[test]
fn a_database_of_too_many_entries_is_refused() {
    let limits = Limits {
        packed: 0,
        unpacked: 0,
        entries: 3,
        file: 1 << 20,
    };
    let error = directory(Path::new("/db"), &checkout().host(), &limits)
        .map(|_| ())
        .unwrap_err();
    assert!(matches!(error, UpdateError::OverLimit { limit: 3, .. }));
}
