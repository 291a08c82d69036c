//! One stage for each run of a hostile checkout: the checkout, a place outside
//! of it, an inert evil program that leaves a marker, a listener that counts.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use cargo_canary::host::{Environment, Get, Host, Net, NetError, Response};

use crate::support::project::make_executable;

/// The word that stands in whatever must not be believed or must not be read.
pub(crate) const LIE: &str = "THIS-IS-A-LIE";
/// The word that stands in the true manifest of the crate `dep`.
pub(crate) const TRUTH: &str = "the true dep";

/// What a run did that it should not have done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Effect {
    /// A program of the checkout ran.
    Runs,
    /// The listener was connected to.
    Connects,
    /// A file outside of the checkout was changed.
    Writes,
    /// The answer holds what the checkout made up, or what stands outside of it.
    Lies,
    /// The answer names a path outside of the checkout as a part of it.
    LeadsOut,
    /// It did not end.
    Hangs,
}

/// What a program said, or our own reading.
#[derive(Debug, Default)]
pub(crate) struct Ran {
    pub(crate) fine: bool,
    pub(crate) ended: bool,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// How a run ended.
pub(crate) struct Run {
    pub(crate) effects: Vec<Effect>,
    pub(crate) ran: Ran,
}

/// The places of one run.
pub(crate) struct Stage {
    pub(crate) root: PathBuf,
    /// The audited tree.
    pub(crate) repo: PathBuf,
    /// What the tree must not touch.
    pub(crate) outside: PathBuf,
    /// The user's home; cargo's home is `.cargo` in it.
    pub(crate) home: PathBuf,
    /// The evil program: leaves the marker, then does what rustc would do.
    pub(crate) evil: PathBuf,
    /// The address of the listener.
    pub(crate) url: String,
    marker: PathBuf,
    listener: Listener,
    /// The addresses that our own network door was asked for.
    asked: Arc<Mutex<Vec<String>>>,
    _directory: tempfile::TempDir,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let directory = tempfile::Builder::new()
            .prefix("hostile-")
            .tempdir()
            .unwrap();
        let root = fs::canonicalize(directory.path()).unwrap();
        let listener = Listener::start();
        let stage = Self {
            repo: root.join("repo"),
            outside: root.join("outside"),
            home: root.join("home"),
            evil: root.join("bin/evil"),
            marker: root.join("marker"),
            url: format!("http://127.0.0.1:{}", listener.port),
            listener,
            asked: Arc::default(),
            root,
            _directory: directory,
        };
        let cache = stage.root.join("cache/clean-room");
        for directory in [&stage.repo, &stage.outside, &stage.home, &cache] {
            fs::create_dir_all(directory).unwrap();
        }
        stage.evil_program();
        stage.put("outside/precious", "precious\n");
        stage.package("repo", "victim", "");
        stage.lock("repo", &["victim"], "");
        stage
    }

    fn evil_program(&self) {
        let (rustc, marker) = (rustc(), self.marker.display());
        let script = format!(
            "#!/bin/sh\necho \"$0 $*\" >> '{marker}'\n\
             case \"$1\" in */rustc) exec \"$@\";; \
             -vV|-|--*) exec '{}' \"$@\";; esac\necho token\n",
            rustc.display()
        );
        self.put("bin/evil", &script);
        self.executable("bin/evil");
    }

    /// Writes a file below the stage's root.
    pub(crate) fn put(&self, path: &str, content: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn executable(&self, path: &str) {
        make_executable(&self.root.join(path));
    }

    /// Writes `.cargo/config.toml` of the checkout.
    pub(crate) fn config(&self, content: &str) {
        self.put("repo/.cargo/config.toml", content);
    }

    /// A package with a library; `more` goes below its `[package]` table.
    pub(crate) fn package(&self, directory: &str, name: &str, more: &str) {
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n{more}"
        );
        self.put(&format!("{directory}/Cargo.toml"), &manifest);
        self.put(&format!("{directory}/src/lib.rs"), "");
    }

    /// A lock file with these local packages, the first of which depends on the
    /// others and on what `entry` (name, then the fields of an entry) adds.
    pub(crate) fn lock(&self, directory: &str, local: &[&str], entry: &str) {
        let mut needs: Vec<&str> = local[1..].to_vec();
        let extra = entry.split_once('\n');
        needs.extend(extra.map(|(name, _)| name));
        let needs = match needs.as_slice() {
            [] => String::new(),
            needs => format!("dependencies = {needs:?}\n"),
        };
        let mut entries: Vec<String> = local
            .iter()
            .map(|name| format!("\n[[package]]\nname = \"{name}\"\nversion = \"0.1.0\"\n"))
            .collect();
        entries.insert(1, needs);
        entries.extend(
            extra.map(|(name, fields)| format!("\n[[package]]\nname = \"{name}\"\n{fields}")),
        );
        let text = format!("version = 4\n{}", entries.concat());
        self.put(&format!("{directory}/Cargo.lock"), &text);
    }

    /// The victim depends on the crate `dep`, which the user's cargo has: as an
    /// archive in its cache, and (for the plain commands) through a mirror.
    pub(crate) fn with_dep(&self) -> String {
        self.with_dep_checksum(None)
    }

