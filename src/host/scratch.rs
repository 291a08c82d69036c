//! Directories for a moment. Each goes with its value; what a program that was killed
//! has left behind goes when the next one is made in the same place.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the door to the file system"
)]

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::Scratch;

/// How their names begin. Places such as `/tmp` are shared with other programs.
const PREFIX: &str = "cargo-canary-scratch-";
/// One this young may not be locked yet.
const YOUNG: Duration = Duration::from_secs(60);

struct RealScratch {
    directory: tempfile::TempDir,
    /// Locked as long as this program lives. A kernel takes back the locks of a program
    /// that ends, however it ends.
    _lock: Option<File>,
}

impl Scratch for RealScratch {
    fn path(&self) -> &Path {
        self.directory.path()
    }
}

/// Makes a directory in this one, and removes those that were left behind there.
pub(super) fn make(parent: &Path) -> io::Result<Box<dyn Scratch>> {
    fs::create_dir_all(parent)?;
    remove_left_behind(parent);
    let directory = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
    // Where a directory cannot be locked, it is not removed by others either.
    let lock = File::open(directory.path());
    let lock = lock.ok().filter(|file| file.try_lock().is_ok());
    Ok(Box::new(RealScratch {
        directory,
        _lock: lock,
    }))
}

fn remove_left_behind(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let named = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if named && is_own_and_old(&entry) && is_left_behind(&entry.path()) {
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}

/// Whether this is a directory, no link to one, of this user, and not made just now.
fn is_own_and_old(entry: &fs::DirEntry) -> bool {
    let Ok(about) = entry.metadata() else {
        return false;
    };
    #[cfg(unix)]
    let own = std::os::unix::fs::MetadataExt::uid(&about) == rustix::process::geteuid().as_raw();
    #[cfg(not(unix))]
    let own = true;
    let age = about
        .modified()
        .ok()
        .and_then(|time| SystemTime::now().duration_since(time).ok());
    own && about.is_dir() && age.is_some_and(|age| age >= YOUNG)
}

/// Whether nobody holds its lock.
fn is_left_behind(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| file.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    fn made_long_ago(path: &Path) {
        let then = SystemTime::now() - Duration::from_secs(3_600);
        File::open(path).unwrap().set_modified(then).unwrap();
    }

    #[test]
    fn a_directory_goes_with_its_value() {
        let place = tempfile::tempdir().unwrap();
        let scratch = make(&place.path().join("deep")).unwrap();
        let path = scratch.path().to_owned();
        fs::write(path.join("file"), "x").unwrap();
        drop(scratch);
        assert!(!path.exists() && place.path().join("deep").is_dir());
    }

    #[test]
    #[cfg(unix)]
    fn what_a_killed_program_left_goes_with_the_next_and_what_is_held_stays() {
        let place = tempfile::tempdir().unwrap();
        let sub = |name: &str| place.path().join(format!("{PREFIX}{name}"));
        let left = sub("left");
        fs::create_dir_all(left.join("deep")).unwrap();
        fs::write(left.join("deep/record.raw"), "x").unwrap();
        made_long_ago(&left);
        let young = sub("young");
        fs::create_dir(&young).unwrap();
        let foreign = place.path().join("scratch-of-another");
        fs::create_dir(&foreign).unwrap();
        made_long_ago(&foreign);
        // A link leads elsewhere, and what is there stays.
        std::os::unix::fs::symlink(&foreign, sub("link")).unwrap();
        let held = make(place.path()).unwrap();
        made_long_ago(held.path());
        let next = make(place.path()).unwrap();
        assert!(!left.exists(), "left behind");
        for path in [&young, &foreign, &sub("link"), held.path(), next.path()] {
            assert!(path.exists(), "{}", path.display());
        }
        let path = held.path().to_owned();
        drop(held);
        assert!(!path.exists());
    }
}
