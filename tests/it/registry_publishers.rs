//! Who published a release: a server on this machine that speaks the format of
//! the registry's web API, and that is slow, broken and wrong where told to.

use std::time::Duration;

use cargo_canary::facts::{Finding, GapReason, Publisher, PublisherDelta};
use cargo_canary::host::{Host, NetLimits, RealNet};
use cargo_canary::registry::{Access, Asked, PublisherApi, Registry};

use crate::registry_server::{Reply, Server};

const VERSIONS: &str = r#"{"versions":[
 {"num":"1.2.0","created_at":"2026-03-01T10:00:00.000000Z","yanked":false,"published_by":{"id":9,"login":"eve","name":"E"},"trustpub_data":null},
 {"num":"1.1.0","created_at":"2026-02-01T10:00:00.000000Z","published_by":{"id":1,"login":"ada"}},
 {"num":"1.0.1","created_at":"2025-01-01T10:00:00.000000Z","published_by":null,"trustpub_data":{"provider":"github","repository":"ada/thing","run_id":"1","sha":"a"}},
 {"num":"1.0.0","created_at":"2015-01-01T10:00:00.000000Z","published_by":null}
],"meta":{"total":4}}"#;
const OWNERS: &str =
    r#"{"users":[{"id":1,"login":"bob","kind":"user"},{"id":2,"login":"ada","kind":"user"}]}"#;

fn serving(versions: &'static str) -> Server {
    Server::start(move |request| match request.path.as_str() {
        "/api/v1/crates/thing/versions" => Reply::ok(versions),
        "/api/v1/crates/thing/owners" => Reply::ok(OWNERS),
        _ => Reply::status(404),
    })
}

fn api(server: &Server) -> PublisherApi {
    PublisherApi {
        base: server.url(""),
        pause: Duration::ZERO,
        max_age: Duration::from_secs(60),
    }
}

fn net() -> Host {
    let limits = NetLimits {
        silence: Duration::from_millis(400),
        total: Duration::from_secs(2),
        repeats: 0,
        ..NetLimits::default()
    };
    Host::real(Some(Box::new(RealNet::new(limits))))
}

fn asked(name: &str, incoming: &str, outgoing: &str) -> Asked {
    Asked {
        name: name.to_owned(),
        incoming: incoming.parse().unwrap(),
        outgoing: Some(outgoing.parse().unwrap()),
    }
}

fn access(cache: Option<&std::path::Path>, fetch: bool) -> Access {
    Access {
        cache_dir: cache.map(std::path::Path::to_owned),
        fetch,
        ..Access::default()
    }
}

const TODAY: &str = "2999-01-01T00:00:00Z";

fn ask(
    host: &Host,
    access: Access,
    api: &PublisherApi,
    asked: Asked,
    as_of: &str,
) -> Finding<PublisherDelta> {
    let registry = Registry::open(host, access);
    let found = registry.publishers(&[asked], api, as_of.parse().unwrap());
    let [finding]: [Finding<PublisherDelta>; 1] = found.try_into().unwrap();
    finding
}

fn reason(finding: &Finding<PublisherDelta>) -> GapReason {
    finding
        .gap()
        .unwrap_or_else(|| panic!("{finding:?}"))
        .reason
}

#[test]
fn a_new_publisher_is_told_from_the_old_ones() {
    let (server, host) = (serving(VERSIONS), net());
    let of = |incoming: &str, outgoing: &str| {
        let asked = asked("thing", incoming, outgoing);
        ask(&host, access(None, true), &api(&server), asked, TODAY)
    };
    let eve = of("1.2.0", "1.1.0");
    let eve = eve.seen().unwrap();
    assert_eq!(eve.incoming, Publisher::Account("eve".to_owned()));
    assert_eq!(eve.outgoing, Some(Publisher::Account("ada".to_owned())));
    // The oldest release has no publisher on record and counts nowhere.
    assert_eq!((eve.earlier, eve.earlier_by_same), (2, 0));
    assert!(eve.is_new() && !eve.left_trusted_publishing());
    assert_eq!(eve.owners, ["ada", "bob"]);

    let left = of("1.1.0", "1.0.1");
    assert!(left.seen().unwrap().left_trusted_publishing());
    let trusted = of("1.0.1", "1.0.0");
    let by = trusted.seen().unwrap().incoming.to_string();
    assert_eq!(by, "the github workflow of ada/thing");
    assert_eq!(reason(&of("1.0.0", "1.0.0")), GapReason::NotRecorded);
    assert_eq!(reason(&of("9.9.9", "1.0.0")), GapReason::NotInRegistry);
}

