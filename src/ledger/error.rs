//! Why a ledger could not be used.

use std::path::PathBuf;

/// Why a ledger could not be used. Places in it carry no password.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// There is none to read.
    #[error("there is no ledger at `{place}`")]
    NotThere {
        /// Where it was looked for.
        place: String,
    },
    /// A database over the network, where there is to be no network.
    #[error("the ledger `{place}` is reached over the network, and there is to be none")]
    Offline {
        /// The ledger.
        place: String,
    },
    /// This program was built without PostgreSQL.
    #[error("this program was built without PostgreSQL, which `{place}` needs")]
    NoPostgres {
        /// The ledger.
        place: String,
    },
    /// A link, or a path that leaves the tree it was given in.
    #[error("`{}` is {what}; a ledger is written to the file itself", path.display())]
    NotPlain {
        /// The path.
        path: PathBuf,
        /// What it is, in words.
        what: &'static str,
    },
    /// The file or database holds something else.
    #[error("`{place}` holds something else than a ledger: {detail}")]
    NotALedger {
        /// The place.
        place: String,
        /// What was found, in words.
        detail: String,
    },
    /// A newer version of the program has written it.
    #[error("the ledger `{place}` has version {found}, and this program reads up to {known}")]
    Newer {
        /// The place.
        place: String,
        /// The version it has.
        found: i64,
        /// The newest version that is known here.
        known: i64,
    },
    /// A line of a file that is no entry.
    #[error("`{}`, line {line}: {why}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it, in words.
        why: String,
    },
    /// An entry of a database whose text is not what its id says.
    #[error("entry {id} of the ledger `{place}` is damaged: {why}")]
    Damaged {
        /// The ledger.
        place: String,
        /// The entry.
        id: String,
        /// What is wrong with it, in words.
        why: String,
    },
    /// The file has more bytes than are read at once.
    #[error("`{}` is larger than {limit} bytes, the most that is read of a ledger in one file", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit, in bytes.
        limit: u64,
    },
    /// The file system failed.
    #[error("failed to {what} `{place}`")]
    Io {
        /// What was tried.
        what: &'static str,
        /// The ledger.
        place: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The database failed.
    #[error("the ledger `{place}` failed to {what}")]
    Database {
        /// What was tried.
        what: &'static str,
        /// The ledger.
        place: String,
        /// What the database says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
