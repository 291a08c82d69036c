//! The text format in which programs tell their counters, version 0.0.4
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>), and what
//! OpenMetrics 1.0 writes differently. As strict as Prometheus itself: one line that
//! is none, and nothing of the text is used. Pure.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::CharIndices;

/// The most series of one text.
const MOST_SERIES: usize = 50_000;
/// The most labels of one series.
const MOST_LABELS: usize = 64;

/// Why a text tells nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub(super) struct ExpositionError {
    /// Where, counted from 1.
    pub(super) line: usize,
    /// What is wrong.
    pub(super) what: &'static str,
}

/// What a metric is said to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It goes up and down.
    Gauge,
    /// It only goes up.
    Counter,
    /// Part of a histogram or a summary, or of a kind that is not known here.
    Other,
    /// Nothing is said.
    Untyped,
}

/// One series.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Series<'t> {
    pub(super) name: &'t str,
    /// In the order of the text.
    pub(super) labels: Labels<'t>,
    pub(super) value: f64,
}

type Labels<'t> = Vec<(&'t str, Cow<'t, str>)>;

/// A text that was read.
#[derive(Clone, Debug, PartialEq, Default)]
pub(super) struct Exposition<'t> {
    kinds: BTreeMap<&'t str, Kind>,
    /// All series, in the order of the text.
    pub(super) series: Vec<Series<'t>>,
}

impl Exposition<'_> {
    /// What a series of this name is said to be. In OpenMetrics a counter `x` has
    /// series `x_total`, and in both a histogram `x` has `x_bucket` and others.
    pub(super) fn kind(&self, name: &str) -> Kind {
        let of = |name: &str| self.kinds.get(name).copied();
        if let Some(kind) = of(name) {
            return kind;
        }
        for suffix in ["_total", "_created", "_bucket", "_count", "_sum", "_info"] {
            match name.strip_suffix(suffix).and_then(of) {
                Some(Kind::Counter) if suffix == "_total" => return Kind::Counter,
                Some(Kind::Other) => return Kind::Other,
                Some(_) | None => {}
            }
        }
        Kind::Untyped
    }
}

/// Reads a text.
pub(super) fn read(text: &str) -> Result<Exposition<'_>, ExpositionError> {
    let mut read = Exposition::default();
    for (line, text) in (1..).zip(text.split('\n')) {
        let text = text.trim_matches([' ', '\t', '\r']);
        let wrong = |what| ExpositionError { line, what };
        if text.is_empty() {
            continue;
        }
        if let Some(comment) = text.strip_prefix('#') {
            if let Some((name, kind)) = kind_line(comment).map_err(wrong)? {
                // The first one holds, as in Prometheus.
                read.kinds.entry(name).or_insert(kind);
            }
            continue;
        }
        if read.series.len() == MOST_SERIES {
            return Err(wrong("there are more than 50,000 series"));
        }
        read.series.push(series(text).map_err(wrong)?);
    }
    Ok(read)
}

/// The name and the kind of a line `# TYPE NAME KIND`; `None` for any other comment.
fn kind_line(comment: &str) -> Result<Option<(&str, Kind)>, &'static str> {
    let mut words = comment.split_ascii_whitespace();
    if words.next() != Some("TYPE") {
        return Ok(None);
    }
    let (Some(name), Some(kind), None) = (words.next(), words.next(), words.next()) else {
        return Err("a `# TYPE` is followed by a name and a kind");
    };
    if !is_name(name) {
        return Err("a name is letters, digits, `_` and `:`, and begins with no digit");
    }
    let kind = match kind {
        "gauge" => Kind::Gauge,
        "counter" => Kind::Counter,
        "untyped" | "unknown" => Kind::Untyped,
        _ => Kind::Other,
    };
    Ok(Some((name, kind)))
}

/// A name of a metric: `[a-zA-Z_:][a-zA-Z0-9_:]*`.
pub(super) fn is_name(text: &str) -> bool {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_' || c == ':';
    text.chars().next().is_some_and(first) && text.chars().all(|c| first(c) || c.is_ascii_digit())
}

