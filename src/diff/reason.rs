//! What may have caused a change, read off the edges around it: a changed
//! package that asks for it, that no longer does, or that comes from the same commit.

use semver::{Version, VersionReq};

use super::draft::{Draft, Pair, Spot};
use super::forest::{Cause, Known};
use super::side::{Node, Side};
use super::{ChangeKind, same_state};
use crate::pkg::{DependencyKind, PackageId, Source, compatible};
use crate::snapshot::{DeclaredRequirements, Edge};

/// One possible cause in words yet to be put together.
pub(super) struct Reason<'a> {
    /// The change that causes it.
    pub(super) cause: Cause,
    why: Why<'a>,
    /// The cause's package and the changed one.
    parent: &'a PackageId,
    child: &'a PackageId,
}

enum Why<'a> {
    /// It accepts only other versions than the one that goes.
    Requires(&'a VersionReq),
    /// Its former release needed this one.
    Needed(&'a PackageId, &'a PackageId),
    /// Its former release did not need it.
    NewIn,
    /// It is new itself.
    ComesWith,
    /// The same release needs it now.
    Enables,
    /// Both are parts of one commit.
    OneCommit,
    /// Its new release does not need it.
    NoLonger,
    /// It is gone itself.
    Gone,
    /// The same release does not need it any more.
    Disables,
}

impl Reason<'_> {
    /// The reason in words.
    pub(super) fn text(&self) -> String {
        let parent = format!("`{} {}`", self.parent.name, self.parent.version);
        let child = &self.child.name;
        match self.why {
            Why::Requires(req) => format!("{parent} requires `{child} {req}`"),
            Why::Needed(before, needed) => format!(
                "{parent} needs `{child} {}` where `{} {}` needed `{child} {}`",
                self.child.version, before.name, before.version, needed.version
            ),
            Why::NewIn => format!("`{child}` is new in {parent}"),
            Why::ComesWith => format!("{parent} needs `{child}`"),
            Why::Enables => format!("{parent} now makes use of `{child}`"),
            Why::OneCommit => format!("`{child}` comes from the same commit as {parent}"),
            Why::NoLonger => format!("{parent} no longer needs `{child}`"),
            Why::Gone => format!("{parent} is gone, which needed `{child}`"),
            Why::Disables => format!("{parent} no longer makes use of `{child}`"),
        }
    }
}

/// The reason of a change that one of several changed packages caused.
pub(super) fn unsure_text(parent: &Draft, child: &Draft) -> String {
    let release = parent.into.as_ref().or(parent.out.as_ref());
    let version = release
        .map(|release| format!(" {}", release.version))
        .unwrap_or_default();
    let what = match child.change.kind {
        ChangeKind::FeaturesChanged => "asks for other features of",
        ChangeKind::Removed | ChangeKind::Merged => "changed, and nothing else led to the end of",
        ChangeKind::Added | ChangeKind::Duplicated => "changed, and nothing else led to",
        ChangeKind::PlacementChanged
        | ChangeKind::Upgraded
        | ChangeKind::Downgraded
        | ChangeKind::SourceMoved
        | ChangeKind::ContentChanged => "brings along",
    };
    format!(
        "`{}{version}` {what} `{}`",
        parent.change.package, child.change.package
    )
}

/// Which change a package takes part in, for one workspace.
pub(super) struct Changed {
    /// By place in the base.
    pub(super) base: Vec<Option<usize>>,
    /// By place in the head.
    pub(super) head: Vec<Option<usize>>,
}

/// One workspace in which reasons are looked for.
pub(super) struct Ground<'g, 'a> {
    /// The workspace.
    pub(super) pair: &'g Pair<'a>,
    /// What changed in it.
    pub(super) changed: &'g Changed,
    /// Requirements of packages whose edges carry none.
    pub(super) declared: &'a DeclaredRequirements,
}

