//! The command line of cargo-canary: arguments to requests, results to bytes
//! and exit codes. All thinking is done by the library.

mod amounts;
mod args;
mod commands;
mod error;
mod exit;
mod hints;
mod output;
mod progress;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

/// A verdict is many small pieces made by several threads: a fifth less time
/// than with the system's allocator (`benches/peers.sh`).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Started as `cargo canary …`, cargo puts the name of the subcommand first.
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    if arguments.get(1).is_some_and(|first| first == "canary") {
        arguments.remove(1);
    }
    // Started by ourselves, as the keeper of a workload.
    if arguments
        .get(1)
        .is_some_and(|first| first == commands::KEEPER)
    {
        let rest = arguments.get(2..).unwrap_or_default();
        return ExitCode::from(cargo_canary::host::keep(rest));
    }
    let cli = match args::Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() {
                exit::USAGE
            } else {
                exit::PASS
            };
            // Help that nobody reads to its end is no failure.
            drop(error.print());
            return ExitCode::from(code);
        }
    };
    error::tell_of_panics();
    let run = std::panic::catch_unwind(|| {
        fail_on_request();
        commands::run(&cli.command)
    });
    commands::say_what_was_shared();
    match run {
        Ok(Ok(code)) => ExitCode::from(code),
        Ok(Err(failure)) => {
            failure.print();
            ExitCode::from(failure.exit_code())
        }
        Err(_) => ExitCode::from(exit::INTERNAL),
    }
}

/// In a build that is not for release, fails as a defect would, so that a test
/// can hold what people and scripts are then told.
#[expect(
    clippy::disallowed_methods,
    reason = "asked by the program itself, where there is no host yet"
)]
fn fail_on_request() {
    if cfg!(debug_assertions)
        && let Some(text) = std::env::var_os("CARGO_CANARY_DEFECT")
    {
        std::panic::panic_any(text.to_string_lossy().into_owned());
    }
}
