//! The registry over real files and a real network that ends at this machine.

use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cargo_canary::facts::{FactKind, GapReason};
use cargo_canary::host::Host;
use cargo_canary::pkg::Source;
use cargo_canary::registry::{Access, Freshness, Origin, RecordError, Registry, Wanted};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::registry_lab::{Lab, cargo_entry, entry, gap, line, online, version, versions};
use crate::registry_server::{Reply, Request, Server};

#[test]
fn an_entry_is_fetched_once_and_a_second_run_asks_nothing() {
    let server = Server::start(|_| Reply::ok(entry(&["1.0.0", "1.2.0", "1.1.0"])));
    let lab = Lab::new(Some(&server));
    let host = online();
    let registry = Registry::open(&host, lab.access());
    registry.prefetch(&[
        lab.wanted("thing", Freshness::Holding),
        lab.wanted("thing", Freshness::Current),
    ]);
    let record = registry.record(&lab.source, "thing");
    let record = record.seen().unwrap();
    assert!(matches!(record.origin(), Origin::Network { .. }));
    assert_eq!(versions(record), ["1.0.0", "1.1.0", "1.2.0"]);
    assert_eq!(record.stale(), None);
    assert!(record.release(&version("3.0.0")).is_none());
    assert_eq!(registry.oldest_data(), Some(record.origin().time()));
    registry.prefetch(&[lab.wanted("thing", Freshness::Current)]);
    assert_eq!(host.work().requests, 1);
    assert_eq!(server.requests()[0].path, "/index/th/in/thing");

    let host = online();
    let again = lab.ask(&host, lab.access(), Freshness::Current);
    let again = again.seen().unwrap();
    assert!(matches!(again.origin(), Origin::OwnCache { .. }));
    assert_eq!(again.lines(), record.lines());
    assert_eq!(again.stale(), None);
    assert_eq!(host.work().requests, 0);

    let offline = Host::real(None);
    let offline = lab.ask(&offline, lab.access(), Freshness::Current);
    assert_eq!(offline.seen().unwrap().stale(), None, "it is new enough");
}

#[test]
fn an_old_answer_is_confirmed_by_its_etag() {
    let server = Server::start(|request| match request.headers.get("if-none-match") {
        Some(etag) if etag == "\"e1\"" => Reply::status(304),
        _ => Reply::Whole(
            200,
            vec![("etag", "\"e1\"".to_owned())],
            entry(&["1.0.0"]).into(),
        ),
    });
    let lab = Lab::new(Some(&server));
    let strict = || Access {
        max_age: Duration::ZERO,
        ..lab.access()
    };
    for run in 0..3 {
        let host = online();
        std::thread::sleep(Duration::from_millis(2));
        let found = lab.ask(&host, strict(), Freshness::Current);
        let record = found.seen().unwrap();
        assert!(matches!(record.origin(), Origin::Network { .. }));
        assert_eq!(versions(record), ["1.0.0"]);
        let asked = server.requests();
        assert_eq!(asked.len(), run + 1);
        let etag = asked[run].headers.get("if-none-match");
        assert_eq!(etag.is_some(), run > 0);
    }
    // The confirmation is kept: it is as new as a fetch.
    let host = online();
    let found = lab.ask(&host, lab.access(), Freshness::Current);
    assert!(found.seen().is_some());
    assert_eq!(host.work().requests, 0);
}

#[test]
fn cargos_copy_is_confirmed_by_the_etag_that_cargo_keeps() {
    let server = Server::start(|request| match request.headers.get("if-none-match") {
        Some(etag) if etag == "W/\"c\"" => Reply::status(304),
        _ => Reply::status(500),
    });
    let lab = Lab::new(Some(&server));
    let path = format!("home/registry/index/{}/.cache/th/in/thing", lab.ident());
    lab.write(&path, cargo_entry("etag: W/\"c\"", &["1.0.0", "1.0.1"]));
    let host = online();
    let found = lab.ask(&host, lab.access(), Freshness::Current);
    let record = found.seen().unwrap();
    assert!(matches!(record.origin(), Origin::Network { .. }));
    assert_eq!(versions(record), ["1.0.0", "1.0.1"]);
    let host = online();
    assert!(
        lab.ask(&host, lab.access(), Freshness::Current)
            .seen()
            .is_some()
    );
    assert_eq!(host.work().requests, 0, "what was confirmed is kept");
}

