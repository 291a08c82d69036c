//! Cargo as the judge of mixtures: which updates must move together, and which
//! commands lead from one lock file to another.

use std::collections::BTreeMap;

use super::ground::Ground;
use crate::host::Host;
use crate::lockfile::{Locked, Move, Set, counts, moves};
use crate::pkg::Source;
use crate::snapshot::clean_room::{CleanRoomError, ResolveRoom};
use crate::snapshot::tree::Tree;

/// So many updates that came along are tried to be left out again.
const TRIMMED: usize = 12;
/// Cargo is run so often for one sequence of commands.
const RUNS: usize = 2_000;

/// One `cargo update`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateCommand {
    /// The package, with `@VERSION` where the lock file has several.
    pub spec: String,
    /// The version it is set to, or the commit of a package from git.
    pub to: String,
}

impl UpdateCommand {
    /// As it is typed.
    #[must_use]
    pub fn line(&self) -> String {
        format!("cargo update -p {} --precise {}", self.spec, self.to)
    }
}

/// A lock file that holds, with these moves undone.
pub(super) struct Settled {
    /// All moves that cargo was kept from, those that were asked for included.
    pub(super) back: Set,
    /// Why a move had to come along, by number, and for which other one.
    pub(super) because: BTreeMap<usize, (String, Option<usize>)>,
    /// In the order in which they came along.
    pub(super) order: Vec<usize>,
    pub(super) lock: String,
}

/// Why there is no lock file.
pub(super) struct Stuck {
    pub(super) because: String,
    /// The move that cannot go back beside what stays.
    pub(super) blocked: Option<usize>,
}

/// Commands and where they lead.
pub(super) struct Walk {
    pub(super) commands: Vec<UpdateCommand>,
    pub(super) lock: String,
    /// Whether that is where they should lead.
    pub(super) complete: bool,
    /// What cargo said to a command that did not work.
    pub(super) complaint: Option<String>,
}

pub(super) struct Bench<'h> {
    pub(super) ground: Ground,
    room: ResolveRoom<'h>,
}

impl<'h> Bench<'h> {
    /// A bench. Where that is to be `checked`, the head's lock file holds on it as
    /// it is; the inner error is what cargo says to it.
    pub(super) fn open(
        ground: Ground,
        tree: &dyn Tree,
        host: &'h Host,
        checked: bool,
    ) -> Result<Result<Self, String>, CleanRoomError> {
        let mut bench = Self {
            room: ResolveRoom::open(tree, host)?,
            ground,
        };
        if !checked {
            return Ok(Ok(bench));
        }
        let lock = bench.ground.head_lock.clone();
        Ok(match bench.holds(&lock)? {
            Ok(()) => Ok(bench),
            Err(complaint) => Err(complaint),
        })
    }

    /// Whether a lock file is what cargo would write, `--locked`.
    pub(super) fn holds(&mut self, lock: &str) -> Result<Result<(), String>, CleanRoomError> {
        let both = self.ground.both();
        self.room.set_index(both)?;
        self.room.set_lock(lock)?;
        let settled = self.room.update(&["--workspace", "--locked"])?;
        Ok(settled.map(|_| ()))
    }

    /// How often cargo was run.
    pub(super) fn runs(&self) -> usize {
        self.room.runs()
    }

    /// The smallest lock file with these moves undone: what cannot stay beside
    /// them is undone too, except for what is to be `kept`. The inner error says
    /// why there is none.
    pub(super) fn settle(
        &mut self,
        asked: &Set,
        kept: &Set,
    ) -> Result<Result<Settled, Stuck>, CleanRoomError> {
        let mut settled = match self.closed(asked, kept)? {
            Ok(settled) => settled,
            Err(stuck) => return Ok(Err(stuck)),
        };
        // A complaint can name more than has to move.
        for number in settled.order.clone().into_iter().take(TRIMMED) {
            let mut fewer = settled.back.clone();
            fewer.remove(&number);
            if let Ok(lock) = self.wish(&fewer)? {
                settled.back = fewer;
                settled.lock = lock;
                settled.order.retain(|other| *other != number);
                settled.because.remove(&number);
            }
        }
        Ok(Ok(settled))
    }

