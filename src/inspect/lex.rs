//! A lexer that is fast and cannot fail: every byte sequence has tokens, no
//! recursion, and memory in proportion to the text. It knows comments, strings
//! of all kinds, characters and lifetimes; it knows no grammar.

use std::cell::OnceCell;

/// A source with more bytes than this is not looked at.
pub(super) const LARGEST_SOURCE: usize = 8 << 20;
/// A source with more tokens than this is not looked at.
const MOST_TOKENS: usize = 3_000_000;

/// An excerpt ends behind so many bytes.
const LONGEST_EXCERPT: usize = 200;

/// No partner.
pub(super) const ALONE: u32 = u32::MAX;

/// What kind of token it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or a keyword; a raw one without its mark.
    Ident,
    /// A lifetime or a label.
    Lifetime,
    /// A string of any kind, with its quotes and marks.
    Text,
    /// A character or a byte.
    Char,
    /// A number.
    Number,
    /// One character of punctuation.
    Punct(u8),
    /// An opening bracket.
    Open(u8),
    /// A closing bracket.
    Close(u8),
}

/// One token.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    start: u32,
    end: u32,
    /// The place of the bracket that belongs to this one, or [`ALONE`].
    pub(super) mate: u32,
}

/// A source as tokens.
#[derive(Clone, Debug)]
pub(super) struct Tokens<'a> {
    pub(super) source: &'a [u8],
    list: Vec<Token>,
    /// Where lines end; found when a line is first asked for.
    ends: OnceCell<Vec<usize>>,
}

impl<'a> Tokens<'a> {
    /// The tokens of a source; `None` when it breaks a limit.
    pub(super) fn of(source: &'a [u8]) -> Option<Self> {
        if source.len() > LARGEST_SOURCE {
            return None;
        }
        let mut lexer = Lexer {
            source,
            at: 0,
            list: Vec::with_capacity(source.len() / 6),
            open: Vec::new(),
        };
        while lexer.at < source.len() {
            if lexer.list.len() > MOST_TOKENS {
                return None;
            }
            lexer.step();
        }
        Some(Self {
            source,
            list: lexer.list,
            ends: OnceCell::new(),
        })
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// The kind of a token; a semicolon where there is none.
    pub(super) fn kind(&self, at: usize) -> Kind {
        self.list
            .get(at)
            .map_or(Kind::Punct(b';'), |token| token.kind)
    }

    /// The text of a token; empty where there is none.
    pub(super) fn text(&self, at: usize) -> &'a [u8] {
        self.list
            .get(at)
            .and_then(|token| self.source.get(token.start as usize..token.end as usize))
            .unwrap_or_default()
    }

