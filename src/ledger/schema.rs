//! The tables, how they came to be, and what is asked of them, in the SQL that
//! SQLite and PostgreSQL share.

use std::fmt::Write as _;

use super::filter::{Filter, Order};

/// The steps by which a database comes to its present form. A step that has
/// been released is never changed; a new form is a new step. After the second
/// step the rows of all entries are written from their texts.
pub(super) const STEPS: [&str; 2] = [
    "CREATE TABLE canary_entry (
        id TEXT{C} NOT NULL PRIMARY KEY,
        at BIGINT NOT NULL,
        kind TEXT{C} NOT NULL,
        repository TEXT{C} NOT NULL,
        verdict TEXT{C} NOT NULL,
        body TEXT NOT NULL
    );
    CREATE INDEX canary_entry_at ON canary_entry (at, id);
    CREATE INDEX canary_entry_repository ON canary_entry (repository, at);",
    "CREATE TABLE canary_release (
        entry TEXT{C} NOT NULL REFERENCES canary_entry (id),
        at BIGINT NOT NULL,
        repository TEXT{C} NOT NULL,
        kind TEXT{C} NOT NULL,
        package TEXT{C} NOT NULL,
        version TEXT{C} NOT NULL,
        step TEXT{C} NOT NULL,
        before_versions TEXT NOT NULL,
        verdict TEXT{C} NOT NULL,
        score BIGINT,
        PRIMARY KEY (entry, package, version, step)
    );
    CREATE INDEX canary_release_version ON canary_release (package, version, at);
    CREATE INDEX canary_release_package ON canary_release (package, at);
    CREATE INDEX canary_release_repository ON canary_release (repository, at);",
];

/// The version after all steps.
pub(super) const VERSION: i64 = STEPS.len() as i64;

/// The step after which rows are written for the entries that are there.
pub(super) const ROWS_SINCE: i64 = 2;

/// A step in the dialect of a database, whose words for "compare bytes" are given.
pub(super) fn step(text: &str, bytewise: &str) -> String {
    text.replace("{C}", bytewise)
}

/// A value of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// Text.
    Text(String),
    /// A number.
    Number(i64),
}

/// A statement with its values.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
    /// What stands before the number of a value.
    mark: char,
}

impl Statement {
    fn new(sql: &str, mark: char) -> Self {
        Self {
            sql: sql.to_owned(),
            values: Vec::new(),
            mark,
        }
    }

    fn value(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("{}{}", self.mark, self.values.len())
    }

    fn and(&mut self, left: &str, value: Value) {
        let value = self.value(value);
        // Writing into a string cannot fail.
        let _ = write!(self.sql, " AND {left} {value}");
    }

    fn text(&mut self, column: &str, text: Option<&String>) {
        if let Some(text) = text {
            self.and(&format!("{column} ="), Value::Text(text.clone()));
        }
    }

    /// The conditions that entries and rows have in common, and the order.
    fn common(&mut self, filter: &Filter, id: &str) {
        self.text("repository", filter.repository.as_ref());
        self.text("kind", filter.kind.as_ref());
        self.text("verdict", filter.verdict.as_ref());
        if let Some(since) = filter.since {
            self.and("at >=", Value::Number(since));
        }
        if let Some(until) = filter.until {
            self.and("at <=", Value::Number(until));
        }
        if let Some((at, last)) = &filter.after {
            let sign = match filter.order {
                Order::Newest => '<',
                Order::Oldest => '>',
            };
            let at = self.value(Value::Number(*at));
            let last = self.value(Value::Text(last.clone()));
            let _ = write!(self.sql, " AND (at, {id}) {sign} ({at}, {last})");
        }
    }

    fn ordered(&mut self, filter: &Filter, columns: &[&str]) {
        let word = match filter.order {
            Order::Newest => "DESC",
            Order::Oldest => "ASC",
        };
        let columns: Vec<String> = columns.iter().map(|it| format!("{it} {word}")).collect();
        let _ = write!(self.sql, " ORDER BY {}", columns.join(", "));
        if let Ok(limit) = i64::try_from(filter.limit) {
            let limit = self.value(Value::Number(limit));
            let _ = write!(self.sql, " LIMIT {limit}");
        }
    }
}

/// Asks for the ids and texts of entries.
pub(super) fn entries(filter: &Filter, mark: char) -> Statement {
    let mut statement = Statement::new("SELECT id, body FROM canary_entry WHERE TRUE", mark);
    statement.common(filter, "id");
    if filter.by_package() {
        statement
            .sql
            .push_str(" AND id IN (SELECT entry FROM canary_release WHERE TRUE");
        statement.text("package", filter.package.as_ref());
        statement.text("version", filter.version.as_ref());
        statement.sql.push(')');
    }
    statement.ordered(filter, &["at", "id"]);
    statement
}

/// Asks for rows, in the order of the columns of [`Row`](super::Row).
pub(super) fn rows(filter: &Filter, mark: char) -> Statement {
    let mut statement = Statement::new(
        "SELECT entry, at, repository, kind, package, version, step, before_versions, verdict, \
         score FROM canary_release WHERE TRUE",
        mark,
    );
    statement.text("package", filter.package.as_ref());
    statement.text("version", filter.version.as_ref());
    statement.text("step", filter.step.as_ref());
    statement.common(filter, "entry");
    statement.ordered(filter, &["at", "entry", "package", "version", "step"]);
    statement
}

/// How many entries an id that is cut short may mean before nobody looks on.
pub(super) const NEAR: usize = 20;

/// Asks for the entries whose id begins with a text.
pub(super) fn starting_with(id: &str, mark: char) -> Statement {
    let mut statement = Statement::new("SELECT id, body FROM canary_entry WHERE TRUE", mark);
    statement.and("id >=", Value::Text(id.to_owned()));
    // Behind every hexadecimal digit.
    statement.and("id <", Value::Text(format!("{id}g")));
    statement.ordered(
        &Filter {
            limit: NEAR,
            ..Filter::default()
        },
        &["id"],
    );
    statement
}
