//! The history of lock files, on real repositories, against a slow and obvious way.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use cargo_canary::exposure::{Answer, Held, Question, search};
use cargo_canary::host::Host;
use tempfile::TempDir;

fn git(directory: &Path, args: &[&str], stdin: &[u8]) -> String {
    let mut child = Command::new("git")
        .args([
            "-c",
            "user.name=T",
            "-c",
            "user.email=t@example.invalid",
            "-c",
            "init.defaultBranch=main",
        ])
        .args(args)
        .current_dir(directory)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(stdin).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "git {args:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn lock(versions: &[&str]) -> String {
    let mut text = "version = 4\n".to_owned();
    for version in versions {
        text.push_str("\n[[package]]\nname = \"left\"\nversion = \"");
        text.push_str(version);
        text.push_str(
            "\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"",
        );
        text.push_str(&version.replace('.', "a").repeat(64)[..64]);
        text.push_str("\"\n");
    }
    text.push_str("\n[[package]]\nname = \"other\"\nversion = \"1.0.0\"\n");
    text
}

/// A history under construction, for `git fast-import`.
#[derive(Default)]
struct Import {
    stream: String,
    marks: usize,
}

impl Import {
    /// A commit on a branch with these files; an empty content removes one.
    fn commit(
        &mut self,
        branch: &str,
        time: u32,
        parents: &[usize],
        files: &[(&str, &str)],
    ) -> usize {
        self.marks += 1;
        let mark = self.marks;
        let mut text = format!(
            "commit refs/heads/{branch}\nmark :{mark}\ncommitter T <t@example.invalid> {time} +0000\ndata 1\nm\n"
        );
        for (place, parent) in parents.iter().enumerate() {
            text.push_str(if place == 0 { "from :" } else { "merge :" });
            text.push_str(&parent.to_string());
            text.push('\n');
        }
        for (path, content) in files {
            if content.is_empty() {
                text.push_str("D ");
                text.push_str(path);
                text.push('\n');
            } else {
                text.push_str("M 100644 inline ");
                text.push_str(path);
                text.push_str("\ndata ");
                text.push_str(&content.len().to_string());
                text.push('\n');
                text.push_str(content);
                text.push('\n');
            }
        }
        text.push('\n');
        self.stream.push_str(&text);
        mark
    }

    fn finish(self, directory: &Path) {
        git(directory, &["init", "--quiet", "--bare"], b"");
        git(
            directory,
            &["fast-import", "--quiet"],
            self.stream.as_bytes(),
        );
    }
}

fn ask(directory: &Path, versions: Option<&str>) -> Answer {
    let question = Question {
        package: "left".to_owned(),
        versions: versions.map(|versions| versions.parse().unwrap()),
    };
    search(&question, directory, &Host::real(None)).unwrap()
}

fn words(held: &Held) -> String {
    format!(
        "{} {} {} -> {} in {} commits, now in {:?}",
        held.lock,
        held.version,
        held.from,
        held.to.map_or("now".to_owned(), |to| to.to_string()),
        held.commits,
        held.refs
    )
}

