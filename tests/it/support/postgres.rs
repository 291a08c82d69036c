//! A PostgreSQL server of our own, on a loopback port, for one test.

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The password of the server's user.
pub(crate) const PASSWORD: &str = "between us";

/// A running server. It goes with the value, and its data, too.
pub(crate) struct Server {
    scratch: tempfile::TempDir,
    binaries: PathBuf,
    owner: Option<(u32, u32)>,
    port: u16,
    child: Child,
}

/// The binaries, where `CANARY_POSTGRES` names the directory they are in.
pub(crate) fn binaries() -> Option<PathBuf> {
    let named = std::env::var_os("CANARY_POSTGRES").filter(|name| !name.is_empty());
    if named.is_none() {
        println!("skipped: CANARY_POSTGRES names no directory with initdb and postgres");
    }
    named.map(PathBuf::from)
}

/// The server refuses to run as root: then it runs as the user that Debian's
/// package makes, or as nobody.
fn owner() -> Option<(u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let ids = |name: &str| {
        let line = users
            .lines()
            .find(|line| line.starts_with(&format!("{name}:")))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    Some(ids("postgres").or_else(|| ids("nobody")).unwrap())
}

fn as_owner(command: &mut Command, owner: Option<(u32, u32)>) {
    use std::os::unix::process::CommandExt as _;
    if let Some((user, group)) = owner {
        command.uid(user).gid(group);
    }
}

impl Server {
    pub(crate) fn start(binaries: PathBuf) -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        let scratch = tempfile::tempdir().unwrap();
        let owner = owner();
        fs::set_permissions(scratch.path(), fs::Permissions::from_mode(0o755)).unwrap();
        if let Some((user, group)) = owner {
            std::os::unix::fs::chown(scratch.path(), Some(user), Some(group)).unwrap();
        }
        let mut password = fs::File::create(scratch.path().join("password")).unwrap();
        writeln!(password, "{PASSWORD}").unwrap();
        let mut command = Command::new(binaries.join("initdb"));
        command
            .args([
                "--username=canary",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
            ])
            .args(["--locale=C.UTF-8", "--no-sync"])
            .arg("--pwfile")
            .arg(scratch.path().join("password"))
            .arg("--pgdata")
            .arg(scratch.path().join("data"))
            .current_dir(scratch.path());
        as_owner(&mut command, owner);
        let output = command.output().unwrap();
        assert!(
            output.status.success(),
            "initdb: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let child = serve(&binaries, scratch.path(), owner, port);
        let server = Self {
            scratch,
            binaries,
            owner,
            port,
            child,
        };
        server.wait();
        server
    }

    /// Waits until the server takes connections.
    fn wait(&self) {
        let started = Instant::now();
        loop {
            let ready = Command::new(self.binaries.join("pg_isready"))
                .args(["--host=127.0.0.1", "--username=canary"])
                .arg(format!("--port={}", self.port))
                .stdout(Stdio::null())
                .status()
                .unwrap();
            if ready.success() {
                return;
            }
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "the server does not start: {}",
                fs::read_to_string(self.scratch.path().join("log")).unwrap()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Kills the server without warning, and starts it on what it left.
    pub(crate) fn crash(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        // Its children notice, and hold the memory until they have.
        let started = Instant::now();
        loop {
            self.child = serve(&self.binaries, self.scratch.path(), self.owner, self.port);
            std::thread::sleep(Duration::from_millis(200));
            if self.child.try_wait().unwrap().is_none() {
                break;
            }
            assert!(started.elapsed() < Duration::from_secs(60));
        }
        self.wait();
    }

    /// The address of a new database.
    pub(crate) fn database(&self, name: &str) -> String {
        let output = Command::new(self.binaries.join("createdb"))
            .args(["--host=127.0.0.1", "--username=canary"])
            .arg(format!("--port={}", self.port))
            .arg(name)
            .env("PGPASSWORD", PASSWORD)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "createdb: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        format!("postgres://canary@127.0.0.1:{}/{name}", self.port)
    }

    /// Runs SQL, and gives what it prints.
    pub(crate) fn sql(&self, url: &str, sql: &str) -> String {
        let output = Command::new(self.binaries.join("psql"))
            .args(["--no-psqlrc", "--tuples-only", "--no-align"])
            .args(["--set=ON_ERROR_STOP=1", "--quiet", url, "--command", sql])
            .env("PGPASSWORD", PASSWORD)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "psql: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

fn serve(binaries: &Path, scratch: &Path, owner: Option<(u32, u32)>, port: u16) -> Child {
    let log = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(scratch.join("log"))
        .unwrap();
    let mut command = Command::new(binaries.join("postgres"));
    command
        .arg("-D")
        .arg(scratch.join("data"))
        .arg("-k")
        .arg(scratch)
        .arg("-p")
        .arg(port.to_string())
        .args([
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "max_connections=150",
        ])
        .current_dir(scratch)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log);
    as_owner(&mut command, owner);
    command.spawn().unwrap()
}

impl Drop for Server {
    fn drop(&mut self) {
        let id = i32::try_from(self.child.id()).unwrap();
        if let Some(id) = rustix::process::Pid::from_raw(id) {
            // At once; there is nothing to save.
            let signal = rustix::process::Signal::QUIT;
            if rustix::process::kill_process(id, signal).is_err() {
                return;
            }
        }
        drop(self.child.wait());
    }
}
