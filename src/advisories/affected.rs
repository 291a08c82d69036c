//! Version requirements -> the `rustsec` crate's own matcher, guarded against
//! input on which that crate would panic.

use std::collections::BTreeSet;

use rustsec::advisory::Versions;
use semver::{Comparator, Op, Prerelease, VersionReq};

/// More requirements than this in one advisory are refused: the check for
/// overlaps is quadratic.
const MAX_REQUIREMENTS: usize = 256;

/// The matcher for these requirements.
///
/// # Errors
/// What is wrong with them, in words.
pub(super) fn matcher(patched: &[String], unaffected: &[String]) -> Result<Versions, String> {
    if patched.len() + unaffected.len() > MAX_REQUIREMENTS {
        return Err(format!("more than {MAX_REQUIREMENTS} version requirements"));
    }
    let patched = requirements(patched)?;
    let unaffected = requirements(unaffected)?;
    let mut starts = BTreeSet::new();
    for req in patched.iter().chain(&unaffected) {
        if let Some(start) = start(req)
            && !starts.insert(start)
        {
            // The `rustsec` crate asserts that no two ranges start at one version.
            return Err(format!("two version ranges start where `{req}` does"));
        }
    }
    Versions::new(patched, unaffected).map_err(|error| one_line(&error.to_string()))
}

fn requirements(texts: &[String]) -> Result<Vec<VersionReq>, String> {
    texts.iter().map(|text| requirement(text)).collect()
}

fn requirement(text: &str) -> Result<VersionReq, String> {
    let req = VersionReq::parse(text)
        .map_err(|error| format!("version requirement `{}`: {error}", one_line(text)))?;
    // The `rustsec` crate adds one to these numbers without a check.
    let small = |c: &Comparator| {
        [Some(c.major), c.minor, c.patch]
            .into_iter()
            .flatten()
            .all(|number| number <= u64::from(u32::MAX))
    };
    if !req.comparators.iter().all(small) {
        return Err(format!(
            "version requirement `{}`: a number is too large",
            one_line(text)
        ));
    }
    Ok(req)
}

/// The version at which the range of a requirement starts, if it has a start.
fn start(req: &VersionReq) -> Option<(u64, u64, u64, Prerelease)> {
    req.comparators
        .iter()
        .find(|c| [Op::Exact, Op::Greater, Op::GreaterEq, Op::Tilde, Op::Caret].contains(&c.op))
        .map(|c| {
            (
                c.major,
                c.minor.unwrap_or(0),
                c.patch.unwrap_or(0),
                c.pre.clone(),
            )
        })
}

/// A message as one line of at most 200 printable characters.
pub(super) fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_ascii_graphic() { c } else { ' ' })
        .take(200)
        .collect::<String>()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use semver::Version;

    use super::*;

    fn texts(list: &[&str]) -> Vec<String> {
        list.iter().map(|&text| text.to_owned()).collect()
    }

    fn hit(patched: &[&str], unaffected: &[&str], version: &str) -> bool {
        matcher(&texts(patched), &texts(unaffected))
            .unwrap()
            .is_vulnerable(&version.parse().unwrap())
    }

    #[test]
    fn versions_before_the_patch_and_after_the_unaffected_ones_are_hit() {
        assert!(hit(&[">= 1.2.3"], &["< 1.0.0"], "1.1.0"));
        assert!(!hit(&[">= 1.2.3"], &["< 1.0.0"], "1.2.3"));
        assert!(!hit(&[">= 1.2.3"], &["< 1.0.0"], "0.9.0"));
        assert!(hit(&[], &[], "0.0.1"));
    }

    #[test]
    fn a_pre_release_of_the_patched_version_is_hit() {
        assert!(hit(&[">= 1.2.3"], &[], "1.2.3-rc.1"));
    }

    #[test]
    fn what_would_make_the_matcher_panic_is_an_error() {
        let max = u64::MAX;
        for patched in [
            vec![format!("^{max}")],
            vec![format!("<= 1.2.{max}")],
            texts(&["=1.0.0", ">1.0.0"]),
            texts(&["1.*"]),
            texts(&["*", "*"]),
            vec!["=1.0.0".to_owned(); MAX_REQUIREMENTS + 1],
        ] {
            assert!(matcher(&patched, &[]).is_err(), "{patched:?}");
        }
    }

    #[test]
    fn a_message_is_one_short_line() {
        assert_eq!(one_line("a\n\u{1b}[31mb\t c"), "a [31mb c");
        assert!(one_line(&"x".repeat(1000)).len() <= 200);
    }

    /// Whether a requirement names all three numbers everywhere. Of `<= 2` the
    /// `rustsec` crate makes `<= 2.0.0`, Cargo `< 3.0.0`.
    fn is_full(req: &VersionReq) -> bool {
        req.comparators.iter().all(|c| c.patch.is_some())
    }

    const REQUIREMENT: &str =
        "(>|>=|<|<=|=|\\^|~|)[0-2](\\.[0-2](\\.[0-2](-[a0])?)?)?(, ?<=?[0-3]\\.[0-2](\\.[0-2])?)?";

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_list_of_requirements_panics(
            list in prop::collection::vec(REQUIREMENT, 0..6),
            split in 0_usize..6,
            version in "[0-3]\\.[0-3]\\.[0-3](-[a0])?",
        ) {
            let split = split.min(list.len());
            let version: Version = version.parse().unwrap();
            if let Ok(versions) = matcher(&list[..split], &list[split..]) {
                let hit = versions.is_vulnerable(&version);
                let named = list.iter().map(|req| VersionReq::parse(req).unwrap());
                let excluded = version.pre.is_empty()
                    && named.filter(is_full).any(|req| req.matches(&version));
                prop_assert!(!(excluded && hit));
            }
        }
    }
}
