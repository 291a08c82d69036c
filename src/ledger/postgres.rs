//! A ledger in a PostgreSQL database (<https://www.postgresql.org/>): one for
//! hundreds of repositories and runners at once.

use std::time::Duration;

use rustls_platform_verifier::ConfigVerifierExt;
use tokio::runtime::Runtime;
use tokio_postgres::config::SslMode;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, NoTls, Transaction};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::entry::{Row, Stored};
use super::filter::Filter;
use super::place::without_credentials;
use super::schema::{self, Statement, Value};
use super::{LedgerError, Mode, Store};

/// How long the server may take to take us in.
const CONNECT: Duration = Duration::from_secs(30);
/// The key of the lock under which tables are made: "canary" in ASCII.
const LOCK: i64 = 0x6361_6e61_7279;
/// How many rows go to the server in one statement.
const CHUNK: usize = 5_000;

/// A ledger in a PostgreSQL database.
pub(super) struct Postgres {
    runtime: Runtime,
    client: Client,
    place: String,
}

fn failed(
    place: &str,
    what: &'static str,
) -> impl Fn(tokio_postgres::Error) -> LedgerError + use<> {
    let place = place.to_owned();
    move |error| LedgerError::Database {
        what,
        place: place.clone(),
        source: Box::new(error),
    }
}

impl Postgres {
    /// Connects by a URL; `password` is used where the URL has none.
    pub(super) fn open(url: &str, password: Option<&str>, mode: Mode) -> Result<Self, LedgerError> {
        let place = without_credentials(url);
        let other = |source: Box<dyn std::error::Error + Send + Sync>| LedgerError::Database {
            what: "open",
            place: place.clone(),
            source,
        };
        // What the parser says of a URL may repeat parts of it.
        let mut config: Config = url
            .parse()
            .map_err(|_| other("its URL is not well-formed".into()))?;
        if let (None, Some(password)) = (config.get_password(), password) {
            config.password(password);
        }
        config
            .application_name("cargo-canary")
            .connect_timeout(CONNECT);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| other(error.into()))?;
        let client = runtime
            .block_on(async {
                tokio::time::timeout(CONNECT, connect(&config))
                    .await
                    .unwrap_or_else(|_| Err("the server did not answer in time".into()))
            })
            .map_err(other)?;
        let mut ledger = Self {
            runtime,
            client,
            place,
        };
        ledger.prepare(mode)?;
        Ok(ledger)
    }

    fn prepare(&mut self, mode: Mode) -> Result<(), LedgerError> {
        let open = failed(&self.place, "open");
        let client = &self.client;
        let there = self
            .runtime
            .block_on(async {
                client
                    .batch_execute("SET statement_timeout = '10min'; SET lock_timeout = '2min'")
                    .await?;
                client
                    .query_one("SELECT to_regclass('canary_schema') IS NOT NULL", &[])
                    .await
            })
            .map_err(&open)?
            .get::<_, bool>(0);
        if !there && mode == Mode::Read {
            return Err(LedgerError::NotThere {
                place: self.place.clone(),
            });
        }
        let version = if there { self.version()? } else { 0 };
        self.known(version)?;
        if version < schema::VERSION {
            self.migrate()?;
        }
        Ok(())
    }

    fn version(&self) -> Result<i64, LedgerError> {
        let ask = self
            .client
            .query_one("SELECT coalesce(max(version), 0) FROM canary_schema", &[]);
        let row = self
            .runtime
            .block_on(ask)
            .map_err(failed(&self.place, "open"))?;
        Ok(row.get(0))
    }

    fn known(&self, found: i64) -> Result<(), LedgerError> {
        if found > schema::VERSION {
            return Err(LedgerError::Newer {
                place: self.place.clone(),
                found,
                known: schema::VERSION,
            });
        }
        Ok(())
    }

    /// Makes the tables, or brings them to their present form; one process at a time.
    fn migrate(&mut self) -> Result<(), LedgerError> {
        let what = "bring its tables up to date";
        let failed = failed(&self.place, what);
        let place = self.place.clone();
        let client = &mut self.client;
        self.runtime.block_on(async {
            let transaction = client.transaction().await.map_err(&failed)?;
            transaction
                .batch_execute(&format!(
                    "SELECT pg_advisory_xact_lock({LOCK});
                     CREATE TABLE IF NOT EXISTS canary_schema (version BIGINT NOT NULL PRIMARY KEY);"
                ))
                .await
                .map_err(&failed)?;
            let found: i64 = transaction
                .query_one("SELECT coalesce(max(version), 0) FROM canary_schema", &[])
                .await
                .map_err(&failed)?
                .get(0);
            for (version, step) in (1..).zip(schema::STEPS) {
                if version <= found {
                    continue;
                }
                let sql = schema::step(step, " COLLATE \"C\"");
                transaction.batch_execute(&sql).await.map_err(&failed)?;
                if version == schema::ROWS_SINCE && found > 0 {
                    let rows = transaction
                        .query("SELECT id, body FROM canary_entry", &[])
                        .await
                        .map_err(&failed)?;
                    for row in rows {
                        let stored = read(&place, row.get(0), row.get(1))?;
                        insert_rows(&transaction, &stored.rows()).await.map_err(&failed)?;
                    }
                }
                transaction
                    .execute("INSERT INTO canary_schema VALUES ($1)", &[&version])
                    .await
                    .map_err(&failed)?;
            }
            transaction.commit().await.map_err(&failed)
        })
    }

    fn ask(&self, statement: &Statement) -> Result<Vec<tokio_postgres::Row>, LedgerError> {
        let values: Vec<&(dyn ToSql + Sync)> = statement
            .values
            .iter()
            .map(|value| match value {
                Value::Text(text) => text as &(dyn ToSql + Sync),
                Value::Number(number) => number,
            })
            .collect();
        self.runtime
            .block_on(self.client.query(&statement.sql, &values))
            .map_err(failed(&self.place, "answer"))
    }

    fn texts(&self, statement: &Statement) -> Result<Vec<Stored>, LedgerError> {
        self.ask(statement)?
            .iter()
            .map(|row| read(&self.place, row.get(0), row.get(1)))
            .collect()
    }
}

