//! The own cache of what registries served: the format of its files. Pure.
//!
//! A file is a line with a checksum, lines with what is known of the answer,
//! an empty line, and the body as it came. The checksum finds files that were
//! torn or edited; it guards against accidents, not against people.

use std::fmt::Write as _;

use flate2::Crc;
use jiff::Timestamp;

const MAGIC: &str = "canary-answer 1";

/// An answer of a registry, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    /// The address that was asked.
    pub(super) url: String,
    /// When it answered, or last said that its answer still holds.
    pub(super) fetched: Timestamp,
    /// Whether it knew what it was asked for.
    pub(super) known: bool,
    /// Its `ETag`.
    pub(super) etag: Option<String>,
    /// Its `Last-Modified`.
    pub(super) last_modified: Option<String>,
    /// The decoded body.
    pub(super) body: Vec<u8>,
}

impl Kept {
    /// The header fields that ask for an answer only if it is another one.
    pub(super) fn validators(&self) -> Vec<(String, String)> {
        let mut headers = Vec::new();
        if let Some(etag) = &self.etag {
            headers.push(("if-none-match".to_owned(), etag.clone()));
        }
        if let Some(date) = &self.last_modified {
            headers.push(("if-modified-since".to_owned(), date.clone()));
        }
        headers
    }
}

/// The content of the file for an answer.
pub(super) fn encode(kept: &Kept) -> Vec<u8> {
    let mut head = String::new();
    // Writing into a string cannot fail.
    let _ = writeln!(head, "url: {}", one_line(&kept.url));
    let _ = writeln!(head, "fetched: {}", kept.fetched);
    let _ = writeln!(head, "known: {}", kept.known);
    for (name, value) in [("etag", &kept.etag), ("last-modified", &kept.last_modified)] {
        if let Some(value) = value {
            let _ = writeln!(head, "{name}: {}", one_line(value));
        }
    }
    head.push('\n');
    let sum = checksum(&[head.as_bytes(), &kept.body]);
    let mut out = format!("{MAGIC} {sum:08x} {}\n", kept.body.len()).into_bytes();
    out.extend_from_slice(head.as_bytes());
    out.extend_from_slice(&kept.body);
    out
}

/// Reads such a file; `None` when it is torn, changed, or no such file.
pub(super) fn decode(mut content: Vec<u8>) -> Option<Kept> {
    let first_end = memchr::memchr(b'\n', &content)?;
    let (first, rest) = (content.get(..first_end)?, content.get(first_end + 1..)?);
    let first = std::str::from_utf8(first).ok()?.strip_prefix(MAGIC)?;
    let (sum, length) = first.trim_start().split_once(' ')?;
    let sum = u32::from_str_radix(sum, 16).ok()?;
    let length: usize = length.parse().ok()?;
    let head_end = memchr::memmem::find(rest, b"\n\n")? + 2;
    let body = rest.get(head_end..)?;
    if body.len() != length || checksum(&[rest]) != sum {
        return None;
    }
    let head = std::str::from_utf8(rest.get(..head_end)?).ok()?;
    let field = |name: &str| {
        head.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    };
    let kept = Kept {
        url: field("url")?.to_owned(),
        fetched: field("fetched")?.parse().ok()?,
        known: field("known")?.parse().ok()?,
        etag: field("etag").map(str::to_owned),
        last_modified: field("last-modified").map(str::to_owned),
        body: Vec::new(),
    };
    let body_start = content.len() - length;
    content.drain(..body_start);
    Some(Kept {
        body: content,
        ..kept
    })
}

fn one_line(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

fn checksum(parts: &[&[u8]]) -> u32 {
    let mut crc = Crc::new();
    for part in parts {
        crc.update(part);
    }
    crc.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> Kept {
        Kept {
            url: "https://a.example/1/a".to_owned(),
            fetched: "2024-05-06T07:08:09Z".parse().unwrap(),
            known: true,
            etag: Some("W/\"x: y\"".to_owned()),
            last_modified: None,
            body: b"{}\n\n\x00{}".to_vec(),
        }
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let kept = kept();
        assert_eq!(decode(encode(&kept)), Some(kept.clone()));
        assert_eq!(
            kept.validators(),
            [("if-none-match".to_owned(), "W/\"x: y\"".to_owned())]
        );
    }

    #[test]
    fn a_file_that_is_torn_or_changed_anywhere_is_not_read() {
        let whole = encode(&kept());
        for end in 0..whole.len() {
            assert_eq!(decode(whole[..end].to_vec()), None, "cut at {end}");
        }
        for place in 0..whole.len() {
            let mut changed = whole.clone();
            changed[place] ^= 1;
            let read = decode(changed);
            assert!(read.is_none() || read == Some(kept()), "changed at {place}");
        }
        let mut longer = whole;
        longer.push(b'x');
        assert_eq!(decode(longer), None);
    }

    #[test]
    fn a_header_of_the_other_side_cannot_forge_fields() {
        let mut forged = kept();
        forged.etag = Some("x\nknown: false\n\nbody".to_owned());
        let read = decode(encode(&forged)).unwrap();
        assert!(read.known);
        assert_eq!(read.body, forged.body);
    }
}
