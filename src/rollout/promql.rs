//! Label selectors and queries, with everything from outside quoted.

use std::collections::BTreeMap;
use std::time::Duration;

/// What stands for the label selector in a query.
pub(super) const SELECTOR: &str = "$selector";
/// What stands for the window of a rate.
pub(super) const WINDOW: &str = "$window";

/// How a value begins that is no plain text.
const OPERATORS: [&str; 3] = ["=~", "!~", "!="];

/// Whether this can be the name of a label.
pub(super) fn is_label(name: &str) -> bool {
    let mut chars = name.chars();
    chars
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The text as a string of PromQL.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let mut buffer = [0; 4];
                for byte in c.encode_utf8(&mut buffer).bytes() {
                    out.push_str(&format_args!("\\x{byte:02x}").to_string());
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Whether a value of a label is matched otherwise than as it is.
pub(super) fn is_pattern(value: &str) -> bool {
    OPERATORS.iter().any(|operator| value.starts_with(operator))
}

/// The inside of `{…}`: each label with its value. A value that begins with `=~`,
/// `!~` or `!=` is matched so; names have been checked.
pub(super) fn selector(labels: &BTreeMap<String, String>) -> String {
    labels
        .iter()
        .map(|(name, value)| {
            let (operator, value) = OPERATORS
                .into_iter()
                .find_map(|operator| Some((operator, value.strip_prefix(operator)?)))
                .unwrap_or(("=", value));
            format!("{name}{operator}{}", quoted(value))
        })
        .collect::<Vec<_>>()
        .join(",")
}

/// A duration as PromQL writes it.
pub(super) fn span(time: Duration) -> String {
    let millis = time.as_millis().max(1);
    if millis.is_multiple_of(1_000) {
        format!("{}s", millis / 1_000)
    } else {
        format!("{millis}ms")
    }
}

/// The query for one side.
pub(super) fn query(template: &str, selector: &str, window: Duration) -> String {
    // What is put in is never looked at again: a value may hold `$window`.
    let mut out = String::new();
    let mut rest = template;
    while let Some(at) = rest.find('$') {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        if let Some(left) = after.strip_prefix(SELECTOR) {
            out.push_str(selector);
            rest = left;
        } else if let Some(left) = after.strip_prefix(WINDOW) {
            out.push_str(&span(window));
            rest = left;
        } else {
            out.push('$');
            rest = after.get(1..).unwrap_or_default();
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn a_value_cannot_leave_its_quotes() {
        let hostile = labels(&[("app", "a\"} or vector(1) #\\\n\u{7}")]);
        assert_eq!(selector(&hostile), r#"app="a\"} or vector(1) #\\\n\x07""#);
    }

    #[test]
    fn values_are_matched_as_they_say() {
        let found = selector(&labels(&[
            ("a", "x"),
            ("b", "=~x-.*"),
            ("c", "!=y"),
            ("d", "!~z"),
        ]));
        assert_eq!(found, r#"a="x",b=~"x-.*",c!="y",d!~"z""#);
    }

    #[test]
    fn what_is_put_into_a_query_is_not_looked_at_again() {
        let found = query(
            "rate(x{$selector}[$window]) + $other",
            "a=\"$window\"",
            Duration::from_secs(60),
        );
        assert_eq!(found, "rate(x{a=\"$window\"}[60s]) + $other");
        assert_eq!(span(Duration::from_millis(1500)), "1500ms");
    }

    #[test]
    fn names_of_labels_are_checked() {
        assert!(is_label("pod") && is_label("_a1"));
        for wrong in ["", "1a", "a-b", "a\"", "ä"] {
            assert!(!is_label(wrong), "{wrong}");
        }
    }
}