/// What was found out about one change.
#[derive(Default)]
pub(super) struct Found<'a> {
    /// The reasons that are proven, in the order of the graph.
    pub(super) reasons: Vec<Reason<'a>>,
    /// What the choice among them needs.
    pub(super) known: Known,
    /// Some cause can be neither proven nor ruled out.
    pub(super) blurred: bool,
    /// Changed packages whose requirement would have been needed and is not known.
    pub(super) mute: Vec<usize>,
}

impl<'a> Ground<'_, 'a> {
    /// Looks around one change in this workspace.
    pub(super) fn look(&self, own: usize, kind: ChangeKind, spot: Spot, found: &mut Found<'a>) {
        match (spot.base, spot.head) {
            (None, Some(head)) => self.look_at_new(own, head, found),
            (Some(base), None) => self.look_at_gone(own, base, found),
            (Some(base), Some(head)) => match kind {
                ChangeKind::FeaturesChanged | ChangeKind::PlacementChanged => {
                    self.look_at_same(own, kind, base, head, found);
                }
                ChangeKind::Added
                | ChangeKind::Removed
                | ChangeKind::Upgraded
                | ChangeKind::Downgraded
                | ChangeKind::Duplicated
                | ChangeKind::Merged
                | ChangeKind::SourceMoved
                | ChangeKind::ContentChanged => self.look_at_replaced(own, kind, base, head, found),
            },
            (None, None) => {}
        }
    }

    /// A release took the place of another one.
    fn look_at_replaced(
        &self,
        own: usize,
        kind: ChangeKind,
        base: Node,
        head: Node,
        found: &mut Found<'a>,
    ) {
        let Pair {
            base: old,
            head: new,
            ..
        } = self.pair;
        let (out, into) = (&old.package(base).id, &new.package(head).id);
        let stepped = matches!(kind, ChangeKind::Upgraded | ChangeKind::Downgraded);
        for &(parent, edge) in new.dependants(head) {
            if new.is_local(parent) {
                found.known.decided |= self.asks_anew(parent, edge, base, out, into);
                continue;
            }
            let Some(cause) = self.changed.head[parent].filter(|cause| *cause != own) else {
                continue;
            };
            let id = &new.package(parent).id;
            if one_commit(id, into) && !one_commit(id, out) && self.is_replaced(parent) {
                found.push(cause, false, Why::OneCommit, id, into);
                continue;
            }
            let Some(reqs) = stepped.then(|| self.requirements(id, edge, into)) else {
                continue;
            };
            match reqs {
                Some(reqs) => {
                    found.push_requirement(cause, &reqs, &out.version, id, into);
                }
                None => {
                    let before = self
                        .pair
                        .pairing
                        .base_of(parent)
                        .filter(|_| self.is_replaced(parent));
                    match before.filter(|before| old.edge(*before, base).is_some()) {
                        Some(before) if !compatible(&out.version, &into.version) => {
                            let before = &old.package(before).id;
                            found.push(cause, false, Why::Needed(before, out), id, into);
                        }
                        _ => found.mute.push(cause),
                    }
                }
            }
        }
    }

    /// A release is there that nothing went for.
    fn look_at_new(&self, own: usize, head: Node, found: &mut Found<'a>) {
        let Pair {
            base: old,
            head: new,
            ..
        } = self.pair;
        let into = &new.package(head).id;
        for &(parent, edge) in new.dependants(head) {
            if new.is_local(parent) {
                found.known.decided = true;
                continue;
            }
            let id = &new.package(parent).id;
            let before = self.pair.pairing.base_of(parent);
            let needed = before.and_then(|before| old.dependency_named(before, &into.name));
            match (
                self.changed.head[parent].filter(|cause| *cause != own),
                before,
                needed,
            ) {
                (Some(cause), None, _) => found.push(cause, false, Why::ComesWith, id, into),
                (Some(cause), Some(_), None) if self.is_replaced(parent) => {
                    found.push(cause, false, Why::NewIn, id, into);
                }
                (Some(cause), Some(_), None) => found.push(cause, false, Why::Enables, id, into),
                (Some(cause), Some(before), Some(needed)) if self.is_replaced(parent) => {
                    let (before, needed) = (&old.package(before).id, &old.package(needed).id);
                    let reqs = self.requirements(id, edge, into).unwrap_or_default();
                    if !found.push_requirement(cause, &reqs, &needed.version, id, into) {
                        found.push(cause, false, Why::Needed(before, needed), id, into);
                    }
                }
                (None, Some(_), None) => {
                    self.look_above(new, &self.changed.head, parent, own, found);
                }
                (None | Some(_), _, _) => {}
            }
        }
    }

    /// A release is gone that nothing came for.
    fn look_at_gone(&self, own: usize, base: Node, found: &mut Found<'a>) {
        let Pair {
            base: old,
            head: new,
            ..
        } = self.pair;
        let out = &old.package(base).id;
        for &(parent, _) in old.dependants(base) {
            if old.is_local(parent) {
                found.known.decided = true;
                continue;
            }
            let id = &old.package(parent).id;
            let after = self.pair.pairing.head_of(parent);
            let needs =
                after.and_then(|after| Some((after, new.dependency_named(after, &out.name)?)));
            match (
                self.changed.base[parent].filter(|cause| *cause != own),
                after,
                needs,
            ) {
                (Some(cause), None, _) => found.push(cause, false, Why::Gone, id, out),
                (Some(cause), Some(after), None) => {
                    let why = if self.is_replaced(after) {
                        Why::NoLonger
                    } else {
                        Why::Disables
                    };
                    found.push(cause, false, why, &new.package(after).id, out);
                }
                (Some(cause), Some(_), Some((after, needs))) if self.is_replaced(after) => {
                    let (after_id, needs_id) = (&new.package(after).id, &new.package(needs).id);
                    let edge = new.edge(after, needs);
                    let reqs = edge
                        .and_then(|edge| self.requirements(after_id, edge, needs_id))
                        .unwrap_or_default();
                    if !found.push_requirement(cause, &reqs, &out.version, after_id, needs_id) {
                        found.push(cause, false, Why::Needed(id, out), after_id, needs_id);
                    }
                }
                (None, Some(_), None) => {
                    self.look_above(old, &self.changed.base, parent, own, found);
                }
                (None | Some(_), _, _) => {}
            }
        }
    }

    /// An unchanged package gained or lost a dependency: one of the packages
    /// above it asks for other features of it. If the tree does so, or a package
    /// that did not change, the cause cannot be told.
    fn look_above(
        &self,
        side: &Side<'a>,
        changed: &[Option<usize>],
        at: Node,
        own: usize,
        found: &mut Found<'a>,
    ) {
        for &(parent, _) in side.dependants(at) {
            match changed[parent].filter(|cause| *cause != own) {
                Some(cause) => found.known.one_of.push(cause),
                None if side.is_local(parent) => found.blurred = true,
                None => {}
            }
        }
    }

    /// The same release, with other features or in another place of the build.
    fn look_at_same(
        &self,
        own: usize,
        kind: ChangeKind,
        base: Node,
        head: Node,
        found: &mut Found<'a>,
    ) {
        let Pair {
            base: old,
            head: new,
            pairing,
            ..
        } = self.pair;
        for &(parent, edge) in new.dependants(head) {
            if new.is_local(parent) {
                let before = pairing
                    .base_of(parent)
                    .and_then(|before| old.edge(before, base));
                found.known.decided |= before
                    .is_none_or(|before| before.kinds != edge.kinds || !same_reqs(before, edge));
                // The features that the tree asks for are not on the edge.
                found.blurred |= kind == ChangeKind::FeaturesChanged || !new.package(parent).member;
            } else {
                found
                    .known
                    .one_of
                    .extend(self.changed.head[parent].filter(|cause| *cause != own));
            }
        }
        for &(parent, _) in old.dependants(base) {
            if old.is_local(parent) {
                let after = pairing
                    .head_of(parent)
                    .and_then(|after| new.edge(after, head));
                found.known.decided |= after.is_none();
            } else {
                found
                    .known
                    .one_of
                    .extend(self.changed.base[parent].filter(|cause| *cause != own));
            }
        }
    }

    /// Whether the tree's own manifests ask for the new release: by an edge or
    /// a requirement that was not there. Where requirements are not known, an
    /// incompatible step or another place means a new one.
    fn asks_anew(
        &self,
        parent: Node,
        edge: &Edge,
        base: Node,
        out: &PackageId,
        into: &PackageId,
    ) -> bool {
        let before = self
            .pair
            .pairing
            .base_of(parent)
            .and_then(|before| self.pair.base.edge(before, base));
        let Some(before) = before else { return true };
        if !before.reqs.is_empty() && !edge.reqs.is_empty() {
            return !same_reqs(before, edge) || !out.source.same_place(&into.source);
        }
        !compatible(&out.version, &into.version) || !out.source.same_place(&into.source)
    }

    /// Whether a package of the head is another release than before.
    fn is_replaced(&self, head: Node) -> bool {
        let before = self.pair.pairing.base_of(head);
        before.is_none_or(|before| {
            self.pair.base.package(before).id != self.pair.head.package(head).id
        })
    }

    /// What a package requires of another one that it depends on; `None` when
    /// that is not known.
    fn requirements(
        &self,
        parent: &PackageId,
        edge: &'a Edge,
        child: &PackageId,
    ) -> Option<Vec<&'a VersionReq>> {
        if !edge.reqs.is_empty() {
            return Some(edge.reqs.iter().collect());
        }
        let declared = self.declared.get(parent)?.iter().filter(|dependency| {
            let place = dependency.source.as_ref().unwrap_or(&parent.source);
            dependency.package == child.name
                && dependency.kind != DependencyKind::Dev
                && (place.same_place(&child.source) || !child.source.is_registry())
                && dependency.req.matches(&child.version)
        });
        let reqs: Vec<_> = declared.map(|dependency| &dependency.req).collect();
        (!reqs.is_empty()).then_some(reqs)
    }
}

