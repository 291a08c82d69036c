//! How much passed through the doors.

use std::sync::atomic::{AtomicU64, Ordering};

/// The amount of work done, as counts that do not depend on the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Files read to their end.
    pub files_read: u64,
    /// Bytes of these files.
    pub bytes_read: u64,
    /// Files written.
    pub files_written: u64,
    /// Requests sent.
    pub requests: u64,
    /// Programs started.
    pub processes: u64,
}

/// Counts files as they pass.
#[derive(Debug, Default)]
pub struct WorkCounter {
    files_read: AtomicU64,
    bytes_read: AtomicU64,
    files_written: AtomicU64,
}

impl WorkCounter {
    /// One more file was read.
    pub fn read(&self, bytes: usize) {
        self.files_read.fetch_add(1, Ordering::Relaxed);
        self.bytes_read.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// One more file was written.
    pub fn wrote(&self) {
        self.files_written.fetch_add(1, Ordering::Relaxed);
    }

    /// The counts so far.
    pub fn so_far(&self) -> Work {
        Work {
            files_read: self.files_read.load(Ordering::Relaxed),
            bytes_read: self.bytes_read.load(Ordering::Relaxed),
            files_written: self.files_written.load(Ordering::Relaxed),
            ..Work::default()
        }
    }
}