#[test]
fn cargos_copy_is_enough_for_what_never_changes_in_the_directories_of_all_ages() {
    let lab = Lab::new(None);
    let url = lab.source.to_lock().unwrap();
    let old = tame_index::utils::url_to_local_dir(&url, false).unwrap();
    for ident in [old.dir_name, lab.ident()] {
        let home = lab.path(&format!("home-{ident}"));
        let path = home
            .join("registry/index")
            .join(&ident)
            .join(".cache/th/in/thing");
        let host = online();
        host.files
            .write(&path, &cargo_entry("Unknown", &["1.0.0"]))
            .unwrap();
        let access = Access {
            cargo_home: Some(home),
            ..lab.access()
        };
        let found = lab.ask(&host, access, Freshness::Holding);
        let record = found.seen().unwrap();
        assert!(matches!(record.origin(), Origin::CargoCache { .. }));
        assert!(record.release(&version("1.0.0")).unwrap().is_ok());
        assert!(matches!(
            record.release(&version("1.0.1")),
            Some(Err(RecordError::NotHeld { .. }))
        ));
        assert_eq!(host.work().requests, 0);
    }
}

#[test]
fn a_crate_that_is_unknown_is_asked_for_once() {
    for status in [404, 410, 451] {
        let server = Server::start(move |_| Reply::status(status));
        let lab = Lab::new(Some(&server));
        for expected in [1, 0] {
            let host = online();
            let found = gap(lab.ask(&host, lab.access(), Freshness::Current));
            assert_eq!(found.reason, GapReason::NotInRegistry);
            assert_eq!(found.fact, FactKind::History);
            assert_eq!(host.work().requests, expected);
        }
    }
}

#[test]
fn without_network_what_is_on_disk_is_used_and_its_age_is_said() {
    let lab = Lab::new(None);
    let host = Host::real(None);
    let nothing = gap(lab.ask(&host, lab.access(), Freshness::Current));
    assert_eq!(nothing.reason, GapReason::OfflineAndNotCached);
    assert!(
        nothing.detail.contains("there is no network"),
        "{}",
        nothing.detail
    );
    let path = format!("home/registry/index/{}/.cache/th/in/thing", lab.ident());
    lab.write(&path, cargo_entry("Unknown", &["1.0.0"]));
    let host = online();
    let closed = Access {
        fetch: false,
        ..lab.access()
    };
    let registry = Registry::open(&host, closed);
    registry.prefetch(&[lab.wanted("thing", Freshness::Current)]);
    let found = registry.record(&lab.source, "thing");
    let record = found.seen().unwrap();
    assert!(matches!(record.origin(), Origin::CargoCache { .. }));
    assert_eq!(record.stale(), Some("nothing may be fetched"));
    assert_eq!(registry.oldest_data(), Some(record.origin().time()));
    assert_eq!(host.work().requests, 0);
}

#[test]
fn a_server_that_fails_is_a_gap_and_what_is_on_disk_stands_in() {
    type Answer = fn(&Request) -> Reply;
    let cases: [(Answer, GapReason, u64); 6] = [
        (|_| Reply::status(500), GapReason::FetchFailed, 3),
        (|_| Reply::status(418), GapReason::FetchFailed, 1),
        (
            |_| Reply::Silence(Duration::from_secs(3)),
            GapReason::FetchFailed,
            1,
        ),
        (
            |_| Reply::Short(9000, entry(&["1.0.0"]).into()),
            GapReason::FetchFailed,
            3,
        ),
        (
            |_| Reply::ok(line("other", "1.0.0", &"0".repeat(64))),
            GapReason::Malformed,
            1,
        ),
        (
            |_| Reply::ok("<html>welcome</html>"),
            GapReason::Malformed,
            1,
        ),
    ];
    for (number, (answer, reason, requests)) in cases.into_iter().enumerate() {
        let server = Server::start(answer);
        let lab = Lab::new(Some(&server));
        let host = online();
        let start = Instant::now();
        let found = gap(lab.ask(&host, lab.access(), Freshness::Current));
        assert_eq!(found.reason, reason, "case {number}: {}", found.detail);
        assert_eq!(host.work().requests, requests, "case {number}");
        assert!(start.elapsed() < Duration::from_secs(3), "case {number}");
        // What could not be used was not kept.
        assert_eq!(host.work().files_written, 0, "case {number}");

        let path = format!("home/registry/index/{}/.cache/th/in/thing", lab.ident());
        lab.write(&path, cargo_entry("Unknown", &["1.0.0"]));
        let found = lab.ask(&host, lab.access(), Freshness::Current);
        assert!(found.seen().unwrap().stale().is_some(), "case {number}");
    }
}

