//! The step of the GitHub action, with a tool that does what it is told and a
//! server in the place of the platform.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};

use crate::support::project::make_executable;
use std::sync::{Arc, Mutex};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/ci/github.sh");

fn has(program: &str) -> bool {
    let found = Command::new(program)
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success());
    if !found {
        println!("skipped: there is no {program} here");
    }
    found
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(folder)
        .args(["-c", "user.name=t", "-c", "user.email=t@t.example"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A platform with some comments; says no to everything where `forbidden`.
struct Platform {
    address: String,
    asked: Arc<Mutex<Vec<(String, String)>>>,
}

impl Platform {
    fn start(comments: &'static str, forbidden: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::<Mutex<Vec<(String, String)>>>::default();
        let into = Arc::clone(&asked);
        // It ends with the process of the tests.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (line, body) = request(&stream);
                let answer = if forbidden && !line.starts_with("GET") {
                    ("403 Forbidden", "{}")
                } else if line.starts_with("GET") {
                    ("200 OK", comments)
                } else {
                    ("201 Created", "{}")
                };
                into.lock().unwrap().push((line, body));
                let (status, text) = answer;
                let size = text.len();
                let head = format!(
                    "HTTP/1.1 {status}\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n"
                );
                drop((&stream).write_all(format!("{head}{text}").as_bytes()));
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> Vec<(String, String)> {
        self.asked.lock().unwrap().clone()
    }
}

fn request(stream: &TcpStream) -> (String, String) {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    let (mut size, mut authorized) = (0, false);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(length) = line.strip_prefix("content-length:") {
            size = length.trim().parse().unwrap();
        }
        authorized |= line == "authorization: bearer a-token";
    }
    assert!(authorized, "{first}");
    let mut body = vec![0; size];
    reader.read_exact(&mut body).unwrap();
    let first = first.trim().trim_end_matches(" HTTP/1.1").to_owned();
    (first, String::from_utf8(body).unwrap())
}

struct Step {
    folder: tempfile::TempDir,
    first: String,
}

impl Step {
    /// A repository of two commits, and a tool that ends with this code.
    fn new(code: u8) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        git(at, &["init", "--quiet"]);
        git(at, &["commit", "--quiet", "--allow-empty", "-m", "one"]);
        let first = git(at, &["rev-parse", "HEAD"]);
        git(at, &["commit", "--quiet", "--allow-empty", "-m", "two"]);
        let tool = format!(
            "#!/usr/bin/env bash\n\
             echo \"$*\" >> {log}\n\
             while [ $# -gt 0 ]; do if [ \"$1\" = --output ]; then printf '<!-- cargo-canary -->\\n\"said\" `x`\\n' > \"$2\"; fi; shift; done\n\
             exit {code}\n",
            log = at.join("calls").display()
        );
        std::fs::write(at.join("tool"), tool).unwrap();
        Self { folder, first }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    fn run(&self, platform: &str, variables: &[(&str, &str)]) -> Output {
        make_executable(&self.path("tool"));
        Command::new("bash")
            .arg(SCRIPT)
            .env("CANARY_TOOL", self.path("tool"))
            .env("CANARY_DIRECTORY", self.folder.path())
            .env("CANARY_TOKEN", "a-token")
            .env("GITHUB_API_URL", platform)
            .env("GITHUB_REPOSITORY", "o/r")
            .env("GITHUB_OUTPUT", self.path("output"))
            .env("GITHUB_STEP_SUMMARY", self.path("summary"))
            .env("NO_PROXY", "127.0.0.1")
            .env("no_proxy", "127.0.0.1")
            .envs(variables.iter().copied())
            .output()
            .unwrap()
    }

    fn pull_request(&self, platform: &str) -> Output {
        self.run(
            platform,
            &[
                ("CANARY_EVENT", "pull_request"),
                ("CANARY_PULL_BASE", &self.first),
                ("CANARY_PULL", "7"),
            ],
        )
    }
}

#[test]
fn a_first_comment_is_made_and_the_verdict_is_the_exit_code() {
    if !(has("jq") && has("curl")) {
        return;
    }
    let platform = Platform::start("[]", false);
    let step = Step::new(3);
    let output = step.pull_request(&platform.address);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert_eq!(step.read("output"), "verdict=canary\n");
    assert_eq!(
        step.read("summary"),
        "<!-- cargo-canary -->\n\"said\" `x`\n"
    );
    let asked = platform.asked();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[1].0, "POST /repos/o/r/issues/7/comments");
    let body: serde_json::Value = serde_json::from_str(&asked[1].1).unwrap();
    assert_eq!(body["body"], "<!-- cargo-canary -->\n\"said\" `x`\n");
    assert!(
        step.read("calls")
            .contains(&format!("--base git:{}", step.first))
    );
}

#[test]
fn its_own_comment_is_changed_in_place_and_nobody_elses() {
    if !(has("jq") && has("curl")) {
        return;
    }
    let platform = Platform::start(
        r#"[{"id": 1, "user": {"type": "User"}, "body": "<!-- cargo-canary -->\nfake"},
            {"id": 2, "user": {"type": "Bot"}, "body": "quoted <!-- cargo-canary -->"},
            {"id": 3, "user": {"type": "Bot"}, "body": "<!-- cargo-canary -->\nold"}]"#,
        false,
    );
    let step = Step::new(0);
    let output = step.pull_request(&platform.address);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(platform.asked()[1].0, "PATCH /repos/o/r/issues/comments/3");
}

