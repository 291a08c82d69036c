//! The judge with real parts: a small service as baseline and canaries, a load on
//! loopback, and a Prometheus that the test starts.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::stage::Stage;
use crate::cli::program::Scene;
use crate::support::project::run;
use crate::support::prometheus::{Prometheus, program};

/// What is judged of one canary now.
fn judged(stage: &Stage, canary: &str, more: &[&str]) -> (Option<i32>, Value) {
    let scene = Scene::new();
    scene.file("canary.toml", &stage.table(canary));
    let args = [&["rollout", "judge", "--format", "json"], more].concat();
    let ran = scene.run(&args);
    let shown = format!("{canary}: {}{}", ran.stdout, ran.stderr);
    (ran.code, serde_json::from_str(&ran.stdout).expect(&shown))
}

#[track_caller]
fn metric<'v>(json: &'v Value, id: &str) -> &'v Value {
    let metrics = json["metrics"].as_array().unwrap();
    metrics.iter().find(|it| it["resource"] == id).unwrap()
}

#[test]
fn a_leak_fails_and_what_only_looks_like_one_passes() {
    let Some(prometheus) = program() else { return };
    let mut stage = Stage::start(
        &prometheus,
        &[
            // 1.5 % more from the start on.
            ("offset", &["ballast=20300000"]),
            ("starting", &["ballast=16000000", "cache=600"]),
            ("restarted", &["ballast=20000000"]),
            ("silent", &["ballast=20000000"]),
            ("leaking", &["ballast=20000000", "leak=4000"]),
            ("forgetting", &["ballast=20000000", "forget=40"]),
        ],
    );
    stage.wait_until(16);
    let (code, early) = judged(&stage, "offset", &["--last", "10s"]);
    assert_eq!(
        (code, &early["decision"]),
        (Some(4), &"inconclusive".into()),
        "{early:#}"
    );
    stage.wait_until(34);
    stage.instance("silent").silence(Duration::from_secs(12));
    stage.instance("restarted").restart();
    stage.wait_until(78);

    for canary in ["offset", "starting", "restarted", "silent"] {
        let (code, json) = judged(&stage, canary, &[]);
        assert_eq!(json["decision"], "pass", "{canary}: {json:#}");
        assert_eq!(code, Some(0));
        for id in ["memory", "descriptors", "threads"] {
            assert_eq!(metric(&json, id)["answer"], "no-leak", "{canary}: {json:#}");
        }
        assert_eq!(metric(&json, "errors")["answer"], "no-worse");
        let load = json["requests-per-second"]["canary"].as_f64().unwrap();
        assert!((20.0..55.0).contains(&load), "{canary}: {load}");
    }
    let (_, json) = judged(&stage, "restarted", &[]);
    assert_eq!(metric(&json, "restarts")["level"], 1.0, "{json:#}");

    let (code, json) = judged(&stage, "leaking", &[]);
    assert_eq!(
        (code, &json["decision"]),
        (Some(1), &"fail".into()),
        "{json:#}"
    );
    let memory = metric(&json, "memory");
    assert_eq!(memory["answer"], "leak");
    // 4,000 bytes of each request, and what an allocator adds.
    let slope = memory["slope-per-request"].as_f64().unwrap();
    assert!((3_500.0..6_000.0).contains(&slope), "{memory:#}");
    assert_eq!(metric(&json, "descriptors")["answer"], "no-leak");

    // Connections that are not given back, while latency and memory look well.
    let (code, json) = judged(&stage, "forgetting", &[]);
    assert_eq!(
        (code, &json["decision"]),
        (Some(1), &"fail".into()),
        "{json:#}"
    );
    assert_eq!(metric(&json, "descriptors")["answer"], "leak");
    assert_eq!(metric(&json, "latency")["answer"], "no-worse");
    assert_eq!(metric(&json, "memory")["answer"], "no-leak");
}

