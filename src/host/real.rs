//! The doors of the machine that the program runs on.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the door to files, processes and the clock"
)]

use std::fs;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::{
    Clock, Entry, Environment, FileKind, Files, Host, Invocation, Net, Output, ProcessError,
    Processes, Scratch, Tail, Work, WorkCounter,
};

impl Host {
    /// The host this program runs on, with the environment as it is now.
    #[must_use]
    pub fn real(net: Option<Box<dyn Net>>) -> Self {
        let vars =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        Self {
            files: Box::new(RealFiles::default()),
            net,
            processes: Box::new(RealProcesses::default()),
            clock: Box::new(RealClock),
            env: Environment::new(vars),
        }
    }
}

/// The file system of this machine.
#[derive(Debug, Default)]
struct RealFiles {
    counter: WorkCounter,
}

impl Files for RealFiles {
    fn kind(&self, path: &Path) -> io::Result<FileKind> {
        let metadata = fs::symlink_metadata(path)?;
        Ok(kind_of(&metadata.file_type(), || metadata.len()))
    }

    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        let file = fs::File::open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "not a regular file",
            ));
        }
        let expected = usize::try_from(metadata.len().min(limit)).unwrap_or(0);
        let mut content = Vec::with_capacity(expected + 1);
        file.take(limit.saturating_add(1))
            .read_to_end(&mut content)?;
        if content.len() as u64 > limit {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("larger than the limit of {limit} bytes"),
            ));
        }
        self.counter.read(content.len());
        Ok(content)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            let size = || entry.metadata().map_or(0, |metadata| metadata.len());
            entries.push(Entry {
                name: entry.file_name(),
                kind: kind_of(&kind, size),
            });
        }
        entries.sort();
        Ok(entries)
    }

    fn canonical(&self, path: &Path) -> io::Result<PathBuf> {
        fs::canonicalize(path)
    }

    fn write(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        // A link is followed; a device or a pipe is written to, not replaced.
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if fs::metadata(&target).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir()) {
            fs::OpenOptions::new()
                .write(true)
                .open(&target)?
                .write_all(content)?;
            self.counter.wrote();
            return Ok(());
        }
        let parent = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        fs::create_dir_all(parent)?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(".canary-");
        // As any new file: the user's mask takes away what others may not do.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut file = builder.tempfile_in(parent)?;
        file.write_all(content)?;
        file.persist(&target).map_err(|error| error.error)?;
        self.counter.wrote();
        Ok(())
    }

    fn append(
        &self,
        path: &Path,
        content: &[u8],
        tail: &dyn Fn(&[u8]) -> io::Result<Tail>,
    ) -> io::Result<()> {
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        fs::create_dir_all(parent)?;
        let mut options = fs::OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::custom_flags(
            &mut options,
            rustix::fs::OFlags::NOFOLLOW.bits() as i32,
        );
        let mut file = options.open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "not a regular file",
            ));
        }
        // Held until the file is closed.
        file.lock()?;
        let before = file.metadata()?.len();
        let last = last_line(&mut file, before)?;
        let (keep, end) = match last.as_slice() {
            [] => (before, &b""[..]),
            line => match tail(line)? {
                Tail::Whole => (before, &b"\n"[..]),
                Tail::Torn => (before - line.len() as u64, &b""[..]),
            },
        };
        file.set_len(keep)?;
        file.seek(SeekFrom::Start(keep))?;
        let written = file
            .write_all(&[end, content].concat())
            .and_then(|()| file.sync_data());
        if let Err(error) = written {
            // The first error is the one to tell.
            drop(file.set_len(keep));
            return Err(error);
        }
        if before == 0 {
            // So that the name of the file is on disk, too.
            #[cfg(unix)]
            fs::File::open(parent)?.sync_all()?;
        }
        self.counter.wrote();
        Ok(())
    }

    fn modified(&self, path: &Path) -> io::Result<Timestamp> {
        let modified = fs::metadata(path)?.modified()?;
        Timestamp::try_from(modified).map_err(io::Error::other)
    }

    fn scratch(&self, parent: &Path) -> io::Result<Box<dyn Scratch>> {
        super::scratch::make(parent)
    }

    fn work(&self) -> Work {
        self.counter.so_far()
    }
}

