//! The one thing that is ever written into a repository, and only when it is
//! asked for: a commit on a new branch. Made of objects; work tree, index and
//! existing branches stay as they are, and no hook or filter runs.

use super::{Git, GitError, command};

/// What a commit is made by, where the environment names nobody.
const MAKER: [&str; 4] = [
    "-c",
    "user.name=cargo-canary",
    "-c",
    "user.email=cargo-canary@localhost",
];
/// The id that stands for "there is none yet".
const NONE: &str = "0000000000000000000000000000000000000000";

impl Git<'_> {
    /// A new branch with one commit upon `onto`, in which the regular file `name`
    /// at the root has this content. Returns the commit's id.
    pub(crate) fn branch_with_file(
        &self,
        branch: &str,
        onto: &str,
        (name, content): (&str, &str),
        message: &str,
    ) -> Result<String, GitError> {
        let reference = format!("refs/heads/{branch}");
        let checked = self.run(&["check-ref-format", &reference], Vec::new(), 4096);
        // Git takes a dash at the start in a reference, and not in a branch.
        if checked.is_err() || branch.starts_with('-') {
            return Err(GitError::Failed {
                command: "check-ref-format".to_owned(),
                message: format!("`{}` is no name of a branch", branch.escape_debug()),
            });
        }
        let one = |args: &[&str], stdin: Vec<u8>| -> Result<String, GitError> {
            let output = self.run(args, stdin, 65_536)?;
            let id = String::from_utf8_lossy(&output).trim().to_owned();
            let is_id = id.len() >= 40 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
            if is_id {
                return Ok(id);
            }
            Err(GitError::Unexpected {
                command: command(args),
                detail: "no object id".to_owned(),
            })
        };
        let commit = format!("{onto}^{{commit}}");
        let parent = one(
            &["rev-parse", "--verify", "--end-of-options", &commit],
            Vec::new(),
        )?;
        let blob = ["hash-object", "-w", "-t", "blob", "--stdin"];
        let blob = one(&blob, content.as_bytes().to_vec())?;
        let root = self.run(
            &["ls-tree", "-z", "--full-tree", &parent],
            Vec::new(),
            super::OUTPUT_LIMIT,
        )?;
        let mut entries: Vec<u8> = Vec::with_capacity(root.len() + 80);
        for entry in root
            .split(|byte| *byte == 0)
            .filter(|entry| !entry.is_empty())
        {
            if !entry.ends_with(format!("\t{name}").as_bytes()) {
                entries.extend_from_slice(entry);
                entries.push(0);
            }
        }
        entries.extend_from_slice(format!("100644 blob {blob}\t{name}\0").as_bytes());
        let tree = one(&["mktree", "-z"], entries)?;
        let mut args = MAKER.to_vec();
        args.extend(["commit-tree", &tree, "-p", &parent]);
        let made = one(&args, message.as_bytes().to_vec())?;
        let moved = self.try_run(&["update-ref", &reference, &made, NONE], Vec::new(), 4096)?;
        if moved.code != Some(0) {
            let said = String::from_utf8_lossy(&moved.stderr);
            return Err(GitError::Failed {
                command: "update-ref".to_owned(),
                message: if said.contains("already exists") {
                    "there is such a branch already".to_owned()
                } else {
                    said.lines()
                        .next()
                        .unwrap_or("no message")
                        .escape_debug()
                        .to_string()
                },
            });
        }
        Ok(made)
    }
}
