//! Doors that lead nowhere but into memory, for tests and for callers who
//! hold their inputs already.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::{
    Clock, Entry, Environment, FileKind, Files, Get, Host, Invocation, Net, NetError, Output,
    ProcessError, Processes, Response, Scratch, Tail, Work, WorkCounter,
};

/// A host in memory: files that were put in, answers that were prepared, a
/// clock that stands still, and no programs.
#[derive(Clone, Debug)]
pub struct MemoryHost {
    files: MemoryFiles,
    answers: Option<BTreeMap<String, Response>>,
    now: Timestamp,
    env: BTreeMap<String, OsString>,
}

impl MemoryHost {
    /// An empty host without network, at this time.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self {
            files: MemoryFiles::default(),
            answers: None,
            now,
            env: BTreeMap::new(),
        }
    }

    /// With this file.
    #[must_use]
    pub fn file(self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files
            .lock()
            .insert(PathBuf::from(path), content.into());
        self
    }

    /// With this environment variable.
    #[must_use]
    pub fn var(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.into());
        self
    }

    /// With a network on which this address has this answer, and every other none.
    #[must_use]
    pub fn answer(mut self, url: &str, status: u16, body: impl Into<Vec<u8>>) -> Self {
        let response = Response {
            status,
            headers: BTreeMap::new(),
            body: body.into(),
        };
        self.answers
            .get_or_insert_default()
            .insert(url.to_owned(), response);
        self
    }

    /// The host itself. Its files stay shared with this value.
    #[must_use]
    pub fn host(&self) -> Host {
        Host {
            files: Box::new(self.files.clone()),
            net: self.answers.clone().map(|answers| {
                Box::new(MemoryNet {
                    answers,
                    requests: AtomicU64::new(0),
                }) as Box<dyn Net>
            }),
            processes: Box::new(NoProcesses),
            clock: Box::new(StandingClock(self.now)),
            env: Environment::new(self.env.clone()),
        }
    }
}

#[derive(Clone, Debug, Default)]
struct MemoryFiles {
    content: Arc<Mutex<BTreeMap<PathBuf, Vec<u8>>>>,
    counter: Arc<WorkCounter>,
}

impl MemoryFiles {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Vec<u8>>> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn not_found(path: &Path) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("no `{}`", path.display()))
}

/// The path without `.` and with `..` applied.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => {
                plain.push(component);
            }
        }
    }
    plain
}

impl Files for MemoryFiles {
    fn kind(&self, path: &Path) -> io::Result<FileKind> {
        let path = plain(path);
        let files = self.lock();
        if let Some(content) = files.get(&path) {
            return Ok(FileKind::File(content.len() as u64));
        }
        if files.keys().any(|file| file.starts_with(&path)) {
            return Ok(FileKind::Directory);
        }
        Err(not_found(&path))
    }

    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        let path = plain(path);
        let content = self
            .lock()
            .get(&path)
            .cloned()
            .ok_or_else(|| not_found(&path))?;
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
        let path = plain(path);
        let files = self.lock();
        let mut entries = BTreeSet::new();
        for (file, content) in files.iter() {
            let Ok(rest) = file.strip_prefix(&path) else {
                continue;
            };
            let mut components = rest.components();
            let Some(first) = components.next() else {
                continue;
            };
            let kind = if components.next().is_some() {
                FileKind::Directory
            } else {
                FileKind::File(content.len() as u64)
            };
            entries.insert(Entry {
                name: first.as_os_str().to_owned(),
                kind,
            });
        }
        if entries.is_empty() {
            return Err(not_found(&path));
        }
        Ok(entries.into_iter().collect())
    }

    fn canonical(&self, path: &Path) -> io::Result<PathBuf> {
        self.kind(path)?;
        Ok(plain(path))
    }

    fn write(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        self.lock().insert(plain(path), content.to_vec());
        self.counter.wrote();
        Ok(())
    }

    fn append(
        &self,
        path: &Path,
        content: &[u8],
        tail: &dyn Fn(&[u8]) -> io::Result<Tail>,
    ) -> io::Result<()> {
        let mut files = self.lock();
        let file = files.entry(plain(path)).or_default();
        let finished = memchr::memrchr(b'\n', file).map_or(0, |at| at + 1);
        if let Some(line) = file.get(finished..).filter(|line| !line.is_empty()) {
            match tail(line)? {
                Tail::Whole => file.push(b'\n'),
                Tail::Torn => file.truncate(finished),
            }
        }
        file.extend_from_slice(content);
        self.counter.wrote();
        Ok(())
    }

    fn modified(&self, path: &Path) -> io::Result<Timestamp> {
        self.kind(path)?;
        Ok(Timestamp::UNIX_EPOCH)
    }

    fn scratch(&self, parent: &Path) -> io::Result<Box<dyn Scratch>> {
        let path = plain(&parent.join("scratch"));
        Ok(Box::new(MemoryScratch {
            path,
            files: self.clone(),
        }))
    }

    fn work(&self) -> Work {
        self.counter.so_far()
    }
}

struct MemoryScratch {
    path: PathBuf,
    files: MemoryFiles,
}

impl Scratch for MemoryScratch {
    fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for MemoryScratch {
    fn drop(&mut self) {
        self.files
            .lock()
            .retain(|file, _| !file.starts_with(&self.path));
    }
}

struct MemoryNet {
    answers: BTreeMap<String, Response>,
    requests: AtomicU64,
}

impl Net for MemoryNet {
    fn get_all(&self, requests: &[Get]) -> Vec<Result<Response, NetError>> {
        self.requests
            .fetch_add(requests.len() as u64, Ordering::Relaxed);
        requests
            .iter()
            .map(|request| {
                let response =
                    self.answers
                        .get(&request.url)
                        .cloned()
                        .ok_or_else(|| NetError::NoAnswer {
                            url: request.url.clone(),
                            detail: "no such address".to_owned(),
                        })?;
                if response.body.len() as u64 > request.limit {
                    return Err(NetError::TooLarge {
                        url: request.url.clone(),
                        limit: request.limit,
                    });
                }
                Ok(response)
            })
            .collect()
    }

    fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }
}

struct NoProcesses;

impl Processes for NoProcesses {
    fn run(&self, invocation: &Invocation) -> Result<Output, ProcessError> {
        Err(ProcessError::Start {
            program: invocation.program.clone(),
            source: io::Error::new(io::ErrorKind::NotFound, "there are no programs here"),
        })
    }

    fn started(&self) -> u64 {
        0
    }
}

struct StandingClock(Timestamp);

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_make_the_directories_they_stand_in() {
        let host = MemoryHost::new(Timestamp::UNIX_EPOCH)
            .file("/a/b/c", "x")
            .file("/a/d", "yy")
            .host();
        let names: Vec<_> = host.files.list(Path::new("/a")).unwrap();
        assert_eq!(
            names,
            [
                Entry {
                    name: "b".into(),
                    kind: FileKind::Directory
                },
                Entry {
                    name: "d".into(),
                    kind: FileKind::File(2)
                }
            ]
        );
        assert_eq!(host.files.read(Path::new("/a/./b/../d"), 9).unwrap(), b"yy");
    }

    #[test]
    fn without_an_answer_there_is_no_network() {
        assert!(MemoryHost::new(Timestamp::UNIX_EPOCH).host().net.is_none());
    }
}