#[test]
fn a_release_is_followed_over_branches_and_merges() {
    let directory = TempDir::new().unwrap();
    let mut import = Import::default();
    let old = lock(&["1.0.0"]);
    let bad = lock(&["1.0.1"]);
    let first = import.commit("main", 1_000, &[], &[("Cargo.lock", &old), ("README", "r")]);
    let update = import.commit("update", 2_000, &[first], &[("Cargo.lock", &bad)]);
    let side = import.commit("main", 2_500, &[first], &[("README", "s")]);
    // The merge takes the branch's lock file: it is the same as its second parent's.
    let merge = import.commit("main", 3_000, &[side, update], &[("Cargo.lock", &bad)]);
    let back = import.commit("main", 4_000, &[merge], &[("Cargo.lock", &old)]);
    import.commit(
        "main",
        5_000,
        &[back],
        &[("tools/target/x/Cargo.lock", &bad)],
    );
    import.finish(directory.path());
    git(directory.path(), &["branch", "-D", "update"], b"");
    git(
        directory.path(),
        &["tag", "-a", "-m", "t", "v1", "main~2"],
        b"",
    );

    let answer = ask(directory.path(), Some("=1.0.1"));
    assert_eq!(
        answer.held.iter().map(words).collect::<Vec<_>>(),
        [
            "Cargo.lock 1.0.1 1970-01-01T00:33:20Z -> now in 2 commits, now in [\"refs/tags/v1\"]",
            "tools/target/x/Cargo.lock 1.0.1 1970-01-01T01:23:20Z -> now in 1 commits, now in [\"refs/heads/main\"]",
        ]
    );
    assert_eq!((answer.commits, answer.locks, answer.gaps.len()), (6, 2, 0));
    git(directory.path(), &["tag", "-d", "v1"], b"");
    let answer = ask(directory.path(), Some("=1.0.1"));
    assert_eq!(
        words(&answer.held[0]),
        "Cargo.lock 1.0.1 1970-01-01T00:33:20Z -> 1970-01-01T01:06:40Z in 2 commits, now in []"
    );
    assert_eq!(answer.held[0].entered.len(), 1);
    assert_eq!(answer.held[0].left.len(), 1);
    assert_eq!(answer.held[0].checksum.as_deref().map(str::len), Some(64));
}

#[test]
fn what_was_never_held_is_not_found_and_says_what_was_searched() {
    let directory = TempDir::new().unwrap();
    let mut import = Import::default();
    import.commit("main", 1_000, &[], &[("Cargo.lock", &lock(&["1.0.0"]))]);
    import.finish(directory.path());
    let answer = ask(directory.path(), Some("^2"));
    assert!(answer.held.is_empty());
    assert_eq!((answer.commits, answer.locks), (1, 1));
}

#[test]
fn a_broken_lock_file_and_a_shallow_clone_are_gaps() {
    let directory = TempDir::new().unwrap();
    let mut import = Import::default();
    let first = import.commit("main", 1_000, &[], &[("Cargo.lock", &lock(&["1.0.0"]))]);
    import.commit(
        "main",
        2_000,
        &[first],
        &[("Cargo.lock", "<<<<<<< a\nleft\n=======\n>>>>>>> b\n")],
    );
    import.finish(directory.path());
    let answer = ask(directory.path(), None);
    assert_eq!(answer.gaps.len(), 1, "{:?}", answer.gaps);
    assert!(
        answer.gaps[0].contains("unresolved merge conflict"),
        "{:?}",
        answer.gaps
    );

    let clone = TempDir::new().unwrap();
    let url = format!("file://{}", directory.path().display());
    git(
        clone.path(),
        &["clone", "--quiet", "--depth=1", &url, "c"],
        b"",
    );
    let answer = ask(&clone.path().join("c"), None);
    assert!(
        answer.gaps.iter().any(|gap| gap.contains("shallow")),
        "{:?}",
        answer.gaps
    );
}

#[test]
fn a_lock_file_that_a_merge_left_with_a_missing_package_is_read_all_the_same() {
    let directory = TempDir::new().unwrap();
    let mut import = Import::default();
    let torn = lock(&["1.0.1"]) + "dependencies = [\n \"gone 1.0.0\",\n]\n";
    import.commit("main", 1_000, &[], &[("Cargo.lock", &torn)]);
    import.finish(directory.path());
    let answer = ask(directory.path(), None);
    assert!(answer.gaps.is_empty(), "{:?}", answer.gaps);
    assert_eq!(answer.held.len(), 1);
    assert_eq!(answer.held[0].version, semver::Version::new(1, 0, 1));
    assert_eq!(answer.held[0].checksum.as_ref().map(String::len), Some(64));
}

