//! Durations as people write them, also in words.

/// A duration that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// In minutes.
    pub(super) minutes: u32,
    /// Whether it counts only the hours of work, which are not those of a clock.
    pub(super) working: bool,
    /// Where it stands, in bytes.
    pub(super) start: usize,
    pub(super) end: usize,
}

const SMALL: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 8] = [
    "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
];

/// A word or number, in lower case, and where it stands.
type Piece<'t> = (&'t str, usize, usize);

/// The words and numbers of a text in lower case; a number is apart from the letters after it.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut out = Vec::new();
    let mut start = 0;
    let mut kind = 0;
    for (at, letter) in text.char_indices().chain([(text.len(), ' ')]) {
        let next_digit = text
            .get(at + letter.len_utf8().min(text.len() - at)..)
            .is_some_and(|rest| rest.starts_with(|next: char| next.is_ascii_digit()));
        let this = if letter.is_ascii_digit()
            || (letter == '.' || letter == ',') && kind == 1 && next_digit
        {
            1
        } else if letter.is_alphabetic() {
            2
        } else if letter == '½' || letter == '¼' || letter == '¾' {
            3
        } else {
            0
        };
        if this != kind || this == 3 {
            if kind != 0
                && let Some(piece) = text.get(start..at)
            {
                out.push((piece, start, at));
            }
            start = at;
            kind = this;
        }
    }
    out
}

/// Minutes of a unit.
fn unit(word: &str) -> Option<f64> {
    match word {
        "m" | "min" | "mins" | "minute" | "minutes" => Some(1.0),
        "h" | "hr" | "hrs" | "hour" | "hours" => Some(60.0),
        "d" | "day" | "days" => Some(24.0 * 60.0),
        "s" | "sec" | "secs" | "second" | "seconds" => Some(1.0 / 60.0),
        _ => None,
    }
}

