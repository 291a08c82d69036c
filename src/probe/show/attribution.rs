//! Who allocated what grew, as text and for the JSON.

use std::fmt::Write as _;

use serde::Serialize;

use super::numbers::{amount_of, seconds};
use crate::probe::attribution::{Attributed, Attribution, Share};

/// What is told of who allocated.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case", untagged)]
pub(super) enum Shape {
    #[serde(rename_all = "kebab-case")]
    Found {
        seconds: f64,
        growth_bytes: u64,
        crates: Vec<Entry>,
        unknown: Entry,
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    Gap {
        gap: String,
        next: String,
    },
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Entry {
    #[serde(rename = "crate", skip_serializing_if = "String::is_empty")]
    name: String,
    head_bytes: u64,
    base_bytes: u64,
}

impl From<&Share> for Entry {
    fn from(share: &Share) -> Self {
        Self {
            name: share.name.clone(),
            head_bytes: share.head,
            base_bytes: share.base,
        }
    }
}

impl From<&Attributed> for Shape {
    fn from(attributed: &Attributed) -> Self {
        match attributed {
            Attributed::Found(found) => Self::Found {
                seconds: found.seconds,
                growth_bytes: found.growth,
                crates: found.crates.iter().map(Entry::from).collect(),
                unknown: Entry::from(&found.unknown),
                note: found.note.clone(),
            },
            Attributed::Gap { because, next } => Self::Gap {
                gap: because.clone(),
                next: next.clone(),
            },
        }
    }
}

/// The lines for a person.
pub(super) fn text(attributed: &Attributed, width: usize, out: &mut String) {
    match attributed {
        Attributed::Found(found) => of_found(found, width, out),
        Attributed::Gap { because, next } => {
            lines(
                &format!("who allocated is not known: {because}"),
                width,
                out,
            );
            lines(&format!("next: {next}"), width, out);
        }
    }
}

fn of_found(found: &Attribution, width: usize, out: &mut String) {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let bytes = |bytes: u64| amount_of("bytes", bytes as f64);
    let percent = |share: &Share| format!("{:.0} %", 100.0 * found.part(share));
    let held = format!(
        "a hint: growth over {} under heaptrack, by the crate that allocated it",
        seconds(found.seconds)
    );
    let held = if found.growth == 0 {
        String::new()
    } else {
        held
    };
    let most = match found.most() {
        _ if found.growth == 0 => {
            "heaptrack saw nothing that grows more than in the base".to_owned()
        }
        Some(share) => format!(
            "most of the growth was allocated in `{}` ({})",
            share.name,
            percent(share)
        ),
        None => "no single crate allocated most of the growth".to_owned(),
    };
    lines(&most, width, out);
    if !held.is_empty() {
        lines(&held, width, out);
    }
    let unknown = Share {
        name: "no name known".to_owned(),
        ..found.unknown.clone()
    };
    let shown = found.crates.iter().take(5).chain([&unknown]);
    for share in shown.filter(|share| found.part(share) >= 0.01) {
        // A name has no more than 64 letters, digits and underscores.
        let name: String = share.name.chars().take(width.saturating_sub(45)).collect();
        let _ = writeln!(
            out,
            "  {name:<24} head {:>9}, base {:>9}, {:>5}",
            bytes(share.head),
            bytes(share.base),
            percent(share)
        );
    }
    if let Some(note) = &found.note {
        lines(note, width, out);
    }
}

/// Writes words in lines that fit.
fn lines(text: &str, width: usize, out: &mut String) {
    let mut used = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width {
            out.push_str("\n  ");
            used = 2;
        } else if used > 0 {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += length;
    }
    out.push('\n');
}
