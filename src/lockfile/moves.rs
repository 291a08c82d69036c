//! What sets two lock files apart, release by release: a package with two live
//! versions of which one moved has one move.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;

use super::mixture::Set;
use super::side::{self, Entry, MixtureError, Side};
use crate::pkg;

/// One release in the place of another, or one that comes or goes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Move {
    /// The package.
    pub package: String,
    /// The release of the first lock file; `None` when it has none.
    pub from: Option<Locked>,
    /// The release of the second lock file; `None` when it has none.
    pub to: Option<Locked>,
}

/// A release as a lock file writes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Locked {
    /// The version.
    pub version: Version,
    /// The source, as the lock file spells it; `None` for a local package.
    pub source: Option<String>,
}

/// Two lock files and the moves from the first to the second.
#[derive(Clone, Debug)]
pub struct Pair {
    base: Side,
    head: Side,
    moves: Vec<Move>,
}

impl Pair {
    /// Reads two lock files.
    ///
    /// # Errors
    /// When one is no lock file.
    pub fn new(base: &str, head: &str) -> Result<Self, MixtureError> {
        let (base, head) = (Side::parse(base, "base")?, Side::parse(head, "head")?);
        let moves = between(&base, &head);
        Ok(Self { base, head, moves })
    }

    /// The moves, sorted by package. Local packages do not move.
    #[must_use]
    pub fn moves(&self) -> &[Move] {
        &self.moves
    }

    /// The wish for the second lock file with these moves undone. What comes or
    /// goes with a move is offered too; cargo drops what nothing needs.
    #[must_use]
    pub fn wish(&self, back: &Set) -> String {
        let mut packages = Vec::new();
        let mut moved: BTreeSet<(&str, &Locked)> = BTreeSet::new();
        for (number, change) in self.moves.iter().enumerate() {
            let name = change.package.as_str();
            moved.extend(change.to.iter().map(|to| (name, to)));
            let (side, wanted) = match (back.contains(&number), &change.from, &change.to) {
                (true, from, _) => (&self.base, from),
                (false, from, None) => (&self.base, from),
                (false, _, to) => (&self.head, to),
            };
            let entry = wanted.as_ref().and_then(|wanted| find(side, name, wanted));
            packages.extend(entry.map(|entry| side.linked(entry)));
        }
        for (name, entries) in &self.head.packages {
            for entry in entries {
                if locked(entry).is_none_or(|locked| !moved.contains(&(name.as_str(), &locked))) {
                    packages.push(self.head.linked(entry));
                }
            }
        }
        side::write(packages, &self.head, &self.base)
    }

    /// The versions that cargo may choose from with these moves undone, by
    /// package, without local ones: what is in both, what was there before, and
    /// what comes in with the moves that are not undone.
    #[must_use]
    pub fn choice(&self, back: &Set) -> BTreeMap<String, BTreeSet<Version>> {
        let mut choice = self.all();
        for number in back {
            let Some(change) = self.moves.get(*number) else {
                continue;
            };
            let stays = |version: &Version| {
                let still = |other: &Locked| other.version == *version;
                let before = self.releases(&self.base, &change.package);
                before.iter().any(still)
            };
            if let Some(to) = change.to.as_ref().filter(|to| !stays(&to.version))
                && let Some(versions) = choice.get_mut(&change.package)
            {
                versions.remove(&to.version);
            }
        }
        choice
    }

    /// Every version of both lock files, by package, without local ones.
    #[must_use]
    pub fn all(&self) -> BTreeMap<String, BTreeSet<Version>> {
        let mut all: BTreeMap<String, BTreeSet<Version>> = BTreeMap::new();
        for side in [&self.base, &self.head] {
            for name in side.packages.keys() {
                for release in self.releases(side, name) {
                    if release.source.is_some() {
                        all.entry(name.clone()).or_default().insert(release.version);
                    }
                }
            }
        }
        all
    }

    fn releases(&self, side: &Side, name: &str) -> Vec<Locked> {
        let entries = side.packages.get(name);
        entries.into_iter().flatten().filter_map(locked).collect()
    }
}

/// The moves from one lock file to another.
///
/// # Errors
/// When one is no lock file.
pub fn moves(from: &str, to: &str) -> Result<Vec<Move>, MixtureError> {
    let (from, to) = (Side::parse(from, "base")?, Side::parse(to, "head")?);
    Ok(between(&from, &to))
}

