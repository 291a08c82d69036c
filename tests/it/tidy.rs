//! The house rules that no compiler holds: the order of the modules, their
//! headers, the size of files, and what may not stand in the tree.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below a directory with this ending, sorted.
fn files(directory: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![directory.to_owned()];
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if !path.ends_with("target") {
                    waiting.push(path);
                }
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The modules of the library in the order of their declaration.
fn modules() -> Vec<String> {
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    lib.lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .map(str::to_owned)
        .collect()
}

/// The code of a file without its unit tests, comments and doc comments.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let text = text
        .split("#[cfg(test)]\nmod tests")
        .next()
        .unwrap_or_default()
        .to_owned();
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The top-level modules that a piece of code names after `crate::`.
fn imports(code: &str, modules: &[String]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            panic!(
                "`use crate::{{…}}` hides what is imported: {}",
                &group[..group.len().min(40)]
            );
        }
        let name: String = rest
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        if modules.contains(&name) {
            found.insert(name);
        }
    }
    found
}

/// What a module's header says it imports.
fn declared(module: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(root().join(format!("src/{module}/mod.rs"))).unwrap();
    let header: String = text
        .lines()
        .take_while(|line| line.starts_with("//!"))
        .map(|line| line.trim_start_matches("//!").trim())
        .collect::<Vec<_>>()
        .join(" ");
    let (_, list) = header
        .split_once("Imports: ")
        .unwrap_or_else(|| panic!("src/{module}/mod.rs has no `Imports:` line"));
    let list = list.split('.').next().unwrap_or_default();
    if list == "nothing" {
        return BTreeSet::new();
    }
    list.split(", ").map(str::to_owned).collect()
}

#[test]
fn a_module_imports_only_what_stands_above_it_and_says_so() {
    let modules = modules();
    assert!(modules.len() > 5, "the modules of lib.rs were not found");
    let mut wrong = Vec::new();
    for (place, module) in modules.iter().enumerate() {
        let mut actual = BTreeSet::new();
        for file in files(&root().join("src").join(module), ".rs") {
            for import in imports(&code(&file), &modules) {
                if import == *module {
                    continue;
                }
                if !modules[..place].contains(&import) {
                    wrong.push(format!(
                        "{} imports {import}, which stands below",
                        file.display()
                    ));
                }
                actual.insert(import);
            }
        }
        let declared = declared(module);
        if declared != actual {
            wrong.push(format!(
                "src/{module}/mod.rs declares {declared:?} and imports {actual:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_check_of_the_layers_sees_a_wrong_import() {
    let modules = modules();
    let found = imports(
        "use crate::report::render;\nfn f() { crate::pkg::x() }",
        &modules,
    );
    assert_eq!(
        found,
        BTreeSet::from(["pkg".to_owned(), "report".to_owned()])
    );
}

#[test]
fn pure_modules_have_no_door_to_the_outside() {
    for module in [
        "pkg", "facts", "diff", "inspect", "risk", "policy", "report",
    ] {
        for file in files(&root().join("src").join(module), ".rs") {
            let code = code(&file);
            for door in [
                "std::fs",
                "std::net",
                "std::process",
                "std::env::",
                "::now()",
                "crate::host",
            ] {
                let allowed = door == "std::env::" && code.contains("env!(");
                assert!(
                    !code.contains(door) || allowed,
                    "{} has `{door}`",
                    file.display()
                );
            }
        }
    }
}

#[test]
fn files_stay_readable() {
    let mut wrong = Vec::new();
    for file in files(&root().join("src"), ".rs")
        .into_iter()
        .chain(files(&root().join("tests"), ".rs"))
    {
        let text = fs::read_to_string(&file).unwrap();
        let lines = text
            .split("#[cfg(test)]\nmod tests")
            .next()
            .unwrap_or_default()
            .lines()
            .count();
        if lines > 600 {
            wrong.push(format!(
                "{} has {lines} lines before its tests",
                file.display()
            ));
        }
        if !text.starts_with("//!") {
            wrong.push(format!("{} does not say what it is for", file.display()));
        }
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        if [
            "utils", "util", "helpers", "common", "misc", "manager", "context", "imp",
        ]
        .contains(&name.as_str())
        {
            wrong.push(format!("{}: the name says nothing", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_test_is_switched_off() {
    let marks = [
        concat!("#[", "ignore"),
        concat!("should", "_panic"),
        concat!("to", "do!("),
        concat!("unimpl", "emented!("),
    ];
    for file in files(&root().join("src"), ".rs")
        .into_iter()
        .chain(files(&root().join("tests"), ".rs"))
    {
        let text = fs::read_to_string(&file).unwrap();
        for mark in marks {
            assert!(!text.contains(mark), "{} has `{mark}`", file.display());
        }
    }
}

#[test]
fn architecture_describes_every_module_in_order() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let mut places = BTreeMap::new();
    for module in modules() {
        let place = text
            .find(&format!("| `{module}` |"))
            .unwrap_or_else(|| panic!("ARCHITECTURE.md has no row for `{module}`"));
        places.insert(place, module);
    }
    let order: Vec<String> = places.into_values().collect();
    assert_eq!(
        order,
        modules(),
        "the rows of ARCHITECTURE.md are in another order than lib.rs"
    );
    assert!(
        text.lines().count() <= 150,
        "ARCHITECTURE.md is too long to be read"
    );
}

#[test]
fn our_own_lock_file_stays_within_its_budget() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let packages = lock.lines().filter(|line| *line == "[[package]]").count();
    assert!(
        packages <= 390,
        "{packages} packages; a new dependency must be worth its weight"
    );
}
