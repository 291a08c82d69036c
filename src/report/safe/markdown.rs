//! Markdown as GitHub and GitLab read it (CommonMark with their extensions).

use std::fmt::Write as _;

use super::visible;

/// Text that is shown as it is: no markup, HTML, link, mention, reference to an
/// issue, table cell or formula comes of it. Fits into a table cell.
pub(in crate::report) fn text(text: &str) -> String {
    piece(text, None)
}

/// Text that stands behind a character, or at the beginning.
fn piece(text: &str, mut before: Option<char>) -> String {
    let text = visible(text);
    let mut out = String::with_capacity(text.len() + 16);
    // A list item could begin with a number, a dash or a plus.
    let mut leading_digits = before.is_none();
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            // Structure is never made of character references (CommonMark 2.5).
            '&' | '<' | '|' | '$' | '~' => {
                let _ = write!(out, "&#{};", u32::from(character));
            }
            '-' | '+' | '=' | '>' if before.is_none() => {
                let _ = write!(out, "&#{};", u32::from(character));
            }
            '.' | ')'
                if leading_digits
                    && before.is_some()
                    && rest.peek().is_none_or(|next| *next == ' ') =>
            {
                let _ = write!(out, "&#{};", u32::from(character));
            }
            '\\' | '`' | '*' | '_' | '[' | ']' => {
                out.push('\\');
                out.push(character);
            }
            // A space without width keeps `@name`, `#1`, `GH-1`, `http://` and
            // `www.` from being recognised, in whatever order that is done.
            '@' => out.push_str("@&#8203;"),
            '#' => out.push_str("\\#&#8203;"),
            ':' if rest.peek().is_some_and(|next| *next != ' ') => out.push_str(":&#8203;"),
            '.' if before == Some('w') || before == Some('W') => out.push_str("&#8203;."),
            '-' if matches!(before, Some('H' | 'h'))
                && rest.peek().is_some_and(char::is_ascii_digit) =>
            {
                out.push_str("-&#8203;");
            }
            _ => out.push(character),
        }
        leading_digits &= character.is_ascii_digit();
        before = Some(character);
    }
    out
}

/// Text in a line that begins with a tag: there is no Markdown in it, so that
/// nothing is undone by a backslash. What makes mentions, references and links is
/// kept apart as in [`text`].
pub(in crate::report) fn in_html(text: &str) -> String {
    let text = visible(text);
    let mut out = String::with_capacity(text.len() + 16);
    let mut before = None;
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '&' | '<' | '>' | '$' | '`' | '~' => {
                let _ = write!(out, "&#{};", u32::from(character));
            }
            '@' => out.push_str("@&#8203;"),
            '#' => out.push_str("#&#8203;"),
            ':' if rest.peek().is_some_and(|next| *next != ' ') => out.push_str(":&#8203;"),
            '.' if matches!(before, Some('w' | 'W')) => out.push_str("&#8203;."),
            '-' if matches!(before, Some('H' | 'h'))
                && rest.peek().is_some_and(char::is_ascii_digit) =>
            {
                out.push_str("-&#8203;");
            }
            _ => out.push(character),
        }
        before = Some(character);
    }
    out
}

/// A name or a command, in code. What the mark for code cannot hold is escaped
/// as text.
pub(in crate::report) fn code(name: &str) -> String {
    let padded = name.starts_with(' ') || name.ends_with(' ');
    if !name.is_empty() && is_plain(name) && !padded {
        format!("`{name}`")
    } else {
        format!("<code>{}</code>", text(name))
    }
}

/// Whether text can stand between marks for code, and can be copied from there.
fn is_plain(text: &str) -> bool {
    let mut before = None;
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        let next = rest.peek().copied();
        let plain = match character {
            '-' | '_' | '.' | '+' | '/' | ' ' | '^' | '=' | ',' | '(' | ')' => true,
            // Of a version, and of a path of items; not of a mention or an address.
            '@' => next.is_some_and(|next| next.is_ascii_digit()),
            ':' => (next == Some(':')) != (before == Some(':')),
            _ => character.is_ascii_alphanumeric(),
        };
        if !plain {
            return false;
        }
        before = Some(character);
    }
    true
}

/// A sentence in which backticks stand around code.
pub(in crate::report) fn prose(sentence: &str) -> String {
    let pieces: Vec<&str> = sentence.split('`').collect();
    // An odd mark stands for itself.
    if pieces.len().is_multiple_of(2) {
        return text(sentence);
    }
    let mut out = String::with_capacity(sentence.len() + 16);
    for (at, words) in pieces
        .iter()
        .enumerate()
        .filter(|(_, words)| !words.is_empty())
    {
        out.push_str(&if at % 2 == 1 {
            code(words)
        } else {
            piece(words, (at > 0).then_some('`'))
        });
    }
    out
}

/// A sentence, and lines that keep their ends, in one line of source.
pub(in crate::report) fn prose_and_lines(sentence: &str, lines: &[&str]) -> String {
    if lines.is_empty() {
        return prose(sentence);
    }
    let lines: Vec<String> = lines.iter().map(|line| text(line)).collect();
    format!("{}<pre>{}</pre>", prose(sentence), lines.join("&#10;"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mentions_references_and_links_are_kept_apart() {
        assert_eq!(text("by @all, see #12"), "by @&#8203;all, see \\#&#8203;12");
        assert_eq!(text("https://x.example"), "https:&#8203;//x.example");
        assert_eq!(text("www.x.example"), "www&#8203;.x.example");
        assert_eq!(text("GH-1"), "GH-&#8203;1");
        assert_eq!(text("Mach-O"), "Mach-O");
    }

    #[test]
    fn a_line_of_html_has_no_backslashes() {
        assert_eq!(in_html("a_b *c* [d] <e>"), "a_b *c* [d] &#60;e&#62;");
        assert_eq!(
            in_html("@all #1 www.x"),
            "@&#8203;all #&#8203;1 www&#8203;.x"
        );
    }

    #[test]
    fn nothing_begins_a_list_a_heading_or_a_cell() {
        assert_eq!(text("- a"), "&#45; a");
        assert_eq!(text("12. a 1.0"), "12&#46; a 1.0");
        assert_eq!(text("# a|b"), "\\#&#8203; a&#124;b");
    }

    #[test]
    fn a_plain_name_is_readable_as_it_is_written() {
        assert_eq!(code("serde_json"), "`serde_json`");
        assert_eq!(code("a`b"), "<code>a\\`b</code>");
        assert_eq!(code("a@b"), "<code>a@&#8203;b</code>");
        assert_eq!(code("https://a"), "<code>https:&#8203;//a</code>");
    }

    #[test]
    fn a_command_in_a_sentence_can_be_copied() {
        assert_eq!(
            prose("go back with `cargo update -p a_b@1.0.2 --precise 1.0.1`"),
            "go back with `cargo update -p a_b@1.0.2 --precise 1.0.1`"
        );
        assert_eq!(prose("`a::b` needs `c ^0.1`"), "`a::b` needs `c ^0.1`");
        assert_eq!(prose("`a`-only"), "`a`-only");
        assert_eq!(prose("odd ` mark_s"), "odd \\` mark\\_s");
        assert_eq!(
            prose("`@all` `<b>`"),
            "<code>@&#8203;all</code> <code>&#60;b></code>"
        );
    }
}
