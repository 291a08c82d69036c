//! The facts of a release from its crate's index entry, as they could be known
//! on the day of judgement. Pure.

use jiff::Timestamp;
use semver::Version;

use super::pace::pace;
use crate::facts::{
    FactKind, Finding, Gap, GapReason, History, LaterRelease, LaterReleases, Published,
    YankCluster, Yanked,
};
use crate::pkg::compatible;
use crate::registry::ReleaseLine;

/// Days between two times; negative when `to` is before `from`.
pub(super) fn days_between(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64() / 86_400.0
}

/// One crate's releases as they could be seen on a day.
pub(super) struct Releases<'a> {
    /// In version order; those published after the day are left out.
    visible: Vec<&'a ReleaseLine>,
    as_of: Timestamp,
    /// The index was read so long after the day of judgement that a withdrawal
    /// it shows may have come later.
    withdrawals_are_later: bool,
}

fn line_of<'a>(lines: &[&'a ReleaseLine], version: &Version) -> Option<&'a ReleaseLine> {
    lines.iter().find(|line| line.version == *version).copied()
}

impl<'a> Releases<'a> {
    /// The releases that were out on the day, and those of the two builds,
    /// whatever their time says.
    pub(super) fn new(
        lines: &'a [ReleaseLine],
        builds: &[&Version],
        as_of: Timestamp,
        withdrawals_are_later: bool,
    ) -> Self {
        let visible = lines
            .iter()
            .filter(|line| {
                line.published.is_none_or(|at| at <= as_of) || builds.contains(&&line.version)
            })
            .collect();
        Self {
            visible,
            as_of,
            withdrawals_are_later,
        }
    }

