//! How Prometheus is reached, and what follows when it is not.

use cargo_canary::rollout::Answer;
use cargo_canary::rollout::judge::Figures;
use serde_json::Value;

use super::fake::{Line, TABLE, judged_of, line, params, serving};
use crate::cli::program::Scene;
use crate::registry_server::{Reply, Server};

fn flat() -> Vec<Line> {
    let of = |side, pod| line("process_resident_memory_bytes", side, pod, |_| Some(1e8));
    vec![of("stable", "s"), of("canary", "c")]
}

/// The program in a directory whose policy names this server.
fn scene(server: &Server, more: &str) -> Scene {
    let scene = Scene::new();
    let text = format!("{TABLE}prometheus = \"{}/prefix/\"\n{more}", server.url(""));
    scene.file("canary.toml", &text);
    scene
}

#[test]
fn the_program_answers_in_text_json_and_a_picture_with_the_code_of_the_contract() {
    let server = serving(flat());
    let scene = scene(&server, "");
    let digest = format!("sha256:{}", "5".repeat(64));
    let ran = scene.run(&[
        "rollout",
        "judge",
        "--format",
        "json",
        "--plot",
        "p.svg",
        "--diff-digest",
        &digest,
    ]);
    let json: Value = serde_json::from_str(ran.ends(0)).unwrap();
    assert_eq!(json["decision"], "pass");
    assert_eq!(json["diff-digest"], *digest);
    assert_eq!(json["ended"], json["window"]["end"]);
    assert_eq!(json["window"]["duration-seconds"], 3600.0);
    let memory = &json["metrics"][0];
    assert_eq!(memory["resource"], "memory");
    assert_eq!(memory["answer"], "no-leak");
    assert_eq!(memory["slope-per-second"], 0.0);
    assert_eq!(memory["interval"], serde_json::json!([0.0, 0.0]));
    assert_eq!(memory["interval-by"], "ranks");
    assert!(memory["smallest-visible"].as_f64().unwrap() > 400.0);
    let picture = std::fs::read_to_string(scene.path("work/p.svg")).unwrap();
    assert!(picture.starts_with("<svg") && picture.contains("memory: no-leak"));
    let text = scene.run(&["rollout", "judge"]);
    assert!(
        text.ends(0).starts_with("pass: no worse in memory\n"),
        "{}",
        text.stdout
    );
    assert!(
        text.stdout.lines().all(|line| line.chars().count() <= 80),
        "{}",
        text.stdout
    );
    let early = scene.run(&["rollout", "judge", "--last", "3m"]);
    assert!(
        early.ends(4).starts_with("inconclusive: open: memory\n"),
        "{}",
        early.stdout
    );
    let path = &server.requests()[0].path;
    assert!(
        path.starts_with("/prefix/api/v1/query_range?query="),
        "{path}"
    );
}

