//! Every variable that a condition may read, in one table: its name, its type,
//! what it says, which kind of fact it rests on, and how it is read. The
//! checker, the evaluation and the reference page all come from this table.

mod change;
mod difference;
mod release;
mod vet;

use std::borrow::Cow;

use crate::diff::Change;
use crate::facts::{FactKind, Finding, Gap, GapReason};
use crate::pkg::Release;

use super::Subject;

pub(super) use difference::Totals;

/// The type of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    /// True or false.
    Bool,
    /// A whole number.
    Int,
    /// A number with a fraction.
    Double,
    /// A text.
    Text,
    /// A list of texts.
    List,
}

impl Type {
    /// The word used in the reference and in messages.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Double => "double",
            Self::Text => "string",
            Self::List => "list of string",
        }
    }
}

/// What one variable is for one change.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reading<'a> {
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Double(f64),
    /// A text.
    Text(Cow<'a, str>),
    /// A list of texts.
    List(Vec<Cow<'a, str>>),
    /// There is no such thing for this change; a comparison with it does not hold.
    Absent,
    /// It could not be learnt; the gap itself where one was recorded.
    Gap(FactKind, Option<&'a Gap>),
}

/// How a variable is read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reader {
    /// From one change.
    Change(for<'a> fn(Subject<'a>) -> Reading<'a>),
    /// From all of them together.
    Difference(fn(&Totals) -> Reading<'static>),
}

/// One variable.
#[derive(Clone, Copy, Debug)]
pub(super) struct Variable {
    /// Its full name, such as `release.age_days`.
    pub(super) name: &'static str,
    /// Its type.
    pub(super) kind: Type,
    /// The kind of fact it rests on, when that fact can be a gap.
    pub(super) fact: Option<FactKind>,
    /// The only values it can have, when they are a closed list.
    pub(super) values: &'static [&'static str],
    /// The least and the greatest value it can have, for a number.
    pub(super) bounds: Option<(f64, f64)>,
    /// What it says, with its unit.
    pub(super) doc: &'static str,
    /// How it is read.
    pub(super) reader: Reader,
}

impl Variable {
    const fn of_change(
        name: &'static str,
        kind: Type,
        doc: &'static str,
        read: for<'a> fn(Subject<'a>) -> Reading<'a>,
    ) -> Self {
        Self {
            name,
            kind,
            fact: None,
            values: &[],
            bounds: None,
            doc,
            reader: Reader::Change(read),
        }
    }

    const fn of_difference(
        name: &'static str,
        doc: &'static str,
        read: fn(&Totals) -> Reading<'static>,
    ) -> Self {
        Self {
            name,
            kind: Type::Int,
            fact: None,
            values: &[],
            bounds: Some((0.0, f64::INFINITY)),
            doc,
            reader: Reader::Difference(read),
        }
    }

    const fn needs(mut self, fact: FactKind) -> Self {
        self.fact = Some(fact);
        self
    }

    const fn one_of(mut self, values: &'static [&'static str]) -> Self {
        self.values = values;
        self
    }

    const fn between(mut self, least: f64, greatest: f64) -> Self {
        self.bounds = Some((least, greatest));
        self
    }

    const fn not_negative(self) -> Self {
        self.between(0.0, f64::INFINITY)
    }

    /// Whether it is about the whole difference, not about one change.
    pub(super) fn of_whole_difference(&self) -> bool {
        matches!(self.reader, Reader::Difference(_))
    }
}

/// All variables, sorted by group and then as a reader would look for them.
pub(super) fn all() -> impl Iterator<Item = &'static Variable> {
    change::TABLE
        .iter()
        .chain(release::TABLE)
        .chain(vet::TABLE)
        .chain(difference::TABLE)
}

/// The variable of one name, with its place in [`all`].
pub(super) fn find(name: &str) -> Option<(usize, &'static Variable)> {
    all()
        .enumerate()
        .find(|(_, variable)| variable.name == name)
}

/// The names before the dot: `change`, `release` and so on.
pub(super) fn is_group(name: &str) -> bool {
    all().any(|variable| {
        variable
            .name
            .split_once('.')
            .is_some_and(|(group, _)| group == name)
    })
}

/// The reference of all variables, as Markdown: a table for each group.
#[must_use]
pub fn reference() -> String {
    use std::fmt::Write as _;
    let mut page = String::from(include_str!("reference.md"));
    let mut group = "";
    for variable in all() {
        let this = variable.name.split('.').next().unwrap_or_default();
        if this != group {
            group = this;
            let _ = write!(
                page,
                "\n## {group}\n\n| variable | type | says | rests on |\n|---|---|---|---|\n"
            );
        }
        let mut doc = variable.doc.to_owned();
        if !variable.values.is_empty() {
            let values: Vec<String> = variable.values.iter().map(|v| format!("`{v}`")).collect();
            let _ = write!(doc, ": {}", values.join(", "));
        }
        let fact = variable
            .fact
            .map_or_else(String::new, |fact| format!("`{}`", fact.as_str()));
        let _ = writeln!(
            page,
            "| `{}` | {} | {doc} | {fact} |",
            variable.name,
            variable.kind.as_str()
        );
    }
    page
}

/// The releases that come in: on the head side and not on the base side.
pub(super) fn incoming(change: &Change) -> impl Iterator<Item = &Release> {
    change
        .to
        .iter()
        .filter(|release| !change.from.contains(release))
}

/// A reading of a finding; what does not apply is no gap.
fn of<'a, T>(finding: &'a Finding<T>, read: impl FnOnce(&'a T) -> Reading<'a>) -> Reading<'a> {
    match finding {
        Finding::Seen(value) => read(value),
        Finding::Absent(_) => Reading::Absent,
        Finding::Unknown(gap) => of_gap(gap),
    }
}

/// The reading of a gap: a kind of source that has no such record is an answer.
fn of_gap(gap: &Gap) -> Reading<'_> {
    if gap.reason == GapReason::NotApplicable {
        Reading::Absent
    } else {
        Reading::Gap(gap.fact, Some(gap))
    }
}

/// The gap of one kind among those that have no field of their own.
fn other_gap<'a>(subject: Subject<'a>, fact: FactKind) -> Option<&'a Gap> {
    subject
        .dossier
        .other_gaps
        .iter()
        .find(|gap| gap.fact == fact)
}

fn int(count: usize) -> Reading<'static> {
    Reading::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

fn text(text: &str) -> Reading<'_> {
    Reading::Text(Cow::Borrowed(text))
}

fn list<'a>(texts: impl IntoIterator<Item = &'a String>) -> Reading<'a> {
    Reading::List(
        texts
            .into_iter()
            .map(|text| Cow::Borrowed(text.as_str()))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_have_one_dot() {
        let names: Vec<&str> = all().map(|variable| variable.name).collect();
        let unique: BTreeSet<&str> = names.iter().copied().collect();
        assert_eq!(names.len(), unique.len());
        for name in names {
            assert_eq!(name.matches('.').count(), 1, "{name}");
        }
    }

    #[test]
    fn groups_stand_together() {
        let mut seen = Vec::new();
        for variable in all() {
            let group = variable.name.split('.').next().unwrap();
            if seen.last() != Some(&group) {
                assert!(!seen.contains(&group), "{group} is in two places");
                seen.push(group);
            }
        }
        assert_eq!(
            seen,
            [
                "change",
                "placement",
                "release",
                "advisories",
                "incidents",
                "risk",
                "vet",
                "difference"
            ]
        );
    }
}
