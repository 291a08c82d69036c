//! The signals, one file each: what it is called, what it means, what it
//! looks at, and the check. How much it counts is in the model.

mod advisory_fixed;
mod advisory_history;
mod advisory_introduced;
mod advisory_remaining;
mod archive_odd;
mod build_code_changed;
mod build_code_gains;
mod build_script_added;
mod capability_gained;
mod code_unchanged;
mod commit_unclear;
mod compiler_raised;
mod content_changed;
mod dependencies_changed;
mod executable_gained;
mod far_apart;
mod feature_list_changed;
mod features_gained;
mod follows_closely;
mod fresh_feature_release;
mod fresh_release;
mod git_commit;
mod hollow_update;
mod hotfix_out;
mod incident_left;
mod incident_repeat;
mod incident_strong;
mod incident_weak;
mod licence_changed;
mod long_silence;
mod look_alike;
mod many_options;
mod memory_behaviour;
mod native_library_added;
mod often_released;
mod opaque_gained;
mod package_added;
mod patched_line;
mod patches_near;
mod placement_widened;
mod public_items_lost;
mod publisher_new;
mod rapid_series;
mod second_version;
mod source_moved;
mod unsafe_gained;
mod update_undone;
mod version_step;
mod versions_skipped;
mod yank_lure;
mod yanked_left;
mod yanked_release;
mod young_crate;

use crate::diff::Change;
use crate::facts::{Dossier, FactKind, Published};
use crate::incidents::Link;
use crate::risk::wording;

use super::model::Parameters;

/// What a signal says about itself.
#[derive(Clone, Copy, Debug)]
pub struct Docs {
    /// What it looks for.
    pub what: &'static str,
    /// Why that matters.
    pub why: &'static str,
    /// A case in which it fires.
    pub example: &'static str,
}

/// What a check may look at.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The change.
    pub change: &'a Change,
    /// Its facts.
    pub dossier: &'a Dossier,
    /// Its links to incidents.
    pub links: &'a [Link],
}

impl Input<'_> {
    /// The publish time of the incoming release as a fact with its source.
    fn published(&self, published: &Published) -> String {
        format!(
            "index: {} published {}",
            wording::incoming(self.change),
            published.at
        )
    }
}

/// What a check found.
#[derive(Clone, Debug, PartialEq)]
pub struct Raised {
    /// Which of the signal's grades; `None` when it has none.
    pub grade: Option<&'static str>,
    /// Which share of the points, from 0 to 1.
    pub share: f64,
    /// Why it fired, in words with figures.
    pub because: String,
    /// What it read, each with its source.
    pub facts: Vec<String>,
}

impl Raised {
    /// All of the points.
    fn new(because: String) -> Self {
        Self {
            grade: None,
            share: 1.0,
            because,
            facts: Vec::new(),
        }
    }

    /// The points of a grade.
    fn graded(grade: &'static str, because: String) -> Self {
        Self {
            grade: Some(grade),
            ..Self::new(because)
        }
    }

    /// A share of the points; cut to the range from 0 to 1.
    fn share(self, share: f64) -> Self {
        Self {
            share: share.clamp(0.0, 1.0),
            ..self
        }
    }

    /// With a fact that was read.
    fn fact(mut self, fact: String) -> Self {
        self.facts.push(fact);
        self
    }

    /// With facts that were read.
    fn facts(mut self, facts: Vec<String>) -> Self {
        self.facts.extend(facts);
        self
    }
}

/// How new a release is, from 1 on its first day towards 0: it is halved at
/// `half-after-days`, and nought from `until-days` on.
fn freshness(input: &Input<'_>, parameters: &Parameters<'_>) -> Option<f64> {
    let age = input.dossier.published.seen()?.age_days.max(0.0);
    let half = parameters.get("half-after-days");
    (age < parameters.get("until-days")).then(|| half / (half + age))
}

/// A count as a share: each further one counts less, and `full_at` counts fully.
fn of_many(count: usize, full_at: f64) -> f64 {
    (count as f64).ln_1p() / full_at.ln_1p()
}

/// One signal.
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    /// Its name, which is its file's with hyphens.
    pub id: &'static str,
    /// What it is about, in a few words.
    pub title: &'static str,
    /// What, why, and an example.
    pub docs: Docs,
    /// The kinds of fact that it reads besides the change itself and its links.
    pub looks_at: &'static [FactKind],
    /// The grades it can have; empty when it has one figure of points.
    pub grades: &'static [&'static str],
    /// The thresholds that it takes from the model.
    pub parameters: &'static [&'static str],
    /// The check.
    pub check: fn(&Input<'_>, &Parameters<'_>) -> Option<Raised>,
}

/// All signals, by id.
pub static SIGNALS: &[&Definition] = &[
    &advisory_fixed::SIGNAL,
    &advisory_history::SIGNAL,
    &advisory_introduced::SIGNAL,
    &advisory_remaining::SIGNAL,
    &archive_odd::SIGNAL,
    &build_code_changed::SIGNAL,
    &build_code_gains::SIGNAL,
    &build_script_added::SIGNAL,
    &capability_gained::SIGNAL,
    &code_unchanged::SIGNAL,
    &commit_unclear::SIGNAL,
    &compiler_raised::SIGNAL,
    &content_changed::SIGNAL,
    &dependencies_changed::SIGNAL,
    &executable_gained::SIGNAL,
    &far_apart::SIGNAL,
    &feature_list_changed::SIGNAL,
    &features_gained::SIGNAL,
    &follows_closely::SIGNAL,
    &fresh_feature_release::SIGNAL,
    &fresh_release::SIGNAL,
    &git_commit::SIGNAL,
    &hollow_update::SIGNAL,
    &hotfix_out::SIGNAL,
    &incident_left::SIGNAL,
    &incident_repeat::SIGNAL,
    &incident_strong::SIGNAL,
    &incident_weak::SIGNAL,
    &licence_changed::SIGNAL,
    &long_silence::SIGNAL,
    &look_alike::SIGNAL,
    &many_options::SIGNAL,
    &memory_behaviour::SIGNAL,
    &native_library_added::SIGNAL,
    &often_released::SIGNAL,
    &opaque_gained::SIGNAL,
    &package_added::SIGNAL,
    &patched_line::SIGNAL,
    &patches_near::SIGNAL,
    &placement_widened::SIGNAL,
    &public_items_lost::SIGNAL,
    &publisher_new::SIGNAL,
    &rapid_series::SIGNAL,
    &second_version::SIGNAL,
    &source_moved::SIGNAL,
    &unsafe_gained::SIGNAL,
    &update_undone::SIGNAL,
    &version_step::SIGNAL,
    &versions_skipped::SIGNAL,
    &yank_lure::SIGNAL,
    &yanked_left::SIGNAL,
    &yanked_release::SIGNAL,
    &young_crate::SIGNAL,
];

#[cfg(test)]
pub(in crate::risk) mod case;
#[cfg(test)]
mod cases;
#[cfg(test)]
mod tests;
