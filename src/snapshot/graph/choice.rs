//! What is built: features of the members, and the resolver where it is not given.

use std::collections::BTreeSet;

use guppy::graph::PackageGraph;
use guppy::graph::feature::{FeatureSet, StandardFeatures, named_feature_filter};

use super::Resolver;
use crate::facts::{FactKind, Gap, GapReason};
use crate::pkg::PackageId;
use crate::snapshot::FeatureChoice;

type Gaps = Vec<(Option<PackageId>, Gap)>;

/// The features of the members that are built. A name that no member has is a gap.
pub(super) fn initials<'g>(
    graph: &'g PackageGraph,
    choice: &FeatureChoice,
    gaps: &mut Gaps,
) -> FeatureSet<'g> {
    let members = graph.resolve_workspace();
    let (base, named) = match choice {
        FeatureChoice::All => return members.to_feature_set(StandardFeatures::All),
        FeatureChoice::None => return members.to_feature_set(StandardFeatures::None),
        FeatureChoice::Default => return members.to_feature_set(StandardFeatures::Default),
        FeatureChoice::DefaultAnd(named) => (StandardFeatures::Default, named),
        FeatureChoice::Only(named) => (StandardFeatures::None, named),
    };
    let everywhere: BTreeSet<&str> = named
        .iter()
        .map(String::as_str)
        .filter(|name| !name.contains('/'))
        .collect();
    let mut set = members.to_feature_set(named_feature_filter(base, everywhere.iter().copied()));
    for member in graph.workspace().iter() {
        let own: Vec<&str> = named
            .iter()
            .filter_map(|name| name.split_once('/'))
            .filter(|(package, _)| *package == member.name())
            .map(|(_, feature)| feature)
            .collect();
        if !own.is_empty() {
            let filter = named_feature_filter(StandardFeatures::None, own);
            set = set.union(&member.to_feature_set(filter));
        }
    }
    for name in named {
        if !is_known(graph, name) {
            gaps.push((None, unknown_feature(name)));
        }
    }
    set
}

fn is_known(graph: &PackageGraph, name: &str) -> bool {
    graph
        .workspace()
        .iter()
        .any(|member| match name.split_once('/') {
            Some((package, feature)) => {
                member.name() == package && member.named_features().any(|f| f == feature)
            }
            None => member.named_features().any(|f| f == name),
        })
}

fn unknown_feature(name: &str) -> Gap {
    Gap {
        fact: FactKind::Features,
        reason: GapReason::NotRecorded,
        detail: format!("no workspace member has the feature `{name}` that the build names"),
    }
}

/// The resolver of a document that was made elsewhere.
pub(super) fn guess_resolver(graph: &PackageGraph, gaps: &mut Gaps) -> Resolver {
    let workspace = graph.workspace();
    if let Ok(root) = workspace.member_by_path("") {
        let resolver = Resolver::of_edition(root.edition());
        gaps.push((
            None,
            unknown_resolver(&format!("edition {} of the root package", root.edition())),
        ));
        return resolver;
    }
    let edition = workspace
        .iter()
        .map(|member| member.edition())
        .max()
        .unwrap_or("2015");
    gaps.push((
        None,
        unknown_resolver(&format!("edition {edition}, the newest of a member")),
    ));
    Resolver::of_edition(edition)
}

fn unknown_resolver(from: &str) -> Gap {
    Gap {
        fact: FactKind::Features,
        reason: GapReason::NotRecorded,
        detail: format!(
            "a `cargo metadata` document does not name the feature resolver; taken from {from}"
        ),
    }
}
