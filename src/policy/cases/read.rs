//! Reads a file of cases.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use jiff::civil::Date;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::facts::{FactKind, Gap, GapReason};

use super::super::around::Given;
use super::super::check::unknown;
use super::super::file::values::{Reader, integer};
use super::super::file::{At, LARGEST, REASONS};
use super::super::problem::{Problem, SourceFile};
use super::super::variables::{self, Reading, Type, Variable};
use super::super::{Decision, PolicyError};
use super::{Case, Cases, Expected, Made};

/// How many cases one file may have.
const MOST: usize = 2_000;
/// How many changes one case may have.
const MOST_CHANGES: usize = 200;
/// The day of judgement where a file names none.
const AS_OF: Date = jiff::civil::date(2026, 1, 1);

const DECISIONS: [(&str, Decision); 4] = [
    ("pass", Decision::Pass),
    ("canary", Decision::Canary),
    ("incomplete", Decision::Incomplete),
    ("block", Decision::Block),
];
/// The keys of a change that are no groups of variables.
const OF_CHANGE: [&str; 2] = ["gaps", "absent"];
const OF_CASE: [&str; 3] = ["name", "expect", "changes"];

pub(super) fn read(text: &str, path: &str) -> Result<Cases, PolicyError> {
    let file = Arc::new(SourceFile::new(path, text));
    let mut cases = Cases {
        file: Arc::clone(&file),
        as_of: AS_OF,
        cases: Vec::new(),
    };
    let mut problems = Vec::new();
    if text.len() > LARGEST {
        let label = format!("a file of cases has at most {LARGEST} bytes");
        problems.push(Problem::new(&file, 0..0, "file of cases", label));
    } else {
        let (root, errors) = DeTable::parse_recoverable(text);
        problems.extend(errors.iter().map(|error| {
            let said = error.message().replace('\n', ", ");
            Problem::new(
                &file,
                error.span().unwrap_or(0..0),
                "the file is not TOML",
                said,
            )
        }));
        if problems.is_empty() {
            let mut reader = Reader::new(&file);
            fill(&mut cases, &mut reader, root.get_ref());
            problems = reader.into_problems();
        }
    }
    match PolicyError::of(problems) {
        Some(error) => Err(error),
        None => Ok(cases),
    }
}

fn fill(cases: &mut Cases, reader: &mut Reader, root: &DeTable<'_>) {
    let title = "file of cases";
    reader.known(title, root, &["version", "as-of", "case"]);
    match root
        .get("version")
        .map(|value| (value, integer(value.get_ref())))
    {
        Some((_, Some(1))) => {}
        Some((value, _)) => reader.problem(value.span(), title, "`version` must be 1"),
        None => reader.missing(title, "version", &(0..0)),
    }
    if let Some(day) = reader.date(title, "as-of", root) {
        cases.as_of = day;
    }
    let as_of = cases.as_of;
    let mut names = BTreeSet::new();
    for (table, place) in reader.tables("case", root, MOST) {
        let Some(case) = case(reader, table, &place, as_of) else {
            continue;
        };
        if !names.insert(case.name.value.clone()) {
            let label = "another case has this name";
            reader.problem(case.name.span.clone(), "case", label);
        }
        cases.cases.push(case);
    }
    if cases.cases.is_empty() && !root.contains_key("case") {
        reader.problem(0..0, title, "there is no `[[case]]` in it");
    }
}

fn case(
    reader: &mut Reader,
    table: &DeTable<'_>,
    place: &Range<usize>,
    as_of: Date,
) -> Option<Case> {
    let name = reader.required_text("case", "name", table, place)?;
    let title = format!("case `{}`", name.value.escape_debug());
    let mut totals = Given::new();
    let changes = match table.get("changes") {
        None => {
            let (mut made, known) = (Made::ordinary(as_of), keys(true));
            reader.known(&title, table, &known);
            change(reader, &title, table, &mut made, &mut totals);
            vec![made]
        }
        Some(value) => {
            reader.known(&title, table, &[&OF_CASE[..], &["difference"]].concat());
            difference(reader, &title, table, &mut totals);
            several(reader, &title, value, as_of, &mut totals)
        }
    };
    let expected = match reader.table(&title, "expect", table) {
        Some(expect) => expected(reader, &title, expect, place),
        None => {
            if !table.contains_key("expect") {
                reader.missing(&title, "expect", place);
            }
            None
        }
    };
    Some(Case {
        name,
        changes,
        totals,
        expected: expected?,
    })
}

