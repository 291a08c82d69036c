//! What the audits of `cargo vet` in a repository say of a release. They are facts
//! to be weighed by their criteria, not a verdict. The files are those that
//! `cargo vet` keeps in `supply-chain/`
//! (<https://mozilla.github.io/cargo-vet/config.html>).

use std::collections::{BTreeMap, BTreeSet};

use semver::{Version, VersionReq};
use toml::{Table, Value};

/// How often reachability is taken further; more than any real chain is long.
const ROUNDS: usize = 1_000;

/// The audits, exemptions and publishers of a repository.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Vet {
    audits: BTreeMap<String, Vec<Entry>>,
    publishers: BTreeMap<String, Vec<Publisher>>,
    /// The criteria that each criterion stands for, itself not counted.
    implies: BTreeMap<String, BTreeSet<String>>,
    /// What could not be read and does not count, in words.
    pub unreadable: Vec<String>,
}

/// What the audits say of one release.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Vetted {
    /// The criteria that it meets as `cargo vet` counts them, exemptions too; sorted.
    pub criteria: Vec<String>,
    /// The criteria that it meets by audits and trust alone; sorted.
    pub reviewed: Vec<String>,
    /// The criteria that it meets by audits and trust alone when those count that
    /// the change itself brings in; sorted.
    pub reviewed_in_change: Vec<String>,
    /// An audit says that this release breaks a criterion.
    pub violation: bool,
}

#[derive(Clone, Debug, PartialEq)]
struct Entry {
    criteria: BTreeSet<String>,
    says: Says,
}

#[derive(Clone, Debug, PartialEq)]
enum Says {
    Full(Version),
    Delta(Version, Version),
    Violation(VersionReq),
    /// Everything that a user published in a time, from day to day.
    Publisher {
        user: i64,
        start: String,
        end: String,
    },
    Exempt(Version),
}

#[derive(Clone, Debug, PartialEq)]
struct Publisher {
    version: Version,
    user: i64,
    when: String,
}

impl Vet {
    /// Reads `audits.toml`, `config.toml` and `imports.lock`, those that there are.
    #[must_use]
    pub fn read(audits: Option<&str>, config: Option<&str>, imports: Option<&str>) -> Self {
        let mut vet = Self::default();
        vet.imply("safe-to-deploy", ["safe-to-run".to_owned()]);
        let audits = vet.table("audits.toml", audits);
        let config = vet.table("config.toml", config);
        let imports = vet.table("imports.lock", imports);
        vet.criteria(&audits);
        vet.entries(&audits, None);
        vet.exemptions(&config);
        vet.publishers(&imports);
        for (peer, file) in tables(&imports, "audits") {
            let map = config
                .get("imports")
                .and_then(|it| it.get(peer))
                .and_then(|it| it.get("criteria-map"))
                .and_then(Value::as_table);
            vet.entries(file, Some((peer, map)));
        }
        vet
    }

    fn table(&mut self, name: &str, text: Option<&str>) -> Table {
        match text.map(str::parse::<Table>) {
            None => Table::new(),
            Some(Ok(table)) => table,
            Some(Err(_)) => {
                self.unreadable.push(format!(
                    "`supply-chain/{name}` is not TOML; nothing in it counts"
                ));
                Table::new()
            }
        }
    }

    fn imply(&mut self, criterion: &str, implied: impl IntoIterator<Item = String>) {
        self.implies
            .entry(criterion.to_owned())
            .or_default()
            .extend(implied);
    }

    fn criteria(&mut self, file: &Table) {
        for (name, entry) in tables(file, "criteria") {
            self.imply(name, words(entry.get("implies")));
        }
    }

