//! From what each commit holds to when each release came and went. Pure.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::Held;
use super::history::{Fact, History};

/// What is gathered about one release in one lock file.
#[derive(Default)]
struct Gathered {
    entered: Vec<(i64, String)>,
    left: Vec<(i64, String)>,
    commits: usize,
    refs: Vec<String>,
}

/// The releases that were ever held, sorted.
pub(super) fn of(history: &History, repository: &Path) -> Vec<Held> {
    let places: BTreeMap<&str, usize> = history
        .commits
        .iter()
        .enumerate()
        .map(|(place, commit)| (commit.id.as_str(), place))
        .collect();
    let mut all: BTreeMap<&Fact, Gathered> = BTreeMap::new();
    for (commit, holds) in history.commits.iter().zip(&history.holds) {
        let parents: Vec<_> = commit
            .parents
            .iter()
            .filter_map(|parent| history.holds.get(*places.get(parent.as_str())?))
            .collect();
        for fact in holds.iter() {
            let gathered = all.entry(fact).or_default();
            gathered.commits += 1;
            if !parents.iter().any(|parent| parent.contains(fact)) {
                gathered.entered.push((commit.time, commit.id.clone()));
            }
        }
        // The same set as a parent's loses nothing against it.
        for parent in parents.iter().filter(|parent| !Arc::ptr_eq(parent, holds)) {
            for fact in parent.difference(holds) {
                let gathered = all.entry(fact).or_default();
                let left = (commit.time, commit.id.clone());
                if gathered.left.last() != Some(&left) {
                    gathered.left.push(left);
                }
            }
        }
    }
    for (name, commit) in &history.tips {
        let Some(holds) = places
            .get(commit.as_str())
            .and_then(|place| history.holds.get(*place))
        else {
            continue;
        };
        for fact in holds.iter() {
            all.entry(fact).or_default().refs.push(name.clone());
        }
    }
    let mut held: Vec<Held> = all
        .into_iter()
        .map(|(fact, gathered)| finished(fact, gathered, repository))
        .collect();
    held.sort();
    held
}

fn finished((lock, release): &Fact, mut gathered: Gathered, repository: &Path) -> Held {
    gathered.entered.sort();
    gathered.left.sort();
    gathered.refs.sort();
    let time = |seconds: i64| Timestamp::from_second(seconds).unwrap_or_default();
    let gone = gathered
        .refs
        .is_empty()
        .then(|| gathered.left.last().map(|(at, _)| time(*at)))
        .flatten();
    Held {
        repository: repository.to_owned(),
        lock: lock.to_string(),
        version: release.version.clone(),
        source: release.source.clone(),
        checksum: release.checksum.clone(),
        from: time(gathered.entered.first().map_or(0, |(at, _)| *at)),
        to: gone,
        entered: gathered.entered.into_iter().map(|(_, id)| id).collect(),
        left: gathered.left.into_iter().map(|(_, id)| id).collect(),
        commits: gathered.commits,
        refs: gathered.refs,
    }
}
