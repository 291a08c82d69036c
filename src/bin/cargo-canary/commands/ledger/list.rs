//! `ledger list`: entries, or who took which version of a package.

use cargo_canary::host::Host;
use cargo_canary::ledger::{Body, Filter, Mode, Row, Store, Stored};
use cargo_canary::report::safe_for_terminal;
use jiff::Timestamp;
use serde_json::json;
use unicode_width::UnicodeWidthStr;

use super::{filter, open};
use crate::args::{LedgerListArgs, ReportFormat};
use crate::error::Failure;
use crate::exit;
use crate::output;

pub(super) fn run(args: &LedgerListArgs, host: &Host) -> Result<u8, Failure> {
    let mut store = open(&args.place, Mode::Read, host)?;
    // One more than is shown tells whether there are more.
    let filter = Filter {
        limit: args.limit.saturating_add(1),
        ..filter(&args.filter)?
    };
    let text = match &filter.package {
        Some(package) => of_package(store.as_mut(), &filter, package, args)?,
        None => of_all(store.as_mut(), &filter, args)?,
    };
    output::report(text.as_bytes(), args.output.output.as_deref(), host)?;
    Ok(exit::PASS)
}

fn of_package(
    store: &mut dyn Store,
    filter: &Filter,
    package: &str,
    args: &LedgerListArgs,
) -> Result<String, Failure> {
    let mut rows = store.rows(filter)?;
    let more = rows.len() > args.limit;
    rows.truncate(args.limit);
    if args.output.format == ReportFormat::Json {
        let updates: Vec<_> = rows.iter().map(row_json).collect();
        let document = json!({ "package": package, "updates": updates, "more": more });
        return Ok(format!("{document:#}\n"));
    }
    // What went out is told by what came in, unless it is asked for by its version.
    let comes_in = |row: &Row| {
        rows.iter()
            .any(|other| other.entry == row.entry && other.step == "in")
    };
    let shown: Vec<&Row> = rows
        .iter()
        .filter(|row| filter.version.is_some() || row.step != "out" || !comes_in(row))
        .collect();
    let lines: Vec<[String; 6]> = shown.iter().map(|row| row_line(row)).collect();
    let what = match &filter.version {
        Some(version) => format!("{package} {version}"),
        None => package.to_owned(),
    };
    Ok(screen(&safe_for_terminal(&what), &lines, more))
}

fn of_all(
    store: &mut dyn Store,
    filter: &Filter,
    args: &LedgerListArgs,
) -> Result<String, Failure> {
    let mut entries = store.entries(filter)?;
    let more = entries.len() > args.limit;
    entries.truncate(args.limit);
    if args.output.format == ReportFormat::Json {
        let entries: Vec<_> = entries.iter().map(entry_json).collect();
        let document = json!({ "entries": entries, "more": more });
        return Ok(format!("{document:#}\n"));
    }
    let lines: Vec<[String; 6]> = entries.iter().map(entry_line).collect();
    Ok(screen("The ledger", &lines, more))
}

fn time(micros: i64) -> String {
    Timestamp::from_microsecond(micros).map_or_else(|_| micros.to_string(), |at| at.to_string())
}

fn row_json(row: &Row) -> serde_json::Value {
    json!({
        "entry": row.entry,
        "at": time(row.at),
        "repository": row.repository,
        "kind": row.kind,
        "package": row.package,
        "version": row.version,
        "step": row.step,
        "before": row.before,
        "verdict": row.verdict,
        "score": row.score,
    })
}

fn entry_json(stored: &Stored) -> serde_json::Value {
    json!({
        "id": stored.id,
        "at": stored.entry.at.to_string(),
        "repository": stored.entry.repository,
        "kind": stored.kind().as_str(),
        "verdict": stored.verdict(),
        "packages": stored.rows().len(),
    })
}

fn row_line(row: &Row) -> [String; 6] {
    let version = match (row.step.as_str(), row.before.as_str()) {
        ("in", "") => format!("+ {}", row.version),
        ("in", before) => format!("{before} -> {}", row.version),
        ("out", _) => format!("{} -> out", row.version),
        ("stays", _) => format!("{} stays", row.version),
        _ => row.version.clone(),
    };
    [
        minute(row.at),
        row.repository.clone(),
        version,
        row.verdict.clone(),
        row.score.map(|score| score.to_string()).unwrap_or_default(),
        format!("{} {}", row.kind, short(&row.entry)),
    ]
}

fn entry_line(stored: &Stored) -> [String; 6] {
    let what = match &stored.entry.body {
        Body::Audit(audited) => match audited.changes.as_slice() {
            [one] => format!("1 change: {}", one.id),
            changes => format!("{} changes", changes.len()),
        },
        Body::Evidence(trial) | Body::Rollout(trial) => {
            let of = match (trial.alone(), trial.updates.len()) {
                (Some((package, version)), _) => format!("{package} {version}"),
                (None, 0) => "a difference".to_owned(),
                (None, many) => format!("{many} updates"),
            };
            match &trial.method {
                Some(method) => format!("{method} of {of}"),
                None => of,
            }
        }
        Body::Effect(effect) => format!("{} {}", effect.package, effect.package_version),
    };
    [
        minute(stored.entry.at.as_microsecond()),
        stored.entry.repository.clone(),
        what,
        stored.verdict().to_owned(),
        String::new(),
        format!("{} {}", stored.kind().as_str(), short(&stored.id)),
    ]
}

fn minute(micros: i64) -> String {
    Timestamp::from_microsecond(micros).map_or_else(
        |_| micros.to_string(),
        |at| at.strftime("%Y-%m-%d %H:%M").to_string(),
    )
}

fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

/// Lines in columns.
fn screen(what: &str, lines: &[[String; 6]], more: bool) -> String {
    if lines.is_empty() {
        return format!("{what}: nothing recorded fits\n");
    }
    let lines: Vec<[String; 6]> = lines
        .iter()
        .map(|line| {
            line.clone()
                .map(|cell| safe_for_terminal(&cell).into_owned())
        })
        .collect();
    let mut widths = [0_usize; 6];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = cell.width().max(*width);
        }
    }
    let count = lines.len();
    let noun = if count == 1 { "record" } else { "records" };
    let mut text = format!("{what}: {count} {noun}, the newest first (times in UTC)\n\n");
    for line in &lines {
        let mut shown = String::new();
        for (width, cell) in widths.iter().zip(line) {
            if *width == 0 {
                continue;
            }
            if !shown.is_empty() {
                shown.push_str("  ");
            }
            shown.push_str(cell);
            shown.push_str(&" ".repeat(width - cell.width()));
        }
        text.push_str(shown.trim_end());
        text.push('\n');
    }
    if more {
        text.push_str(
            "\nThere are more: `--limit N` shows them, `--since` and `--in` narrow them.\n",
        );
    }
    text
}
