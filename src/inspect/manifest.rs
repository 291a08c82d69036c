//! What the manifest in an archive says about what is compiled, and about the
//! package itself.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Value;

use crate::facts::Purpose;
use crate::registry::SourceTree;

/// A manifest with more bytes than this is not read.
const LARGEST_MANIFEST: usize = 4 << 20;

/// What is used of a manifest.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Manifest {
    /// The root file of the library, if it has one.
    pub(super) library: Option<String>,
    pub(super) proc_macro: bool,
    /// The root files of the build scripts.
    pub(super) build_scripts: Vec<String>,
    /// `licence`, `edition`, … by name, where they are given.
    pub(super) described: BTreeMap<&'static str, String>,
    pub(super) purpose: Purpose,
}

#[derive(Deserialize)]
struct File {
    #[serde(alias = "project")]
    package: BTreeMap<String, Value>,
    lib: Option<BTreeMap<String, Value>>,
    #[serde(default)]
    dependencies: BTreeMap<String, Value>,
}

/// The registry takes five of each; more than this is not read.
const MOST_WORDS: usize = 20;
/// So many needed packages are kept.
const MOST_NEEDS: usize = 200;

/// The fields that describe a package: the key, and what reports call it.
const DESCRIBING: [(&str, &str); 6] = [
    ("license", "licence"),
    ("license-file", "licence file"),
    ("edition", "edition"),
    ("rust-version", "oldest compiler"),
    ("repository", "repository"),
    ("links", "native library"),
];

impl Manifest {
    /// Reads the manifest of a package.
    pub(super) fn read(tree: &SourceTree) -> Result<Self, String> {
        let bytes = tree
            .read("Cargo.toml")
            .ok_or_else(|| "there is no `Cargo.toml`".to_owned())?;
        if bytes.len() > LARGEST_MANIFEST {
            return Err("`Cargo.toml` is too large to be read".to_owned());
        }
        let text =
            std::str::from_utf8(bytes).map_err(|_| "`Cargo.toml` is not UTF-8".to_owned())?;
        let file: File =
            toml::from_str(text).map_err(|_| "`Cargo.toml` cannot be read".to_owned())?;
        let described = DESCRIBING
            .into_iter()
            .filter_map(|(key, name)| {
                Some((
                    name,
                    file.package.get(key)?.as_str()?.chars().take(200).collect(),
                ))
            })
            .collect();
        Ok(Self {
            library: library(&file, tree),
            proc_macro: file.lib.as_ref().is_some_and(is_proc_macro),
            build_scripts: build_scripts(&file, tree),
            described,
            purpose: purpose(&file),
        })
    }
}

fn purpose(file: &File) -> Purpose {
    let words = |key: &str| -> Vec<String> {
        let list = file.package.get(key).and_then(Value::as_array);
        list.into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .take(MOST_WORDS)
            .map(|word| word.trim().to_lowercase().chars().take(64).collect())
            .collect()
    };
    let optional = |value: &Value| value.get("optional").and_then(Value::as_bool) == Some(true);
    let renamed = |value: &Value| Some(value.get("package")?.as_str()?.to_owned());
    let mut needs: Vec<String> = file
        .dependencies
        .iter()
        .filter(|(_, value)| !optional(value))
        .map(|(name, value)| renamed(value).unwrap_or_else(|| name.clone()))
        .collect();
    needs.sort();
    needs.truncate(MOST_NEEDS);
    Purpose {
        categories: words("categories"),
        keywords: words("keywords"),
        needs,
    }
}

fn library(file: &File, tree: &SourceTree) -> Option<String> {
    let path = file
        .lib
        .as_ref()
        .and_then(|lib| Some(normal(lib.get("path")?.as_str()?)));
    path.or_else(|| tree.read("src/lib.rs").map(|_| "src/lib.rs".to_owned()))
}

fn is_proc_macro(lib: &BTreeMap<String, Value>) -> bool {
    let flag = ["proc-macro", "proc_macro"]
        .iter()
        .any(|key| lib.get(*key).and_then(Value::as_bool) == Some(true));
    let kinds = ["crate-type", "crate_type"]
        .iter()
        .filter_map(|key| lib.get(*key)?.as_array())
        .flatten();
    flag || kinds
        .into_iter()
        .any(|kind| kind.as_str() == Some("proc-macro"))
}

fn build_scripts(file: &File, tree: &SourceTree) -> Vec<String> {
    let inferred = || {
        tree.read("build.rs")
            .map(|_| "build.rs".to_owned())
            .into_iter()
            .collect()
    };
    match file.package.get("build") {
        None | Some(Value::Boolean(true)) => inferred(),
        Some(Value::String(path)) => vec![normal(path)],
        Some(Value::Array(paths)) => paths.iter().filter_map(Value::as_str).map(normal).collect(),
        Some(_) => Vec::new(),
    }
}

/// A path without `.` and `..`, as far as that can be told.
pub(super) fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}
