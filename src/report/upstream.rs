//! What upstream says of the versions in between, as short lines of plain text.
//! Nothing of its markup is kept but backticks around code; links keep their
//! words. Numbers of upstream's issues are left out: elsewhere they mean another
//! project's. Each format escapes the lines for itself.

use semver::Version;

use crate::audit::JudgedChange;

/// The lines of one version.
pub(super) struct Section<'a> {
    pub(super) version: &'a Version,
    pub(super) lines: Vec<String>,
}

/// What upstream says of one change, newest version first.
pub(super) struct Upstream<'a> {
    /// The file it stands in.
    pub(super) from: &'a str,
    pub(super) sections: Vec<Section<'a>>,
}

/// Upstream's notes; `None` where no archive was compared or nothing is said.
pub(super) fn of(judged: &JudgedChange) -> Option<Upstream<'_>> {
    let delta = judged.dossier.source.seen()?;
    let sections: Vec<Section<'_>> = delta
        .changelog
        .iter()
        .map(|section| Section {
            version: &section.version,
            lines: lines(&section.text),
        })
        .filter(|section| !section.lines.is_empty())
        .collect();
    let from = &delta.changelog.first()?.file;
    (!sections.is_empty()).then_some(Upstream { from, sections })
}

/// Sections that tell nothing about the code: they stand last.
const LAST: &[&str] = &[
    "chore",
    "ci",
    "contributors",
    "dev",
    "doc",
    "internal",
    "misc",
    "other",
    "style",
    "test",
];
/// Words of lines that stand first.
const FIRST: &[&str] = &[
    "breaking",
    "cve-",
    "leak",
    "oom",
    "out of memory",
    "rustsec-",
    "security",
    "soundness",
    "unsound",
    "vulnerab",
    "yank",
];
/// What the tools that write release notes add to each of them.
const NOISE: &[&str] = &[
    "made their first contribution",
    "full changelog",
    "new contributors",
    "what's changed",
];

/// One line while it is read.
struct Line {
    last: bool,
    heading: String,
    text: String,
}

/// The items and paragraphs of a text, what is about the code first.
fn lines(text: &str) -> Vec<String> {
    let text = without_comments(text);
    let mut found: Vec<Line> = Vec::new();
    let (mut heading, mut last) = (String::new(), false);
    let (mut in_code, mut open) = (false, false);
    for raw in text.lines() {
        let line = raw.trim();
        if line.starts_with("```") || line.starts_with("~~~") {
            in_code = !in_code;
            continue;
        }
        if in_code || is_reference(line) {
            continue;
        }
        if line.is_empty() || line.chars().all(|c| "-=*_".contains(c)) {
            open = false;
            continue;
        }
        if let Some(title) = heading_of(line) {
            (heading, last) = title;
            open = false;
            continue;
        }
        match item_of(line) {
            Some(item) => {
                found.push(Line {
                    last,
                    heading: heading.clone(),
                    text: item.to_owned(),
                });
            }
            None if open => {
                if let Some(line_before) = found.last_mut() {
                    line_before.text.push(' ');
                    line_before.text.push_str(line);
                }
            }
            None => found.push(Line {
                last,
                heading: String::new(),
                text: line.to_owned(),
            }),
        }
        open = true;
    }
    let is_first = |line: &Line| {
        let text = format!("{} {}", line.heading, line.text).to_lowercase();
        FIRST.iter().any(|word| text.contains(word))
    };
    found.sort_by_cached_key(|line| (line.last, !is_first(line)));
    found
        .iter()
        .map(|line| (&line.heading, plain(&line.text)))
        .filter(|(_, text)| is_telling(text))
        .map(|(heading, text)| {
            if heading.is_empty() {
                text
            } else {
                format!("{heading}: {text}")
            }
        })
        .collect()
}

