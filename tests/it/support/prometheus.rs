//! A Prometheus of our own, on a loopback port, for one test.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running Prometheus. It goes with the value, and its data, too.
pub(crate) struct Prometheus {
    scratch: tempfile::TempDir,
    port: u16,
    child: Child,
}

/// The program, where `CANARY_PROMETHEUS` names it.
pub(crate) fn program() -> Option<PathBuf> {
    let named = std::env::var_os("CANARY_PROMETHEUS").filter(|name| !name.is_empty());
    if named.is_none() {
        println!("skipped: CANARY_PROMETHEUS names no program");
    }
    named.map(PathBuf::from)
}

/// A port that nobody uses now.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

impl Prometheus {
    /// Starts it with a configuration, and a configuration of its own web server
    /// where one is given.
    pub(crate) fn start(program: &Path, config: &str, web: Option<&Path>) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let port = free_port();
        fs::write(scratch.path().join("prometheus.yml"), config).unwrap();
        let log = fs::File::create(scratch.path().join("log")).unwrap();
        let mut command = Command::new(program);
        command
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--config.file=prometheus.yml")
            .arg("--storage.tsdb.path=data")
            .args(web.map(|file| format!("--web.config.file={}", file.display())))
            .current_dir(scratch.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        let mut prometheus = Self {
            child: command.spawn().unwrap(),
            scratch,
            port,
        };
        prometheus.wait(web.is_some());
        prometheus
    }

    fn wait(&mut self, secured: bool) {
        let started = Instant::now();
        while !self.is_ready(secured) {
            assert!(
                self.child.try_wait().unwrap().is_none()
                    && started.elapsed() < Duration::from_secs(60),
                "Prometheus does not start: {}",
                fs::read_to_string(self.scratch.path().join("log")).unwrap()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn is_ready(&self, secured: bool) -> bool {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else {
            return false;
        };
        if secured {
            return true;
        }
        let mut answer = String::new();
        stream
            .write_all(b"GET /-/ready HTTP/1.0\r\n\r\n")
            .and_then(|()| stream.read_to_string(&mut answer))
            .is_ok_and(|_| answer.contains(" 200 "))
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
