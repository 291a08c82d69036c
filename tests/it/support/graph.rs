//! Dependency graphs in text.
//!
//! ```text
//! app -> serde 1.0.1 req=^1, log 0.4 dev
//! serde 1.0.1 sum=aa role=target features=std+alloc -> serde_derive 1.0.1 req==1.0.1
//! fork 0.2 git+https://host.example/fork#0123
//! [tools]
//! tool 0.3 member -> log 0.4
//! ```
//!
//! One package for each line; one without a version is a workspace member.
//! `member` and `path` make a package local. In a requirement `&` stands for a comma. Dependencies need no line of their
//! own. `[path]` begins another workspace. Roles, targets and features on any
//! package make the workspace a resolved one.

use std::collections::{BTreeMap, BTreeSet};

use cargo_canary::pkg::{DependencyKind, PackageId, Source};
use cargo_canary::snapshot::{
    Edge, GraphKind, Input, InputKind, Package, Placement, Role, Snapshot, Workspace,
};
use semver::{Version, VersionReq};

struct Parsed {
    id: PackageId,
    member: bool,
    words: Vec<String>,
}

/// Reads the notation.
pub(crate) fn snapshot(text: &str) -> Snapshot {
    let mut sections: Vec<(String, Vec<&str>)> = vec![(".".into(), Vec::new())];
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
        {
            Some(path) => sections.push((path.into(), Vec::new())),
            None => sections.last_mut().unwrap().1.push(line),
        }
    }
    sections.retain(|(_, lines)| !lines.is_empty());
    let workspaces = sections
        .into_iter()
        .map(|(path, lines)| workspace(path, &lines))
        .collect();
    of_workspaces(workspaces)
}

/// A snapshot of these workspaces.
pub(crate) fn of_workspaces(mut workspaces: Vec<Workspace>) -> Snapshot {
    workspaces.sort_by(|a, b| a.path.cmp(&b.path));
    Snapshot {
        input: Input {
            given: "test".into(),
            kind: InputKind::Directory,
            commit: None,
            digest: format!("sha256:{}", "0".repeat(64)),
        },
        workspaces,
        not_covered: Vec::new(),
    }
}

fn workspace(path: String, lines: &[&str]) -> Workspace {
    let mut nodes: BTreeMap<PackageId, Package> = BTreeMap::new();
    let mut edges: Vec<(PackageId, Parsed)> = Vec::new();
    for line in lines {
        let (package, dependencies) = line.split_once("->").unwrap_or((line, ""));
        let parsed = parse(package);
        let node = nodes
            .entry(parsed.id.clone())
            .or_insert_with(|| bare(&parsed.id));
        node.member = parsed.member;
        describe(node, &parsed.words);
        for dependency in dependencies
            .split(',')
            .filter(|text| !text.trim().is_empty())
        {
            edges.push((parsed.id.clone(), parse(dependency)));
        }
    }
    let known: Vec<PackageId> = nodes.keys().cloned().collect();
    let same = |a: &PackageId, b: &PackageId| {
        a.name == b.name
            && a.version == b.version
            && (a.source == b.source || b.source == Source::CratesIo)
    };
    for (_, to) in &mut edges {
        let local = to.id.source == Source::Local;
        let meant: Vec<_> = known
            .iter()
            .filter(|id| same(id, &to.id) || local && id.name == to.id.name)
            .collect();
        if let [only] = meant.as_slice() {
            to.id = (*only).clone();
        }
        nodes.entry(to.id.clone()).or_insert_with(|| bare(&to.id));
    }
    let resolved = nodes.values().any(|node| node.placement.resolved);
    let place: BTreeMap<PackageId, usize> = nodes
        .keys()
        .cloned()
        .enumerate()
        .map(|(at, id)| (id, at))
        .collect();
    let mut packages: Vec<Package> = nodes.into_values().collect();
    for (from, to) in edges {
        let (from, at) = (place[&from], place[&to.id]);
        let kinds = to
            .words
            .iter()
            .filter_map(|word| kind(word))
            .collect::<BTreeSet<_>>();
        let kinds = if resolved && kinds.is_empty() {
            [DependencyKind::Normal].into()
        } else {
            kinds
        };
        let reqs = to.words.iter().filter_map(|word| word.strip_prefix("req="));
        let reqs: Vec<VersionReq> = reqs
            .map(|req| req.replace('&', ",").parse().unwrap())
            .collect();
        let member = packages[from].member;
        packages[at].placement.direct |= member;
        let edges = &mut packages[from].edges;
        match edges.iter_mut().find(|edge| edge.to == at) {
            Some(edge) => {
                edge.kinds.extend(kinds);
                edge.reqs.extend(reqs);
            }
            None => edges.push(Edge {
                to: at,
                kinds,
                reqs,
            }),
        }
    }
    for package in &mut packages {
        package.edges.sort_by_key(|edge| edge.to);
        package.placement.resolved = resolved;
        if package.placement.roles.is_empty() {
            package.placement.roles = [Role::Target].into();
        }
    }
    let lock_lines = (0..packages.len())
        .map(|at| u32::try_from(at).unwrap() * 10 + 1)
        .collect();
    Workspace {
        path,
        graph: GraphKind::Metadata,
        packages,
        lock_lines,
        gaps: Vec::new(),
    }
}

/// `1` is `1.0.0`.
fn version(text: &str) -> Version {
    let (numbers, rest) = text.split_at(text.find(['-', '+']).unwrap_or(text.len()));
    let missing = 2 - numbers.matches('.').count();
    format!("{numbers}{}{rest}", ".0".repeat(missing))
        .parse()
        .unwrap()
}

fn parse(text: &str) -> Parsed {
    let mut words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    let name = words.remove(0);
    let versioned = words
        .first()
        .is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    let version = if versioned {
        version(&words.remove(0))
    } else {
        Version::new(0, 0, 0)
    };
    let is = |wanted: &str| words.iter().any(|word| word == wanted);
    let member = !versioned || is("member");
    let local = member || is("path");
    let source = words.iter().find(|word| word.contains("://"));
    let source = match source {
        Some(source) => Source::parse(source).unwrap(),
        None if local => Source::Local,
        None => Source::CratesIo,
    };
    Parsed {
        id: PackageId {
            name,
            version,
            source,
        },
        member,
        words,
    }
}

fn bare(id: &PackageId) -> Package {
    Package {
        id: id.clone(),
        checksum: None,
        member: false,
        edges: Vec::new(),
        placement: Placement::default(),
        manifest: None,
    }
}

fn describe(package: &mut Package, words: &[String]) {
    let list = |text: &str| text.split('+').map(str::to_owned).collect::<BTreeSet<_>>();
    for word in words {
        let Some((key, value)) = word.split_once('=') else {
            continue;
        };
        let placement = &mut package.placement;
        match key {
            "sum" => package.checksum = Some(value.to_owned()),
            "features" => placement.target_features = list(value),
            "host-features" => placement.host_features = list(value),
            "targets" => placement.targets = list(value),
            "role" => placement.roles = value.split('+').map(role).collect(),
            _ => continue,
        }
        placement.resolved |= key != "sum";
    }
}

fn role(text: &str) -> Role {
    let all = [Role::Target, Role::Host, Role::Dev, Role::Unbuilt];
    all.into_iter().find(|role| role.as_str() == text).unwrap()
}

fn kind(word: &str) -> Option<DependencyKind> {
    match word {
        "normal" => Some(DependencyKind::Normal),
        "build" => Some(DependencyKind::Build),
        "dev" => Some(DependencyKind::Dev),
        _ => None,
    }
}
