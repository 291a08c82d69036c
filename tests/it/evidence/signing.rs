//! Signing with the keys that people have, and agreement with OpenSSH.

use std::fs;
use std::process::Command;

use super::chain::Stage;
use super::keys::{NAMESPACE, openssh_accepts};
use crate::support::project::run;

const KINDS: [(&str, &[&str]); 4] = [
    ("ed25519", &["-t", "ed25519"]),
    ("p256", &["-t", "ecdsa", "-b", "256"]),
    ("p384", &["-t", "ecdsa", "-b", "384"]),
    ("rsa", &["-t", "rsa", "-b", "2048"]),
];

#[test]
fn what_we_sign_openssh_accepts_and_what_it_signs_we_accept() {
    let stage = Stage::new();
    let mut signers = String::new();
    for (name, options) in KINDS {
        stage.keys.make(name, options);
        signers += &stage.keys.line(&format!("{name}@example.org"), "", name);
    }
    stage.shop.scene.file("../signers", &signers);
    let list = stage.shop.scene.path("signers");
    let verify = |record: &str| {
        stage.run(
            &["evidence", "verify", record, "--signers", "../signers"],
            &[],
        )
    };
    for (name, _) in KINDS {
        let key = stage.keys.path(name).display().to_string();
        let out = format!("ours-{name}.json");
        let sign = [
            "evidence",
            "sign",
            "--key",
            &key,
            "--from",
            "../probe.json",
            "--output",
            &out,
        ];
        assert_eq!(stage.run(&sign, &[]).code, Some(0), "{name}");
        let ours = stage.shop.scene.path(&format!("work/{out}"));
        let who = format!("{name}@example.org");
        assert!(openssh_accepts(&ours, &list, &who), "{name}");
        assert!(
            !openssh_accepts(&ours, &list, "nobody@example.org"),
            "{name}"
        );
        let verified = verify(&out);
        assert!(
            verified.ends(0).contains(&format!("by {who}")),
            "{}",
            verified.stdout
        );

        // The same content, signed by hand.
        let content = fs::read(&ours).unwrap();
        let theirs = format!("theirs-{name}.json");
        let path = stage.shop.scene.path(&format!("work/{theirs}"));
        fs::write(&path, &content).unwrap();
        let signature = stage.keys.sign(name, NAMESPACE, &content);
        fs::write(path.with_extension("json.sig"), signature).unwrap();
        assert_eq!(verify(&theirs).code, Some(0), "{name}");
        let signature = stage.keys.sign(name, "file", &content);
        fs::write(path.with_extension("json.sig"), signature).unwrap();
        assert!(
            verify(&theirs).ends(1).contains("wrong-namespace"),
            "{name}"
        );

        // Both find the same bytes altered.
        fs::write(&ours, [&content[..], b" "].concat()).unwrap();
        assert!(!openssh_accepts(&ours, &list, &who), "{name}");
        assert!(verify(&out).ends(1).contains("bad-signature"), "{name}");
    }
}

#[test]
fn keys_that_are_not_checked_are_named_and_not_accepted() {
    let stage = Stage::new();
    stage.keys.make("p521", &["-t", "ecdsa", "-b", "521"]);
    let key = stage.keys.path("p521").display().to_string();
    let ran = stage.run(
        &["evidence", "sign", "--key", &key, "--from", "../probe.json"],
        &[],
    );
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("the curve P-521"), "{}", ran.stderr);
    assert_eq!(stage.records(), [] as [String; 0]);
}

/// An agent with one key, which ends with the value.
struct Agent {
    socket: String,
    process: String,
}

impl Agent {
    fn start(stage: &Stage, key: &str) -> Self {
        let socket = stage.keys.path("agent").display().to_string();
        let said = run(Command::new("ssh-agent").args(["-s", "-a", &socket]));
        let process = said
            .split("SSH_AGENT_PID=")
            .nth(1)
            .and_then(|rest| rest.split(';').next())
            .unwrap()
            .to_owned();
        let agent = Self { socket, process };
        run(Command::new("ssh-add")
            .args(["-q"])
            .arg(stage.keys.path(key))
            .env("SSH_AUTH_SOCK", &agent.socket));
        agent
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        drop(
            Command::new("ssh-agent")
                .arg("-k")
                .env("SSH_AUTH_SOCK", &self.socket)
                .env("SSH_AGENT_PID", &self.process)
                .output(),
        );
    }
}

