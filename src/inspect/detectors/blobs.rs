//! Compiled programs and other files that nobody can read, by their content.

use std::collections::BTreeSet;

use super::{Detector, How};
use crate::facts::{Part, Shift, SourceFinding, Topic, Witness};
use crate::inspect::compare::Comparison;
use crate::inspect::compiled::is_for_tests;
use crate::inspect::tally::{finding, shown};

/// The detector.
pub(super) static DETECTOR: Detector = Detector {
    id: "blobs",
    what: "Files that are compiled programs or libraries by their content, told apart from test data.",
    topics: &[Topic::Executable],
    of_new: true,
    how: How::Whole(whole),
};

/// The first bytes of compiled code, and what they are.
const MAGIC: &[(&[u8], &str)] = &[
    (b"\x7fELF", "an ELF program or library"),
    (b"\xfe\xed\xfa\xce", "a Mach-O program or library"),
    (b"\xfe\xed\xfa\xcf", "a Mach-O program or library"),
    (b"\xce\xfa\xed\xfe", "a Mach-O program or library"),
    (b"\xcf\xfa\xed\xfe", "a Mach-O program or library"),
    (b"\xca\xfe\xba\xbe", "a Mach-O or Java program"),
    (b"\0asm", "a WebAssembly module"),
    (b"!<arch>\n", "a library of compiled code"),
    (b"dex\n", "an Android program"),
];

/// What compiled code a file is, if it is any.
fn compiled(content: &[u8]) -> Option<&'static str> {
    let known = MAGIC.iter().find(|(magic, _)| content.starts_with(magic));
    known
        .map(|(_, what)| *what)
        .or_else(|| is_pe(content).then_some("a Windows program or library"))
}

/// Two letters are few: the header must point to a second mark.
fn is_pe(content: &[u8]) -> bool {
    let offset = content
        .get(0x3c..0x40)
        .and_then(|bytes| <[u8; 4]>::try_from(bytes).ok())
        .map(u32::from_le_bytes);
    content.starts_with(b"MZ")
        && offset.is_some_and(|at| {
            let at = at as usize;
            content.get(at..at.saturating_add(4)) == Some(b"PE\0\0".as_slice())
        })
}

fn whole(comparison: &Comparison<'_>) -> Vec<SourceFinding> {
    let new = &comparison.new;
    // The same program at another place is not news.
    let before: BTreeSet<&[u8]> = comparison
        .old
        .iter()
        .flat_map(|old| old.tree.files().iter().map(|file| old.tree.content(file)))
        .filter(|content| compiled(content).is_some())
        .collect();
    let mut found = Vec::new();
    for file in new.tree.files() {
        let content = new.tree.content(file);
        let Some(what) = compiled(content) else {
            continue;
        };
        if before.contains(content) {
            continue;
        }
        let data = is_for_tests(&file.path) && !new.compilation.embedded.contains_key(&file.path);
        let part = if data { Part::Data } else { Part::Archive };
        let direction = match comparison
            .old
            .as_ref()
            .and_then(|old| old.tree.read(&file.path))
        {
            Some(_) => Shift::Changed,
            None => Shift::Gained,
        };
        let place = Witness {
            file: shown(&file.path),
            line: 0,
            item: String::new(),
            text: format!("{} bytes", content.len()),
        };
        found.push(finding(
            Topic::Executable,
            direction,
            part,
            what,
            vec![place],
        ));
    }
    found
}
