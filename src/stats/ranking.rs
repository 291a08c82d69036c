//! How well a score puts what went wrong before what did not.

/// The area under the curve of hits over false alarms: the probability that one
/// that went wrong has a higher score than one that did not, ties counted half
/// (Hanley and McNeil 1982, doi:10.1148/radiology.143.1.7063747). `None` unless
/// there are both. Rows are (score, went wrong); scores must not be NaN.
#[must_use]
pub fn roc_auc(rows: &[(f64, bool)]) -> Option<f64> {
    let sorted = descending(rows);
    let bad = sorted.iter().filter(|row| row.1).count() as f64;
    let good = sorted.len() as f64 - bad;
    if bad == 0.0 || good == 0.0 {
        return None;
    }
    let (mut won, mut above) = (0.0, 0.0);
    for tie in ties(&sorted) {
        let hits = tie.iter().filter(|row| row.1).count() as f64;
        let misses = tie.len() as f64 - hits;
        won += misses * (above + hits / 2.0);
        above += hits;
    }
    Some(won / (bad * good))
}

/// The mean precision over all hits, with the expected value over the orders of
/// ties (the area under the precision-recall curve by steps, each tie one step).
#[must_use]
pub fn average_precision(rows: &[(f64, bool)]) -> Option<f64> {
    let sorted = descending(rows);
    let bad = sorted.iter().filter(|row| row.1).count() as f64;
    if bad == 0.0 {
        return None;
    }
    let (mut sum, mut seen, mut hits) = (0.0, 0.0, 0.0);
    for tie in ties(&sorted) {
        let new = tie.iter().filter(|row| row.1).count() as f64;
        seen += tie.len() as f64;
        hits += new;
        sum += new / bad * (hits / seen);
    }
    Some(sum)
}

/// The share of what went wrong among the highest `share` of the rows; a tie at
/// the border counts in part.
#[must_use]
pub fn recall_at(rows: &[(f64, bool)], share: f64) -> Option<f64> {
    let sorted = descending(rows);
    let bad = sorted.iter().filter(|row| row.1).count() as f64;
    if bad == 0.0 {
        return None;
    }
    let mut left = share.clamp(0.0, 1.0) * sorted.len() as f64;
    let mut hits = 0.0;
    for tie in ties(&sorted) {
        let taken = left.min(tie.len() as f64);
        hits += tie.iter().filter(|row| row.1).count() as f64 * taken / tie.len() as f64;
        left -= taken;
        if left <= 0.0 {
            break;
        }
    }
    Some(hits / bad)
}

/// The mean square of probability against outcome (Brier 1950).
#[must_use]
pub fn brier(rows: &[(f64, bool)]) -> Option<f64> {
    let sum: f64 = rows
        .iter()
        .map(|(probability, outcome)| (probability - f64::from(u8::from(*outcome))).powi(2))
        .sum();
    (!rows.is_empty()).then(|| sum / rows.len() as f64)
}

fn descending(rows: &[(f64, bool)]) -> Vec<(f64, bool)> {
    let mut sorted = rows.to_vec();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    sorted
}

fn ties(sorted: &[(f64, bool)]) -> impl Iterator<Item = &[(f64, bool)]> {
    sorted.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: Option<f64>, wanted: f64) {
        let found = found.unwrap();
        assert!((found - wanted).abs() < 1e-12, "{found} is not {wanted}");
    }

    #[test]
    fn a_known_example_by_hand() {
        // Scores 0.1 0.4 0.35 0.8 with outcomes 0 0 1 1: the example of
        // scikit-learn's manual, area 0.75, average precision 0.8333.
        let rows = [(0.1, false), (0.4, false), (0.35, true), (0.8, true)];
        near(roc_auc(&rows), 0.75);
        near(average_precision(&rows), 5.0 / 6.0);
        near(recall_at(&rows, 0.25), 0.5);
        near(recall_at(&rows, 0.75), 1.0);
        near(brier(&rows), (0.01 + 0.16 + 0.65 * 0.65 + 0.04) / 4.0);
    }

    #[test]
    fn ties_count_half_and_order_does_not_matter() {
        let rows = [(1.0, true), (1.0, false), (1.0, false), (0.0, true)];
        near(roc_auc(&rows), 0.25);
        near(average_precision(&rows), 0.5 / 3.0 + 0.5 * 2.0 / 4.0);
        near(recall_at(&rows, 0.25), 1.0 / 6.0);
        let mut turned = rows;
        turned.reverse();
        assert_eq!(roc_auc(&rows), roc_auc(&turned));
        assert_eq!(average_precision(&rows), average_precision(&turned));
    }

    #[test]
    fn without_both_outcomes_there_is_no_figure() {
        assert_eq!(roc_auc(&[(1.0, true)]), None);
        assert_eq!(average_precision(&[(1.0, false)]), None);
        assert_eq!(recall_at(&[], 0.5), None);
        assert_eq!(brier(&[]), None);
    }
}
