//! A cache that machines share: one computes what an update does to the sources,
//! another takes it from there. Held against a small server that speaks as much
//! S3 as is needed, and against entries that are torn, changed or swapped.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

use crate::cli::program::Scene;
use crate::support::local_registry::LocalRegistry;

type Objects = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// A bucket on the loopback device.
struct Bucket {
    port: u16,
    objects: Objects,
    /// Requests without a signature.
    unsigned: Arc<Mutex<usize>>,
}

impl Bucket {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let bucket = Self {
            port: listener.local_addr().unwrap().port(),
            objects: Arc::default(),
            unsigned: Arc::default(),
        };
        let (objects, unsigned) = (Arc::clone(&bucket.objects), Arc::clone(&bucket.unsigned));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (objects, unsigned) = (Arc::clone(&objects), Arc::clone(&unsigned));
                thread::spawn(move || while answer(&stream, &objects, &unsigned).is_some() {});
            }
        });
        bucket
    }

    fn url(&self) -> String {
        format!(
            "s3://ours/cache?region=eu-test-1&endpoint=http://127.0.0.1:{}",
            self.port
        )
    }
}

/// Answers one request; `None` at the end of the connection.
fn answer(mut stream: &TcpStream, objects: &Objects, unsigned: &Mutex<usize>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).ok().filter(|read| *read > 0)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let mut words = first.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if !query.contains("X-Amz-Signature=") || !query.contains("X-Amz-Credential=id") {
        *unsigned.lock().unwrap() += 1;
    }
    let mut objects = objects.lock().unwrap();
    let (status, content) = match method {
        "PUT" => {
            objects.insert(path.to_owned(), body);
            ("200 OK", Vec::new())
        }
        _ => match objects.get(path) {
            Some(content) => ("200 OK", content.clone()),
            None => ("404 Not Found", Vec::new()),
        },
    };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n",
        content.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(&content).ok()
}

/// A machine with a service whose `jsonette` is updated to a release that starts
/// processes. It has the archives, or it has not.
fn machine(with_archives: bool) -> Scene {
    let mut registry = LocalRegistry::new();
    let time = "2023-02-01T00:00:00Z";
    registry
        .krate("jsonette", "1.0.0")
        .published(time)
        .publish();
    registry
        .krate("jsonette", "1.0.1")
        .published("2023-06-01T00:00:00Z")
        .file(
            "src/lib.rs",
            "pub fn f() { std::process::Command::new(\"sh\").spawn().ok(); }\n",
        )
        .publish();
    let scene = Scene::new();
    registry.write_cargo_home(&scene.path("cargo-home"));
    if !with_archives {
        fs::remove_dir_all(scene.path("cargo-home/registry/cache")).unwrap();
    }
    for (dir, version) in [("before", "1.0.0"), ("after", "1.0.1")] {
        let lock = format!(
            "version = 4\n\n[[package]]\nname = \"jsonette\"\nversion = \"{version}\"\n\
             source = \"registry+https://github.com/rust-lang/crates.io-index\"\n\
             checksum = \"{}\"\n\n[[package]]\nname = \"shop\"\nversion = \"0.1.0\"\n\
             dependencies = [\"jsonette\"]\n",
            registry.checksum("jsonette", version)
        );
        scene.file(&format!("{dir}.lock"), &lock);
    }
    scene
}

/// What a machine knows of the sources, and what it says on standard error.
fn knows(scene: &Scene, url: &str, key: Option<&str>) -> (bool, String) {
    let args = [
        "check",
        "--base",
        "before.lock",
        "--head",
        "after.lock",
        "--format",
        "json",
        "--as-of",
        "2024-03-01",
        "--no-progress",
        "--shared-cache",
        url,
    ];
    let mut command = scene.command(&args);
    command
        .env("AWS_ACCESS_KEY_ID", "id")
        .env("AWS_SECRET_ACCESS_KEY", "secret-of-the-store");
    if let Some(key) = key {
        command.env("CARGO_CANARY_SHARED_CACHE_KEY", key);
    }
    let ran = scene.finish(&mut command);
    assert!(!ran.stderr.contains("secret-of-the-store"));
    let report: Value =
        serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.stderr));
    let gaps = report["gaps"].as_array().unwrap();
    (!gaps.iter().any(|gap| gap["fact"] == "source"), ran.stderr)
}

