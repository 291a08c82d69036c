//! A quick look at the few fields of an index line that every line is asked
//! for. They stand before and behind the lists of dependencies and features,
//! which make up most of a line and are not looked into. Pure.

use std::borrow::Cow;

use memchr::{memchr, memchr2, memmem, memrchr2};

use super::line::Head;

/// Reads the head of a line as registries write it. `None` for everything out of
/// the ordinary, which is left to the JSON reader: escapes, a field that is there
/// twice or has another type, a field between the lists, a line that is no object.
pub(super) fn head(line: &[u8]) -> Option<Head<'_>> {
    let inner = line
        .trim_ascii()
        .strip_prefix(b"{")
        .and_then(|line| line.strip_suffix(b"}"))?;
    let first = memchr2(b'[', b'{', inner).unwrap_or(inner.len());
    let last = memrchr2(b']', b'}', inner).map_or(inner.len(), |at| at + 1);
    let (front, middle, back) = (
        inner.get(..first)?,
        inner.get(first..last)?,
        inner.get(last..)?,
    );
    let mut fields = Fields::default();
    let mut front = Scan { rest: front };
    fields.read(&mut front, middle.is_empty())?;
    let mut back = Scan { rest: back };
    if !middle.is_empty() {
        // A field behind the lists shows that the last brace is the line's own.
        if back.next()? != b',' || fields.yanked.is_some() {
            return None;
        }
        fields.read(&mut back, true)?;
    }
    let hidden = |text: &[u8]| memmem::find(middle, text).is_some();
    // In words of letters only this kind of escape can stand.
    if hidden(b"\\u")
        || fields.v.is_none() && hidden(b"\"v\"")
        || fields.pubtime.is_none() && hidden(b"\"pubtime\"")
    {
        return None;
    }
    Some(Head {
        name: Cow::Borrowed(fields.name?),
        vers: Cow::Borrowed(fields.vers?),
        yanked: fields.yanked?,
        pubtime: fields.pubtime.map(Cow::Borrowed),
        v: fields.v,
    })
}

#[derive(Default)]
struct Fields<'a> {
    name: Option<&'a str>,
    vers: Option<&'a str>,
    yanked: Option<bool>,
    pubtime: Option<&'a str>,
    v: Option<u32>,
}

impl<'a> Fields<'a> {
    /// Reads fields up to the end of a part of a line: its own end, or the key
    /// of a list.
    fn read(&mut self, scan: &mut Scan<'a>, whole: bool) -> Option<()> {
        loop {
            let key = scan.string()?;
            if scan.next()? != b':' {
                return None;
            }
            if !whole && scan.is_at_end() {
                return Some(());
            }
            match key {
                "name" => set(&mut self.name, scan.string()?)?,
                "vers" => set(&mut self.vers, scan.string()?)?,
                "yanked" => set(&mut self.yanked, scan.truth()?)?,
                "pubtime" => set(&mut self.pubtime, scan.string()?)?,
                "v" => set(&mut self.v, scan.digit()?)?,
                _ => scan.skip()?,
            }
            match scan.next() {
                Some(b',') => {}
                None if whole => return Some(()),
                _ => return None,
            }
        }
    }
}

/// Notes a field, unless it was there before.
fn set<T>(field: &mut Option<T>, value: T) -> Option<()> {
    field.replace(value).is_none().then_some(())
}

/// What of a part of a line is still to be read.
struct Scan<'a> {
    rest: &'a [u8],
}

impl<'a> Scan<'a> {
    /// The next byte that is not white space.
    fn next(&mut self) -> Option<u8> {
        loop {
            let (first, rest) = self.rest.split_first()?;
            self.rest = rest;
            if !matches!(first, b' ' | b'\t' | b'\r' | b'\n') {
                return Some(*first);
            }
        }
    }

    fn is_at_end(&self) -> bool {
        self.rest.trim_ascii().is_empty()
    }

    /// A string without escapes and control characters.
    fn string(&mut self) -> Option<&'a str> {
        if self.next()? != b'"' {
            return None;
        }
        let end = memchr(b'"', self.rest)?;
        let (text, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest.get(1..)?;
        let plain = text.iter().all(|byte| *byte != b'\\' && *byte >= b' ');
        plain.then_some(())?;
        std::str::from_utf8(text).ok()
    }

