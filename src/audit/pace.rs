//! How fast the patches of a package came in the year before the day of judgement,
//! from what its index entry showed on that day. Pure.

use jiff::Timestamp;
use semver::Version;

use super::release::days_between;
use crate::facts::Pace;
use crate::registry::ReleaseLine;

/// How far back is looked.
const YEAR: f64 = 365.0;
/// A patch is near when it is no further away than this.
const NEAR: f64 = 3.0;

/// The pace of a crate's releases, which are in version order, as of a day.
pub(super) fn pace(releases: &[&ReleaseLine], incoming: &Version, as_of: Timestamp) -> Pace {
    let final_ones: Vec<(&Version, f64)> = releases
        .iter()
        .filter(|line| line.version.pre.is_empty())
        .filter_map(|line| Some((&line.version, days_between(line.published?, as_of))))
        .filter(|(_, days_ago)| *days_ago >= 0.0)
        .collect();
    let minor = |version: &Version| (version.major, version.minor);
    let own = minor(incoming);
    // A release is a patch when its minor version had one before it.
    let patches = final_ones
        .iter()
        .zip(final_ones.iter().skip(1))
        .filter(|((before, _), (version, _))| minor(before) == minor(version))
        .map(|(_, (_, days_ago))| *days_ago)
        .filter(|days_ago| *days_ago < YEAR);
    Pace {
        minor_releases_365d: final_ones
            .iter()
            .filter(|(version, days_ago)| minor(version) == own && *days_ago < YEAR)
            .count(),
        newer_minor: final_ones.iter().any(|(version, _)| minor(version) > own),
        days_near_patch_365d: days_near(patches.collect()),
    }
}

/// On how many days of the year a patch was so near: each has the days before it, and
/// those that two of them share count once.
fn days_near(mut days_ago: Vec<f64>) -> f64 {
    days_ago.sort_by(f64::total_cmp);
    let (mut sum, mut until) = (0.0, 0.0_f64);
    // From the latest patch backwards.
    for at in days_ago {
        let (from, to) = (at.max(until), (at + NEAR).min(YEAR));
        sum += (to - from).max(0.0);
        until = until.max(to);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paces(releases: &[(&str, &str)], incoming: &str) -> Pace {
        let day = |text: &str| format!("{text}T00:00:00Z").parse().unwrap();
        let lines: Vec<ReleaseLine> = releases
            .iter()
            .map(|(version, published)| ReleaseLine {
                version: version.parse().unwrap(),
                published: (!published.is_empty()).then(|| day(published)),
                yanked: false,
            })
            .collect();
        let lines: Vec<&ReleaseLine> = lines.iter().collect();
        pace(&lines, &incoming.parse().unwrap(), day("2025-01-01"))
    }

    #[test]
    fn days_before_a_patch_count_once_and_first_releases_of_a_minor_are_none() {
        let found = paces(
            &[
                ("1.0.0", "2023-01-01"),
                // Older than a year.
                ("1.0.1", "2023-12-01"),
                ("1.1.0", "2024-03-01"),
                // Three days before it, and two of the next, which share one.
                ("1.1.1", "2024-03-10"),
                ("1.1.2", "2024-03-12"),
                ("1.2.0-rc.1", "2024-05-01"),
                ("1.2.0", "2024-06-01"),
                // After the day of judgement.
                ("1.2.1", "2025-01-02"),
                // Without a time.
                ("1.2.2", ""),
            ],
            "1.1.2",
        );
        assert!((found.days_near_patch_365d - 5.0).abs() < 1e-9, "{found:?}");
        assert_eq!(found.minor_releases_365d, 3);
        assert!(found.newer_minor);
    }

    #[test]
    fn a_patch_of_an_older_minor_after_a_newer_one_is_a_patch() {
        let found = paces(
            &[
                ("1.0.0", "2024-01-05"),
                ("1.0.1", "2024-07-01"),
                ("1.1.0", "2024-06-01"),
            ],
            "1.1.0",
        );
        assert!((found.days_near_patch_365d - 3.0).abs() < 1e-9, "{found:?}");
        assert_eq!(found.minor_releases_365d, 1);
        assert!(!found.newer_minor);
    }

    #[test]
    fn a_year_ago_is_cut_off() {
        // 364 days before the day of judgement: one day of three is inside.
        let found = paces(&[("1.0.0", "2020-01-01"), ("1.0.1", "2024-01-03")], "1.0.1");
        assert!((found.days_near_patch_365d - 1.0).abs() < 1e-9, "{found:?}");
    }
}
