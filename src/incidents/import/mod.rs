//! From a postmortem, as people write them, to the draft of a record. Each
//! file reads one thing. What is not found stays open, what contradicts is
//! said, and each value carries the line it was read from.

mod actions;
mod cause;
mod clock;
mod component;
mod contradictions;
mod dates;
mod decode;
mod detection;
mod draft;
mod failure;
mod impact;
mod page;
mod page_lines;
mod resolution;
mod spans;
mod suspected;
mod timeline;
mod times;
mod title;
mod to_cause;
mod weigh;
mod words;
mod zones;

use super::components::Components;
use super::defect::CatalogueError;
use super::vocabulary::Cause;
use page::Page;
use words::Words;

pub use draft::{Draft, Value};

/// The most bytes of one text.
pub const MAX_TEXT_BYTES: usize = 1024 * 1024;

/// Why a text was not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// It is larger than is read.
    #[error("it has {bytes} bytes, and at most {limit} are read")]
    TooLarge {
        /// Its size in bytes.
        bytes: usize,
        /// The most that is read, in bytes.
        limit: usize,
    },
    /// There is no text in it.
    #[error("there is no text in it")]
    Empty,
    /// A table that comes with the program is broken, which a test rules out.
    #[error(transparent)]
    Tables(#[from] CatalogueError),
}

/// Reads a postmortem and drafts its record. `source` is named as the place
/// where it is told.
///
/// # Errors
/// When the text is too large or empty.
pub fn import(source: &str, bytes: &[u8], components: &Components) -> Result<Draft, ImportError> {
    if bytes.len() > MAX_TEXT_BYTES {
        return Err(ImportError::TooLarge {
            bytes: bytes.len(),
            limit: MAX_TEXT_BYTES,
        });
    }
    let words = Words::built_in()?;
    let (text, encoding) = decode::decode(bytes);
    if !text.chars().any(char::is_alphanumeric) {
        return Err(ImportError::Empty);
    }
    let page = Page::read(&text, &words);
    let mut draft = Draft::new(source);
    draft.remark(encoding.map(str::to_owned));
    let times = times::times(&page, &words);
    let impact = impact::impact(&page);
    when(&mut draft, &page, &words, &times);
    draft.set(
        "impact-percent",
        impact
            .percent
            .map(|(percent, line)| (Value::Percent(percent), line)),
    );
    what(&mut draft, &page, &words, components);
    let mut said = contradictions::contradictions(&page, &times, &words);
    said.extend(impact.contradictions);
    draft.contradict(said);
    for remark in times.remarks.into_iter().chain(impact.remarks) {
        draft.remark(Some(remark));
    }
    Ok(draft)
}

/// What it is called, when it happened, and how long the cause was sought.
fn when(draft: &mut Draft, page: &Page, words: &Words, times: &times::Times) {
    let title = title::title(page);
    let id = title::id(
        title.as_ref().map_or("", |(title, _)| title),
        times.date.map(|(date, _)| date),
    );
    draft.set(
        "id",
        title.as_ref().map(|(_, line)| (Value::Text(id), *line)),
    );
    draft.set(
        "title",
        title.map(|(title, line)| (Value::Text(title), line)),
    );
    draft.set(
        "date",
        times.date.map(|(date, line)| (Value::Date(date), line)),
    );
    draft.set(
        "started",
        times.started.map(|(at, line)| (Value::Moment(at), line)),
    );
    draft.set(
        "ended",
        times.ended.map(|(at, line)| (Value::Moment(at), line)),
    );
    draft.set(
        "duration-minutes",
        times
            .duration
            .map(|(minutes, line)| (Value::Number(minutes), line)),
    );
    draft.set(
        "minutes-to-cause",
        to_cause::minutes_to_cause(times, words)
            .map(|(minutes, line)| (Value::Number(minutes), line)),
    );
}

/// What failed, why, what ended it, and what followed.
fn what(draft: &mut Draft, page: &Page, words: &Words, components: &Components) {
    let failure = failure::failure(page, words);
    draft.set(
        "failure",
        failure.map(|(word, line)| (Value::Word(word.as_str().to_owned()), line)),
    );
    draft.set(
        "component",
        component::component(page, words, components).map(|(word, line)| (Value::Word(word), line)),
    );
    let cause = cause::cause(page, words);
    let elsewhere = matches!(
        cause,
        Some((Cause::ThirdPartyUpdate | Cause::ThirdPartyFault, _))
    );
    draft.set(
        "cause",
        cause.map(|(word, line)| (Value::Word(word.as_str().to_owned()), line)),
    );
    draft.list(
        "resolution",
        resolution::resolution(page, words)
            .into_iter()
            .map(|(word, line)| (word.as_str().to_owned(), line))
            .collect(),
    );
    draft.set(
        "detection",
        detection::detection(page, words)
            .map(|(word, line)| (Value::Word(word.as_str().to_owned()), line)),
    );
    draft.list(
        "suspected",
        suspected::suspected(page, words, failure.map(|(failure, _)| failure), elsewhere),
    );
    draft.list("actions", actions::actions(page));
}
