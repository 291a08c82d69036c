//! `probe` on a small service of our own that tells its counters over HTTP: it leaks
//! connections of a pool while its memory stays flat; and on services that tell
//! nonsense.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::workload::canary;

/// The arguments are what the service does and its port. The name of the program says
/// which build it plays.
const SOURCE: &str = r##"
use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let (what, port) = (args[1].as_str(), args[2].parse::<u16>().unwrap());
    let leaky = args[0].ends_with("leaky");
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let start = Instant::now();
    for stream in listener.incoming() {
        let Ok(mut stream) = stream else { continue };
        let mut asked = [0; 2048];
        let read = stream.read(&mut asked).unwrap_or(0);
        let now = start.elapsed().as_secs_f64();
        // The head does twice the work in the same time.
        let requests = (now * if leaky { 400.0 } else { 200.0 }) as u64;
        // Of a hundred requests one does not give its connection back.
        let lost = match what {
            "pool" if leaky => requests / 100,
            // Both do, and the head does more work.
            "alike" => requests / 20,
            // A pool that fills at its start.
            _ if leaky => (requests / 20).min(8),
            _ => 0,
        };
        let busy = 3 + requests % 3;
        let body = match what {
            "garbage" if leaky => "<html>\u{1b}[31mnot found</html>".to_owned(),
            "endless" if leaky => {
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok();
                while stream.write_all(&[b'#'; 65536]).is_ok() {}
                continue;
            }
            "silent" if leaky => { std::thread::sleep(Duration::from_secs(60)); continue; }
            "elsewhere" if leaky => {
                stream.write_all(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n").ok();
                continue;
            }
            _ => format!(
                "# TYPE db_pool_connections_in_use gauge\n\
                 db_pool_connections_in_use{{pool=\"a\",note=\"\u{202e}\"}} {}\n\
                 db_pool_connections_in_use{{pool=\"b\"}} {busy}\n\
                 db_pool_connections_in_use{{pool=\"b\"}} 900{now}\n\
                 db_pool_connections_in_use{{pool=\"c\"}} NaN\n\
                 # TYPE cache_heap_bytes gauge\ncache_heap_bytes 1e6\n\
                 # TYPE uptime_seconds gauge\nuptime_seconds {now}\n\
                 # TYPE http_requests_total counter\nhttp_requests_total {requests}\n",
                lost + 1
            ),
        };
        assert!(read > 0 && asked.starts_with(b"GET /metrics "));
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len()).ok();
    }
}
"##;

fn services() -> &'static (tempfile::TempDir, PathBuf, PathBuf) {
    static BUILT: OnceLock<(tempfile::TempDir, PathBuf, PathBuf)> = OnceLock::new();
    BUILT.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let source = dir.path().join("service.rs");
        std::fs::write(&source, SOURCE).unwrap();
        let clean = dir.path().join("clean");
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let built = Command::new(rustc)
            .args(["--edition", "2021", "-o"])
            .arg(&clean)
            .arg(&source)
            .status()
            .unwrap();
        assert!(built.success());
        let leaky = dir.path().join("leaky");
        std::fs::copy(&clean, &leaky).unwrap();
        (dir, clean, leaky)
    })
}

const URL: &str = "http://127.0.0.1:{port}/metrics";

fn output(what: &str, seconds: &str, more: &[&str]) -> Output {
    let (_, clean, leaky) = services();
    canary()
        .args(["probe", "--no-progress", "--duration", seconds])
        .args(["--interval", "40ms", "--metrics", URL])
        .arg("--base-exe")
        .arg(clean)
        .arg("--head-exe")
        .arg(leaky)
        .args(more)
        .args(["--", what, "{port}"])
        .env("COLUMNS", "80")
        .output()
        .unwrap()
}

fn probe(what: &str, seconds: &str, more: &[&str]) -> (Option<i32>, Value) {
    let output = output(what, seconds, &[&["--format", "json"], more].concat());
    let text = String::from_utf8_lossy(&output.stdout);
    let json = serde_json::from_str(&text)
        .unwrap_or_else(|_| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code(), json)
}

fn gauge<'j>(json: &'j Value, name: &str) -> &'j Value {
    json["resources"]
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["resource"] == format!("gauge:{name}"))
        .unwrap_or_else(|| panic!("no {name} in {json}"))
}

const POOL: &str = "db_pool_connections_in_use";

