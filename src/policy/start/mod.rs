//! A starting policy, fitted to the repository that it is for: its targets and
//! members, its registries, and what an existing `deny.toml` of `cargo deny` says of
//! advisories, sources and bans.

mod deny;

use std::fmt::Write as _;

use deny::{Deny, Severity};

pub use deny::DenyError;

/// How many elements a list in a condition has at most.
const LIST: usize = 100;
/// How long a condition may be, in bytes.
const LONGEST: usize = 4_000;

/// What was found in a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The names of its own packages, sorted.
    pub members: Vec<String>,
    /// Target triples that its toolchain or Cargo's configuration names, sorted.
    pub targets: Vec<String>,
    /// The sources of its lock file that are registries other than the default one, sorted.
    pub registries: Vec<String>,
    /// The file of `cargo deny`: its path and its text.
    pub deny: Option<(String, String)>,
    /// It has the files of `cargo vet`.
    pub vet: bool,
}

/// A commented policy to start from.
///
/// # Errors
/// When the file of `cargo deny` is not TOML.
pub fn starting_policy(found: &Surroundings) -> Result<String, DenyError> {
    let deny = match &found.deny {
        Some((path, text)) => Some((path.as_str(), Deny::read(path, text)?)),
        None => None,
    };
    let mut page = String::from(
        "# What may go into this repository. The base's file judges a change, so that a\n\
         # change cannot loosen its own rules. To try it: `cargo-canary policy check`, and\n\
         # `cargo-canary policy test` for the cases in `canary.test.toml`.\n\
         version = 1\nextends = \"default\"\n",
    );
    build(&mut page, found, deny.as_ref().map(|(_, deny)| deny));
    page.push_str(
        "\n# Scores of the risk model, 1 to 100, from which a change needs a canary or is blocked.\n\
         # [risk]\n# canary = 40\n# block  = 80\n",
    );
    cooldown(&mut page, &found.registries);
    if let Some((path, deny)) = &deny {
        taken_over(&mut page, path, deny);
    }
    if found.vet {
        page.push_str(
            "\n# `supply-chain/` has the audits of cargo vet. To ask for them:\n\
             # [[rule]]\n# id     = \"not-reviewed\"\n\
             # when   = 'change.target && !(\"safe-to-deploy\" in vet.criteria)'\n\
             # then   = \"canary\"\n# reason = \"no chain of audits ends at {change.package} {change.to}\"\n",
        );
    }
    page.push_str(
        "\n# An exception has a reason and a day on which it ends.\n\
         # [[exempt]]\n# package = \"tokio\"\n# version = \"1.48.0\"\n# rules   = [\"fresh-release\"]\n\
         # reason  = \"fixes our deadlock; read by two people\"\n# until   = 2026-12-15\n",
    );
    Ok(page)
}

fn build(page: &mut String, found: &Surroundings, deny: Option<&Deny>) {
    if !found.members.is_empty() {
        let named: Vec<&str> = found.members.iter().take(8).map(String::as_str).collect();
        let more = found.members.len().saturating_sub(named.len());
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        let _ = write!(
            page,
            "\n# The builds that are shipped, of {}{more}.\n",
            named.join(", ")
        );
    } else {
        page.push_str("\n# The builds that are shipped.\n");
    }
    let of_deny = deny.map_or(&[][..], |deny| deny.targets.as_slice());
    let (targets, from) = if !of_deny.is_empty() {
        (of_deny, "those of the file of cargo deny")
    } else if !found.targets.is_empty() {
        (
            found.targets.as_slice(),
            "those that the toolchain or Cargo is set to",
        )
    } else {
        (&[][..], "")
    };
    if targets.is_empty() {
        page.push_str("# [build]\n# targets = [\"x86_64-unknown-linux-gnu\"]\n");
        return;
    }
    let _ = write!(page, "# The targets are {from}.\n[build]\ntargets = [\n");
    for target in targets {
        let _ = writeln!(page, "  {},", toml_text(target));
    }
    page.push_str("]\n");
}

fn cooldown(page: &mut String, registries: &[String]) {
    page.push_str(
        "\n# How long a release waits after it was published, in days. Without this table as\n\
         # long as Cargo's own `min-publish-age` settings say.\n",
    );
    if registries.is_empty() {
        page.push_str("# [cooldown]\n# days = 7\n");
        return;
    }
    page.push_str(
        "# These registries are in the lock file. Yours need not wait: take out the others.\n",
    );
    page.push_str("# [cooldown]\n# days = 7\n# first-party = [\n");
    for registry in registries {
        let _ = writeln!(page, "#   {},", toml_text(registry));
    }
    page.push_str("# ]\n");
}

/// What a file of `cargo deny` says, as rules; what no rule can say, as comments.
fn taken_over(page: &mut String, path: &str, deny: &Deny) {
    let _ = write!(
        page,
        "\n# ---------------------------------------- taken over from {path}\n"
    );
    let mut left: Vec<String> = deny.left.clone();
    advisories(page, deny, &mut left);
    sources(page, deny, &mut left);
    bans(page, deny, &mut left);
    if !left.is_empty() {
        page.push_str("\n# Not taken over, since no rule can say it:\n");
        for what in left {
            let _ = writeln!(page, "# - {}", one_line(&what));
        }
    }
}

