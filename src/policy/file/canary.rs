//! The table `[canary]`: what evidence must be like to count.

use std::ops::Range;
use std::time::Duration;

use toml::de::DeTable;

use super::super::validated::EvidenceKind;
use super::values::{Reader, shown};
use super::{At, Layer, RawAcceptance};

/// How many `[[canary.accept]]` one file may have.
const MOST_ACCEPTANCES: usize = 100;
const CANARY: [&str; 5] = ["min-duration", "max-age", "signers", "location", "accept"];
const ACCEPT: [&str; 5] = ["evidence", "rules", "signers", "min-duration", "max-age"];
/// Durations that nobody can wait for overflow later sums.
const LONGEST_DAYS: u64 = 3_650;

impl Layer {
    pub(super) fn canary(&mut self, reader: &mut Reader, canary: &DeTable<'_>) {
        let title = "[canary]";
        reader.known(title, canary, &CANARY);
        self.signers = reader.text(title, "signers", canary).map(|at| at.value);
        self.location = reader.text(title, "location", canary).and_then(|location| {
            let is_address = ["https://", "http://"].iter().any(|scheme| {
                let rest = location.value.strip_prefix(scheme);
                rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace))
            });
            if !is_address {
                let label = "`location` must be an address that begins with `https://` or `http://`; records of a directory are named with `--evidence DIR`";
                reader.problem(location.span, title, label);
            }
            is_address.then_some(location.value)
        });
        self.min_duration = duration(reader, title, "min-duration", canary);
        self.max_age = duration(reader, title, "max-age", canary);
        for (table, place) in reader.tables("accept", canary, MOST_ACCEPTANCES) {
            self.acceptances.extend(acceptance(reader, table, &place));
        }
    }
}

fn acceptance(
    reader: &mut Reader,
    table: &DeTable<'_>,
    place: &Range<usize>,
) -> Option<RawAcceptance> {
    let title = "[[canary.accept]]";
    reader.known(title, table, &ACCEPT);
    if !table.contains_key("evidence") {
        reader.missing(title, "evidence", place);
        return None;
    }
    let mut kinds = Vec::new();
    for word in reader.texts(title, "evidence", table)? {
        match EvidenceKind::ALL
            .into_iter()
            .find(|kind| kind.as_str() == word.value)
        {
            Some(kind) => kinds.push(kind),
            None => {
                let all = EvidenceKind::ALL.map(EvidenceKind::as_str).join(", ");
                let label = format!(
                    "there is no evidence `{}`; it is one of {all}",
                    shown(&word.value)
                );
                reader.problem(word.span, title, label);
            }
        }
    }
    let texts = |list: Option<Vec<At<String>>>| {
        list.map(|list| list.into_iter().map(|at| at.value).collect())
    };
    Some(RawAcceptance {
        kinds,
        rules: reader.texts(title, "rules", table),
        signers: texts(reader.texts(title, "signers", table)),
        min_duration: duration(reader, title, "min-duration", table),
        max_age: duration(reader, title, "max-age", table),
    })
}

/// A number with a unit: `90s`, `30m`, `4h`, `2d`.
fn duration(reader: &mut Reader, title: &str, key: &str, table: &DeTable<'_>) -> Option<Duration> {
    let text = reader.text(title, key, table)?;
    let seconds = text
        .value
        .char_indices()
        .next_back()
        .and_then(|(at, unit)| Some((text.value.get(..at)?, unit)))
        .and_then(|(number, unit)| {
            let number: u32 = number.trim_end().parse().ok()?;
            let seconds = match unit {
                's' => 1,
                'm' => 60,
                'h' => 3_600,
                'd' => 86_400,
                _ => return None,
            };
            Some(u64::from(number) * seconds)
        });
    let Some(seconds) = seconds else {
        let label = format!(
            "`{key}` must be a number with a unit, such as \"90s\", \"30m\", \"4h\" or \"2d\""
        );
        reader.problem(text.span, title, label);
        return None;
    };
    if seconds > LONGEST_DAYS * 86_400 {
        let label = format!("`{key}` must be at most {LONGEST_DAYS} days");
        reader.problem(text.span, title, label);
        return None;
    }
    Some(Duration::from_secs(seconds))
}
