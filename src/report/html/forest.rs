//! The changed part of the graph, drawn: update roots on the left, what they
//! forced to the right of them.
//!
//! The drawing has a bound: many children of one change, and decisions beyond
//! the bound, are counted. The list beside the drawing has them all.

use std::collections::BTreeMap;

use crate::audit::{Audit, JudgedChange};
use crate::report::words;

use super::{Prose, Shown, long, short};

const ROW: usize = 30;
const COLUMN: usize = 220;
const NODE: usize = 188;
/// How many rows are drawn.
const ROWS: usize = 48;
/// How many children of one change are drawn.
const CHILDREN: usize = 8;
/// How many steps from a root are drawn.
const DEPTH: usize = 6;
/// How many decisions that forced nothing are drawn, four in a row.
const ALONE: usize = 40;
const PER_ROW: usize = 4;

pub(super) struct Drawing {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<String>,
    /// Above what is drawn as decisions on their own.
    pub(super) alone: Option<Caption>,
    /// How many changes are not drawn.
    pub(super) not_drawn: usize,
}

pub(super) struct Caption {
    pub(super) y: usize,
    pub(super) text: String,
}

pub(super) struct Node {
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) width: usize,
    pub(super) class: &'static str,
    pub(super) label: Shown,
    pub(super) score: Option<u8>,
    pub(super) title: Shown,
    pub(super) anchor: Option<usize>,
}

/// One line of the list: how far it is indented, and what stands there.
pub(super) struct Line {
    pub(super) depth: usize,
    pub(super) label: Shown,
    pub(super) class: &'static str,
    pub(super) movement: Shown,
    pub(super) because: Prose,
    pub(super) anchor: usize,
}

/// Changes by what forced them, with their places in the ranking.
struct Forest<'a> {
    ranked: Vec<&'a JudgedChange>,
    /// Places of children by the parent's place, in order of risk.
    children: BTreeMap<usize, Vec<usize>>,
    roots: Vec<usize>,
}

impl<'a> Forest<'a> {
    fn of(audit: &'a Audit) -> Self {
        let ranked = audit.ranked();
        let places: BTreeMap<&str, usize> = ranked
            .iter()
            .enumerate()
            .map(|(at, judged)| (judged.change.id.as_str(), at))
            .collect();
        let mut children: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let mut roots = Vec::new();
        for (at, judged) in ranked.iter().enumerate() {
            let parent = judged.change.forced_by.as_ref().and_then(|forced| {
                places.get(forced.chain.last().unwrap_or(&forced.root).as_str())
            });
            match parent {
                Some(&parent) if parent != at => children.entry(parent).or_default().push(at),
                _ => roots.push(at),
            }
        }
        Self {
            ranked,
            children,
            roots,
        }
    }

    fn children(&self, at: usize) -> &[usize] {
        self.children.get(&at).map_or(&[], Vec::as_slice)
    }

    /// The nodes of a tree in drawing order, with their depth. Each is visited
    /// once, whatever the chains say.
    fn walk(&self, root: usize, seen: &mut [bool]) -> Vec<(usize, usize)> {
        let mut order = Vec::new();
        let mut stack = vec![(root, 0)];
        while let Some((at, depth)) = stack.pop() {
            match seen.get_mut(at) {
                Some(seen) if !*seen => *seen = true,
                _ => continue,
            }
            order.push((at, depth));
            stack.extend(
                self.children(at)
                    .iter()
                    .rev()
                    .map(|&child| (child, depth + 1)),
            );
        }
        order
    }
}

/// Every change below what forced it.
pub(super) fn list(audit: &Audit) -> Vec<Line> {
    let forest = Forest::of(audit);
    let mut seen = vec![false; forest.ranked.len()];
    let mut lines = Vec::new();
    for &root in &forest.roots {
        for (at, depth) in forest.walk(root, &mut seen) {
            let Some(judged) = forest.ranked.get(at) else {
                continue;
            };
            lines.push(Line {
                depth: depth.min(8),
                label: short(&judged.change.id),
                class: judged.decision.as_str(),
                movement: short(&words::move_of(&judged.change).replace("->", "→")),
                because: long(
                    judged
                        .change
                        .forced_by
                        .as_ref()
                        .map_or("", |forced| forced.because.as_str()),
                ),
                anchor: at + 1,
            });
        }
    }
    lines
}

