//! The `[cooldown]` table, and `extends`.

use toml::de::DeTable;

use super::tables::EFFECTS;
use super::values::{Reader, shown};
use super::{At, Days, RawCooldown};

/// The keys of `[cooldown]`.
const COOLDOWN: [&str; 5] = ["days", "then", "first-party", "fixes-wait", "packages"];
const TITLE: &str = "[cooldown]";
/// The longest wait, in days.
const LONGEST: f64 = 3_650.0;
/// How many packages may have a wait of their own.
const MOST: usize = 2_000;

pub(super) fn cooldown(reader: &mut Reader, table: &DeTable<'_>) -> RawCooldown {
    reader.known(TITLE, table, &COOLDOWN);
    RawCooldown {
        days: days(reader, table),
        then: table
            .get("then")
            .and_then(|value| reader.word(TITLE, "then", value, &EFFECTS)),
        first_party: first_party(reader, table),
        fixes_wait: reader.bool(TITLE, "fixes-wait", table),
        packages: packages(reader, table),
    }
}

fn days(reader: &mut Reader, table: &DeTable<'_>) -> Option<Days> {
    let value = table.get("days")?;
    let written = value.get_ref();
    if written.as_str().is_some() {
        let words = [("cargo", Days::Cargo), ("never", Days::Never)];
        return reader.word(TITLE, "days", value, &words);
    }
    if written.as_integer().is_none() && written.as_float().is_none() {
        let label = "`days` must be a number of days, \"cargo\" or \"never\"";
        reader.problem(value.span(), TITLE, label);
        return None;
    }
    let days = reader.number(TITLE, "days", table)?.value;
    if !(0.0..=LONGEST).contains(&days) {
        reader.problem(
            value.span(),
            TITLE,
            format!("`days` must be from 0 to {LONGEST}"),
        );
        return None;
    }
    Some(Days::Of(days))
}

/// Index URLs of registries; what is no URL would match nothing.
fn first_party(reader: &mut Reader, table: &DeTable<'_>) -> Option<Vec<String>> {
    let urls = reader.texts(TITLE, "first-party", table)?;
    for url in urls.iter().filter(|url| !url.value.contains("://")) {
        let label = format!(
            "`{}` is no index URL, such as \"sparse+https://registry.example/\"",
            shown(&url.value)
        );
        reader.problem(url.span.clone(), TITLE, label);
    }
    Some(urls.into_iter().map(|url| url.value).collect())
}

fn packages(reader: &mut Reader, table: &DeTable<'_>) -> Vec<(String, f64)> {
    let title = "[cooldown.packages]";
    let Some(packages) = reader.table(TITLE, "packages", table) else {
        return Vec::new();
    };
    if packages.len() > MOST {
        reader.problem(0..0, title, format!("there are more than {MOST} of them"));
        return Vec::new();
    }
    let mut found = Vec::new();
    for (key, value) in packages {
        let name: &str = key.get_ref().as_ref();
        let stem = name.strip_suffix('*').unwrap_or(name);
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        if name.is_empty() || !stem.chars().all(plain) {
            let label = format!(
                "`{}` is neither a package name nor the start of one with a `*` at its end",
                shown(name)
            );
            reader.problem(key.span(), title, label);
        }
        if let Some(days) = reader.number(title, name, packages) {
            if (0.0..=LONGEST).contains(&days.value) {
                found.push((name.to_owned(), days.value));
            } else {
                let label = format!("a wait is from 0 to {LONGEST} days");
                reader.problem(value.span(), title, label);
            }
        }
    }
    found
}

/// What a policy extends: a name or a path, or a URL that is pinned by the SHA-256
/// of what it gives. The pinned form is one text, `URL#sha256=DIGEST`.
pub(super) fn extends(reader: &mut Reader, root: &DeTable<'_>) -> Option<At<String>> {
    let title = "extends";
    let value = root.get("extends")?;
    let span = value.span();
    let Some(table) = value.get_ref().as_table() else {
        let text = reader.text("policy file", "extends", root)?;
        if text.value.contains("://") && !is_pinned(&text.value) {
            let label = "a policy from a URL is pinned by what it gives: \
                         `extends = { url = \"https://…\", sha256 = \"…\" }`";
            reader.problem(text.span, title, label);
            return None;
        }
        return Some(text);
    };
    reader.known(title, table, &["url", "sha256"]);
    let url = reader.required_text(title, "url", table, &span)?;
    let digest = reader.required_text(title, "sha256", table, &span)?;
    if !url.value.starts_with("https://") || url.value.contains('#') {
        reader.problem(
            url.span,
            title,
            "`url` must start with `https://`, and have no `#`",
        );
        return None;
    }
    if !is_digest(&digest.value) {
        let label = "`sha256` must be 64 hexadecimal digits, as `sha256sum` prints them";
        reader.problem(digest.span, title, label);
        return None;
    }
    Some(At {
        value: format!("{}#sha256={}", url.value, digest.value.to_lowercase()),
        span,
    })
}

fn is_pinned(text: &str) -> bool {
    text.starts_with("https://")
        && text
            .split_once("#sha256=")
            .is_some_and(|(_, digest)| is_digest(digest))
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.chars().all(|c| c.is_ascii_hexdigit())
}