    fn wish(&mut self, back: &Set) -> Result<Result<String, String>, CleanRoomError> {
        let choice = self.ground.choice(back);
        self.room.set_index(choice)?;
        self.room.set_lock(&self.ground.pair.wish(back))?;
        self.room.update(&["--workspace"])
    }

    fn closed(
        &mut self,
        asked: &Set,
        kept: &Set,
    ) -> Result<Result<Settled, Stuck>, CleanRoomError> {
        let mut back = asked.clone();
        let mut because = BTreeMap::new();
        let mut order = Vec::new();
        loop {
            let complaint = match self.wish(&back)? {
                Ok(lock) => {
                    return Ok(Ok(Settled {
                        back,
                        because,
                        order,
                        lock,
                    }));
                }
                Err(complaint) => complaint,
            };
            let conflict = Conflict::read(&complaint);
            let found = conflict.in_the_way(self.ground.moves(), &back);
            let Some(number) = found.filter(|number| !kept.contains(number)) else {
                let blocked = conflict.blocked(self.ground.moves(), &back);
                return Ok(Err(Stuck {
                    because: chain(&because, blocked, conflict.in_words(&complaint)),
                    blocked,
                }));
            };
            let needed = conflict.blocked(self.ground.moves(), &back);
            because.insert(number, (conflict.in_words(&complaint), needed));
            order.push(number);
            back.insert(number);
        }
    }

    /// Commands from one lock file to another, each of which works where the one
    /// before has left it. `first` names what is tried first, in that order.
    pub(super) fn walk(
        &mut self,
        start: &str,
        goal: &str,
        first: &[String],
    ) -> Result<Walk, CleanRoomError> {
        let index = self.ground.as_it_is();
        self.room.set_index(index)?;
        let mut walk = Walk {
            commands: Vec::new(),
            lock: start.to_owned(),
            complete: false,
            complaint: None,
        };
        let limit = self.room.runs() + RUNS;
        loop {
            let mut left = differences(&walk.lock, goal);
            if left.is_empty() {
                walk.complete = true;
                return Ok(walk);
            }
            let rank = |change: &Move| {
                let at = first.iter().position(|name| *name == change.package);
                at.unwrap_or(usize::MAX)
            };
            left.sort_by_key(&rank);
            let mut moved = false;
            for change in left {
                moved |= self.step(&mut walk, &change, goal)?;
                if self.room.runs() > limit {
                    return Ok(walk);
                }
            }
            if !moved {
                return Ok(walk);
            }
        }
    }

    /// One command of a walk, if it is still needed and leads nearer to the goal.
    fn step(&mut self, walk: &mut Walk, change: &Move, goal: &str) -> Result<bool, CleanRoomError> {
        let now = differences(&walk.lock, goal);
        let (Some(from), Some(to)) = (&change.from, &change.to) else {
            return Ok(false);
        };
        if !now.contains(change) {
            return Ok(false);
        }
        let Some(command) = command(&walk.lock, &change.package, from, to) else {
            return Ok(false);
        };
        self.room.set_lock(&walk.lock)?;
        let args = [
            "-p",
            command.spec.as_str(),
            "--precise",
            command.to.as_str(),
        ];
        match self.room.update(&args)? {
            Ok(lock) => {
                let left = differences(&lock, goal).len();
                if left < now.len() {
                    walk.lock = lock;
                    walk.commands.push(command);
                    return Ok(true);
                }
            }
            Err(complaint) => walk.complaint = Some(complaint),
        }
        Ok(false)
    }

