//! The release manager's page: one HTML file that asks for nothing from
//! anywhere and works without its script.
//!
//! Text from outside becomes [`Shown`] first, and the templates escape it. The
//! page's policy allows its own style and its own script, by their hashes, and
//! nothing else.

mod card;
mod forest;
mod page;
mod source;
mod time_line;

use std::borrow::Cow;
use std::fmt;

use askama::Template as _;
use sha2::{Digest as _, Sha256};

use crate::audit::Audit;

use super::safe::{clip, visible};
use super::view;

pub(super) use source::said;

pub(super) const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// The page.
pub(super) fn check(audit: &Audit) -> Vec<u8> {
    // Rendering fails only where writing does, and memory takes everything.
    page::Page::of(audit)
        .render()
        .unwrap_or_default()
        .into_bytes()
}

/// Text that shows itself and nothing else. Templates escape its markup.
pub(super) struct Shown(String);

impl Shown {
    /// At most so many characters of a text.
    pub(super) fn of(text: &str, most: usize) -> Self {
        Self(clip(&visible(text), most).into_owned())
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl askama::FastWritable for Shown {
    fn write_into(
        &self,
        dest: &mut dyn fmt::Write,
        _values: &dyn askama::Values,
    ) -> askama::Result<()> {
        Ok(dest.write_str(&self.0)?)
    }
}

/// A sentence or less.
pub(super) fn short(text: &str) -> Shown {
    Shown::of(text, 160)
}

/// A paragraph or less, in which backticks stand around code.
pub(super) struct Prose {
    pub(super) parts: Vec<(bool, Shown)>,
}

impl Prose {
    /// At most so many characters of a text.
    pub(super) fn of(text: &str, most: usize) -> Self {
        let text = Shown::of(text, most).0;
        let pieces: Vec<&str> = text.split('`').collect();
        // An odd mark at the end stands for itself.
        let paired = pieces.len() % 2 == 1;
        if !paired {
            return Prose {
                parts: vec![(false, Shown(text))],
            };
        }
        Prose {
            parts: pieces
                .into_iter()
                .enumerate()
                .filter(|(_, piece)| !piece.is_empty())
                .map(|(at, piece)| (at % 2 == 1, Shown(piece.to_owned())))
                .collect(),
        }
    }

    fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }
}

pub(super) fn long(text: &str) -> Prose {
    Prose::of(text, 1200)
}

/// A sentence, and lines that are there to be copied.
pub(super) struct Step {
    pub(super) sentence: Prose,
    pub(super) lines: Vec<Shown>,
}

pub(super) fn step(text: &str) -> Step {
    let (sentence, lines) = view::sentence_and_lines(text);
    Step {
        sentence: long(sentence),
        lines: lines
            .into_iter()
            .take(40)
            .map(|line| Shown::of(line, 300))
            .collect(),
    }
}

/// What the page may do.
pub(super) fn content_policy(style: &str, script: Option<&str>) -> String {
    let script = match script {
        Some(script) => Cow::Owned(format!("'{}'", hash(script))),
        None => Cow::Borrowed("'none'"),
    };
    format!(
        "default-src 'none'; style-src '{}'; script-src {script}; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'",
        hash(style)
    )
}

/// The hash of an inline style or script, as the standard writes it.
fn hash(text: &str) -> String {
    format!("sha256-{}", base64(&Sha256::digest(text)))
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            if at > chunk.len() {
                out.push('=');
                continue;
            }
            let index = (bits >> (18 - 6 * at)) & 63;
            let letter = ALPHABET.get(index as usize).copied().unwrap_or(b'=');
            out.push(char::from(letter));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        let cases = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (plain, coded) in cases {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn a_hash_is_the_one_that_browsers_expect() {
        // The example of the standard for content security policies, level 3.
        assert_eq!(
            hash("doSomething();"),
            "sha256-RFWPLDbv2BY+rCkDzsE+0fr8ylGr2R2faWMhq4lfEQc="
        );
    }

    #[test]
    fn style_and_script_cannot_end_their_elements() {
        assert!(!STYLE.contains("</") && !SCRIPT.contains("</") && !SCRIPT.contains("<!--"));
    }
}
