//! A ledger in a SQLite database (<https://www.sqlite.org/>): the default of
//! one machine. Many processes may write; one after the other gets its turn.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior, params};

use crate::host::{FileKind, Host};

use super::entry::{Row, Stored};
use super::filter::Filter;
use super::schema::{self, Statement, Value};
use super::{LedgerError, Mode, Store};

/// How long a writer waits for its turn.
const PATIENCE: Duration = Duration::from_secs(120);
/// The number by which `file` and others know a database as ours: "cnry".
const APPLICATION: i64 = 0x636e_7279;

/// A ledger in a SQLite database.
pub(super) struct Sqlite {
    connection: Connection,
    path: PathBuf,
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Number(number) => ValueRef::Integer(*number),
        }))
    }
}

impl Sqlite {
    pub(super) fn open(path: &Path, mode: Mode, host: &Host) -> Result<Self, LedgerError> {
        let place = path.display().to_string();
        match host.files.kind(path) {
            Ok(FileKind::File(_)) => {}
            Ok(FileKind::Link | FileKind::Directory | FileKind::Other) => {
                return Err(LedgerError::NotPlain {
                    path: path.to_owned(),
                    what: "no regular file",
                });
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                if mode == Mode::Read {
                    return Err(LedgerError::NotThere { place });
                }
                make_parent(path).map_err(|source| LedgerError::Io {
                    what: "make the directory of",
                    place: place.clone(),
                    source,
                })?;
            }
            Err(source) => {
                return Err(LedgerError::Io {
                    what: "look at",
                    place,
                    source,
                });
            }
        }
        let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        if mode == Mode::Append {
            flags |= OpenFlags::SQLITE_OPEN_CREATE;
        }
        let path = path.to_owned();
        let connection = Connection::open_with_flags(&path, flags)
            .map_err(|error| failed(&path, "open", error))?;
        let mut ledger = Self { connection, path };
        ledger.prepare()?;
        Ok(ledger)
    }

    fn failed(&self, what: &'static str) -> impl Fn(rusqlite::Error) -> LedgerError + use<> {
        let path = self.path.clone();
        move |error| failed(&path, what, error)
    }

    /// Sets the connection up, and brings the database to its present form.
    fn prepare(&mut self) -> Result<(), LedgerError> {
        let open = self.failed("open");
        self.connection.busy_timeout(PATIENCE).map_err(&open)?;
        let version = self.version().map_err(&open)?;
        if version == 0 {
            let tables: i64 = self
                .connection
                .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
                .map_err(&open)?;
            // Another process may be making it at this moment.
            if tables > 0 && self.version().map_err(&open)? == 0 {
                return Err(LedgerError::NotALedger {
                    place: self.path.display().to_string(),
                    detail: "a database with other tables".to_owned(),
                });
            }
        }
        self.write_ahead().map_err(&open)?;
        // What is acknowledged survives a power cut.
        self.connection
            .pragma_update(None, "synchronous", "FULL")
            .map_err(&open)?;
        self.connection
            .pragma_update(None, "foreign_keys", true)
            .map_err(&open)?;
        if version != schema::VERSION {
            self.migrate()?;
        }
        Ok(())
    }

    fn version(&self) -> rusqlite::Result<i64> {
        self.connection
            .query_row("PRAGMA user_version", [], |row| row.get(0))
    }

