//! Which of several possible reasons counts: from a graph of causes to a forest
//! in which each change has at most one cause and no change causes itself.

use std::collections::VecDeque;

/// One possible cause of one change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cause {
    /// The change that causes it.
    pub(super) parent: usize,
    /// It does so by a requirement that accepts one version only.
    pub(super) exact: bool,
}

/// What is known of one change.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// A manifest of the workspace asks for this change itself.
    pub(super) decided: bool,
    /// A workspace member depends on it directly.
    pub(super) direct: bool,
    /// Each of these alone is a proven cause.
    pub(super) causes: Vec<Cause>,
    /// One of these is the cause, and it is not known which.
    pub(super) one_of: Vec<usize>,
}

/// The chosen cause of each change; `None` for an update root. Chains that end
/// in a decision come first, then short ones, then the order of the changes.
pub(super) fn choose(changes: &[Known]) -> Vec<Option<usize>> {
    let mut forest = Forest::over(changes);
    forest.grow(|known| known.decided);
    forest.grow(|known| known.causes.is_empty());
    let circles = forest.first_of_circles();
    forest.grow_from(circles);
    forest.attach_unsure();
    forest.parent
}

struct Forest<'a> {
    changes: &'a [Known],
    children: Vec<Vec<usize>>,
    parent: Vec<Option<usize>>,
    settled: Vec<bool>,
}

impl<'a> Forest<'a> {
    fn over(changes: &'a [Known]) -> Self {
        let mut children = vec![Vec::new(); changes.len()];
        for (child, known) in changes.iter().enumerate() {
            for cause in &known.causes {
                children[cause.parent].push(child);
            }
        }
        Self {
            changes,
            children,
            parent: vec![None; changes.len()],
            settled: vec![false; changes.len()],
        }
    }

    fn grow(&mut self, is_root: impl Fn(&Known) -> bool) {
        let open = |at: &usize| !self.settled[*at] && is_root(&self.changes[*at]);
        let roots = (0..self.changes.len()).filter(open).collect();
        self.grow_from(roots);
    }

    /// Settles everything that these roots cause, level by level; within a
    /// level the first change in order takes the child.
    fn grow_from(&mut self, roots: Vec<usize>) {
        let mut level = roots;
        for root in &level {
            self.settled[*root] = true;
        }
        while !level.is_empty() {
            let mut next = Vec::new();
            for parent in level {
                for child in std::mem::take(&mut self.children[parent]) {
                    if !self.settled[child] {
                        self.settled[child] = true;
                        self.parent[child] = Some(parent);
                        next.push(child);
                    }
                }
            }
            next.sort_unstable();
            level = next;
        }
    }

    /// What is left has causes only in circles, or below circles. Of each
    /// uppermost circle one change is taken as the root: one that a member
    /// depends on directly, else one that pins another exactly, else the first.
    fn first_of_circles(&self) -> Vec<usize> {
        let circle = self.circles();
        let count = circle.iter().flatten().max().map_or(0, |most| most + 1);
        let mut has_cause_outside = vec![false; count];
        let mut pins = vec![false; self.changes.len()];
        for (child, known) in self.changes.iter().enumerate() {
            let Some(own) = circle[child] else { continue };
            for cause in &known.causes {
                if circle[cause.parent] != Some(own) {
                    has_cause_outside[own] = true;
                } else if cause.exact {
                    pins[cause.parent] = true;
                }
            }
        }
        let mut best: Vec<Option<usize>> = vec![None; count];
        for (change, known) in self.changes.iter().enumerate() {
            let Some(own) = circle[change].filter(|own| !has_cause_outside[*own]) else {
                continue;
            };
            let rank = |at: usize, known: &Known| (!known.direct, !pins[at], at);
            if best[own].is_none_or(|other| rank(change, known) < rank(other, &self.changes[other]))
            {
                best[own] = Some(change);
            }
        }
        let mut roots: Vec<usize> = best.into_iter().flatten().collect();
        roots.sort_unstable();
        roots
    }

    /// The strongly connected components of what is not settled, by number.
    fn circles(&self) -> Vec<Option<usize>> {
        let mut order = Vec::new();
        let mut seen = self.settled.clone();
        for start in 0..self.changes.len() {
            // Down along causes, noting each change when all below it are noted.
            let mut stack = vec![(start, 0)];
            while let Some((at, next)) = stack.pop() {
                if next == 0 && std::mem::replace(&mut seen[at], true) {
                    continue;
                }
                match self.changes[at].causes.get(next) {
                    Some(cause) => stack.extend([(at, next + 1), (cause.parent, 0)]),
                    None => order.push(at),
                }
            }
        }
        let mut circle = vec![None; self.changes.len()];
        let mut number = 0;
        for start in order.into_iter().rev() {
            if circle[start].is_some() {
                continue;
            }
            let mut queue = vec![start];
            circle[start] = Some(number);
            while let Some(at) = queue.pop() {
                for child in &self.children[at] {
                    if !self.settled[*child] && circle[*child].is_none() {
                        circle[*child] = Some(number);
                        queue.push(*child);
                    }
                }
            }
            number += 1;
        }
        circle
    }

    /// A change with several possible causes, of which one holds, is caused by
    /// a root when all of them are.
    fn attach_unsure(&mut self) {
        let mut waiting: Vec<usize> = vec![0; self.changes.len()];
        let mut waiters: Vec<Vec<usize>> = vec![Vec::new(); self.changes.len()];
        let unsure = |at: usize| !self.changes[at].one_of.is_empty();
        for (change, known) in self.changes.iter().enumerate() {
            for parent in known.one_of.iter().filter(|parent| unsure(**parent)) {
                waiting[change] += 1;
                waiters[*parent].push(change);
            }
        }
        let mut ready: VecDeque<usize> = (0..self.changes.len())
            .filter(|at| unsure(*at) && waiting[*at] == 0)
            .collect();
        let parents = self.parent.iter().enumerate();
        let mut top: Vec<usize> = parents
            .map(|(change, parent)| parent.unwrap_or(change))
            .collect();
        while let Some(change) = ready.pop_front() {
            self.attach(change, &mut top);
            for waiter in &waiters[change] {
                waiting[*waiter] -= 1;
                if waiting[*waiter] == 0 {
                    ready.push_back(*waiter);
                }
            }
        }
    }

    fn attach(&mut self, change: usize, top: &mut [usize]) {
        let known = &self.changes[change];
        if known.decided || self.parent[change].is_some() {
            return;
        }
        let mut parents = known.one_of.iter().copied();
        let Some(first) = parents.next() else { return };
        let root = root_of(first, top);
        if root != change && parents.all(|parent| root_of(parent, top) == root) {
            let nearest = known
                .one_of
                .iter()
                .copied()
                .min_by_key(|parent| (self.depth(*parent), *parent));
            self.parent[change] = nearest;
            top[change] = root;
        }
    }

    fn depth(&self, change: usize) -> usize {
        std::iter::successors(self.parent[change], |at| self.parent[*at]).count()
    }
}

/// The root of a change's tree, with the way there shortened for the next time.
fn root_of(change: usize, top: &mut [usize]) -> usize {
    let mut root = change;
    while top[root] != root {
        root = top[root];
    }
    let mut at = change;
    while top[at] != root {
        at = std::mem::replace(&mut top[at], root);
    }
    root
}
