//! A quick look at the few fields of an index line that every line is asked
//! for. Most of a line is dependencies and features; they are stepped over, and
//! only the place where they end is looked for. Pure.

use std::borrow::Cow;

use super::line::Head;

/// Reads the head of a line as registries write it. `None` for everything out of
/// the ordinary, which is left to the JSON reader: escapes in one of the fields,
/// a field that is there twice or has another type, a line that is no object.
pub(super) fn head(line: &[u8]) -> Option<Head<'_>> {
    let mut scan = Scan { rest: line };
    let mut fields = Fields::default();
    scan.expect(b'{')?;
    loop {
        let key = scan.text()?;
        scan.expect(b':')?;
        match key {
            b"name" => set(&mut fields.name, scan.string()?)?,
            b"vers" => set(&mut fields.vers, scan.string()?)?,
            b"yanked" => set(&mut fields.yanked, scan.truth()?)?,
            b"pubtime" => set(&mut fields.pubtime, scan.string()?)?,
            b"v" => set(&mut fields.v, scan.number()?)?,
            // A key with an escape could be any of these.
            key if key.contains(&b'\\') => return None,
            _ => scan.skip()?,
        }
        match scan.next()? {
            b',' => {}
            b'}' => break,
            _ => return None,
        }
    }
    scan.rest.trim_ascii().is_empty().then_some(())?;
    Some(Head {
        name: Cow::Borrowed(fields.name?),
        vers: Cow::Borrowed(fields.vers?),
        yanked: fields.yanked.unwrap_or_default(),
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

/// Notes a field, unless it was there before.
fn set<T>(field: &mut Option<T>, value: T) -> Option<()> {
    field.replace(value).is_none().then_some(())
}

/// What of a line is still to be read.
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

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())
    }

    /// The bytes of a string, with its escapes as they are written.
    fn text(&mut self) -> Option<&'a [u8]> {
        self.expect(b'"')?;
        self.text_to_end()
    }

    /// The same, behind the opening quote.
    fn text_to_end(&mut self) -> Option<&'a [u8]> {
        let mut at = 0;
        loop {
            match self.rest.get(at)? {
                b'"' => break,
                b'\\' => at += 2,
                _ => at += 1,
            }
        }
        let (text, rest) = self.rest.split_at_checked(at)?;
        self.rest = rest.get(1..)?;
        Some(text)
    }

    /// A string without escapes and control characters.
    fn string(&mut self) -> Option<&'a str> {
        let text = self.text()?;
        let plain = text.iter().all(|byte| *byte != b'\\' && *byte >= b' ');
        plain.then_some(())?;
        std::str::from_utf8(text).ok()
    }

    fn truth(&mut self) -> Option<bool> {
        let (value, length) = match self.next()? {
            b't' if self.rest.starts_with(b"rue") => (true, 3),
            b'f' if self.rest.starts_with(b"alse") => (false, 4),
            _ => return None,
        };
        self.rest = self.rest.get(length..)?;
        Some(value)
    }

    /// A whole number of one digit, as the schema's version is.
    fn number(&mut self) -> Option<u32> {
        let digit = char::from(self.next()?).to_digit(10)?;
        matches!(self.rest.first()?, b',' | b'}').then_some(digit)
    }

    /// Steps over a value.
    fn skip(&mut self) -> Option<()> {
        match self.next()? {
            b'"' => self.text_to_end().map(drop),
            b'[' | b'{' => self.skip_to_end(),
            // A number, a truth value or `null`, up to what ends it.
            _ => {
                let end = self
                    .rest
                    .iter()
                    .position(|byte| matches!(byte, b',' | b'}'))?;
                self.rest = self.rest.get(end..)?;
                Some(())
            }
        }
    }

    /// Steps over the rest of a list or an object that was entered.
    fn skip_to_end(&mut self) -> Option<()> {
        let mut depth = 1_usize;
        while depth > 0 {
            let (first, rest) = self.rest.split_first()?;
            self.rest = rest;
            match first {
                b'"' => {
                    self.text_to_end()?;
                }
                b'[' | b'{' => depth += 1,
                b']' | b'}' => depth -= 1,
                _ => {}
            }
        }
        Some(())
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
        r#"{"name": "a", "vers": "1.0.0+b", "deps": [{"name": "b", "req": "^1", "features": ["x\"]}"], "target": null}], "cksum": "00", "features": {"d": ["b/x"]}, "yanked": true, "pubtime": "2024-01-02T03:04:05Z", "v": 2}"#,
        r#" {"yanked":true,"v":1,"name":"a","links":"x","rust_version":"1.60","vers":"2.0.0","odd":-1.5e3,"other":null} "#,
        r#"{"vers":"1.0.0","name":"a"}"#,
        r#"{"name":"a","vers":"1.0.0","features2":{"x":["dep:y","é\\"]},"pubtime":null}"#,
    ];

    #[test]
    fn ordinary_lines_are_read_as_the_json_reader_reads_them() {
        for line in &LINES[..4] {
            let quick = head(line.as_bytes()).expect(line);
            assert_eq!(Some(quick), slow(line.as_bytes()), "{line}");
        }
        // Left to the JSON reader.
        assert_eq!(head(LINES[4].as_bytes()), None);
    }

    #[test]
    fn what_is_out_of_the_ordinary_is_left_to_the_json_reader() {
        for line in [
            r#"{"name":"a","name":"b","vers":"1.0.0"}"#,
            r#"{"n\u0061me":"b","name":"a","vers":"1.0.0"}"#,
            r#"{"name":"\u0061","vers":"1.0.0"}"#,
            r#"{"name":"a","vers":1}"#,
            r#"{"name":"a","vers":"1.0.0","v":22}"#,
            r#"{"name":"a","vers":"1.0.0"} x"#,
            r#"{"name":"a"}"#,
            r#"["name"]"#,
            "<html>",
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
            let whole = line.trim_ascii().len();
            if let Some(quick) = head(&LINES[which].as_bytes()[..cut.min(line.len())]) {
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
