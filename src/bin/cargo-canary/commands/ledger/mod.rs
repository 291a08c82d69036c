//! `ledger`: the log of updates, verdicts and what came of them.

mod add;
mod list;
mod name;
mod show;

use std::path::Path;

use cargo_canary::audit::{self, Audit, Request, read_policy};
use cargo_canary::host::{FileKind, Host, RealNet};
use cargo_canary::ledger::{
    self, CSV_HEADER, Filter, LedgerError, Mode, Place, PlaceError, Store, Stored, csv_record,
};

use cargo_canary::policy::LedgerTerms;

use super::request::day;
use crate::args::{
    AuditArgs, EntryKind, ExportFormat, FilterArgs, LedgerCommand, PlaceArgs, ReportFormat,
};
use crate::error::Failure;
use crate::exit;
use crate::output;

/// The variable that names a ledger for all commands.
const VARIABLE: &str = "CARGO_CANARY_LEDGER";
/// The ledger of a user who has named none.
const OWN: &str = "ledger.db";
/// Where a repository keeps its policy.
const POLICY_FILE: &str = "canary.toml";

pub(crate) fn run(command: &LedgerCommand) -> Result<u8, Failure> {
    let host = Host::real(Some(Box::new(RealNet::default())));
    match command {
        LedgerCommand::List(args) => list::run(args, &host),
        LedgerCommand::Show(args) => show::run(args, &host),
        LedgerCommand::Record(args) => add::record(args, &host),
        LedgerCommand::Impact(args) => add::impact(args, &host),
        LedgerCommand::Export {
            filter: asked,
            format,
            output,
            place,
        } => export(&filter(asked)?, *format, output.as_deref(), place, &host),
        LedgerCommand::Import {
            from,
            place,
            format,
        } => import(from, place, *format, &host),
    }
}

/// The ledger that an option or the environment names.
pub(super) fn named_place(option: Option<&str>, host: &Host) -> Result<Option<Place>, Failure> {
    let of_environment = host.env.get(VARIABLE).and_then(|text| text.to_str());
    option
        .or(of_environment)
        .map(|text| Place::parse(text, Path::new("")).map_err(|error| no_place(&error)))
        .transpose()
}

/// Which ledger a command is about.
fn place(args: &PlaceArgs, host: &Host) -> Result<Place, Failure> {
    if let Some(place) = named_place(args.ledger.as_deref(), host)? {
        return Ok(place);
    }
    let file = args.repository.join(POLICY_FILE);
    if matches!(host.files.kind(&file), Ok(FileKind::File(_))) {
        let policy = read_policy(&file, host)?;
        // A checkout that is not known to be ours may name a file in it, and
        // must not choose where a password is sent.
        if let Some(url) = &policy.ledger().url
            && let Ok(place @ Place::Lines(_)) = Place::parse_public(url, &args.repository)
        {
            return Ok(place);
        }
    }
    match host.env.data_dir() {
        Some(directory) => Ok(Place::Sqlite(directory.join(OWN))),
        None => Err(
            Failure::input("no ledger is named, and there is no home directory")
                .hint("name one with `--ledger PLACE`"),
        ),
    }
}

fn open<'h>(args: &PlaceArgs, mode: Mode, host: &'h Host) -> Result<Box<dyn Store + 'h>, Failure> {
    Ok(ledger::open(&place(args, host)?, mode, host)?)
}

fn filter(args: &FilterArgs) -> Result<Filter, Failure> {
    let since = args
        .since
        .as_deref()
        .map(|text| day("--since", text))
        .transpose()?;
    let until = args
        .until
        .as_deref()
        .map(|text| day("--until", text).map(|time| (time, text)))
        .transpose()?;
    // A day that is named as the last one counts to its end.
    let until = until.map(|(time, text)| {
        let whole_day = text.parse::<jiff::Timestamp>().is_err();
        time.as_microsecond() + if whole_day { 86_400_000_000 - 1 } else { 0 }
    });
    Ok(Filter {
        package: args.package.clone(),
        version: args.version.clone(),
        repository: args.name.clone(),
        since: since.map(|time| time.as_microsecond()),
        until,
        verdict: args.verdict.clone(),
        kind: args.kind.map(|kind| {
            match kind {
                EntryKind::Audit => "audit",
                EntryKind::Evidence => "evidence",
                EntryKind::Rollout => "rollout",
                EntryKind::Effect => "effect",
            }
            .to_owned()
        }),
        ..Filter::default()
    })
}

/// Adds an audit to the ledger that the request or the policy names.
pub(super) fn record_audit(
    request: &Request,
    audit: &Audit,
    args: &AuditArgs,
    host: &Host,
) -> Result<(), Failure> {
    let given = args.ledger.ledger_name.as_deref();
    let Some(mut book) = to_append(request, &audit.policy.ledger, given, host)? else {
        return Ok(());
    };
    let entry = audit::ledger_entry(audit, &book.repository, None, host.clock.now());
    book.store.append(&[Stored::new(entry)])?;
    Ok(())
}

/// A ledger that is added to, and what the repository is called in it.
pub(super) struct Book<'h> {
    pub(super) store: Box<dyn Store + 'h>,
    pub(super) repository: String,
}

/// The ledger that a request or the policy names, to be added to.
pub(super) fn to_append<'h>(
    request: &Request,
    terms: &LedgerTerms,
    given: Option<&str>,
    host: &'h Host,
) -> Result<Option<Book<'h>>, Failure> {
    let place = audit::ledger_place(request, terms).map_err(|error| no_place(&error))?;
    let Some(place) = place else {
        return Ok(None);
    };
    if let (Place::Lines(path) | Place::Sqlite(path), Some(_)) = (&place, &terms.url) {
        stays_inside(path, &request.repository, host)?;
    }
    Ok(Some(Book {
        store: ledger::open(&place, Mode::Append, host)?,
        repository: name::of(given.or(terms.name.as_deref()), &request.repository, host),
    }))
}