/// How many versions of each package a lock file holds.
///
/// # Errors
/// When it is no lock file.
pub fn counts(lock: &str) -> Result<BTreeMap<String, usize>, MixtureError> {
    let side = Side::parse(lock, "base")?;
    let counted = side.packages.into_iter();
    Ok(counted.map(|(name, all)| (name, all.len())).collect())
}

fn locked(entry: &Entry) -> Option<Locked> {
    Some(Locked {
        version: entry.version.parse().ok()?,
        source: entry.source.clone(),
    })
}

fn find<'s>(side: &'s Side, name: &str, wanted: &Locked) -> Option<&'s Entry> {
    let entries = side.packages.get(name)?;
    entries
        .iter()
        .find(|entry| locked(entry).as_ref() == Some(wanted))
}

fn between(base: &Side, head: &Side) -> Vec<Move> {
    let names: BTreeSet<&String> = base.packages.keys().chain(head.packages.keys()).collect();
    let mut moves = Vec::new();
    for name in names {
        let releases = |side: &Side| -> BTreeSet<Locked> {
            let entries = side.packages.get(name);
            let third_party = entries.into_iter().flatten().filter_map(locked);
            third_party.filter(|it| it.source.is_some()).collect()
        };
        let (before, after) = (releases(base), releases(head));
        let mut gone: Vec<Locked> = before.difference(&after).cloned().collect();
        let mut come: Vec<Locked> = after.difference(&before).cloned().collect();
        let mut pair = |from: Option<Locked>, to: Option<Locked>| {
            moves.push(Move {
                package: name.clone(),
                from,
                to,
            });
        };
        // Within one compatibility line first; of what is left, the highest with
        // the highest.
        let mut at = 0;
        while let Some(from) = gone.get(at) {
            let same = come
                .iter()
                .position(|to| pkg::compatible(&from.version, &to.version));
            match same {
                Some(other) => pair(Some(gone.remove(at)), Some(come.remove(other))),
                None => at += 1,
            }
        }
        loop {
            match (gone.pop(), come.pop()) {
                (None, None) => break,
                (from, to) => pair(from, to),
            }
        }
    }
    moves.sort();
    moves
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    fn lock(packages: &[(&str, &str)]) -> String {
        let mut text = "version = 4\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\n".to_owned();
        for (name, version) in packages {
            let _ = write!(
                text,
                "[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"registry+x\"\n"
            );
        }
        text
    }

    fn shown(moves: &[Move]) -> Vec<String> {
        let version = |side: &Option<Locked>| {
            side.as_ref()
                .map_or("-".to_owned(), |it| it.version.to_string())
        };
        moves
            .iter()
            .map(|it| format!("{} {} {}", it.package, version(&it.from), version(&it.to)))
            .collect()
    }

    #[test]
    fn live_versions_of_one_package_move_apart() {
        let base = lock(&[("rand", "0.8.4"), ("rand", "0.9.0"), ("old", "1.0.0")]);
        let head = lock(&[("rand", "0.8.5"), ("rand", "0.9.1"), ("new", "1.0.0")]);
        let pair = Pair::new(&base, &head).unwrap();
        assert_eq!(
            shown(pair.moves()),
            [
                "new - 1.0.0",
                "old 1.0.0 -",
                "rand 0.8.4 0.8.5",
                "rand 0.9.0 0.9.1"
            ]
        );
        let wish = pair.wish(&Set::from([3]));
        let left = moves(&wish, &head).unwrap();
        assert_eq!(shown(&left), ["old 1.0.0 -", "rand 0.9.0 0.9.1"]);
        let choice = pair.choice(&Set::from([0, 3]));
        assert!(choice["new"].is_empty());
        let of_rand: Vec<String> = choice["rand"].iter().map(ToString::to_string).collect();
        assert_eq!(of_rand, ["0.8.4", "0.8.5", "0.9.0"]);
    }

    #[test]
    fn a_new_line_is_a_move_of_its_own() {
        let base = lock(&[("a", "1.0.0")]);
        let head = lock(&[("a", "1.0.0"), ("a", "2.0.0")]);
        assert_eq!(shown(&moves(&base, &head).unwrap()), ["a - 2.0.0"]);
        let head = lock(&[("a", "2.0.0")]);
        assert_eq!(shown(&moves(&base, &head).unwrap()), ["a 1.0.0 2.0.0"]);
    }

    #[test]
    fn local_packages_do_not_move() {
        let base = lock(&[]);
        assert!(
            moves(&base, &base.replace("0.1.0", "0.2.0"))
                .unwrap()
                .is_empty()
        );
    }
}
