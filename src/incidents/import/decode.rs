//! Bytes to text: byte order marks, UTF-16, Windows-1252, and text that was
//! once decoded in the wrong way.

/// What the bytes 0x80 to 0x9f stand for in Windows-1252; the five that it
/// leaves open stand for themselves.
const WINDOWS: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Decodes a text. The second value says what had to be done, where it was not plain UTF-8.
pub(super) fn decode(bytes: &[u8]) -> (String, Option<&'static str>) {
    if let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        return decode(rest);
    }
    if let Some(rest) = bytes.strip_prefix(b"\xff\xfe") {
        return (utf16(rest, u16::from_le_bytes), Some("it is in UTF-16"));
    }
    if let Some(rest) = bytes.strip_prefix(b"\xfe\xff") {
        return (utf16(rest, u16::from_be_bytes), Some("it is in UTF-16"));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            let repaired = repair(text);
            let said = (repaired != text).then_some(
                "parts of it were decoded in the wrong way once, and are read as they were meant",
            );
            (repaired, said)
        }
        Err(_) => (
            bytes.iter().map(|byte| windows(*byte)).collect(),
            Some("it is not UTF-8, and is read as Windows-1252"),
        ),
    }
}

/// Decodes UTF-16; halves of pairs become the replacement character.
fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.chunks_exact(2).map(|pair| match pair {
        [first, second] => unit([*first, *second]),
        _ => 0,
    });
    char::decode_utf16(units)
        .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

/// The character of a byte in Windows-1252.
fn windows(byte: u8) -> char {
    match byte {
        0x80..=0x9f => WINDOWS
            .get(usize::from(byte - 0x80))
            .copied()
            .unwrap_or(char::REPLACEMENT_CHARACTER),
        _ => char::from(byte),
    }
}

/// The byte of a character in Windows-1252, for those above ASCII.
fn byte_of(letter: char) -> Option<u8> {
    match u32::from(letter) {
        0xa0..=0xff => u8::try_from(u32::from(letter)).ok(),
        _ => WINDOWS
            .iter()
            .position(|known| *known == letter)
            .and_then(|at| u8::try_from(at + 0x80).ok()),
    }
}

/// Undoes a wrong decoding: runs of characters that are UTF-8 when they are
/// taken as bytes of Windows-1252. Other runs stay as they are.
fn repair(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut run = String::new();
    let mut bytes: Vec<u8> = Vec::new();
    let end = |run: &mut String, bytes: &mut Vec<u8>, out: &mut String| {
        match std::str::from_utf8(bytes) {
            Ok(meant) => out.push_str(meant),
            Err(_) => out.push_str(run),
        }
        run.clear();
        bytes.clear();
    };
    for letter in text.chars() {
        match byte_of(letter) {
            Some(byte) => {
                run.push(letter);
                bytes.push(byte);
            }
            None => {
                end(&mut run, &mut bytes, &mut out);
                out.push(letter);
            }
        }
    }
    end(&mut run, &mut bytes, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_decoded_in_the_wrong_way_is_read_as_it_was_meant() {
        assert_eq!(repair("Outage â€“ August"), "Outage – August");
        assert_eq!(repair("2ðŸ•™0 PM"), "2🕙0 PM");
        assert_eq!(repair("Zürich, 5 €"), "Zürich, 5 €");
    }

    #[test]
    fn other_encodings_are_read_and_named() {
        assert_eq!(decode(b"\xff\xfeA\x00\xe4\x00").0, "Aä");
        assert_eq!(decode(b"\xfe\xff\x00A").0, "A");
        let (text, said) = decode(b"Z\xfcrich \x96 ok");
        assert_eq!(text, "Zürich – ok");
        assert!(said.is_some());
        assert_eq!(decode(b"\xef\xbb\xbfplain"), ("plain".to_owned(), None));
    }

    #[test]
    fn an_odd_byte_at_the_end_is_no_error() {
        assert_eq!(decode(b"\xff\xfeA\x00B").0, "A");
    }
}