#[test]
fn a_server_that_is_busy_is_asked_again() {
    let count = AtomicUsize::new(0);
    let server = Server::start(move |_| match count.fetch_add(1, Ordering::Relaxed) {
        0 => Reply::status(503),
        1 => Reply::Whole(429, vec![("retry-after", "0".to_owned())], Vec::new()),
        _ => Reply::ok(entry(&["1.0.0"])),
    });
    let lab = Lab::new(Some(&server));
    let host = online();
    let found = lab.ask(&host, lab.access(), Freshness::Current);
    assert!(found.seen().is_some());
    assert_eq!(host.work().requests, 3);

    let server =
        Server::start(|_| Reply::Whole(429, vec![("retry-after", "3600".to_owned())], Vec::new()));
    let lab = Lab::new(Some(&server));
    let host = online();
    let found = gap(lab.ask(&host, lab.access(), Freshness::Current));
    assert_eq!(found.reason, GapReason::FetchFailed);
    assert_eq!(host.work().requests, 1, "so long is not waited");
}

#[test]
fn a_body_over_the_limit_is_given_up() {
    let mut bomb = GzEncoder::new(Vec::new(), Compression::fast());
    let zeros = vec![b'\n'; 1 << 20];
    for _ in 0..70 {
        bomb.write_all(&zeros).unwrap();
    }
    let bomb = bomb.finish().unwrap();
    assert!(bomb.len() < 1 << 20);
    let server = Server::start(move |_| {
        Reply::Whole(
            200,
            vec![("content-encoding", "gzip".to_owned())],
            bomb.clone(),
        )
    });
    let lab = Lab::new(Some(&server));
    let host = online();
    let found = gap(lab.ask(&host, lab.access(), Freshness::Current));
    assert_eq!(found.reason, GapReason::OverLimit, "{}", found.detail);
    assert_eq!(host.work().requests, 1);

    let server = Server::start(|_| Reply::Short(1 << 40, b"x".to_vec()));
    let lab = Lab::new(Some(&server));
    let found = gap(lab.ask(&online(), lab.access(), Freshness::Current));
    assert_eq!(found.reason, GapReason::OverLimit);
}

#[test]
fn a_redirect_to_another_host_is_not_followed_and_one_to_the_same_is() {
    let other = Server::start(|_| Reply::ok(entry(&["1.0.0"])));
    let target = other.url("/index/th/in/thing");
    let server =
        Server::start(move |_| Reply::Whole(302, vec![("location", target.clone())], Vec::new()));
    let lab = Lab::new(Some(&server));
    let found = gap(lab.ask(&online(), lab.access(), Freshness::Current));
    assert_eq!(found.reason, GapReason::FetchFailed);
    assert!(other.requests().is_empty());

    let server = Server::start(|request| match request.path.as_str() {
        "/moved" => Reply::ok(entry(&["1.0.0"])),
        _ => Reply::Whole(301, vec![("location", "/moved".to_owned())], Vec::new()),
    });
    let lab = Lab::new(Some(&server));
    let found = lab.ask(&online(), lab.access(), Freshness::Current);
    assert!(found.seen().is_some());

    let server = Server::start(|request| {
        Reply::Whole(301, vec![("location", request.path.clone())], Vec::new())
    });
    let lab = Lab::new(Some(&server));
    let found = gap(lab.ask(&online(), lab.access(), Freshness::Current));
    assert!(found.detail.contains("redirects"), "{}", found.detail);
}

