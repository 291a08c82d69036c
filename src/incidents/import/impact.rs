//! How many of 100 users felt it.

use super::page::{Page, Section};
use super::words::find;
use crate::incidents::record::Percent;

/// What is read of the impact.
#[derive(Debug, Default)]
pub(super) struct Impact {
    pub(super) percent: Option<(Percent, u32)>,
    pub(super) contradictions: Vec<String>,
    pub(super) remarks: Vec<String>,
}

/// Who can feel it.
const WHO: &[&str] = &[
    "user",
    "customer",
    "request",
    "traffic",
    "visitor",
    "client",
    "session",
    "merchant",
    "subscriber",
    "tenant",
    "download",
    "account",
    "member",
    "player",
    "patient",
    "shop",
    "order",
    "api call",
    "search",
    "call",
    "people",
    "pageview",
    "transaction",
    "payment",
    "organization",
    "organisation",
    "workspace",
];
/// What a percentage is of that is not an impact.
const NOT: &[&str] = &[
    "cpu",
    "memory usage",
    "disk",
    "heap",
    "utilization",
    "utilisation",
    "availability",
    "sla",
    "slo",
    "error budget",
    "of ram",
    "capacity",
    "of memory",
    "warning at",
    "threshold",
    "coverage",
    "packet loss",
    "success rate",
    "load average",
    "memory at",
];

/// Reads the impact.
pub(super) fn impact(page: &Page) -> Impact {
    let mut out = Impact::default();
    let mut best: Option<(u8, bool)> = None;
    let mut affected: Vec<(Percent, u32)> = Vec::new();
    for sentence in page.told() {
        let rank = match sentence.section {
            Section::Impact => 0,
            Section::Summary => 1,
            Section::Title | Section::Duration => 2,
            Section::Cause | Section::Other | Section::Detection => 3,
            Section::Front
            | Section::Start
            | Section::End
            | Section::Date
            | Section::Trigger
            | Section::Timeline
            | Section::Resolution
            | Section::Suspected
            | Section::Actions
            | Section::Lessons => continue,
        };
        let lower = &sentence.lower;
        if !WHO.iter().any(|who| find(lower, who).is_some())
            || NOT.iter().any(|not| lower.contains(not)) && rank > 0
        {
            continue;
        }
        // Words such as "all requests" are an impact only where it is told.
        let found = figure(lower).or_else(|| {
            in_words(lower)
                .filter(|_| rank <= 2)
                .map(|percent| (percent, false))
        });
        let Some((percent, exact)) = found else {
            continue;
        };
        if rank <= 1 && lower.contains("affect") && !lower.contains("fully") {
            affected.push((percent, sentence.line));
        }
        // A figure says more than words such as "all users".
        let weight = (rank, figure(lower).is_none());
        if best.is_none_or(|other| weight < other) {
            best = Some(weight);
            out.percent = Some((percent, sentence.line));
            out.remarks.clear();
            if !exact {
                out.remarks.push(format!("line {}: the impact is told as a bound or in words, and read as {percent} percent", sentence.line));
            }
        }
    }
    if let Some((first, line)) = affected.first()
        && let Some((other, at)) = affected
            .iter()
            .find(|(other, at)| other != first && at != line)
    {
        out.contradictions.push(format!(
            "the impact is {first} percent in line {line}, and {other} percent in line {at}"
        ));
    }
    out
}

/// The first percentage of a sentence, and whether it is told as it is:
/// `60 %`, `1.2 percent`, `less than 1 %`.
fn figure(lower: &str) -> Option<(Percent, bool)> {
    for (at, mark) in ["%", "percent", "per cent"]
        .iter()
        .flat_map(|mark| lower.match_indices(mark))
    {
        let before = lower.get(..at)?.trim_end_matches([' ', '-']);
        let digits: String = before
            .chars()
            .rev()
            .take_while(|letter| letter.is_ascii_digit() || *letter == '.' || *letter == ',')
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect();
        let value = digits.trim_matches(['.', ',']).replace(',', ".");
        let Some(tenths) = tenths(&value) else {
            continue;
        };
        let lead = before
            .get(..before.len() - digits.len())
            .unwrap_or_default();
        let bound = [
            "less than",
            "more than",
            "up to",
            "under",
            "over",
            "at least",
            "at most",
            "<",
            ">",
            "fewer than",
            "below",
        ]
        .iter()
        .any(|word| lead.trim_end().ends_with(word));
        debug_assert!(!mark.is_empty(), "marks have letters");
        return Some((Percent { tenths }, !bound));
    }
    None
}

/// Tenths of a percentage, at most 100.
fn tenths(value: &str) -> Option<u16> {
    let (whole, part) = value.split_once('.').unwrap_or((value, "0"));
    let whole: u16 = whole.parse().ok()?;
    let first = part
        .chars()
        .next()
        .and_then(|digit| digit.to_digit(10))
        .and_then(|digit| u16::try_from(digit).ok())?;
    let tenths = whole.checked_mul(10)?.checked_add(first)?;
    (tenths <= 1000).then_some(tenths)
}

/// `half of all users`, `one in five merchants`, `every customer`.
fn in_words(lower: &str) -> Option<Percent> {
    const PARTS: &[(&str, u8)] = &[
        ("three quarters of", 75),
        ("two thirds of", 67),
        ("a third of", 33),
        ("one third of", 33),
        ("a quarter of", 25),
        ("one quarter of", 25),
        ("half of", 50),
        ("half the", 50),
        ("half our", 50),
        ("a fifth of", 20),
        ("a tenth of", 10),
        ("one in two", 50),
        ("one in three", 33),
        ("one in four", 25),
        ("one in five", 20),
        ("one in ten", 10),
        ("two in three", 67),
        ("1 in 2 ", 50),
        ("1 in 3 ", 33),
        ("1 in 4 ", 25),
        ("1 in 5 ", 20),
        ("1 in 10 ", 10),
        ("nine in ten", 90),
        ("all users", 100),
        ("all of our users", 100),
        ("all our users", 100),
        ("all customers", 100),
        ("all of our customers", 100),
        ("all our customers", 100),
        ("every user", 100),
        ("every customer", 100),
        ("all requests", 100),
        ("every request", 100),
        ("all traffic", 100),
        ("all visitors", 100),
        ("all api requests", 100),
        ("all clients", 100),
        ("all sessions", 100),
    ];
    // `a quarter of an hour` is a time.
    PARTS
        .iter()
        .find(|(words, _)| {
            find(lower, words).is_some_and(|at| {
                !lower.get(at + words.len()..).is_some_and(|after| {
                    after.trim_start().starts_with("an hour")
                        || after.trim_start().starts_with("a day")
                })
            })
        })
        .map(|(_, percent)| Percent::whole(*percent))
        .or_else(|| {
            // `all crate downloads`, `all attempted logins`
            let at = find(lower, "all.")?;
            let next: Vec<&str> = lower.get(at + 3..)?.split_whitespace().take(2).collect();
            let [_, second] = next.as_slice() else {
                return None;
            };
            WHO.iter()
                .any(|who| second.starts_with(who))
                .then(|| Percent::whole(100))
        })
}