    /// The text of a token, where it is UTF-8.
    pub(super) fn str(&self, at: usize) -> &'a str {
        std::str::from_utf8(self.text(at)).unwrap_or_default()
    }

    /// Whether it is this name or keyword.
    pub(super) fn is(&self, at: usize, name: &str) -> bool {
        self.kind(at) == Kind::Ident && self.text(at) == name.as_bytes()
    }

    /// Whether it is this character of punctuation.
    pub(super) fn punct(&self, at: usize, mark: u8) -> bool {
        at < self.list.len() && self.kind(at) == Kind::Punct(mark)
    }

    /// Whether two colons stand here.
    pub(super) fn colons(&self, at: usize) -> bool {
        self.punct(at, b':') && self.punct(at + 1, b':')
    }

    /// The place of the partner of a bracket; the end where it has none.
    pub(super) fn close(&self, at: usize) -> usize {
        match self.list.get(at).map(|token| token.mate) {
            Some(mate) if mate != ALONE => mate as usize,
            _ => self.list.len(),
        }
    }

    /// The line of a token, from 1.
    pub(super) fn line(&self, at: usize) -> u32 {
        let start = self.list.get(at).map_or(0, |token| token.start as usize);
        let ends = self
            .ends
            .get_or_init(|| memchr::memchr_iter(b'\n', self.source).collect());
        let lines = ends.partition_point(|end| *end < start);
        u32::try_from(lines).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// The source between two tokens, the second included, on one line.
    pub(super) fn excerpt(&self, from: usize, to: usize) -> String {
        let mut out = String::new();
        for at in from..=to.min(from + 40) {
            let text = self.str(at);
            let glue = out.chars().next_back().is_some_and(is_word)
                && text.chars().next().is_some_and(is_word);
            if glue {
                out.push(' ');
            }
            out.extend(text.chars().take(LONGEST_EXCERPT));
            if out.len() > LONGEST_EXCERPT {
                break;
            }
        }
        out
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

struct Lexer<'a> {
    source: &'a [u8],
    at: usize,
    list: Vec<Token>,
    open: Vec<u32>,
}

impl Lexer<'_> {
    fn byte(&self, at: usize) -> u8 {
        self.source.get(at).copied().unwrap_or(0)
    }

    fn push(&mut self, kind: Kind, start: usize, end: usize) {
        let end = end.min(self.source.len());
        self.at = end.max(start + 1);
        // In bounds: a source has at most 8 MiB.
        self.list.push(Token {
            kind,
            start: start as u32,
            end: end as u32,
            mate: ALONE,
        });
    }

    fn step(&mut self) {
        let start = self.at;
        let first = self.byte(start);
        match first {
            b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
            b'/' if self.byte(start + 1) == b'/' => {
                let rest = self.source.get(start..).unwrap_or_default();
                self.at = memchr::memchr(b'\n', rest)
                    .map_or(self.source.len(), |length| start + length + 1);
            }
            b'/' if self.byte(start + 1) == b'*' => self.block_comment(),
            b'"' => self.string(start, start),
            b'\'' => self.quote(start, start),
            b'0'..=b'9' => self.number(),
            b'(' | b'[' | b'{' => {
                self.open.push(self.list.len() as u32);
                self.push(Kind::Open(first), start, start + 1);
            }
            b')' | b']' | b'}' => self.closing(first),
            first if is_name(first) => self.name(),
            first => self.push(Kind::Punct(first), start, start + 1),
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 1_usize;
        let mut at = self.at + 2;
        while depth > 0 {
            let rest = self.source.get(at..).unwrap_or_default();
            let Some(next) = memchr::memchr2(b'*', b'/', rest) else {
                at = self.source.len();
                break;
            };
            at += next;
            match (self.byte(at), self.byte(at + 1)) {
                (b'*', b'/') => {
                    depth -= 1;
                    at += 2;
                }
                (b'/', b'*') => {
                    depth += 1;
                    at += 2;
                }
                _ => at += 1,
            }
        }
        self.at = at;
    }

    /// A string whose quote stands at `quote`, with escapes.
    fn string(&mut self, start: usize, quote: usize) {
        let mut at = quote + 1;
        loop {
            let rest = self.source.get(at..).unwrap_or_default();
            match memchr::memchr2(b'"', b'\\', rest) {
                None => {
                    at = self.source.len();
                    break;
                }
                Some(next) => {
                    at += next;
                    if self.byte(at) == b'"' {
                        at += 1;
                        break;
                    }
                    at += 2;
                }
            }
        }
        self.push(Kind::Text, start, at);
    }

    /// A raw string with `marks` number signs, whose quote stands at `quote`.
    fn raw_string(&mut self, start: usize, quote: usize, marks: usize) {
        let mut at = quote + 1;
        loop {
            let rest = self.source.get(at..).unwrap_or_default();
            let Some(next) = memchr::memchr(b'"', rest) else {
                at = self.source.len();
                break;
            };
            at += next + 1;
            let tail = self.source.get(at..at + marks).unwrap_or_default();
            if tail.len() == marks && tail.iter().all(|b| *b == b'#') {
                at += marks;
                break;
            }
        }
        self.push(Kind::Text, start, at);
    }

    /// A character, or a lifetime.
    fn quote(&mut self, start: usize, quote: usize) {
        let first = self.byte(quote + 1);
        if first == b'\\' {
            let mut at = quote + 3;
            while at < self.source.len() && !matches!(self.byte(at), b'\'' | b'\n') {
                at += 1;
            }
            return self.push(Kind::Char, start, at + 1);
        }
        let width = match first {
            0..=0xbf => 1,
            0xc0..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xff => 4,
        };
        if self.byte(quote + 1 + width) == b'\'' && first != b'\'' {
            return self.push(Kind::Char, start, quote + 2 + width);
        }
        if is_name(first) {
            let mut at = quote + 1;
            while is_name(self.byte(at)) {
                at += 1;
            }
            return self.push(Kind::Lifetime, start, at);
        }
        self.push(Kind::Punct(b'\''), start, start + 1);
    }

    fn number(&mut self) {
        let start = self.at;
        let mut at = start;
        while is_name(self.byte(at))
            || (self.byte(at) == b'.' && self.byte(at + 1).is_ascii_digit())
        {
            at += 1;
        }
        self.push(Kind::Number, start, at);
    }

    fn closing(&mut self, first: u8) {
        let start = self.at;
        let opening = match first {
            b')' => b'(',
            b']' => b'[',
            _ => b'{',
        };
        let here = self.list.len();
        self.push(Kind::Close(first), start, start + 1);
        let Some(place) = self.open.last().copied() else {
            return;
        };
        let fits = self
            .list
            .get(place as usize)
            .is_some_and(|token| token.kind == Kind::Open(opening));
        if fits {
            self.open.pop();
            for (one, other) in [(place as usize, here), (here, place as usize)] {
                if let Some(token) = self.list.get_mut(one) {
                    token.mate = other as u32;
                }
            }
        }
    }

    /// A name, or the mark in front of a string, a character or a raw name.
    fn name(&mut self) {
        let start = self.at;
        let mut at = start;
        while is_name(self.byte(at)) {
            at += 1;
        }
        let mark = self.source.get(start..at).unwrap_or_default();
        let next = self.byte(at);
        let raw = matches!(mark, b"r" | b"br" | b"cr");
        if raw && matches!(next, b'"' | b'#') {
            let mut quote = at;
            while self.byte(quote) == b'#' {
                quote += 1;
            }
            if self.byte(quote) == b'"' {
                return self.raw_string(start, quote, quote - at);
            }
            if mark == b"r" && quote == at + 1 && is_name(self.byte(quote)) {
                let mut end = quote;
                while is_name(self.byte(end)) {
                    end += 1;
                }
                return self.push(Kind::Ident, quote, end);
            }
        }
        if matches!(mark, b"b" | b"c") && next == b'"' {
            return self.string(start, at);
        }
        if mark == b"b" && next == b'\'' {
            return self.quote(start, at);
        }
        self.push(Kind::Ident, start, at);
    }
}

/// Whether a byte can stand in a name; all of those beyond ASCII count.
fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<String> {
        let tokens = Tokens::of(source.as_bytes()).unwrap();
        (0..tokens.len())
            .map(|at| tokens.str(at).to_owned())
            .collect()
    }

    #[test]
    fn what_looks_like_code_in_strings_and_comments_is_none() {
        let source = r####"a /* x /* y */ z */ b // c
            "d\"e" r#"f"g"# br##"h"#"## 'i' '\'' b'j' 'k: loop r#match c"l" b"m\\" '"' 'é' n"####;
        assert_eq!(
            texts(source),
            [
                "a",
                "b",
                r#""d\"e""#,
                r##"r#"f"g"#"##,
                r###"br##"h"#"##"###,
                "'i'",
                r"'\''",
                "b'j'",
                "'k",
                ":",
                "loop",
                "match",
                "c\"l\"",
                r#"b"m\\""#,
                "'\"'",
                "'é'",
                "n"
            ]
        );
    }

    #[test]
    fn numbers_end_where_they_end() {
        assert_eq!(
            texts("1..2 1.5 0x1f_u8 1.max(2)").join(" "),
            "1 . . 2 1.5 0x1f_u8 1 . max ( 2 )"
        );
    }

    #[test]
    fn brackets_know_their_partners_and_lines_are_counted() {
        let tokens = Tokens::of(b"f(\n[a]\n)\n}").unwrap();
        assert_eq!(tokens.close(1), 5);
        assert_eq!(tokens.close(2), 4);
        assert_eq!(tokens.line(5), 3);
        assert_eq!(tokens.close(6), tokens.len());
    }

    #[test]
    fn text_that_ends_too_early_and_deep_nesting_are_read() {
        for source in [
            "\"a", "r#\"a\"", "'", "'\\", "/* /*", "b'", "r#", "r##", "'a", "b\"",
        ] {
            assert!(!source.is_empty() && Tokens::of(source.as_bytes()).is_some());
        }
        let deep = "(".repeat(1_000_000);
        assert_eq!(Tokens::of(deep.as_bytes()).unwrap().len(), 1_000_000);
        assert!(Tokens::of(&vec![b';'; LARGEST_SOURCE]).is_none());
    }
}