/// For each commit what it holds, by asking git for every file of every commit.
fn slowly(directory: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let mut all = BTreeMap::new();
    for commit in git(directory, &["rev-list", "--all"], b"").lines() {
        let mut holds = BTreeSet::new();
        for path in git(directory, &["ls-tree", "-r", "--name-only", commit], b"").lines() {
            if path != "Cargo.lock" && !path.ends_with("/Cargo.lock") {
                continue;
            }
            let text = git(directory, &["show", &format!("{commit}:{path}")], b"");
            for block in text
                .split("[[package]]")
                .filter(|block| block.contains("name = \"left\""))
            {
                let version = block
                    .split("version = \"")
                    .nth(1)
                    .unwrap()
                    .split('"')
                    .next()
                    .unwrap();
                holds.insert(format!("{path} {version}"));
            }
        }
        all.insert(commit.to_owned(), holds);
    }
    all
}

#[test]
fn the_answer_agrees_with_a_slow_and_obvious_way_on_a_tangled_history() {
    let directory = TempDir::new().unwrap();
    let mut import = Import::default();
    let mut state = 7_u64;
    let mut random = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((state >> 33) % below).unwrap()
    };
    let locks: Vec<String> = [
        &["1.0.0"][..],
        &["1.0.1"],
        &["1.0.0", "2.0.0"],
        &["2.0.0"],
        &[],
    ]
    .iter()
    .map(|v| lock(v))
    .collect();
    let paths = ["Cargo.lock", "a/Cargo.lock", "a/b/Cargo.lock"];
    let mut tips = vec![import.commit("b0", 1, &[], &[("Cargo.lock", &locks[0])])];
    for step in 2..120_u32 {
        let branch = random(6);
        let from = tips[random(tips.len() as u64)];
        let other = tips[random(tips.len() as u64)];
        let parents = if random(4) == 0 && other != from {
            vec![from, other]
        } else {
            vec![from]
        };
        let mut files: Vec<(&str, &str)> = Vec::new();
        for path in paths {
            match random(7) {
                0 => files.push((path, "")),
                1..=2 => files.push((path, &locks[random(locks.len() as u64)])),
                _ => {}
            }
        }
        // Commit times run backwards now and then, as in real histories.
        let time = if random(9) == 0 { step / 2 } else { step };
        let mark = import.commit(&format!("b{branch}"), time, &parents, &files);
        if tips.len() <= branch {
            tips.push(mark);
        } else {
            tips[branch] = mark;
        }
    }
    import.finish(directory.path());

    let slow = slowly(directory.path());
    let answer = ask(directory.path(), None);
    assert_eq!(answer.commits, slow.len());
    let mut expected: BTreeMap<&str, usize> = BTreeMap::new();
    for fact in slow.values().flatten() {
        *expected.entry(fact).or_default() += 1;
    }
    let found: BTreeMap<String, usize> = answer
        .held
        .iter()
        .map(|held| (format!("{} {}", held.lock, held.version), held.commits))
        .collect();
    assert_eq!(
        found
            .iter()
            .map(|(k, v)| (k.as_str(), *v))
            .collect::<BTreeMap<_, _>>(),
        expected
    );
    for held in &answer.held {
        let fact = format!("{} {}", held.lock, held.version);
        let refs: Vec<String> = git(
            directory.path(),
            &["for-each-ref", "--format=%(refname) %(objectname)"],
            b"",
        )
        .lines()
        .map(|line| line.split_once(' ').unwrap())
        .filter(|(_, commit)| slow[*commit].contains(&fact))
        .map(|(name, _)| name.to_owned())
        .collect();
        assert_eq!(held.refs, refs, "{fact}");
        for commit in &held.entered {
            assert!(slow[commit].contains(&fact));
            let parents = git(
                directory.path(),
                &["rev-list", "--parents", "-n1", commit],
                b"",
            );
            assert!(
                parents
                    .split_whitespace()
                    .skip(1)
                    .all(|parent| !slow[parent].contains(&fact))
            );
        }
        for commit in &held.left {
            assert!(!slow[commit].contains(&fact));
        }
    }
}