    /// Readers do not wait for writers (<https://www.sqlite.org/wal.html>). The
    /// change to it does not wait by itself while others hold the database.
    fn write_ahead(&self) -> rusqlite::Result<()> {
        let started = Instant::now();
        loop {
            let set = self
                .connection
                .query_row("PRAGMA journal_mode = WAL", [], |row| {
                    row.get::<_, String>(0)
                });
            match set {
                Ok(_) => return Ok(()),
                Err(error) if is_busy(&error) && started.elapsed() < PATIENCE => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn migrate(&mut self) -> Result<(), LedgerError> {
        let failed = self.failed("bring its tables up to date");
        let place = self.path.display().to_string();
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(&failed)?;
        // It may have been done while we waited.
        let found: i64 = transaction
            .query_row("PRAGMA user_version", [], |row| row.get(0))
            .map_err(&failed)?;
        if found > schema::VERSION {
            return Err(LedgerError::Newer {
                place,
                found,
                known: schema::VERSION,
            });
        }
        for (version, step) in (1..).zip(schema::STEPS) {
            if version <= found {
                continue;
            }
            transaction
                .execute_batch(&schema::step(step, ""))
                .map_err(&failed)?;
            if version == schema::ROWS_SINCE && found > 0 {
                for stored in all(&transaction, &place)? {
                    insert_rows(&transaction, &stored).map_err(&failed)?;
                }
            }
        }
        transaction
            .execute_batch(&format!(
                "PRAGMA user_version = {}; PRAGMA application_id = {APPLICATION};",
                schema::VERSION
            ))
            .map_err(&failed)?;
        transaction.commit().map_err(&failed)
    }

    fn texts(&self, statement: &Statement) -> Result<Vec<Stored>, LedgerError> {
        let failed = self.failed("answer");
        let mut prepared = self
            .connection
            .prepare_cached(&statement.sql)
            .map_err(&failed)?;
        let mut rows = prepared
            .query(rusqlite::params_from_iter(&statement.values))
            .map_err(&failed)?;
        let place = self.path.display().to_string();
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(&failed)? {
            let (id, text) = id_and_text(row).map_err(&failed)?;
            found.push(read(&place, &id, &text)?);
        }
        Ok(found)
    }
}

impl Store for Sqlite {
    fn append(&mut self, entries: &[Stored]) -> Result<usize, LedgerError> {
        let failed = self.failed("write");
        // A writer from the start: it waits for its turn before it has read anything.
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(&failed)?;
        let mut new = 0;
        for stored in entries {
            if insert(&transaction, stored).map_err(&failed)? {
                new += 1;
                insert_rows(&transaction, stored).map_err(&failed)?;
            }
        }
        transaction.commit().map_err(&failed)?;
        Ok(new)
    }

    fn entries(&mut self, filter: &Filter) -> Result<Vec<Stored>, LedgerError> {
        self.texts(&schema::entries(filter, '?'))
    }

    fn starting_with(&mut self, id: &str) -> Result<Vec<Stored>, LedgerError> {
        self.texts(&schema::starting_with(id, '?'))
    }

    fn rows(&mut self, filter: &Filter) -> Result<Vec<Row>, LedgerError> {
        let failed = self.failed("answer");
        let statement = schema::rows(filter, '?');
        let mut prepared = self
            .connection
            .prepare_cached(&statement.sql)
            .map_err(&failed)?;
        prepared
            .query_map(rusqlite::params_from_iter(&statement.values), |row| {
                Ok(Row {
                    entry: row.get(0)?,
                    at: row.get(1)?,
                    repository: row.get(2)?,
                    kind: row.get(3)?,
                    package: row.get(4)?,
                    version: row.get(5)?,
                    step: row.get(6)?,
                    before: row.get(7)?,
                    verdict: row.get(8)?,
                    score: row.get(9)?,
                })
            })
            .and_then(Iterator::collect)
            .map_err(&failed)
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

fn failed(path: &Path, what: &'static str, error: rusqlite::Error) -> LedgerError {
    let place = path.display().to_string();
    if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) {
        return LedgerError::NotALedger {
            place,
            detail: "no SQLite database".to_owned(),
        };
    }
    LedgerError::Database {
        what,
        place,
        source: Box::new(error),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "SQLite makes its file itself, and wants the directory to be there"
)]
fn make_parent(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => std::fs::create_dir_all(parent),
        _ => Ok(()),
    }
}

fn id_and_text(row: &rusqlite::Row<'_>) -> rusqlite::Result<(String, String)> {
    Ok((row.get(0)?, row.get(1)?))
}

fn read(place: &str, id: &str, text: &str) -> Result<Stored, LedgerError> {
    Stored::read(id, text).map_err(|error| LedgerError::Damaged {
        place: place.to_owned(),
        id: id.chars().take(64).collect(),
        why: error.to_string(),
    })
}

fn all(connection: &Connection, place: &str) -> Result<Vec<Stored>, LedgerError> {
    let failed = |error| failed(Path::new(place), "read what is there", error);
    let mut prepared = connection
        .prepare("SELECT id, body FROM canary_entry")
        .map_err(failed)?;
    let mut rows = prepared.query([]).map_err(failed)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let (id, text) = id_and_text(row).map_err(failed)?;
        found.push(read(place, &id, &text)?);
    }
    Ok(found)
}

/// Whether it is new.
fn insert(connection: &Connection, stored: &Stored) -> rusqlite::Result<bool> {
    let mut prepared = connection.prepare_cached(
        "INSERT INTO canary_entry (id, at, kind, repository, verdict, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (id) DO NOTHING",
    )?;
    let written = prepared.execute(params![
        stored.id,
        stored.entry.at.as_microsecond(),
        stored.kind().as_str(),
        stored.entry.repository,
        stored.verdict(),
        stored.text,
    ])?;
    Ok(written > 0)
}

fn insert_rows(connection: &Connection, stored: &Stored) -> rusqlite::Result<()> {
    let mut prepared = connection.prepare_cached(
        "INSERT INTO canary_release (entry, at, repository, kind, package, version, step,
                                     before_versions, verdict, score)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    for row in stored.rows() {
        prepared.execute(params![
            row.entry,
            row.at,
            row.repository,
            row.kind,
            row.package,
            row.version,
            row.step,
            row.before,
            row.verdict,
            row.score,
        ])?;
    }
    Ok(())
}
