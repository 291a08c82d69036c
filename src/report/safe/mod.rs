//! Text from outside, made harmless for the place where it is shown. Each
//! format has one file here, and no other place escapes for it. Templates of
//! the HTML page escape by themselves what passed [`visible`].

mod github;
mod markdown;
mod sarif;
mod shell;

use std::borrow::Cow;

pub(super) use github::{data as github_data, property as github_property};
pub(super) use markdown::{
    code as markdown_code, in_html as markdown_html, prose as markdown_prose,
    prose_and_lines as markdown_lines, text as markdown,
};
pub(super) use sarif::{message as sarif_message, uri as sarif_uri};
pub(super) use shell::is_plain_word;

/// Makes text harmless for a terminal: control characters, and characters that
/// change the direction of text or take no space, are shown as `\u{…}`.
#[must_use]
pub fn terminal(text: &str) -> Cow<'_, str> {
    visible(text)
}

/// Shows control characters, and characters that change the direction of text
/// or take no space, as `\u{…}`. The result is one line.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_deceptive) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if is_deceptive(character) {
            out.extend(character.escape_unicode());
        } else {
            out.push(character);
        }
    }
    Cow::Owned(out)
}

/// At most this many characters; a cut text ends in `…`.
pub(super) fn clip(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        None => Cow::Borrowed(text),
        Some(_) => {
            let mut cut: String = text.chars().take(most.saturating_sub(1)).collect();
            cut.truncate(cut.trim_end().len());
            cut.push('…');
            Cow::Owned(cut)
        }
    }
}

/// Whether a character does something else than show itself: C0 and C1
/// controls, and the format characters that Unicode's report on source code
/// lists (<https://www.unicode.org/reports/tr55/>), line separators among them.
fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{00AD}' | '\u{061C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}' | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}'
            | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_and_bidi_overrides_become_visible() {
        assert_eq!(terminal("a\u{1b}[31mb"), "a\\u{1b}[31mb");
        assert_eq!(terminal("x\u{202e}y\nz"), "x\\u{202e}y\\u{a}z");
        assert_eq!(terminal("c\u{9b}2J"), "c\\u{9b}2J");
    }

    #[test]
    fn ordinary_text_is_left_alone() {
        assert!(matches!(terminal("Größe 漢字 → ok"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(clip("Größe", 5), "Größe");
        assert_eq!(clip("Größen", 5), "Größ…");
        assert_eq!(clip("ab cd", 4), "ab…");
    }
}
