//! What history teaches: for each kind of fault how likely it is, by a logistic
//! regression over a few signals. What they amount to together is told as points
//! that add up.

use std::collections::BTreeMap;

use super::Column;

/// A way in which an update goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// An advisory is published later for what came in.
    Advisory,
    /// What came in is withdrawn later, alone or among few.
    Withdrawal,
    /// A release so fresh that its repair is still to come within three days.
    Hotfix,
    /// A patch comes within three days after the update, however old the release is.
    FollowUp,
}

impl Fault {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 4] = [
        Self::Advisory,
        Self::Withdrawal,
        Self::Hotfix,
        Self::FollowUp,
    ];

    /// The name used in files and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Advisory => "advisory",
            Self::Withdrawal => "withdrawal",
            Self::Hotfix => "hot-fix",
            Self::FollowUp => "follow-up",
        }
    }

    /// What happens, in words that follow "the likelihood of".
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Advisory => "a later advisory",
            Self::Withdrawal => "a later withdrawal",
            Self::Hotfix => "a hot-fix within three days",
            Self::FollowUp => "another patch within three days",
        }
    }

    /// How much one of them counts in the score beside the others. An advisory
    /// hurts more than a hot-fix, and is far rarer; that another patch follows is
    /// a nuisance, which is told and does not count.
    #[must_use]
    pub fn counts(self) -> f64 {
        match self {
            Self::Advisory => 4.0,
            Self::Withdrawal => 2.0,
            Self::Hotfix => 1.0,
            Self::FollowUp => 0.0,
        }
    }
}

/// The regression of one kind of fault.
#[derive(Clone, Debug, PartialEq)]
pub struct Regression {
    /// Natural log-odds where no signal fires.
    pub at_zero: f64,
    /// What a full share of a signal adds to them; never negative.
    pub weights: BTreeMap<Column, f64>,
}

impl Regression {
    /// What a signal adds.
    fn adds(&self, (column, share): &(Column, f64)) -> f64 {
        self.weights
            .get(column)
            .map_or(0.0, |weight| weight * share)
    }

    /// What all signals that fire add.
    #[must_use]
    pub fn adds_of(&self, shares: &[(Column, f64)]) -> f64 {
        shares.iter().map(|it| self.adds(it)).sum()
    }

    /// How likely it is, from 0 to 1.
    #[must_use]
    pub fn likelihood(&self, shares: &[(Column, f64)]) -> f64 {
        sigmoid(self.at_zero + self.adds_of(shares))
    }
}

/// The regressions of all kinds.
pub type Faults = BTreeMap<Fault, Regression>;

/// Steps along the way from nothing to what was seen.
const STEPS: u32 = 16;

/// What each signal adds to the log-odds of harm, where harm is the sum of the
/// likelihoods, each times what it counts.
///
/// A signal may speak for one kind of fault and not for another, so that the sum
/// is no longer linear. It is shared out by the way of Aumann and Shapley (1974,
/// "Values of Non-Atomic Games"; as integrated gradients in Sundararajan, Taly and
/// Yan 2017, arXiv:1703.01365): each signal gets what it adds along the straight
/// way from nothing to what was seen. The parts add up to the whole, none is
/// negative, and what fires in no regression gets nothing.
pub(super) fn contributions(faults: &Faults, shares: &[(Column, f64)]) -> Vec<f64> {
    let ways: Vec<Way> = faults
        .iter()
        .map(|(fault, regression)| Way {
            counts: fault.counts(),
            at_zero: regression.at_zero,
            adds: shares.iter().map(|it| regression.adds(it)).collect(),
        })
        .collect();
    let mut parts = vec![0.0; shares.len()];
    for (way, pull) in ways.iter().zip(pulls(&ways)) {
        for (part, adds) in parts.iter_mut().zip(&way.adds) {
            *part += pull * adds;
        }
    }
    // The sum over steps is close to the whole; it is made equal.
    let whole = harm(&ways, 1.0) - harm(&ways, 0.0);
    let sum: f64 = parts.iter().sum();
    for part in &mut parts {
        *part = if sum > 0.0 { *part * whole / sum } else { 0.0 };
    }
    parts
}

/// One kind of fault along the way from nothing to what was seen.
struct Way {
    counts: f64,
    at_zero: f64,
    /// What each signal adds at the end of the way.
    adds: Vec<f64>,
}

impl Way {
    fn likelihood(&self, at: f64) -> f64 {
        sigmoid(self.at_zero + at * self.adds.iter().sum::<f64>())
    }
}

/// How much the log-odds of harm rise with those of each kind, as a mean over the way.
fn pulls(ways: &[Way]) -> Vec<f64> {
    let mut pulls = vec![0.0; ways.len()];
    for step in 0..STEPS {
        let at = (f64::from(step) + 0.5) / f64::from(STEPS);
        let mean = mean(ways, at);
        let slope = counted(ways) * mean * (1.0 - mean);
        for (pull, way) in pulls.iter_mut().zip(ways) {
            let p = way.likelihood(at);
            *pull += way.counts * p * (1.0 - p) / slope / f64::from(STEPS);
        }
    }
    pulls
}

