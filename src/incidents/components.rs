//! What libraries are for: the closed list of components, and the maintained
//! tables of which crate plays which role, and by what else a role is told. All
//! of it is data.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::defect::{CatalogueError, Defect, Problem};
use super::read::place;
use super::vocabulary::Failure;
use crate::facts::{AdvisoryFact, Purpose, Topic};

/// One role that a library plays.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Component {
    /// Its name.
    pub name: String,
    /// What it stands for, in one line.
    pub docs: String,
}

/// The components, the crates that play them, and what else tells of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Components {
    all: Vec<Component>,
    roles: Table,
    categories: Table,
    keywords: Table,
    needs: Table,
    failures: BTreeMap<Failure, Vec<Topic>>,
    advisories: Vec<String>,
}

/// From a crate or word to components.
type Table = BTreeMap<String, Vec<String>>;

/// A role that a crate plays, and how that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role<'a> {
    /// The component.
    pub component: &'a str,
    /// By what in its manifest, in words; `None` where the table lists the crate.
    pub told_by: Option<String>,
}

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    /// Categories of advisories.
    #[serde(default)]
    advisories: Vec<String>,
    /// Name to one line of docs.
    components: BTreeMap<String, String>,
    /// Component to crates.
    crates: Table,
    /// Component to slugs of the registry's categories.
    #[serde(default)]
    categories: Table,
    /// Component to keywords.
    #[serde(default)]
    keywords: Table,
    /// Component to packages that only such a library needs.
    #[serde(default)]
    needs: Table,
    /// Failure to topics of findings in the source.
    #[serde(default)]
    failures: Table,
}

/// The table that comes with the program.
const BUILT_IN: &str = include_str!("../../incidents/components.toml");
/// Its name in errors.
const FILE: &str = "incidents/components.toml";

impl Components {
    /// The table that comes with the program.
    ///
    /// # Errors
    /// When the table is broken, which a test rules out.
    pub fn built_in() -> Result<Self, CatalogueError> {
        Self::parse(FILE, BUILT_IN)
    }

    /// Reads a table.
    ///
    /// # Errors
    /// When it is not a table of components, or names one that it does not declare.
    pub fn parse(file: &str, text: &str) -> Result<Self, CatalogueError> {
        let broken = |at: usize, problem| {
            let (line, column) = place(text, at);
            let defect = Defect {
                file: file.to_owned(),
                line,
                column,
                problem,
            };
            CatalogueError::Defects {
                defects: vec![defect],
            }
        };
        let read: File = toml::from_str(text).map_err(|error| {
            let message = error.message().to_owned();
            broken(
                error.span().map_or(0, |span| span.start),
                Problem::Syntax { message },
            )
        })?;
        if read.version != 1 {
            return Err(broken(
                0,
                Problem::BadValue {
                    key: "version".to_owned(),
                    expected: "1".to_owned(),
                },
            ));
        }
        let turned = |what: &str, table: &Table| {
            turn(what, table, &read.components).map_err(|problem| broken(0, problem))
        };
        let roles = turned("crates", &read.crates)?;
        let categories = turned("categories", &read.categories)?;
        let keywords = turned("keywords", &read.keywords)?;
        let needs = turned("needs", &read.needs)?;
        let failures = failures(&read.failures).map_err(|problem| broken(0, problem))?;
        let all = read
            .components
            .into_iter()
            .map(|(name, docs)| Component { name, docs })
            .collect();
        Ok(Self {
            all,
            roles,
            categories,
            keywords,
            needs,
            failures,
            advisories: read.advisories,
        })
    }

    /// Every component, by name.
    #[must_use]
    pub fn all(&self) -> &[Component] {
        &self.all
    }

    /// Whether there is a component of this name.
    #[must_use]
    pub fn is_known(&self, name: &str) -> bool {
        self.all
            .binary_search_by(|component| component.name.as_str().cmp(name))
            .is_ok()
    }

    /// What a crate is for, by name; empty when the table does not know it.
    #[must_use]
    pub fn of(&self, package: &str) -> &[String] {
        self.roles
            .get(package)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// What a crate is for: by name; where the table does not know it, by what
    /// its manifest says, the category before keywords before what it needs.
    #[must_use]
    pub fn roles<'a>(&'a self, package: &str, purpose: Option<&Purpose>) -> Vec<Role<'a>> {
        let listed = self.of(package);
        if !listed.is_empty() {
            return listed
                .iter()
                .map(|component| Role {
                    component,
                    told_by: None,
                })
                .collect();
        }
        let Some(purpose) = purpose else {
            return Vec::new();
        };
        let ways: [(&Table, &[String], &str); 3] = [
            (&self.categories, &purpose.categories, "category"),
            (&self.keywords, &purpose.keywords, "keyword"),
            (&self.needs, &purpose.needs, "dependency"),
        ];
        for (table, words, what) in ways {
            let mut roles: Vec<Role<'a>> = Vec::new();
            for word in words {
                for component in table.get(word).into_iter().flatten() {
                    if roles.iter().all(|role| role.component != component) {
                        roles.push(Role {
                            component,
                            told_by: Some(format!("its {what} `{word}`")),
                        });
                    }
                }
            }
            if !roles.is_empty() {
                return roles;
            }
        }
        Vec::new()
    }

    /// The topics of findings in the source that are of the kind of a failure.
    #[must_use]
    pub fn topics(&self, failure: Failure) -> &[Topic] {
        self.failures
            .get(&failure)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// The category by which an advisory tells of memory or another resource.
    #[must_use]
    pub fn resource<'a>(&self, advisory: &'a AdvisoryFact) -> Option<&'a str> {
        let categories = advisory.categories.iter().map(String::as_str);
        let told = |category: &&str| self.advisories.iter().any(|listed| listed == category);
        categories.filter(|_| advisory.is_fault()).find(told)
    }

    /// The names of all crates that the table knows, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.roles.keys().map(String::as_str)
    }

    /// How many crates the table knows.
    #[must_use]
    pub fn crates(&self) -> usize {
        self.roles.len()
    }
}

