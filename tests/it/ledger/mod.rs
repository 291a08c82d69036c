//! The ledger as its users meet it: recorded, asked, merged, crashed.

mod crash;
mod history;
mod stores;
mod trials;
#[cfg(all(unix, feature = "postgres"))]
mod postgres;

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::cli::program::{Ran, Scene};

/// Where the tests run the program on a ledger.
pub(crate) struct Books<'s> {
    pub(crate) scene: &'s Scene,
    pub(crate) place: String,
    /// The password of the database, if it is one.
    pub(crate) password: Option<String>,
}

impl<'s> Books<'s> {
    pub(crate) fn at(scene: &'s Scene, place: &str) -> Self {
        Self {
            scene,
            place: place.to_owned(),
            password: None,
        }
    }

    /// The program with this ledger.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.scene.command(args);
        command.env("CARGO_CANARY_LEDGER", &self.place);
        if let Some(password) = &self.password {
            command.env("PGPASSWORD", password);
        }
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.scene.finish(&mut self.command(args))
    }

    /// What a command that goes well prints.
    #[track_caller]
    pub(crate) fn text(&self, args: &[&str]) -> String {
        let ran = self.run(args);
        assert_eq!(ran.code, Some(0), "{args:?}: {}", ran.stderr);
        ran.stdout
    }

    /// What a command that goes well prints as JSON.
    #[track_caller]
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let args = [args, &["--format", "json"]].concat();
        serde_json::from_str(&self.text(&args)).unwrap()
    }

    /// The entries as lines, by id.
    #[track_caller]
    pub(crate) fn lines(&self) -> Vec<String> {
        let text = self.text(&["ledger", "export"]);
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    }
}

/// A line of a ledger that holds an audit with so many changes.
pub(crate) fn audit_line(service: &str, at: &str, changes: usize) -> String {
    use cargo_canary::ledger::{
        Audited, Body, Build, Changed, Entry, FORMAT, Judge, Released, Stored,
    };
    let build = |input: &str| Build {
        input: input.to_owned(),
        kind: "git".to_owned(),
        commit: None,
        digest: "sha256:00".to_owned(),
    };
    let released = |version: &str| Released {
        version: version.to_owned(),
        source: "crates.io".to_owned(),
        checksum: None,
    };
    let changes = (0..changes)
        .map(|number| Changed {
            id: format!("crate-{number}"),
            package: format!("crate-{number}"),
            change: "upgraded".to_owned(),
            from: vec![released("1.0.0")],
            to: vec![released("1.0.1")],
            forced_by: None,
            score: 10,
            decision: "pass".to_owned(),
            incidents: Vec::new(),
        })
        .collect();
    let audited = Audited {
        tool: "cargo-canary 0.1.0".to_owned(),
        as_of: at.parse().unwrap(),
        base: build("v1"),
        head: build("v2"),
        diff_digest: "sha256:11".to_owned(),
        policy: Judge {
            name: "default".to_owned(),
            read_from: "built in".to_owned(),
            edited_by_change: false,
        },
        decision: "pass".to_owned(),
        reasons: Vec::new(),
        exemptions: Vec::new(),
        evidence: Vec::new(),
        changes,
    };
    Stored::new(Entry {
        version: FORMAT,
        at: at.parse().unwrap(),
        repository: service.to_owned(),
        by: None,
        body: Body::Audit(Box::new(audited)),
    })
    .line()
}
