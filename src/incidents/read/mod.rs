//! The strict reader of incident files: everything that is wrong is said,
//! each with its line and column.

mod rules;
mod sheet;

use toml::Spanned;
use toml::de::DeTable;

use super::components::Components;
use super::defect::{Defect, Problem, nearest};
use super::record::{Affects, Moment, Origin, Record};
use super::vocabulary::{Cause, Detection, Failure, Resolution};
use sheet::{MAX_LINE, Placed, Sheet, short};

#[cfg(test)]
pub(super) use rules::KEYS as RULE_KEYS;
pub(super) use sheet::{clip, place};

/// The most bytes of one file.
pub const MAX_BYTES: usize = 64 * 1024;

/// The most characters of a longer text.
const MAX_TEXT: usize = 2_000;
/// The longest time an incident is given, in minutes: ten years.
const MAX_MINUTES: u32 = 10 * 366 * 24 * 60;

/// The keys of an incident file.
pub(super) const KEYS: &[&str] = &[
    "version",
    "id",
    "title",
    "date",
    "started",
    "ended",
    "duration-minutes",
    "minutes-to-cause",
    "impact-percent",
    "failure",
    "component",
    "cause",
    "resolution",
    "detection",
    "suspected",
    "actions",
    "sources",
    "contradictions",
    "note",
    "affects",
];

/// Reads one incident file.
///
/// # Errors
/// Every defect of the file, sorted by place.
pub fn read(
    file: &str,
    bytes: &[u8],
    origin: Origin,
    components: &Components,
) -> Result<Record, Vec<Defect>> {
    let whole = |line, column, problem| {
        vec![Defect {
            file: file.to_owned(),
            line,
            column,
            problem,
        }]
    };
    if bytes.len() > MAX_BYTES {
        return Err(whole(
            1,
            1,
            Problem::TooLarge {
                bytes: bytes.len(),
                limit: MAX_BYTES,
            },
        ));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let (line, column) = place(&String::from_utf8_lossy(good), error.valid_up_to());
        whole(line, column, Problem::NotText)
    })?;
    let mut sheet = Sheet::new(file, text);
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        let record = record(&mut sheet, &table, origin, components);
        if let (Some(record), true) = (record, sheet.defects.is_empty()) {
            return Ok(record);
        }
    }
    for error in &errors {
        let at = error.span().map_or(0, |span| span.start);
        sheet.defect(
            at,
            Problem::Syntax {
                message: clip(error.message(), 200),
            },
        );
    }
    let mut defects = sheet.defects;
    defects.sort();
    defects.dedup();
    Err(defects)
}

