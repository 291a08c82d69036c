//! What is taken over of a file of `cargo deny`
//! (<https://embarkstudios.github.io/cargo-deny/checks/cfg.html>), in the forms of
//! its old and its present versions.

use toml::{Table, Value};

/// A file of `cargo deny` that is not TOML.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` is not TOML: {detail}")]
pub struct DenyError {
    /// The file.
    pub path: String,
    /// What the reader says, with the line.
    pub detail: String,
}

/// How much something matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Severity {
    Allow,
    Warn,
    Deny,
}

impl Severity {
    /// The effect of a rule; `None` for no rule.
    pub(super) fn then(self) -> Option<&'static str> {
        match self {
            Self::Allow => None,
            Self::Warn => Some("warn"),
            Self::Deny => Some("block"),
        }
    }

    /// As written; `warn` where nothing is.
    fn of(value: Option<&Value>) -> Self {
        match value.and_then(Value::as_str) {
            Some("deny") => Self::Deny,
            Some("allow") => Self::Allow,
            Some(_) | None => Self::Warn,
        }
    }
}

/// What is taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Deny {
    pub(super) targets: Vec<String>,
    /// Ids of advisories, each with its reason.
    pub(super) ignored: Vec<(String, Option<String>)>,
    pub(super) unknown_registry: Severity,
    pub(super) unknown_git: Severity,
    /// Registries besides the default one.
    pub(super) registries: Vec<String>,
    /// Whether the default registry is allowed.
    pub(super) crates_io: bool,
    pub(super) git: Vec<String>,
    /// `https://HOST/ORGANISATION`.
    pub(super) organisations: Vec<String>,
    /// Names of packages, each with its reason.
    pub(super) banned: Vec<(String, Option<String>)>,
    pub(super) allowed: Vec<String>,
    pub(super) skipped: Vec<String>,
    pub(super) multiple_versions: Severity,
    /// What is not taken over, in words.
    pub(super) left: Vec<String>,
}

impl Deny {
    pub(super) fn read(path: &str, text: &str) -> Result<Self, DenyError> {
        let file: Table = text.parse().map_err(|error: toml::de::Error| {
            let line = error.span().map(|span| {
                let before = text.as_bytes().get(..span.start).unwrap_or_default();
                memchr::memchr_iter(b'\n', before).count() + 1
            });
            let line = line
                .map(|line| format!("line {line}: "))
                .unwrap_or_default();
            DenyError {
                path: path.to_owned(),
                detail: format!("{line}{}", error.message()),
            }
        })?;
        let section = |name: &str| {
            file.get(name)
                .and_then(Value::as_table)
                .cloned()
                .unwrap_or_default()
        };
        let (sources, bans) = (section("sources"), section("bans"));
        let mut deny = Self {
            targets: Vec::new(),
            ignored: Vec::new(),
            unknown_registry: Severity::of(sources.get("unknown-registry")),
            unknown_git: Severity::of(sources.get("unknown-git")),
            registries: Vec::new(),
            crates_io: true,
            git: Vec::new(),
            organisations: Vec::new(),
            banned: Vec::new(),
            allowed: Vec::new(),
            skipped: Vec::new(),
            multiple_versions: Severity::of(bans.get("multiple-versions")),
            left: Vec::new(),
        };
        // `[graph]` since cargo-deny 0.15; at the top before.
        let targets = section("graph")
            .get("targets")
            .or_else(|| file.get("targets"))
            .cloned();
        deny.targets(targets.as_ref());
        deny.advisories(&section("advisories"));
        deny.sources(&sources);
        deny.bans(&bans);
        if file.contains_key("licenses") {
            deny.left
                .push("`[licenses]`: licences stay with cargo deny".to_owned());
        }
        Ok(deny)
    }

    fn targets(&mut self, targets: Option<&Value>) {
        for target in list(targets) {
            let triple = target.as_str().or_else(|| target.get("triple")?.as_str());
            match triple {
                Some(triple) if triple.contains('-') && is_plain(triple) => {
                    self.targets.push(triple.to_owned());
                }
                Some(_) | None => self.left.push(format!("the target {target}")),
            }
        }
        self.targets.sort();
        self.targets.dedup();
    }

    fn advisories(&mut self, advisories: &Table) {
        for entry in list(advisories.get("ignore")) {
            let reason = entry
                .get("reason")
                .and_then(Value::as_str)
                .map(str::to_owned);
            let id = entry.as_str().or_else(|| entry.get("id")?.as_str());
            match id {
                Some(id) if is_plain(id) => self.ignored.push((id.to_owned(), reason)),
                Some(_) | None => self.left.push(format!("the ignored entry {entry}")),
            }
        }
    }

