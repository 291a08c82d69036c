//! `rollback` and `subset`.

use cargo_canary::host::Host;
use cargo_canary::policy::nearest;
use cargo_canary::remedy::{self, RemedyError, RollbackRequest, SubsetRequest, Way};
use cargo_canary::report::{self, Format, Named};

use super::audit::format;
use super::request::request;
use crate::args::{AuditArgs, LockOutputArgs, RollbackArgs, SubsetArgs};
use crate::error::Failure;
use crate::exit;
use crate::output;
use crate::progress::Progress;

pub(crate) fn rollback(args: &RollbackArgs) -> Result<u8, Failure> {
    let host = super::host(&args.audit.data)?;
    let format = format(&args.audit, Format::Text);
    fitting(
        format,
        "rollback",
        &[Format::Text, Format::Json, Format::Html],
    )?;
    let request = RollbackRequest {
        audit: request(&args.audit, &host)?,
        changes: args.change.clone(),
    };
    let progress = Progress::new(!args.audit.output.no_progress);
    let rollback = remedy::rollback(&request, &host, &|event| progress.show(event))?;
    drop(progress);
    let code = match &rollback.way {
        Way::Commands | Way::LockFile { .. } => exit::PASS,
        Way::None { .. } => exit::BLOCK,
        Way::Unchecked { .. } => exit::INCOMPLETE,
    };
    let what = match rollback.asked.as_slice() {
        [] => "all updates since the base".to_owned(),
        asked => asked.join(", "),
    };
    let lines: Vec<String> = rollback.commands.iter().map(|it| it.line()).collect();
    let found = FoundLock {
        before: &rollback.head_lock,
        lock: rollback.lock.as_deref(),
        onto: rollback.onto.as_deref(),
        message: format!("Go back: {what}\n\n{}\n", lines.join("\n")),
    };
    let written = found.write(&args.files, &args.audit, &host);
    let named = found.named(&args.files, &written);
    let options = &args.audit.output;
    let style = output::style(&options.plain());
    let bytes = report::render_rollback(&rollback, named, format, style)
        .ok_or_else(|| Failure::no_such_format("rollback", "text, json, html"))?;
    output::report(&bytes, options.output.as_deref(), &host)?;
    written.map(|()| code)
}

pub(crate) fn subset(args: &SubsetArgs) -> Result<u8, Failure> {
    let host = super::host(&args.audit.data)?;
    let format = format(&args.audit, Format::Text);
    fitting(format, "subset", &[Format::Text, Format::Json])?;
    let request = SubsetRequest {
        audit: request(&args.audit, &host)?,
        tries: args.tries,
    };
    let progress = Progress::new(!args.audit.output.no_progress);
    let subset = remedy::subset(&request, &host, &|event| progress.show(event))?;
    drop(progress);
    let code = match &subset.way {
        Way::Commands | Way::LockFile { .. } if subset.taken.is_empty() => exit::of(subset.whole),
        Way::Commands | Way::LockFile { .. } => exit::PASS,
        Way::None { .. } => exit::of(subset.whole),
        Way::Unchecked { .. } => exit::INCOMPLETE,
    };
    let held: Vec<String> = subset
        .held_back
        .iter()
        .map(|it| format!("{} {} waits", it.package, it.waits))
        .collect();
    let found = FoundLock {
        before: &subset.head_lock,
        lock: subset.lock.as_deref(),
        onto: subset.onto.as_deref(),
        message: format!("Take the updates that pass\n\n{}\n", held.join("\n")),
    };
    let written = found.write(&args.files, &args.audit, &host);
    let named = found.named(&args.files, &written);
    let options = &args.audit.output;
    let style = output::style(&options.plain());
    let bytes = report::render_subset(&subset, named, format, style)
        .ok_or_else(|| Failure::no_such_format("subset", "text, json"))?;
    output::report(&bytes, options.output.as_deref(), &host)?;
    written.map(|()| code)
}

/// Refuses a format that a command has no report in, before any work is done.
fn fitting(format: Format, command: &str, known: &[Format]) -> Result<(), Failure> {
    if known.contains(&format) {
        return Ok(());
    }
    let names = if known.contains(&Format::Html) {
        "text, json, html"
    } else {
        "text, json"
    };
    Err(Failure::no_such_format(command, names))
}

/// A lock file that was found.
struct FoundLock<'f> {
    before: &'f str,
    lock: Option<&'f str>,
    onto: Option<&'f str>,
    message: String,
}

impl FoundLock<'_> {
    /// What was written, for the report.
    fn named<'n>(&self, files: &'n LockOutputArgs, written: &Result<(), Failure>) -> Named<'n> {
        if written.is_err() || self.lock.is_none() {
            return Named::default();
        }
        Named {
            lock: files.output_lock.as_deref(),
            patch: files.patch.as_deref(),
            branch: files.branch.as_deref(),
        }
    }

    /// Writes the lock file, the patch and the branch that were asked for.
    fn write(&self, files: &LockOutputArgs, audit: &AuditArgs, host: &Host) -> Result<(), Failure> {
        // Where there is no lock file the report says why.
        let Some(lock) = self.lock else {
            return Ok(());
        };
        if let Some(path) = &files.output_lock {
            output::report(lock.as_bytes(), Some(path), host)?;
        }
        if let Some(path) = &files.patch {
            let patch = remedy::patch(self.before, lock);
            output::report(patch.as_bytes(), Some(path), host)?;
        }
        if let Some(name) = &files.branch {
            let Some(onto) = self.onto else {
                return Err(Failure::input(
                    "a branch needs a head that is a state of a repository",
                )
                .hint("name a revision with `--head`, or take `--patch FILE`"));
            };
            remedy::branch(name, onto, lock, &self.message, &audit.repository, host)?;
        }
        Ok(())
    }
}

impl From<RemedyError> for Failure {
    fn from(error: RemedyError) -> Self {
        match error {
            RemedyError::Audit(error) => error.into(),
            RemedyError::NoSuchChange { name, changed } => {
                let failure = Self::input(format!("`{name}` did not change between these builds"));
                match nearest(&name, changed.iter().map(String::as_str)) {
                    Some(near) => failure.hint(format!("there is a change of `{near}`")),
                    None => failure
                        .hint("`cargo-canary diff`, with the same builds, lists what changed"),
                }
            }
            RemedyError::NothingMoved => Self::input("there is nothing to undo")
                .caused_by(&error)
                .hint("features and places are undone in the manifests: see `cargo-canary diff`"),
            RemedyError::NoLock { side } => Self::input("there is nothing to undo")
                .caused_by(&error)
                .hint(format!(
                    "name a directory with a lock file, or a lock file, with `--{side}`"
                )),
            RemedyError::Branch { ref name, .. } => Self::input("failed to write the way back")
                .caused_by(&error)
                .hint(format!(
                    "choose another name than `{name}`, or take `--patch FILE`"
                )),
            RemedyError::Load { .. } | RemedyError::Lock { .. } | RemedyError::Mixture(_) => {
                Self::input("failed to look for a way").caused_by(&error)
            }
            RemedyError::CleanRoom(_) => Self::input("failed to look for a way")
                .caused_by(&error)
                .hint("name cargo by its absolute path in the variable CARGO_CANARY_CARGO"),
        }
    }
}