    /// As above, with another checksum in the lock file.
    pub(crate) fn with_dep_checksum(&self, checksum: Option<&str>) -> String {
        let archive = crate_archive(TRUTH);
        let cache = self.home.join(".cargo/registry/cache/index.crates.io-0");
        fs::create_dir_all(&cache).unwrap();
        fs::write(cache.join("dep-1.0.0.crate"), &archive).unwrap();
        let sum = sha256(&archive);
        self.vendor("mirror", &sum, TRUTH);
        let mirror = self.root.join("mirror");
        self.put(
            "home/.cargo/config.toml",
            &format!(
                "[source.crates-io]\nreplace-with = 'mirror'\n[source.mirror]\ndirectory = {mirror:?}\n"
            ),
        );
        self.package("repo", "victim", "[dependencies]\ndep = \"1\"\n");
        let used = checksum.unwrap_or(&sum);
        self.lock(
            "repo",
            &["victim"],
            &format!(
                "dep\nversion = \"1.0.0\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"{used}\"\n"
            ),
        );
        sum
    }

    /// A directory source below the root with one crate, `dep` 1.0.0.
    pub(crate) fn vendor(&self, directory: &str, checksum: &str, description: &str) {
        self.put(
            &format!("{directory}/dep/Cargo.toml"),
            &dep_manifest(description),
        );
        self.put(&format!("{directory}/dep/src/lib.rs"), "");
        self.put(
            &format!("{directory}/dep/.cargo-checksum.json"),
            &format!("{{\"files\":{{}},\"package\":\"{checksum}\"}}"),
        );
    }

    /// A git repository below the root with all that stands there, in one commit.
    pub(crate) fn commit(&self, directory: &str) -> String {
        let directory = self.root.join(directory);
        for args in [
            &["init", "-q", "-b", "main"] as &[&str],
            &["add", "-A", "-f"],
            &[
                "-c",
                "user.name=n",
                "-c",
                "user.email=e@example.org",
                "commit",
                "-q",
                "-m",
                "x",
            ],
        ] {
            let ran = self.command(Path::new("git"), args, &directory, &[]);
            assert!(ran.fine, "git {args:?}: {}", ran.err);
        }
        let head = self.command(Path::new("git"), &["rev-parse", "HEAD"], &directory, &[]);
        assert!(head.fine);
        head.out.trim().to_owned()
    }

    /// Runs git in the checkout.
    pub(crate) fn git(&self, args: &[&str]) -> Ran {
        self.command(Path::new("git"), args, &self.repo, &[])
    }

    /// Runs cargo as anybody would, in a directory of the checkout.
    pub(crate) fn cargo(&self, directory: &str, args: &[&str]) -> Ran {
        self.command(&cargo(), args, &self.repo.join(directory), &[])
    }

    /// `cargo metadata` as anybody would run it.
    pub(crate) fn metadata(&self) -> Ran {
        self.cargo("", &["metadata", "--format-version", "1"])
    }

    /// Runs a program with the user's home and search path and these variables.
    pub(crate) fn command(
        &self,
        program: &Path,
        args: &[&str],
        directory: &Path,
        env: &[(&str, &str)],
    ) -> Ran {
        self.command_within(Duration::from_secs(60), program, args, directory, env)
    }

    /// As above, ended after a time.
    pub(crate) fn command_within(
        &self,
        limit: Duration,
        program: &Path,
        args: &[&str],
        directory: &Path,
        env: &[(&str, &str)],
    ) -> Ran {
        let mut child = Command::new(program)
            .args(args)
            .env_clear()
            .env("HOME", &self.home)
            .env("CARGO_HOME", self.home.join(".cargo"))
            .env("PATH", search_path())
            .env("CARGO_NET_RETRY", "0")
            .env("GIT_TERMINAL_PROMPT", "0")
            .envs(env.iter().copied())
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let streams = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let readers = [read_all(streams.0), read_all(streams.1)];
        let deadline = Instant::now() + limit;
        let fine = loop {
            match child.try_wait().unwrap() {
                Some(status) => break status.success(),
                None if Instant::now() > deadline => {
                    child.kill().unwrap();
                    child.wait().unwrap();
                    return Ran {
                        ended: false,
                        ..Ran::default()
                    };
                }
                None => std::thread::sleep(Duration::from_millis(2)),
            }
        };
        let [out, err] = readers.map(|reader| reader.join().unwrap());
        Ran {
            fine,
            ended: true,
            out,
            err,
        }
    }

    /// Does something on this stage and says what it did that it should not have.
    pub(crate) fn watch(&self, run: impl FnOnce(&Self) -> Ran) -> Run {
        let before = snapshot(&self.outside);
        let ran = run(self);
        let mut effects = Vec::new();
        if self.marker.exists() {
            effects.push(Effect::Runs);
        }
        let asked = self.asked.lock().unwrap();
        let to_them = asked.iter().any(|url| url.starts_with(&self.url));
        if to_them || self.listener.connections.load(Ordering::SeqCst) > 0 {
            effects.push(Effect::Connects);
        }
        if snapshot(&self.outside) != before {
            effects.push(Effect::Writes);
        }
        if ran.out.contains(LIE) {
            effects.push(Effect::Lies);
        }
        let outside = self.outside.to_string_lossy();
        if ran.out.contains(&*outside) || ran.out.contains("/../outside") {
            effects.push(Effect::LeadsOut);
        }
        if !ran.ended {
            effects.push(Effect::Hangs);
        }
        Run { effects, ran }
    }

