//! One package under two names: `a = "1"` and `b = { package = "a", version = "1" }`
//! may both stand for the same release. The graph has one link between two
//! packages, so both get one name here, in the declarations and the features.

use std::collections::BTreeMap;

use super::edges::Matched;
use super::package::Body;

/// Gives all declarations of a package that stand for one lock entry one name.
pub(super) fn unify(body: &mut Body, matched: &Matched) {
    let renamed = second_names(body, matched);
    if renamed.is_empty() {
        return;
    }
    for (name, first) in &renamed {
        keep_implicit(body, first, first);
        keep_implicit(body, name, first);
    }
    for values in body.features.values_mut() {
        for value in values.iter_mut() {
            if let Some(unified) = unified(value, &renamed) {
                *value = unified;
            }
        }
    }
    for declared in &mut body.declared {
        if let Some(first) = renamed.get(&declared.dependency.name) {
            declared.dependency.name.clone_from(first);
        }
    }
}

/// The names to give up, each with the one that stands for it. A name that is
/// optional comes first: only such a name can be a feature.
fn second_names(body: &Body, matched: &Matched) -> BTreeMap<String, String> {
    let mut by_entry: BTreeMap<usize, Vec<(bool, &str)>> = BTreeMap::new();
    for (declared, entry) in body.declared.iter().zip(&matched.entries) {
        if let Some(entry) = entry {
            let dependency = &declared.dependency;
            by_entry
                .entry(*entry)
                .or_default()
                .push((!dependency.optional, &dependency.name));
        }
    }
    let mut renamed = BTreeMap::new();
    for mut names in by_entry.into_values() {
        names.sort_unstable();
        let Some(&(_, first)) = names.first() else {
            continue;
        };
        for (_, name) in names {
            if name != first {
                renamed.insert(name.to_owned(), first.to_owned());
            }
        }
    }
    renamed
}

/// Writes down the feature that an optional dependency has of itself, before
/// `dep:` is used on its name.
fn keep_implicit(body: &mut Body, name: &str, first: &str) {
    let optional = body
        .declared
        .iter()
        .any(|d| d.dependency.optional && d.dependency.name == name);
    let explicit = format!("dep:{name}");
    let hidden = body
        .features
        .values()
        .flatten()
        .any(|value| *value == explicit);
    if optional && !hidden && !body.features.contains_key(name) {
        body.features
            .insert(name.to_owned(), vec![format!("dep:{first}")]);
    }
}

fn unified(value: &str, renamed: &BTreeMap<String, String>) -> Option<String> {
    if let Some(name) = value.strip_prefix("dep:") {
        return renamed.get(name).map(|first| format!("dep:{first}"));
    }
    let (name, feature) = value.split_once('/')?;
    let (name, weak) = name
        .strip_suffix('?')
        .map_or((name, ""), |name| (name, "?"));
    renamed
        .get(name)
        .map(|first| format!("{first}{weak}/{feature}"))
}
