//! How a command is usually run, at the end of its `--help`. Every line that starts with
//! the program's name is held by a test to be one that the program takes.

pub(super) const CHECK: &str = "\
Examples:
  What the working tree changes, before a commit:
    cargo-canary check
  A pull request, as a comment:
    cargo-canary check --base origin/main --head HEAD --format markdown --output comment.md
  Two lock files, judged by what was known on a day:
    cargo-canary check --base old/Cargo.lock --head new/Cargo.lock --as-of 2024-06-05
  What runs in production, against what is to be released:
    cargo-canary check --base /srv/api/bin/api --head v2.4.0";

pub(super) const REPORT: &str = "\
Example:
  The page for a release, to be opened from a file:
    cargo-canary report --base v2.3.0 --head v2.4.0 --output release.html";

pub(super) const CHANGELOG: &str = "\
Example:
  A section for CHANGELOG.md:
    cargo-canary changelog --base v2.3.0 --head v2.4.0 --output libraries.md";

pub(super) const DIFF: &str = "\
Example:
  What a refresh of the lock file changed, and which update forced what:
    cargo-canary diff --base HEAD --head WORKTREE";

pub(super) const EXPLAIN: &str = "\
Example:
  Why this update is judged as it is, with the lines of code:
    cargo-canary explain webp --base origin/main --head HEAD";

pub(super) const EXPOSURE: &str = "\
Examples:
  Since when, and on which branches and tags:
    cargo-canary exposure xz2@0.1.7
  Any release of a line, over two repositories, while a bad one was live:
    cargo-canary exposure tokio@^1.7 -C api -C worker --since 2021-06-30 --until 2021-07-08";

pub(super) const LEDGER_LIST: &str = "\
Example:
  Which services took this version, when, and with which verdict:
    cargo-canary ledger list --package webp --version 0.2.3 --ledger postgres://canary@db/canary";

pub(super) const LEDGER_IMPACT: &str = "\
Example:
  From now on `check` knows what came of it:
    cargo-canary ledger impact --package webp --version 0.2.3 --effect rolled-back";

pub(super) const PROBE: &str = "\
Examples:
  Two revisions, under the workload that `[probe]` of canary.toml names:
    cargo-canary probe --base origin/main --head HEAD
  Two executables that serve until they are ended:
    cargo-canary probe --base-exe old/api --head-exe new/api --load ./load.sh -- --port {port}";

pub(super) const BISECT: &str = "\
Examples:
  The update that makes a test fail:
    cargo-canary bisect --base v2.3.0 --head HEAD -- cargo test --locked
  The update that leaks, under the workload that `[probe]` of canary.toml names:
    cargo-canary bisect --base v2.3.0 --head HEAD --probe";

pub(super) const TRIAGE: &str = "\
Example:
  Memory grows since the last deploy:
    cargo-canary triage --symptom memory --base v2.3.0 --head v2.4.0";

pub(super) const ROLLBACK: &str = "\
Examples:
  One update, with whatever has to go back beside it:
    cargo-canary rollback --change webp --base v2.3.0 --head v2.4.0
  Everything, as a branch with one commit:
    cargo-canary rollback --base v2.3.0 --head HEAD --branch back-to-2.3.0
  The page for whoever is on call:
    cargo-canary rollback --change webp --base v2.3.0 --format html --output back.html";

pub(super) const SUBSET: &str = "\
Example:
  The part of a refresh that may go in today, put in place:
    cargo-canary subset --base origin/main --output-lock Cargo.lock";

pub(super) const EVIDENCE_SIGN: &str = "\
Examples:
  What a probe found:
    cargo-canary evidence sign --from probe.json --key ~/.ssh/id_ed25519
  What a person answers for:
    cargo-canary evidence sign --approve --reason \"load tested on staging\" \\
      --key ~/.ssh/id_ed25519";

pub(super) const PLAN: &str = "\
Example:
  The manifests, alert rules, checklist and notices for this change:
    cargo-canary rollout plan --base origin/main --head HEAD --write rollout/";

pub(super) const JUDGE: &str = "\
Example:
  The last four hours of a canary beside its baseline:
    cargo-canary rollout judge --prometheus http://prometheus:9090 --baseline track=stable \\
      --canary track=canary --last 4h";

pub(super) const REPLAY: &str = "\
Example:
  What a stricter policy would have stopped among the last hundred lock changes:
    cargo-canary policy replay --policy stricter.toml --limit 100";

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use crate::args::Cli;

    /// The commands of all examples, a continued line joined.
    fn commands(of: &clap::Command, found: &mut Vec<String>) {
        if let Some(text) = of.get_after_long_help() {
            let text = text.to_string().replace(" \\\n", " ");
            let lines = text.lines().map(str::trim);
            let lines = lines.filter(|line| line.starts_with("cargo-canary "));
            found.extend(lines.map(str::to_owned));
        }
        for command in of.get_subcommands() {
            commands(command, found);
        }
    }

    /// The words of a command, as a shell takes them: what is in quotes is one word.
    fn words(line: &str) -> Vec<String> {
        let mut words = Vec::new();
        for (at, part) in line.split('"').enumerate() {
            if at % 2 == 1 {
                words.push(part.to_owned());
            } else {
                words.extend(part.split_whitespace().map(str::to_owned));
            }
        }
        words
    }

    #[test]
    fn the_program_takes_every_example() {
        let mut found = Vec::new();
        commands(&Cli::command(), &mut found);
        assert!(found.len() >= 20, "{}", found.len());
        for line in found {
            if let Err(error) = Cli::try_parse_from(words(&line)) {
                panic!("{line}: {error}");
            }
        }
    }

    #[test]
    fn no_example_is_wider_than_a_page_of_help() {
        fn walk(command: &clap::Command) {
            let text = command.get_after_long_help().map(ToString::to_string);
            for line in text.iter().flat_map(|text| text.lines()) {
                assert!(line.chars().count() <= 100, "{line}");
            }
            command.get_subcommands().for_each(walk);
        }
        walk(&Cli::command());
    }
}
