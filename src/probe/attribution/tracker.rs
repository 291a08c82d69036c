//! Runs both builds under heaptrack (<https://github.com/KDE/heaptrack>): its library
//! is loaded into the program and writes what is allocated into a file, which its own
//! programs then read. The wrapper `heaptrack` itself is not used: it loses what it
//! has when it is ended.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::symbols::ByCrate;
use super::{Attributed, compared};
use crate::host::{Ending, FileKind, Host, Launch, Limits};
use crate::probe::run::{self, Event, Order, ProbeError, Request, Run};
use crate::probe::{Resource, SideRun, Thresholds};

/// A side runs so long at most.
const LONGEST: Duration = Duration::from_secs(20);
/// A program may write so many bytes of what it allocates.
const LARGEST_RECORD: u64 = 1 << 30;
/// The stacks of one process may have so many bytes.
const STACKS_LIMIT: u64 = 64 << 20;
/// The largest records of a side that are read, one for each process.
const MOST_RECORDS: usize = 8;
/// What was interpreted of one process may have so many bytes.
const INTERPRETED_LIMIT: u64 = 256 << 20;
/// Growth counts from this share of a record's time on: before, a program starts.
const START: f64 = 1.0 / 3.0;
/// To read a record may take so long.
const PATIENCE: Duration = Duration::from_secs(180);
/// A record of a program that has loaded the library has more bytes than this.
const LEAST_RECORD: u64 = 1_000;

/// What the probe needs of heaptrack.
struct Heaptrack {
    /// The library that is loaded into programs.
    library: PathBuf,
    /// Finds the functions of a record.
    interpret: PathBuf,
    /// Adds up what is interpreted.
    print: PathBuf,
}

/// Looks for heaptrack where it is installed, by the path that programs are found by.
fn installed(host: &Host) -> Option<Heaptrack> {
    let is_file = |path: &Path| {
        let place = host.files.canonical(path);
        place.is_ok_and(|place| matches!(host.files.kind(&place), Ok(FileKind::File(_))))
    };
    let path = host.env.get("PATH")?.to_str()?;
    path.split(':')
        .filter(|folder| folder.starts_with('/'))
        .map(|folder| Path::new(folder).join("heaptrack_print"))
        .filter(|print| is_file(print))
        .find_map(|print| {
            let root = print.parent()?.parent()?.to_owned();
            ["lib/heaptrack", "lib64/heaptrack"]
                .into_iter()
                .find_map(|folder| {
                    let found = Heaptrack {
                        library: root.join(folder).join("libheaptrack_preload.so"),
                        interpret: root.join(folder).join("libexec/heaptrack_interpret"),
                        print: print.clone(),
                    };
                    (is_file(&found.library) && is_file(&found.interpret)).then_some(found)
                })
        })
}

fn gap(because: impl Into<String>, next: &str) -> Attributed {
    Attributed::Gap {
        because: because.into(),
        next: next.to_owned(),
    }
}

const AGAIN: &str = "run the same command again; `heaptrack PROGRAM` by itself says more";

/// Runs both sides once more and adds up by crate what they hold at the end.
///
/// # Errors
/// When a side cannot be started.
pub fn attribute(
    request: &Request,
    host: &Host,
    on_event: &dyn Fn(Event),
) -> Result<Attributed, ProbeError> {
    let Some(heaptrack) = installed(host) else {
        return Ok(gap(
            "heaptrack is not installed",
            "install it, such as by `apt-get install heaptrack`, and run the same command again",
        ));
    };
    let thresholds = Thresholds::built_in()?;
    let place = host.env.path("TMPDIR").filter(|place| place.is_absolute());
    let place = place.unwrap_or_else(|| "/tmp".into());
    let scratch = match host.files.scratch(&place) {
        Ok(scratch) => scratch,
        Err(error) => {
            let because = format!("no directory can be made in `{}`: {error}", place.display());
            return Ok(gap(because, "name a place for it in the variable TMPDIR"));
        }
    };
    let tracked = tracked(request, &heaptrack, scratch.path(), host);
    let run = run::watch_both(&tracked, &thresholds, host, on_event)?;
    let reader = Reader {
        heaptrack: &heaptrack,
        folder: scratch.path(),
        request: &tracked,
        through: &thresholds.passes_on,
        host,
    };
    let (base, head) = match (reader.side("base"), reader.side("head")) {
        (Ok(base), Ok(head)) => (base, head),
        (Err(gap), _) | (_, Err(gap)) => return Ok(gap),
    };
    let mut found = compared(&base, &head, tracked.duration.as_secs_f64());
    found.note = found.note.or_else(|| unseen(found.growth, &run));
    Ok(Attributed::Found(found))
}

