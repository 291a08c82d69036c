//! `check`, `report`, `changelog`, `diff` and `explain`.

use cargo_canary::audit::{self, Audit, Request};
use cargo_canary::host::Host;
use cargo_canary::report::{self, Format};

use super::request::request;
use crate::args::{AuditArgs, AuditFormat, ExplainArgs, ReportArgs};
use crate::error::Failure;
use crate::exit;
use crate::output;
use crate::progress::Progress;

/// The format that was asked for, else the command's own.
pub(super) fn format(args: &AuditArgs, default: Format) -> Format {
    match args.output.format {
        None => default,
        Some(AuditFormat::Text) => Format::Text,
        Some(AuditFormat::Json) => Format::Json,
        Some(AuditFormat::Markdown) => Format::Markdown,
        Some(AuditFormat::Github) => Format::Github,
        Some(AuditFormat::Sarif) => Format::Sarif,
        Some(AuditFormat::Gitlab) => Format::Gitlab,
        Some(AuditFormat::Html) => Format::Html,
    }
}

pub(crate) fn check(args: &AuditArgs) -> Result<u8, Failure> {
    let host = super::host(&args.data)?;
    let (request, audit) = audited(args, Format::Text, &host)?;
    let code = exit::of(audit.verdict.decision);
    let recorded = super::ledger::record_audit(&request, &audit, args, &host);
    super::tried::code_after(recorded, code)
}

/// The page. It is written whatever the verdict is; `check` is the gate.
pub(crate) fn report(args: &ReportArgs) -> Result<u8, Failure> {
    if args.schema {
        output::standard_output(report::JSON_SCHEMA.as_bytes())?;
    } else {
        audited(&args.audit, Format::Html, &super::host(&args.audit.data)?)?;
    }
    Ok(exit::PASS)
}

/// The changelog of the libraries; judges nothing.
pub(crate) fn changelog(args: &AuditArgs) -> Result<u8, Failure> {
    let host = super::host(&args.data)?;
    let request = request(args, &host)?;
    let progress = Progress::new(!args.output.no_progress);
    let audit = audit::run(&request, &host, &|event| progress.show(event))?;
    drop(progress);
    let bytes = report::render_changelog(&audit, format(args, Format::Markdown))
        .ok_or_else(|| Failure::no_such_format("changelog", "markdown, html, json"))?;
    output::report(&bytes, args.output.output.as_deref(), &host)?;
    Ok(exit::PASS)
}

/// Audits and writes the report.
fn audited(args: &AuditArgs, default: Format, host: &Host) -> Result<(Request, Audit), Failure> {
    let request = request(args, host)?;
    let progress = Progress::new(!args.output.no_progress);
    let audit = audit::run(&request, host, &|event| progress.show(event))?;
    drop(progress);
    let bytes = report::render(
        &audit,
        format(args, default),
        output::style(&args.output.plain()),
    );
    output::report(&bytes, args.output.output.as_deref(), host)?;
    Ok((request, audit))
}

pub(crate) fn diff(args: &AuditArgs) -> Result<u8, Failure> {
    let host = super::host(&args.data)?;
    let request = request(args, &host)?;
    let progress = Progress::new(!args.output.no_progress);
    let comparison = audit::compare(&request, &host, &|event| progress.show(event))?;
    drop(progress);
    let bytes = report::render_diff(
        &comparison,
        format(args, Format::Text),
        output::style(&args.output.plain()),
    )
    .ok_or_else(|| Failure::no_such_format("diff", "text, json"))?;
    output::report(&bytes, args.output.output.as_deref(), &host)?;
    Ok(exit::PASS)
}

pub(crate) fn explain(args: &ExplainArgs) -> Result<u8, Failure> {
    let audit_args = &args.audit;
    let format = format(audit_args, Format::Text);
    if !report::explains_in(format) {
        return Err(Failure::no_such_format("explain", "text, json, markdown"));
    }
    let host = super::host(&audit_args.data)?;
    let request = request(audit_args, &host)?;
    let progress = Progress::new(!audit_args.output.no_progress);
    let audit = audit::run(&request, &host, &|event| progress.show(event))?;
    drop(progress);
    let style = output::style(&audit_args.output.plain());
    let Some(bytes) = report::render_explain(&audit, &args.package, format, style) else {
        return Err(Failure::no_such_change(&args.package, &audit));
    };
    output::report(&bytes, audit_args.output.output.as_deref(), &host)?;
    Ok(exit::PASS)
}
