//! The rules that every snapshot keeps, whichever way it was made.

use std::collections::BTreeMap;

use super::{Package, Role, Snapshot, Workspace};

/// At most this many broken rules are named.
const MOST: usize = 20;

impl Snapshot {
    /// Checks that the snapshot keeps its own rules: what is sorted is sorted
    /// and without duplicates, what points somewhere points to something, and
    /// placements do not contradict themselves.
    ///
    /// # Errors
    /// The broken rules, in words; the first twenty of them.
    pub fn verify(&self) -> Result<(), Vec<String>> {
        let mut broken = Vec::new();
        if !self.workspaces.is_sorted_by(|a, b| a.path < b.path) {
            broken.push("workspaces are not sorted by path, each once".to_owned());
        }
        if !self.not_covered.is_sorted_by(|a, b| a < b) {
            broken.push("what is not covered is not sorted, each once".to_owned());
        }
        let is_digest =
            |text: &str| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
        if !self
            .input
            .digest
            .strip_prefix("sha256:")
            .is_some_and(is_digest)
        {
            broken.push(format!("`{}` is not a digest", self.input.digest));
        }
        for workspace in &self.workspaces {
            broken.extend(workspace_rules(workspace).into_iter().take(MOST));
        }
        broken.truncate(MOST);
        if broken.is_empty() {
            Ok(())
        } else {
            Err(broken)
        }
    }
}

fn workspace_rules(workspace: &Workspace) -> Vec<String> {
    let mut broken = Vec::new();
    let count = workspace.packages.len();
    let mut say = |what: String| broken.push(format!("workspace `{}`: {what}", workspace.path));
    if workspace.path.is_empty() || workspace.path.starts_with('/') {
        say("its path is not one below the root".to_owned());
    }
    if !workspace.packages.is_sorted_by(|a, b| a.id < b.id) {
        say("packages are not sorted by id, each once".to_owned());
    }
    if !workspace.lock_lines.is_empty() && workspace.lock_lines.len() != count {
        say(format!(
            "{} lock lines for {count} packages",
            workspace.lock_lines.len()
        ));
    }
    let known: BTreeMap<_, _> = workspace
        .packages
        .iter()
        .map(|package| (&package.id, ()))
        .collect();
    for id in workspace.gaps.iter().filter_map(|(id, _)| id.as_ref()) {
        if !known.contains_key(id) {
            say(format!("a gap for {id}, which is not in it"));
        }
    }
    for package in &workspace.packages {
        for what in package_rules(package, count) {
            say(format!("{}: {what}", package.id));
        }
    }
    broken
}

fn package_rules(package: &Package, count: usize) -> Vec<&'static str> {
    let placement = &package.placement;
    let roles = &placement.roles;
    let rules = [
        (
            package.edges.iter().all(|edge| edge.to < count),
            "an edge to nowhere",
        ),
        (
            package.edges.is_sorted_by(|a, b| a.to < b.to),
            "edges are not sorted, each once",
        ),
        (!roles.is_empty(), "no role"),
        (
            !roles.contains(&Role::Dev) || roles.len() == 1,
            "`dev` is not its only role",
        ),
        (
            !roles.contains(&Role::Unbuilt) || roles.len() == 1,
            "`unbuilt` is not its only role",
        ),
        (
            !roles.contains(&Role::Unbuilt) || placement.targets.is_empty(),
            "targets, and yet not built",
        ),
        (
            !roles.contains(&Role::Unbuilt)
                || (placement.target_features.is_empty() && placement.host_features.is_empty()),
            "features, and yet not built",
        ),
        (
            package.checksum.as_ref().is_none_or(|sum| {
                sum.len() == 64 && sum.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
            }),
            "its checksum is not one",
        ),
    ];
    rules
        .into_iter()
        .filter(|(holds, _)| !holds)
        .map(|(_, what)| what)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::{Edge, lock, lock_only};
    use crate::snapshot::{GraphKind, Input, InputKind, NotCovered};

    fn snapshot() -> Snapshot {
        let text = "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\ndependencies = [\n \"b\",\n]\n\n[[package]]\nname = \"b\"\nversion = \"1.0.0\"\n";
        let lock = lock::parse(text, "Cargo.lock").unwrap();
        let input = Input {
            given: "x".into(),
            kind: InputKind::Lock,
            commit: None,
            digest: format!("sha256:{}", "0".repeat(64)),
        };
        let workspaces = vec![lock_only::workspace(".", &lock)];
        Snapshot {
            input,
            workspaces,
            not_covered: Vec::new(),
        }
    }

    fn broken(change: impl FnOnce(&mut Snapshot)) -> String {
        let mut snapshot = snapshot();
        change(&mut snapshot);
        snapshot.verify().unwrap_err().join("; ")
    }

    #[test]
    fn a_sound_snapshot_passes() {
        assert_eq!(snapshot().verify(), Ok(()));
        assert_eq!(snapshot().workspaces[0].graph, GraphKind::LockOnly);
    }

    #[test]
    fn each_broken_rule_is_named() {
        let edge = |to| Edge {
            to,
            kinds: [].into(),
            reqs: Vec::new(),
        };
        assert!(
            broken(|s| s.workspaces.push(s.workspaces[0].clone()))
                .contains("workspaces are not sorted")
        );
        assert!(broken(|s| s.workspaces[0].path = "/x".into()).contains("its path"));
        assert!(broken(|s| s.input.digest = "md5:x".into()).contains("not a digest"));
        assert!(broken(|s| s.workspaces[0].packages.reverse()).contains("packages are not sorted"));
        assert!(broken(|s| s.workspaces[0].lock_lines.push(1)).contains("3 lock lines for 2"));
        assert!(
            broken(|s| s.workspaces[0].packages[0].edges = vec![edge(2)])
                .contains("a@1.0.0: an edge to nowhere")
        );
        assert!(
            broken(|s| s.workspaces[0].packages[0].edges = vec![edge(1), edge(1)])
                .contains("edges are not sorted")
        );
        assert!(
            broken(|s| s.workspaces[0].packages[0].checksum = Some("AB".into()))
                .contains("checksum")
        );
        let with = |role| {
            move |s: &mut Snapshot| {
                let _ = s.workspaces[0].packages[0].placement.roles.insert(role);
            }
        };
        assert!(broken(|s| with(Role::Dev)(s)).contains("`dev` is not its only role"));
        assert!(broken(|s| with(Role::Unbuilt)(s)).contains("`unbuilt` is not its only role"));
        assert!(
            broken(|s| s.workspaces[0].packages[0].placement.roles.clear()).contains("no role")
        );
        assert!(
            broken(|s| {
                let mut other = s.workspaces[0].packages[0].id.clone();
                other.name = "zz".into();
                let gap = s.workspaces[0].gaps[0].1.clone();
                s.workspaces[0].gaps.push((Some(other), gap));
            })
            .contains("a gap for zz@1.0.0")
        );
        let entry = |path: &str| NotCovered {
            path: path.into(),
            reason: "r".into(),
        };
        assert!(
            broken(|s| s.not_covered = vec![entry("b"), entry("a")])
                .contains("not covered is not sorted")
        );
    }
}
