//! Whether a version is in a bad range. Requirements leave pre-releases out;
//! a fault does not.

use std::cmp::Ordering;

use semver::{Comparator, Op, Version, VersionReq};

/// Whether a version is in a range, with pre-releases by their order.
pub(super) fn holds(range: &VersionReq, version: &Version) -> bool {
    if version.pre.is_empty() {
        return range.matches(version);
    }
    range
        .comparators
        .iter()
        .all(|comparator| compare(comparator, version))
}

/// Whether a pre-release satisfies one comparator by the order of versions.
fn compare(comparator: &Comparator, version: &Version) -> bool {
    let (Some(minor), Some(patch)) = (comparator.minor, comparator.patch) else {
        // `~0.19`, `1`: the bounds are releases, and the pre-releases between them count.
        let mut release = version.clone();
        release.pre = semver::Prerelease::EMPTY;
        return comparator.matches(&release);
    };
    let bound = Version {
        major: comparator.major,
        minor,
        patch,
        pre: comparator.pre.clone(),
        build: semver::BuildMetadata::EMPTY,
    };
    let order = version.cmp_precedence(&bound);
    match comparator.op {
        Op::Exact => order == Ordering::Equal,
        Op::Greater => order == Ordering::Greater,
        Op::GreaterEq => order != Ordering::Less,
        Op::Less => order == Ordering::Less,
        Op::LessEq => order != Ordering::Greater,
        // Caret and tilde have both bounds; the type is open for more.
        Op::Tilde | Op::Caret | Op::Wildcard | _ => {
            let mut release = version.clone();
            release.pre = semver::Prerelease::EMPTY;
            order != Ordering::Less && comparator.matches(&release)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(range: &str, version: &str) -> bool {
        holds(&range.parse().unwrap(), &version.parse().unwrap())
    }

    #[test]
    fn releases_follow_the_requirement() {
        assert!(check(">=1.10.0, <1.10.1", "1.10.0"));
        assert!(!check(">=1.10.0, <1.10.1", "1.10.1"));
        assert!(!check("=0.12.0", "0.12.1"));
        assert!(check("~0.19", "0.19.2"));
    }

    #[test]
    fn pre_releases_count_by_their_order() {
        assert!(check("<0.4.0", "0.4.0-rc.1"));
        assert!(check(">=0.4.0-rc1, <0.4.0", "0.4.0-rc1"));
        assert!(!check(">=0.4.0, <0.5.0", "0.4.0-rc.1"));
        assert!(check("~0.19", "0.19.1-beta.1"));
        assert!(!check("^0.4.1", "0.4.1-rc.1"));
    }
}
