//! Paths of the tree and of archives, by their names alone.

/// Whether a name is that of a file that is copied without its content.
pub(super) fn may_be_empty(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.ends_with(".rs") || ["README.md", "README.txt", "README"].contains(&name)
}

/// Whether a file, named from its package's directory, is one that cargo finds a
/// target or the readme by. What the manifest may name is kept too.
pub(super) fn is_copied_empty(path: &str, manifest: &str) -> bool {
    if !may_be_empty(path) {
        return false;
    }
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        [_]
        | ["src" | "tests" | "examples" | "benches", _]
        | ["src", "bin", _]
        | ["src", "bin", _, "main.rs"]
        | ["tests" | "examples" | "benches", _, "main.rs"] => true,
        [.., name] => manifest.contains(name),
        [] => false,
    }
}

/// Whether a path is made of names only, so that it stays below where it is put.
pub(super) fn is_plain_path(path: &str) -> bool {
    let plain = |name: &str| {
        !name.is_empty() && name != "." && name != ".." && !name.contains(['\\', '\0', ':'])
    };
    path.split('/').all(plain)
}

/// A directory and a name in it.
pub(super) fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() {
        return name.to_owned();
    }
    format!("{directory}/{name}")
}

/// The path that `named` means in a directory of the tree, if it stays in it.
pub(super) fn resolve(directory: &str, named: &str) -> Option<String> {
    if named.starts_with(['/', '\\']) || named.contains([':', '\0']) {
        return None;
    }
    let mut parts: Vec<&str> = directory
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    for part in named.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_resolved_by_their_names_alone() {
        assert_eq!(resolve("a/b", "../c").as_deref(), Some("a/c"));
        assert_eq!(resolve("", "./x//y/").as_deref(), Some("x/y"));
        assert_eq!(resolve("a", "..").as_deref(), Some(""));
        assert_eq!(resolve("a", "../.."), None);
    }
}
