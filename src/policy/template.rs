//! The reason of a rule: words with variables in braces.

use std::collections::BTreeSet;

use super::check::{Scope, unknown};
use super::condition::Readings;
use super::variables;

/// A reason, split at its variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    parts: Vec<Part>,
    reads: BTreeSet<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Words(String),
    Variable(usize),
}

impl Template {
    /// Splits a text; the error says which name is not a variable.
    pub(super) fn parse(text: &str, scope: Scope) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut reads = BTreeSet::new();
        let mut rest = text;
        while let Some((words, more)) = rest.split_once('{') {
            let Some((name, after)) = more.split_once('}') else {
                return Err("`{` has no `}`".to_owned());
            };
            let Some((index, variable)) = variables::find(name) else {
                return Err(unknown(name));
            };
            if variable.of_whole_difference() != (scope == Scope::Difference) {
                return Err(format!("`{name}` cannot be read in a rule of this scope"));
            }
            parts.push(Part::Words(words.to_owned()));
            parts.push(Part::Variable(index));
            reads.insert(index);
            rest = after;
        }
        parts.push(Part::Words(rest.to_owned()));
        Ok(Self { parts, reads })
    }

    /// The variables it names, by place in the table.
    pub(super) fn reads(&self) -> impl Iterator<Item = &usize> {
        self.reads.iter()
    }

    /// The text with the values of one change.
    pub(super) fn fill(&self, readings: &Readings<'_>) -> String {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Words(words) => words.clone(),
                Part::Variable(index) => readings.shown(*index),
            })
            .collect()
    }
}