/// The request under which the sides run.
fn tracked(request: &Request, heaptrack: &Heaptrack, folder: &Path, host: &Host) -> Request {
    let mut program_env = request.program_env.clone();
    let mut library = heaptrack.library.clone().into_os_string();
    // What is loaded already stays.
    if let Some(others) = host.env.get("LD_PRELOAD") {
        library.push(":");
        library.push(others);
    }
    program_env.insert("LD_PRELOAD".into(), library);
    // The library puts the number of the process in the place of `$$`.
    let record = folder.join("{side}.$$.raw").into_os_string();
    program_env.insert("DUMP_HEAPTRACK_OUTPUT".into(), record);
    Request {
        duration: request.duration.min(LONGEST),
        program_env,
        counters: None,
        order: match request.order {
            Order::SideBySide => Order::SideBySide,
            Order::Alternate { .. } => Order::Alternate { rounds: 1 },
        },
        limits: Limits {
            file_size: Some(LARGEST_RECORD),
            ..request.limits
        },
        ..request.clone()
    }
}

/// Says so when the library saw little of what the head grew by, as it does when a
/// program has an allocator of its own.
fn unseen(growth: u64, run: &Run) -> Option<String> {
    let grew = |side: &SideRun| {
        let samples = &side.segments.last()?.samples;
        let first = samples.get(samples.len() / 3)?;
        Some(Resource::Rss.of(samples.last()?)? - Resource::Rss.of(first)?)
    };
    #[expect(clippy::cast_precision_loss, reason = "a share needs no more digits")]
    let seen = growth as f64;
    let grew = grew(&run.head)?;
    (grew > 1_048_576.0 && seen < 0.25 * grew).then(|| {
        "heaptrack saw little of what the head grew by: an allocator of its own, memory that is mapped, or stacks of threads are not seen".to_owned()
    })
}

fn unread(error: &std::io::Error) -> Attributed {
    gap(
        format!("what heaptrack found cannot be read: {error}"),
        AGAIN,
    )
}

/// Where the start of a program is over in its record, in bytes. Lines `c` tell the
/// time in milliseconds, in hexadecimal.
fn start(interpreted: &[u8]) -> usize {
    let time = |line: &[u8]| {
        let digits = std::str::from_utf8(line.strip_prefix(b"c ")?).ok()?;
        u64::from_str_radix(digits.trim_ascii(), 16).ok()
    };
    let lines = || interpreted.split_inclusive(|byte| *byte == b'\n');
    #[expect(clippy::cast_precision_loss, reason = "hours in milliseconds")]
    let of = |time: u64| time as f64;
    let end = lines().filter_map(time).max().map_or(0.0, of);
    lines()
        .take_while(|line| time(line).is_none_or(|time| of(time) < START * end))
        .map(<[u8]>::len)
        .sum()
}

struct Reader<'r> {
    heaptrack: &'r Heaptrack,
    folder: &'r Path,
    request: &'r Request,
    through: &'r [String],
    host: &'r Host,
}