#[test]
fn a_server_without_tls_is_not_asked_where_tls_is_meant() {
    let server = Server::start(|_| Reply::ok(entry(&["1.0.0"])));
    let mut lab = Lab::new(Some(&server));
    let index = format!(
        "sparse+{}",
        server.url("/index/").replace("http:", "https:")
    );
    lab.write(
        "home/config.toml",
        format!("[registries.my-lab]\nindex = '{index}'\n"),
    );
    lab.source = Source::parse(&index).unwrap();
    let found = gap(lab.ask(&online(), lab.access(), Freshness::Current));
    assert_eq!(found.reason, GapReason::FetchFailed);
    let understood = |request: &Request| request.path.starts_with("/index");
    assert!(!server.requests().iter().any(understood));
}

#[test]
fn lines_that_cannot_be_read_are_counted_and_the_others_serve() {
    let body = format!("{}\nnonsense\n{{\"name\":1}}\n", entry(&["1.0.0", "x.y"]));
    let server = Server::start(move |_| Reply::ok(body.clone()));
    let lab = Lab::new(Some(&server));
    let found = lab.ask(&online(), lab.access(), Freshness::Current);
    let record = found.seen().unwrap();
    assert_eq!(versions(record), ["1.0.0"]);
    assert_eq!(record.unreadable(), 3);
}

#[test]
fn many_entries_are_asked_for_at_once() {
    let server = Server::start(|request| {
        std::thread::sleep(Duration::from_millis(100));
        let name = request.path.rsplit('/').next().unwrap_or_default();
        Reply::ok(line(name, "1.0.0", &"0".repeat(64)))
    });
    let lab = Lab::new(Some(&server));
    let host = online();
    let registry = Registry::open(&host, lab.access());
    let names: Vec<String> = (0..40).map(|number| format!("crate-{number:02}")).collect();
    let wanted: Vec<Wanted> = names
        .iter()
        .map(|name| lab.wanted(name, Freshness::Current))
        .collect();
    let start = Instant::now();
    registry.prefetch(&wanted);
    assert!(start.elapsed() < Duration::from_millis(2500));
    for name in &names {
        let found = registry.record(&lab.source, name);
        assert_eq!(found.seen().unwrap().name(), name);
    }
    assert_eq!(host.work().requests, 40);
}

#[test]
fn a_host_that_does_not_answer_is_given_up_for_all_that_waits() {
    let server = Server::start(|_| Reply::Silence(Duration::from_secs(5)));
    let lab = Lab::new(Some(&server));
    let host = online();
    let registry = Registry::open(&host, lab.access());
    let wanted: Vec<Wanted> = (0..400)
        .map(|number| lab.wanted(&format!("crate-{number}"), Freshness::Current))
        .collect();
    let start = Instant::now();
    registry.prefetch(&wanted);
    assert!(start.elapsed() < Duration::from_secs(4));
    assert!(host.work().requests < 100, "{}", host.work().requests);
    let found = gap(registry.record(&lab.source, "crate-399"));
    assert_eq!(found.reason, GapReason::FetchFailed);
}

#[test]
fn a_torn_file_in_the_own_cache_is_fetched_again() {
    let server = Server::start(|_| Reply::ok(entry(&["1.0.0"])));
    let lab = Lab::new(Some(&server));
    assert!(
        lab.ask(&online(), lab.access(), Freshness::Current)
            .seen()
            .is_some()
    );
    let path = format!("cache/index/{}/th/in/thing", lab.ident());
    let host = online();
    let whole = host.files.read(&lab.path(&path), 1 << 20).unwrap();
    lab.write(&path, &whole[..whole.len() - 40]);
    let found = lab.ask(&host, lab.access(), Freshness::Current);
    assert!(matches!(
        found.seen().unwrap().origin(),
        Origin::Network { .. }
    ));
    assert_eq!(host.work().requests, 1);
    let mended = lab.ask(&Host::real(None), lab.access(), Freshness::Current);
    assert!(matches!(
        mended.seen().unwrap().origin(),
        Origin::OwnCache { .. }
    ));
}

