//! The ledger: an append-only log of what changed, who decided by which rule,
//! and what came of it. One entry is one audit, one trial or one later effect;
//! it is written as a whole or not at all, and its id is the hash of its text.
//! Judges nothing; what was recorded speaks through the facts it gives to `audit`.
//!
//! SQLite and PostgreSQL open their own files and connections; everything else
//! goes through `host`.
//!
//! Imports: host, facts.

mod csv;
mod entry;
mod error;
mod filter;
mod lines;
mod past;
mod place;
#[cfg(feature = "postgres")]
mod postgres;
mod schema;
mod sqlite;
mod trial;

use crate::host::Host;

pub use csv::{CSV_HEADER, csv_record};
pub use entry::{
    Audited, Body, Build, Changed, EffectEntry, Entry, EntryError, FORMAT, Judge, Kind, Met,
    Released, Row, Rule, Step, Stored, Waived,
};
pub use error::LedgerError;
pub use filter::{Filter, Order};
pub use lines::{Lines, read_lines};
pub use past::{Effect, history};
pub use place::{Place, PlaceError, without_credentials, without_user};
pub use trial::{Document, FailedTrial, Trial, Tried, failed_trials, updates_of};

/// What a ledger is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It has to be there.
    Read,
    /// It is made where there is none.
    Append,
}

/// A ledger, wherever it is kept.
pub trait Store {
    /// Adds entries, all of them or none; returns how many were not there yet.
    /// When this returns they are on disk. The same entry twice is one entry.
    ///
    /// # Errors
    /// When they could not be written, and then none of them is.
    fn append(&mut self, entries: &[Stored]) -> Result<usize, LedgerError>;

    /// The entries that a filter lets through, in its order.
    ///
    /// # Errors
    /// When the ledger cannot be read, or an entry in it is damaged.
    fn entries(&mut self, filter: &Filter) -> Result<Vec<Stored>, LedgerError>;

    /// The packages that entries are about, one row for each version, of those
    /// that a filter lets through, in its order.
    ///
    /// # Errors
    /// As [`Store::entries`].
    fn rows(&mut self, filter: &Filter) -> Result<Vec<Row>, LedgerError>;

    /// The entries whose id begins with this text, at most a few.
    ///
    /// # Errors
    /// As [`Store::entries`].
    fn starting_with(&mut self, id: &str) -> Result<Vec<Stored>, LedgerError>;
}

/// How many entries are held at once while a ledger is gone through.
const PAGE: usize = 1_000;

/// Hands every entry that a filter lets through to `visit`, the oldest first,
/// without holding all of them.
///
/// # Errors
/// When the ledger cannot be read, or `visit` says so.
pub fn each(
    store: &mut dyn Store,
    filter: &Filter,
    visit: &mut dyn FnMut(&Stored) -> Result<(), LedgerError>,
) -> Result<usize, LedgerError> {
    let mut seen = 0;
    let mut page = Filter {
        order: Order::Oldest,
        limit: PAGE,
        ..filter.clone()
    };
    loop {
        let entries = store.entries(&page)?;
        for stored in &entries {
            visit(stored)?;
        }
        seen += entries.len();
        match entries.last() {
            Some(last) if entries.len() == PAGE => {
                page.after = Some((last.entry.at.as_microsecond(), last.id.clone()));
            }
            _ => return Ok(seen),
        }
    }
}

/// Opens the ledger at a place.
///
/// # Errors
/// When there is none to read, it cannot be made, it is of a newer version, or
/// it is something else.
pub fn open<'h>(
    place: &Place,
    mode: Mode,
    host: &'h Host,
) -> Result<Box<dyn Store + 'h>, LedgerError> {
    match place {
        Place::Sqlite(path) => Ok(Box::new(sqlite::Sqlite::open(path, mode, host)?)),
        Place::Lines(path) => Ok(Box::new(Lines::open(path, mode, host)?)),
        #[cfg(feature = "postgres")]
        Place::Postgres(url) => {
            if host.net.is_none() {
                return Err(LedgerError::Offline {
                    place: place.to_string(),
                });
            }
            let password = host.env.get("PGPASSWORD").and_then(|text| text.to_str());
            Ok(Box::new(postgres::Postgres::open(url, password, mode)?))
        }
        #[cfg(not(feature = "postgres"))]
        Place::Postgres(_) => Err(LedgerError::NoPostgres {
            place: place.to_string(),
        }),
    }
}
