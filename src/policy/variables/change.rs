//! What is known of a change from the two graphs.

use std::borrow::Cow;

use crate::diff::{Change, ChangeKind};
use crate::facts::FactKind;
use crate::pkg::{Release, Source, Step};
use crate::snapshot::{PackageManifest, Role};

use super::super::Subject;
use super::{Reading, Type, Variable, incoming, int, list, other_gap, text};

const KINDS: &[&str] = &[
    "added",
    "removed",
    "upgraded",
    "downgraded",
    "duplicated",
    "merged",
    "source-moved",
    "content-changed",
    "features-changed",
    "placement-changed",
];

const STEPS: &[&str] = &["same", "patch", "minor", "major", "prerelease", "downgrade"];

pub(super) const TABLE: &[Variable] = &[
    Variable::of_change("change.package", Type::Text, "the package name", |s| {
        text(&s.change.package)
    }),
    Variable::of_change(
        "change.id",
        Type::Text,
        "the change's id: the package name, or `name@version` where a name has several changes",
        |s| text(&s.change.id),
    ),
    Variable::of_change("change.kind", Type::Text, "what kind of difference it is", |s| {
        text(s.change.kind.as_str())
    })
    .one_of(KINDS),
    Variable::of_change(
        "change.from",
        Type::Text,
        "the version that goes out; absent when none does",
        |s| version(s.change.outgoing()),
    ),
    Variable::of_change(
        "change.to",
        Type::Text,
        "the version that comes in; absent when none does",
        |s| version(s.change.incoming()),
    ),
    Variable::of_change(
        "change.step",
        Type::Text,
        "how far apart the two versions are, by Cargo's rules; absent unless one replaces the other",
        step,
    )
    .one_of(STEPS),
    Variable::of_change(
        "change.direct",
        Type::Bool,
        "a workspace member depends on it directly",
        |s| Reading::Bool(s.change.placement.direct),
    ),
    Variable::of_change(
        "change.built",
        Type::Bool,
        "it is compiled into what is shipped or runs on the build machine; assumed true from a lock file alone",
        |s| assumed(s, s.change.placement.is_built()),
    ),
    Variable::of_change(
        "change.target",
        Type::Bool,
        "it is compiled into what is shipped; assumed true from a lock file alone",
        |s| assumed(s, has_role(s, Role::Target)),
    ),
    Variable::of_change(
        "change.host",
        Type::Bool,
        "it is compiled into build scripts or procedural macros, which run on the build machine",
        |s| resolved(s, has_role(s, Role::Host)),
    )
    .needs(FactKind::Placement),
    Variable::of_change(
        "change.dev",
        Type::Bool,
        "it is compiled into tests, examples and benchmarks only",
        |s| resolved(s, has_role(s, Role::Dev)),
    )
    .needs(FactKind::Placement),
    Variable::of_change(
        "change.unbuilt",
        Type::Bool,
        "it is in the lock file and compiled for none of the targets",
        |s| resolved(s, has_role(s, Role::Unbuilt)),
    )
    .needs(FactKind::Placement),
    Variable::of_change("change.forced", Type::Bool, "another change forced it", |s| {
        Reading::Bool(s.change.forced_by.is_some())
    }),
    Variable::of_change(
        "change.forces",
        Type::Int,
        "how many other changes it forced, directly or through others",
        |s| int(s.change.forces.len()),
    )
    .not_negative(),
    Variable::of_change(
        "change.members",
        Type::List,
        "the workspace members that need it",
        |s| list(&*s.change.placement.members),
    ),
    Variable::of_change(
        "change.workspaces",
        Type::List,
        "the workspaces it happens in, by path",
        |s| list(&s.change.workspaces),
    ),
    Variable::of_change(
        "change.source",
        Type::Text,
        "where the release that comes in is from: `crates.io`, `local` or a URL; absent when none does",
        |s| match s.change.incoming() {
            Some(release) => Reading::Text(Cow::Owned(release.source.to_string())),
            None => Reading::Absent,
        },
    ),
    Variable::of_change(
        "change.registry",
        Type::Bool,
        "what comes in is from a registry, the default one or another",
        |s| any_incoming(s, Source::is_registry),
    ),
    Variable::of_change(
        "change.other_registry",
        Type::Bool,
        "what comes in is from a registry other than the default one",
        |s| any_incoming(s, |source| matches!(source, Source::Registry { .. })),
    ),
    Variable::of_change("change.git", Type::Bool, "what comes in is from git", |s| {
        any_incoming(s, |source| matches!(source, Source::Git { .. }))
    }),
    Variable::of_change(
        "change.local",
        Type::Bool,
        "what comes in is part of the tree that is built",
        |s| any_incoming(s, |source| matches!(source, Source::Local)),
    ),
    Variable::of_change(
        "change.source_moved",
        Type::Bool,
        "the same name comes from another place",
        |s| Reading::Bool(moved(s.change)),
    ),
    Variable::of_change(
        "change.registry_moved",
        Type::Bool,
        "the same name comes from another registry",
        |s| {
            Reading::Bool(
                moved(s.change)
                    && s.change.from.iter().any(|release| release.source.is_registry())
                    && incoming(s.change).any(|release| release.source.is_registry()),
            )
        },
    ),
    Variable::of_change(
        "change.registry_to_git",
        Type::Bool,
        "the same name came from a registry and comes from git",
        |s| {
            Reading::Bool(
                moved(s.change)
                    && s.change.from.iter().any(|release| release.source.is_registry())
                    && incoming(s.change)
                        .any(|release| matches!(release.source, Source::Git { .. })),
            )
        },
    ),
    Variable::of_change(
        "change.checksum_changed",
        Type::Bool,
        "the same version from a registry has another checksum",
        |s| {
            Reading::Bool(
                s.change.kind == ChangeKind::ContentChanged
                    && s.change.to.iter().any(|release| release.source.is_registry()),
            )
        },
    ),
    Variable::of_change(
        "change.features_gained",
        Type::List,
        "features that it is compiled with now and was not before, on either side",
        |s| match other_gap(s, FactKind::Features) {
            Some(gap) => super::of_gap(gap),
            None => list(
                s.change
                    .features
                    .target_gained
                    .union(&s.change.features.host_gained),
            ),
        },
    )
    .needs(FactKind::Features),
    Variable::of_change(
        "change.dependencies_gained",
        Type::List,
        "direct dependencies that the incoming release has and the outgoing had not, by name",
        |s| list(&s.change.dependencies_gained),
    ),
    Variable::of_change(
        "change.dependencies_lost",
        Type::List,
        "direct dependencies that the outgoing release had and the incoming has not, by name",
        |s| list(&s.change.dependencies_lost),
    ),
    Variable::of_change(
        "change.build_script",
        Type::Bool,
        "the release that comes in has a build script",
        |s| manifest(s, |after| after.build_script),
    )
    .needs(FactKind::Manifest),
    Variable::of_change(
        "change.added_build_script",
        Type::Bool,
        "the release that comes in has a build script and the one that goes out had none",
        |s| gained(s, |manifest| manifest.build_script),
    )
    .needs(FactKind::Manifest),
    Variable::of_change(
        "change.proc_macro",
        Type::Bool,
        "the release that comes in is a procedural macro",
        |s| manifest(s, |after| after.proc_macro),
    )
    .needs(FactKind::Manifest),
    Variable::of_change(
        "change.native_library",
        Type::Bool,
        "the release that comes in links a native library",
        |s| manifest(s, |after| after.links.is_some()),
    )
    .needs(FactKind::Manifest),
    Variable::of_change(
        "change.fixes_advisory",
        Type::Bool,
        "an advisory applies to what goes out and not to what comes in",
        |s| super::release::delta(s, |delta| Reading::Bool(!delta.fixed.is_empty())),
    )
    .needs(FactKind::Advisories),
    Variable::of_change(
        "change.introduces_advisory",
        Type::Bool,
        "an advisory applies to what comes in and not to what goes out",
        |s| super::release::delta(s, |delta| Reading::Bool(!delta.introduced.is_empty())),
    )
    .needs(FactKind::Advisories),
    Variable::of_change(
        "placement.resolved",
        Type::Bool,
        "where it is compiled was resolved, not assumed from a lock file alone",
        |s| Reading::Bool(s.change.placement.resolved),
    ),
    Variable::of_change(
        "placement.roles",
        Type::List,
        "what it is compiled into: `target`, `host`, `dev`, `unbuilt`",
        |s| {
            let roles = s.change.placement.roles.iter();
            let roles = roles.map(|role| Cow::Borrowed(role.as_str())).collect();
            if_resolved(s, Reading::List(roles))
        },
    )
    .needs(FactKind::Placement),
    Variable::of_change(
        "placement.targets",
        Type::List,
        "the triples for which it is compiled into the target or the host side",
        |s| if_resolved(s, list(&s.change.placement.targets)),
    )
    .needs(FactKind::Placement),
    Variable::of_change(
        "placement.target_features",
        Type::List,
        "its features on the target side",
        |s| if_resolved(s, list(&s.change.placement.target_features)),
    )
    .needs(FactKind::Placement),
    Variable::of_change(
        "placement.host_features",
        Type::List,
        "its features on the host side",
        |s| if_resolved(s, list(&s.change.placement.host_features)),
    )
    .needs(FactKind::Placement),
    Variable::of_change(
        "placement.newly_built",
        Type::Bool,
        "it is compiled into the target or the host side and was not before",
        |s| {
            let before = s.change.placement_before.as_ref();
            let newly = s.change.placement.is_built()
                && before.is_none_or(|placement| !placement.is_built());
            resolved(s, newly)
        },
    )
    .needs(FactKind::Placement),
];

