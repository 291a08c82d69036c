//! `completions` and `man`: made from the definition of the command line.

use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::args::Cli;
use crate::error::Failure;
use crate::exit;
use crate::output;

/// The completion script of a shell.
pub(super) fn completions(shell: Shell) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "cargo-canary", &mut script);
    output::standard_output(&script)?;
    Ok(exit::PASS)
}

/// The manual page of the program; with a directory, one page for each command in it.
pub(super) fn man(directory: Option<&Path>) -> Result<u8, Failure> {
    let command = Cli::command();
    match directory {
        Some(directory) => clap_mangen::generate_to(command, directory)
            .map_err(|source| Failure::output(directory, &source))?,
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(command)
                .render(&mut page)
                .map_err(|source| Failure::output(Path::new("-"), &source))?;
            output::standard_output(&page)?;
        }
    }
    Ok(exit::PASS)
}