    fn line(&self, version: &Version) -> Result<&'a ReleaseLine, GapReason> {
        line_of(&self.visible, version).ok_or(GapReason::NotInRegistry)
    }

    fn time(&self, version: &Version) -> Result<Timestamp, GapReason> {
        self.line(version)?.published.ok_or(GapReason::NotRecorded)
    }

    pub(super) fn published(&self, name: &str, version: &Version) -> Finding<Published> {
        match self.time(version) {
            Ok(at) => Finding::Seen(Published {
                at,
                age_days: days_between(at, self.as_of),
            }),
            Err(reason) => unknown(FactKind::PublishTime, reason, name, version),
        }
    }

    pub(super) fn yanked(
        &self,
        name: &str,
        incoming: &Version,
        outgoing: Option<&Version>,
    ) -> Finding<Yanked> {
        let line = match self.line(incoming) {
            Ok(line) => line,
            Err(reason) => return unknown(FactKind::Yanked, reason, name, incoming),
        };
        let before = outgoing
            .and_then(|version| self.line(version).ok())
            .is_some_and(|line| line.yanked);
        if self.withdrawals_are_later && line.yanked {
            return Finding::Unknown(Gap {
                fact: FactKind::Yanked,
                reason: GapReason::NotKnownAsOf,
                detail: format!(
                    "{name} {incoming} is withdrawn now; the index does not say since when"
                ),
            });
        }
        Finding::Seen(Yanked {
            incoming: line.yanked,
            outgoing: before && !self.withdrawals_are_later,
        })
    }

    pub(super) fn later(&self, name: &str, version: &Version) -> Finding<LaterReleases> {
        let at = match self.time(version) {
            Ok(at) => at,
            Err(reason) => return unknown(FactKind::LaterReleases, reason, name, version),
        };
        let releases = self
            .visible
            .iter()
            .filter(|line| {
                line.version > *version
                    && line.version.pre.is_empty()
                    && compatible(&line.version, version)
            })
            .filter_map(|line| {
                Some(LaterRelease {
                    version: line.version.clone(),
                    after_days: days_between(at, line.published?),
                    yanked: line.yanked && !self.withdrawals_are_later,
                })
            })
            .collect();
        Finding::Seen(LaterReleases { releases })
    }

    pub(super) fn yank_cluster(&self, name: &str, version: &Version) -> Finding<YankCluster> {
        let before: Vec<_> = self
            .visible
            .iter()
            .filter(|line| {
                line.version < *version
                    && line.version.pre.is_empty()
                    && compatible(&line.version, version)
            })
            .collect();
        let withdrawn: Vec<Version> = before
            .iter()
            .filter(|line| line.yanked)
            .map(|line| line.version.clone())
            .collect();
        if self.withdrawals_are_later && !withdrawn.is_empty() {
            return Finding::Unknown(Gap {
                fact: FactKind::YankCluster,
                reason: GapReason::NotKnownAsOf,
                detail: format!(
                    "{} before {name} {version} are withdrawn now; the index does not say since when",
                    withdrawn.len()
                ),
            });
        }
        let only_one_left = !withdrawn.is_empty() && withdrawn.len() == before.len();
        Finding::Seen(YankCluster {
            predecessors: before.len(),
            withdrawn,
            only_one_left,
        })
    }

    pub(super) fn history(
        &self,
        name: &str,
        incoming: &Version,
        outgoing: Option<&Version>,
    ) -> Finding<History> {
        let at = match self.time(incoming) {
            Ok(at) => at,
            Err(reason) => return unknown(FactKind::History, reason, name, incoming),
        };
        let earlier: Vec<Timestamp> = self
            .visible
            .iter()
            .filter(|line| line.version != *incoming)
            .filter_map(|line| line.published)
            .filter(|time| *time < at)
            .collect();
        let first = earlier.iter().min().copied().unwrap_or(at);
        let skipped = outgoing.map_or(0, |outgoing| {
            self.visible
                .iter()
                .filter(|line| {
                    line.version > *outgoing
                        && line.version < *incoming
                        && line.version.pre.is_empty()
                        // Who withdrew what since is not known on the day.
                        && (self.withdrawals_are_later || !line.yanked)
                })
                .count()
        });
        Finding::Seen(History {
            prior_releases: earlier.len(),
            crate_age_days: days_between(first, self.as_of),
            gap_before_days: earlier.iter().max().map(|last| days_between(*last, at)),
            releases_90d: earlier
                .iter()
                .filter(|time| days_between(**time, at) <= 90.0)
                .count(),
            versions_skipped: skipped,
            pace: pace(&self.visible, incoming, self.as_of),
        })
    }
}

