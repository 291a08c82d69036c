//! Lines of a given width, wrapped and inked.

use unicode_width::UnicodeWidthStr;

use crate::report::Style;
use crate::report::safe::terminal;

/// What a piece of text is, which decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::report) enum Ink {
    Plain,
    Strong,
    Faint,
    Good,
    Warning,
    Bad,
}

impl Ink {
    fn style(self) -> anstyle::Style {
        use anstyle::AnsiColor as Color;
        let style = anstyle::Style::new();
        match self {
            Self::Plain => style,
            Self::Strong => style.bold(),
            Self::Faint => style.dimmed(),
            Self::Good => style.bold().fg_color(Some(Color::Green.into())),
            Self::Warning => style.bold().fg_color(Some(Color::Yellow.into())),
            Self::Bad => style.bold().fg_color(Some(Color::Red.into())),
        }
    }
}

/// A text under construction.
pub(in crate::report) struct Page {
    out: String,
    style: Style,
}

impl Page {
    pub(in crate::report) fn new(style: Style) -> Self {
        Self {
            out: String::new(),
            style,
        }
    }

    pub(in crate::report) fn finish(self) -> String {
        self.out
    }

    pub(in crate::report) fn width(&self) -> usize {
        self.style.width.max(40)
    }

    pub(in crate::report) fn verbose(&self) -> bool {
        self.style.verbose
    }

    /// An empty text of the same width and inks, to be measured before it is added.
    pub(super) fn part(&self) -> Self {
        Self::new(self.style)
    }

    /// How many lines there are.
    pub(super) fn lines(&self) -> usize {
        self.out.matches('\n').count()
    }

    /// Adds a text that was made apart.
    pub(super) fn add(&mut self, part: Self) {
        self.out.push_str(&part.out);
    }

    /// An empty line, except at the start.
    pub(in crate::report) fn gap(&mut self) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
    }

    /// A heading with an empty line before it.
    pub(in crate::report) fn heading(&mut self, text: &str) {
        self.gap();
        self.line(&[(Ink::Strong, text)]);
    }

    /// One line of inked pieces, not wrapped.
    pub(in crate::report) fn line(&mut self, pieces: &[(Ink, &str)]) {
        for (ink, text) in pieces {
            self.ink(*ink, &terminal(text));
        }
        while self.out.ends_with(' ') {
            self.out.pop();
        }
        self.out.push('\n');
    }

    /// Text wrapped to the width, with one indentation for its first line and
    /// another for the rest.
    pub(in crate::report) fn wrapped(&mut self, ink: Ink, first: &str, rest: &str, text: &str) {
        let text = terminal(text);
        let mut indent = first;
        let mut line = String::new();
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let full = indent.width() + line.width() + 1 + word.width();
            if !line.is_empty() && full > self.width() {
                self.out.push_str(indent);
                self.ink(ink, &line);
                self.out.push('\n');
                indent = rest;
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        if !line.is_empty() {
            self.out.push_str(indent);
            self.ink(ink, &line);
            self.out.push('\n');
        }
    }

    fn ink(&mut self, ink: Ink, text: &str) {
        if self.style.color && ink != Ink::Plain && !text.trim().is_empty() {
            let style = ink.style();
            self.out.push_str(&style.render().to_string());
            self.out.push_str(text);
            self.out.push_str(&style.render_reset().to_string());
        } else {
            self.out.push_str(text);
        }
    }
}

/// Text cut or filled to exactly this many columns; a cut one ends in `…`.
pub(in crate::report) fn column(text: &str, columns: usize) -> String {
    let text = terminal(text);
    let width = text.width();
    if width <= columns {
        return format!("{text}{}", " ".repeat(columns - width));
    }
    let mut out = String::new();
    let mut used = 0;
    for character in text.chars() {
        let wide = unicode_width::UnicodeWidthChar::width(character).unwrap_or(0);
        if used + wide + 1 > columns {
            break;
        }
        used += wide;
        out.push(character);
    }
    out.push('…');
    out.push_str(&" ".repeat(columns.saturating_sub(used + 1)));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_wrapped_at_the_width_and_indented() {
        let mut page = Page::new(Style {
            width: 40,
            ..Style::default()
        });
        page.wrapped(
            Ink::Plain,
            "- ",
            "  ",
            "one two three four five six seven eight nine ten",
        );
        assert_eq!(
            page.finish(),
            "- one two three four five six seven\n  eight nine ten\n"
        );
    }

    #[test]
    fn a_column_has_its_width_whatever_stands_in_it() {
        assert_eq!(column("abc", 5), "abc  ");
        assert_eq!(column("abcdef", 5), "abcd…");
        assert_eq!(column("漢字漢字", 5), "漢字…");
        assert_eq!(column("漢字漢字", 6), "漢字… ");
        assert_eq!(column("a\u{1b}b", 9), "a\\u{1b}b ");
    }

    #[test]
    fn without_colour_there_is_no_escape_sequence() {
        let mut page = Page::new(Style::default());
        page.line(&[(Ink::Bad, "x"), (Ink::Faint, "y")]);
        assert_eq!(page.finish(), "xy\n");
        let mut page = Page::new(Style {
            color: true,
            ..Style::default()
        });
        page.line(&[(Ink::Bad, "x")]);
        assert!(page.finish().starts_with('\u{1b}'));
    }
}