    /// The audits, wildcard audits and trust of one file. Criteria of a peer count
    /// when they are built in or mapped.
    fn entries(&mut self, file: &Table, peer: Option<(&str, Option<&Table>)>) {
        let ours = |theirs: BTreeSet<String>| -> BTreeSet<String> {
            let Some((_, map)) = peer else { return theirs };
            theirs
                .into_iter()
                .flat_map(|name| match map.and_then(|map| map.get(&name)) {
                    Some(mapped) => words(Some(mapped)),
                    None if name.starts_with("safe-to-") => BTreeSet::from([name]),
                    None => BTreeSet::new(),
                })
                .collect()
        };
        for (key, publisher) in [
            ("audits", false),
            ("wildcard-audits", true),
            ("trusted", true),
        ] {
            let Some(packages) = file.get(key).and_then(Value::as_table) else {
                continue;
            };
            for (package, entries) in packages {
                for entry in entries.as_array().into_iter().flatten() {
                    let says = if publisher {
                        by_publisher(entry)
                    } else {
                        audit(entry)
                    };
                    match says {
                        Ok(Some(says)) => {
                            let criteria = ours(words(entry.get("criteria")));
                            let all = self.audits.entry(package.clone()).or_default();
                            all.push(Entry { criteria, says });
                        }
                        Ok(None) => {}
                        Err(what) => self
                            .unreadable
                            .push(format!("an audit of `{package}` {what}; it does not count")),
                    }
                }
            }
        }
    }

    fn exemptions(&mut self, config: &Table) {
        let packages = config.get("exemptions").and_then(Value::as_table);
        for (package, entries) in packages.into_iter().flatten() {
            for entry in entries.as_array().into_iter().flatten() {
                if let Some(version) = version(entry.get("version")) {
                    let criteria = words(entry.get("criteria"));
                    let says = Says::Exempt(version);
                    let all = self.audits.entry(package.clone()).or_default();
                    all.push(Entry { criteria, says });
                }
            }
        }
    }

    fn publishers(&mut self, imports: &Table) {
        let packages = imports.get("publisher").and_then(Value::as_table);
        for (package, entries) in packages.into_iter().flatten() {
            for entry in entries.as_array().into_iter().flatten() {
                let user = entry.get("user-id").and_then(Value::as_integer);
                if let (Some(version), Some(user), Some(when)) =
                    (version(entry.get("version")), user, day(entry.get("when")))
                {
                    let all = self.publishers.entry(package.clone()).or_default();
                    all.push(Publisher {
                        version,
                        user,
                        when,
                    });
                }
            }
        }
    }

    /// What the audits say of a release; `in_change` are those of the head.
    #[must_use]
    pub fn of(&self, package: &str, version: &Version, in_change: Option<&Self>) -> Vetted {
        let violation = self
            .audits
            .get(package)
            .into_iter()
            .flatten()
            .any(|entry| matches!(&entry.says, Says::Violation(req) if req.matches(version)));
        Vetted {
            criteria: self.met(package, version, true),
            reviewed: self.met(package, version, false),
            reviewed_in_change: in_change
                .map_or_else(Vec::new, |head| head.met(package, version, false)),
            violation,
        }
    }

    /// The criteria for which a chain of audits ends at the release.
    fn met(&self, package: &str, version: &Version, exempt: bool) -> Vec<String> {
        let entries = self.audits.get(package).map_or(&[][..], Vec::as_slice);
        let criteria: BTreeSet<String> = entries
            .iter()
            .flat_map(|entry| self.closure(&entry.criteria))
            .collect();
        criteria
            .into_iter()
            .filter(|criterion| {
                self.reaches(package, entries, criterion, exempt)
                    .contains(version)
            })
            .collect()
    }