fn unknown<T>(fact: FactKind, reason: GapReason, name: &str, version: &Version) -> Finding<T> {
    let detail = if reason == GapReason::NotInRegistry {
        format!("the index entry of {name} has no {version}")
    } else {
        format!("the index entry of {name} {version} has no publish time")
    };
    Finding::Unknown(Gap {
        fact,
        reason,
        detail,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(version: &str, day: &str, yanked: bool) -> ReleaseLine {
        ReleaseLine {
            version: version.parse().unwrap(),
            published: (!day.is_empty()).then(|| format!("{day}T00:00:00Z").parse().unwrap()),
            yanked,
        }
    }

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    fn day(text: &str) -> Timestamp {
        format!("{text}T00:00:00Z").parse().unwrap()
    }

    #[test]
    fn what_comes_after_the_day_of_judgement_is_not_seen() {
        let lines = [
            line("1.0.0", "2024-01-01", false),
            line("1.0.1", "2024-02-01", false),
            line("1.0.2", "2024-02-02", false),
            line("1.0.3", "2024-03-01", false),
        ];
        let incoming = version("1.0.1");
        let releases = Releases::new(&lines, &[&incoming], day("2024-02-10"), false);
        let later = releases
            .later("a", &incoming)
            .seen()
            .unwrap()
            .releases
            .clone();
        assert_eq!(later.len(), 1);
        assert_eq!(later[0].version, version("1.0.2"));
        assert!((later[0].after_days - 1.0).abs() < 1e-9);
        let published = *releases.published("a", &incoming).seen().unwrap();
        assert!((published.age_days - 9.0).abs() < 1e-9);
    }

    #[test]
    fn a_release_from_the_future_keeps_its_negative_age() {
        let lines = [line("1.0.0", "2024-03-01", false)];
        let incoming = version("1.0.0");
        let releases = Releases::new(&lines, &[&incoming], day("2024-02-28"), false);
        let published = *releases.published("a", &incoming).seen().unwrap();
        assert!((published.age_days + 2.0).abs() < 1e-9);
    }

    #[test]
    fn a_missing_publish_time_is_a_gap_and_never_old() {
        let lines = [line("1.0.0", "", false)];
        let incoming = version("1.0.0");
        let releases = Releases::new(&lines, &[&incoming], day("2024-02-28"), false);
        let finding = releases.published("a", &incoming);
        assert_eq!(finding.gap().unwrap().reason, GapReason::NotRecorded);
    }

    #[test]
    fn a_withdrawal_read_later_is_not_held_against_an_earlier_day() {
        let lines = [
            line("1.0.0", "2024-01-01", true),
            line("1.0.1", "2024-02-01", true),
        ];
        let incoming = version("1.0.1");
        let releases = Releases::new(&lines, &[&incoming], day("2024-02-28"), true);
        assert_eq!(
            releases.yanked("a", &incoming, None).gap().unwrap().reason,
            GapReason::NotKnownAsOf
        );
        assert_eq!(
            releases.yank_cluster("a", &incoming).gap().unwrap().reason,
            GapReason::NotKnownAsOf
        );
        let now = Releases::new(&lines, &[&incoming], day("2024-02-28"), false);
        assert!(now.yanked("a", &incoming, None).seen().unwrap().incoming);
        let cluster = now.yank_cluster("a", &incoming).seen().unwrap().clone();
        assert!(cluster.only_one_left);
        assert_eq!(cluster.predecessors, 1);
    }

    #[test]
    fn releases_that_were_withdrawn_since_count_as_skipped() {
        let lines = [
            line("1.0.0", "2024-01-01", false),
            line("1.0.1", "2024-01-15", true),
            line("1.0.2", "2024-02-01", false),
        ];
        let (incoming, outgoing) = (version("1.0.2"), version("1.0.0"));
        let skipped = |withdrawals_are_later| {
            let builds = [&incoming, &outgoing];
            let releases = Releases::new(&lines, &builds, day("2024-02-02"), withdrawals_are_later);
            let history = releases.history("a", &incoming, Some(&outgoing));
            history.seen().unwrap().versions_skipped
        };
        assert_eq!(skipped(true), 1, "on the day nobody had withdrawn it");
        assert_eq!(skipped(false), 0);
    }

    #[test]
    fn history_counts_releases_before_the_incoming_one() {
        let lines = [
            line("0.9.0", "2023-01-01", false),
            line("1.0.0", "2024-01-01", false),
            line("1.0.1", "2024-01-15", false),
            line("1.0.2", "2024-02-01", false),
        ];
        let (incoming, outgoing) = (version("1.0.2"), version("1.0.0"));
        let releases = Releases::new(&lines, &[&incoming, &outgoing], day("2024-02-02"), false);
        let history = *releases
            .history("a", &incoming, Some(&outgoing))
            .seen()
            .unwrap();
        assert_eq!(history.prior_releases, 3);
        assert_eq!(history.releases_90d, 2);
        assert_eq!(history.versions_skipped, 1);
        assert!((history.gap_before_days.unwrap() - 17.0).abs() < 1e-9);
    }

    #[test]
    fn a_version_that_the_index_does_not_have_is_a_gap() {
        let lines = [line("1.0.0", "2024-01-01", false)];
        let incoming = version("2.0.0");
        let releases = Releases::new(&lines, &[&incoming], day("2024-02-02"), false);
        assert_eq!(
            releases.yanked("a", &incoming, None).gap().unwrap().reason,
            GapReason::NotInRegistry
        );
    }
}