    /// One command from a lock file, as whoever runs it has the index; the inner
    /// error is what cargo says to it.
    pub(super) fn one(
        &mut self,
        lock: &str,
        command: &UpdateCommand,
    ) -> Result<Result<String, String>, CleanRoomError> {
        let index = self.ground.as_it_is();
        self.room.set_index(index)?;
        self.room.set_lock(lock)?;
        self.room.update(&[
            "-p",
            command.spec.as_str(),
            "--precise",
            command.to.as_str(),
        ])
    }
}

/// Why something cannot be, from what was asked for to what stands against it.
fn chain(
    because: &BTreeMap<usize, (String, Option<usize>)>,
    blocked: Option<usize>,
    last: String,
) -> String {
    let mut links = vec![last];
    let mut at = blocked;
    while let Some((text, needed)) = at.and_then(|number| because.get(&number)) {
        // Each came along after the one that it is needed by.
        if links.len() > because.len() || links.contains(text) {
            break;
        }
        links.push(text.clone());
        at = *needed;
    }
    links.reverse();
    links.join(", and ")
}

/// The command that sets a release of a lock file to another version. Cargo is
/// told a name only where it means nothing else to a shell.
pub(super) fn command(
    lock: &str,
    package: &str,
    from: &Locked,
    to: &Locked,
) -> Option<UpdateCommand> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let is_plain = !package.starts_with('-') && package.chars().all(plain);
    let target = target(from, to)?;
    if !is_plain {
        return None;
    }
    let several = counts(lock)
        .ok()?
        .get(package)
        .is_some_and(|count| *count > 1);
    Some(UpdateCommand {
        spec: if several {
            format!("{package}@{}", from.version)
        } else {
            package.to_owned()
        },
        to: target,
    })
}

/// What a release is set to: a version of the same registry, or a commit of the
/// same repository.
pub(super) fn target(from: &Locked, to: &Locked) -> Option<String> {
    if from.source == to.source {
        return (from.version != to.version).then(|| to.version.to_string());
    }
    let source = |locked: &Locked| Source::parse(locked.source.as_deref()?).ok();
    let (from, to) = (source(from)?, source(to)?);
    match &to {
        Source::Git { rev: Some(rev), .. } if from.same_place(&to) => {
            let is_commit = rev.bytes().all(|byte| byte.is_ascii_hexdigit());
            is_commit.then(|| rev.clone())
        }
        Source::Git { .. } | Source::CratesIo | Source::Registry { .. } | Source::Local => None,
    }
}

/// What is left to do. A lock file that cargo wrote can be read.
fn differences(lock: &str, goal: &str) -> Vec<Move> {
    moves(lock, goal).unwrap_or_default()
}

/// What cargo says when it finds no lock file.
struct Conflict {
    /// What was asked for and is not there, such as `b = "^1.1"`.
    needed: Option<String>,
    /// Who asked for it: name, version, whether it is a package of the build.
    by: Option<(String, String, bool)>,
    /// All packages that are named, in order.
    named: Vec<(String, String)>,
}

impl Conflict {
    fn read(complaint: &str) -> Self {
        let needed = between(complaint, "for the requirement `", "`")
            .or_else(|| between(complaint, "failed to select a version for `", "`"))
            .or_else(|| between(complaint, "no matching package named `", "`"));
        let packages = |text: &str| -> Vec<(String, String, bool)> {
            text.split('`')
                .skip(1)
                .step_by(2)
                .filter_map(package)
                .collect()
        };
        let after = complaint
            .find("required by package `")
            .and_then(|at| complaint.get(at..))
            .unwrap_or_default();
        let by = packages(after).into_iter().next();
        let named = packages(complaint);
        let named = named.into_iter().map(|(name, version, _)| (name, version));
        Self {
            needed,
            by,
            named: named.collect(),
        }
    }

