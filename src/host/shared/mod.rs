//! A cache that many machines share, behind the door to the files: what is not in
//! the own cache is looked up there, and what is put into the own cache is put
//! there too. An entry that is torn, changed or put under another name is as if
//! it were not there. Without the shared cache everything is slower and no worse.

mod entry;
mod place;
#[cfg(feature = "s3")]
mod s3;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use rayon::prelude::*;

use super::{Entry, FileKind, Files, Scratch, Tail, Work};

pub use place::{SharedPlace, SharedPlaceError};

/// The parts of the own cache that are shared: what was found in sources, what
/// the manifests in archives say, and answers of registries.
const SHARED: [&str; 3] = ["source", "manifests", "index"];
/// Entries with more bytes than this are not shared.
const LARGEST: u64 = 16 << 20;
/// So many bytes are kept until they are written.
const MOST_PENDING: usize = 64 << 20;

/// Where entries are kept, by name.
trait Objects: Send + Sync {
    /// An entry; `None` when there is none.
    fn get(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, String>;

    /// Puts an entry in the place of what is there.
    fn put(&self, name: &str, content: &[u8]) -> Result<(), String>;
}

/// What happened between a run and the shared cache.
#[derive(Debug, Default)]
pub struct SharedNews {
    read: AtomicU64,
    written: AtomicU64,
    ignored: AtomicU64,
    given_up: AtomicBool,
    trouble: Mutex<Option<String>>,
}

impl SharedNews {
    /// Entries that were taken from it.
    #[must_use]
    pub fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Entries that were put into it.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Entries that were there and were not what they should be.
    #[must_use]
    pub fn ignored(&self) -> u64 {
        self.ignored.load(Ordering::Relaxed)
    }

    /// Why it was not used any further.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        lock(&self.trouble).clone()
    }

    /// After one failure nothing more is asked: a store that does not answer must
    /// not cost its time limit many times over.
    fn give_up(&self, why: String) {
        self.given_up.store(true, Ordering::Relaxed);
        lock(&self.trouble).get_or_insert(why);
    }

    fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::Relaxed)
    }
}

/// Files of which the own cache is shared.
pub struct SharedFiles {
    inner: Box<dyn Files>,
    cache: PathBuf,
    objects: Box<dyn Objects>,
    key: Option<Vec<u8>>,
    pending: Mutex<BTreeMap<String, Vec<u8>>>,
    news: Arc<SharedNews>,
}

impl SharedFiles {
    /// These files, with the shared cache at `place` for the own cache at `cache`.
    /// Where there is a `key`, only entries count that were made with it.
    #[must_use]
    pub fn new(
        inner: Box<dyn Files>,
        cache: PathBuf,
        place: SharedPlace,
        key: Option<Vec<u8>>,
    ) -> Self {
        Self {
            inner,
            cache,
            objects: place.open(),
            key,
            pending: Mutex::default(),
            news: Arc::default(),
        }
    }

    /// What happens between this run and the shared cache.
    #[must_use]
    pub fn news(&self) -> Arc<SharedNews> {
        Arc::clone(&self.news)
    }

    /// What a file of the own cache is called in the shared one; `None` for all others.
    fn name(&self, path: &Path) -> Option<String> {
        let below = path.strip_prefix(&self.cache).ok()?;
        let parts: Option<Vec<&str>> = below.iter().map(|part| part.to_str()).collect();
        let parts = parts?;
        let is_shared =
            parts.len() > 1 && parts.first().is_some_and(|first| SHARED.contains(first));
        is_shared.then(|| parts.join("/"))
    }

    fn fetch(&self, path: &Path, limit: u64) -> Option<Vec<u8>> {
        let name = self.name(path)?;
        if self.news.is_given_up() {
            return None;
        }
        let found = match self.objects.get(&entry::object(&name), LARGEST) {
            Ok(found) => found?,
            Err(why) => {
                self.news.give_up(why);
                return None;
            }
        };
        let Some(content) = entry::open(&name, &found, self.key.as_deref()) else {
            self.news.ignored.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        if content.len() as u64 > limit {
            return None;
        }
        self.news.read.fetch_add(1, Ordering::Relaxed);
        // Without it in the own cache the next run is slower, and no worse.
        drop(self.inner.write(path, content));
        Some(content.to_vec())
    }

    fn keep(&self, path: &Path, content: &[u8]) {
        let Some(name) = self.name(path) else { return };
        if self.news.is_given_up() || content.len() as u64 > LARGEST {
            return;
        }
        let sealed = entry::seal(&name, content, self.key.as_deref());
        let mut pending = lock(&self.pending);
        let held: usize = pending.values().map(Vec::len).sum();
        if held + sealed.len() <= MOST_PENDING {
            pending.insert(entry::object(&name), sealed);
        }
    }

    /// Puts what is new into the shared cache.
    fn flush(&self) {
        let pending = std::mem::take(&mut *lock(&self.pending));
        pending.into_par_iter().for_each(|(name, content)| {
            if self.news.is_given_up() {
                return;
            }
            match self.objects.put(&name, &content) {
                Ok(()) => {
                    self.news.written.fetch_add(1, Ordering::Relaxed);
                }
                Err(why) => self.news.give_up(why),
            }
        });
    }
}

impl Drop for SharedFiles {
    fn drop(&mut self) {
        self.flush();
    }
}

impl Files for SharedFiles {
    fn kind(&self, path: &Path) -> io::Result<FileKind> {
        self.inner.kind(path)
    }

    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        match self.inner.read(path, limit) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.fetch(path, limit).ok_or(error)
            }
            other => other,
        }
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        self.inner.list(path)
    }

    fn canonical(&self, path: &Path) -> io::Result<PathBuf> {
        self.inner.canonical(path)
    }

    fn write(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        self.keep(path, content);
        self.inner.write(path, content)
    }

    fn append(
        &self,
        path: &Path,
        content: &[u8],
        tail: &dyn Fn(&[u8]) -> io::Result<Tail>,
    ) -> io::Result<()> {
        self.inner.append(path, content, tail)
    }

    fn modified(&self, path: &Path) -> io::Result<Timestamp> {
        self.inner.modified(path)
    }

    fn scratch(&self, parent: &Path) -> io::Result<Box<dyn Scratch>> {
        self.inner.scratch(parent)
    }

    fn work(&self) -> Work {
        self.inner.work()
    }
}

