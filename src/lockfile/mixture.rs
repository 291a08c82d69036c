//! Lock files between two lock files. A mixture is a wish; cargo turns it into
//! a lock file that holds, and what that really has in place is read back.

use std::collections::BTreeSet;

use toml::Value;

use super::side::{self, MixtureError, Side};

/// Updates, by number.
pub type Set = BTreeSet<usize>;

/// The two lock files and what differs between them.
#[derive(Clone, Debug)]
pub struct Mixtures {
    base: Side,
    head: Side,
    /// The names whose versions differ and that are in both, sorted: the
    /// updates, by number.
    names: Vec<String>,
    /// The names that are in one of them only, sorted.
    one_sided: Vec<String>,
}

impl Mixtures {
    /// Reads two lock files.
    ///
    /// # Errors
    /// When one is no lock file.
    pub fn new(base: &str, head: &str) -> Result<Self, MixtureError> {
        let base = Side::parse(base, "base")?;
        let head = Side::parse(head, "head")?;
        let all: BTreeSet<&String> = base.packages.keys().chain(head.packages.keys()).collect();
        let (mut names, mut one_sided) = (Vec::new(), Vec::new());
        for name in all {
            let (before, after) = (base.releases(name), head.releases(name));
            if before.is_empty() || after.is_empty() {
                one_sided.push(name.clone());
            } else if before != after
                && before
                    .iter()
                    .chain(&after)
                    .any(|(_, source)| source.is_some())
            {
                names.push(name.clone());
            }
        }
        Ok(Self {
            base,
            head,
            names,
            one_sided,
        })
    }

    /// The names of the updates, by number.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The names that come or go with an update, sorted.
    #[must_use]
    pub fn one_sided(&self) -> &[String] {
        &self.one_sided
    }

    /// The wish for a lock file with these updates and without the others.
    #[must_use]
    pub fn wish(&self, updates: &Set) -> String {
        let taken: BTreeSet<&str> = updates
            .iter()
            .filter_map(|number| self.names.get(*number))
            .map(String::as_str)
            .collect();
        let mut packages = Vec::new();
        let all: BTreeSet<&String> = self
            .base
            .packages
            .keys()
            .chain(self.head.packages.keys())
            .collect();
        for name in all {
            let (first, second) = if taken.contains(name.as_str()) {
                (&self.head, &self.base)
            } else {
                (&self.base, &self.head)
            };
            let entries = first
                .packages
                .get(name)
                .or_else(|| second.packages.get(name));
            for entry in entries.into_iter().flatten() {
                packages.push(Value::Table(entry.table.clone()));
            }
        }
        side::write(packages, &self.head, &self.base)
    }

    /// The first update among these packages, each written as cargo writes it
    /// (`name v1.2.3`, or the name alone), that is not wanted yet.
    pub fn missing(&self, packages: &[&str], wanted: &Set) -> Option<usize> {
        packages
            .iter()
            .filter_map(|package| package.split(' ').next())
            .filter_map(|name| self.names.iter().position(|known| known == name))
            .find(|number| !wanted.contains(number))
    }

    /// Which updates a lock file has in place; the error names a release that
    /// neither of the two has.
    ///
    /// # Errors
    /// When it is no lock file, or has a release of its own.
    pub fn in_place(&self, lock: &str, wanted: &Set) -> Result<Set, String> {
        let side = Side::parse(lock, "candidate").map_err(|error| error.to_string())?;
        for name in side.packages.keys() {
            let known: BTreeSet<_> = self
                .base
                .releases(name)
                .union(&self.head.releases(name))
                .copied()
                .collect();
            if let Some((version, _)) = side.releases(name).difference(&known).next() {
                return Err(format!("{name} v{version}"));
            }
        }
        let mut set = Set::new();
        for (number, name) in self.names.iter().enumerate() {
            let now = side.releases(name);
            let before = now.is_subset(&self.base.releases(name));
            let after = now.is_subset(&self.head.releases(name));
            let moved = match (before, after) {
                (true, false) => false,
                (false, true) => true,
                (true, true) | (false, false) => wanted.contains(&number),
            };
            if moved {
                set.insert(number);
            }
        }
        Ok(set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "version = 4\n\
        [[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\"a\", \"old\"]\n\
        [[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"registry+x\"\nchecksum = \"11\"\n\
        [[package]]\nname = \"b\"\nversion = \"1.0.0\"\nsource = \"registry+x\"\n\
        [[package]]\nname = \"old\"\nversion = \"1.0.0\"\nsource = \"registry+x\"\n";
    const HEAD: &str = "version = 4\n\
        [[package]]\nname = \"app\"\nversion = \"0.1.0\"\n\
        [[package]]\nname = \"a\"\nversion = \"1.1.0\"\nsource = \"registry+x\"\nchecksum = \"22\"\n\
        [[package]]\nname = \"b\"\nversion = \"1.2.0\"\nsource = \"registry+x\"\n\
        [[package]]\nname = \"new\"\nversion = \"1.0.0\"\nsource = \"registry+x\"\n";

    #[test]
    fn updates_are_the_names_on_both_sides_that_differ() {
        let mixtures = Mixtures::new(BASE, HEAD).unwrap();
        assert_eq!(mixtures.names(), ["a", "b"]);
        assert_eq!(mixtures.one_sided(), ["new", "old"]);
    }

    #[test]
    fn a_wish_takes_each_name_from_its_side() {
        let mixtures = Mixtures::new(BASE, HEAD).unwrap();
        let wish = mixtures.wish(&Set::from([1]));
        let side = Side::parse(&wish, "candidate").unwrap();
        assert_eq!(
            side.releases("a"),
            BTreeSet::from([("1.0.0", Some("registry+x"))])
        );
        assert_eq!(
            side.releases("b"),
            BTreeSet::from([("1.2.0", Some("registry+x"))])
        );
        assert!(wish.contains("checksum = \"11\"") && !wish.contains("dependencies"));
        assert_eq!(
            mixtures.in_place(&wish, &Set::new()).unwrap(),
            Set::from([1])
        );
    }

    #[test]
    fn a_release_of_neither_side_is_no_mixture() {
        let mixtures = Mixtures::new(BASE, HEAD).unwrap();
        let lock = HEAD.replace("1.2.0", "1.3.0");
        let error = mixtures.in_place(&lock, &Set::new()).unwrap_err();
        assert_eq!(error, "b v1.3.0");
        assert_eq!(mixtures.missing(&["app", &error], &Set::new()), Some(1));
        assert_eq!(mixtures.missing(&[&error], &Set::from([1])), None);
    }

    #[test]
    fn what_is_no_lock_file_is_said_to_be_none() {
        assert!(Mixtures::new("<<<<<<< ours", HEAD).is_err());
        assert!(Mixtures::new("[[package]]\nname = 3\n", HEAD).is_err());
    }
}
