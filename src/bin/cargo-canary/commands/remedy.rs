//! `rollback`.

use cargo_canary::host::Host;
use cargo_canary::policy::nearest;
use cargo_canary::remedy::{self, RemedyError, Rollback, RollbackRequest, Way};
use cargo_canary::report::{self, Format, Named};

use super::audit::format;
use super::request::request;
use crate::args::{AuditArgs, LockOutputArgs, RollbackArgs};
use crate::error::Failure;
use crate::exit;
use crate::output;
use crate::progress::Progress;

pub(crate) fn rollback(args: &RollbackArgs) -> Result<u8, Failure> {
    let host = super::host(&args.audit.data);
    let format = fitting(&args.audit, "rollback")?;
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
    let written = write(&rollback, &args.files, &args.audit, &host);
    let named = match &written {
        Ok(()) if rollback.lock.is_some() => Named {
            lock: args.files.output_lock.as_deref(),
            patch: args.files.patch.as_deref(),
            branch: args.files.branch.as_deref(),
        },
        Ok(()) | Err(_) => Named::default(),
    };
    let options = &args.audit.output;
    let style = output::style(&options.plain());
    let bytes = report::render_rollback(&rollback, named, format, style)
        .ok_or_else(|| Failure::no_such_format("rollback", "text, json, html"))?;
    output::report(&bytes, options.output.as_deref(), &host)?;
    written.map(|()| code)
}

/// The format, if the command has a report in it. Asked before any work is done.
fn fitting(args: &AuditArgs, command: &str) -> Result<Format, Failure> {
    match format(args, Format::Text) {
        found @ (Format::Text | Format::Json | Format::Html) => Ok(found),
        Format::Markdown | Format::Github | Format::Sarif | Format::Gitlab => {
            Err(Failure::no_such_format(command, "text, json, html"))
        }
    }
}

/// Writes the lock file, the patch and the branch that were asked for.
fn write(
    rollback: &Rollback,
    files: &LockOutputArgs,
    audit: &AuditArgs,
    host: &Host,
) -> Result<(), Failure> {
    // Where there is no lock file the report says why.
    let Some(lock) = &rollback.lock else {
        return Ok(());
    };
    if let Some(path) = &files.output_lock {
        output::report(lock.as_bytes(), Some(path), host)?;
    }
    if let Some(path) = &files.patch {
        let patch = remedy::patch(&rollback.head_lock, lock);
        output::report(patch.as_bytes(), Some(path), host)?;
    }
    if let Some(name) = &files.branch {
        let Some(onto) = &rollback.onto else {
            return Err(
                Failure::input("a branch needs a head that is a state of a repository")
                    .hint("name a revision with `--head`, or take `--patch FILE`"),
            );
        };
        let what = match rollback.asked.as_slice() {
            [] => "all updates since the base".to_owned(),
            asked => asked.join(", "),
        };
        let lines: Vec<String> = rollback.commands.iter().map(|it| it.line()).collect();
        let message = format!("Go back: {what}\n\n{}\n", lines.join("\n"));
        remedy::branch(name, onto, lock, &message, &audit.repository, host)?;
    }
    Ok(())
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