#[test]
fn a_pool_that_loses_connections_is_found_while_memory_is_flat() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
    let (plot, samples) = (file("p.svg"), file("s.csv"));
    let (code, json) = probe(
        "pool",
        "8s",
        &[
            "--per",
            "http_requests_total",
            "--plot",
            &plot,
            "--samples",
            &samples,
        ],
    );
    assert_eq!(code, Some(1), "{json}");
    let pool = gauge(&json, POOL);
    assert_eq!(pool["answer"], "leak", "{pool}");
    // The same series twice counts once, and what is no number not at all.
    let slope = pool["slope-per-second"].as_f64().unwrap();
    let per_work = pool["per-work"].as_f64().unwrap();
    assert!((0.008..0.012).contains(&per_work), "{per_work}");
    let told = &json["workload"]["counters"];
    let rate = told["head-work-per-second"].as_f64().unwrap();
    // Four hundred, and fewer where the machine is busy: then both go slower alike.
    assert!((40.0..450.0).contains(&rate), "{told}");
    let by_both = slope / rate;
    assert!((by_both / per_work - 1.0).abs() < 0.3, "{pool} {told}");
    assert_eq!(gauge(&json, "cache_heap_bytes")["answer"], "no-leak");
    let resources = json["resources"].as_array().unwrap();
    let of = |name: &str| resources.iter().find(|r| r["resource"] == name).unwrap();
    assert_eq!(of("rss")["answer"], "no-leak", "{json}");
    assert!(!json.to_string().contains("uptime_seconds"), "{json}");
    let picture = std::fs::read_to_string(plot).unwrap();
    assert!(picture.contains(&format!("{POOL}: leak")), "{picture}");
    let csv = std::fs::read_to_string(samples).unwrap();
    let columns = |line: &str| line.split(',').count();
    assert!(
        csv.lines()
            .next()
            .unwrap()
            .ends_with(&format!("\"cache_heap_bytes\",\"{POOL}\""))
    );
    assert!(csv.lines().all(|line| columns(line) == 21), "{csv}");
}

#[test]
fn a_pool_that_fills_at_its_start_is_no_leak_and_the_text_fits() {
    let output = output("clean", "8s", &["--watch", POOL]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{text}");
    let after = text.split(POOL).nth(1).unwrap();
    assert!(after.trim_start().starts_with("no leak"), "{text}");
    assert!(text.contains("1 gauge watched, none leaks"), "{text}");
    assert!(
        text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
}

#[test]
fn more_work_is_no_leak_when_each_piece_of_work_costs_the_same() {
    let (_, json) = probe("alike", "8s", &["--watch", POOL]);
    assert_eq!(gauge(&json, POOL)["answer"], "leak", "{json}");
    let (code, json) = probe(
        "alike",
        "8s",
        &["--watch", POOL, "--per", "http_requests_total"],
    );
    let pool = gauge(&json, POOL);
    assert_eq!(pool["answer"], "no-leak", "{pool}");
    assert!(pool["because"].to_string().contains("alike"), "{pool}");
    assert_eq!(code, Some(0), "{json}");
}

#[test]
fn a_name_that_is_not_told_leaves_the_question_open() {
    let watch = ["--watch", "no_such_gauge", "--watch", "http_requests_total"];
    let (code, json) = probe("clean", "4s", &watch);
    assert_eq!(code, Some(4), "{json}");
    let missing = gauge(&json, "no_such_gauge")["because"].to_string();
    assert!(
        missing.contains("the base tells no number of it"),
        "{missing}"
    );
    let counter = gauge(&json, "http_requests_total")["because"].to_string();
    assert!(counter.contains("only ever grows"), "{counter}");
}

#[test]
fn a_service_that_tells_nonsense_is_not_called_clean_and_holds_nothing_up() {
    for (what, says) in [
        ("garbage", "line 1: a name is"),
        ("endless", "larger than 4194304 bytes"),
        ("silent", "no answer within 2 s"),
        ("elsewhere", "redirect"),
    ] {
        let start = Instant::now();
        let (code, json) = probe(what, "5s", &[]);
        assert!(start.elapsed() < Duration::from_secs(15), "{what}");
        assert_eq!(code, Some(4), "{what}: {json}");
        let troubles = json["head"]["troubles"].to_string();
        assert!(troubles.contains(says), "{what}: {troubles}");
        assert!(!troubles.contains("u001b"), "{what}: {troubles}");
        assert_eq!(json["base"]["troubles"].to_string(), "[]", "{what}");
    }
}

#[test]
fn what_cannot_be_asked_for_is_told_with_the_next_step() {
    let refused = |args: &[&str], policy: Option<&Path>| {
        let (_, clean, leaky) = services();
        let mut command = canary();
        command.args(["probe", "--duration", "2s", "--base-exe"]);
        command.arg(clean).arg("--head-exe").arg(leaky).args(args);
        if let Some(file) = policy {
            command.arg("--policy").arg(file);
        }
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    for (args, says, hint) in [
        (
            &["--metrics", "http://10.1.2.3:9/m"][..],
            "not on this machine",
            "--remote-metrics",
        ),
        (
            &["--metrics", "http://127.0.0.1:9090/metrics"],
            "both sides",
            "--alternate",
        ),
        (&["--metrics", "127.0.0.1"], "no address", "--metrics http"),
        (&["--watch", "x"], "no address", "--metrics http"),
        (
            &["--metrics", URL, "--watch", "a b"],
            "names no series",
            "--watch queue_depth",
        ),
        (
            &["--metrics", URL, "--no-network"],
            "without a network",
            "allow the network",
        ),
    ] {
        let said = refused(args, None);
        assert!(
            said.contains(says) && said.contains(hint),
            "{args:?}: {said}"
        );
    }
    let dir = tempfile::tempdir().unwrap();
    let policy = dir.path().join("canary.toml");
    let text = "version = 1\n[probe]\nmetrics = \"http://10.1.2.3:{port}/m\"\nwatch = [\"a\"]\nper = \"b\"\n";
    std::fs::write(&policy, text).unwrap();
    let said = refused(&[], Some(&policy));
    assert!(
        said.contains("10.1.2.3") && said.contains("not on this machine"),
        "{said}"
    );
}