/// The number that begins at a piece, and how many pieces it takes.
fn number(pieces: &[Piece<'_>]) -> Option<(f64, usize)> {
    let (word, ..) = pieces.first()?;
    if word.starts_with(|letter: char| letter.is_ascii_digit()) {
        let value: f64 = word.replace(',', ".").parse().ok()?;
        return match pieces.get(1).map(|(word, ..)| *word) {
            Some("½") => Some((value + 0.5, 2)),
            Some("¼") => Some((value + 0.25, 2)),
            Some("¾") => Some((value + 0.75, 2)),
            _ => Some((value, 1)),
        };
    }
    if let Some(value) = small(word) {
        return Some((value, 1));
    }
    let tens = TENS.iter().position(|ten| ten == word)?;
    let value = f64::from(u8::try_from((tens + 2) * 10).ok()?);
    match pieces
        .get(1)
        .and_then(|(word, ..)| small(word))
        .filter(|one| *one < 10.0)
    {
        Some(one) => Some((value + one, 2)),
        None => Some((value, 1)),
    }
}

fn small(word: &str) -> Option<f64> {
    SMALL
        .iter()
        .position(|name| *name == word)
        .and_then(|at| u8::try_from(at).ok())
        .map(f64::from)
}

/// All durations in a text in lower case, in order.
pub(super) fn spans(lower: &str) -> Vec<Span> {
    let pieces = pieces(lower);
    let mut out = Vec::new();
    let mut at = 0;
    while at < pieces.len() {
        let rest = pieces.get(at..).unwrap_or_default();
        match compound(lower, rest) {
            Some((minutes, working, used)) if minutes > 0.0 && minutes < 10.0 * 366.0 * 1440.0 => {
                let start = rest.first().map_or(0, |(_, start, _)| *start);
                let end = rest.get(used - 1).map_or(start, |(.., end)| *end);
                out.push(Span {
                    minutes: minutes.round() as u32,
                    working,
                    start,
                    end,
                });
                at += used.max(1);
            }
            _ => at += 1,
        }
    }
    out
}

/// Several parts that follow each other: `2 hours and 45 minutes`, `1h 50m`.
fn compound(text: &str, pieces: &[Piece<'_>]) -> Option<(f64, bool, usize)> {
    let (mut total, mut working, mut used, mut last) = single(pieces)?;
    loop {
        let mut next = used;
        if pieces.get(next).is_some_and(|(word, ..)| *word == "and") {
            next += 1;
        }
        let rest = pieces.get(next..).unwrap_or_default();
        // `an hour and a half`, `an hour and a quarter`
        let words: Vec<&str> = rest.iter().take(2).map(|(word, ..)| *word).collect();
        let part = match words.as_slice() {
            ["a", "half"] => Some(0.5),
            ["a", "quarter"] => Some(0.25),
            _ => None,
        };
        if let Some(part) = part.filter(|_| next > used) {
            total += part * last;
            return Some((total, working, next + 2));
        }
        let close =
            pieces
                .get(used - 1)
                .zip(rest.first())
                .is_some_and(|((.., end), (_, start, _))| {
                    text.get(*end..*start).is_some_and(|gap| {
                        gap.len() <= 5 && !gap.contains(['.', ';', '-', '|', '('])
                    })
                });
        match single(rest).filter(|(.., step)| close && *step < last) {
            Some((minutes, also, more, step)) => {
                total += minutes;
                working |= also;
                used = next + more;
                last = step;
            }
            None => return Some((total, working, used)),
        }
    }
}

/// One number with one unit; minutes, whether of work, pieces used, minutes of the unit.
fn single(pieces: &[Piece<'_>]) -> Option<(f64, bool, usize, f64)> {
    let word = |at: usize| pieces.get(at).map(|(word, ..)| *word);
    let ending = |at: usize| {
        let working = matches!(word(at), Some("working" | "business" | "office"));
        let at = at + usize::from(working);
        unit(word(at)?).map(|unit| (unit, working, at + 1))
    };
    // `half an hour`, `a quarter of an hour`, `three quarters of an hour`, `half a working day`
    let (part, after) = match (word(0), word(1), word(2)) {
        (Some("half"), Some("a" | "an"), _) => (Some(0.5), 2),
        (Some("a"), Some("half"), _) => (Some(0.5), 2),
        (Some("a"), Some("quarter"), Some("of")) => (Some(0.25), 4),
        (Some("three"), Some("quarters"), Some("of")) => (Some(0.75), 4),
        _ => (None, 0),
    };
    if let Some(part) = part {
        let (unit, working, used) = ending(after)?;
        return Some((part * day(unit, working), working, used, unit * part));
    }
    let full = word(1).is_some_and(|word| word.len() > 1);
    if let (Some("a" | "an"), true, Some((unit, working, used))) = (word(0), full, ending(1)) {
        return Some((day(unit, working), working, used, unit));
    }
    let (mut value, mut used) = number(pieces)?;
    let words = (word(used), word(used + 1), word(used + 2));
    if let (Some("and"), Some("a"), Some(part @ ("half" | "quarter"))) = words {
        value += if part == "half" { 0.5 } else { 0.25 };
        used += 3;
    }
    let (unit, working, used) = ending(used)?;
    // A letter alone is a unit only directly after a figure.
    let letter = pieces
        .get(used - 1)
        .is_some_and(|(word, ..)| word.len() == 1);
    let figure = word(0).is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    if letter && !figure {
        return None;
    }
    Some((value * day(unit, working), working, used, unit))
}

/// A working day is taken as eight hours.
fn day(unit: f64, working: bool) -> f64 {
    if working && unit > 1000.0 {
        8.0 * 60.0
    } else {
        unit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<u32> {
        spans(text).into_iter().map(|span| span.minutes).collect()
    }

    #[test]
    fn durations_are_read_in_figures_and_in_words() {
        assert_eq!(read("2 hours and 45 minutes"), [165]);
        assert_eq!(read("about 1h50m, and 0h 37m; 2h"), [110, 37, 120]);
        assert_eq!(read("an hour and twenty-five minutes"), [85]);
        assert_eq!(read("two and a half hours"), [150]);
        assert_eq!(read("an hour and a half"), [90]);
        assert_eq!(read("three quarters of an hour"), [45]);
        assert_eq!(read("half an hour"), [30]);
        assert_eq!(read("1.5 hours, 1½ hours"), [90, 90]);
        assert_eq!(read("a 90-minute outage"), [90]);
        assert_eq!(read("13 minutes"), [13]);
    }

    #[test]
    fn hours_of_work_are_marked() {
        let found = spans("three and a half working hours");
        assert_eq!((found[0].minutes, found[0].working), (210, true));
        let found = spans("half a working day");
        assert_eq!((found[0].minutes, found[0].working), (240, true));
    }

    #[test]
    fn what_is_no_duration_is_not_read() {
        assert!(read("several hours, 3 nodes, a d in the text, 14 gb, version 2").is_empty());
    }
}