/// A heading with the word for its items, and whether they stand last. A
/// paragraph that ends in a colon is one, too.
fn heading_of(line: &str) -> Option<(String, bool)> {
    let marked = line.starts_with('#');
    let title = line.trim_start_matches('#').trim().trim_matches('*').trim();
    let short = title.chars().count() <= 30 && item_of(line).is_none();
    let ends = title.strip_suffix(':');
    let is_heading = marked || (short && ends.is_some());
    if !is_heading {
        return None;
    }
    let title = plain(ends.unwrap_or(title));
    let lower = title.to_lowercase();
    let last = LAST
        .iter()
        .any(|word| lower.split_whitespace().any(|part| part.starts_with(word)));
    let says_nothing = !short || NOISE.contains(&lower.as_str()) || lower.starts_with("other");
    let word = if says_nothing { String::new() } else { title };
    Some((word, last))
}

/// What stands behind the mark of a list's item.
fn item_of(line: &str) -> Option<&str> {
    let marked = ["- ", "* ", "+ ", "\u{2022} "];
    if let Some(rest) = marked.iter().find_map(|mark| line.strip_prefix(mark)) {
        return Some(rest.trim_start());
    }
    let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = line.len() - rest.len();
    let rest = rest
        .strip_prefix(". ")
        .or_else(|| rest.strip_prefix(") "))?;
    (1..=3).contains(&digits).then(|| rest.trim_start())
}

/// `[name]: address`, which only links point to.
fn is_reference(line: &str) -> bool {
    line.starts_with('[')
        && line
            .split_once("]:")
            .is_some_and(|(name, _)| !name.contains(']'))
}

fn is_telling(line: &str) -> bool {
    let lower = line.to_lowercase();
    let is_date = lower.starts_with("released ") && line.len() < 26;
    let is_empty = matches!(lower.as_str(), "todo" | "tbd" | "n/a" | "none");
    let is_noise = NOISE.iter().any(|noise| lower.contains(noise));
    line.chars().any(char::is_alphabetic) && !is_date && !is_empty && !is_noise
}

fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("<!--") {
        out.push_str(before);
        rest = after.split_once("-->").map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out
}

/// Words without links, emphasis and doubled spaces.
fn plain(text: &str) -> String {
    let text = shortened(&unlinked(text)).replace("**", "");
    let text = without_numbers(&text);
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}

/// Whether text is but numbers of issues, names of commits and what joins them.
fn is_numbers(text: &str) -> bool {
    let mut parts = text
        .split([' ', ',', ';', '/'])
        .filter(|part| !part.is_empty())
        .peekable();
    parts.peek().is_some()
        && parts.all(|part| {
            let part = part.trim_matches('`');
            let number = part.rsplit('#').next().unwrap_or(part);
            let is_number = part.contains('#') && number.bytes().all(|b| b.is_ascii_digit());
            let is_commit = part.len() >= 7 && part.bytes().all(|b| b.is_ascii_hexdigit());
            is_number || is_commit || matches!(part, "and" | "see" | "See")
        })
}

/// Without `(#1, #2)`, a leading `#1:` and a closing `by @name in #1`.
fn without_numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('(') {
        out.push_str(before);
        match after.split_once(')') {
            Some((inner, behind)) if is_numbers(inner) => {
                out.truncate(out.trim_end().len());
                rest = behind;
            }
            _ => {
                out.push('(');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    if let Some((before, _)) = out.rsplit_once(" by @").filter(|(_, by)| !by.contains('`')) {
        out.truncate(before.len());
    }
    let trailing = |text: &str| {
        let (before, last) = text.rsplit_once(' ')?;
        is_numbers(last.trim_end_matches('.')).then(|| before.trim_end().len())
    };
    while let Some(end) = trailing(&out) {
        out.truncate(end);
    }
    match out.split_once(": ").or_else(|| out.split_once(" - ")) {
        Some((first, behind)) if is_numbers(first) => behind.to_owned(),
        _ => out,
    }
}

/// `[words](address)`, `[words][name]` and `[words]` to their words; pictures
/// to nothing. Text in code is left alone.
fn unlinked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut in_code = false;
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let after = rest.get(character.len_utf8()..).unwrap_or_default();
        if character == '`' {
            in_code = !in_code;
        }
        let is_picture = rest.starts_with("![");
        if !in_code && (character == '[' || is_picture) {
            let inner = after
                .strip_prefix('[')
                .filter(|_| is_picture)
                .unwrap_or(after);
            if let Some((words, end)) = bracketed(inner) {
                let end = end
                    .strip_prefix('(')
                    .and_then(|end| end.split_once(')'))
                    .or_else(|| end.strip_prefix('[').and_then(|end| end.split_once(']')))
                    .map_or(end, |(_, end)| end);
                if !is_picture {
                    out.push_str(&unlinked(words));
                }
                rest = end;
                continue;
            }
        }
        out.push(character);
        rest = after;
    }
    out
}