#[test]
fn the_key_of_an_agent_signs_as_git_is_set_up_to_do() {
    let stage = Stage::new();
    let scene = &stage.shop.scene;
    let agent = Agent::start(&stage, "alice");
    // With the private half gone from the disk, only the agent can sign.
    let public = fs::read_to_string(stage.keys.path("alice.pub")).unwrap();
    fs::remove_file(stage.keys.path("alice")).unwrap();
    let sign = |settings: &[(&str, &str)]| {
        for (name, value) in settings {
            scene.git("work", &["config", name, value]);
        }
        let args = [
            "evidence",
            "sign",
            "--approve",
            "--reason",
            "x",
            "--base",
            "HEAD",
            "--offline",
        ];
        let mut command = scene.command(&args);
        scene.finish(command.env("SSH_AUTH_SOCK", &agent.socket))
    };
    let ran = sign(&[]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr.contains("there is no key to sign with"),
        "{}",
        ran.stderr
    );
    let file = stage.keys.path("alice.pub").display().to_string();
    let literal = format!("key::{}", public.trim());
    for key in [&file, &literal] {
        let ran = sign(&[("gpg.format", "ssh"), ("user.signingkey", key)]);
        assert!(ran.ends(0).contains("by alice@example.org"), "{key}");
    }
    let ran = sign(&[("gpg.format", "openpgp")]);
    assert!(
        ran.stderr.contains("there is no key to sign with"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_key_that_cannot_be_used_is_said_at_once_with_the_next_step() {
    let stage = Stage::new();
    run(Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "secret", "-f"])
        .arg(stage.keys.path("locked")));
    fs::remove_file(stage.keys.path("mallory")).unwrap();
    for (name, words) in [
        ("locked", "passphrase"),
        ("missing", "No such file"),
        ("mallory.pub", "agent"),
    ] {
        let key = stage.keys.path(name).display().to_string();
        let ran = stage.run(
            &[
                "evidence",
                "sign",
                "--key",
                &key,
                "--approve",
                "--reason",
                "x",
            ],
            &[],
        );
        assert_eq!(ran.code, Some(2), "{name}");
        assert!(
            ran.stderr.contains("`ssh-keygen` did not sign"),
            "{}",
            ran.stderr
        );
        assert!(ran.stderr.contains(words), "{name}: {}", ran.stderr);
        assert!(
            ran.stderr.contains("hint: a key with a passphrase"),
            "{}",
            ran.stderr
        );
    }
    assert_eq!(stage.records(), [] as [String; 0]);
}

#[test]
fn a_record_can_be_verified_where_there_are_no_builds() {
    let stage = Stage::new();
    let scene = &stage.shop.scene;
    assert_eq!(
        stage
            .sign(&["--from", "../probe.json", "--output", "../r.json"])
            .code,
        Some(0)
    );
    scene.file(
        "../signers",
        &stage.keys.line("alice@example.org", "", "alice"),
    );
    let apart = |args: &[&str]| {
        let all = [&["evidence", "verify", "../r.json", "--offline"], args].concat();
        scene.finish(scene.command(&all).current_dir(scene.path("home")))
    };
    let ran = apart(&["--signers", "../signers"]);
    assert!(
        ran.ends(0).contains("not compared with a difference"),
        "{}",
        ran.stdout
    );
    assert!(apart(&[]).ends(1).contains("no-signers"));
    let ran = apart(&["--signers", "../missing"]);
    assert!(ran.ends(1).contains("../missing"), "{}", ran.stdout);
    // Builds that were asked for have to be there.
    assert_eq!(apart(&["--base", "nowhere"]).code, Some(2));
    let ran = scene.run(&["evidence", "verify", "../nothing.json"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("`../nothing.json`"), "{}", ran.stderr);
}
