//! One workspace of one snapshot, indexed for comparing: packages in the order
//! of their ids, whatever order they were handed in, with edges both ways.

use std::ops::Range;

use crate::pkg::Source;
use crate::snapshot::{Edge, Package, Workspace};

/// A package's place in the order of ids.
pub(super) type Node = usize;

/// One workspace of one snapshot; empty when the snapshot lacks the workspace.
#[derive(Default)]
pub(super) struct Side<'a> {
    packages: Vec<&'a Package>,
    lines: Vec<Option<u32>>,
    outgoing: Rows<'a>,
    incoming: Rows<'a>,
}

/// For each node a row of other nodes, with the edge that connects them.
#[derive(Default)]
struct Rows<'a> {
    starts: Vec<usize>,
    cells: Vec<(Node, &'a Edge)>,
}

impl<'a> Rows<'a> {
    /// Builds the rows; `cells` must come in the order wanted within each row.
    fn build(count: usize, cells: &[(Node, Node, &'a Edge)]) -> Self {
        let mut starts = vec![0; count + 1];
        for (row, _, _) in cells {
            if let Some(start) = starts.get_mut(row + 1) {
                *start += 1;
            }
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut ordered = cells.to_vec();
        ordered.sort_by_key(|(row, _, _)| *row);
        let cells = ordered
            .into_iter()
            .map(|(_, other, edge)| (other, edge))
            .collect();
        Self { starts, cells }
    }

    fn row(&self, node: Node) -> &[(Node, &'a Edge)] {
        match (self.starts.get(node), self.starts.get(node + 1)) {
            (Some(&from), Some(&to)) => self.cells.get(from..to).unwrap_or_default(),
            _ => &[],
        }
    }
}

impl<'a> Side<'a> {
    /// Indexes a workspace. An edge to a place that does not exist is left out.
    pub(super) fn of(workspace: &'a Workspace) -> Self {
        let all = &workspace.packages;
        let mut order: Vec<usize> = (0..all.len()).collect();
        order.sort_by(|a, b| all[*a].id.cmp(&all[*b].id));
        let mut node_at = vec![0; all.len()];
        for (node, place) in order.iter().enumerate() {
            node_at[*place] = node;
        }
        let packages: Vec<&Package> = order.iter().map(|place| &all[*place]).collect();
        let mut forward = Vec::new();
        for (node, package) in packages.iter().enumerate() {
            let known = package
                .edges
                .iter()
                .filter_map(|edge| Some((*node_at.get(edge.to)?, edge)));
            forward.extend(known.map(|(to, edge)| (node, to, edge)));
        }
        forward.sort_by_key(|(from, to, _)| (*from, *to));
        forward.dedup_by_key(|(from, to, _)| (*from, *to));
        let back: Vec<_> = forward
            .iter()
            .map(|(from, to, edge)| (*to, *from, *edge))
            .collect();
        let lines = order
            .iter()
            .map(|place| workspace.lock_lines.get(*place).copied())
            .collect();
        Self {
            outgoing: Rows::build(packages.len(), &forward),
            incoming: Rows::build(packages.len(), &back),
            packages,
            lines,
        }
    }

    /// How many packages there are.
    pub(super) fn len(&self) -> usize {
        self.packages.len()
    }

    /// The package of a node. Nodes come only from this value, so that each has one.
    pub(super) fn package(&self, node: Node) -> &'a Package {
        self.packages[node]
    }

    /// The packages in the order of their ids.
    pub(super) fn packages(&self) -> impl Iterator<Item = (Node, &'a Package)> + '_ {
        self.packages.iter().copied().enumerate()
    }

    /// Whether any placement is known rather than assumed.
    pub(super) fn is_resolved(&self) -> bool {
        self.packages
            .iter()
            .any(|package| package.placement.resolved)
    }

    /// Whether the package belongs to the tree that is built.
    pub(super) fn is_local(&self, node: Node) -> bool {
        self.packages[node].id.source == Source::Local
    }

    /// What a package depends on, in the order of ids.
    pub(super) fn dependencies(&self, node: Node) -> &[(Node, &'a Edge)] {
        self.outgoing.row(node)
    }

    /// What depends on a package, in the order of ids.
    pub(super) fn dependants(&self, node: Node) -> &[(Node, &'a Edge)] {
        self.incoming.row(node)
    }

    /// The edge from one package to another.
    pub(super) fn edge(&self, from: Node, to: Node) -> Option<&'a Edge> {
        let row = self.outgoing.row(from);
        let at = row.binary_search_by_key(&to, |(node, _)| *node).ok()?;
        row.get(at).map(|(_, edge)| *edge)
    }

    /// The first dependency of a package that bears a name.
    pub(super) fn dependency_named(&self, from: Node, name: &str) -> Option<Node> {
        let row = self.outgoing.row(from);
        let at = row.partition_point(|(node, _)| self.packages[*node].id.name.as_str() < name);
        let node = row.get(at)?.0;
        (self.packages[node].id.name == name).then_some(node)
    }

    /// The line of a package in the lock file, one-based.
    pub(super) fn line(&self, node: Node) -> Option<u32> {
        self.lines.get(node).copied().flatten()
    }

    /// Whether another package of this side bears the same name.
    pub(super) fn is_ambiguous(&self, node: Node) -> bool {
        let name = &self.packages[node].id.name;
        let before = node.checked_sub(1).and_then(|at| self.packages.get(at));
        let after = self.packages.get(node + 1);
        [before, after]
            .into_iter()
            .flatten()
            .any(|other| other.id.name == *name)
    }

    /// The packages that bear a name.
    pub(super) fn named(&self, name: &str) -> Range<Node> {
        self.run(
            self.packages
                .partition_point(|package| package.id.name.as_str() < name),
            name,
        )
    }

    /// The packages from `start` on that bear a name.
    fn run(&self, start: Node, name: &str) -> Range<Node> {
        let rest = self.packages.get(start..).unwrap_or_default();
        start
            ..start
                + rest
                    .iter()
                    .take_while(|package| package.id.name == name)
                    .count()
    }
}

/// The packages of each name on both sides, name by name.
pub(super) fn by_name(base: &Side<'_>, head: &Side<'_>) -> Vec<(Range<Node>, Range<Node>)> {
    let mut groups = Vec::new();
    let (mut left, mut right) = (0, 0);
    loop {
        let next = [base.packages.get(left), head.packages.get(right)];
        let Some(name) = next
            .into_iter()
            .flatten()
            .map(|package| package.id.name.as_str())
            .min()
        else {
            return groups;
        };
        let (lefts, rights) = (base.run(left, name), head.run(right, name));
        (left, right) = (lefts.end, rights.end);
        groups.push((lefts, rights));
    }
}
