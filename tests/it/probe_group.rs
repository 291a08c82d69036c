//! `probe` with control groups of a real kernel, in a machine of its own: this one may
//! account for memory otherwise, or let nobody make a group.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::vm::{Archive, kernel};
use crate::support::workload::{canary, programs};

/// What the machine does. Each part says what it found between marks.
const SCRIPT: &str = r#"#!/bin/busybox sh
/bin/busybox --install -s /bin
mkdir -p /proc /sys /dev /tmp /etc
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
mount -t cgroup2 groups /sys/fs/cgroup
chmod 1777 /tmp
echo 'root:x:0:0::/:/bin/sh' > /etc/passwd
echo 'user:x:1000:1000::/tmp:/bin/sh' >> /etc/passwd
cd /tmp
groups=/sys/fs/cgroup
probe='/bin/cargo-canary probe --no-progress --format json'
builds='--base-exe /builds/clean --head-exe /builds/leaky'

# A part by its name: what it printed, its exit code, the groups that it left.
part() {
    name=$1; shift
    echo
    echo "@part $name"
    "$@" 2>/tmp/complaints
    echo "@code $?"
    cat /tmp/complaints
    echo "@left" $(find $groups -name 'cargo-canary-*')
}
# In this group, as this user.
within() {
    group=$1; who=$2; shift 2
    sh -c 'echo $$ > $0/cgroup.procs; exec su $1 -c "$2"' "$group" "$who" "$*"
}

part not-passed-on $probe --duration 2s $builds -- none

# Passed on to two: one belongs to the user, one may have little memory. A third is shut.
echo +memory > $groups/cgroup.subtree_control
mkdir $groups/user $groups/user/shell $groups/small $groups/small/shell $groups/shut
chown user $groups/user $groups/user/cgroup.procs $groups/user/cgroup.subtree_control
within $groups/user/shell user "echo +memory > $groups/user/cgroup.subtree_control"
echo +memory > $groups/small/cgroup.subtree_control
echo 100M > $groups/small/memory.max

$probe --duration 60s $builds -- none >/dev/null 2>&1 &
sleep 2
part killed kill -9 $!
sleep 1
part clean $probe --duration 8s $builds -- none

part shut within $groups/shut user $probe --duration 2s $builds -- none
part leak within $groups/user/shell user $probe --samples /tmp/seen --duration 8s $builds -- memory 60 2097152
part leak-seen cat /tmp/seen
part tmpfs within $groups/user/shell user $probe --duration 8s $builds -- writes 60 2097152 /tmp/grows
rm /tmp/grows
part contained within $groups/user/shell user $probe --max-memory 8MiB --duration 8s $builds -- writes 60 8388608 /tmp/grows
rm /tmp/grows
part out within $groups/small/shell root $probe --duration 5s $builds -- memory 60 41943040

while [ ! -b /dev/nvme0n1 ]; do sleep 1; done
part disk $probe --samples /tmp/disk --duration 8s --base-exe /builds/reads --head-exe /builds/reads-more
part disk-seen cat /tmp/disk
poweroff -f
"#;

/// A part of what the machine did.
struct Part {
    code: i32,
    printed: String,
    left: String,
}

impl Part {
    fn json(&self) -> Value {
        serde_json::from_str(&self.printed).unwrap_or_else(|_| panic!("{}", self.printed))
    }

    /// The column of the samples of a side, where they have it.
    fn column(&self, side: &str, name: &str) -> Vec<u64> {
        let (names, lines) = self.printed.trim().split_once('\n').unwrap();
        let place = names.split(',').position(|column| column == name).unwrap();
        let lines = lines.lines().filter(|line| line.starts_with(side));
        lines
            .filter_map(|line| line.split(',').nth(place)?.parse().ok())
            .collect()
    }
}

