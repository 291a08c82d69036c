//! A small HTTP service with `/metrics`, compiled by a test: clean, or with a leak.
//!
//! `service PORT KEY=VALUE…`: `leak` bytes that are kept of each request, `forget`
//! every so many requests a connection to the `database` port, `ballast` bytes held
//! from the start, `cache` requests during which a cache fills, by 16 KiB each.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const BUCKETS: [f64; 8] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5];

#[derive(Default)]
struct State {
    kept: Mutex<Vec<Vec<u8>>>,
    forgotten: Mutex<Vec<TcpStream>>,
    requests: AtomicU64,
    buckets: [AtomicU64; 8],
    micros: AtomicU64,
    /// Until when `/metrics` is not answered, in milliseconds since 1970.
    silent: AtomicU64,
}

fn millis() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64
}

fn main() {
    let mut args = std::env::args().skip(1);
    let port: u16 = args.next().unwrap().parse().unwrap();
    let options: BTreeMap<String, u64> = args
        .filter_map(|arg| {
            let (key, value) = arg.split_once('=')?;
            Some((key.to_owned(), value.parse().ok()?))
        })
        .collect();
    let options = Arc::new(options);
    let state: Arc<State> = Arc::default();
    let started = millis();
    if let Some(bytes) = options.get("ballast") {
        state.kept.lock().unwrap().push(vec![7; *bytes as usize]);
    }
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    for stream in listener.incoming().flatten() {
        let (state, options) = (Arc::clone(&state), Arc::clone(&options));
        std::thread::spawn(move || serve(stream, &state, &options, started));
    }
}

fn serve(
    stream: TcpStream,
    state: &State,
    options: &BTreeMap<String, u64>,
    started: u64,
) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut writer = stream.try_clone().ok()?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let path = line.split(' ').nth(1)?.to_owned();
        loop {
            line.clear();
            reader.read_line(&mut line).ok()?;
            if line.trim().is_empty() {
                break;
            }
        }
        let body = if path == "/metrics" {
            if millis() < state.silent.load(Ordering::Relaxed) {
                // The scrape fails as it does where a connection breaks.
                return None;
            }
            metrics(state, started)
        } else if let Some(time) = path.strip_prefix("/silence/") {
            state.silent.store(millis() + time.parse::<u64>().ok()?, Ordering::Relaxed);
            String::new()
        } else {
            work(state, options)
        };
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
        writer.write_all(head.as_bytes()).ok()?;
        writer.write_all(body.as_bytes()).ok()?;
    }
}

fn work(state: &State, options: &BTreeMap<String, u64>) -> String {
    let start = Instant::now();
    std::thread::sleep(Duration::from_micros(500));
    let number = state.requests.fetch_add(1, Ordering::Relaxed);
    let keep = |bytes: u64| state.kept.lock().unwrap().push(vec![7; bytes as usize]);
    if let Some(bytes) = options.get("leak") {
        keep(*bytes);
    }
    if options.get("cache").is_some_and(|until| number < *until) {
        keep(16 << 10);
    }
    if let (Some(every), Some(port)) = (options.get("forget"), options.get("database")) {
        if number % every == 0 {
            let connection = TcpStream::connect(("127.0.0.1", *port as u16));
            state.forgotten.lock().unwrap().extend(connection);
        }
    }
    let took = start.elapsed();
    for (bucket, limit) in state.buckets.iter().zip(BUCKETS) {
        if took.as_secs_f64() <= limit {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
    }
    state.micros.fetch_add(took.as_micros() as u64, Ordering::Relaxed);
    "done".to_owned()
}

fn metrics(state: &State, started: u64) -> String {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = statm.split(' ').nth(1).and_then(|n| n.parse().ok()).unwrap_or(0);
    let count = |dir: &str| std::fs::read_dir(dir).map_or(0, Iterator::count);
    let requests = state.requests.load(Ordering::Relaxed);
    let mut out = format!(
        "process_resident_memory_bytes {}\nprocess_open_fds {}\nprocess_threads {}\nprocess_start_time_seconds {:.3}\nhttp_requests_total{{code=\"200\"}} {requests}\n",
        pages * 4096,
        count("/proc/self/fd"),
        count("/proc/self/task"),
        started as f64 / 1000.0,
    );
    out.push_str("# TYPE http_request_duration_seconds histogram\n");
    for (bucket, limit) in state.buckets.iter().zip(BUCKETS) {
        out.push_str(&format!(
            "http_request_duration_seconds_bucket{{le=\"{limit}\"}} {}\n",
            bucket.load(Ordering::Relaxed)
        ));
    }
    out.push_str(&format!(
        "http_request_duration_seconds_bucket{{le=\"+Inf\"}} {requests}\nhttp_request_duration_seconds_count {requests}\nhttp_request_duration_seconds_sum {}\n",
        state.micros.load(Ordering::Relaxed) as f64 / 1e6
    ));
    out
}
