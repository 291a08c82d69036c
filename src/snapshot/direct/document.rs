//! Writes the `cargo metadata` document: only the keys that the graph is built from.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::edges::Matched;
use super::package::Body;
use crate::pkg::{DependencyKind, PackageId, Source};
use crate::snapshot::graph::READ_MARK;

/// One package, ready to be written.
pub(super) struct Node {
    /// Its place in the lock file.
    pub(super) locked: usize,
    pub(super) id: PackageId,
    /// Its directory below the tree's root, for packages of the tree.
    pub(super) dir: Option<String>,
    pub(super) member: bool,
    pub(super) default_member: bool,
    pub(super) body: Body,
    pub(super) matched: Matched,
}

#[derive(Serialize)]
struct Document<'n> {
    version: u8,
    packages: Vec<Package<'n>>,
    workspace_members: Vec<&'n str>,
    workspace_default_members: Vec<&'n str>,
    resolve: Resolve<'n>,
    workspace_root: String,
    target_directory: String,
}

#[derive(Serialize)]
struct Package<'n> {
    name: &'n str,
    version: String,
    id: &'n str,
    source: Option<String>,
    dependencies: Vec<Dependency<'n>>,
    targets: Vec<Target<'n>>,
    features: &'n BTreeMap<String, Vec<String>>,
    manifest_path: String,
    edition: &'n str,
    #[serde(skip_serializing_if = "Option::is_none")]
    links: Option<&'n str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<BTreeMap<&'static str, &'static str>>,
}

#[derive(Serialize)]
struct Dependency<'n> {
    name: &'n str,
    req: String,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rename: Option<&'n str>,
    optional: bool,
    uses_default_features: bool,
    features: &'n [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'n str>,
}

#[derive(Serialize)]
struct Target<'n> {
    kind: [&'static str; 1],
    crate_types: [&'static str; 1],
    name: &'n str,
    src_path: &'static str,
}

#[derive(Serialize)]
struct Resolve<'n> {
    nodes: Vec<ResolveNode<'n>>,
}

#[derive(Serialize)]
struct ResolveNode<'n> {
    id: &'n str,
    dependencies: [&'static str; 0],
    deps: Vec<ResolveDep<'n>>,
}

#[derive(Serialize)]
struct ResolveDep<'n> {
    name: &'n str,
    pkg: &'n str,
    dep_kinds: Vec<DepKind<'n>>,
}

#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct DepKind<'n> {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'n str>,
}

/// The directory that the document gives as the tree's root. Nothing is there:
/// the document has paths only because its format wants them.
const ROOT: &str = "/tree";

/// The document of these packages, for the workspace in `dir`.
pub(super) fn write(nodes: &[Node], dir: &str) -> Result<String, serde_json::Error> {
    let ids: Vec<String> = nodes.iter().map(id_text).collect();
    let highest = nodes.iter().map(|node| node.locked + 1).max().unwrap_or(0);
    let mut by_lock: Vec<Option<usize>> = vec![None; highest];
    for (place, node) in nodes.iter().enumerate() {
        by_lock[node.locked] = Some(place);
    }
    let chosen = |wanted: fn(&Node) -> bool| {
        nodes
            .iter()
            .zip(&ids)
            .filter(|(node, _)| wanted(node))
            .map(|(_, id)| id.as_str())
            .collect()
    };
    let root = if dir.is_empty() {
        ROOT.to_owned()
    } else {
        format!("{ROOT}/{dir}")
    };
    let document = Document {
        version: 1,
        packages: nodes
            .iter()
            .zip(&ids)
            .map(|(node, id)| package(node, id))
            .collect(),
        workspace_members: chosen(|node| node.member),
        workspace_default_members: chosen(|node| node.default_member),
        resolve: Resolve {
            nodes: nodes
                .iter()
                .zip(&ids)
                .map(|(node, id)| ResolveNode {
                    id,
                    dependencies: [],
                    deps: resolved(node, nodes, &ids, &by_lock),
                })
                .collect(),
        },
        target_directory: format!("{root}/target"),
        workspace_root: root,
    };
    serde_json::to_string(&document)
}