#[test]
fn a_past_day_knows_nothing_of_later_releases_and_owners() {
    let (server, host) = (serving(VERSIONS), net());
    let asked = asked("thing", "1.2.0", "1.1.0");
    let found = ask(
        &host,
        access(None, true),
        &api(&server),
        asked,
        "2025-06-01T00:00:00Z",
    );
    let found = found.seen().unwrap();
    assert_eq!(found.earlier, 1);
    assert!(found.owners.is_empty());
    assert_eq!(server.requests().len(), 1, "owners are not asked for");
}

#[test]
fn what_was_answered_once_is_kept_and_read_without_a_network() {
    let (server, host) = (serving(VERSIONS), net());
    let cache = tempfile::tempdir().unwrap();
    let one = || asked("thing", "1.2.0", "1.1.0");
    let first = ask(
        &host,
        access(Some(cache.path()), true),
        &api(&server),
        one(),
        TODAY,
    );
    let again = ask(
        &host,
        access(Some(cache.path()), true),
        &api(&server),
        one(),
        TODAY,
    );
    assert_eq!(server.requests().len(), 2, "versions and owners, once");
    let offline = ask(
        &Host::real(None),
        access(Some(cache.path()), false),
        &api(&server),
        one(),
        TODAY,
    );
    assert_eq!(first, again);
    assert_eq!(first, offline);
    let other = asked("other", "1.0.0", "0.9.0");
    let gap = ask(
        &Host::real(None),
        access(Some(cache.path()), false),
        &api(&server),
        other,
        TODAY,
    );
    assert_eq!(reason(&gap), GapReason::OfflineAndNotCached);
}

#[test]
fn slow_failing_and_lying_answers_are_gaps() {
    let host = net();
    let with = |server: &Server| {
        let asked = asked("thing", "1.2.0", "1.1.0");
        reason(&ask(&host, access(None, true), &api(server), asked, TODAY))
    };
    let answering = |reply: fn() -> Reply| Server::start(move |_| reply());
    assert_eq!(
        with(&answering(|| Reply::status(404))),
        GapReason::NotInRegistry
    );
    assert_eq!(
        with(&answering(|| Reply::status(403))),
        GapReason::FetchFailed
    );
    assert_eq!(
        with(&answering(|| Reply::status(503))),
        GapReason::FetchFailed
    );
    let silent = answering(|| Reply::Silence(Duration::from_secs(3)));
    assert_eq!(with(&silent), GapReason::FetchFailed);
    let short = answering(|| Reply::Short(1 << 20, b"{".to_vec()));
    assert_eq!(with(&short), GapReason::FetchFailed);
    let page = answering(|| Reply::ok("<html>busy</html>"));
    assert_eq!(with(&page), GapReason::Malformed);
    let deep = answering(|| Reply::ok("[".repeat(100_000)));
    assert_eq!(with(&deep), GapReason::Malformed);
    // A name cannot lead to another address, and is not sent.
    let server = serving(VERSIONS);
    let asked = asked("../../owners", "1.2.0", "1.1.0");
    let found = ask(&host, access(None, true), &api(&server), asked, TODAY);
    assert_eq!(reason(&found), GapReason::NotApplicable);
    assert!(server.requests().is_empty());
}

#[test]
fn names_from_outside_are_cut_and_hold_no_control_characters() {
    let server = Server::start(|request| {
        if request.path.ends_with("/owners") {
            return Reply::status(500);
        }
        let login = format!("e\\u001b[31mve{}", "x".repeat(5_000));
        Reply::ok(format!(
            r#"{{"versions":[{{"num":"1.2.0","created_at":"2026-03-01T10:00:00Z","published_by":{{"login":"{login}"}}}}]}}"#
        ))
    });
    let asked = asked("thing", "1.2.0", "1.1.0");
    let found = ask(&net(), access(None, true), &api(&server), asked, TODAY);
    let found = found.seen().unwrap();
    let by = found.incoming.to_string();
    assert!(by.starts_with("e[31mve") && by.len() == 100, "{by}");
    assert!(
        found.owners.is_empty(),
        "without owners the rest is as good"
    );
}

#[test]
fn requests_are_as_far_apart_as_the_registry_asks_for() {
    let (server, host) = (serving(VERSIONS), net());
    let slow = PublisherApi {
        pause: Duration::from_millis(120),
        ..api(&server)
    };
    let begin = std::time::Instant::now();
    let asked = asked("thing", "1.2.0", "1.1.0");
    let found = ask(&host, access(None, true), &slow, asked, TODAY);
    assert!(found.seen().is_some());
    assert!(begin.elapsed() >= Duration::from_millis(120));
}