fn advisories(page: &mut String, deny: &Deny, left: &mut Vec<String>) {
    if deny.ignored.is_empty() {
        return;
    }
    page.push_str("\n# Advisories that are ignored.\n");
    for (id, reason) in &deny.ignored {
        let reason = reason
            .as_deref()
            .map(|it| format!(": {it}"))
            .unwrap_or_default();
        let _ = writeln!(page, "# - {}", one_line(&format!("{id}{reason}")));
    }
    let ids: Vec<&str> = deny.ignored.iter().map(|(id, _)| id.as_str()).collect();
    let when = format!(
        "change.built && advisories.introduced_vulnerabilities > 0\n&& !advisories.introduced.all(id, {})",
        among("id", &ids)
    );
    let reason = "brings in a known vulnerability: {advisories.introduced}";
    rule(
        page,
        "introduces-vulnerability",
        &when,
        "block",
        reason,
        left,
    );
}

fn sources(page: &mut String, deny: &Deny, left: &mut Vec<String>) {
    if let Some(then) = deny.unknown_registry.then() {
        let mut known = Vec::new();
        for url in &deny.registries {
            let bare = url
                .trim_start_matches("sparse+")
                .trim_start_matches("registry+");
            let bare = bare.trim_end_matches('/');
            for protocol in ["registry+", "sparse+"] {
                known.push(format!("{protocol}{bare}"));
                known.push(format!("{protocol}{bare}/"));
            }
        }
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let other = if known.is_empty() {
            "change.other_registry".to_owned()
        } else {
            format!(
                "change.other_registry && !({})",
                among("change.source", &known)
            )
        };
        let when = if deny.crates_io {
            other
        } else {
            format!("({other}) || change.source == \"crates.io\"")
        };
        page.push_str("\n# Registries that may be used.\n");
        rule(
            page,
            "unknown-registry",
            &when,
            then,
            "comes from {change.source}, a registry that is not listed",
            left,
        );
    }
    if let Some(then) = deny.unknown_git.then() {
        let mut known: Vec<String> = Vec::new();
        for url in &deny.git {
            let bare = url.trim_end_matches('/').trim_end_matches(".git");
            for end in ["#", "?", ".git#", ".git?"] {
                known.push(format!("change.source.startsWith(\"git+{bare}{end}\")"));
            }
        }
        for host in &deny.organisations {
            known.push(format!("change.source.startsWith(\"git+{host}/\")"));
        }
        let when = if known.is_empty() {
            "change.git".to_owned()
        } else {
            format!("change.git && !(\n  {}\n)", known.join("\n  || "))
        };
        page.push_str("\n# Git repositories that may be used.\n");
        rule(
            page,
            "unknown-git",
            &when,
            then,
            "comes from {change.source}, a repository that is not listed",
            left,
        );
    }
}

fn bans(page: &mut String, deny: &Deny, left: &mut Vec<String>) {
    if !deny.banned.is_empty() {
        page.push_str("\n# Packages that do not come in.\n");
        for (name, reason) in &deny.banned {
            if let Some(reason) = reason {
                let _ = writeln!(page, "# - {}", one_line(&format!("{name}: {reason}")));
            }
        }
        let names: Vec<&str> = deny.banned.iter().map(|(name, _)| name.as_str()).collect();
        let when = format!(
            "!(change.kind in [\"removed\", \"merged\"])\n&& ({})",
            among("change.package", &names)
        );
        rule(
            page,
            "banned",
            &when,
            "block",
            "{change.package} is banned here",
            left,
        );
    }
    if !deny.allowed.is_empty() {
        page.push_str("\n# The only packages that may come in.\n");
        let names: Vec<&str> = deny.allowed.iter().map(String::as_str).collect();
        let when = format!(
            "change.kind == \"added\" && !({})",
            among("change.package", &names)
        );
        rule(
            page,
            "not-allowed",
            &when,
            "block",
            "{change.package} is not on the list of allowed packages",
            left,
        );
    }
    let then = match deny.multiple_versions {
        Severity::Allow => None,
        Severity::Warn => Some("warn"),
        Severity::Deny => Some("block"),
    };
    match then {
        Some("warn") if deny.skipped.is_empty() => {}
        Some(then) => {
            page.push_str("\n# Several versions of one package.\n");
            let names: Vec<&str> = deny.skipped.iter().map(String::as_str).collect();
            let but = if names.is_empty() {
                String::new()
            } else {
                format!("\n&& !({})", among("change.package", &names))
            };
            let when = format!("change.kind == \"duplicated\" && change.target{but}");
            rule(page, "duplicated", &when, then, "a further version of the same crate is compiled in: {change.to}", left);
        }
        None => page.push_str("\n# Several versions of one package are no matter here.\n[[rule]]\nid      = \"duplicated\"\nenabled = false\n"),
    }
}

fn rule(page: &mut String, id: &str, when: &str, then: &str, reason: &str, left: &mut Vec<String>) {
    if when.len() > LONGEST || when.contains("'''") {
        left.push(format!(
            "the list for the rule `{id}`, which is too long for a condition"
        ));
        return;
    }
    let _ = write!(
        page,
        "[[rule]]\nid     = \"{id}\"\nwhen   = '''\n{when}'''\nthen   = \"{then}\"\nreason = {}\n",
        toml_text(reason)
    );
}

/// Whether a variable is one of these words; a list literal has a bounded length.
fn among(variable: &str, words: &[&str]) -> String {
    let lists: Vec<String> = words
        .chunks(LIST)
        .map(|words| {
            let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
            format!("{variable} in [{}]", quoted.join(", "))
        })
        .collect();
    lists.join(" || ")
}

fn toml_text(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// Text for a comment: one line, without control characters.
fn one_line(text: &str) -> String {
    let text: String = text
        .chars()
        .take(200)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
