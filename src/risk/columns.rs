//! What the model sees of a change, as numbers: the form in which its weights
//! are fitted and its probability is computed.

use super::Model;
use super::signals::{Definition, Input, Raised, SIGNALS};
use crate::diff::Change;
use crate::facts::Dossier;
use crate::incidents::Link;

/// One weight of the model: a signal, and its grade where it has grades.
pub type Column = (&'static str, Option<&'static str>);

/// The signals that fire, each with its share from 0 to 1; before exposure.
#[must_use]
pub fn columns(
    change: &Change,
    dossier: &Dossier,
    links: &[Link],
    model: &Model,
) -> Vec<(Column, f64)> {
    let input = Input {
        change,
        dossier,
        links,
    };
    shares(&raise(&input, model))
}

/// The signals that fire, in the order of the table.
pub(super) fn raise(input: &Input<'_>, model: &Model) -> Vec<(&'static Definition, Raised)> {
    SIGNALS
        .iter()
        .filter_map(|definition| {
            let raised = (definition.check)(input, &model.parameters(definition.id))?;
            Some((*definition, raised))
        })
        .collect()
}

/// Signals as the model takes them.
pub(super) fn shares(raised: &[(&Definition, Raised)]) -> Vec<(Column, f64)> {
    let each = raised.iter();
    each.map(|(definition, raised)| ((definition.id, raised.grade), raised.share.clamp(0.0, 1.0)))
        .collect()
}