    /// The move that stands against those that are undone.
    fn in_the_way(&self, moves: &[Move], back: &Set) -> Option<usize> {
        let find = |name: &str, version: &str| {
            moves.iter().enumerate().position(|(number, change)| {
                let comes_in = change.to.as_ref().filter(|_| !back.contains(&number));
                change.package == name
                    && comes_in.is_some_and(|to| to.version.to_string() == version)
            })
        };
        match &self.by {
            // A package of the build stands still; what it needs may have to move
            // with what is undone, as `serde_derive` does with `serde`.
            Some((_, _, true)) => self.needed_name().and_then(|name| {
                moves.iter().enumerate().position(|(number, change)| {
                    change.package == name && change.to.is_some() && !back.contains(&number)
                })
            }),
            Some((name, version, false)) if find(name, version).is_some() => find(name, version),
            Some(_) | None => self
                .named
                .iter()
                .find_map(|(name, version)| find(name, version)),
        }
    }

    /// The name of what was asked for.
    fn needed_name(&self) -> Option<&str> {
        self.needed.as_ref()?.split([' ', '=']).next()
    }

    /// The move that is undone although something needs it; else the one whose
    /// former release needs what is no longer there.
    fn blocked(&self, moves: &[Move], back: &Set) -> Option<usize> {
        let name = self.needed_name()?;
        let undone = || back.iter().copied();
        let of = |number: usize| moves.get(number);
        undone()
            .find(|number| of(*number).is_some_and(|it| it.package == name))
            .or_else(|| {
                let (by, version, _) = self.by.as_ref()?;
                let was = |it: &Move| it.from.as_ref().map(|from| from.version.to_string());
                undone().find(|number| {
                    of(*number)
                        .is_some_and(|it| it.package == *by && was(it).as_ref() == Some(version))
                })
            })
    }

    fn in_words(&self, complaint: &str) -> String {
        match (&self.needed, &self.by) {
            (Some(needed), Some((name, version, _))) => {
                let needed = needed.replace(" = \"", " ").replace('"', "");
                format!("{name} {version} needs {needed}")
            }
            _ => {
                let lines = complaint.lines().map(str::trim);
                let mut lines = lines.filter(|line| !line.is_empty() && *line != "Caused by:");
                let first = lines.next().unwrap_or("cargo does not say why");
                let first = first.trim_start_matches("error: ");
                match lines.next() {
                    Some(second) if complaint.contains("Caused by:") => {
                        format!("{first}: {second}")
                    }
                    Some(_) | None => first.to_owned(),
                }
            }
        }
    }
}

/// `name v1.2.3` or `name v1.2.3 (/path)`.
fn package(text: &str) -> Option<(String, String, bool)> {
    let mut words = text.split(' ');
    let name = words.next()?;
    let version = words.next()?.strip_prefix('v')?;
    version.parse::<semver::Version>().ok()?;
    let local = words.next().is_some_and(|place| place.starts_with("(/"));
    Some((name.to_owned(), version.to_owned(), local))
}