fn parts(said: &str) -> BTreeMap<String, Part> {
    let parts = said.split("\n@part ").skip(1).map(|part| {
        let (name, rest) = part.split_once('\n').unwrap();
        let (printed, rest) = rest
            .split_once("@code ")
            .unwrap_or_else(|| panic!("{said}"));
        let (code, rest) = rest.split_once('\n').unwrap();
        let (complaints, left) = rest.split_once("@left").unwrap();
        assert_eq!(complaints, "", "{name}");
        let part = Part {
            code: code.parse().unwrap(),
            printed: printed.to_owned(),
            left: left.lines().next().unwrap_or_default().trim().to_owned(),
        };
        (name.to_owned(), part)
    });
    parts.collect()
}

fn resource<'j>(json: &'j Value, name: &str) -> &'j Value {
    let mut all = json["resources"].as_array().unwrap().iter();
    all.find(|entry| entry["resource"] == name)
        .unwrap_or_else(|| panic!("no {name} in {json}"))
}

/// Those that leak.
fn leaks(json: &Value) -> Vec<&str> {
    let all = json["resources"].as_array().unwrap().iter();
    let leaks = all.filter(|entry| entry["answer"] == "leak");
    leaks
        .map(|entry| entry["resource"].as_str().unwrap())
        .collect()
}

const MIB: f64 = 1024.0 * 1024.0;

fn slope(json: &Value, name: &str) -> f64 {
    let slope = &resource(json, name)["slope-per-second"];
    slope.as_f64().unwrap_or_default() / MIB
}

fn peak(json: &Value, side: &str) -> f64 {
    let peak = &json[side]["group-peak-bytes"];
    peak.as_f64().unwrap_or_else(|| panic!("{json}")) / MIB
}

#[test]
fn groups_of_a_real_kernel() {
    let Some(kernel) = kernel() else { return };
    let (clean, leaky) = programs();
    let mut archive = Archive::new(SCRIPT);
    archive.program(canary().get_program().as_ref(), "/bin/cargo-canary");
    archive.program(clean, "/bin/clean");
    archive.program(leaky, "/bin/leaky");
    // The builds are scripts that become the programs: a digest takes its time here.
    for (name, command) in [
        ("clean", "clean \"$@\""),
        ("leaky", "leaky \"$@\""),
        ("reads", "leaky reads 60 524288 /dev/nvme0n1"),
        ("reads-more", "leaky reads 60 4194304 /dev/nvme0n1"),
    ] {
        let text = format!("#!/bin/sh\nexec /bin/{command}\n");
        archive.script(&format!("/builds/{name}"), &text);
    }
    let said = archive.run(&kernel, 256 << 20);
    let mut parts = parts(&said);
    let mut part = |name: &str| {
        parts
            .remove(name)
            .unwrap_or_else(|| panic!("{name}: {said}"))
    };

    told_where_there_is_none(&part("not-passed-on"), "memory is not passed on");
    told_where_there_is_none(&part("shut"), "Permission denied");
    let killed = part("killed");
    assert_eq!(killed.left.split(' ').count(), 2, "{}", killed.left);
    // The next one removes what that one left, and leaves nothing itself.
    let clean = part("clean");
    assert_eq!(
        (clean.code, clean.left.as_str()),
        (0, ""),
        "{}",
        clean.printed
    );
    let json = clean.json();
    assert_eq!(resource(&json, "group")["answer"], "no-leak");
    for side in ["base", "head"] {
        assert!((0.1..8.0).contains(&peak(&json, side)), "{json}");
        assert_eq!(json[side]["gaps"], Value::Null, "{json}");
    }
    leak_of_a_user(&part("leak"), &part("leak-seen"));
    leak_of_files_in_memory(&part("tmpfs"), &part("contained"));
    ended_for_want_of_memory(&part("out"));
    pages_of_files_are_no_leak(&part("disk"), &part("disk-seen"));
    let left: Vec<&String> = parts.keys().collect();
    assert_eq!(left, Vec::<&String>::new());
}