fn series(text: &str) -> Result<Series<'_>, &'static str> {
    let (name, labels, rest) = selector(text)?;
    // What follows ` # ` is an example of OpenMetrics.
    let rest = rest.split_once(" # ").map_or(rest, |(before, _)| before);
    let mut words = rest.split_ascii_whitespace();
    let value = words.next().ok_or("there is no value")?;
    let value: f64 = value.parse().map_err(|_| "the value is no number")?;
    if let Some(time) = words.next() {
        time.parse::<f64>()
            .map_err(|_| "the time after the value is no number")?;
    }
    if words.next().is_some() {
        return Err("there is something after the value and its time");
    }
    Ok(Series {
        name,
        labels,
        value,
    })
}

/// Reads a name with its labels, and returns what follows them.
pub(super) fn selector(text: &str) -> Result<(&str, Labels<'_>, &str), &'static str> {
    let end = text
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':')
        .unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if !is_name(name) {
        return Err("a name is letters, digits, `_` and `:`, and begins with no digit");
    }
    match rest.trim_start_matches([' ', '\t']).strip_prefix('{') {
        None if rest.is_empty() || rest.starts_with([' ', '\t']) => Ok((name, Vec::new(), rest)),
        None => Err("a name is letters, digits, `_` and `:`, and begins with no digit"),
        Some(inside) => {
            let (labels, rest) = labels(inside)?;
            Ok((name, labels, rest))
        }
    }
}

/// Reads labels up to the brace that ends them, and returns what follows.
fn labels(text: &str) -> Result<(Labels<'_>, &str), &'static str> {
    const NOT_CLOSED: &str = "the labels have no end";
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t']);
        if let Some(after) = rest.strip_prefix('}') {
            return Ok((found, after));
        }
        if found.len() == MOST_LABELS {
            return Err("there are more than 64 labels");
        }
        let (name, after) = rest.split_once('=').ok_or(NOT_CLOSED)?;
        let name = name.trim_end_matches([' ', '\t']);
        if !is_name(name) || name.contains(':') {
            return Err("a label's name is letters, digits and `_`, and begins with no digit");
        }
        let quoted = after
            .trim_start_matches([' ', '\t'])
            .strip_prefix('"')
            .ok_or("a label's value stands in double quotes")?;
        let (value, after) = quoted_value(quoted)?;
        found.push((name, value));
        rest = after.trim_start_matches([' ', '\t']);
        match rest.strip_prefix(',') {
            Some(after) => rest = after,
            None if rest.starts_with('}') => {}
            None if rest.is_empty() => return Err(NOT_CLOSED),
            None => return Err("between labels there is a comma"),
        }
    }
}

/// Reads a value up to the quote that ends it, and returns what follows.
fn quoted_value(text: &str) -> Result<(Cow<'_, str>, &str), &'static str> {
    let end_of = |at: usize| (text.get(..at), text.get(at + 1..));
    let mut chars = text.char_indices().peekable();
    let mut owned: Option<String> = None;
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => {
                let (Some(plain), Some(after)) = end_of(at) else {
                    break;
                };
                return Ok((owned.map_or(Cow::Borrowed(plain), Cow::Owned), after));
            }
            '\\' => {
                let mut text = owned.take().unwrap_or_else(|| plain_until(text, at));
                text.push(escaped(&mut chars)?);
                owned = Some(text);
            }
            c => {
                if let Some(text) = &mut owned {
                    text.push(c);
                }
            }
        }
    }
    Err("a label's value has no end")
}

fn plain_until(text: &str, at: usize) -> String {
    text.get(..at).unwrap_or_default().to_owned()
}

