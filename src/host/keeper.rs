//! The keeper: a small process between this program and a workload. It sees to
//! it that nothing of the workload outlives this program, not even when this
//! program is killed at once: its standard input is a pipe that then closes.
//! Orphans of the workload become children of the keeper, also those that left
//! their process group or session, so that none escapes.

use std::ffi::OsString;

use super::contained::Limits;

/// The arguments of a keeper for these limits, without the workload's.
#[must_use]
pub(super) fn limit_args(limits: &Limits) -> Vec<OsString> {
    [
        limits.address_space,
        limits.processes,
        limits.file_size,
        limits.processor_seconds,
    ]
    .into_iter()
    .map(|limit| limit.map_or_else(|| "-".to_owned(), |limit| limit.to_string()))
    .map(OsString::from)
    .collect()
}

/// Runs a workload as its keeper and returns the exit code to end with: that of
/// the workload, 128 and the number of the signal that ended it, or
/// [`NOT_STARTED`]. `args` are the limits, the control group and the workload's command as
/// [`Processes::start`](super::Processes::start) puts them together. Returns
/// when nothing of the workload is left.
#[must_use]
pub fn keep(args: &[OsString]) -> u8 {
    system::keep(args)
}

/// The exit code of a keeper whose workload could not be started, or which does
/// not understand its arguments.
pub const NOT_STARTED: u8 = 125;

/// How a keeper begins what it says on standard error when its workload could
/// not be started.
pub const NOT_STARTED_SAYS: &str = "cannot start";

#[cfg(target_os = "linux")]
mod system {
    #![expect(
        clippy::disallowed_methods,
        clippy::print_stderr,
        reason = "this runs as a process of its own, between the host and a workload"
    )]

    use std::ffi::OsString;
    use std::io::Read;
    use std::os::unix::process::CommandExt;
    use std::path::Path;
    use std::process::{Command, Stdio};
    use std::thread;
    use std::time::Duration;

    use rustix::process::{
        Pid, Resource, Rlimit, Signal, WaitOptions, getpid, kill_process, set_child_subreaper,
        setrlimit,
    };

    use super::{NOT_STARTED, NOT_STARTED_SAYS};
    use crate::host::group;
    use crate::host::process_tree::descendants;

    pub(super) fn keep(args: &[OsString]) -> u8 {
        let Some((limits, command)) = args.split_at_checked(5) else {
            return NOT_STARTED;
        };
        let Some((program, rest)) = command.split_first() else {
            return NOT_STARTED;
        };
        // A name of its own, so that whoever ends this program by its name does
        // not end the keeper with it.
        drop(std::fs::write("/proc/self/comm", "canary-keeper"));
        // A session of its own: kernels that share the processor by session then give a
        // side as much as all that another session runs together.
        let _ = rustix::process::setsid();
        if let Err(error) = set_child_subreaper(Some(getpid())) {
            eprintln!("cannot keep orphans: {error}");
            return NOT_STARTED;
        }
        let group = limits.last().filter(|group| *group != "-");
        // Where that fails the group stays empty, and that is seen.
        let _ = group.map(|group| group::join(Path::new(group)));
        let resources = [
            Resource::As,
            Resource::Nproc,
            Resource::Fsize,
            Resource::Cpu,
        ];
        for (resource, limit) in resources.into_iter().zip(limits) {
            let Some(limit) = limit.to_str().and_then(|text| text.parse().ok()) else {
                continue;
            };
            let limit = Rlimit {
                current: Some(limit),
                maximum: Some(limit),
            };
            // A limit above the one that holds already is refused, which is fine.
            let _ = setrlimit(resource, limit);
        }
        let child = Command::new(program)
            .args(rest)
            .stdin(Stdio::null())
            .process_group(0)
            .spawn();
        let child = match child {
            Ok(child) => child,
            Err(error) => {
                eprintln!("{NOT_STARTED_SAYS}: {error}");
                return NOT_STARTED;
            }
        };
        thread::spawn(end_with_parent);
        let main = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let mut code = NOT_STARTED;
        while let Ok(ended) = rustix::process::wait(WaitOptions::empty()) {
            let Some((pid, status)) = ended else { continue };
            if Some(pid) == main {
                code = exit_code(status);
                break;
            }
        }
        end_all();
        code
    }

    fn exit_code(status: rustix::process::WaitStatus) -> u8 {
        let code = match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => code,
            (None, Some(signal)) => 128 + signal,
            (None, None) => i32::from(NOT_STARTED),
        };
        u8::try_from(code).unwrap_or(NOT_STARTED)
    }

    /// Waits until the pipe on standard input closes, then ends the workload.
    fn end_with_parent() {
        let mut byte = [0_u8; 1];
        let mut stdin = std::io::stdin().lock();
        while matches!(stdin.read(&mut byte), Ok(1)) {}
        // The other thread sees the workload end, and ends the process.
        loop {
            kill_all();
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn kill_all() -> bool {
        let all = descendants(std::process::id());
        for pid in &all {
            if let Some(pid) = i32::try_from(*pid).ok().and_then(Pid::from_raw) {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        !all.is_empty()
    }

    /// Ends all that is left, until nothing is.
    fn end_all() {
        for _ in 0..2_000 {
            kill_all();
            match rustix::process::wait(WaitOptions::NOHANG) {
                Ok(Some(_)) => {}
                Ok(None) => thread::sleep(Duration::from_millis(2)),
                Err(_) => return,
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::ffi::OsString;

    pub(super) fn keep(_: &[OsString]) -> u8 {
        super::NOT_STARTED
    }
}
