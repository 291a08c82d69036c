//! SARIF 2.1.0: messages may hold links and placeholders, and places are URIs
//! (sections 3.11.5, 3.11.6 and 3.4.3 of the standard).

use std::fmt::Write as _;

use super::visible;

/// The text of a message.
pub(in crate::report) fn message(text: &str) -> String {
    let text = visible(text);
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '[' | ']' | '\\' => {
                out.push('\\');
                out.push(character);
            }
            '{' => out.push_str("{{"),
            '}' => out.push_str("}}"),
            _ => out.push(character),
        }
    }
    out
}

/// A path as a reference: relative to the root of the sources, or a file.
pub(in crate::report) fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    if path.starts_with('/') {
        out.push_str("file://");
    }
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_holds_no_link_and_no_placeholder() {
        assert_eq!(message("[a](http://b) {0}"), "\\[a\\](http://b) {{0}}");
    }

    #[test]
    fn a_path_is_a_uri() {
        assert_eq!(uri("a b/Cargo.lock"), "a%20b/Cargo.lock");
        assert_eq!(uri("javascript:x"), "javascript%3Ax");
        assert_eq!(uri("/x/Cargo.lock"), "file:///x/Cargo.lock");
    }
}