/// The drawing; `None` when nothing changed.
pub(super) fn draw(audit: &Audit) -> Option<Drawing> {
    let forest = Forest::of(audit);
    if forest.ranked.is_empty() {
        return None;
    }
    let mut pen = Pen {
        forest: &forest,
        nodes: Vec::new(),
        edges: Vec::new(),
        row: 0,
        drawn: 0,
        deepest: 0,
        seen: vec![false; forest.ranked.len()],
    };
    let (trees, alone): (Vec<usize>, Vec<usize>) = forest
        .roots
        .iter()
        .partition(|root| !forest.children(**root).is_empty());
    for root in trees {
        if pen.row >= ROWS {
            break;
        }
        pen.tree(root, 0);
    }
    let caption = pen.alone(&alone);
    let across = if caption.is_some() {
        alone.len().min(PER_ROW)
    } else {
        0
    };
    let columns = (pen.deepest + 1).max(across);
    Some(Drawing {
        width: columns * COLUMN - (COLUMN - NODE) + 8,
        height: pen.row * ROW + 8,
        not_drawn: forest.ranked.len().saturating_sub(pen.drawn),
        nodes: pen.nodes,
        edges: pen.edges,
        alone: caption,
    })
}

struct Pen<'f, 'a> {
    forest: &'f Forest<'a>,
    nodes: Vec<Node>,
    edges: Vec<String>,
    row: usize,
    drawn: usize,
    deepest: usize,
    seen: Vec<bool>,
}

impl Pen<'_, '_> {
    /// Draws a change and below and to the right of it what it forced. Returns
    /// its row. The depth is bounded.
    fn tree(&mut self, at: usize, depth: usize) -> usize {
        if let Some(seen) = self.seen.get_mut(at) {
            *seen = true;
        }
        let row = self.row;
        self.node(at, depth, row);
        let children: Vec<usize> = self
            .forest
            .children(at)
            .iter()
            .copied()
            .filter(|&child| self.seen.get(child) == Some(&false))
            .collect();
        let room = if depth + 1 >= DEPTH { 0 } else { CHILDREN };
        // A single one more is drawn and not counted.
        let shown = if children.len() == room + 1 && room > 0 {
            room + 1
        } else {
            room
        };
        let mut first = true;
        for &child in children.iter().take(shown) {
            if !first {
                self.row += 1;
            }
            first = false;
            let to = self.tree(child, depth + 1);
            self.edge(depth, row, to);
        }
        let left: usize = children
            .iter()
            .skip(shown)
            .map(|&child| {
                let mut seen = self.seen.clone();
                self.forest.walk(child, &mut seen).len()
            })
            .sum();
        if left > 0 {
            if !first {
                self.row += 1;
            }
            self.more(depth + 1, self.row, left);
            self.edge(depth, row, self.row);
        }
        if depth == 0 {
            self.row += 1;
        }
        row
    }

    fn node(&mut self, at: usize, depth: usize, row: usize) {
        let Some(judged) = self.forest.ranked.get(at) else {
            return;
        };
        let because = judged
            .change
            .forced_by
            .as_ref()
            .map(|forced| format!("; {}", forced.because))
            .unwrap_or_default();
        self.drawn += 1;
        self.deepest = self.deepest.max(depth);
        self.nodes.push(Node {
            x: depth * COLUMN + 4,
            y: row * ROW + 4,
            width: NODE,
            class: judged.decision.as_str(),
            label: Shown::of(&judged.change.id, 22),
            score: Some(judged.assessment.score),
            title: short(&format!(
                "{} {}{because}",
                judged.change.id,
                words::move_of(&judged.change)
            )),
            anchor: Some(at + 1),
        });
    }

    fn more(&mut self, depth: usize, row: usize, left: usize) {
        self.deepest = self.deepest.max(depth);
        self.nodes.push(Node {
            x: depth * COLUMN + 4,
            y: row * ROW + 4,
            width: NODE,
            class: "more",
            label: short(&format!("and {left} more")),
            score: None,
            title: short(&format!(
                "{} not drawn; the list has them",
                words::count(left, "change")
            )),
            anchor: None,
        });
    }

    fn edge(&mut self, depth: usize, from: usize, to: usize) {
        let x = depth * COLUMN + 4 + NODE;
        let (y, end) = (from * ROW + 4 + 11, to * ROW + 4 + 11);
        let turn = x + (COLUMN - NODE) / 2;
        self.edges
            .push(format!("M{x} {y}H{turn}V{end}H{}", x + COLUMN - NODE));
    }

    /// Draws the decisions that forced nothing, side by side.
    fn alone(&mut self, alone: &[usize]) -> Option<Caption> {
        if alone.is_empty() {
            return None;
        }
        let y = self.row * ROW + 24;
        self.row += 1;
        for (place, &at) in alone.iter().take(ALONE).enumerate() {
            self.node(at, place % PER_ROW, self.row + place / PER_ROW);
        }
        let shown = alone.len().min(ALONE);
        self.row += shown.div_ceil(PER_ROW);
        Some(Caption {
            y,
            text: format!(
                "on their own: {}{}",
                words::count(alone.len(), "decision"),
                if alone.len() > shown {
                    format!(", {shown} of them drawn")
                } else {
                    String::new()
                }
            ),
        })
    }
}