    /// The doors of this program on this stage. The network door writes down what
    /// it is asked for, and never answers.
    pub(crate) fn host(&self) -> Host {
        let text = |path: PathBuf| path.into_os_string();
        let vars = [
            ("HOME", text(self.home.clone())),
            ("CARGO_HOME", text(self.home.join(".cargo"))),
            ("CARGO_CANARY_CACHE", text(self.root.join("cache"))),
            ("CARGO_CANARY_CARGO", text(cargo())),
            ("PATH", search_path().into()),
            // What a hostile environment could hold.
            ("RUSTC", text(self.evil.clone())),
            ("RUSTC_WRAPPER", text(self.evil.clone())),
            ("CARGO_BUILD_RUSTC", text(self.evil.clone())),
        ];
        Host {
            env: Environment::new(vars.map(|(name, value)| (name.to_owned(), value))),
            ..Host::real(Some(Box::new(Recorder(Arc::clone(&self.asked)))))
        }
    }

    /// All files of the checkout, of the user's home and of the clean room with
    /// their contents, so that a change can be seen. What the registry keeps in
    /// its own cache is its right.
    pub(crate) fn state(&self) -> BTreeMap<PathBuf, String> {
        let mut state = snapshot(&self.repo);
        state.extend(snapshot(&self.home));
        state.extend(snapshot(&self.root.join("cache/clean-room")));
        state
    }
}

fn read_all(mut stream: impl std::io::Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// The cargo of the toolchain that runs the tests, which is no proxy.
pub(crate) fn cargo() -> PathBuf {
    fs::canonicalize(std::env::var_os("CARGO").expect("tests are run by cargo")).unwrap()
}

/// The rustc beside it.
pub(crate) fn rustc() -> PathBuf {
    cargo().with_file_name("rustc")
}

fn search_path() -> String {
    let path = std::env::var("PATH").unwrap();
    format!("{}:{path}", cargo().parent().unwrap().display())
}

/// The files below a directory and what they hold. Links and pipes are named only.
fn snapshot(directory: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let Ok(entries) = fs::read_dir(directory) else {
        return found;
    };
    for entry in entries {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            found.insert(entry.path(), String::from("a directory"));
            found.extend(snapshot(&entry.path()));
        } else if kind.is_file() {
            let content = fs::read(entry.path()).unwrap();
            found.insert(entry.path(), sha256(&content));
        } else {
            found.insert(entry.path(), String::from("something else"));
        }
    }
    found
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    let digest = sha2::Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn dep_manifest(description: &str) -> String {
    format!(
        "[package]\nname = \"dep\"\nversion = \"1.0.0\"\nedition = \"2021\"\ndescription = \"{description}\"\n"
    )
}

/// The archive of a crate `dep` 1.0.0 with this description.
pub(crate) fn crate_archive(description: &str) -> Vec<u8> {
    let gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut tar = tar::Builder::new(gz);
    for (path, content) in [
        ("dep-1.0.0/Cargo.toml", dep_manifest(description).as_str()),
        ("dep-1.0.0/src/lib.rs", ""),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, path, content.as_bytes())
            .unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

/// A network on which nobody answers.
struct Recorder(Arc<Mutex<Vec<String>>>);

impl Net for Recorder {
    fn get_all(&self, requests: &[Get]) -> Vec<Result<Response, NetError>> {
        let mut asked = self.0.lock().unwrap();
        asked.extend(requests.iter().map(|request| request.url.clone()));
        let no_answer = |request: &Get| NetError::NoAnswer {
            url: request.url.clone(),
            detail: "nobody answers here".to_owned(),
        };
        requests.iter().map(no_answer).map(Err).collect()
    }

    fn requests(&self) -> u64 {
        self.0.lock().unwrap().len() as u64
    }
}

/// Counts connections, and asks every caller for a token.
struct Listener {
    port: u16,
    connections: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        listener.set_nonblocking(true).unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let stop = Arc::new(AtomicBool::new(false));
        let (count, end) = (Arc::clone(&connections), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            while !end.load(Ordering::SeqCst) {
                let Ok((mut stream, _)) = listener.accept() else {
                    std::thread::sleep(Duration::from_millis(3));
                    continue;
                };
                count.fetch_add(1, Ordering::SeqCst);
                stream.set_nonblocking(false).unwrap();
                stream
                    .set_read_timeout(Some(Duration::from_millis(500)))
                    .unwrap();
                let mut request = [0; 4096];
                drop(stream.read(&mut request));
                drop(stream.write_all(
                    b"HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Cargo login_url=\"http://127.0.0.1/\"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
                ));
            }
        });
        Self {
            port,
            connections,
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        drop(self.thread.take().map(JoinHandle::join));
    }
}
