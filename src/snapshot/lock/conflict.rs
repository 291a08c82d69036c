//! The marks that an unfinished merge leaves in a file.

use super::{LockError, printable};

/// The first conflict in the text.
pub(super) fn find(text: &str, path: &str) -> Option<LockError> {
    let mut open: Option<(u32, &str)> = None;
    for (line, number) in text.lines().zip(1_u32..) {
        if let Some(label) = mark(line, "<<<<<<<") {
            open = open.or(Some((number, label)));
        } else if let (Some((first, ours)), Some(theirs)) = (open, mark(line, ">>>>>>>")) {
            return Some(error(path, first, ours, theirs));
        }
    }
    open.map(|(first, ours)| error(path, first, ours, "?"))
}

/// The label after a mark: seven characters, then nothing or a space.
fn mark<'a>(line: &'a str, mark: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(mark)?;
    (rest.is_empty() || rest.starts_with(' ')).then(|| rest.trim())
}

fn error(path: &str, line: u32, ours: &str, theirs: &str) -> LockError {
    LockError::Conflict {
        path: path.to_owned(),
        line,
        ours: printable(ours),
        theirs: printable(theirs),
    }
}