fn escaped(chars: &mut Peekable<CharIndices<'_>>) -> Result<char, &'static str> {
    match chars.next() {
        Some((_, 'n')) => Ok('\n'),
        Some((_, c @ ('"' | '\\'))) => Ok(c),
        Some(_) | None => Err("after a backslash comes `n`, a quote or a backslash"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the description of the format, and lines of OpenMetrics.
    const TEXT: &str = "\
# HELP http_requests_total The total number of HTTP requests.
# TYPE http_requests_total counter
http_requests_total{method=\"post\",code=\"200\"} 1027 1395066363000
http_requests_total{method=\"post\",code=\"400\",}    3 1395066363000

# Escaping in label values:
msdos_file_access_time_seconds{path=\"C:\\\\DIR\\\\FILE.TXT\",error=\"Cannot find file:\\n\\\"FILE.TXT\\\"\"} 1.458255915e9

# Minimalistic line:
metric_without_timestamp_and_labels 12.47
something_weird{problem=\"division by zero\"} +Inf -3982045
# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{le=\"0.05\"} 24054
http_request_duration_seconds_sum 53423
http_request_duration_seconds_count 144320
# TYPE in_use gauge
in_use NaN
# TYPE jobs counter
jobs_total 5 # {trace_id=\"a\"} 1.0 1.5
# EOF
";

    #[test]
    fn the_example_of_the_description_is_read() {
        let read = read(TEXT).unwrap();
        assert_eq!(read.series.len(), 10);
        assert_eq!(read.series[0].labels[1], ("code", Cow::Borrowed("200")));
        assert_eq!(read.series[1].value, 3.0);
        assert_eq!(read.series[2].labels[0].1, "C:\\DIR\\FILE.TXT");
        assert_eq!(
            read.series[2].labels[1].1,
            "Cannot find file:\n\"FILE.TXT\""
        );
        assert_eq!(read.series[4].value, f64::INFINITY);
        assert!(read.series[8].value.is_nan());
        assert_eq!(read.series[9].value, 5.0);
        let kinds = |names: &[&str]| names.iter().map(|n| read.kind(n)).collect::<Vec<_>>();
        assert_eq!(
            kinds(&["http_requests_total", "jobs_total", "in_use"]),
            [Kind::Counter, Kind::Counter, Kind::Gauge]
        );
        let parts = ["http_request_duration_seconds_sum", "metric_without"];
        assert_eq!(kinds(&parts), [Kind::Other, Kind::Untyped]);
    }

    #[test]
    fn a_line_that_is_none_is_told_with_its_number() {
        for (text, says) in [
            ("a 1\n1b 2\n", "line 2: a name is"),
            ("a-b 2", "line 1: a name is"),
            ("\u{1b}[31m 2", "line 1: a name is"),
            ("a", "line 1: there is no value"),
            ("a b", "line 1: the value is no number"),
            ("a 1 b", "line 1: the time after"),
            ("a 1 2 3", "line 1: there is something after"),
            ("a{b=\"c\" 1", "line 1: between labels"),
            ("a{b=\"c\"", "line 1: the labels have no end"),
            ("a{b", "line 1: the labels have no end"),
            ("a{b=\"c", "line 1: a label's value has no end"),
            ("a{b=\"c\\", "line 1: after a backslash"),
            ("a{b=\"\\t\"} 1", "line 1: after a backslash"),
            ("a{b=c} 1", "line 1: a label's value stands"),
            ("a{b:c=\"\"} 1", "line 1: a label's name"),
            ("# TYPE a", "line 1: a `# TYPE`"),
            ("# TYPE \u{7} gauge", "line 1: a name is"),
            ("<html>", "line 1: a name is"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.starts_with(says), "{text:?}: {error}");
        }
        let many = "a 1\n".repeat(MOST_SERIES + 1);
        assert_eq!(read(&many).unwrap_err().line, MOST_SERIES + 1);
        let labels = "l=\"\",".repeat(MOST_LABELS + 1);
        assert!(read(&format!("a{{{labels}}} 1")).is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a-c_{}\"=\\\\, #\n\t0-9.+eNTYP\u{e9}\u{0}]{0,60}") {
            if let Ok(read) = read(&text) {
                proptest::prop_assert!(read.series.iter().all(|series| is_name(series.name)));
            }
        }
    }
}
