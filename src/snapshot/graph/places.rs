//! Where each package stands: one simulated build for each target, without and
//! with dev-dependencies.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use guppy::DependencyKind;
use guppy::graph::cargo::{BuildPlatform, CargoOptions, CargoSet};
use guppy::graph::feature::FeatureSet;
use guppy::graph::{DependencyDirection, PackageGraph};
use guppy::platform::{Platform, PlatformSpec, TargetFeatures};
use rayon::prelude::*;

use super::assemble::Skeleton;
use super::{GraphError, Resolver};
use crate::snapshot::{Placement, Role};

/// The places of all packages, in the order of the skeleton.
pub(super) fn places(
    graph: &PackageGraph,
    initials: &FeatureSet<'_>,
    resolver: Resolver,
    targets: &[String],
    skeleton: &Skeleton<'_>,
    workspace: &str,
) -> Result<Vec<Placement>, GraphError> {
    let platforms: Vec<PlatformSpec> = targets
        .iter()
        .map(|triple| platform(triple))
        .collect::<Result<_, _>>()?;
    let Some(host) = platforms.first() else {
        return Err(GraphError::NoTargets {
            workspace: workspace.to_owned(),
        });
    };
    // The feature graph is made once, before the builds share it.
    let none = graph.feature_graph().resolve_none();
    let jobs: Vec<(usize, bool)> = (0..platforms.len())
        .flat_map(|target| [(target, false), (target, true)])
        .collect();
    let build = |&(target, dev): &(usize, bool)| {
        let mut options = CargoOptions::new();
        options
            .set_resolver(resolver.to_guppy())
            .set_include_dev(dev)
            .set_target_platform(platforms[target].clone())
            .set_host_platform(host.clone());
        CargoSet::new(initials.clone(), none.clone(), &options)
            .map(|set| Build::read(&set, skeleton))
            .map_err(|source| GraphError::Features {
                workspace: workspace.to_owned(),
                source: Box::new(source),
            })
    };
    let builds: Vec<Build> = jobs.par_iter().map(build).collect::<Result<_, _>>()?;
    let mut places = vec![
        Placement {
            resolved: true,
            ..Placement::default()
        };
        skeleton.len()
    ];
    for (&(target, dev), build) in jobs.iter().zip(&builds) {
        if !dev {
            build.place(&targets[target], None, &mut places);
        }
    }
    let built: Vec<bool> = places.iter().map(Placement::is_built).collect();
    for (&(target, dev), build) in jobs.iter().zip(&builds) {
        if dev {
            build.place(&targets[target], Some(&built), &mut places);
        }
    }
    mark_members(&jobs, &builds, skeleton, &built, &mut places);
    for place in &mut places {
        if place.roles.is_empty() {
            place.roles.insert(Role::Unbuilt);
        }
    }
    Ok(places)
}

/// The platform of a triple, with the target features that `rustc` switches on
/// for it by default where they are known here.
fn platform(triple: &str) -> Result<PlatformSpec, GraphError> {
    let features = if triple.starts_with("x86_64-") && triple.contains("linux") {
        TargetFeatures::features(["fxsr", "sse", "sse2", "x87"])
    } else {
        TargetFeatures::Unknown
    };
    Platform::new_strict(triple.to_owned(), features)
        .map(PlatformSpec::from)
        .map_err(|error| GraphError::UnknownTarget {
            triple: triple.to_owned(),
            detail: error.to_string(),
        })
}

/// One simulated build, by places in the skeleton.
struct Build {
    /// Package, whether on the host, features.
    compiled: Vec<(usize, bool, Vec<String>)>,
    /// From, to, whether the link is there for tests only.
    links: Vec<(usize, usize, bool)>,
}

