//! A control group of its own for a program under watch (cgroup v2), with the kernel's
//! own account of its memory. One is made where this user may make it: inside of the
//! group of this program, or beside it.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the door to the control groups"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use super::contained::GroupMemory;

/// How the names of groups begin; the number of the program that made them follows.
const PREFIX: &str = "cargo-canary-";
/// The controller whose account is wanted.
const MEMORY: &str = "memory";
/// How to get a group where there is none.
const HINT: &str = "`systemd-run --user --scope` gives a command a place for them";

/// A group, which goes with its value.
#[derive(Debug)]
pub(super) struct Group {
    path: PathBuf,
}

impl Group {
    /// Makes one, and removes those that programs left behind that were killed. The
    /// reason in words where there can be none.
    pub(super) fn make() -> Result<Self, String> {
        let read = |path| fs::read_to_string(path).map_err(|error| format!("{path}: {error}"));
        let own = own_place(&read("/proc/self/mountinfo")?, &read("/proc/self/cgroup")?)?;
        let has = |file: &str| {
            let controllers = fs::read_to_string(own.join(file)).unwrap_or_default();
            controllers.split_whitespace().any(|name| name == MEMORY)
        };
        if !has("cgroup.controllers") {
            return Err("memory is not accounted for by cgroup v2 here".to_owned());
        }
        // Beside its own group, where that is not the uppermost one.
        let beside = own
            .parent()
            .filter(|place| place.join("cgroup.procs").is_file());
        let mut why = format!("memory is not passed on to groups of this user; {HINT}");
        for place in [Some(own.as_path()), beside].into_iter().flatten() {
            let passed_on = fs::read_to_string(place.join("cgroup.subtree_control"));
            if !passed_on.is_ok_and(|names| names.split_whitespace().any(|name| name == MEMORY)) {
                continue;
            }
            match Self::make_in(place) {
                Ok(group) => return Ok(group),
                Err(error) => why = format!("{}: {error}; {HINT}", place.display()),
            }
        }
        Err(why)
    }

    fn make_in(place: &Path) -> std::io::Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        remove_left_behind(place);
        let (me, count) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = place.join(format!("{PREFIX}{me}-{count}"));
        fs::create_dir(&path)?;
        Ok(Self { path })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether somebody is in it.
    pub(super) fn has_members(&self) -> bool {
        let events = fs::read_to_string(self.path.join("cgroup.events"));
        events.is_ok_and(|events| field(&events, "populated") == Some(1))
    }

    /// The account of its memory.
    pub(super) fn memory(&self) -> Option<GroupMemory> {
        let read = |file: &str| fs::read_to_string(self.path.join(file)).ok();
        memory(
            &read("memory.current")?,
            &read("memory.stat")?,
            // Kernels before 5.19 have no peak.
            read("memory.peak").as_deref(),
            &read("memory.events")?,
        )
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Whoever is left in it would keep it. Kernels before 5.14 have no such file.
        drop(fs::write(self.path.join("cgroup.kill"), "1"));
        for _ in 0..100 {
            match fs::remove_dir(&self.path) {
                Err(error) if error.kind() == std::io::ErrorKind::ResourceBusy => {
                    thread::sleep(Duration::from_millis(5));
                }
                Ok(()) | Err(_) => return,
            }
        }
    }
}

/// Makes this program a member of a group.
pub(super) fn join(group: &Path) -> std::io::Result<()> {
    fs::write(group.join("cgroup.procs"), "0")
}

/// Removes the groups of programs that are no more. A group with members stays: the
/// kernel does not remove it.
fn remove_left_behind(place: &Path) {
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let maker = name.to_str().and_then(maker);
        if maker.is_some_and(|pid| !Path::new("/proc").join(pid.to_string()).exists()) {
            drop(fs::remove_dir(entry.path()));
        }
    }
}

/// The number of the program that made a group of this name.
fn maker(name: &str) -> Option<u32> {
    let (pid, _) = name.strip_prefix(PREFIX)?.split_once('-')?;
    pid.parse().ok()
}

/// Where the group of this program is, out of `mountinfo` and `cgroup` of `/proc/self`.
fn own_place(mountinfo: &str, cgroup: &str) -> Result<PathBuf, String> {
    let none = || "there is no cgroup v2 here".to_owned();
    let own = cgroup.lines().find_map(|line| line.strip_prefix("0::"));
    let own = own.ok_or_else(none)?;
    let mounted = mountinfo.lines().find_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        let mut fields = before.split(' ').skip(3);
        let (root, point) = (fields.next()?, fields.next()?);
        (after.split(' ').next() == Some("cgroup2")).then_some((root, point))
    });
    let (root, point) = mounted.ok_or_else(none)?;
    // Only a part of the hierarchy may be mounted.
    let inside = own
        .strip_prefix(root.trim_end_matches('/'))
        .filter(|rest| rest.is_empty() || rest.starts_with('/'))
        .ok_or("its own control group is not mounted")?;
    if inside.split('/').any(|part| part == "..") {
        return Err("its own control group is not mounted".to_owned());
    }
    // Spaces and their like are written in octal.
    let point = point.replace("\\040", " ").replace("\\011", "\t");
    let point = point.replace("\\134", "\\");
    Ok(Path::new(&point).join(inside.trim_matches('/')))
}