    fn truth(&mut self) -> Option<bool> {
        let value = self.word()?;
        match value {
            b"true" => Some(true),
            b"false" => Some(false),
            _ => None,
        }
    }

    /// A number of one digit, as the version of the schema is.
    fn digit(&mut self) -> Option<u32> {
        let &[digit] = self.word()? else {
            return None;
        };
        char::from(digit).to_digit(10)
    }

    /// What stands up to the next comma or the end, without the spaces around it.
    fn word(&mut self) -> Option<&'a [u8]> {
        let end = memchr(b',', self.rest).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        Some(word.trim_ascii())
    }

    /// Steps over a string, a number, a truth value or `null`.
    fn skip(&mut self) -> Option<()> {
        if self.rest.trim_ascii_start().first() == Some(&b'"') {
            return self.string().map(drop);
        }
        let word = self.word()?;
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
        (!word.is_empty() && word.iter().all(plain)).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn slow(line: &[u8]) -> Option<Head<'_>> {
        serde_json::from_slice(line).ok()
    }

    const LINES: [&str; 5] = [
        r#"{"name":"a","vers":"1.0.0","deps":[],"cksum":"00","features":{},"yanked":false}"#,
        r#"{"name": "a", "vers": "1.0.0+b", "deps": [{"name": "b", "req": "^1", "features": ["x]}"], "target": "cfg(a = \"b\")"}], "cksum": "00", "features": {"d": ["b/x"]}, "yanked": true, "pubtime": "2024-01-02T03:04:05Z", "v": 2}"#,
        r#" {"yanked":true,"v":1,"name":"a","links":"x","rust_version":"1.60","vers":"2.0.0","odd":-1.5e3,"other":null} "#,
        r#"{"vers":"1.0.0","name":"a","yanked":false,"deps":[]}"#,
        r#"{"name":"a","vers":"1.0.0","yanked":true,"features2":{"x":["dep:y","é"]},"links":"}z"}"#,
    ];

    #[test]
    fn ordinary_lines_are_read_as_the_json_reader_reads_them() {
        for line in &LINES[..3] {
            let quick = head(line.as_bytes()).expect(line);
            assert_eq!(Some(quick), slow(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn what_is_out_of_the_ordinary_is_left_to_the_json_reader() {
        for line in [
            LINES[3],
            LINES[4],
            r#"{"name":"a","name":"b","vers":"1.0.0","yanked":false}"#,
            r#"{"n\u0061me":"b","name":"a","vers":"1.0.0","yanked":false}"#,
            r#"{"name":"\u0061","vers":"1.0.0","yanked":false}"#,
            r#"{"name":"a","vers":1,"yanked":false}"#,
            r#"{"name":"a","vers":"1.0.0","yanked":null}"#,
            r#"{"name":"a","vers":"1.0.0","yanked":false,"v":22}"#,
            r#"{"name":"a","vers":"1.0.0","yanked":false,}"#,
            r#"{"name":"a","vers":"1.0.0","yanked":false} x"#,
            r#"{"name":"a","vers":"1.0.0","yanked":false"#,
            r#"{"name":"a","vers":"1.0.0","deps":[],"v":3,"features":{},"yanked":false}"#,
            r#"{"name":"a","vers":"1.0.0","deps":[],"\u0076":3,"features":{},"yanked":false}"#,
            r#"{"name":"a","vers":"1.0.0","deps":[],"yanked":true,"features":{}}"#,
            r#"{"name":"a","vers":"1.0.0","deps":[],"pubtime":"x","features":{},"yanked":false}"#,
            r#"{"name":"a","yanked":false}"#,
            r#"["name"]"#,
            "<html>",
            "{}",
            "",
        ] {
            assert_eq!(head(line.as_bytes()), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn a_cut_or_changed_line_is_never_read_as_another(
            which in 0..LINES.len(),
            cut in 0_usize..300,
            at in 0_usize..300,
            byte in any::<u8>(),
        ) {
            let mut line = LINES[which].as_bytes().to_vec();
            let whole = line.trim_ascii_end().len();
            if let Some(quick) = head(&line[..cut.min(line.len())]) {
                prop_assert!(cut >= whole);
                prop_assert_eq!(Some(quick), slow(&line));
            }
            if let Some(slot) = line.get_mut(at) {
                *slot = byte;
            }
            if let (Some(quick), Some(slow)) = (head(&line), slow(&line)) {
                prop_assert_eq!(quick, slow);
            }
        }
    }
}
