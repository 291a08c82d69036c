//! The commits of a repository, and which files each of them changes.

use std::collections::BTreeMap;

use super::{Git, GitError, OUTPUT_LIMIT, Object};

/// One commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Commit {
    /// Its id.
    pub(crate) id: String,
    /// When it was committed, in seconds of Unix time.
    pub(crate) time: i64,
    /// Its parents that are in this clone, the first one first.
    pub(crate) parents: Vec<String>,
}

/// One file that a commit changes, against its first parent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Touched {
    /// Its path.
    pub(crate) path: String,
    /// The blob that it has now; `None` when it is gone, or no regular file.
    pub(crate) blob: Option<String>,
}

impl Git<'_> {
    /// All commits that any branch or tag reaches, parents before children.
    pub(crate) fn commits(&self) -> Result<Vec<Commit>, GitError> {
        let args = [
            "rev-list",
            "--all",
            "--topo-order",
            "--reverse",
            "--parents",
            "--timestamp",
        ];
        let output = self.run(&args, Vec::new(), OUTPUT_LIMIT)?;
        String::from_utf8_lossy(&output)
            .lines()
            .map(read_commit)
            .collect()
    }

    /// The first parents of a commit, itself first: what was merged into a
    /// branch, one step for each merge, newest first.
    pub(crate) fn first_parents(&self, commit: &str) -> Result<Vec<Commit>, GitError> {
        let args = [
            "rev-list",
            "--first-parent",
            "--parents",
            "--timestamp",
            "--end-of-options",
            commit,
        ];
        let output = self.run(&args, Vec::new(), OUTPUT_LIMIT)?;
        String::from_utf8_lossy(&output)
            .lines()
            .map(read_commit)
            .collect()
    }

    /// The subjects of commits, in order: the first paragraph of the message in
    /// one line; empty where there is none.
    pub(crate) fn subjects(&self, commits: &[String]) -> Result<Vec<String>, GitError> {
        let objects = self.objects(commits)?;
        Ok(objects
            .into_iter()
            .map(|object| match object {
                Object::Found { content, .. } => read_subject(&content),
                Object::Missing | Object::Ambiguous => String::new(),
            })
            .collect())
    }

    /// For each of these commits the files below `pathspec` that it changes
    /// against its first parent; commits that change none are left out.
    pub(crate) fn touched(
        &self,
        commits: &[Commit],
        pathspec: &str,
    ) -> Result<BTreeMap<String, Vec<Touched>>, GitError> {
        let mut stdin = String::new();
        for commit in commits {
            stdin.push_str(&commit.id);
            if let Some(parent) = commit.parents.first() {
                stdin.push(' ');
                stdin.push_str(parent);
            }
            stdin.push('\n');
        }
        if stdin.is_empty() {
            return Ok(BTreeMap::new());
        }
        let args = [
            "diff-tree",
            "--stdin",
            "-r",
            "--root",
            "--raw",
            "-z",
            "--no-renames",
            "--no-abbrev",
            "--",
            pathspec,
        ];
        let output = self.run(&args, stdin.into_bytes(), OUTPUT_LIMIT)?;
        read_touched(&output)
    }

    /// The branches, remote branches and tags, by full name, with the commit of each.
    pub(crate) fn tips(&self) -> Result<Vec<(String, String)>, GitError> {
        let args = [
            "for-each-ref",
            "--format=%(refname) %(objectname) %(*objectname)",
            "refs/heads",
            "refs/tags",
            "refs/remotes",
        ];
        let output = self.run(&args, Vec::new(), OUTPUT_LIMIT)?;
        let text = String::from_utf8_lossy(&output);
        Ok(text
            .lines()
            .filter_map(|line| {
                let mut words = line.split(' ');
                let (name, object) = (words.next()?, words.next()?);
                // Of an annotated tag, what it points to.
                let commit = words.next().filter(|id| !id.is_empty()).unwrap_or(object);
                Some((name.to_owned(), commit.to_owned()))
            })
            .collect())
    }
}

fn unexpected(command: &str, detail: &str) -> GitError {
    GitError::Unexpected {
        command: command.to_owned(),
        detail: detail.to_owned(),
    }
}