impl Reader<'_> {
    /// Adds up the records of one side.
    fn side(&self, name: &str) -> Result<ByCrate, Attributed> {
        let entries = self.host.files.list(self.folder).unwrap_or_default();
        let mut records: Vec<(u64, PathBuf)> = entries
            .iter()
            .filter_map(|entry| match entry.kind {
                FileKind::File(size) => {
                    let file = entry.name.to_str()?;
                    let of_side = file.starts_with(name) && file.ends_with(".raw");
                    (of_side && size > LEAST_RECORD).then(|| (size, self.folder.join(file)))
                }
                FileKind::Directory | FileKind::Link | FileKind::Other => None,
            })
            .collect();
        records.sort_by(|a, b| b.cmp(a));
        if records.is_empty() {
            return Err(gap(
                format!("the {name} wrote nothing for heaptrack"),
                "a program that is linked statically loads no library: build it for a target with a dynamic one",
            ));
        }
        let mut found = ByCrate::default();
        for (_, record) in records.iter().take(MOST_RECORDS) {
            self.record(record, &mut found)?;
        }
        Ok(found)
    }

    fn record(&self, record: &Path, found: &mut ByCrate) -> Result<(), Attributed> {
        let interpreted = record.with_extension("read");
        // The shell joins them; what they write is bounded by the limits of the keeper.
        let interpret = "exec \"$1\" <\"$2\" >\"$3\"";
        let words = [&self.heaptrack.interpret, record, &interpreted].map(OsString::from);
        self.run(interpret, words)?;
        let text = self.host.files.read(&interpreted, INTERPRETED_LIMIT);
        let text = text.map_err(|error| unread(&error))?;
        let start = start(&text);
        let early = record.with_extension("early");
        let written = self
            .host
            .files
            .write(&early, text.get(..start).unwrap_or(&text));
        written.map_err(|error| unread(&error))?;
        let (late, early) = (self.held(&interpreted)?, self.held(&early)?);
        found.add_growth(&early, &late);
        Ok(())
    }

    /// What is held at the end of something interpreted.
    fn held(&self, interpreted: &Path) -> Result<ByCrate, Attributed> {
        let mut stacks = interpreted.as_os_str().to_owned();
        stacks.push(".stacks");
        let print = "exec \"$1\" -f \"$2\" -m0 -p0 -a0 -T0 --flamegraph-cost-type leaked -F \"$3\" >/dev/null";
        let words = [
            self.heaptrack.print.as_os_str(),
            interpreted.as_os_str(),
            &stacks,
        ];
        self.run(print, words.map(OsString::from))?;
        let text = self.host.files.read(Path::new(&stacks), STACKS_LIMIT);
        let text = text.map_err(|error| unread(&error))?;
        let mut held = ByCrate::default();
        let added = held.add(&String::from_utf8_lossy(&text), self.through);
        added.map_err(|line| {
            gap(
                format!("line {line} of what heaptrack found is no stack"),
                AGAIN,
            )
        })?;
        Ok(held)
    }

    /// Runs one of heaptrack's programs to its end, behind a keeper.
    fn run(&self, script: &str, words: [OsString; 3]) -> Result<(), Attributed> {
        let shell = ["-c", script, "sh"].map(OsString::from);
        let launch = Launch {
            keeper: self.request.keeper.clone(),
            program: "/bin/sh".into(),
            args: shell.into_iter().chain(words).collect(),
            env: self.request.env.clone(),
            directory: self.folder.to_owned(),
            limits: Limits {
                file_size: Some(LARGEST_RECORD),
                processor_seconds: Some(PATIENCE.as_secs()),
                ..Limits::default()
            },
            own_group: false,
        };
        let failed =
            |why: String| gap(format!("heaptrack could not read its record: {why}"), AGAIN);
        let started = self.host.processes.start(&launch);
        let mut running = started.map_err(|error| failed(error.to_string()))?;
        let mut ending = running.ended();
        while ending.is_none() && running.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(5));
            ending = running.ended();
        }
        running.stop();
        match ending {
            Some(Ending::Code(0)) => Ok(()),
            Some(ending) => Err(failed(format!("it ended with {ending}"))),
            None => Err(failed(format!("not within {} s", PATIENCE.as_secs()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_of_a_record_is_a_third_of_its_time() {
        let text = b"v 1\nc 1\n+ 0\nc 10\n+ 1\nc 64\n- 1\nc 12c\n";
        assert_eq!(start(text), 21);
        assert_eq!(start(b""), 0);
        // What is no time, or goes back, is no reason to fail.
        assert_eq!(start(b"c x\nc \xff\n"), 8);
        assert_eq!(start(b"c ffffffffffffffffff\nc 3"), 21);
    }
}