    fn reaches<'a>(
        &'a self,
        package: &str,
        entries: &'a [Entry],
        criterion: &str,
        exempt: bool,
    ) -> BTreeSet<&'a Version> {
        let of: Vec<&Entry> = entries
            .iter()
            .filter(|entry| self.closure(&entry.criteria).contains(criterion))
            .collect();
        let mut reached: BTreeSet<&Version> = BTreeSet::new();
        for entry in &of {
            match &entry.says {
                Says::Full(version) => {
                    reached.insert(version);
                }
                Says::Exempt(version) if exempt => {
                    reached.insert(version);
                }
                Says::Publisher { user, start, end } => {
                    let published = self.publishers.get(package).into_iter().flatten();
                    reached.extend(
                        published
                            .filter(|it| it.user == *user && it.when >= *start && it.when < *end)
                            .map(|it| &it.version),
                    );
                }
                Says::Exempt(_) | Says::Delta(..) | Says::Violation(_) => {}
            }
        }
        for _ in 0..ROUNDS {
            let before = reached.len();
            for entry in &of {
                if let Says::Delta(from, to) = &entry.says
                    && reached.contains(from)
                {
                    reached.insert(to);
                }
            }
            if reached.len() == before {
                break;
            }
        }
        reached
    }

    /// The criteria and all that they stand for.
    fn closure(&self, criteria: &BTreeSet<String>) -> BTreeSet<String> {
        let mut all = criteria.clone();
        let mut waiting: Vec<String> = criteria.iter().cloned().collect();
        while let Some(name) = waiting.pop() {
            for implied in self.implies.get(&name).into_iter().flatten() {
                if all.insert(implied.clone()) {
                    waiting.push(implied.clone());
                }
            }
        }
        all
    }
}

fn tables<'t>(file: &'t Table, key: &str) -> impl Iterator<Item = (&'t str, &'t Table)> {
    let table = file.get(key).and_then(Value::as_table);
    table
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.as_str(), value.as_table()?)))
}

/// A word, or a list of them.
fn words(value: Option<&Value>) -> BTreeSet<String> {
    let Some(value) = value else {
        return BTreeSet::new();
    };
    let one = value.as_str().into_iter();
    let many = value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    one.chain(many).map(str::to_owned).collect()
}

/// A release of a registry; one from git (`1.0.0@git:…`) is not.
fn version(value: Option<&Value>) -> Option<Version> {
    value?.as_str()?.trim().parse().ok()
}

/// A day or a time, as a text that sorts.
fn day(value: Option<&Value>) -> Option<String> {
    let value = value?;
    let time = value.as_datetime().map(ToString::to_string);
    let text = time.or_else(|| value.as_str().map(str::to_owned))?;
    text.get(..10).map(str::to_owned)
}

fn audit(entry: &Value) -> Result<Option<Says>, &'static str> {
    let text = |key: &str| entry.get(key).and_then(Value::as_str);
    if let Some(violation) = text("violation") {
        let req = VersionReq::parse(violation).map_err(|_| "has a violation that is no range")?;
        return Ok(Some(Says::Violation(req)));
    }
    if let Some(delta) = text("delta") {
        if delta.contains('@') {
            return Ok(None);
        }
        let (from, to) = delta.split_once("->").ok_or("has a delta without `->`")?;
        let version = |text: &str| {
            text.trim()
                .parse()
                .map_err(|_| "has a delta of no versions")
        };
        return Ok(Some(Says::Delta(version(from)?, version(to)?)));
    }
    match text("version") {
        Some(text) if text.contains('@') => Ok(None),
        Some(text) => {
            let version = text.parse().map_err(|_| "has a version that is none")?;
            Ok(Some(Says::Full(version)))
        }
        None => Err("says neither `version` nor `delta` nor `violation`"),
    }
}

fn by_publisher(entry: &Value) -> Result<Option<Says>, &'static str> {
    let user = entry.get("user-id").and_then(Value::as_integer);
    match (user, day(entry.get("start")), day(entry.get("end"))) {
        (Some(user), Some(start), Some(end)) => Ok(Some(Says::Publisher { user, start, end })),
        // Trust in a repository's workflow has no user.
        (None, _, _) => Ok(None),
        _ => Err("has no `start` or no `end`"),
    }
}