/// The keys that a change, or a case of one change, may have.
fn keys(of_case: bool) -> Vec<&'static str> {
    let mut known: Vec<&str> = OF_CHANGE.to_vec();
    if of_case {
        known.extend(OF_CASE);
    }
    for variable in variables::all() {
        let group = variable.name.split('.').next().unwrap_or_default();
        if (of_case || group != "difference") && !known.contains(&group) {
            known.push(group);
        }
    }
    known
}

fn several(
    reader: &mut Reader,
    title: &str,
    value: &Spanned<DeValue<'_>>,
    as_of: Date,
    totals: &mut Given<'static>,
) -> Vec<Made> {
    let Some(array) = value
        .get_ref()
        .as_array()
        .filter(|all| all.len() <= MOST_CHANGES)
    else {
        let label = format!("`changes` must be a list of at most {MOST_CHANGES} tables");
        reader.problem(value.span(), title, label);
        return Vec::new();
    };
    let mut all = Vec::new();
    for item in array.iter() {
        let mut made = Made::ordinary(as_of);
        match item.get_ref().as_table() {
            Some(table) => {
                reader.known(title, table, &keys(false));
                change(reader, title, table, &mut made, totals);
            }
            None => reader.problem(item.span(), title, "a change must be a table"),
        }
        all.push(made);
    }
    all
}

/// Reads what is stated of one change.
fn change(
    reader: &mut Reader,
    title: &str,
    table: &DeTable<'_>,
    made: &mut Made,
    totals: &mut Given<'static>,
) {
    // What a change is comes before what else is known of it.
    let first = ["change.kind", "change.source", "change.package"];
    let mut stated = Vec::new();
    for (group, value) in table {
        let group: &str = group.get_ref().as_ref();
        if OF_CHANGE.contains(&group) || OF_CASE.contains(&group) {
            continue;
        }
        let Some(values) = value.get_ref().as_table() else {
            if variables::is_group(group) {
                let label = format!("`{group}` must be a table, such as `{group}.… = …`");
                reader.problem(value.span(), title, label);
            }
            continue;
        };
        stated.extend(
            values
                .iter()
                .map(|(key, value)| (format!("{group}.{}", key.get_ref()), key.span(), value)),
        );
    }
    stated.sort_by_key(|(name, _, _)| {
        first
            .iter()
            .position(|it| it == name)
            .unwrap_or(first.len())
    });
    for (name, key, value) in stated {
        let Some((index, variable)) = variables::find(&name) else {
            reader.problem(key, title, unknown(&name));
            continue;
        };
        let reading = match reading(variable, value) {
            Ok(reading) => reading,
            Err(label) => {
                reader.problem(value.span(), title, label);
                continue;
            }
        };
        if variable.of_whole_difference() {
            totals.insert(index, reading);
        } else if let Err(label) = made.state(&name, index, reading) {
            reader.problem(value.span(), title, label);
        }
    }
    gaps(reader, title, table, made);
    for name in reader.texts(title, "absent", table).unwrap_or_default() {
        match variables::find(&name.value) {
            Some((index, variable)) if !variable.of_whole_difference() => {
                drop(made.state("", index, Reading::Absent));
            }
            Some(_) | None => reader.problem(name.span, title, unknown(&name.value)),
        }
    }
}

/// Reads what is stated of the whole difference.
fn difference(reader: &mut Reader, title: &str, table: &DeTable<'_>, totals: &mut Given<'static>) {
    let Some(values) = reader.table(title, "difference", table) else {
        return;
    };
    for (key, value) in values {
        let name = format!("difference.{}", key.get_ref());
        match variables::find(&name) {
            None => reader.problem(key.span(), title, unknown(&name)),
            Some((index, variable)) => match reading(variable, value) {
                Ok(reading) => {
                    totals.insert(index, reading);
                }
                Err(label) => reader.problem(value.span(), title, label),
            },
        }
    }
}