#[test]
fn names_from_outside_are_quoted() {
    let server = serving(flat());
    let scene = Scene::new();
    let hostile = "stable\"} or vector(1) #";
    let ran = scene.run(&[
        "rollout",
        "judge",
        "--prometheus",
        &server.url(""),
        "--baseline",
        &format!("track={hostile}"),
        "--canary",
        "track==~can.*",
    ]);
    assert_eq!(ran.code, Some(4), "{}", ran.stderr);
    let queries: Vec<String> = server
        .requests()
        .iter()
        .map(|request| params(request)["query"].clone())
        .collect();
    assert!(
        queries.contains(
            &r#"process_resident_memory_bytes{track="stable\"} or vector(1) #"}"#.to_owned()
        ),
        "{queries:?}"
    );
    assert!(
        queries.contains(&r#"process_resident_memory_bytes{track=~"can.*"}"#.to_owned()),
        "{queries:?}"
    );
}

#[test]
fn a_token_and_a_password_are_sent_and_never_shown() {
    for (more, wanted) in [
        ("token-file = \"secret\"\n", "Bearer s3cret"),
        // `me:s3cret` in Base64.
        (
            "user = \"me\"\npassword-file = \"secret\"\n",
            "Basic bWU6czNjcmV0",
        ),
    ] {
        let server = serving(flat());
        let scene = scene(
            &server,
            &format!("{more}headers = {{ X-Scope-OrgID = \"team\" }}\n"),
        );
        scene.file("secret", "s3cret\n");
        let ran = scene.run(&["rollout", "judge", "-v"]);
        assert!(!ran.ends(0).contains("s3cret"));
        let headers = &server.requests()[0].headers;
        assert_eq!(headers["authorization"], wanted);
        assert_eq!(headers["x-scope-orgid"], "team");
    }
    let server = serving(flat());
    let missing = scene(&server, "token-file = \"nowhere\"\n").run(&["rollout", "judge"]);
    assert_eq!(missing.code, Some(2));
    assert!(
        missing
            .stderr
            .contains("`nowhere`, which `token-file` names"),
        "{}",
        missing.stderr
    );
}

#[test]
fn what_is_no_answer_leaves_it_open_with_the_reason() {
    for (reply, says) in [
        (Reply::status(401), "refuses the access (status 401)"),
        (Reply::ok("<html>"), "none of Prometheus"),
        (Reply::Short(1 << 30, b"{".to_vec()), "larger than 33554432 bytes"),
        (
            Reply::Whole(422, Vec::new(), br#"{"status":"error","errorType":"execution","error":"too many \u001b[31m samples"}"#.to_vec()),
            "Prometheus says: too many",
        ),
    ] {
        let server = Server::start(move |_| match &reply {
            Reply::Whole(status, _, body) => Reply::Whole(*status, Vec::new(), body.clone()),
            Reply::Short(length, body) => Reply::Short(*length, body.clone()),
            Reply::Silence(time) => Reply::Silence(*time),
        });
        let scene = scene(&server, "");
        let ran = scene.run(&["rollout", "judge"]);
        let text = ran.ends(4).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.starts_with("inconclusive: nothing could be had: "), "{text}");
        assert_eq!(text.matches(says).count(), 1, "{text}");
        assert!(text.contains(says), "{says}: {text}");
        assert!(!text.contains('\u{1b}'));
    }
}

#[test]
fn a_prometheus_that_says_nothing_is_not_waited_for() {
    let server = Server::start(|_| Reply::Silence(std::time::Duration::from_secs(30)));
    let started = std::time::Instant::now();
    let judged = judged_of(&server, "timeout = \"1s\"\n");
    assert_eq!(judged.decision, Answer::Inconclusive);
    assert!(
        judged.metrics[0]
            .because
            .contains("cannot be had: no answer"),
        "{:?}",
        judged.metrics[0]
    );
    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
}

#[test]
fn a_partial_answer_passes_nothing() {
    let values: Vec<Value> = (0..=240)
        .map(|tick| serde_json::json!([super::fake::END - 3_600 + 15 * tick, "5"]))
        .collect();
    let body = serde_json::json!({
        "status": "success",
        "warnings": ["a store is not there"],
        "data": { "resultType": "matrix", "result": [{ "metric": { "pod": "a" }, "values": values }] },
    })
    .to_string();
    let server = Server::start(move |_| Reply::ok(body.clone()));
    let judged = judged_of(&server, "skip = [\"threads\"]\n");
    let memory = &judged.metrics[0];
    assert!(matches!(memory.figures, Figures::Growth(_)));
    assert_eq!(memory.answer, Answer::Inconclusive);
    assert!(
        memory.because.contains("a part only: a store is not there"),
        "{}",
        memory.because
    );
    assert!(judged.notes[0].contains("Prometheus warns"));
}

#[test]
fn what_is_wrong_in_the_table_is_told_with_its_place() {
    let scene = Scene::new();
    scene.file(
        "canary.toml",
        &format!("{TABLE}prometheus = \"http://x\"\nstepp = \"1s\"\n"),
    );
    let wrong = scene.run(&["rollout", "judge"]);
    assert_eq!(wrong.code, Some(2));
    assert!(
        wrong.stderr.contains("line 5") && wrong.stderr.contains("stepp"),
        "{}",
        wrong.stderr
    );
}

#[test]
fn what_an_engine_came_to_is_read() {
    let scene = Scene::new();
    for (phase, code) in [("Succeeded", 0), ("Failed", 1), ("Progressing", 4)] {
        scene.file("c.json", &format!(r#"{{"apiVersion":"flagger.app/v1beta1","kind":"Canary","metadata":{{"name":"x"}},"status":{{"phase":"{phase}","lastTransitionTime":"2026-11-20T10:00:00Z"}}}}"#));
        let ran = scene.run(&["rollout", "judge", "--from", "c.json", "--format", "json"]);
        let json: Value = serde_json::from_str(ran.ends(code)).unwrap();
        assert_eq!(json["source"], "flagger");
        assert_eq!(json["ended"], "2026-11-20T10:00:00Z");
        assert_eq!(json["metrics"], serde_json::json!([]));
        let text = scene.run(&["rollout", "judge", "--from", "c.json"]);
        assert!(
            text.ends(code)
                .contains(&format!("the canary says {phase}"))
        );
    }
    scene.file("d.json", r#"{"kind":"Deployment"}"#);
    let other = scene.run(&["rollout", "judge", "--from", "d.json"]);
    assert_eq!(other.code, Some(2));
    assert!(other.stderr.contains("kubectl get"), "{}", other.stderr);
}

#[test]
fn a_file_that_is_not_there_is_told_from_one_without_the_table() {
    let scene = Scene::new();
    let ran = scene.run(&["rollout", "judge"]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr
            .starts_with("error: there is no `./canary.toml`\n")
            && ran.stderr.contains("`--policy FILE`"),
        "{}",
        ran.stderr
    );
    scene.file("canary.toml", "version = 1\n");
    let ran = scene.run(&["rollout", "judge"]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr
            .contains("`./canary.toml` has no table [rollout]"),
        "{}",
        ran.stderr
    );
    scene.commit("one");
    let ran = scene.run(&["rollout", "judge", "--base", "HEAD"]);
    assert!(
        ran.stderr
            .contains("`canary.toml` of the base HEAD has no table [rollout]"),
        "{}",
        ran.stderr
    );
    std::fs::remove_file(scene.path("work/canary.toml")).unwrap();
    scene.commit("none");
    let ran = scene.run(&["rollout", "judge", "--base", "HEAD"]);
    assert!(
        ran.stderr
            .contains("there is no `canary.toml` of the base HEAD"),
        "{}",
        ran.stderr
    );
}
