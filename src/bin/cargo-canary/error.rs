//! What went wrong, said to a person: what, where, why, and the next command.
//! The only place where hints and exit codes of errors are chosen.

use std::collections::BTreeSet;
use std::error::Error;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use cargo_canary::audit::Audit;
use cargo_canary::incidents::CatalogueError;
use cargo_canary::policy::{PolicyError, RenderStyle, nearest};
use cargo_canary::report::safe_for_terminal;

use crate::exit;

/// How many defects of incident files are shown.
const LISTED: usize = 10;

/// A command that could not do what was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    message: String,
    causes: Vec<String>,
    /// Shown as it is laid out, after the message.
    listing: Option<String>,
    hints: Vec<String>,
}

impl Failure {
    /// A wrong use of the command line, or a wrong input.
    pub(crate) fn input(message: impl Into<String>) -> Self {
        Self {
            code: exit::USAGE,
            message: message.into(),
            causes: Vec::new(),
            listing: None,
            hints: Vec::new(),
        }
    }

    /// What went wrong and why, on one line.
    pub(crate) fn in_words(&self) -> String {
        let mut words = self.message.clone();
        for cause in &self.causes {
            words.push_str(": ");
            words.push_str(cause);
        }
        words
    }

    /// A fault of this program.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self {
            code: exit::INTERNAL,
            ..Self::input(message)
        }
    }

    /// A policy that is not valid: its problems, each with its place.
    pub(crate) fn policy(error: &PolicyError) -> Self {
        let mut failure = Self::input("the policy is not valid");
        failure.listing = Some(error.render(RenderStyle::Plain));
        failure.hint(
            "`cargo-canary policy variables` lists what conditions can use, \
             `cargo-canary policy show` prints a policy to compare with",
        )
    }

    /// Cases of a policy that are not valid: their problems, each with its place.
    pub(crate) fn cases(error: &PolicyError) -> Self {
        let mut failure = Self::input("the cases are not valid");
        failure.listing = Some(error.render(RenderStyle::Plain));
        failure.hint(
            "`cargo-canary policy variables` lists what a case can state, \
             `docs/policy.md` shows cases to compare with",
        )
    }

    /// A file of cargo deny that cannot be taken over.
    pub(crate) fn deny(error: &cargo_canary::policy::DenyError) -> Self {
        Self::input("failed to take over the file of cargo deny")
            .caused_by(error)
            .hint("`cargo deny check` shows it, too; correct it, or move it aside")
    }

    /// A policy would be written over.
    pub(crate) fn policy_is_there(file: &Path) -> Self {
        Self::input(format!("`{}` is there already", file.display()))
            .hint("`--print` shows what would be written, `--output FILE` writes it elsewhere")
    }

    /// A record is to shrink, and there is none.
    pub(crate) fn no_baseline() -> Self {
        Self::input(format!(
            "there is no `{}` to shrink",
            cargo_canary::audit::BASELINE_FILE
        ))
        .hint("`cargo-canary policy baseline --output .canary/baseline.toml` writes one")
    }

    /// Cases of a policy that cannot be read.
    pub(crate) fn no_cases(file: &str, error: &io::Error) -> Self {
        Self::input(format!("failed to read the cases `{file}`"))
            .caused_by(error)
            .hint("write them there, or name their file with `--cases FILE`; `docs/policy.md` shows how")
    }

    /// With the chain of causes of an error.
    pub(crate) fn caused_by(mut self, error: &dyn Error) -> Self {
        let mut cause = Some(error);
        while let Some(error) = cause {
            let text = error.to_string();
            if self.causes.last() != Some(&text) {
                self.causes.push(text);
            }
            cause = error.source();
        }
        self
    }

    /// With a next step.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// A built-in policy that is not there.
    pub(crate) fn no_built_in_policy(name: &str) -> Self {
        Self::input(format!("there is no built-in policy `{name}`"))
            .hint("the built-in policies are `default` and `strict`")
    }

    /// Incident files that are not valid: their defects, each with its place.
    pub(crate) fn incidents(what: &str, error: &CatalogueError) -> Self {
        let failure = match error {
            CatalogueError::Defects { defects } => Self {
                causes: defects
                    .iter()
                    .take(LISTED)
                    .map(ToString::to_string)
                    .collect(),
                ..Self::input(what)
            },
            CatalogueError::TooManyFiles { .. } => Self::input(what).caused_by(error),
        };
        let failure = match error {
            CatalogueError::Defects { defects } if defects.len() > LISTED => {
                failure.hint(format!("{} more are not shown", defects.len() - LISTED))
            }
            CatalogueError::Defects { .. } | CatalogueError::TooManyFiles { .. } => failure,
        };
        failure.hint("`cargo-canary incident show webp-0.2.3-encode-leak` shows a whole record")
    }

    /// Incident files that were asked about, with all of their defects.
    pub(crate) fn incident_defects(listing: Vec<String>) -> Self {
        let count = listing.len();
        let noun = if count == 1 { "defect" } else { "defects" };
        let mut failure = Self::input(format!("{count} {noun} in incident files"));
        failure.listing = Some(listing.join("\n"));
        failure.hint("`docs/incidents.md` describes every key and word of the format")
    }

    /// A report could not be written.
    pub(crate) fn output(file: &Path, error: &io::Error) -> Self {
        Self::input(format!("failed to write `{}`", file.display()))
            .caused_by(error)
            .hint("choose another place with `--output FILE`")
    }

    /// A day that cannot be read.
    pub(crate) fn bad_date(option: &str, text: &str, error: &dyn Error) -> Self {
        Self::input(format!("`{option} {text}` is not a day"))
            .caused_by(error)
            .hint(
                "write it as `2026-11-20`, or as a time in RFC 3339 such as `2026-11-20T09:00:00Z`",
            )
    }

    /// A format that a command has no report in.
    pub(crate) fn no_such_format(command: &str, formats: &str) -> Self {
        Self::input(format!("`{command}` has no report in this format"))
            .hint(format!("it has: {formats}"))
    }

    /// A package that did not change.
    pub(crate) fn no_such_change(package: &str, audit: &Audit) -> Self {
        let names: BTreeSet<&str> = audit
            .changes
            .iter()
            .map(|judged| judged.change.package.as_str())
            .collect();
        let failure = Self::input(format!("`{package}` did not change between these builds"));
        if names.is_empty() {
            return failure.hint("nothing changed at all between them");
        }
        match nearest(package, names) {
            Some(name) => failure.hint(format!("there is a change of `{name}`")),
            None => failure.hint("`cargo-canary diff`, with the same builds, lists what changed"),
        }
    }

    pub(crate) fn exit_code(&self) -> u8 {
        self.code
    }

    /// Says it on standard error.
    pub(crate) fn print(&self) {
        let color = io::stderr().is_terminal()
            && anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
        let paint = |text: &str, style: anstyle::Style| {
            if color {
                format!("{}{text}{}", style.render(), style.render_reset())
            } else {
                text.to_owned()
            }
        };
        let red = anstyle::Style::new()
            .bold()
            .fg_color(Some(anstyle::AnsiColor::Red.into()));
        let bold = anstyle::Style::new().bold();
        let mut out = format!("{} {}\n", paint("error:", red), lines(&self.message));
        for cause in &self.causes {
            out.push_str(&format_args!("  caused by: {}\n", lines(cause)).to_string());
        }
        if let Some(listing) = &self.listing {
            out.push_str(&lines(listing));
            out.push('\n');
        }
        for hint in &self.hints {
            out.push_str(&format_args!("{} {}\n", paint("hint:", bold), lines(hint)).to_string());
        }
        // When standard error is gone there is nobody left to tell.
        drop(io::stderr().lock().write_all(out.as_bytes()));
    }
}

/// From now on a panic is told as the defect that it is. Who asks for a
/// backtrace gets what Rust prints, too.
#[expect(
    clippy::disallowed_methods,
    reason = "asked by the program itself, where there is no host yet"
)]
pub(crate) fn tell_of_panics() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::env::var_os("RUST_BACKTRACE").is_some_and(|wanted| wanted != "0") {
            usual(panic);
        }
        let what = panic.payload_as_str().unwrap_or("no reason was given");
        let place = panic
            .location()
            .map_or(String::new(), |at| format!(" at {at}"));
        let mut failure = Failure::internal("cargo-canary itself failed; nothing was judged");
        failure.causes.push(format!("panic{place}: {what}"));
        failure
            .hint("this is a defect: run again with `RUST_BACKTRACE=1`, and report what it prints")
            .print();
    }));
}

/// Text of several lines, each made harmless for the terminal.
fn lines(text: &str) -> String {
    text.lines()
        .map(|line| safe_for_terminal(line).into_owned())
        .collect::<Vec<_>>()
        .join("\n")
}
