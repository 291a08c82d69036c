//! The options that commands share, fitted to one of them: the formats that it writes,
//! and none that means nothing to it.

use clap::Arg;
use clap::ValueEnum as _;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser as _};

use super::output::AuditFormat;
use super::output::AuditFormat::{Html, Json, Markdown, Text};

pub(super) fn check(arg: Arg) -> Arg {
    formats(arg, AuditFormat::value_variants(), Text)
}

pub(super) fn report(arg: Arg) -> Arg {
    formats(arg, AuditFormat::value_variants(), Html)
}

pub(super) fn changelog(arg: Arg) -> Arg {
    formats(without_records(arg), &[Markdown, Html, Json], Markdown)
}

pub(super) fn diff(arg: Arg) -> Arg {
    let arg = match arg.get_id().as_str() {
        "publishers" => arg.hide(true),
        _ => arg,
    };
    plain(without_records(arg))
}

pub(super) fn explain(arg: Arg) -> Arg {
    formats(arg, &[Text, Json, Markdown], Text)
}

pub(super) fn rollback(arg: Arg) -> Arg {
    formats(arg, &[Text, Json, Html], Text)
}

/// For a command that writes text or JSON.
pub(super) fn plain(arg: Arg) -> Arg {
    formats(arg, &[Text, Json], Text)
}

/// What needs no verdict is taken without a word, and not offered.
fn without_records(arg: Arg) -> Arg {
    match arg.get_id().as_str() {
        "evidence" | "signers" | "ledger" | "ledger_name" | "no_ledger" => arg.hide(true),
        _ => arg,
    }
}

fn formats(arg: Arg, known: &[AuditFormat], default: AuditFormat) -> Arg {
    if arg.get_id() != "format" {
        return arg;
    }
    let default = default.to_possible_value();
    let default = default.as_ref().map_or("", PossibleValue::get_name);
    let values = known.iter().filter_map(AuditFormat::to_possible_value);
    let parser =
        PossibleValuesParser::new(values).try_map(|name| AuditFormat::from_str(&name, false));
    arg.help(format!("The format of the report [default: {default}]"))
        .value_parser(parser)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use crate::args::Cli;

    #[test]
    fn a_command_takes_the_formats_that_it_writes_and_names_them() {
        let taken = |line: &str| Cli::try_parse_from(line.split(' '));
        for line in [
            "cargo-canary check --format sarif",
            "cargo-canary changelog --format html",
            "cargo-canary diff --format json",
            "cargo-canary explain x --format markdown",
            "cargo-canary rollback --format html",
        ] {
            assert!(taken(line).is_ok(), "{line}");
        }
        for (line, known) in [
            ("cargo-canary diff --format sarif", "text, json"),
            (
                "cargo-canary changelog --format text",
                "markdown, html, json",
            ),
            (
                "cargo-canary explain x --format html",
                "text, json, markdown",
            ),
            ("cargo-canary subset --format html", "text, json"),
            ("cargo-canary rollback --format github", "text, json, html"),
            (
                "cargo-canary triage --symptom hang --format html",
                "text, json",
            ),
            ("cargo-canary rollout plan --format html", "text, json"),
            ("cargo-canary evidence list --format html", "text, json"),
        ] {
            let error = taken(line).map(|_| ()).unwrap_err().to_string();
            assert!(
                error.contains(&format!("[possible values: {known}]")),
                "{line}: {error}"
            );
        }
    }
}