fn version(release: Option<&Release>) -> Reading<'_> {
    match release {
        Some(release) => Reading::Text(Cow::Owned(release.version.to_string())),
        None => Reading::Absent,
    }
}

fn step(subject: Subject<'_>) -> Reading<'_> {
    match (subject.change.outgoing(), subject.change.incoming()) {
        (Some(from), Some(to)) => text(Step::between(&from.version, &to.version).as_str()),
        _ => Reading::Absent,
    }
}

fn has_role(subject: Subject<'_>, role: Role) -> bool {
    subject.change.placement.roles.contains(&role)
}

/// From a lock file alone, everything is taken to be built.
fn assumed(subject: Subject<'_>, answer: bool) -> Reading<'_> {
    Reading::Bool(answer || !subject.change.placement.resolved)
}

fn resolved(subject: Subject<'_>, answer: bool) -> Reading<'_> {
    if_resolved(subject, Reading::Bool(answer))
}

fn if_resolved<'a>(subject: Subject<'a>, answer: Reading<'a>) -> Reading<'a> {
    if subject.change.placement.resolved {
        answer
    } else {
        Reading::Gap(FactKind::Placement, other_gap(subject, FactKind::Placement))
    }
}

fn any_incoming(subject: Subject<'_>, is: impl Fn(&Source) -> bool) -> Reading<'_> {
    Reading::Bool(incoming(subject.change).any(|release| is(&release.source)))
}

/// Whether what comes in is from a place that the name did not come from before.
fn moved(change: &Change) -> bool {
    change.kind == ChangeKind::SourceMoved
        || (!change.from.is_empty()
            && incoming(change).any(|new| {
                !change
                    .from
                    .iter()
                    .any(|old| old.source.same_place(&new.source))
            }))
}

fn manifest(subject: Subject<'_>, has: impl Fn(&PackageManifest) -> bool) -> Reading<'_> {
    if subject.change.incoming().is_none() && subject.change.manifest_after.is_none() {
        return Reading::Absent;
    }
    match &subject.change.manifest_after {
        Some(after) => Reading::Bool(has(after)),
        None => unread_manifest(subject),
    }
}

/// Whether the incoming manifest has what the outgoing had not.
fn gained(subject: Subject<'_>, has: impl Fn(&PackageManifest) -> bool) -> Reading<'_> {
    let after = match &subject.change.manifest_after {
        Some(after) => has(after),
        None => return manifest(subject, has),
    };
    if !after || subject.change.from.is_empty() {
        return Reading::Bool(after);
    }
    match &subject.change.manifest_before {
        Some(before) => Reading::Bool(!has(before)),
        None => unread_manifest(subject),
    }
}

fn unread_manifest(subject: Subject<'_>) -> Reading<'_> {
    match other_gap(subject, FactKind::Manifest) {
        Some(gap) => super::of_gap(gap),
        None => Reading::Gap(FactKind::Manifest, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closed_lists_are_those_of_the_types() {
        let kinds = [
            ChangeKind::Added,
            ChangeKind::Removed,
            ChangeKind::Upgraded,
            ChangeKind::Downgraded,
            ChangeKind::Duplicated,
            ChangeKind::Merged,
            ChangeKind::SourceMoved,
            ChangeKind::ContentChanged,
            ChangeKind::FeaturesChanged,
            ChangeKind::PlacementChanged,
        ];
        assert_eq!(KINDS.to_vec(), kinds.map(ChangeKind::as_str));
        let steps = [
            Step::Same,
            Step::Patch,
            Step::Minor,
            Step::Major,
            Step::Prerelease,
            Step::Downgrade,
        ];
        assert_eq!(STEPS.to_vec(), steps.map(Step::as_str));
    }
}