/// The entries of what was found in sources.
fn entries(bucket: &Bucket) -> usize {
    bucket.objects.lock().unwrap().len()
}

#[test]
fn what_one_machine_computed_another_takes_from_the_store() {
    let bucket = Bucket::new();
    assert!(!knows(&machine(false), &bucket.url(), None).0);
    let (known, said) = knows(&machine(true), &bucket.url(), None);
    assert!(known, "{said}");
    assert!(entries(&bucket) > 0);
    let objects = bucket.objects.lock().unwrap().clone();
    assert!(
        objects
            .keys()
            .all(|path| path.starts_with("/ours/cache/v1/")),
        "{:?}",
        objects.keys()
    );
    let (known, said) = knows(&machine(false), &bucket.url(), None);
    assert!(known && !said.contains("shared cache"), "{said}");
    assert_eq!(*bucket.unsigned.lock().unwrap(), 0);
}

#[test]
fn entries_that_are_torn_changed_or_swapped_are_ignored_and_said() {
    let bucket = Bucket::new();
    assert!(knows(&machine(true), &bucket.url(), None).0);
    let whole = bucket.objects.lock().unwrap().clone();
    type Change = dyn Fn(&mut Vec<u8>);
    let changes: [&Change; 4] = [
        &|content| content.truncate(content.len() / 2),
        &|content| content.clear(),
        &|content| {
            let last = content.len() - 1;
            content[last] ^= 1;
        },
        &|content| *content = b"{\"version\":1,\"findings\":[]}".to_vec(),
    ];
    for change in changes {
        let mut objects = whole.clone();
        objects.values_mut().for_each(change);
        *bucket.objects.lock().unwrap() = objects;
        let (known, said) = knows(&machine(false), &bucket.url(), None);
        assert!(!known, "{said}");
        assert!(
            said.contains("torn, changed or not made with the key"),
            "{said}"
        );
    }
}

#[test]
fn with_a_key_an_entry_that_somebody_else_made_is_ignored() {
    let bucket = Bucket::new();
    assert!(knows(&machine(true), &bucket.url(), None).0);
    assert!(!knows(&machine(false), &bucket.url(), Some("ours")).0);
    assert!(knows(&machine(true), &bucket.url(), Some("ours")).0);
    assert!(knows(&machine(false), &bucket.url(), Some("ours")).0);
}

#[test]
fn a_store_that_is_not_there_costs_a_note_and_nothing_else() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let url = format!("s3://ours?endpoint=http://127.0.0.1:{port}");
    let (known, said) = knows(&machine(true), &url, None);
    assert!(
        known && said.contains("it was not used any further"),
        "{said}"
    );
}

#[test]
fn a_directory_is_shared_too_and_without_a_network() {
    let shared = tempfile::tempdir().unwrap();
    let url = format!("file://{}", shared.path().display());
    assert!(knows(&machine(true), &url, None).0);
    assert!(knows(&machine(false), &url, None).0);
}

#[test]
fn an_address_that_is_none_is_refused() {
    let scene = machine(true);
    for url in [
        "ours",
        "file://relative",
        "http://x.example/",
        "s3://ours?endpoint=http://x.example",
    ] {
        let ran = scene.run(&[
            "check",
            "--base",
            "before.lock",
            "--head",
            "after.lock",
            "--shared-cache",
            url,
        ]);
        assert_eq!(ran.code, Some(2), "{url}: {}", ran.stderr);
        assert!(
            ran.stderr.contains("failed to use the shared cache"),
            "{}",
            ran.stderr
        );
    }
}