/// A relative path that a policy names must not lead out of the repository by
/// way of a link that the change under judgement has put there.
fn stays_inside(path: &Path, repository: &Path, host: &Host) -> Result<(), Failure> {
    if !path.starts_with(repository) || path == repository {
        return Ok(());
    }
    let root = host.files.canonical(repository).ok();
    let mut above = path.parent();
    while let Some(directory) = above {
        if let (Ok(real), Some(root)) = (host.files.canonical(directory), &root) {
            if real.starts_with(root) {
                return Ok(());
            }
            let error = LedgerError::NotPlain {
                path: path.to_owned(),
                what: "reached over a link that leads out of the repository",
            };
            return Err(error.into());
        }
        above = directory.parent();
    }
    Ok(())
}

fn export(
    filter: &Filter,
    format: ExportFormat,
    file: Option<&Path>,
    place: &PlaceArgs,
    host: &Host,
) -> Result<u8, Failure> {
    let mut store = open(place, Mode::Read, host)?;
    let mut text = String::new();
    if format == ExportFormat::Csv {
        text.push_str(CSV_HEADER);
    }
    // Without a file each page goes out when it is full; with one, it is whole or not there.
    let mut failed = None;
    // A record of CSV is about one change, whose verdict is not that of the whole.
    let entries = match format {
        ExportFormat::Jsonl => filter.clone(),
        ExportFormat::Csv => Filter {
            verdict: None,
            ..filter.clone()
        },
    };
    ledger::each(store.as_mut(), &entries, &mut |stored| {
        match format {
            ExportFormat::Jsonl => {
                text.push_str(&stored.line());
                text.push('\n');
            }
            ExportFormat::Csv => {
                for row in stored.rows() {
                    if filter.takes_row(&row) {
                        text.push_str(&csv_record(&row));
                    }
                }
            }
        }
        if file.is_none() && text.len() > 1 << 20 && failed.is_none() {
            failed = output::standard_output(text.as_bytes()).err();
            text.clear();
        }
        Ok(())
    })?;
    if let Some(failed) = failed {
        return Err(failed);
    }
    output::report(text.as_bytes(), file, host)?;
    Ok(exit::PASS)
}

fn import(from: &str, to: &PlaceArgs, format: ReportFormat, host: &Host) -> Result<u8, Failure> {
    let from = Place::parse(from, Path::new("")).map_err(|error| no_place(&error))?;
    let mut from = ledger::open(&from, Mode::Read, host)?;
    let mut store = open(to, Mode::Append, host)?;
    let (mut new, mut page) = (0, Vec::new());
    let mut append = |page: &mut Vec<Stored>| {
        new += store.append(page)?;
        page.clear();
        Ok::<(), LedgerError>(())
    };
    let seen = ledger::each(from.as_mut(), &Filter::default(), &mut |stored| {
        page.push(stored.clone());
        if page.len() >= 500 {
            append(&mut page)?;
        }
        Ok(())
    })?;
    append(&mut page)?;
    let text = match format {
        ReportFormat::Json => {
            let document = serde_json::json!({ "read": seen, "added": new });
            format!("{document:#}\n")
        }
        ReportFormat::Text => format!("{new} of {seen} entries added; the others were there\n"),
    };
    output::standard_output(text.as_bytes())?;
    Ok(exit::PASS)
}

fn no_place(error: &PlaceError) -> Failure {
    Failure::input("no ledger can be kept there").caused_by(error).hint(
        "name `postgres://host/database`, a path that ends in .jsonl for a file that merges, or \
         one that ends in .db for a SQLite database",
    )
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        let failure = Self::input("failed to use the ledger").caused_by(&error);
        match error {
            LedgerError::NotThere { .. } => failure.hint(
                "`cargo-canary check --ledger PLACE` records the first audit; \
                 `--ledger` or the variable CARGO_CANARY_LEDGER names another ledger",
            ),
            LedgerError::Offline { .. } => {
                failure.hint("leave out `--offline`, or `--no-ledger` records nothing")
            }
            LedgerError::NoPostgres { .. } => {
                failure.hint("build it with `cargo install cargo-canary --features postgres`")
            }
            LedgerError::NotPlain { .. } => {
                failure.hint("name the file that the link points to, if that is what is meant")
            }
            LedgerError::Newer { .. } => failure.hint("update cargo-canary"),
            LedgerError::Line { .. } => failure.hint(
                "take the lines of both sides of a merge (`merge=union` in .gitattributes does \
                 so), and each line as it was written; `git log -p` on the file tells what changed",
            ),
            LedgerError::Damaged { .. } => failure.hint(
                "entries are never changed after they were written; take the database from a \
                 backup, or look the entry up in an export",
            ),
            LedgerError::TooLarge { .. } => failure.hint(
                "move it into a database: `cargo-canary ledger import FILE --ledger ledger.db`",
            ),
            LedgerError::Database { .. } => failure.hint(
                "is the database there and may this user write to it? A password is given in \
                 the variable PGPASSWORD; `?sslmode=disable` reaches a server without TLS",
            ),
            LedgerError::NotALedger { .. } | LedgerError::Io { .. } => {
                failure.hint("name another place with `--ledger PLACE`")
            }
        }
    }
}