#[test]
fn many_writers_of_one_entry_leave_it_whole() {
    let server = Server::start(|_| Reply::ok(entry(&["1.0.0", "1.0.1"])));
    let lab = Lab::new(Some(&server));
    let strict = Access {
        max_age: Duration::ZERO,
        ..lab.access()
    };
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let host = online();
                for _ in 0..5 {
                    let found = lab.ask(&host, strict.clone(), Freshness::Current);
                    assert_eq!(versions(found.seen().unwrap()), ["1.0.0", "1.0.1"]);
                }
            });
        }
    });
    let offline = Host::real(None);
    let found = lab.ask(&offline, lab.access(), Freshness::Holding);
    assert!(matches!(
        found.seen().unwrap().origin(),
        Origin::OwnCache { .. }
    ));
}

#[test]
fn a_registry_that_only_the_lock_file_names_gets_no_request() {
    let server = Server::start(|_| Reply::ok(entry(&["1.0.0"])));
    let lab = Lab::new(Some(&server));
    lab.write("home/config.toml", "");
    let host = online();
    let found = gap(lab.ask(&host, lab.access(), Freshness::Current));
    assert_eq!(found.reason, GapReason::OfflineAndNotCached);
    assert!(found.detail.contains("[registries]"), "{}", found.detail);
    assert_eq!(host.work().requests, 0);
}

#[test]
fn what_is_no_registry_has_no_entry() {
    let lab = Lab::new(None);
    let host = online();
    let registry = Registry::open(&host, lab.access());
    for text in ["git+https://a.example/b#0", "path+file:///x"] {
        let source = Source::parse(text).unwrap();
        let found = gap(registry.record(&source, "thing"));
        assert_eq!(found.reason, GapReason::NotApplicable);
    }
    let git = Source::parse("registry+https://a.example/index").unwrap();
    let found = gap(registry.record(&git, "thing"));
    assert_eq!(host.work().requests, 0);
    assert_eq!(found.reason, GapReason::NotApplicable);
    assert!(found.detail.contains("git repository"), "{}", found.detail);
    let hostile = gap(registry.record(&lab.source, "../../etc/passwd"));
    assert_eq!(hostile.reason, GapReason::Malformed);
}

#[test]
fn a_replaced_source_is_asked_at_its_replacement() {
    let server = Server::start(|_| Reply::ok(entry(&["1.0.0"])));
    let lab = Lab::new(Some(&server));
    lab.write(
        "home/config.toml",
        format!(
            "[source.crates-io]\nreplace-with = 'mirror'\n[source.mirror]\nregistry = '{}'\n",
            lab.source.to_lock().unwrap()
        ),
    );
    let host = online();
    let registry = Registry::open(&host, lab.access());
    registry.prefetch(&[Wanted {
        source: Source::CratesIo,
        ..lab.wanted("thing", Freshness::Current)
    }]);
    assert!(registry.record(&Source::CratesIo, "thing").seen().is_some());
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_real_entry_of_cargos_own_cache_can_be_read() {
    let host = Host::real(None);
    let Some(home) = host.env.cargo_home() else {
        println!("skipped: there is no Cargo home");
        return;
    };
    let Some(name) = some_cached_name(&home) else {
        println!("skipped: Cargo has no entry in its cache");
        return;
    };
    let access = Access {
        cargo_home: Some(home),
        ..Access::default()
    };
    let registry = Registry::open(&host, access);
    let found = registry.record(&Source::CratesIo, &name);
    let record = found.seen().unwrap();
    assert!(matches!(record.origin(), Origin::CargoCache { .. }));
    assert_eq!(record.unreadable(), 0);
    for line in record.lines() {
        let release = record.release(&line.version).unwrap().unwrap();
        assert_eq!(release.version, line.version);
    }
    assert!(!record.lines().is_empty());
}

/// The name of some crate that is in Cargo's cache and has a common name.
fn some_cached_name(home: &Path) -> Option<String> {
    let place = home.join("registry/index/index.crates.io-1949cf8c6b5b557f/.cache");
    [
        "se/rd/serde",
        "li/bc/libc",
        "sy/n/syn",
        "3/s/syn",
        "cf/g-/cfg-if",
    ]
    .into_iter()
    .find(|path| place.join(path).is_file())
    .and_then(|path| path.rsplit('/').next())
    .map(str::to_owned)
}
