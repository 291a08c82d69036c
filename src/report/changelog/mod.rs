//! The library updates between two builds for the reader of a changelog:
//! security fixes first, then what may behave differently, then what is new or
//! gone, then the rest. A change stands in the first group that it fits.

mod html;
mod json;
mod markdown;

use crate::audit::{Audit, JudgedChange};
use crate::diff::{Change, ChangeKind};
use crate::facts::{AdvisoryDelta, AdvisoryFact, Topic};
use crate::pkg::Step;

use super::upstream::{self, Upstream};
use super::{view, words};

pub(super) use html::page;
pub(super) use json::document;
pub(super) use markdown::section;

/// What a reader cares about, in the order of the groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Security,
    Behaviour,
    NewAndRemoved,
    Routine,
}

impl Group {
    const ALL: [Self; 4] = [
        Self::Security,
        Self::Behaviour,
        Self::NewAndRemoved,
        Self::Routine,
    ];

    fn heading(self) -> &'static str {
        match self {
            Self::Security => "Security fixes taken",
            Self::Behaviour => "Behaviour that may change",
            Self::NewAndRemoved => "New and removed libraries",
            Self::Routine => "Routine updates",
        }
    }

    fn id(self) -> &'static str {
        match self {
            Self::Security => "security",
            Self::Behaviour => "behaviour",
            Self::NewAndRemoved => "new-and-removed",
            Self::Routine => "routine",
        }
    }
}

/// One line of the changelog, not escaped yet.
struct Entry<'a> {
    package: &'a str,
    id: &'a str,
    kind: &'static str,
    movement: String,
    place: String,
    /// What is to be known of it, each a phrase.
    remarks: Vec<String>,
    fixed: Vec<&'a str>,
    introduced: Vec<&'a str>,
    /// Whether somebody decided on it; the others follow.
    decided: bool,
    notes: Option<Upstream<'a>>,
}

/// The groups that have entries, in order; entries by package and id.
fn groups(audit: &Audit) -> Vec<(Group, Vec<Entry<'_>>)> {
    Group::ALL
        .into_iter()
        .map(|group| {
            let mut entries: Vec<Entry<'_>> = audit
                .changes
                .iter()
                .filter(|judged| group_of(judged) == group)
                .map(entry)
                .collect();
            entries.sort_by(|a, b| (a.package, a.id).cmp(&(b.package, b.id)));
            (group, entries)
        })
        .filter(|(_, entries)| !entries.is_empty())
        .collect()
}

fn group_of(judged: &JudgedChange) -> Group {
    let change = &judged.change;
    if view::advisories(judged).is_some_and(|delta| delta.fixed.iter().any(AdvisoryFact::is_fault))
    {
        return Group::Security;
    }
    let brings = |delta: &AdvisoryDelta| delta.introduced.iter().any(AdvisoryFact::is_fault);
    if view::advisories(judged).is_some_and(brings) || breaks(judged) {
        return Group::Behaviour;
    }
    match change.kind {
        ChangeKind::Added | ChangeKind::Removed | ChangeKind::Duplicated | ChangeKind::Merged => {
            Group::NewAndRemoved
        }
        ChangeKind::Downgraded | ChangeKind::SourceMoved | ChangeKind::ContentChanged => {
            Group::Behaviour
        }
        ChangeKind::FeaturesChanged => Group::Behaviour,
        ChangeKind::PlacementChanged => Group::Routine,
        ChangeKind::Upgraded => match change.step() {
            Some(Step::Major | Step::Prerelease | Step::Downgrade) | None => Group::Behaviour,
            Some(Step::Same | Step::Patch | Step::Minor) => Group::Routine,
        },
    }
}

/// Whether upstream itself calls an update breaking.
fn breaks(judged: &JudgedChange) -> bool {
    let notes = upstream::of(judged);
    let mut lines = notes
        .iter()
        .flat_map(|notes| &notes.sections)
        .flat_map(|one| &one.lines);
    let says = |line: &String| {
        let line = line.to_lowercase();
        let denies = line.contains("non-breaking") || line.contains("no breaking");
        line.contains("breaking") && !denies
    };
    judged.change.kind == ChangeKind::Upgraded && lines.any(says)
}