fn read_commit(line: &str) -> Result<Commit, GitError> {
    let mut words = line.split(' ');
    let time = words.next().and_then(|time| time.parse().ok());
    let (Some(time), Some(id)) = (time, words.next()) else {
        return Err(unexpected("rev-list", "a line that is no commit"));
    };
    Ok(Commit {
        id: id.to_owned(),
        time,
        parents: words.map(str::to_owned).collect(),
    })
}

/// How many characters of a subject are kept.
const SUBJECT: usize = 200;

/// The subject of a commit object: what stands between the empty line that
/// ends the header and the next one.
fn read_subject(commit: &[u8]) -> String {
    let text = String::from_utf8_lossy(commit);
    let message = text.split_once("\n\n").map_or("", |(_, message)| message);
    let first = message.trim_start_matches('\n').split("\n\n").next();
    let words = first.unwrap_or_default().split_whitespace();
    let subject = words.collect::<Vec<_>>().join(" ");
    subject.chars().take(SUBJECT).collect()
}

fn read_touched(output: &[u8]) -> Result<BTreeMap<String, Vec<Touched>>, GitError> {
    let mut found: BTreeMap<String, Vec<Touched>> = BTreeMap::new();
    let mut current: Option<&mut Vec<Touched>> = None;
    let mut fields = output
        .split(|byte| *byte == 0)
        .filter(|field| !field.is_empty());
    while let Some(field) = fields.next() {
        let text = String::from_utf8_lossy(field);
        let Some(change) = text.strip_prefix(':') else {
            current = Some(found.entry(text.trim().to_owned()).or_default());
            continue;
        };
        // :OLD-MODE NEW-MODE OLD-BLOB NEW-BLOB STATUS, and then the path.
        let mut words = change.split(' ').skip(1);
        let (Some(mode), Some(_), Some(blob)) = (words.next(), words.next(), words.next()) else {
            return Err(unexpected("diff-tree", "a change without a blob"));
        };
        let (Some(path), Some(list)) = (fields.next(), current.as_deref_mut()) else {
            return Err(unexpected(
                "diff-tree",
                "a change without a path or a commit",
            ));
        };
        list.push(Touched {
            path: String::from_utf8_lossy(path).into_owned(),
            blob: mode.starts_with("100").then(|| blob.to_owned()),
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_read_by_commit() {
        let output = b"aa\0:000000 100644 00 11 A\0Cargo.lock\0:100644 000000 22 00 D\0x/Cargo.lock\0bb\0:100644 120000 11 33 T\0Cargo.lock\0";
        let found = read_touched(output).unwrap();
        assert_eq!(
            found["aa"],
            [
                Touched {
                    path: "Cargo.lock".into(),
                    blob: Some("11".into())
                },
                Touched {
                    path: "x/Cargo.lock".into(),
                    blob: None
                }
            ]
        );
        assert_eq!(
            found["bb"],
            [Touched {
                path: "Cargo.lock".into(),
                blob: None
            }]
        );
    }

    #[test]
    fn output_that_is_cut_off_is_an_error() {
        assert!(read_touched(b"aa\0:000000 100644 00 11 A\0").is_err());
        assert!(read_touched(b":000000 100644 00 11 A\0Cargo.lock\0").is_err());
        assert!(read_commit("").is_err());
    }

    #[test]
    fn a_subject_is_the_first_paragraph_in_one_line() {
        let commit = b"tree aa\nparent bb\nauthor a <a@x> 1 +0000\n\nBump x\n  to 2\n\nBody\n";
        assert_eq!(read_subject(commit), "Bump x to 2");
        assert_eq!(read_subject(b"tree aa\n\n"), "");
        assert_eq!(read_subject(b"tree aa"), "");
        assert_eq!(
            read_subject(b"tree aa\n\n\n\n\xff\x1b[2J"),
            "\u{fffd}\u{1b}[2J"
        );
        let long = format!("tree aa\n\n{}", "\u{e9}".repeat(500));
        assert_eq!(read_subject(long.as_bytes()).chars().count(), SUBJECT);
    }

    #[test]
    fn a_commit_has_its_time_and_parents() {
        let commit = read_commit("1700000000 aa bb cc").unwrap();
        assert_eq!(commit.time, 1_700_000_000);
        assert_eq!(commit.parents, ["bb", "cc"]);
    }
}
