//! What libraries are for: the closed list of components, and the maintained
//! table of which crate plays which role. Both are data.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::defect::{CatalogueError, Defect, Problem};
use super::read::place;

/// One role that a library plays.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Component {
    /// Its name.
    pub name: String,
    /// What it stands for, in one line.
    pub docs: String,
}

/// The components, and the crates that play them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Components {
    all: Vec<Component>,
    roles: BTreeMap<String, Vec<String>>,
}

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    /// Name to one line of docs.
    components: BTreeMap<String, String>,
    /// Component to crates.
    crates: BTreeMap<String, Vec<String>>,
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
        let mut roles: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (component, crates) in read.crates {
            if !read.components.contains_key(&component) {
                let what = format!("crates are listed for `{component}`, which is not declared");
                return Err(broken(0, Problem::Contradiction { what }));
            }
            for name in crates {
                roles.entry(name).or_default().push(component.clone());
            }
        }
        let all = read
            .components
            .into_iter()
            .map(|(name, docs)| Component { name, docs })
            .collect();
        Ok(Self { all, roles })
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

    /// How many crates the table knows.
    #[must_use]
    pub fn crates(&self) -> usize {
        self.roles.len()
    }
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
    fn lists_are_sorted_and_name_no_crate_twice() {
        let read: File = toml::from_str(BUILT_IN).unwrap();
        for (component, crates) in read.crates {
            let mut sorted = crates.clone();
            sorted.sort();
            sorted.dedup();
            assert_eq!(crates, sorted, "{component}");
        }
    }

    #[test]
    fn a_role_that_is_not_declared_is_an_error() {
        let text = "version = 1\n[components]\njson = \"JSON.\"\n[crates]\njsom = [\"a\"]\n";
        let error = Components::parse("x.toml", text).unwrap_err().to_string();
        assert!(error.contains("`jsom`"), "{error}");
    }
}