impl<'a> Found<'a> {
    fn push(
        &mut self,
        parent: usize,
        exact: bool,
        why: Why<'a>,
        from: &'a PackageId,
        to: &'a PackageId,
    ) {
        let cause = Cause { parent, exact };
        self.known.causes.push(cause);
        self.reasons.push(Reason {
            cause,
            why,
            parent: from,
            child: to,
        });
    }

    /// Adds the first requirement that the old version does not meet.
    fn push_requirement(
        &mut self,
        parent: usize,
        reqs: &[&'a VersionReq],
        old: &Version,
        from: &'a PackageId,
        to: &'a PackageId,
    ) -> bool {
        let unmet = reqs
            .iter()
            .copied()
            .filter(|req| !req.matches(old))
            .min_by_key(|req| req.to_string());
        if let Some(req) = unmet {
            let exact = req
                .comparators
                .iter()
                .any(|part| part.op == semver::Op::Exact && part.patch.is_some());
            self.push(parent, exact, Why::Requires(req), from, to);
        }
        unmet.is_some()
    }
}

fn same_reqs(a: &Edge, b: &Edge) -> bool {
    let sorted = |edge: &Edge| {
        let mut reqs: Vec<String> = edge.reqs.iter().map(ToString::to_string).collect();
        reqs.sort();
        reqs.dedup();
        reqs
    };
    a.reqs == b.reqs || sorted(a) == sorted(b)
}

/// Whether two packages are parts of the same commit of the same repository.
fn one_commit(a: &PackageId, b: &PackageId) -> bool {
    let commit = |source: &'_ Source| match source {
        Source::Git { rev, .. } => rev.clone(),
        Source::CratesIo | Source::Registry { .. } | Source::Local => None,
    };
    commit(&a.source).is_some() && same_state(&a.source, &b.source)
}
