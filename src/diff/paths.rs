//! The shortest paths from workspace members to packages.

use super::MAX_PATHS;
use super::draft::builds;
use super::side::{Node, Side};
use crate::snapshot::Placement;

/// One path, as its last package and the place of the rest of it.
struct Step {
    node: Node,
    before: Option<usize>,
}

/// All shortest paths of one walk, at most [`MAX_PATHS`] for each package. A
/// path's place is its rank: first by length, then by packages in order.
struct Walk {
    steps: Vec<Step>,
    /// The places of each package's paths.
    ends: Vec<Vec<usize>>,
}

/// The shortest paths in one workspace.
pub(super) struct Paths {
    built: Walk,
    all: Walk,
}

impl Paths {
    /// Walks the graph once through what is built, and once more through
    /// everything when a wanted package was not met.
    pub(super) fn to(side: &Side<'_>, wanted: &[Node]) -> Self {
        if wanted.is_empty() {
            return Self {
                built: Walk::none(),
                all: Walk::none(),
            };
        }
        let built = Walk::over(side, true);
        let met = |node: &Node| built.ends.get(*node).is_some_and(|ends| !ends.is_empty());
        let all = if wanted.iter().all(met) {
            Walk::none()
        } else {
            Walk::over(side, false)
        };
        Self { built, all }
    }

    /// The paths to one package by package name; by name and version where the
    /// workspace has several packages of the name.
    pub(super) fn of(&self, side: &Side<'_>, node: Node) -> Vec<Vec<String>> {
        let in_build = self.built.named(side, node);
        if in_build.is_empty() {
            self.all.named(side, node)
        } else {
            in_build
        }
    }
}

impl Walk {
    fn none() -> Self {
        Self {
            steps: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// Goes level by level. As all paths of a level are equally long and ranked,
    /// the first paths to a package go on from the first paths to its dependants.
    fn over(side: &Side<'_>, built_only: bool) -> Self {
        let mut walk = Self {
            steps: Vec::new(),
            ends: vec![Vec::new(); side.len()],
        };
        let mut reached = vec![false; side.len()];
        let mut level: Vec<Step> = starts(side)
            .into_iter()
            .map(|node| Step { node, before: None })
            .collect();
        while !level.is_empty() {
            let first = walk.steps.len();
            for step in level {
                reached[step.node] = true;
                let ends = &mut walk.ends[step.node];
                if ends.len() < MAX_PATHS {
                    ends.push(walk.steps.len());
                    walk.steps.push(step);
                }
            }
            // In rank order: by the rest of the path, then by the package.
            level = Vec::new();
            for place in first..walk.steps.len() {
                for (to, edge) in side.dependencies(walk.steps[place].node) {
                    let open = !built_only || builds(edge) && passes(&side.package(*to).placement);
                    if open && !reached[*to] {
                        level.push(Step {
                            node: *to,
                            before: Some(place),
                        });
                    }
                }
            }
        }
        walk
    }

    fn named(&self, side: &Side<'_>, node: Node) -> Vec<Vec<String>> {
        let ends = self.ends.get(node).map(Vec::as_slice).unwrap_or_default();
        ends.iter().map(|end| self.path(side, *end)).collect()
    }

    fn path(&self, side: &Side<'_>, end: usize) -> Vec<String> {
        let mut nodes = Vec::new();
        let mut at = Some(end);
        while let Some(step) = at.and_then(|place| self.steps.get(place)) {
            nodes.push(step.node);
            at = step.before;
        }
        nodes.reverse();
        let labels = |nodes: &[Node]| -> Vec<String> {
            nodes.iter().map(|node| label(side, *node)).collect()
        };
        if nodes.len() <= MAX_LENGTH {
            return labels(&nodes);
        }
        let (first, rest) = nodes.split_at(MAX_LENGTH / 2);
        let last = rest.split_at(rest.len() - MAX_LENGTH / 2).1;
        [labels(first), vec!["…".to_owned()], labels(last)].concat()
    }
}

/// Longer paths show this many packages of both ends together. Real paths have
/// below twenty; those of a made-up graph would hold the square of its length.
const MAX_LENGTH: usize = 64;

/// Whether a path through what is built may pass here; an unresolved placement says nothing.
fn passes(placement: &Placement) -> bool {
    !placement.resolved || placement.is_built()
}

/// Where paths begin: at the members; without members at local packages;
/// without those at packages that nothing depends on.
fn starts(side: &Side<'_>) -> Vec<Node> {
    let members: Vec<Node> = side
        .packages()
        .filter(|(_, package)| package.member)
        .map(|(node, _)| node)
        .collect();
    if !members.is_empty() {
        return members;
    }
    let local: Vec<Node> = (0..side.len())
        .filter(|node| side.is_local(*node))
        .collect();
    if !local.is_empty() {
        return local;
    }
    (0..side.len())
        .filter(|node| side.dependants(*node).is_empty())
        .collect()
}

fn label(side: &Side<'_>, node: Node) -> String {
    let id = &side.package(node).id;
    if side.is_ambiguous(node) {
        id.to_string()
    } else {
        id.name.clone()
    }
}