fn counted(ways: &[Way]) -> f64 {
    ways.iter().map(|way| way.counts).sum::<f64>().max(1.0)
}

/// The mean likelihood, by what each kind counts; never quite 0 or 1.
fn mean(ways: &[Way], at: f64) -> f64 {
    let each = ways.iter().map(|way| way.counts * way.likelihood(at));
    (each.sum::<f64>() / counted(ways)).clamp(1e-12, 1.0 - 1e-12)
}

/// Log-odds of the mean likelihood.
fn harm(ways: &[Way], at: f64) -> f64 {
    let mean = mean(ways, at);
    (mean / (1.0 - mean)).ln()
}

fn sigmoid(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const COLUMNS: [Column; 3] = [
        ("fresh-release", None),
        ("version-step", Some("major")),
        ("many-options", None),
    ];

    fn faults(weights: [[f64; 3]; 4]) -> Faults {
        let each = Fault::ALL.into_iter().zip(weights);
        each.map(|(fault, weights)| {
            let weights = COLUMNS.into_iter().zip(weights).collect();
            let at_zero = -5.0;
            (fault, Regression { at_zero, weights })
        })
        .collect()
    }

    #[test]
    fn a_likelihood_is_that_of_the_log_odds() {
        let faults = faults([[2.0, 1.0, 0.0]; 4]);
        let shares = [
            (COLUMNS[0], 0.5),
            (COLUMNS[1], 1.0),
            (("yank-lure", None), 1.0),
        ];
        let likelihood = faults[&Fault::Advisory].likelihood(&shares);
        // -5 + 2 * 0.5 + 1 = -3; 1 / (1 + e^3) = 0.04743.
        assert!((likelihood - 0.04743).abs() < 1e-5, "{likelihood}");
    }

    #[test]
    fn with_one_kind_of_fault_the_parts_are_the_weights() {
        let mut faults = faults([[2.0, 1.0, 0.0]; 4]);
        faults.retain(|fault, _| *fault == Fault::Hotfix);
        let parts = contributions(&faults, &[(COLUMNS[0], 0.5), (COLUMNS[1], 1.0)]);
        assert!(
            (parts[0] - 1.0).abs() < 1e-9 && (parts[1] - 1.0).abs() < 1e-9,
            "{parts:?}"
        );
    }

    #[test]
    fn what_is_only_told_and_does_not_count_gives_no_points() {
        let faults = faults([[0.0; 3], [0.0; 3], [0.0; 3], [3.0; 3]]);
        let parts = contributions(&faults, &[(COLUMNS[0], 1.0), (COLUMNS[1], 1.0)]);
        assert!(parts.iter().all(|part| part.abs() < 1e-12), "{parts:?}");
    }

    #[test]
    fn an_advisory_counts_for_more_than_a_hot_fix_of_the_same_likelihood() {
        let first = |weights| contributions(&faults(weights), &[(COLUMNS[0], 1.0)])[0];
        let none = [0.0; 3];
        let advisory = first([[2.0, 0.0, 0.0], none, none, none]);
        let hotfix = first([none, none, [2.0, 0.0, 0.0], none]);
        assert!(advisory > 2.0 * hotfix, "{advisory} {hotfix}");
    }

    proptest! {
        #[test]
        fn the_parts_add_up_and_rise_with_their_signal(
            weights in prop::array::uniform4(prop::array::uniform3(0.0_f64..4.0)),
            shares in prop::array::uniform3(0.0_f64..1.0),
            more in 0.0_f64..1.0,
            at in 0_usize..3,
        ) {
            let faults = faults(weights);
            let whole = |shares: [f64; 3]| {
                let shares: Vec<_> = COLUMNS.into_iter().zip(shares).collect();
                let parts = contributions(&faults, &shares);
                prop_assert!(parts.iter().all(|part| *part >= 0.0), "{:?}", parts);
                Ok(parts.iter().sum::<f64>())
            };
            let sum = whole(shares)?;
            let mean = |shares: [f64; 3]| {
                let shares: Vec<_> = COLUMNS.into_iter().zip(shares).collect();
                let each = faults.iter().map(|(fault, it)| fault.counts() * it.likelihood(&shares));
                each.sum::<f64>() / 7.0
            };
            let odds = |mean: f64| (mean / (1.0 - mean)).ln();
            prop_assert!((sum - (odds(mean(shares)) - odds(mean([0.0; 3])))).abs() < 1e-9);
            let mut larger = shares;
            larger[at] = (larger[at] + more).min(1.0);
            prop_assert!(whole(larger)? >= sum - 1e-12);
        }
    }
}