fn between(text: &str, start: &str, end: &str) -> Option<String> {
    let (_, rest) = text.split_once(start)?;
    Some(rest.split_once(end)?.0.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPLAINT: &str = "error: failed to select a version for the requirement `b = \"^1.1\"`\n\
        candidate versions found which didn't match: 1.0.0\n\
        location searched: `canary` index (which is replacing registry `crates-io`)\n\
        required by package `a v1.1.0`\n    \
        ... which satisfies dependency `a = \"^1\"` (locked to 1.1.0) of package `app v0.1.0 (/canary/tree)`\n";

    fn change(package: &str, from: &str, to: &str) -> Move {
        let locked = |version: &str| {
            Some(Locked {
                version: version.parse().unwrap(),
                source: Some("registry+x".to_owned()),
            })
        };
        Move {
            package: package.to_owned(),
            from: locked(from),
            to: locked(to),
        }
    }

    #[test]
    fn who_needs_the_newer_release_moves_along() {
        let conflict = Conflict::read(COMPLAINT);
        let moves = [change("a", "1.0.0", "1.1.0"), change("b", "1.0.0", "1.1.0")];
        assert_eq!(conflict.in_the_way(&moves, &Set::from([1])), Some(0));
        assert_eq!(conflict.in_the_way(&moves, &Set::from([0, 1])), None);
        assert_eq!(conflict.in_words(COMPLAINT), "a 1.1.0 needs b ^1.1");
    }

    #[test]
    fn what_the_build_itself_needs_cannot_move() {
        let own = COMPLAINT.replace("package `a v1.1.0`", "package `app v0.1.0 (/canary/tree)`");
        let conflict = Conflict::read(&own);
        let moves = [change("a", "1.0.0", "1.1.0"), change("b", "1.0.0", "1.1.0")];
        assert_eq!(conflict.in_the_way(&moves, &Set::from([1])), None);
        assert_eq!(conflict.in_words(&own), "app 0.1.0 needs b ^1.1");
        assert_eq!(conflict.blocked(&moves, &Set::from([0, 1])), Some(1));
        assert_eq!(conflict.blocked(&moves, &Set::from([0])), None);
    }

    #[test]
    fn what_is_no_longer_there_at_all_is_needed_too() {
        let none = "error: no matching package named `b` found\n\
            location searched: `canary` index (which is replacing registry `crates-io`)\n\
            required by package `a v1.1.0`\n";
        let conflict = Conflict::read(none);
        let mut moves = [change("a", "1.0.0", "1.1.0"), change("b", "1.0.0", "1.1.0")];
        moves[1].from = None;
        assert_eq!(conflict.in_the_way(&moves, &Set::from([1])), Some(0));
        assert_eq!(conflict.blocked(&moves, &Set::from([1])), Some(1));
        assert_eq!(conflict.in_words(none), "a 1.1.0 needs b");
    }

    #[test]
    fn a_former_release_that_lacks_what_it_needs_cannot_come_back() {
        let old = COMPLAINT.replace("`a v1.1.0`", "`a v1.0.0`");
        let conflict = Conflict::read(&old);
        let moves = [change("a", "1.0.0", "1.1.0"), change("b", "1.0.0", "1.1.0")];
        assert_eq!(conflict.blocked(&moves, &Set::from([0])), Some(0));
        assert_eq!(conflict.blocked(&moves, &Set::new()), None);
    }

    #[test]
    fn the_reason_leads_from_what_was_asked_to_what_stands_against_it() {
        // c was asked for; b came along because of it, a because of b.
        let because = BTreeMap::from([
            (1, ("b 2 needs c ^2".to_owned(), Some(2))),
            (0, ("a 2 needs b ^2".to_owned(), Some(1))),
        ]);
        assert_eq!(
            chain(&because, Some(0), "app needs a ^2".to_owned()),
            "b 2 needs c ^2, and a 2 needs b ^2, and app needs a ^2"
        );
        let circle = BTreeMap::from([(0, ("a 2 needs a ^2".to_owned(), Some(0)))]);
        assert_eq!(
            chain(&circle, Some(0), "app needs a ^2".to_owned()),
            "a 2 needs a ^2, and app needs a ^2"
        );
    }

    #[test]
    fn a_command_names_the_version_where_there_are_several() {
        let lock = "version = 4\n[[package]]\nname = \"a\"\nversion = \"1.1.0\"\nsource = \"x\"\n";
        let two = format!("{lock}[[package]]\nname = \"a\"\nversion = \"2.0.0\"\nsource = \"x\"\n");
        let change = change("a", "1.1.0", "1.0.0");
        let (from, to) = (change.from.unwrap(), change.to.unwrap());
        let line = |lock: &str, name: &str| command(lock, name, &from, &to).map(|it| it.line());
        assert_eq!(
            line(lock, "a").as_deref(),
            Some("cargo update -p a --precise 1.0.0")
        );
        assert_eq!(
            line(&two, "a").as_deref(),
            Some("cargo update -p a@1.1.0 --precise 1.0.0")
        );
        for hostile in ["-a", "a;b", "a b", "$(a)", "a\u{1b}"] {
            assert_eq!(line(lock, hostile), None);
        }
    }
}
