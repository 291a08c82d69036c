//! Archives and what their manifests say, from all the places they come from.

use cargo_canary::facts::{FactKind, GapReason};
use cargo_canary::host::Host;
use cargo_canary::pkg::{PackageId, Source};
use cargo_canary::registry::{Access, Freshness, ManifestFacts, Origin, Registry};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use crate::registry_lab::{Lab, gap, line, online, version};
use crate::registry_server::{Reply, Server};

fn archive(name: &str, version: &str, manifest: &str, members: &[&str]) -> (Vec<u8>, String) {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let manifest = [("Cargo.toml", manifest)];
    let empty = members.iter().map(|member| (*member, ""));
    for (path, content) in empty.chain(manifest) {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        tar.append_data(
            &mut header,
            format!("{name}-{version}/{path}"),
            content.as_bytes(),
        )
        .unwrap();
    }
    let bytes = tar.into_inner().unwrap().finish().unwrap();
    let sum = Sha256::digest(&bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    (bytes, sum)
}

fn thing() -> (Vec<u8>, String) {
    let manifest = "[package]\nname = 'thing'\nversion = '1.0.0'\nedition = '2021'\n\
        [lib]\nproc-macro = true\n";
    archive("thing", "1.0.0", manifest, &["build.rs", "src/lib.rs"])
}

fn thing_facts() -> ManifestFacts {
    ManifestFacts {
        library: Some("thing".to_owned()),
        proc_macro: true,
        build_script: Some("build.rs".to_owned()),
        edition: "2021".to_owned(),
    }
}

fn id(source: &Source) -> PackageId {
    PackageId {
        name: "thing".to_owned(),
        version: version("1.0.0"),
        source: source.clone(),
    }
}

/// A registry that serves its settings and one archive.
fn archive_server(dl: &'static str, body: Vec<u8>) -> Server {
    Server::start(move |request| {
        let host = request.headers.get("host").cloned().unwrap_or_default();
        match request.path.as_str() {
            "/index/config.json" => Reply::ok(dl.replace("HOST", &host)),
            "/dl/thing/1.0.0/download" | "/dl/th/in/thing-1.0.0.crate" => Reply::ok(body.clone()),
            _ => Reply::status(404),
        }
    })
}

#[test]
fn an_archive_is_downloaded_once_by_the_registrys_template() {
    for dl in [
        r#"{"dl":"http://HOST/dl"}"#,
        r#"{"dl":"http://HOST/dl/{lowerprefix}/{crate}-{version}.crate"}"#,
    ] {
        let (bytes, sum) = thing();
        let server = archive_server(dl, bytes.clone());
        let lab = Lab::new(Some(&server));
        for requests in [2, 0] {
            let host = online();
            let registry = Registry::open(&host, lab.access());
            let found = registry.archive(&id(&lab.source), &sum);
            assert_eq!(**found.seen().unwrap(), bytes);
            assert_eq!(host.work().requests, requests);
        }
    }
}

#[test]
fn an_archive_with_another_checksum_is_never_taken() {
    let (bytes, sum) = thing();
    let lab = Lab::new(None);
    lab.write("home/registry/cache/a-other/thing-1.0.0.crate", b"edited");
    lab.write("home/registry/cache/b-other/thing-1.0.0.crate", &bytes);
    let host = Host::real(None);
    let registry = Registry::open(&host, lab.access());
    let found = registry.archive(&id(&lab.source), &sum);
    assert_eq!(
        **found.seen().unwrap(),
        bytes,
        "the next place has the right one"
    );
    let found = gap(registry.archive(&id(&lab.source), &"5".repeat(64)));
    assert_eq!(found.reason, GapReason::OfflineAndNotCached);
    assert!(
        found.detail.contains("another checksum"),
        "{}",
        found.detail
    );
    assert_eq!(found.fact, FactKind::Manifest);

    let server = archive_server(r#"{"dl":"http://HOST/dl"}"#, b"forged".to_vec());
    let lab = Lab::new(Some(&server));
    let host = online();
    let registry = Registry::open(&host, lab.access());
    let found = gap(registry.archive(&id(&lab.source), &sum));
    assert_eq!(found.reason, GapReason::Malformed);
    assert!(!lab.path("cache/crates").exists());
    let found = gap(registry.archive(&id(&lab.source), "../../x"));
    assert_eq!(found.reason, GapReason::Malformed);
}

#[test]
fn manifests_are_read_once_from_archives_and_then_from_the_table() {
    let (bytes, sum) = thing();
    let lab = Lab::new(None);
    let path = format!("home/registry/cache/{}/thing-1.0.0.crate", lab.ident());
    lab.write(&path, &bytes);
    // What Cargo has unpacked is not asked: a build can have changed it.
    lab.write(
        &format!("home/registry/src/{}/thing-1.0.0/Cargo.toml", lab.ident()),
        "[package]\nname = 'thing'\nversion = '1.0.0'\nedition = '2015'\n",
    );
    let wanted = [
        (id(&lab.source), Some(sum.clone())),
        (id(&Source::Local), None),
        (id(&lab.source), Some("5".repeat(64))),
        (id(&lab.source), Some(sum.clone())),
    ];
    for run in 0..2 {
        let host = Host::real(None);
        let registry = Registry::open(&host, lab.access());
        let found = registry.manifests(&wanted);
        assert_eq!(**found[0].seen().unwrap(), thing_facts(), "run {run}");
        assert_eq!(found[3], found[0]);
        let local = found[1].gap().unwrap();
        assert_eq!(local.reason, GapReason::NotApplicable);
        let missing = found[2].gap().unwrap();
        assert_eq!(missing.reason, GapReason::OfflineAndNotCached);
        if run == 0 {
            std::fs::remove_dir_all(lab.path("home/registry")).unwrap();
        }
    }
}

#[test]
fn manifests_that_are_nowhere_on_disk_are_fetched() {
    let (bytes, sum) = thing();
    let served = format!("{}\n", line("thing", "1.0.0", &sum));
    let server = Server::start(move |request| match request.path.as_str() {
        "/index/config.json" => {
            let host = request.headers.get("host").cloned().unwrap_or_default();
            Reply::ok(format!(r#"{{"dl":"http://{host}/dl"}}"#))
        }
        "/index/th/in/thing" => Reply::ok(served.clone()),
        "/dl/thing/1.0.0/download" => Reply::ok(bytes.clone()),
        _ => Reply::status(404),
    });
    let lab = Lab::new(Some(&server));
    // Without a checksum that of the index is taken.
    for requests in [3, 0] {
        let host = online();
        let registry = Registry::open(&host, lab.access());
        let found = registry.manifests(&[(id(&lab.source), None)]);
        assert_eq!(**found[0].seen().unwrap(), thing_facts());
        assert_eq!(host.work().requests, requests);
    }
}

#[test]
fn a_token_goes_to_its_registry_and_nowhere_else() {
    let (bytes, sum) = thing();
    let plain = archive_server(r#"{"dl":"http://HOST/dl"}"#, bytes.clone());
    let guarded = archive_server(r#"{"dl":"http://HOST/dl","auth-required":true}"#, bytes);
    for (server, to_downloads) in [(&plain, false), (&guarded, true)] {
        let lab = Lab::new(Some(server));
        lab.write(
            "home/credentials.toml",
            "[registries.my-lab]\ntoken = 'sesame'\n",
        );
        let host = online();
        let registry = Registry::open(&host, lab.access());
        assert!(registry.archive(&id(&lab.source), &sum).seen().is_some());
        let missing = gap(registry.record(&lab.source, "thing"));
        assert!(!missing.detail.contains("sesame"));
        for request in server.requests() {
            let token = request.headers.get("authorization").map(String::as_str);
            let expected = !request.path.starts_with("/dl") || to_downloads;
            assert_eq!(token == Some("sesame"), expected, "{}", request.path);
        }
    }
    // A lock file cannot send it elsewhere.
    let other = archive_server(r#"{"dl":"http://HOST/dl"}"#, Vec::new());
    let lab = Lab::new(Some(&other));
    lab.write(
        "home/config.toml",
        format!(
            "[registries.my-lab]\nindex = 'sparse+https://r.example/'\n[registries.x]\nindex = '{}'\n",
            lab.source.to_lock().unwrap()
        ),
    );
    lab.write(
        "home/credentials.toml",
        "[registries.my-lab]\ntoken = 'sesame'\n",
    );
    let host = online();
    drop(lab.ask(&host, lab.access(), Freshness::Current));
    assert_eq!(other.requests().len(), 1);
    assert!(!other.requests()[0].headers.contains_key("authorization"));
}

#[test]
fn a_local_registry_stands_in_for_the_network() {
    let (bytes, sum) = thing();
    let served = line("thing", "1.0.0", &sum);
    // By the user's configuration, and by the directory in the own cache.
    let replaced = Lab::new(None);
    replaced.write(
        "home/config.toml",
        "[source.crates-io]\nreplace-with = 'disk'\n[source.disk]\nlocal-registry = 'disk'\n",
    );
    let placed = Lab::new(None);
    for (lab, root) in [
        (&replaced, "disk".to_owned()),
        (
            &placed,
            "cache/local-registry/index.crates.io-1949cf8c6b5b557f".to_owned(),
        ),
    ] {
        lab.write(&format!("{root}/index/th/in/thing"), &served);
        lab.write(&format!("{root}/thing-1.0.0.crate"), &bytes);
        let access = Access {
            fetch: false,
            ..lab.access()
        };
        let host = online();
        let registry = Registry::open(&host, access);
        let record = registry.record(&Source::CratesIo, "thing");
        assert!(matches!(
            record.seen().unwrap().origin(),
            Origin::LocalRegistry { .. }
        ));
        let found = registry.manifests(&[(id(&Source::CratesIo), None)]);
        assert_eq!(**found[0].seen().unwrap(), thing_facts());
        assert_eq!(host.work().requests, 0);
    }
}