/// A table from component to words, as one from word to components.
fn turn(what: &str, table: &Table, declared: &BTreeMap<String, String>) -> Result<Table, Problem> {
    let mut turned = Table::new();
    for (component, words) in table {
        if !declared.contains_key(component) {
            let what = format!("{what} are listed for `{component}`, which is not declared");
            return Err(Problem::Contradiction { what });
        }
        for word in words {
            turned
                .entry(word.clone())
                .or_default()
                .push(component.clone());
        }
    }
    Ok(turned)
}

fn failures(table: &Table) -> Result<BTreeMap<Failure, Vec<Topic>>, Problem> {
    let unknown = |word: &str| Problem::Contradiction {
        what: format!("`[failures]` speaks of `{word}`, which is not declared"),
    };
    let mut read = BTreeMap::new();
    for (failure, topics) in table {
        let topics: Result<Vec<Topic>, Problem> = topics
            .iter()
            .map(|word| {
                Topic::ALL
                    .into_iter()
                    .find(|topic| topic.as_str() == word)
                    .ok_or_else(|| unknown(word))
            })
            .collect();
        let failure = Failure::parse(failure).ok_or_else(|| unknown(failure))?;
        read.insert(failure, topics?);
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_knows_the_crates_that_are_really_used() {
        let components = Components::built_in().unwrap();
        assert!(components.crates() >= 300, "{}", components.crates());
        assert_eq!(components.of("serde_json"), ["json"]);
        assert_eq!(components.of("image"), ["image"]);
        assert!(components.of("sqlx").contains(&"database-pool".to_owned()));
        assert!(components.of("no-such-crate").is_empty());
    }

    #[test]
    fn every_component_has_a_line_of_docs() {
        for component in Components::built_in().unwrap().all() {
            assert!(
                component.docs.ends_with('.') && component.docs.len() > 10,
                "{}",
                component.name
            );
        }
    }

    #[test]
    fn lists_are_sorted_and_name_nothing_twice() {
        let read: File = toml::from_str(BUILT_IN).unwrap();
        for table in [
            read.crates,
            read.categories,
            read.keywords,
            read.needs,
            read.failures,
        ] {
            for (component, words) in table {
                let mut sorted = words.clone();
                sorted.sort();
                sorted.dedup();
                assert_eq!(words, sorted, "{component}");
            }
        }
    }

    #[test]
    fn a_crate_that_is_not_listed_is_told_by_its_manifest() {
        let components = Components::built_in().unwrap();
        let purpose = Purpose {
            categories: vec!["multimedia::images".to_owned()],
            keywords: vec!["json".to_owned()],
            needs: vec!["rustls".to_owned()],
        };
        let told = |name: &str, purpose: &Purpose| -> Vec<(String, Option<String>)> {
            let roles = components.roles(name, Some(purpose)).into_iter();
            roles
                .map(|role| (role.component.to_owned(), role.told_by))
                .collect()
        };
        let by =
            |component: &str, words: &str| vec![(component.to_owned(), Some(words.to_owned()))];
        let category = by("image", "its category `multimedia::images`");
        assert_eq!(told("fresh-pixels", &purpose), category);
        let mut purpose = purpose;
        purpose.categories.clear();
        assert_eq!(
            told("fresh-pixels", &purpose),
            by("json", "its keyword `json`")
        );
        purpose.keywords.clear();
        let need = by("tls", "its dependency `rustls`");
        assert_eq!(told("fresh-pixels", &purpose), need);
        // The table is kept by people, and goes before what a crate says of itself.
        assert_eq!(told("image", &purpose), vec![("image".to_owned(), None)]);
        assert!(components.roles("fresh-pixels", None).is_empty());
    }

    #[test]
    fn a_failure_or_topic_that_does_not_exist_is_an_error() {
        let start = "version = 1\n[components]\njson = \"JSON.\"\n[crates]\n[failures]\n";
        for line in ["memory-leek = [\"leak\"]", "memory-leak = [\"leek\"]"] {
            let error = Components::parse("x.toml", &format!("{start}{line}\n")).unwrap_err();
            assert!(error.to_string().contains("leek"), "{error}");
        }
    }

    #[test]
    fn a_role_that_is_not_declared_is_an_error() {
        let text = "version = 1\n[components]\njson = \"JSON.\"\n[crates]\njsom = [\"a\"]\n";
        let error = Components::parse("x.toml", text).unwrap_err().to_string();
        assert!(error.contains("`jsom`"), "{error}");
    }
}