/// A key and a certificate for a name, signed by `ca`; of an authority where there is
/// none yet.
fn certificate(dir: &Path, name: &str, ca: Option<&str>) {
    let mut command = Command::new("openssl");
    command
        .current_dir(dir)
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
        ])
        .args(["-nodes", "-days", "2", "-subj", &format!("/CN={name}")])
        .args([
            "-keyout",
            &format!("{name}.key"),
            "-out",
            &format!("{name}.pem"),
        ]);
    if let Some(ca) = ca {
        command
            .args(["-CA", &format!("{ca}.pem"), "-CAkey", &format!("{ca}.key")])
            .args(["-addext", "subjectAltName=IP:127.0.0.1"])
            .args(["-addext", "basicConstraints=critical,CA:false"]);
    }
    run(&mut command);
}

#[test]
fn a_client_certificate_opens_a_prometheus_that_asks_for_one() {
    let Some(program) = program() else { return };
    let scratch = tempfile::tempdir().unwrap();
    certificate(scratch.path(), "authority", None);
    certificate(scratch.path(), "server", Some("authority"));
    certificate(scratch.path(), "client", Some("authority"));
    let web = scratch.path().join("web.yml");
    let config = "tls_server_config: { cert_file: server.pem, key_file: server.key, client_ca_file: authority.pem, client_auth_type: RequireAndVerifyClientCert }\n";
    std::fs::write(&web, config).unwrap();
    let prometheus = Prometheus::start(&program, "scrape_configs: []\n", Some(&web));
    let says = |more: &str| {
        let scene = Scene::new();
        let place = scratch.path().display();
        let more = more.replace("DIR", &place.to_string());
        scene.file(
            "canary.toml",
            &format!(
                "[rollout]\nprometheus = \"https://127.0.0.1:{}\"\nbaseline = {{ a = \"b\" }}\ncanary = {{ a = \"c\" }}\n{more}",
                prometheus.port()
            ),
        );
        scene.run(&["rollout", "judge"]).ends(4).to_owned()
    };
    let authority = "ca = \"DIR/authority.pem\"\n";
    let client = "client-certificate = \"DIR/client.pem\"\nclient-key = \"DIR/client.key\"\n";
    let answered = says(&format!("{authority}{client}"));
    assert!(
        answered.starts_with("inconclusive: neither side was seen"),
        "{answered}"
    );
    let refused = says(authority);
    assert!(
        refused.starts_with("inconclusive: nothing could be had: no answer"),
        "{refused}"
    );
    let not_trusted = says(client);
    assert!(
        not_trusted.starts_with("inconclusive: nothing could be had: no answer"),
        "{not_trusted}"
    );
}

/// bcrypt of `s3cret pass`, with the fewest rounds.
const HASHED: &str = "$2b$04$ZZE.tCuPAOioprOpG4LjY.Fp1DvSd8fiGA054fQMQAgGR87DVNx7K";

#[test]
fn a_password_opens_a_prometheus_that_asks_for_one() {
    let Some(program) = program() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let web = scratch.path().join("web.yml");
    std::fs::write(&web, format!("basic_auth_users: {{ judge: '{HASHED}' }}\n")).unwrap();
    let prometheus = Prometheus::start(&program, "scrape_configs: []\n", Some(&web));
    let says = |password: &str| {
        let scene = Scene::new();
        scene.file("password", password).file(
            "canary.toml",
            &format!(
                "[rollout]\nprometheus = \"http://127.0.0.1:{}\"\nbaseline = {{ a = \"b\" }}\n\
                 canary = {{ a = \"c\" }}\nuser = \"judge\"\npassword-file = \"password\"\n",
                prometheus.port()
            ),
        );
        scene.run(&["rollout", "judge"]).ends(4).to_owned()
    };
    let answered = says("s3cret pass\n");
    assert!(
        answered.starts_with("inconclusive: neither side was seen"),
        "{answered}"
    );
    let refused = says("another\n");
    assert!(
        refused.contains("refuses the access (status 401)"),
        "{refused}"
    );
}
