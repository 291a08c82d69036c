//! Where bytes go: reports to standard output or a file, all else to standard error.

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use cargo_canary::host::{FileKind, Host};
use cargo_canary::report::{Style, safe_for_terminal};

use crate::args::{Color, OutputArgs};
use crate::error::Failure;

/// The widest text that is still read with ease.
const WIDEST: usize = 120;

/// The style for a report that goes where the options say.
pub(crate) fn style(options: &OutputArgs) -> Style {
    let to_terminal = options.output.is_none() && io::stdout().is_terminal();
    Style {
        width: if to_terminal { terminal_width() } else { 80 },
        color: match options.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => to_terminal && wants_color(),
        },
        verbose: options.verbose,
    }
}

fn terminal_width() -> usize {
    terminal_size::terminal_size()
        .map_or(80, |(width, _)| usize::from(width.0))
        .min(WIDEST)
}

/// What the environment says of colour (`NO_COLOR`, `CLICOLOR`, `TERM`).
fn wants_color() -> bool {
    anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
}

/// Writes a report.
pub(crate) fn report(bytes: &[u8], file: Option<&Path>, host: &Host) -> Result<(), Failure> {
    match file {
        Some(file) => {
            // What the system says of a file in the place of a directory helps nobody.
            if let Some(above) = file.ancestors().skip(1).find(|above| is_file(above, host)) {
                let text = format!("`{}` is a file, not a directory", above.display());
                return Err(Failure::output(file, &io::Error::other(text)));
            }
            host.files
                .write(file, bytes)
                .map_err(|source| Failure::output(file, &source))
        }
        None => standard_output(bytes),
    }
}

fn is_file(path: &Path, host: &Host) -> bool {
    matches!(host.files.kind(path), Ok(FileKind::File(_)))
}

/// Writes to standard output. A reader that has gone away is no failure.
pub(crate) fn standard_output(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::input("failed to write to standard output").caused_by(&error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Says on standard error what a reader of the output should know of it.
pub(crate) fn notes(title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let mut text = format!("note: {title}\n");
    for line in lines {
        text.push_str("  - ");
        text.push_str(&safe_for_terminal(line));
        text.push('\n');
    }
    // When standard error is gone there is nobody left to tell.
    drop(io::stderr().lock().write_all(text.as_bytes()));
}