/// The number after this word, of lines of a word and a number.
fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let (word, number) = line.split_once(' ')?;
        (word == name).then(|| number.trim().parse().ok())?
    })
}

fn memory(current: &str, stat: &str, peak: Option<&str>, events: &str) -> Option<GroupMemory> {
    Some(GroupMemory {
        current: current.trim().parse().ok()?,
        anon: field(stat, "anon")?,
        shmem: field(stat, "shmem")?,
        peak: peak.and_then(|peak| peak.trim().parse().ok()),
        oom_kills: field(events, "oom_kill")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_of_a_group_is_read() {
        let stat = "anon 4096\nfile 8192\nshmem 512\nanon_thp 1\nshmem_thp 1\n";
        let events = "low 0\nhigh 0\nmax 3\noom 2\noom_kill 1\noom_group_kill 0\n";
        let read = memory("16384\n", stat, Some("20480\n"), events).unwrap();
        assert_eq!((read.current, read.anon, read.shmem), (16_384, 4_096, 512));
        assert_eq!((read.peak, read.oom_kills), (Some(20_480), 1));
        let old = memory("16384\n", stat, None, events).unwrap();
        assert_eq!(old.peak, None);
        assert_eq!(memory("max\n", stat, None, events), None);
        assert_eq!(memory("1\n", "file 1\n", None, events), None);
        assert_eq!(memory("1\n", "anon many\n", None, events), None);
        assert_eq!(memory("1\n", stat, None, "oom 1\n"), None);
    }

    #[test]
    fn the_own_group_is_found_below_where_the_hierarchy_is_mounted() {
        let unified = "30 24 0:27 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n";
        let both = "31 24 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n32 24 0:29 / /sys/fs/cgroup/uni\\040fied rw shared:9 - cgroup2 none rw\n";
        let part = "30 24 0:27 /docker/a1 /sys/fs/cgroup ro - cgroup2 cgroup rw\n";
        let place = |mounts, own: &str| own_place(mounts, own).map(|p| p.display().to_string());
        let session = "0::/user.slice/app.slice/run-1.scope\n";
        assert_eq!(
            place(unified, session).unwrap(),
            "/sys/fs/cgroup/user.slice/app.slice/run-1.scope"
        );
        let mixed = "4:memory:/x\n0::/\n";
        assert_eq!(place(both, mixed).unwrap(), "/sys/fs/cgroup/uni fied/");
        assert_eq!(
            place(part, "0::/docker/a1/b\n").unwrap(),
            "/sys/fs/cgroup/b"
        );
        for (mounts, own) in [
            (unified, "4:memory:/x\n"),
            ("", "0::/\n"),
            (part, "0::/docker/a12\n"),
            (unified, "0::/../other\n"),
        ] {
            assert!(place(mounts, own).is_err(), "{mounts} {own}");
        }
    }

    #[test]
    fn only_own_names_say_who_made_a_group() {
        assert_eq!(maker("cargo-canary-42-0"), Some(42));
        for name in ["cargo-canary-42", "cargo-canary-x-1", "user.slice"] {
            assert_eq!(maker(name), None);
        }
    }

    /// A real group, with a controller or without, where this user may make one.
    #[test]
    fn a_group_goes_with_its_members_and_those_of_dead_programs_go_with_the_next() {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let place = own_place(&read("/proc/self/mountinfo"), &read("/proc/self/cgroup"));
        let made = place.map(|place| (Group::make_in(&place), place));
        let (group, place) = match made {
            Ok((Ok(group), place)) => (group, place),
            other => {
                println!("no group can be made here: {other:?}");
                return;
            }
        };
        let mut member = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        fs::write(group.path().join("cgroup.procs"), member.id().to_string()).unwrap();
        let populated = || field(&read_in(group.path(), "cgroup.events"), "populated");
        assert_eq!(populated(), Some(1));
        // The number of a program that has ended.
        let mut dead = std::process::Command::new("true").spawn().unwrap();
        let left = place.join(format!("{PREFIX}{}-0", dead.id()));
        fs::create_dir(&left).unwrap();
        let early = Group::make_in(&place).unwrap();
        assert!(left.exists(), "not waited for, and so still there");
        dead.wait().unwrap();
        let path = group.path().to_owned();
        let next = Group::make_in(&place).unwrap();
        assert!(!left.exists() && path.exists() && early.path().exists());
        drop((group, next, early));
        assert!(!path.exists(), "its member was ended");
        assert!(!member.wait().unwrap().success());
    }

    fn read_in(place: &Path, file: &str) -> String {
        fs::read_to_string(place.join(file)).unwrap()
    }

    #[test]
    fn where_there_is_no_group_the_reason_is_told() {
        match Group::make() {
            Ok(group) => assert!(group.path().join("memory.current").is_file()),
            Err(why) => {
                println!("no group with an account of memory here: {why}");
                assert!(!why.is_empty());
            }
        }
    }
}
