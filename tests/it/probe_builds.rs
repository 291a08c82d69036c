//! `probe` of two revisions of a service of our own, from the sources to the
//! answer: both built with their lock files in directories of their own, under the
//! workload that the base names in `canary.toml`.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::local_registry::LocalRegistry;
use crate::support::project::{Project, git_repository, make_executable, run};
use crate::support::workload::canary;

/// An HTTP server that hands each request to the crate `store`.
const SERVICE: &str = r#"
use std::io::{Read, Write};
fn main() {
    let port: u16 = std::env::args().nth(1).unwrap().parse().unwrap();
    assert_eq!(std::env::var("CANARY_PORT").unwrap(), port.to_string());
    // A server that is not ready at once.
    std::thread::sleep(std::time::Duration::from_millis(400));
    let listener = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        let mut request = [0; 1024];
        let _ = stream.read(&mut request);
        let kept = store::seen();
        let _ = write!(stream, "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok");
        assert!(kept > 0);
    }
}
"#;
const CLEAN: &str = "pub fn seen() -> usize { std::hint::black_box(vec![1_u8; 65536]).len() }\n";
const LEAKY: &str =
    "pub fn seen() -> usize { std::hint::black_box(vec![1_u8; 65536].leak()).len() }\n";

const WORKLOAD: &str = r#"version = 1
[probe]
bin = "service"
args = ["{port}"]
ready = "curl -fsS http://127.0.0.1:{port}/"
load = "while curl -fs -o /dev/null http://127.0.0.1:{port}/; do sleep 0.01; done"
duration = "6s"
max-memory = "1GiB"
"#;

struct Service {
    project: Project,
    _registry: LocalRegistry,
    base: String,
    head: String,
}

fn git(dir: &Path, args: &[&str]) -> String {
    let as_somebody = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
    run(Command::new("git")
        .current_dir(dir)
        .args(as_somebody)
        .args(args))
}

/// The base names the workload and has `store` 1.0.0; the head has 1.1.0, and a
/// workload in which nothing happens.
fn service() -> Service {
    let mut registry = LocalRegistry::new();
    registry
        .krate("store", "1.0.0")
        .file("src/lib.rs", CLEAN)
        .publish();
    let manifest = "[package]\nname = \"service\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\
                    [dependencies]\nstore = \"1\"\n";
    let project = Project::new(&registry)
        .file("Cargo.toml", manifest)
        .file("src/main.rs", SERVICE)
        .file("src/bin/other.rs", "fn main() {}\n")
        .file("canary.toml", WORKLOAD)
        .locked();
    let base = git_repository(&project.dir());
    registry
        .krate("store", "1.1.0")
        .file("src/lib.rs", LEAKY)
        .publish();
    project.cargo(&["update", "--offline"]);
    let idle =
        "version = 1\n[probe]\nbin = \"service\"\nargs = [\"{port}\"]\nload = \"sleep 60\"\n";
    std::fs::write(project.dir().join("canary.toml"), idle).unwrap();
    git(
        &project.dir(),
        &["commit", "--quiet", "--all", "--message", "head"],
    );
    let head = git(&project.dir(), &["rev-parse", "HEAD"])
        .trim()
        .to_owned();
    Service {
        project,
        _registry: registry,
        base,
        head,
    }
}

impl Service {
    fn probe(&self, more: &[&str]) -> Output {
        canary()
            .args(["probe", "--format", "json", "--offline", "-C"])
            .arg(self.project.dir())
            .args(["--base", &self.base, "--head", &self.head, "--work"])
            .arg(self.project.beside("work"))
            .args(more)
            .env("CARGO_HOME", self.project.home())
            .env_remove("CI")
            .output()
            .unwrap()
    }
}

fn json(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text)
        .unwrap_or_else(|_| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn two_revisions_of_a_service_are_built_and_probed_under_the_workload_of_the_base() {
    let service = service();
    let output = service.probe(&[]);
    let probed = json(&output);
    assert_eq!(output.status.code(), Some(1), "{probed}");
    assert_eq!(probed["decision"], "leak");
    assert_eq!(probed["head"]["troubles"].to_string(), "[]", "{probed}");
    // Not the head's, in which nothing would have been seen.
    let load = probed["workload"]["load"].as_str().unwrap();
    assert!(load.starts_with("while curl"), "{load}");
    assert_eq!(probed["duration-seconds"], 6.0);
    for side in ["base", "head"] {
        let digest = probed[side]["executable"].as_str().unwrap();
        assert!(
            digest.starts_with("sha256:") && digest.len() == 71,
            "{digest}"
        );
    }
    assert_ne!(probed["base"]["executable"], probed["head"]["executable"]);
    let thresholds = probed["thresholds"]["digest"].as_str().unwrap();
    assert_eq!(thresholds.len(), 71);
    // Each side in a directory of its own, as it is shipped.
    for side in ["base", "head"] {
        let found = run(Command::new("find")
            .arg(service.project.beside("work"))
            .args(["-path", &format!("*/{side}/target/release/service")]));
        assert_eq!(found.lines().count(), 1, "{found}");
    }
}

#[test]
fn a_server_that_is_never_ready_is_told_and_not_called_clean() {
    let service = service();
    let output = service.probe(&["--ready", "echo no >&2; false", "--ready-timeout", "1s"]);
    let probed = json(&output);
    assert_eq!(output.status.code(), Some(4), "{probed}");
    let troubles = probed["head"]["troubles"].to_string();
    assert!(
        troubles.contains("was not ready within 1 s: no"),
        "{troubles}"
    );
}

#[test]
fn a_workload_with_a_wrong_key_is_told_with_its_line() {
    let service = service();
    let file = service.project.beside("other.toml");
    std::fs::write(&file, "version = 1\n[probe]\nlaod = \"x\"\n").unwrap();
    let output = service.probe(&["--policy", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("laod") && text.contains("line 3"), "{text}");
}

#[test]
fn without_a_network_nothing_is_reached() {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("reaches.sh");
    // Not even the loopback device has an address.
    let text =
        "#!/bin/sh\nif grep -q 127.0.0.1 /proc/net/fib_trie; then exit 9; fi\nexec sleep 60\n";
    std::fs::write(&program, text).unwrap();
    make_executable(&program);
    let probe = |more: &[&str]| {
        canary()
            .args(["probe", "--format", "json", "--duration", "2s"])
            .arg("--base-exe")
            .arg(&program)
            .arg("--head-exe")
            .arg(&program)
            .args(more)
            .output()
            .unwrap()
    };
    let with = json(&probe(&[]));
    assert!(
        with["head"]["troubles"].to_string().contains("exit code 9"),
        "{with}"
    );
    let without = json(&probe(&["--no-network"]));
    assert_eq!(without["workload"]["network"], false);
    assert_eq!(without["head"]["troubles"].to_string(), "[]", "{without}");
    let refused = probe(&["--no-network", "--load", "true"]);
    assert_eq!(refused.status.code(), Some(2));
    let text = String::from_utf8_lossy(&refused.stderr);
    assert!(text.contains("cannot be reached"), "{text}");
}