fn told_where_there_is_none(part: &Part, why: &str) {
    let json = part.json();
    assert_eq!((part.code, part.left.as_str()), (0, ""), "{json}");
    for side in ["base", "head"] {
        let gaps = json[side]["gaps"].to_string();
        assert!(gaps.contains(why) && gaps.contains("systemd-run"), "{gaps}");
        assert_eq!(json[side]["group-peak-bytes"], Value::Null);
    }
    assert_eq!(resource(&json, "rss")["answer"], "no-leak");
}

fn leak_of_a_user(part: &Part, seen: &Part) {
    let json = part.json();
    assert_eq!((part.code, part.left.as_str()), (1, ""), "{json}");
    assert_eq!(leaks(&json), ["rss", "pss", "private", "group", "vsz"]);
    assert!((1.8..2.3).contains(&slope(&json, "group")), "{json}");
    assert!((14.0..24.0).contains(&peak(&json, "head")), "{json}");
    assert!(peak(&json, "base") < 4.0, "{json}");
    for side in ["base", "head"] {
        let [all, anon, shmem, private] =
            ["group", "group_anon", "group_shmem", "private"].map(|name| seen.column(side, name));
        assert!(
            all.len() >= 12 && anon.len() == all.len(),
            "{}",
            seen.printed
        );
        assert!(shmem.iter().all(|bytes| *bytes == 0), "{}", seen.printed);
        assert!(all.iter().zip(&anon).all(|(all, anon)| anon <= all));
        // What the account says is what the pages of the program say.
        let last = |column: &[u64]| *column.last().unwrap();
        assert!(
            last(&anon).abs_diff(last(&private)) < 3 << 20,
            "{}",
            seen.printed
        );
    }
}

fn leak_of_files_in_memory(part: &Part, contained: &Part) {
    let json = part.json();
    assert_eq!((part.code, part.left.as_str()), (1, ""), "{json}");
    assert_eq!(leaks(&json), ["shmem"], "no process shows it");
    assert!((1.8..2.3).contains(&slope(&json, "shmem")), "{json}");
    let because = resource(&json, "shmem")["because"].to_string();
    assert!(because.contains("files in tmpfs"), "{because}");
    let troubles = contained.json()["head"]["troubles"].to_string();
    assert!(troubles.contains("the limit of 8 MiB"), "{troubles}");
    assert_eq!(contained.left, "");
}

fn ended_for_want_of_memory(part: &Part) {
    let json = part.json();
    assert_eq!((part.code, part.left.as_str()), (1, ""), "{json}");
    let troubles = json["head"]["troubles"].to_string();
    let why = "ended with signal 9";
    assert!(troubles.contains(why), "{troubles}");
    assert!(troubles.contains("for want of memory"), "{troubles}");
    assert_eq!(
        troubles.matches("want of memory").count(),
        troubles.matches(why).count()
    );
    let because = resource(&json, "rss")["because"].to_string();
    assert!(because.contains("could have no more"), "{because}");
    // Most of the 100 MiB of the group above: the tool itself has its part of them.
    assert!((50.0..100.5).contains(&peak(&json, "head")), "{json}");
}

fn pages_of_files_are_no_leak(part: &Part, seen: &Part) {
    let json = part.json();
    // Eight seconds may leave the resident memory of a shell open that starts programs;
    // of the account, which holds the pages, they must be enough.
    assert!([0, 4].contains(&part.code), "{} {json}", part.code);
    assert_eq!(part.left, "");
    assert_eq!(leaks(&json), Vec::<&str>::new());
    assert_eq!(resource(&json, "group")["answer"], "no-leak", "{json}");
    // They are in the account, and in its peak.
    let all = seen.column("head", "group");
    let grown = all.last().unwrap() - all.first().unwrap();
    assert!(grown > 16 << 20, "{}", seen.printed);
    assert!(peak(&json, "head") > 16.0, "{json}");
}
