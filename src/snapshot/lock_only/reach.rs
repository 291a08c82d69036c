//! What is reached from where, over graphs with cycles, in linear time and
//! without recursion.

/// The nodes in an order in which each strongly connected component stands
/// together and after all components that lead to it; and for each node the
/// number of its component.
pub(super) struct Order {
    nodes: Vec<usize>,
    component: Vec<usize>,
}

const NONE: usize = usize::MAX;

/// Tarjan's algorithm with its own stack.
pub(super) fn order(edges: &[Vec<usize>]) -> Order {
    let mut search = Search {
        edges,
        index: vec![NONE; edges.len()],
        low: vec![0; edges.len()],
        component: vec![NONE; edges.len()],
        open: Vec::new(),
        nodes: Vec::with_capacity(edges.len()),
        next: 0,
        components: 0,
    };
    for start in 0..edges.len() {
        if get(&search.index, start) == NONE {
            search.visit(start);
        }
    }
    search.nodes.reverse();
    Order {
        nodes: search.nodes,
        component: search.component,
    }
}

struct Search<'e> {
    edges: &'e [Vec<usize>],
    index: Vec<usize>,
    low: Vec<usize>,
    component: Vec<usize>,
    open: Vec<usize>,
    /// Finished nodes, those that are led to first.
    nodes: Vec<usize>,
    next: usize,
    components: usize,
}

impl Search<'_> {
    fn visit(&mut self, start: usize) {
        let mut path: Vec<(usize, usize)> = Vec::new();
        self.enter(start, &mut path);
        while let Some((node, edge)) = path.last_mut() {
            let node = *node;
            if let Some(&to) = self.edges.get(node).and_then(|edges| edges.get(*edge)) {
                *edge += 1;
                if get(&self.index, to) == NONE {
                    self.enter(to, &mut path);
                } else if get(&self.component, to) == NONE {
                    let low = get(&self.low, node).min(get(&self.index, to));
                    set(&mut self.low, node, low);
                }
                continue;
            }
            path.pop();
            if let Some((parent, _)) = path.last() {
                let low = get(&self.low, *parent).min(get(&self.low, node));
                set(&mut self.low, *parent, low);
            }
            if get(&self.low, node) == get(&self.index, node) {
                self.close(node);
            }
        }
    }

    fn enter(&mut self, node: usize, path: &mut Vec<(usize, usize)>) {
        set(&mut self.index, node, self.next);
        set(&mut self.low, node, self.next);
        self.next += 1;
        self.open.push(node);
        path.push((node, 0));
    }

    /// Takes a finished component off the stack.
    fn close(&mut self, root: usize) {
        while let Some(node) = self.open.pop() {
            set(&mut self.component, node, self.components);
            self.nodes.push(node);
            if node == root {
                break;
            }
        }
        self.components += 1;
    }
}

fn get(values: &[usize], at: usize) -> usize {
    values.get(at).copied().unwrap_or(NONE)
}

fn set(values: &mut [usize], at: usize, value: usize) {
    if let Some(slot) = values.get_mut(at) {
        *slot = value;
    }
}

/// For each node the starts that reach it, as bits by their place in `starts`,
/// of which there are at most 64. A start reaches itself.
pub(super) fn from(starts: &[usize], edges: &[Vec<usize>], order: &Order) -> Vec<u64> {
    let mut bits = vec![0_u64; edges.len()];
    for (&start, place) in starts.iter().zip(0..64) {
        if let Some(slot) = bits.get_mut(start) {
            *slot |= 1 << place;
        }
    }
    let alike = |a: &usize, b: &usize| get(&order.component, *a) == get(&order.component, *b);
    for component in order.nodes.chunk_by(alike) {
        let bit = |bits: &[u64], at: usize| bits.get(at).copied().unwrap_or_default();
        let all = component
            .iter()
            .fold(0, |all, &node| all | bit(&bits, node));
        if all == 0 {
            continue;
        }
        for &node in component {
            if let Some(slot) = bits.get_mut(node) {
                *slot = all;
            }
            for &to in edges.get(node).into_iter().flatten() {
                if let Some(slot) = bits.get_mut(to) {
                    *slot |= all;
                }
            }
        }
    }
    bits
}