/// An id that is unique in the document.
fn id_text(node: &Node) -> String {
    let PackageId {
        name,
        version,
        source,
    } = &node.id;
    match source.to_lock() {
        Some(source) => format!("{source}#{name}@{version}"),
        None => format!("path+file://{ROOT}#{name}@{version}"),
    }
}

fn package<'n>(node: &'n Node, id: &'n str) -> Package<'n> {
    let body = &node.body;
    let manifest_path = match (&node.dir, &node.id.source) {
        (Some(dir), _) if dir.is_empty() => format!("{ROOT}/Cargo.toml"),
        (Some(dir), _) => format!("{ROOT}/{dir}/Cargo.toml"),
        (None, Source::Local) => {
            format!("/elsewhere/{}-{}/Cargo.toml", node.id.name, node.id.version)
        }
        (None, _) => "/registry/Cargo.toml".to_owned(),
    };
    let mut targets = Vec::new();
    if let Some(library) = &body.library {
        let kind = if body.proc_macro { "proc-macro" } else { "lib" };
        targets.push(target(library, kind, kind));
    }
    if body.build_script {
        targets.push(target("build-script-build", "custom-build", "bin"));
    }
    Package {
        name: &node.id.name,
        version: node.id.version.to_string(),
        id,
        source: node.id.source.to_lock(),
        dependencies: body
            .declared
            .iter()
            .map(|d| dependency(&d.dependency))
            .collect(),
        targets,
        features: &body.features,
        manifest_path,
        edition: edition(&body.edition),
        links: body.links.as_deref(),
        metadata: body.mark.map(|mark| BTreeMap::from([(READ_MARK, mark)])),
    }
}

/// The document's format knows these; a newer one changes nothing in the graph.
fn edition(edition: &str) -> &str {
    match edition {
        "2015" | "2018" | "2021" | "2024" => edition,
        _ => "2024",
    }
}

fn target<'n>(name: &'n str, kind: &'static str, crate_type: &'static str) -> Target<'n> {
    Target {
        kind: [kind],
        crate_types: [crate_type],
        name,
        src_path: "/tree/target.rs",
    }
}

fn dependency(dependency: &crate::registry::Dependency) -> Dependency<'_> {
    let renamed = dependency.name != dependency.package;
    Dependency {
        name: &dependency.package,
        req: dependency.req.to_string(),
        kind: dependency.kind.as_str(),
        rename: renamed.then_some(dependency.name.as_str()),
        optional: dependency.optional && dependency.kind != DependencyKind::Dev,
        uses_default_features: dependency.default_features,
        features: &dependency.features,
        target: dependency.target.as_deref(),
    }
}

/// The links of one package: one for each other package, under the name of its
/// library, so that the reader takes all its declarations together.
fn resolved<'n>(
    node: &'n Node,
    nodes: &'n [Node],
    ids: &'n [String],
    by_lock: &[Option<usize>],
) -> Vec<ResolveDep<'n>> {
    let mut links: BTreeMap<usize, BTreeSet<DepKind<'n>>> = BTreeMap::new();
    for (declared, entry) in node.body.declared.iter().zip(&node.matched.entries) {
        let to = entry.and_then(|entry| by_lock.get(entry).copied().flatten());
        if let Some(to) = to {
            links.entry(to).or_default().insert(DepKind {
                kind: declared.dependency.kind.as_str(),
                target: declared.dependency.target.as_deref(),
            });
        }
    }
    links
        .into_iter()
        .map(|(to, kinds)| ResolveDep {
            name: nodes[to].body.library.as_deref().unwrap_or(""),
            pkg: &ids[to],
            dep_kinds: kinds.into_iter().collect(),
        })
        .collect()
}