/// The text up to the bracket that closes, and the rest. Links hold no links,
/// but a picture may stand in one.
fn bracketed(text: &str) -> Option<(&str, &str)> {
    let mut depth = 1;
    for (at, character) in text.char_indices().take(400) {
        match character {
            '[' => depth += 1,
            ']' => depth -= 1,
            _ => {}
        }
        if depth > 2 {
            return None;
        }
        if depth == 0 {
            return Some((text.get(..at)?, text.get(at + 1..)?));
        }
    }
    None
}

/// Addresses of a forge's issues, pull requests and commits as people write them.
fn shortened(text: &str) -> String {
    let words: Vec<String> = text
        .split(' ')
        .map(|word| {
            let Some(start) = word.find("https://") else {
                return word.to_owned();
            };
            let (before, address) = word.split_at(start);
            let end = address.find([')', '>', ',', ';']).unwrap_or(address.len());
            let (address, behind) = address.split_at(end);
            let mut parts = address.rsplit('/');
            match (parts.next(), parts.next()) {
                (Some(number), Some("pull" | "issues" | "merge_requests"))
                    if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) =>
                {
                    format!("{before}#{number}{behind}")
                }
                (Some(hash), Some("commit")) if hash.is_ascii() && hash.len() >= 7 => {
                    format!("{before}{}{behind}", hash.get(..7).unwrap_or(hash))
                }
                _ => word.to_owned(),
            }
        })
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn items_keep_what_they_are_about_and_lose_their_links() {
        let text = "### Fixed\n- codec: fix `is_readable` ([#7912])\n  when it is full\n* **MSRV**: 1.82\n\n[#7912]: https://github.com/a/b/pull/7912\n";
        assert_eq!(
            lines(text),
            [
                "Fixed: codec: fix `is_readable` when it is full",
                "Fixed: MSRV: 1.82"
            ]
        );
    }

    #[test]
    fn what_release_tools_add_is_left_out() {
        let text = "## What's Changed\n* Lower the output by @x in https://github.com/a/b/pull/492\n\n## New Contributors\n* @x made their first contribution in https://github.com/a/b/pull/492\n\n**Full Changelog**: https://github.com/a/b/compare/1...2\n";
        assert_eq!(lines(text), ["Lower the output"]);
    }

    #[test]
    fn what_may_do_harm_stands_first() {
        let text = "Released 2026/04/21.\n- a word #12\n- a memory leak is mended #13.\n";
        assert_eq!(lines(text), ["a memory leak is mended", "a word"]);
    }

    #[test]
    fn housekeeping_stands_last_and_code_is_no_text() {
        let text = "### Documentation\n- words\n### Bug Fixes\n- a leak\n```\ncode\n```\n<!-- hidden\n- x -->\nTODO\n";
        assert_eq!(lines(text), ["Bug Fixes: a leak", "Documentation: words"]);
    }

    #[test]
    fn a_paragraph_that_ends_in_a_colon_is_a_heading() {
        let text = "TODO\n\nBug fixes:\n\n* [#519](https://github.com/a/b/issues/519):\nImprove errors.\n1. one\n";
        assert_eq!(
            lines(text),
            ["Bug fixes: Improve errors.", "Bug fixes: one"]
        );
    }

    #[test]
    fn odd_marks_are_text() {
        assert_eq!(lines("- a [b ![c](d) `[e](f)`"), ["a [b `[e](f)`"]);
        assert_eq!(lines("- [![x](y)](z) w"), ["w"]);
        assert_eq!(lines("---\n\n"), [""; 0]);
        assert_eq!(lines(&"[".repeat(5000)).len(), 0);
    }
}