impl Build {
    fn read(set: &CargoSet<'_>, skeleton: &Skeleton<'_>) -> Self {
        let mut compiled = Vec::with_capacity(skeleton.len());
        for (side, features) in set.all_features() {
            let host = side == BuildPlatform::Host;
            for list in features.packages_with_features(DependencyDirection::Forward) {
                if let Some(place) = skeleton.place_of(list.package().id()) {
                    compiled.push((
                        place,
                        host,
                        list.named_features().map(str::to_owned).collect(),
                    ));
                }
            }
        }
        let mut links = Vec::new();
        let all = set
            .target_links()
            .chain(set.host_links())
            .chain(set.proc_macro_links())
            .chain(set.build_dep_links());
        for link in all {
            let (from, to) = link.endpoints();
            if let (Some(from), Some(to)) =
                (skeleton.place_of(from.id()), skeleton.place_of(to.id()))
            {
                let tests_only = !link.req_for_kind(DependencyKind::Normal).is_present()
                    && !link.req_for_kind(DependencyKind::Build).is_present();
                links.push((from, to, tests_only));
            }
        }
        Self { compiled, links }
    }

    /// Writes this build into the places. With `built` it is one with
    /// dev-dependencies, and only what it adds counts.
    fn place(&self, triple: &str, built: Option<&[bool]>, places: &mut [Placement]) {
        for (package, host, features) in &self.compiled {
            let role = match (built, host) {
                (Some(built), _) if built[*package] => continue,
                (Some(_), _) => Role::Dev,
                (None, true) => Role::Host,
                (None, false) => Role::Target,
            };
            let place = &mut places[*package];
            place.roles.insert(role);
            if built.is_none() && !place.targets.contains(triple) {
                place.targets.insert(triple.to_owned());
            }
            let known = if *host {
                &mut place.host_features
            } else {
                &mut place.target_features
            };
            known.extend(features.iter().cloned());
        }
    }
}

/// Enters the members that need each package: through the links of the builds
/// that are shipped for what is shipped, through those of tests for the rest.
fn mark_members(
    jobs: &[(usize, bool)],
    builds: &[Build],
    skeleton: &Skeleton<'_>,
    built: &[bool],
    places: &mut [Placement],
) {
    let mut shipped: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); skeleton.len()];
    let mut tested: Vec<BTreeSet<(usize, bool)>> = vec![BTreeSet::new(); skeleton.len()];
    for (&(_, dev), build) in jobs.iter().zip(builds) {
        for &(from, to, tests_only) in &build.links {
            if dev {
                tested[from].insert((to, tests_only));
            } else {
                shipped[from].insert(to);
            }
        }
    }
    let shipped: Vec<Vec<usize>> = shipped
        .into_iter()
        .map(|s| s.into_iter().collect())
        .collect();
    let tested: Vec<Vec<(usize, bool)>> = tested
        .into_iter()
        .map(|s| s.into_iter().collect())
        .collect();
    let mut needed_by: Vec<BTreeSet<&str>> = vec![BTreeSet::new(); skeleton.len()];
    for (member, name) in skeleton.members() {
        reach(member, skeleton.len(), |from, reached| {
            reached.extend_from_slice(&shipped[from]);
        })
        .into_iter()
        .filter(|&package| built[package])
        .for_each(|package| {
            needed_by[package].insert(name);
        });
        // The tests of another member are not needed by this one.
        reach(member, skeleton.len(), |from, reached| {
            let own = from == member;
            reached.extend(
                tested[from]
                    .iter()
                    .filter(|(_, tests_only)| own || !tests_only)
                    .map(|(to, _)| *to),
            );
        })
        .into_iter()
        .filter(|&package| places[package].roles.contains(&Role::Dev))
        .for_each(|package| {
            needed_by[package].insert(name);
        });
    }
    let mut sets: BTreeMap<BTreeSet<&str>, Arc<BTreeSet<String>>> = BTreeMap::new();
    for (place, names) in places.iter_mut().zip(needed_by) {
        let set = sets.entry(names).or_insert_with_key(|names| {
            Arc::new(names.iter().map(|&name| name.to_owned()).collect())
        });
        place.members = Arc::clone(set);
    }
}

/// Everything that can be reached from one package, itself included.
fn reach(start: usize, count: usize, links: impl Fn(usize, &mut Vec<usize>)) -> Vec<usize> {
    let mut seen = vec![false; count];
    let mut waiting = vec![start];
    let mut reached = Vec::new();
    while let Some(package) = waiting.pop() {
        if std::mem::replace(&mut seen[package], true) {
            continue;
        }
        reached.push(package);
        links(package, &mut waiting);
    }
    reached
}
