//! Where the bytes go, and that they are the same each time.

use std::fs;
use std::io::Read;
use std::process::Stdio;

use serde_json::Value;

use super::shop::{Shop, THEN};

const BUILDS: [&str; 4] = ["--base", "HEAD~1", "--head", "HEAD"];

fn args<'a>(command: &'a [&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [command, &BUILDS, &THEN, more].concat()
}

#[test]
fn the_same_input_twice_gives_the_same_bytes() {
    let shop = Shop::updated_to("1.0.3");
    for command in [&["check"][..], &["diff"], &["explain", "jsonette"]] {
        for format in ["text", "json"] {
            let args = args(command, &["--format", format]);
            let first = shop.scene.run(&args);
            let second = shop.scene.run(&args);
            assert!(first.stderr.is_empty(), "{}", first.stderr);
            assert!(!first.stdout.is_empty());
            assert_eq!(first.stdout, second.stdout, "{command:?} {format}");
        }
    }
}

fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

/// Holds that the keys are all there, as `text` in this order.
#[track_caller]
fn holds(value: &Value, wanted: &[&str]) {
    let keys = keys(value);
    for key in wanted {
        assert!(keys.contains(key), "`{key}` is missing in {keys:?}");
    }
}

/// Holds that the keys of the contract stand in its order in the text.
#[track_caller]
fn in_order(text: &str, wanted: &[&str]) {
    let mut from = 0;
    for key in wanted {
        let line = format!("\n  \"{key}\":");
        let at = text[from..].find(&line);
        let at = at.unwrap_or_else(|| panic!("`{key}` does not follow in\n{text}"));
        from += at + line.len();
    }
}

#[test]
fn the_json_report_has_the_keys_that_others_rely_on() {
    let shop = Shop::updated_to("1.0.3");
    let ran = shop.scene.run(&args(&["check"], &["--format", "json"]));
    let text = ran.ends(0);
    in_order(
        text,
        &[
            "schema-version",
            "tool",
            "as-of",
            "base",
            "head",
            "diff-digest",
            "verdict",
            "changes",
            "pre-existing",
            "coverage",
            "gaps",
        ],
    );
    let report: Value = serde_json::from_str(text).unwrap();
    assert_eq!(report["schema-version"], 1);
    assert_eq!(report["tool"]["name"], "cargo-canary");
    assert_eq!(report["as-of"], "2024-03-01T00:00:00Z");
    for side in ["base", "head"] {
        holds(&report[side], &["input", "kind", "commit", "digest"]);
        assert_eq!(report[side]["kind"], "git");
        assert!(
            report[side]["digest"]
                .as_str()
                .unwrap()
                .starts_with("sha256:")
        );
    }
    assert!(
        report["diff-digest"]
            .as_str()
            .unwrap()
            .starts_with("sha256:")
    );
    holds(&report["verdict"], &["decision", "reasons"]);
    let change = &report["changes"][0];
    holds(
        change,
        &[
            "id",
            "package",
            "kind",
            "from",
            "to",
            "placement",
            "forced-by",
            "paths",
            "risk",
            "incidents",
            "advisories",
            "decision",
            "gaps",
        ],
    );
    holds(&change["from"][0], &["version", "source", "checksum"]);
    holds(
        &change["placement"],
        &["direct", "roles", "targets", "members"],
    );
    holds(&change["risk"], &["score", "level", "signals"]);
    holds(&change["advisories"], &["introduced", "fixed", "remaining"]);
    holds(&report["pre-existing"], &["advisories", "yanked"]);
    holds(&report["coverage"], &["workspaces", "not-covered", "graph"]);
    assert_eq!(report["coverage"]["graph"], "direct");
}

#[test]
fn the_json_of_a_diff_judges_nothing() {
    let shop = Shop::updated_to("1.0.3");
    let ran = shop.scene.run(&args(&["diff"], &["--format", "json"]));
    let report: Value = serde_json::from_str(ran.ends(0)).unwrap();
    assert!(report.get("verdict").is_none());
    let change = &report["changes"][0];
    assert_eq!(change["package"], "jsonette");
    assert_eq!(change["kind"], "upgraded");
    for key in ["risk", "incidents", "decision"] {
        assert!(change.get(key).is_none(), "{key}");
    }
}

#[test]
fn a_report_goes_into_a_file_and_nothing_is_printed() {
    let shop = Shop::updated_to("1.0.1");
    let printed = shop.scene.run(&args(&["check"], &[]));
    let ran = shop
        .scene
        .run(&args(&["check"], &["--output", "out/report.txt"]));
    ran.prints(0, "");
    let written = fs::read_to_string(shop.scene.path("work/out/report.txt")).unwrap();
    assert_eq!(shop.scene.neutral(&written), printed.ends(0));
    // Others may read it, as any file that is written.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &str| {
            let path = shop.scene.path(path);
            fs::metadata(path).unwrap().permissions().mode()
        };
        assert_eq!(mode("work/out/report.txt"), mode("work/Cargo.lock"));
    }
}

#[cfg(unix)]
#[test]
fn a_device_is_written_to_and_not_put_away() {
    let shop = Shop::updated_to("1.0.1");
    let link = shop.scene.path("work/nowhere");
    std::os::unix::fs::symlink("/dev/null", &link).unwrap();
    shop.scene
        .run(&args(&["check"], &["--output", "nowhere"]))
        .prints(0, "");
    assert_eq!(fs::read_link(&link).unwrap().to_str(), Some("/dev/null"));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let shop = Shop::updated_to("1.0.1");
    let mut child = shop
        .scene
        .command(&args(&["check"], &["--format", "json"]))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let status = child.wait().unwrap();
    let mut said = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert_eq!(said, "");
    assert_eq!(status.code(), Some(0));
}

#[test]
fn colour_comes_where_it_is_wanted_and_never_into_a_pipe_unasked() {
    let shop = Shop::updated_to("1.0.1");
    let run = |more: &[&str], variables: &[(&str, &str)]| {
        let mut command = shop.scene.command(&args(&["check"], more));
        command.envs(variables.iter().copied());
        shop.scene.finish(&mut command).ends(0).to_owned()
    };
    let plain = run(&[], &[]);
    assert!(!plain.contains('\u{1b}'));
    assert_eq!(
        run(&["--color", "never"], &[("CLICOLOR_FORCE", "1")]),
        plain
    );
    assert_eq!(run(&[], &[("NO_COLOR", "1")]), plain);
    let coloured = run(&["--color", "always"], &[("NO_COLOR", "1")]);
    assert!(coloured.contains("\u{1b}["));
    let mut stripped = String::new();
    let mut inside = false;
    for c in coloured.chars() {
        match c {
            '\u{1b}' => inside = true,
            'm' if inside => inside = false,
            _ if inside => {}
            _ => stripped.push(c),
        }
    }
    assert_eq!(stripped, plain);
}