impl Store for Postgres {
    fn append(&mut self, entries: &[Stored]) -> Result<usize, LedgerError> {
        let failed = failed(&self.place, "write");
        let client = &mut self.client;
        self.runtime.block_on(async {
            let transaction = client.transaction().await.map_err(&failed)?;
            let mut new = 0;
            let mut rows = Vec::new();
            for stored in entries {
                if insert(&transaction, stored).await.map_err(&failed)? {
                    new += 1;
                    rows.extend(stored.rows());
                }
                if rows.len() >= CHUNK {
                    insert_rows(&transaction, &rows).await.map_err(&failed)?;
                    rows.clear();
                }
            }
            insert_rows(&transaction, &rows).await.map_err(&failed)?;
            transaction.commit().await.map_err(&failed)?;
            Ok(new)
        })
    }

    fn entries(&mut self, filter: &Filter) -> Result<Vec<Stored>, LedgerError> {
        self.texts(&schema::entries(filter, '$'))
    }

    fn starting_with(&mut self, id: &str) -> Result<Vec<Stored>, LedgerError> {
        self.texts(&schema::starting_with(id, '$'))
    }

    fn rows(&mut self, filter: &Filter) -> Result<Vec<Row>, LedgerError> {
        let rows = self.ask(&schema::rows(filter, '$'))?;
        Ok(rows
            .iter()
            .map(|row| Row {
                entry: row.get(0),
                at: row.get(1),
                repository: row.get(2),
                kind: row.get(3),
                package: row.get(4),
                version: row.get(5),
                step: row.get(6),
                before: row.get(7),
                verdict: row.get(8),
                score: row.get(9),
            })
            .collect())
    }
}

async fn connect(config: &Config) -> Result<Client, Box<dyn std::error::Error + Send + Sync>> {
    // A socket of this machine has no certificate to look at.
    #[cfg(unix)]
    let local = config
        .get_hosts()
        .iter()
        .all(|host| matches!(host, tokio_postgres::config::Host::Unix(_)));
    #[cfg(not(unix))]
    let local = false;
    if local || config.get_ssl_mode() == SslMode::Disable {
        let (client, connection) = config.connect(NoTls).await?;
        tokio::spawn(connection);
        return Ok(client);
    }
    // Only the first one to install a provider succeeds, and that is enough.
    drop(rustls::crypto::ring::default_provider().install_default());
    let tls = rustls::ClientConfig::with_platform_verifier()?;
    let (client, connection) = config.connect(MakeRustlsConnect::new(tls)).await?;
    tokio::spawn(connection);
    Ok(client)
}

fn read(place: &str, id: &str, text: &str) -> Result<Stored, LedgerError> {
    Stored::read(id, text).map_err(|error| LedgerError::Damaged {
        place: place.to_owned(),
        id: id.chars().take(64).collect(),
        why: error.to_string(),
    })
}

/// Whether it is new.
async fn insert(
    transaction: &Transaction<'_>,
    stored: &Stored,
) -> Result<bool, tokio_postgres::Error> {
    let written = transaction
        .execute(
            "INSERT INTO canary_entry (id, at, kind, repository, verdict, body)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING",
            &[
                &stored.id,
                &stored.entry.at.as_microsecond(),
                &stored.kind().as_str(),
                &stored.entry.repository,
                &stored.verdict(),
                &stored.text,
            ],
        )
        .await?;
    Ok(written > 0)
}

/// Writes rows in one statement, a column at a time.
async fn insert_rows(
    transaction: &Transaction<'_>,
    rows: &[Row],
) -> Result<(), tokio_postgres::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    fn texts<'r>(rows: &'r [Row], of: impl Fn(&'r Row) -> &'r str) -> Vec<&'r str> {
        rows.iter().map(of).collect()
    }
    let at: Vec<i64> = rows.iter().map(|row| row.at).collect();
    let score: Vec<Option<i64>> = rows.iter().map(|row| row.score).collect();
    transaction
        .execute(
            "INSERT INTO canary_release (entry, at, repository, kind, package, version, step,
                                         before_versions, verdict, score)
             SELECT * FROM unnest($1::TEXT[], $2::BIGINT[], $3::TEXT[], $4::TEXT[], $5::TEXT[],
                                  $6::TEXT[], $7::TEXT[], $8::TEXT[], $9::TEXT[], $10::BIGINT[])",
            &[
                &texts(rows, |row| &row.entry),
                &at,
                &texts(rows, |row| &row.repository),
                &texts(rows, |row| &row.kind),
                &texts(rows, |row| &row.package),
                &texts(rows, |row| &row.version),
                &texts(rows, |row| &row.step),
                &texts(rows, |row| &row.before),
                &texts(rows, |row| &row.verdict),
                &score,
            ],
        )
        .await?;
    Ok(())
}
