//! Markdown as GitHub and GitLab read it (CommonMark with their extensions).

use std::fmt::Write as _;

use super::visible;

/// Text that is shown as it is: no markup, HTML, link, mention, reference to an
/// issue, table cell or formula comes of it. Fits into a table cell.
pub(in crate::report) fn text(text: &str) -> String {
    let text = visible(text);
    let mut out = String::with_capacity(text.len() + 16);
    let mut before = None;
    // A list item could begin with a number, a dash or a plus.
    let mut leading_digits = true;
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
            '-' if before == Some('H') || before == Some('h') => out.push_str("-&#8203;"),
            _ => out.push(character),
        }
        leading_digits &= character.is_ascii_digit();
        before = Some(character);
    }
    out
}

/// A name, in code. What the mark for code cannot hold is escaped as text.
pub(in crate::report) fn code(name: &str) -> String {
    let plain = |character: char| {
        character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.' | '+' | '/' | ' ')
    };
    let padded = name.starts_with(' ') || name.ends_with(' ');
    if !name.is_empty() && name.chars().all(plain) && !padded {
        format!("`{name}`")
    } else {
        format!("<code>{}</code>", text(name))
    }
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
        assert_eq!(code("a@1.0"), "<code>a@&#8203;1.0</code>");
    }
}