/// The oldest compiler that one of the updates newly asks for, and which does.
fn compiler(audit: &Audit) -> Option<String> {
    let asks = |judged: &JudgedChange| {
        let delta = judged.dossier.source.seen()?;
        let finding = delta.findings.iter().find(|finding| {
            finding.topic == Topic::Metadata && finding.what.starts_with("oldest compiler")
        })?;
        let number = finding.what.rsplit([' ', ':']).next()?;
        let mut parts = number.split('.').map(|part| part.parse::<u32>().ok());
        let release: [u32; 3] = std::array::from_fn(|_| parts.next().flatten().unwrap_or(0));
        (release > [0; 3]).then(|| (release, number.to_owned()))
    };
    let asked = audit.changes.iter();
    let asked = asked.filter_map(|judged| Some((asks(judged)?, judged.change.package.as_str())));
    let asked: Vec<_> = asked.collect();
    let ((_, newest), _) = asked.iter().max_by_key(|((release, _), _)| *release)?;
    let mut who: Vec<&str> = asked
        .iter()
        .filter(|((_, number), _)| number == newest)
        .map(|(_, package)| *package)
        .collect();
    who.sort_unstable();
    who.dedup();
    let first = who.first()?;
    let others = match who.len() {
        1 => String::new(),
        many => format!(" and {}", words::count(many - 1, "other")),
    };
    Some(format!(
        "Rust {newest} or later is asked for, by `{first}`{others}."
    ))
}

fn entry(judged: &JudgedChange) -> Entry<'_> {
    let change = &judged.change;
    let mut remarks = Vec::new();
    let (mut fixed, mut introduced) = (Vec::new(), Vec::new());
    if let Some(delta) = view::advisories(judged) {
        for (word, facts, ids) in [
            ("fixes", &delta.fixed, &mut fixed),
            ("brings", &delta.introduced, &mut introduced),
        ] {
            let name =
                |fact: &AdvisoryFact| format!("{} ({})", fact.id, words::advisory_kind(fact));
            ids.extend(facts.iter().map(|fact| fact.id.as_str()));
            if !facts.is_empty() {
                let names: Vec<String> = facts.iter().map(name).collect();
                remarks.push(format!("{word} {}", names.join(", ")));
            }
        }
    }
    match change.kind {
        ChangeKind::Downgraded => remarks.push("goes back to a lower version".to_owned()),
        ChangeKind::SourceMoved => remarks.push("comes from another place".to_owned()),
        ChangeKind::ContentChanged => {
            remarks.push("same version with other content".to_owned());
        }
        ChangeKind::Duplicated => remarks.push("a further version beside the others".to_owned()),
        ChangeKind::Merged => remarks.push("a version less".to_owned()),
        ChangeKind::Upgraded if change.step() == Some(Step::Major) => {
            remarks.push("an incompatible release".to_owned());
        }
        ChangeKind::Added
        | ChangeKind::Removed
        | ChangeKind::Upgraded
        | ChangeKind::FeaturesChanged
        | ChangeKind::PlacementChanged => {}
    }
    let major = change.step() == Some(Step::Major);
    if change.kind == ChangeKind::Upgraded && !major && breaks(judged) {
        remarks.push("upstream calls it breaking".to_owned());
    }
    if let Some(forced) = &change.forced_by {
        remarks.push(format!("follows `{}`", forced.root));
    }
    Entry {
        package: &change.package,
        id: &change.id,
        kind: change.kind.as_str(),
        movement: movement(change),
        place: words::place_of(change),
        remarks,
        fixed,
        introduced,
        decided: change.forced_by.is_none() || change.placement.direct,
        notes: upstream::of(judged),
    }
}

/// What moved; the version before the word.
fn movement(change: &Change) -> String {
    let movement = words::move_of(change);
    for word in ["added", "removed"] {
        if let Some(version) = movement.strip_prefix(word) {
            return format!("{} {word}", version.trim_start());
        }
    }
    movement.replace("->", "→")
}

/// Whether advisories could be looked up for every change; without that, the
/// first group may be too short, and the reader is told.
fn advisories_missing(audit: &Audit) -> usize {
    audit
        .changes
        .iter()
        .filter(|judged| judged.dossier.advisories.gap().is_some())
        .count()
}

/// What stands below the heading: which builds, and how many changes.
fn between(audit: &Audit) -> String {
    let comparison = &audit.comparison;
    format!(
        "{} between {} and {}",
        words::count(audit.changes.len(), "change"),
        comparison.base.input.given,
        comparison.head.input.given
    )
}

/// What the reader must know before the list is believed.
fn caution(audit: &Audit) -> Option<String> {
    let missing = advisories_missing(audit);
    (missing > 0).then(|| {
        format!(
            "Advisories could not be looked up for {}; security fixes may be missing here.",
            words::count(missing, "change")
        )
    })
}
