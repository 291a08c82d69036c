//! Where bytes go: reports to standard output or a file, all else to standard error.

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use cargo_canary::host::Host;
use cargo_canary::report::Style;

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
        Some(file) => host
            .files
            .write(file, bytes)
            .map_err(|source| Failure::output(file, source)),
        None => standard_output(bytes),
    }
}

/// Writes to standard output. A reader that has gone away is no failure.
pub(crate) fn standard_output(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::output(Path::new("standard output"), error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