/// What follows the last end of a line in a file of this length.
fn last_line(file: &mut fs::File, length: u64) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    let mut end = length;
    while end > 0 {
        let start = end.saturating_sub(64 << 10);
        let mut block = vec![0; usize::try_from(end - start).unwrap_or(0)];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut block)?;
        if let Some(at) = memchr::memrchr(b'\n', &block) {
            line.splice(0..0, block.drain(at + 1..));
            break;
        }
        line.splice(0..0, block);
        end = start;
    }
    Ok(line)
}

fn kind_of(kind: &fs::FileType, size: impl FnOnce() -> u64) -> FileKind {
    if kind.is_file() {
        FileKind::File(size())
    } else if kind.is_dir() {
        FileKind::Directory
    } else if kind.is_symlink() {
        FileKind::Link
    } else {
        FileKind::Other
    }
}

/// The programs of this machine.
#[derive(Debug, Default)]
struct RealProcesses {
    started: AtomicU64,
}

impl Processes for RealProcesses {
    fn run(&self, invocation: &Invocation) -> Result<Output, ProcessError> {
        let mut command = Command::new(&invocation.program);
        command
            .args(&invocation.args)
            .env_clear()
            .envs(&invocation.env)
            .current_dir(&invocation.directory)
            .stdin(if invocation.stdin.is_empty() {
                Stdio::null()
            } else {
                Stdio::piped()
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        own_group(&mut command);
        self.started.fetch_add(1, Ordering::Relaxed);
        let child = command.spawn().map_err(|source| ProcessError::Start {
            program: invocation.program.clone(),
            source,
        })?;
        supervise(child, invocation)
    }

    #[cfg(target_os = "linux")]
    fn start(&self, launch: &super::Launch) -> Result<Box<dyn super::Running>, ProcessError> {
        self.started.fetch_add(1, Ordering::Relaxed);
        super::watched::start(launch)
    }

    fn free_port(&self) -> Option<u16> {
        let listener = std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).ok()?;
        Some(listener.local_addr().ok()?.port())
    }

    fn started(&self) -> u64 {
        self.started.load(Ordering::Relaxed)
    }
}

/// One stream of a program, read to its end or over the limit.
enum Stream {
    Out(Vec<u8>, bool),
    Err(Vec<u8>, bool),
}

fn supervise(mut child: Child, invocation: &Invocation) -> Result<Output, ProcessError> {
    let deadline = Instant::now() + invocation.timeout;
    let (sender, receiver) = mpsc::channel();
    if let Some(mut stdin) = child.stdin.take() {
        let content = invocation.stdin.clone();
        // A program that ends without reading its input is no error of ours.
        thread::spawn(move || drop(stdin.write_all(&content)));
    }
    let limit = invocation.output_limit;
    if let Some(stdout) = child.stdout.take() {
        let sender = sender.clone();
        thread::spawn(move || {
            let (bytes, over) = read_limited(stdout, limit);
            drop(sender.send(Stream::Out(bytes, over)));
        });
    }
    if let Some(stderr) = child.stderr.take() {
        thread::spawn(move || {
            let (bytes, over) = read_limited(stderr, limit);
            drop(sender.send(Stream::Err(bytes, over)));
        });
    }
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    for _ in 0..2 {
        let left = deadline.saturating_duration_since(Instant::now());
        let over = match receiver.recv_timeout(left) {
            Ok(Stream::Out(bytes, over)) => {
                stdout = bytes;
                over
            }
            Ok(Stream::Err(bytes, over)) => {
                stderr = bytes;
                over
            }
            Err(_) => {
                end(&mut child);
                return Err(timed_out(invocation));
            }
        };
        if over {
            end(&mut child);
            return Err(ProcessError::TooMuchOutput {
                program: invocation.program.clone(),
                limit,
            });
        }
    }
    wait(child, deadline, invocation).map(|code| Output {
        code,
        stdout,
        stderr,
    })
}

/// Waits for a program whose streams are closed; it may still run.
fn wait(
    mut child: Child,
    deadline: Instant,
    invocation: &Invocation,
) -> Result<Option<i32>, ProcessError> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status.code()),
            Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_micros(300)),
            Ok(None) => {
                end(&mut child);
                return Err(timed_out(invocation));
            }
            Err(source) => {
                return Err(ProcessError::Start {
                    program: invocation.program.clone(),
                    source,
                });
            }
        }
    }
}

