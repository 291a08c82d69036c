//! How long it took until the cause was known.

use super::times::{Read, Times};
use super::words::{Words, phrases, says};

/// Minutes from the start, or else from the first event, to the event by which
/// the cause was known.
pub(super) fn minutes_to_cause(times: &Times, words: &Words) -> Option<Read<u32>> {
    let known = |text: &str| {
        says(text, phrases(&words.events, "cause-known"))
            && !says(text, phrases(&words.attempts, "failed"))
            && !says(text, phrases(&words.suspected, "before"))
    };
    let named = times.events.iter().find(|event| {
        let text = &event.text;
        known(text)
            && (text.contains("cause") || text.contains("culprit") || text.contains("reason"))
    });
    let event = named.or_else(|| times.events.iter().find(|event| known(&event.text)))?;
    let start = match times.started {
        Some((at, _)) => at.local,
        None => times.events.iter().find_map(|event| event.at)?,
    };
    let minutes = event.at?.duration_since(start).as_mins();
    u32::try_from(minutes)
        .ok()
        .map(|minutes| (minutes, event.line))
}
