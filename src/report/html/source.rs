//! What an update does to the source, and what upstream says of it, on the page.

use crate::audit::JudgedChange;
use crate::facts::{SourceFinding, Witness};
use crate::report::upstream::{self, Section};
use crate::report::words::{count, source_summary};

use super::{Prose, Shown, long, short};

/// So many findings are shown, each with so many places; the JSON report has all.
const FINDINGS: usize = 10;
const PLACES: usize = 2;
/// So many versions of upstream's notes are shown, and lines of each.
const VERSIONS: usize = 4;
const LINES: usize = 10;

/// What an update does to the source.
pub(super) struct Source {
    pub(super) summary: Shown,
    pub(super) findings: Vec<Found>,
    /// How many are not shown, in words.
    pub(super) more: Option<String>,
    pub(super) not_read: Vec<Prose>,
}

/// One finding.
pub(super) struct Found {
    pub(super) shift: &'static str,
    pub(super) about: String,
    pub(super) what: Shown,
    pub(super) places: Vec<Place>,
}

/// A place, and the few tokens that stand there.
pub(super) struct Place {
    pub(super) at: Shown,
    pub(super) code: Option<Shown>,
}

/// What upstream says.
pub(super) struct Upstream {
    pub(super) from: Shown,
    pub(super) versions: Vec<(String, Vec<Prose>)>,
    pub(super) more: usize,
}

/// The source of a change; `None` where it was not compared.
pub(super) fn source(judged: &JudgedChange) -> Option<Source> {
    let delta = judged.dossier.source.seen()?;
    let more = delta.findings.len().saturating_sub(FINDINGS);
    Some(Source {
        summary: short(&source_summary(delta)),
        findings: delta.findings.iter().take(FINDINGS).map(found).collect(),
        more: (more > 0).then(|| count(more, "further finding")),
        not_read: delta.not_read.iter().map(|left| long(left)).collect(),
    })
}

fn found(finding: &SourceFinding) -> Found {
    let times = match finding.count {
        0 | 1 => String::new(),
        many => format!(", {many} places"),
    };
    Found {
        shift: finding.shift.as_str(),
        about: if finding.topic.as_str() == finding.part.as_str() {
            format!("{}{times}", finding.topic.as_str())
        } else {
            format!(
                "{}, {}{times}",
                finding.topic.as_str(),
                finding.part.as_str()
            )
        },
        what: Shown::of(&finding.what, 300),
        places: finding.witnesses.iter().take(PLACES).map(place).collect(),
    }
}

fn place(witness: &Witness) -> Place {
    let without_code = Witness {
        text: String::new(),
        ..witness.clone()
    };
    Place {
        at: short(&without_code.to_string()),
        code: (!witness.text.is_empty()).then(|| short(&witness.text)),
    }
}

/// Upstream's notes for the versions in between; `None` where there are none.
pub(super) fn upstream(judged: &JudgedChange) -> Option<Upstream> {
    let notes = upstream::of(judged)?;
    let shown = notes.sections.iter().take(VERSIONS);
    Some(Upstream {
        from: short(notes.from),
        versions: shown
            .map(|section| (section.version.to_string(), said(section, LINES)))
            .collect(),
        more: notes.sections.len().saturating_sub(VERSIONS),
    })
}

/// The lines of a version, so many of them; the others are counted.
pub(in crate::report) fn said(section: &Section<'_>, most: usize) -> Vec<Prose> {
    let lines = section.lines.iter().take(most);
    let mut said: Vec<Prose> = lines.map(|line| Prose::of(line, 300)).collect();
    let more = section.lines.len().saturating_sub(most);
    if more > 0 {
        said.push(long(&format!("and {more} more")));
    }
    said
}