fn timed_out(invocation: &Invocation) -> ProcessError {
    ProcessError::TimedOut {
        program: invocation.program.clone(),
        seconds: invocation.timeout.as_secs(),
    }
}

fn read_limited(stream: impl Read, limit: u64) -> (Vec<u8>, bool) {
    let mut bytes = Vec::new();
    // A broken pipe ends the stream like its end does.
    drop(stream.take(limit.saturating_add(1)).read_to_end(&mut bytes));
    let over = bytes.len() as u64 > limit;
    (bytes, over)
}

/// Puts the program into a process group of its own, so that what it starts
/// can be ended with it.
fn own_group(command: &mut Command) {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    #[cfg(not(unix))]
    let _ = command;
}

/// Ends a program and, where the system has process groups, all that it started.
fn end(child: &mut Child) {
    #[cfg(unix)]
    if let Some(group) = i32::try_from(child.id())
        .ok()
        .and_then(rustix::process::Pid::from_raw)
    {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    drop(child.kill());
    drop(child.wait());
}

/// The clock of this machine.
#[derive(Debug)]
struct RealClock;

impl Clock for RealClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, timeout: Duration, output_limit: u64) -> Result<Output, ProcessError> {
        let host = Host::real(None);
        host.processes.run(&Invocation {
            program: "/bin/sh".into(),
            args: vec!["-c".into(), script.into()],
            env: [("PATH".into(), "/usr/bin:/bin".into())].into(),
            directory: "/".into(),
            stdin: b"hello".to_vec(),
            timeout,
            output_limit,
        })
    }

    #[test]
    fn a_program_gets_its_input_and_nothing_of_our_environment() {
        let output = shell(
            "cat; echo; env | grep -c HOME; exit 3",
            Duration::from_secs(10),
            1000,
        )
        .unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "hello\n0\n");
        assert_eq!(output.code, Some(3));
    }

    #[test]
    fn a_program_that_does_not_end_is_ended_with_all_it_started() {
        let start = Instant::now();
        let error = shell("sleep 30 & sleep 30", Duration::from_millis(200), 1000).unwrap_err();
        assert!(matches!(error, ProcessError::TimedOut { .. }), "{error}");
        assert!(start.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn a_program_that_prints_without_end_is_ended() {
        let error = shell("yes", Duration::from_secs(20), 10_000).unwrap_err();
        assert!(
            matches!(error, ProcessError::TooMuchOutput { .. }),
            "{error}"
        );
    }

    #[test]
    fn a_file_over_the_limit_is_refused_and_nothing_is_counted() {
        let host = Host::real(None);
        let scratch = host.files.scratch(&std::env::temp_dir()).unwrap();
        let path = scratch.path().join("deep/file");
        host.files.write(&path, b"12345").unwrap();
        assert_eq!(host.files.read(&path, 5).unwrap(), b"12345");
        let error = host.files.read(&path, 4).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(host.work().files_read, 1);
        assert_eq!(host.work().bytes_read, 5);
    }

    #[test]
    fn a_scratch_directory_goes_with_its_value() {
        let host = Host::real(None);
        let scratch = host.files.scratch(&std::env::temp_dir()).unwrap();
        let path = scratch.path().to_owned();
        host.files.write(&path.join("x"), b"y").unwrap();
        drop(scratch);
        assert!(host.files.kind(&path).is_err());
    }
}
