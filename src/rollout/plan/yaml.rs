//! Manifests as YAML that people read. Names and queries from outside are values, and
//! the serializer quotes them; comments are made harmless.

use std::fmt::Write as _;

use serde_json::Value;

/// Documents below a comment.
pub(super) fn documents(comment: &[String], documents: &[Value]) -> String {
    let mut out = String::new();
    for line in comment {
        let line: String = line
            .chars()
            .map(|c| if is_break(c) { ' ' } else { c })
            .collect();
        let _ = writeln!(out, "# {}", line.trim_end());
    }
    for document in documents {
        out.push_str("---\n");
        // Plain data without odd keys is always serialisable.
        // One value, one line: folded lines are read differently by some.
        let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
        let mut text = String::new();
        if serde_saphyr::to_fmt_writer_with_options(&mut text, document, options).is_err() {
            text.clear();
        }
        if !text.ends_with('\n') {
            text.push('\n');
        }
        out.push_str(&text);
    }
    out
}

/// What could end a line of a comment, or hide in one.
fn is_break(c: char) -> bool {
    c.is_control() || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
}