fn gaps(reader: &mut Reader, title: &str, table: &DeTable<'_>, made: &mut Made) {
    let Some(gaps) = reader.table(title, "gaps", table) else {
        return;
    };
    reader.known(title, gaps, &FactKind::ALL.map(FactKind::as_str));
    let reasons = REASONS.map(|reason| (reason.as_str(), reason));
    for (key, value) in gaps {
        let name: &str = key.get_ref().as_ref();
        let fact = FactKind::ALL.into_iter().find(|fact| fact.as_str() == name);
        let reason: Option<GapReason> = reader.word(title, name, value, &reasons);
        if let (Some(fact), Some(reason)) = (fact, reason) {
            made.missing(Gap {
                fact,
                reason,
                detail: "stated by the case".to_owned(),
            });
        }
    }
}

/// A value of the type that its variable has.
fn reading(variable: &Variable, value: &Spanned<DeValue<'_>>) -> Result<Reading<'static>, String> {
    let value = value.get_ref();
    let wrong = || {
        let kind = variable.kind.as_str();
        Err(format!(
            "`{}` is of type {kind}, and this is {}",
            variable.name,
            value.type_str()
        ))
    };
    let number = || match value.as_float() {
        Some(float) => float
            .as_str()
            .parse()
            .ok()
            .filter(|it: &f64| it.is_finite()),
        None => integer(value)
            .and_then(|it| i32::try_from(it).ok())
            .map(f64::from),
    };
    let within = |number: f64| match variable.bounds {
        Some((least, greatest)) if number < least || number > greatest => {
            Err(format!("`{}` is never {number}", variable.name))
        }
        _ => Ok(()),
    };
    match variable.kind {
        Type::Bool => value
            .as_bool()
            .map_or_else(wrong, |it| Ok(Reading::Bool(it))),
        Type::Int => match integer(value) {
            None => wrong(),
            Some(whole) => {
                within(i32::try_from(whole).map_or(f64::MAX, f64::from))?;
                Ok(Reading::Int(whole))
            }
        },
        Type::Double => match number() {
            None => wrong(),
            Some(found) => within(found).map(|()| Reading::Double(found)),
        },
        Type::Text => match value.as_str() {
            None => wrong(),
            Some(text) if variable.values.is_empty() || variable.values.contains(&text) => {
                Ok(Reading::Text(Cow::Owned(text.to_owned())))
            }
            Some(_) => Err(format!(
                "`{}` is one of {}",
                variable.name,
                variable.values.join(", ")
            )),
        },
        Type::List => {
            let texts = value.as_array().and_then(|all| {
                all.iter()
                    .map(|item| Some(Cow::Owned(item.get_ref().as_str()?.to_owned())))
                    .collect::<Option<Vec<Cow<'static, str>>>>()
            });
            texts.map_or_else(wrong, |texts| Ok(Reading::List(texts)))
        }
    }
}

fn expected(
    reader: &mut Reader,
    title: &str,
    expect: &DeTable<'_>,
    place: &Range<usize>,
) -> Option<Expected> {
    reader.known(title, expect, &["decision", "rules", "notices", "way-out"]);
    let decision = match expect.get("decision") {
        Some(value) => reader.word(title, "decision", value, &DECISIONS),
        None => {
            reader.missing(title, "expect.decision", place);
            None
        }
    };
    Some(Expected {
        decision: decision?,
        rules: ids(reader, title, "rules", expect),
        notices: ids(reader, title, "notices", expect),
        way_out: reader
            .text(title, "way-out", expect)
            .map(|at: At<String>| at.value),
    })
}

/// A list of rule ids, which may be empty.
fn ids(
    reader: &mut Reader,
    title: &str,
    key: &str,
    table: &DeTable<'_>,
) -> Option<BTreeSet<String>> {
    let empty = table
        .get(key)?
        .get_ref()
        .as_array()
        .is_some_and(|all| all.is_empty());
    if empty {
        return Some(BTreeSet::new());
    }
    let texts = reader.texts(title, key, table)?;
    Some(texts.into_iter().map(|at| at.value).collect())
}
