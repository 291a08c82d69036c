//! What becomes of a verdict when evidence takes the place of a canary.

use super::{Decision, Reason, Verdict};

/// A requirement of a canary that evidence met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discharged {
    /// What was required.
    pub reason: Reason,
    /// The record that meets it.
    pub record: String,
}

impl Verdict {
    /// Takes out the reasons for a canary that a record meets, as `record_for`
    /// tells by the rule's id, and decides anew. A reason that blocks, and one
    /// that could not be judged, stays whatever is said of it. `changes` are the
    /// ids of the changes in their order.
    pub fn discharge(
        &mut self,
        changes: &[&str],
        record_for: impl Fn(&str) -> Option<String>,
    ) -> Vec<Discharged> {
        let mut discharged = Vec::new();
        for reason in std::mem::take(&mut self.reasons) {
            let record = match reason.decision {
                Decision::Canary => record_for(&reason.rule),
                Decision::Pass | Decision::Incomplete | Decision::Block => None,
            };
            match record {
                Some(record) => discharged.push(Discharged { reason, record }),
                None => self.reasons.push(reason),
            }
        }
        // The order of the reasons is kept, so the first is still the highest.
        self.decision = self
            .reasons
            .first()
            .map_or(Decision::Pass, |reason| reason.decision);
        for (id, decision) in changes.iter().zip(&mut self.by_change) {
            // A reason about the whole may stand for those of single changes.
            let open = self.reasons.iter().any(|reason| {
                reason.decision == Decision::Canary
                    && reason.change.as_deref().is_none_or(|change| change == *id)
            });
            if *decision == Decision::Canary && !open {
                *decision = Decision::Pass;
            }
        }
        discharged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(rule: &str, change: Option<&str>, decision: Decision) -> Reason {
        Reason {
            rule: rule.into(),
            change: change.map(str::to_owned),
            decision,
            because: String::new(),
            way_out: None,
        }
    }

    fn verdict(reasons: Vec<Reason>, by_change: Vec<Decision>) -> Verdict {
        Verdict {
            decision: reasons[0].decision,
            reasons,
            notices: Vec::new(),
            by_change,
            exempted: Vec::new(),
        }
    }

    #[test]
    fn a_record_meets_canaries_and_nothing_else() {
        use Decision::{Block, Canary, Incomplete, Pass};
        let mut judged = verdict(
            vec![
                reason("x", Some("a"), Block),
                reason("x", Some("b"), Incomplete),
                reason("x", Some("c"), Canary),
            ],
            vec![Block, Incomplete, Canary],
        );
        let met = judged.discharge(&["a", "b", "c"], |_| Some("r".into()));
        assert_eq!(met.len(), 1);
        assert_eq!(met[0].reason.change.as_deref(), Some("c"));
        assert_eq!(judged.decision, Block);
        assert_eq!(judged.by_change, [Block, Incomplete, Pass]);
        assert_eq!(judged.reasons.len(), 2);
    }

    #[test]
    fn what_is_not_met_stays_with_its_changes() {
        use Decision::{Canary, Pass};
        let mut judged = verdict(
            vec![
                reason("x", Some("a"), Canary),
                reason("y", Some("b"), Canary),
            ],
            vec![Canary, Canary],
        );
        let only_x = |rule: &str| (rule == "x").then(|| "r".to_owned());
        judged.discharge(&["a", "b"], only_x);
        assert_eq!(judged.decision, Canary);
        assert_eq!(judged.by_change, [Pass, Canary]);

        let mut judged = verdict(
            vec![reason("x", Some("a"), Canary), reason("all", None, Canary)],
            vec![Canary, Canary],
        );
        judged.discharge(&["a", "b"], only_x);
        assert_eq!(judged.by_change, [Canary, Canary]);
        judged.discharge(&["a", "b"], |_| Some("r".into()));
        assert_eq!(judged.decision, Pass);
        assert_eq!(judged.by_change, [Pass, Pass]);
    }
}