    fn sources(&mut self, sources: &Table) {
        if sources.contains_key("allow-registry") {
            self.crates_io = false;
        }
        for entry in list(sources.get("allow-registry")) {
            match entry.as_str() {
                Some(url) if is_default(url) => self.crates_io = true,
                Some(url) if is_url(url) => self.registries.push(url.to_owned()),
                Some(_) | None => self.left.push(format!("the allowed registry {entry}")),
            }
        }
        for entry in list(sources.get("allow-git")) {
            match entry.as_str() {
                Some(url) if is_url(url) => self.git.push(url.to_owned()),
                Some(_) | None => self.left.push(format!("the allowed repository {entry}")),
            }
        }
        let organisations = sources.get("allow-org").and_then(Value::as_table);
        for (host, names) in organisations.into_iter().flatten() {
            let url = match host.as_str() {
                "github" => "https://github.com",
                "gitlab" => "https://gitlab.com",
                "bitbucket" => "https://bitbucket.org",
                _ => {
                    self.left.push(format!("the organisations of `{host}`"));
                    continue;
                }
            };
            for name in list(Some(names)).iter().filter_map(Value::as_str) {
                if is_plain(name) {
                    self.organisations.push(format!("{url}/{name}"));
                }
            }
        }
        for key in ["required-git-spec", "private"] {
            if sources.contains_key(key) {
                self.left.push(format!("`sources.{key}`"));
            }
        }
    }

    fn bans(&mut self, bans: &Table) {
        for entry in list(bans.get("deny")) {
            let Some((name, version)) = package(&entry) else {
                self.left.push(format!("the ban {entry}"));
                continue;
            };
            let has = |key: &str| {
                entry
                    .get(key)
                    .is_some_and(|value| !list(Some(value)).is_empty())
            };
            if let Some(version) = version {
                self.left.push(format!(
                    "the ban of {name} {version}: conditions know no ranges of versions"
                ));
            } else if has("wrappers") {
                self.left
                    .push(format!("the ban of {name} but below its wrappers"));
            } else {
                let reason = ["reason", "use-instead"]
                    .iter()
                    .find_map(|key| entry.get(*key)?.as_str().map(str::to_owned));
                self.banned.push((name, reason));
            }
        }
        for entry in list(bans.get("allow")) {
            match package(&entry) {
                Some((name, None)) => self.allowed.push(name),
                Some((name, Some(version))) => {
                    self.left.push(format!(
                        "the allowed range {version} of {name}; all its versions are allowed"
                    ));
                    self.allowed.push(name);
                }
                None => self.left.push(format!("the allowed package {entry}")),
            }
        }
        for key in ["skip", "skip-tree"] {
            for entry in list(bans.get(key)) {
                match package(&entry) {
                    Some((name, _)) if key == "skip" => self.skipped.push(name),
                    Some(_) | None => self.left.push(format!("`bans.{key}` {entry}")),
                }
            }
        }
        self.skipped.sort();
        self.skipped.dedup();
        for key in ["wildcards", "features", "workspace-dependencies", "build"] {
            if bans.get(key).is_some_and(|it| it.as_str() != Some("allow")) {
                self.left.push(format!("`bans.{key}`"));
            }
        }
    }
}

fn list(value: Option<&Value>) -> Vec<Value> {
    value.and_then(Value::as_array).cloned().unwrap_or_default()
}

/// A package and the versions that are meant, in all forms: `"name"`,
/// `"name@1.0"`, `"name:1.0"`, `{ crate = "name@1.0" }`, `{ name = "name", version = "1.0" }`.
fn package(entry: &Value) -> Option<(String, Option<String>)> {
    let keys = ["crate", "name", "package"];
    let spec = entry
        .as_str()
        .or_else(|| keys.iter().find_map(|key| entry.get(*key)?.as_str()))?;
    let (name, version) = match spec.split_once(['@', ':']) {
        Some((name, version)) => (name, Some(version)),
        None => (spec, entry.get("version").and_then(Value::as_str)),
    };
    let version = version.filter(|version| *version != "*").map(str::to_owned);
    is_plain(name).then(|| (name.to_owned(), version))
}

/// Whether a word can stand in a condition as it is.
fn is_plain(word: &str) -> bool {
    !word.is_empty()
        && word
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

fn is_url(url: &str) -> bool {
    url.contains("://")
        && url
            .chars()
            .all(|c| c.is_ascii_graphic() && !"\"'\\`{}".contains(c))
}

fn is_default(url: &str) -> bool {
    let bare = url
        .trim_start_matches("sparse+")
        .trim_start_matches("registry+");
    let bare = bare.trim_end_matches('/');
    bare == "https://github.com/rust-lang/crates.io-index" || bare == "https://index.crates.io"
}