/// What a panic in another thread leaves behind is whole: values are only ever
/// replaced.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::MemoryHost;

    type Entries = BTreeMap<String, Vec<u8>>;

    #[derive(Default)]
    struct Memory(Arc<Mutex<Entries>>);

    impl Objects for Memory {
        fn get(&self, name: &str, _limit: u64) -> Result<Option<Vec<u8>>, String> {
            Ok(lock(&self.0).get(name).cloned())
        }

        fn put(&self, name: &str, content: &[u8]) -> Result<(), String> {
            lock(&self.0).insert(name.to_owned(), content.to_vec());
            Ok(())
        }
    }

    struct Broken;

    impl Objects for Broken {
        fn get(&self, _: &str, _: u64) -> Result<Option<Vec<u8>>, String> {
            Err("no answer".to_owned())
        }

        fn put(&self, _: &str, _: &[u8]) -> Result<(), String> {
            Err("no answer".to_owned())
        }
    }

    fn files(objects: Box<dyn Objects>, key: Option<&str>) -> SharedFiles {
        SharedFiles {
            inner: MemoryHost::new(Timestamp::UNIX_EPOCH).host().files,
            cache: PathBuf::from("/cache"),
            objects,
            key: key.map(|key| key.as_bytes().to_vec()),
            pending: Mutex::default(),
            news: Arc::default(),
        }
    }

    /// What a second machine reads of `path`, after `change` was done to the entries.
    fn second(
        path: &str,
        keys: (Option<&str>, Option<&str>),
        change: &dyn Fn(&mut Entries),
    ) -> (Option<Vec<u8>>, Arc<SharedNews>) {
        let store: Arc<Mutex<Entries>> = Arc::default();
        let first = files(Box::new(Memory(Arc::clone(&store))), keys.0);
        first.write(Path::new(path), b"facts").unwrap();
        first
            .write(Path::new("/cache/source/other"), b"others")
            .unwrap();
        drop(first);
        change(&mut lock(&store));
        let second = files(Box::new(Memory(store)), keys.1);
        (second.read(Path::new(path), 100).ok(), second.news())
    }

    const PATH: &str = "/cache/source/ab/cd";

    #[test]
    fn what_one_machine_found_another_reads() {
        let (read, news) = second(PATH, (None, None), &|_| {});
        assert_eq!(read.as_deref(), Some(&b"facts"[..]));
        assert_eq!((news.read(), news.ignored()), (1, 0));
        let (read, _) = second(PATH, (Some("k"), Some("k")), &|_| {});
        assert!(read.is_some());
    }

    #[test]
    fn only_the_own_cache_is_shared_and_only_what_is_meant() {
        for path in [
            "/elsewhere/source/ab/cd",
            "/cache/clean-room/x/y",
            "/cache/source",
        ] {
            assert_eq!(second(path, (None, None), &|_| {}).0, None, "{path}");
        }
    }

    #[test]
    fn an_entry_that_is_torn_changed_or_swapped_is_not_there() {
        let name = entry::object("source/ab/cd");
        let whole = entry::seal("source/ab/cd", b"facts", None);
        for end in 0..whole.len() {
            let cut = |all: &mut Entries| {
                all.get_mut(&name).unwrap().truncate(end);
            };
            let (read, news) = second(PATH, (None, None), &cut);
            assert_eq!((read, news.ignored()), (None, 1), "cut at {end}");
        }
        for place in 0..whole.len() {
            let change = |all: &mut Entries| {
                all.get_mut(&name).unwrap()[place] ^= 1;
            };
            assert_eq!(
                second(PATH, (None, None), &change).0,
                None,
                "changed at {place}"
            );
        }
        let swap = |all: &mut Entries| {
            let other = all[&entry::object("source/other")].clone();
            all.insert(name.clone(), other);
        };
        assert_eq!(second(PATH, (None, None), &swap).0, None);
    }

    #[test]
    fn with_a_key_only_entries_count_that_were_made_with_it() {
        for keys in [
            (None, Some("k")),
            (Some("other"), Some("k")),
            (Some("k"), None),
        ] {
            let (read, news) = second(PATH, keys, &|_| {});
            assert_eq!((read, news.ignored()), (None, 1), "{keys:?}");
        }
    }

    #[test]
    fn a_store_that_does_not_answer_is_asked_once() {
        let files = files(Box::new(Broken), None);
        assert!(files.read(Path::new(PATH), 100).is_err());
        assert_eq!(files.news().trouble().as_deref(), Some("no answer"));
        files.write(Path::new(PATH), b"x").unwrap();
        assert!(lock(&files.pending).is_empty());
        assert_eq!(files.read(Path::new(PATH), 100).unwrap(), b"x");
    }
}
