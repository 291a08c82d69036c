//! The small service, as baseline and as canaries that leak, start, restart or fall
//! silent; a load on each; and a real Prometheus that watches all of them.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::support::prometheus::{Prometheus, free_port};

const SOURCE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/it/rollout/service/main.rs"
);

/// What counts here: 64 MiB and 256 descriptors in half an hour, so that a minute
/// suffices to see what matters.
const TABLE: &str = r#"
baseline   = { track = "stable" }
duration   = "65s"
step       = "500ms"
rate-window = "4s"
warm-up    = "6s"
time-between-deploys = "30m"

[[rollout.metric]]
id = "memory"
headroom = "64MiB"
least = "512KiB"

[[rollout.metric]]
id = "descriptors"
headroom = 256
least = 3

[[rollout.metric]]
id = "threads"
headroom = 256
least = 3

# On a busy machine answers are late for reasons of their own.
[[rollout.metric]]
id = "latency"
floor = 0.1
"#;

/// One instance with its load.
pub(super) struct Instance {
    child: Child,
    program: PathBuf,
    port: u16,
    options: Vec<String>,
    /// Ends the load.
    over: Arc<AtomicBool>,
}

impl Instance {
    fn start(program: &Path, options: &[String]) -> Self {
        let port = free_port();
        let over: Arc<AtomicBool> = Arc::default();
        let instance = Self {
            child: launch(program, port, options),
            program: program.to_owned(),
            port,
            options: options.to_vec(),
            over: Arc::clone(&over),
        };
        std::thread::spawn(move || load(port, &over));
        instance
    }

    /// Ends the process, and starts another one in its place a moment later.
    pub(super) fn restart(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        std::thread::sleep(Duration::from_secs(2));
        self.child = launch(&self.program, self.port, &self.options);
    }

    /// Lets its scrapes fail for a time.
    pub(super) fn silence(&self, time: Duration) {
        let path = format!("/silence/{}", time.as_millis());
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        asked(&mut BufReader::new(stream), &path).unwrap();
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn launch(program: &Path, port: u16, options: &[String]) -> Child {
    Command::new(program)
        .arg(port.to_string())
        .args(options)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Fifty requests a second over one connection, made anew where it breaks.
fn load(port: u16, over: &AtomicBool) {
    while !over.load(Ordering::Relaxed) {
        if let Ok(stream) = TcpStream::connect(("127.0.0.1", port)) {
            drop(stream.set_read_timeout(Some(Duration::from_secs(2))));
            let mut stream = BufReader::new(stream);
            let mut next = Instant::now();
            while !over.load(Ordering::Relaxed) && asked(&mut stream, "/").is_some() {
                next += Duration::from_millis(20);
                std::thread::sleep(next.saturating_duration_since(Instant::now()));
            }
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn asked(stream: &mut BufReader<TcpStream>, path: &str) -> Option<()> {
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
    stream.get_mut().write_all(request.as_bytes()).ok()?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.trim().parse().ok()?;
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()
}

/// A baseline and canaries under one Prometheus.
pub(super) struct Stage {
    pub(super) canaries: Vec<(&'static str, Instance)>,
    _baseline: Instance,
    prometheus: Prometheus,
    _scratch: tempfile::TempDir,
    pub(super) started: Instant,
}

impl Stage {
    /// Canaries by name, each with the options of the service.
    pub(super) fn start(prometheus: &Path, canaries: &[(&'static str, &[&str])]) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let program = scratch.path().join("service");
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let status = Command::new(rustc)
            .args(["--edition", "2021", "-O", "-o"])
            .arg(&program)
            .arg(SOURCE)
            .status()
            .unwrap();
        assert!(status.success());
        let database = database();
        let start = |options: &[&str]| {
            let mut options: Vec<String> = options.iter().map(|&it| it.to_owned()).collect();
            options.push(format!("database={database}"));
            Instance::start(&program, &options)
        };
        let baseline = start(&["ballast=20000000"]);
        let canaries: Vec<(&'static str, Instance)> = canaries
            .iter()
            .map(|(name, options)| (*name, start(options)))
            .collect();
        let mut config = String::from(
            "global: { scrape_interval: 500ms, scrape_timeout: 450ms }\nscrape_configs:\n- job_name: shop\n  static_configs:\n",
        );
        let mut target = |port: u16, track: &str| {
            let line =
                format!("  - {{ targets: ['127.0.0.1:{port}'], labels: {{ track: {track} }} }}\n");
            config.push_str(&line);
        };
        target(baseline.port, "stable");
        for (name, instance) in &canaries {
            target(instance.port, name);
        }
        Self {
            prometheus: Prometheus::start(prometheus, &config, None),
            canaries,
            _baseline: baseline,
            _scratch: scratch,
            started: Instant::now(),
        }
    }

    /// The policy file for one canary.
    pub(super) fn table(&self, canary: &str) -> String {
        format!(
            "[rollout]\nprometheus = \"http://127.0.0.1:{}\"\ncanary = {{ track = \"{canary}\" }}{TABLE}",
            self.prometheus.port()
        )
    }

    pub(super) fn instance(&mut self, name: &str) -> &mut Instance {
        let found = self.canaries.iter_mut().find(|(it, _)| *it == name);
        &mut found.unwrap().1
    }

    /// Waits until so many seconds have passed since the start.
    pub(super) fn wait_until(&self, seconds: u64) {
        let left = Duration::from_secs(seconds).saturating_sub(self.started.elapsed());
        std::thread::sleep(left);
    }
}

/// A database that takes connections and holds them as long as the other side does.
fn database() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let held: Vec<TcpStream> = listener.incoming().flatten().collect();
        drop(held);
    });
    port
}
