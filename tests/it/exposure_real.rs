//! `exposure` over the lock files that a real repository had, some thousands of them,
//! against a slow and obvious way. Needs the shared data; half a minute. Runs when
//! `CANARY_EXPOSURE_REAL=1` is set.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use cargo_canary::exposure::{Held, Question, search};
use cargo_canary::host::Host;
use jiff::Timestamp;
use serde_json::Value;

use crate::support::data;

/// The repository with the most states of its lock file, and packages that it moved often.
const REPOSITORY: &str = "rust-lang/crates.io";
const PACKAGES: [&str; 5] = ["tokio", "openssl", "hyper", "regex", "url"];

/// The changes of the lock file, in the order of the walk.
fn events(corpus: &Path) -> Vec<Value> {
    let text = fs::read_to_string(corpus.join("events.jsonl")).unwrap();
    let events = text.lines().map(|line| serde_json::from_str(line).unwrap());
    events
        .filter(|event: &Value| event["repo"] == REPOSITORY)
        .collect()
}

/// Builds the repository: each state with the change before it as its parent, which is
/// the last one that led to where it begins. What nothing goes on from is a branch.
fn import(corpus: &Path, events: &[Value], directory: &Path) {
    let text = |event: &Value, key: &str| event[key].as_str().unwrap_or_default().to_owned();
    let made = Command::new("git")
        .args(["init", "--quiet", "--bare"])
        .arg(directory)
        .status();
    assert!(made.unwrap().success());
    let mut git = Command::new("git")
        .args(["fast-import", "--quiet"])
        .current_dir(directory)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stream = git.stdin.take().unwrap();
    let wanted: BTreeSet<String> = events.iter().map(|event| text(event, "after")).collect();
    let mut marks: BTreeMap<String, usize> = BTreeMap::new();
    let mut chunks: Vec<_> = fs::read_dir(corpus.join("locks")).unwrap().collect();
    chunks.sort_by_key(|chunk| chunk.as_ref().unwrap().path());
    for chunk in chunks {
        let path = chunk.unwrap().path();
        if path.extension().is_none_or(|end| end != "zst") {
            continue;
        }
        let decoder = ruzstd::decoding::StreamingDecoder::new(File::open(path).unwrap()).unwrap();
        for entry in tar::Archive::new(decoder).entries().unwrap() {
            let mut entry = entry.unwrap();
            let name = entry
                .path()
                .unwrap()
                .file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            if !wanted.contains(&name) || marks.contains_key(&name) {
                continue;
            }
            let mut lock = Vec::new();
            entry.read_to_end(&mut lock).unwrap();
            let mark = marks.len() + 1;
            write!(stream, "blob\nmark :{mark}\ndata {}\n", lock.len()).unwrap();
            stream.write_all(&lock).unwrap();
            marks.insert(name, mark);
        }
    }
    assert_eq!(marks.len(), wanted.len(), "states are missing");
    let mut last: BTreeMap<String, usize> = BTreeMap::new();
    let mut tips: BTreeSet<usize> = BTreeSet::new();
    for (at, event) in events.iter().enumerate() {
        let mark = marks.len() + 1 + at;
        let time: Timestamp = text(event, "commit_time").parse().unwrap();
        let mut commit = format!(
            "commit refs/heads/import\nmark :{mark}\ncommitter T <t@example.invalid> {} +0000\ndata 1\nm\n",
            time.as_second()
        );
        let parent = last.get(&text(event, "before")).copied();
        if let Some(parent) = parent.or_else(|| tips.last().copied()) {
            let _ = writeln!(commit, "from :{parent}");
            tips.remove(&parent);
        }
        let blob = marks[&text(event, "after")];
        let _ = write!(commit, "M 100644 :{blob} {}\n\n", text(event, "path"));
        stream.write_all(commit.as_bytes()).unwrap();
        tips.insert(mark);
        last.insert(text(event, "after"), mark);
    }
    for (at, tip) in tips.iter().enumerate() {
        write!(stream, "reset refs/heads/tip-{at}\nfrom :{tip}\n\n").unwrap();
    }
    write!(
        stream,
        "reset refs/heads/import\nfrom 0000000000000000000000000000000000000000\n\n"
    )
    .unwrap();
    drop(stream);
    assert!(git.wait().unwrap().success());
}