#[test]
fn a_fork_without_permission_still_gets_verdict_and_summary() {
    if !(has("jq") && has("curl")) {
        return;
    }
    let platform = Platform::start("[]", true);
    let step = Step::new(1);
    let output = step.pull_request(&platform.address);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(step.read("summary").contains("said"));
    assert_eq!(step.read("output"), "verdict=block\n");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.contains("::notice title=cargo-canary::the pull request could not be commented on")
    );
}

#[test]
fn a_merge_queue_is_compared_with_its_own_base() {
    let step = Step::new(0);
    let variables = [
        ("CANARY_EVENT", "merge_group"),
        ("CANARY_QUEUE_BASE", step.first.as_str()),
        (
            "CANARY_PULL_BASE",
            "1111111111111111111111111111111111111111",
        ),
    ];
    let output = step.run("http://127.0.0.1:9", &variables);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(
        step.read("calls")
            .contains(&format!("--base git:{}", step.first))
    );
}

#[test]
fn a_pull_request_that_is_not_checked_out_is_read_from_its_objects() {
    if !(has("jq") && has("curl")) {
        return;
    }
    let platform = Platform::start("[]", false);
    let step = Step::new(3);
    let second = git(step.folder.path(), &["rev-parse", "HEAD"]);
    git(step.folder.path(), &["checkout", "--quiet", &step.first]);
    let variables = |head: &'static str| {
        [
            ("CANARY_EVENT", "pull_request_target".to_owned()),
            ("CANARY_PULL_BASE", step.first.clone()),
            ("CANARY_PULL", "7".to_owned()),
            (
                "CANARY_PULL_HEAD",
                if head.is_empty() {
                    second.clone()
                } else {
                    head.to_owned()
                },
            ),
        ]
    };
    let run = |head: &'static str| {
        let variables = variables(head);
        let variables: Vec<(&str, &str)> = variables
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        step.run(&platform.address, &variables)
    };
    let output = run("main; x");
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert_eq!(step.read("calls"), "");
    let output = run("");
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let builds = format!("--base git:{} --head git:{second}", step.first);
    assert!(
        step.read("calls").contains(&builds),
        "{}",
        step.read("calls")
    );
    assert_eq!(platform.asked()[1].0, "POST /repos/o/r/issues/7/comments");
}

#[test]
fn a_change_is_judged_once_and_nothing_is_installed_in_its_checkout() {
    let step = Step::new(0);
    let sarif = step.path("log.sarif");
    let variables = [
        ("CANARY_EVENT", "push"),
        ("CANARY_PUSH_BASE", step.first.as_str()),
        ("CANARY_SARIF", sarif.to_str().unwrap()),
    ];
    let output = step.run("http://127.0.0.1:9", &variables);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let calls = step.read("calls");
    let with = |word: &str| calls.lines().filter(|line| line.starts_with(word)).count();
    assert_eq!((with("check "), with("report ")), (1, 2), "{calls}");
    let action = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/action.yml"));
    let action = action.unwrap();
    let install = action.split("cargo install").next().unwrap();
    assert!(install.contains("working-directory: ${{ runner.temp }}"));
}

#[test]
fn a_missing_base_is_an_error_and_never_an_empty_difference() {
    for (event, base) in [
        ("push", "0000000000000000000000000000000000000000"),
        ("schedule", ""),
    ] {
        let step = Step::new(0);
        let variables = [("CANARY_EVENT", event), ("CANARY_PUSH_BASE", base)];
        let output = step.run("http://127.0.0.1:9", &variables);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert_eq!(step.read("calls"), "");
    }
}

#[test]
fn a_failure_of_the_tool_is_no_verdict() {
    let step = Step::new(101);
    let output = step.pull_request("http://127.0.0.1:9");
    assert_eq!(output.status.code(), Some(101));
    assert_eq!(step.read("output"), "");
}