/// Reads the record, noting what is wrong; `None` only when something is.
fn record(
    sheet: &mut Sheet<'_>,
    document: &Spanned<DeTable<'_>>,
    origin: Origin,
    components: &Components,
) -> Option<Record> {
    let table = document.get_ref();
    sheet.check_keys(table, KEYS);
    let version = sheet.number(table, "version", 1..=1);
    sheet.required(document, "version", version.as_ref());
    let id = sheet.text(table, "id", 100);
    let id = sheet.required(document, "id", id);
    check_id(sheet, id.as_ref());
    let title = sheet.text(table, "title", MAX_LINE);
    let title = sheet.required(document, "title", title);
    let date = sheet.date(table, "date");
    let date = sheet.required(document, "date", date);
    let started = sheet.moment(table, "started");
    let ended = sheet.moment(table, "ended");
    let duration = sheet.number(table, "duration-minutes", 0..=MAX_MINUTES);
    let to_cause = sheet.number(table, "minutes-to-cause", 0..=MAX_MINUTES);
    let contradictions = plain(sheet.texts(table, "contradictions", MAX_TEXT));
    if contradictions.is_empty() {
        check_times(sheet, started.as_ref(), ended.as_ref(), duration.as_ref());
    }
    let impact = sheet.percent(table, "impact-percent");
    let failure = sheet.word(table, "failure", Failure::ALL, Failure::as_str);
    let failure = sheet.required(document, "failure", failure);
    let component = component(sheet, table, components);
    let component = sheet.required(document, "component", component);
    let cause = sheet.word(table, "cause", Cause::ALL, Cause::as_str);
    let cause = sheet.required(document, "cause", cause);
    let resolution = resolutions(sheet, table);
    let detection = sheet.word(table, "detection", Detection::ALL, Detection::as_str);
    let suspected = plain(sheet.texts(table, "suspected", MAX_LINE));
    let actions = plain(sheet.texts(table, "actions", MAX_LINE));
    let sources = plain(sheet.texts(table, "sources", MAX_LINE));
    let note = sheet.text(table, "note", MAX_TEXT);
    let affects: Vec<Affects> = rules::affects(sheet, table);
    Some(Record {
        id: id?.0,
        title: title?.0,
        date: date?.0,
        started: started.map(|(at, _)| at),
        ended: ended.map(|(at, _)| at),
        duration_minutes: duration.map(|(minutes, _)| minutes),
        minutes_to_cause: to_cause.map(|(minutes, _)| minutes),
        impact_percent: impact.map(|(percent, _)| percent),
        failure: failure?,
        component: component?,
        cause: cause?,
        resolution,
        detection,
        suspected,
        actions,
        sources,
        contradictions,
        note: note.map(|(note, _)| note),
        affects,
        origin,
        file: sheet.file().to_owned(),
    })
}

/// An id is lower case, and can stand in a file name and in a command.
fn check_id(sheet: &mut Sheet<'_>, id: Option<&Placed<String>>) {
    let Some((id, span)) = id else { return };
    let fits = id
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._".contains(c))
        && id.starts_with(|c: char| c.is_ascii_alphanumeric());
    if !fits {
        sheet.bad(
            span.start,
            "id",
            "lower-case letters, digits, `-`, `.` and `_`",
        );
    }
}

/// Start, end and duration must agree where all are given.
fn check_times(
    sheet: &mut Sheet<'_>,
    started: Option<&Placed<Moment>>,
    ended: Option<&Placed<Moment>>,
    duration: Option<&Placed<u32>>,
) {
    let (Some((started, _)), Some((ended, at))) = (started, ended) else {
        return;
    };
    let Some(minutes) = ended.minutes_since(started) else {
        let what = "one of `started` and `ended` has a zone and the other has none".to_owned();
        sheet.contradiction(at.start, what);
        return;
    };
    if minutes < 0 {
        sheet.contradiction(at.start, "it ended before it started".to_owned());
    } else if let Some((stated, at)) = duration
        && i64::from(*stated) != minutes
    {
        let what = format!("`duration-minutes` is {stated}, and from start to end it is {minutes}");
        sheet.contradiction(at.start, what);
    }
}

/// The component, which must be in the table of roles.
fn component(
    sheet: &mut Sheet<'_>,
    table: &DeTable<'_>,
    components: &Components,
) -> Option<String> {
    let (word, span) = sheet.text(table, "component", 100)?;
    if components.is_known(&word) {
        return Some(word);
    }
    let nearest = nearest(
        &word,
        components
            .all()
            .iter()
            .map(|component| component.name.as_str()),
    );
    sheet.defect(
        span.start,
        Problem::UnknownWord {
            key: "component",
            word: short(&word),
            nearest,
        },
    );
    None
}

/// What made it end.
fn resolutions(sheet: &mut Sheet<'_>, table: &DeTable<'_>) -> Vec<Resolution> {
    sheet
        .texts(table, "resolution", 100)
        .into_iter()
        .filter_map(|(word, span)| {
            sheet.word_of(
                "resolution",
                &word,
                span.start,
                Resolution::ALL,
                Resolution::as_str,
            )
        })
        .collect()
}

/// Texts without their places.
fn plain(texts: Vec<Placed<String>>) -> Vec<String> {
    texts.into_iter().map(|(text, _)| text).collect()
}

#[cfg(test)]
mod tests;