fn git(directory: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .args(args)
        .current_dir(directory)
        .output()
        .unwrap();
    assert!(output.status.success(), "git {args:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What a commit of the history holds, and what it comes from.
struct Commit {
    parents: Vec<String>,
    holds: BTreeSet<String>,
}

/// Asks git for the lock file of every commit, and looks for the packages in its text.
fn slowly(directory: &Path) -> BTreeMap<String, Commit> {
    let mut all = BTreeMap::new();
    for line in git(directory, &["rev-list", "--branches", "--parents"]).lines() {
        let mut words = line.split(' ').map(str::to_owned);
        let id = words.next().unwrap();
        let lock = git(directory, &["show", &format!("{id}:Cargo.lock")]);
        let value = |block: &str, key: &str| {
            let rest = block
                .split(&format!("{key} = \""))
                .nth(1)
                .unwrap_or_default();
            rest.split('"').next().unwrap_or_default().to_owned()
        };
        let blocks = lock.split("[[package]]").skip(1);
        let held = blocks.filter_map(|block| {
            let name = value(block, "name");
            let is_one = PACKAGES.contains(&name.as_str());
            is_one.then(|| format!("{name} {}", value(block, "version")))
        });
        let holds = held.collect();
        let parents = words.collect();
        all.insert(id, Commit { parents, holds });
    }
    all
}

fn expected(
    all: &BTreeMap<String, Commit>,
    fact: &str,
) -> (usize, BTreeSet<String>, BTreeSet<String>) {
    let holds = |id: &String| all[id].holds.contains(fact);
    let came = all
        .iter()
        .filter(|(id, it)| holds(id) && !it.parents.iter().any(holds));
    let went = all
        .iter()
        .filter(|(id, it)| !holds(id) && it.parents.iter().any(holds));
    (
        all.keys().filter(|id| holds(id)).count(),
        came.map(|(id, _)| id.clone()).collect(),
        went.map(|(id, _)| id.clone()).collect(),
    )
}

#[test]
fn thousands_of_real_states_give_the_same_answer_as_the_slow_way() {
    if std::env::var_os("CANARY_EXPOSURE_REAL").is_none() {
        println!("skipped: CANARY_EXPOSURE_REAL is not set");
        return;
    }
    let Some(corpus) = data::folder("corpus") else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let events = events(&corpus);
    import(&corpus, &events, directory.path());
    let begun = Instant::now();
    let all = slowly(directory.path());
    println!(
        "{} commits the slow way: {} s",
        all.len(),
        begun.elapsed().as_secs()
    );
    assert_eq!(all.len(), events.len());
    for package in PACKAGES {
        let question = Question {
            package: package.to_owned(),
            versions: None,
        };
        let begun = Instant::now();
        let answer = search(&question, directory.path(), &Host::real(None)).unwrap();
        println!(
            "{package}: {} releases in {} ms",
            answer.held.len(),
            begun.elapsed().as_millis()
        );
        assert_eq!(answer.commits, events.len());
        assert!(answer.gaps.is_empty(), "{:?}", answer.gaps);
        let facts: BTreeSet<&str> = all
            .values()
            .flat_map(|commit| &commit.holds)
            .filter(|fact| fact.split(' ').next() == Some(package))
            .map(String::as_str)
            .collect();
        assert!(facts.len() > 20, "{package}: {}", facts.len());
        let name = |held: &Held| format!("{package} {}", held.version);
        let named: BTreeSet<String> = answer.held.iter().map(name).collect();
        assert_eq!(
            named.iter().map(String::as_str).collect::<BTreeSet<_>>(),
            facts
        );
        for held in &answer.held {
            // One version from two places is held twice; the slow way looks at versions.
            if answer
                .held
                .iter()
                .filter(|other| other.version == held.version)
                .count()
                > 1
            {
                continue;
            }
            let (commits, came, went) = expected(&all, &name(held));
            assert_eq!(held.commits, commits, "{}", name(held));
            assert_eq!(held.entered.iter().cloned().collect::<BTreeSet<_>>(), came);
            assert_eq!(held.left.iter().cloned().collect::<BTreeSet<_>>(), went);
        }
    }
}
