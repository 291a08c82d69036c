//! One entry of the shared cache: a line with a checksum, or with a seal that
//! only holders of a key can make, and the content. The name is part of what is
//! summed, so that an entry counts under its own name only. Pure.

use std::fmt::Write as _;

use ring::hmac;
use sha2::{Digest, Sha256};

const MAGIC: &str = "canary-shared 1";

/// What an entry is called in the store.
pub(super) fn object(name: &str) -> String {
    let name = hex(&Sha256::digest(name));
    let (start, _) = name.split_at(2);
    format!("v1/{start}/{name}")
}

/// The entry for a content.
pub(super) fn seal(name: &str, content: &[u8], key: Option<&[u8]>) -> Vec<u8> {
    let mut out = format!("{}\n", line(name, content, key)).into_bytes();
    out.extend_from_slice(content);
    out
}

/// The content of an entry; `None` when it is not whole, not of this name, or not
/// made with the key.
pub(super) fn open<'e>(name: &str, entry: &'e [u8], key: Option<&[u8]>) -> Option<&'e [u8]> {
    let end = memchr::memchr(b'\n', entry)?;
    let (first, content) = (entry.get(..end)?, entry.get(end + 1..)?);
    match key {
        None => (first == line(name, content, None).as_bytes()).then_some(content),
        Some(key) => {
            let first = std::str::from_utf8(first).ok()?;
            let tag = first.strip_prefix(MAGIC)?.strip_prefix(" hmac-sha256 ")?;
            let tag = unhex(tag)?;
            let key = hmac::Key::new(hmac::HMAC_SHA256, key);
            hmac::verify(&key, &summed(name, content), &tag).ok()?;
            Some(content)
        }
    }
}

fn line(name: &str, content: &[u8], key: Option<&[u8]>) -> String {
    let summed = summed(name, content);
    match key {
        None => format!("{MAGIC} sha256 {}", hex(&Sha256::digest(summed))),
        Some(key) => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, key);
            format!(
                "{MAGIC} hmac-sha256 {}",
                hex(hmac::sign(&key, &summed).as_ref())
            )
        }
    }
}

/// The name, which holds no line end, and the content.
fn summed(name: &str, content: &[u8]) -> Vec<u8> {
    let mut summed = Vec::with_capacity(name.len() + 1 + content.len());
    summed.extend_from_slice(name.escape_default().to_string().as_bytes());
    summed.push(b'\n');
    summed.extend_from_slice(content);
    summed
}

fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing into a string cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let is_plain = digits
        .iter()
        .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte));
    if digits.len() != 64 || !is_plain {
        return None;
    }
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}
