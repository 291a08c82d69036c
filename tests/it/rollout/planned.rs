//! Plans: how long, which steps, what is watched; manifests that the engines take.

use std::time::Duration;

use cargo_canary::rollout::plan::{Noise, Plan, PlanError, Service, Subject, Update};
use cargo_canary::rollout::{Config, Said};
use serde_json::Value;

use super::fake::{line, noise, serving};
use super::fields::misfits;
use crate::cli::program::{Scene, root};
use crate::support::prometheus::program;

fn update(package: &str, score: u8, components: &[&str]) -> Update {
    Update {
        package: package.to_owned(),
        step: "1.0.0 -> 1.1.0".to_owned(),
        score,
        root: true,
        runs: true,
        decision: "canary".to_owned(),
        components: components.iter().map(|&it| it.to_owned()).collect(),
        incidents: Vec::new(),
        undo: Some(format!("cargo update -p {package} --precise 1.0.0")),
    }
}

fn subject(updates: Vec<Update>) -> Subject {
    Subject {
        day: jiff::civil::date(2026, 11, 20),
        builds: ("v1".to_owned(), "v2".to_owned()),
        options: " --base v1 --head v2".to_owned(),
        difference: format!("sha256:{}", "a".repeat(64)),
        verdict: "canary".to_owned(),
        updates,
        min_duration: None,
        measured: Vec::new(),
    }
}

const TABLE: &str = "[rollout]\nprometheus = \"http://prometheus:9090\"\nbaseline = { app = \"shop\", track = \"stable\" }\ncanary = { app = \"shop\", track = \"canary\" }\n";

fn plan_of(subject: Subject, table: &str) -> Result<Plan, PlanError> {
    let config = Config::read(table, "canary.toml", &Said::default()).unwrap();
    Plan::new(subject, Service::read(table)?, config)
}

fn plan(updates: Vec<Update>, more: &str) -> Plan {
    plan_of(subject(updates), &format!("{TABLE}{more}")).unwrap()
}

fn file(plan: &Plan, name: &str) -> String {
    let files = plan.files();
    files
        .into_iter()
        .find(|file| file.name == name)
        .unwrap()
        .content
}

/// The documents of a manifest.
fn documents(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(text).unwrap()
}

#[test]
fn the_manifests_fit_what_the_engines_publish() {
    for provider in ["kubernetes", "nginx"] {
        for score in [5, 40, 90] {
            let more = format!("[rollout.plan]\nname = \"shop\"\nprovider = \"{provider}\"\n");
            let plan = plan(vec![update("image", score, &["image"])], &more);
            let mut kinds = Vec::new();
            for name in ["argo-rollouts.yaml", "flagger.yaml"] {
                for document in documents(&file(&plan, name)) {
                    assert_eq!(misfits(&document), [] as [String; 0], "{document:#}");
                    kinds.push(document["kind"].as_str().unwrap().to_owned());
                }
            }
            assert_eq!(&kinds[..3], ["Rollout", "AnalysisTemplate", "Canary"]);
            assert_eq!(kinds.len(), 3 + 6, "a template for each metric: {kinds:?}");
        }
    }
}

#[test]
fn steps_follow_the_risk_and_end_with_a_judgement() {
    let weights = |score: u8| -> Vec<u8> {
        let plan = plan(vec![update("a", score, &[])], "");
        plan.steps.iter().map(|step| step.weight).collect()
    };
    assert_eq!(weights(10), [20, 50]);
    assert_eq!(weights(35), [5, 20, 50]);
    assert_eq!(weights(74), [1, 5, 20, 50]);
    let plan = plan(vec![update("a", 74, &[])], "");
    let whole: Duration = plan.steps.iter().map(|step| step.pause).sum();
    assert!(whole >= plan.duration && whole < plan.duration + Duration::from_secs(240));
    let rollout = &documents(&file(&plan, "argo-rollouts.yaml"))[0];
    let steps = rollout["spec"]["strategy"]["canary"]["steps"]
        .as_array()
        .unwrap();
    assert_eq!(steps[0], serde_json::json!({ "setWeight": 1 }));
    assert_eq!(
        steps[8],
        serde_json::json!({ "pause": {} }),
        "it waits for the judge"
    );
    let checklist = file(&plan, "checklist.md");
    let minutes = plan.duration.as_secs() / 60;
    assert!(
        checklist.contains(&format!(
            "cargo-canary rollout judge --last {minutes}m --base v1 --head v2 --diff-digest sha256:aaaa"
        )),
        "{checklist}"
    );
    assert!(checklist.contains("evidence sign --from judge.json --base v1 --head v2"));
    assert!(checklist.contains("cargo update -p a --precise 1.0.0"));
}

#[test]
fn the_duration_follows_the_noise_the_headroom_and_the_policy() {
    let of = |measured: &[(&str, f64)], more: &str| {
        let mut subject = subject(vec![update("a", 40, &["image"])]);
        subject.measured = measured
            .iter()
            .map(|(id, deviation)| {
                let noise = Noise {
                    deviation: *deviation,
                    repeats: Duration::from_secs(60),
                    over: Some(Duration::from_secs(3_600)),
                };
                ((*id).to_owned(), noise)
            })
            .collect();
        plan_of(subject, &format!("{TABLE}{more}")).unwrap()
    };
    let mib = 1_048_576.0;
    let quiet = of(&[("memory", 0.5 * mib)], "");
    let loud = of(&[("memory", 4.0 * mib)], "");
    // Eight times the noise takes four times as long.
    let power = |plan: &Plan| {
        plan.power
            .iter()
            .find(|power| power.decides)
            .unwrap()
            .needed
            .as_secs_f64()
    };
    assert!((power(&loud) / power(&quiet) - 4.0).abs() < 0.01);
    assert!(loud.duration > quiet.duration * 3);
    assert!(
        loud.sentence().contains("as measured over 60 min"),
        "{}",
        loud.sentence()
    );
    // Twice the headroom: a leak must be twice as large to matter.
    let more = "[[rollout.metric]]\nid = \"memory\"\nheadroom = \"512MiB\"\n";
    let roomy = of(&[("memory", 4.0 * mib)], more);
    assert!((power(&loud) / power(&roomy) - 2.0_f64.powf(2.0 / 3.0)).abs() < 0.01);
    // What nobody can wait for is cut, and said.
    let hopeless = of(&[("memory", 4_000.0 * mib)], "");
    assert_eq!(hopeless.duration, Duration::from_secs(3 * 86_400));
    assert!(
        hopeless
            .notes
            .iter()
            .any(|note| note.contains("sees one of")),
        "{:?}",
        hopeless.notes
    );
    assert!(
        hopeless.sentence().contains("a larger one"),
        "{}",
        hopeless.sentence()
    );
    let mut long = subject(vec![update("a", 40, &[])]);
    long.min_duration = Some(Duration::from_secs(6 * 3_600));
    assert_eq!(
        plan_of(long, TABLE).unwrap().duration,
        Duration::from_secs(6 * 3_600)
    );
}

#[test]
fn engines_go_back_only_on_what_stands_out_in_their_time() {
    let plan = plan(vec![update("a", 40, &["image"])], "");
    let template = &documents(&file(&plan, "argo-rollouts.yaml"))[1];
    let memory = &template["spec"]["metrics"][0];
    assert_eq!(memory["name"], "memory");
    let limit: f64 = memory["failureCondition"]
        .as_str()
        .unwrap()
        .rsplit(' ')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    // A quarter of the time shows 4^1.5 times as large a slope; 444 B/s matter.
    assert!(limit > 6.0 * 444.0 && limit < 9.0 * 444.0, "{limit}");
}

#[test]
fn what_is_watched_follows_from_what_the_libraries_are_for() {
    let first = |components: &[&str], more: &str| -> Vec<String> {
        let plan = plan(vec![update("a", 40, components)], more);
        plan.watch
            .iter()
            .map(|watch| watch.metric.clone())
            .collect()
    };
    assert_eq!(first(&["image"], ""), ["memory"]);
    assert_eq!(
        first(&["database-pool"], ""),
        ["descriptors", "latency", "memory"]
    );
    assert_eq!(
        first(&["async-runtime"], ""),
        ["latency", "threads", "memory"]
    );
    let pool =
        "[[rollout.metric]]\nid = \"connections\"\nquery = \"pool{$selector}\"\nheadroom = 20\n";
    assert_eq!(
        first(&["database-pool"], pool),
        ["connections", "latency", "memory"]
    );
    let none = plan(vec![update("a", 40, &["database-pool"])], "");
    assert_eq!(none.missing[0].metric, "connections");
    // What is not compiled into the service shows nowhere.
    let mut tool = update("b", 40, &["async-runtime"]);
    tool.runs = false;
    assert_eq!(plan(vec![tool], "").watch.len(), 1);
}

#[test]
fn hostile_names_stay_values() {
    let hostile = "x\\\"} or vector(1) # \\n- kind: Secret\\n---\\nkind: Secret";
    let table = format!(
        "[rollout]\nprometheus = \"http://prometheus:9090\"\nbaseline = {{ app = \"{hostile}\" }}\ncanary = {{ app = \"yes\", pod = \"=~.*: [a]\" }}\n[[rollout.metric]]\nid = \"on\"\nunit = \"a: b # c\\n- d\"\nquery = \"'x' + x{{$selector}}  # two  spaces\\n\"\nheadroom = 3\n[rollout.plan]\ncontact = \"*bold* <b> `x` | y\"\n"
    );
    let mut update = update("a`|\n# b", 40, &["image"]);
    update
        .incidents
        .push("<script>alert(1)</script>\u{1b}[31m".to_owned());
    let plan = plan_of(subject(vec![update]), &table).unwrap();
    for name in [
        "argo-rollouts.yaml",
        "flagger.yaml",
        "prometheus-rules.yaml",
    ] {
        let text = file(&plan, name);
        for document in documents(&text) {
            let kind = document["kind"].as_str().unwrap_or("rules");
            assert!(
                [
                    "Rollout",
                    "AnalysisTemplate",
                    "Canary",
                    "MetricTemplate",
                    "rules"
                ]
                .contains(&kind),
                "{text}"
            );
            if kind != "rules" {
                assert_eq!(misfits(&document), [] as [String; 0]);
            }
        }
    }
    let argo = documents(&file(&plan, "argo-rollouts.yaml"));
    let labels = &argo[0]["spec"]["strategy"]["canary"]["canaryMetadata"]["labels"];
    // Of labels only those that a pod can carry.
    assert_eq!(labels, &serde_json::json!({ "app": "yes" }));
    let metrics = argo[1]["spec"]["metrics"].as_array().unwrap();
    let on = metrics
        .iter()
        .find(|metric| metric["name"] == "on")
        .unwrap();
    let query = on["provider"]["prometheus"]["query"].as_str().unwrap();
    assert!(query.contains("app=\"yes\",pod=~\".*: [a]\""), "{query}");
    assert!(
        query.contains(r#"app="x\"} or vector(1) # \n- kind: Secret\n---\nkind: Secret""#),
        "{query}"
    );
    assert!(query.contains("# two  spaces\n"), "{query}");
    for name in ["checklist.md", "notice-on-call.md", "notice-users.md"] {
        let text = file(&plan, name);
        assert!(
            !text.replace("\\<", "").contains("<script>") && !text.contains('\u{1b}'),
            "{text}"
        );
        assert!(!text.contains("\n# b"), "{text}");
    }
    let template = TABLE.replace("\"stable\"", "\"{{args.token}}\"");
    let error = plan_of(subject(Vec::new()), &template).unwrap_err();
    assert!(matches!(error, PlanError::Template { .. }), "{error}");
}

#[test]
fn prometheus_takes_the_rules_and_with_them_every_query() {
    let Some(prometheus) = program() else { return };
    let promtool = prometheus.with_file_name("promtool");
    let plan = plan(vec![update("a", 40, &["image"])], "");
    let scratch = tempfile::tempdir().unwrap();
    let rules = scratch.path().join("rules.yaml");
    std::fs::write(&rules, file(&plan, "prometheus-rules.yaml")).unwrap();
    let output = std::process::Command::new(promtool)
        .args(["check", "rules"])
        .arg(&rules)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("9 rules found"),
        "{said}"
    );
}

/// The demo, planned in a scene.
fn planned(scene: &Scene, more: &[&str]) -> crate::cli::program::Ran {
    let at = |path: &str| {
        root()
            .join("fixtures/demo")
            .join(path)
            .display()
            .to_string()
    };
    let builds = [at("before"), at("after"), at("data")];
    let mut args = vec![
        "rollout", "plan", "--base", &builds[0], "--head", &builds[1],
    ];
    args.extend(["--cache", &builds[2], "--locked-data"]);
    args.extend(more);
    scene.run(&args)
}

#[test]
fn the_program_plans_the_demo() {
    let scene = Scene::new();
    let said = planned(&scene, &["--write", "plan"]);
    let text = said.ends(0);
    assert!(
        text.starts_with("256 MiB of headroom and 7.00 days between deploys make 444 B/s"),
        "{text}"
    );
    assert!(
        text.contains("watch memory: memory for each request, where whole payloads"),
        "{text}"
    );
    assert!(text.contains("(webp,\n"), "{text}");
    assert!(
        text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
    assert!(
        text.contains("note: `service` stands for the name of the Deployment"),
        "{text}"
    );
    let read =
        |name: &str| std::fs::read_to_string(scene.path(&format!("work/plan/{name}"))).unwrap();
    let json: Value = serde_json::from_str(&read("plan.json")).unwrap();
    assert_eq!(json["verdict"], "canary");
    assert_eq!(json["risk"], "high");
    assert_eq!(json["steps"][0]["weight"], 1);
    assert!(read("notice-on-call.md").contains("cargo update -p webp --precise 0.2.2"));
    assert!(read("notice-on-call.md").contains("webp-0.2.3-encode-leak"));
    assert!(read("notice-users.md").contains("3.25 h"));
    let printed = planned(&scene, &["--format", "json"]);
    let printed: Value = serde_json::from_str(printed.ends(0)).unwrap();
    assert_eq!(printed["diff-digest"], json["diff-digest"]);
    let same = planned(&scene, &["--policy", "nowhere.toml"]);
    assert_eq!(same.code, Some(2));
}

#[test]
fn noise_is_measured_where_that_is_asked_for() {
    let server = serving(vec![line(
        "process_resident_memory_bytes",
        "stable",
        "s",
        |t| Some(2e8 + 300_000.0 * noise(1, t)),
    )]);
    let scene = Scene::new();
    let table = format!(
        "version = 1\n{}",
        TABLE.replace("http://prometheus:9090", &server.url(""))
    );
    scene.file("canary.toml", &table);
    let ran = planned(
        &scene,
        &["--policy", "canary.toml", "--measure", "--format", "json"],
    );
    let json: Value = serde_json::from_str(ran.ends(0)).unwrap();
    let memory = &json["power"][0];
    assert_eq!(
        (&memory["noise"], &memory["decides"]),
        (&"measured".into(), &true.into())
    );
    let deviation = memory["deviation"].as_f64().unwrap();
    assert!((deviation - 300_000.0).abs() < 60_000.0, "{deviation}");
    assert!(
        json["because"]
            .as_str()
            .unwrap()
            .contains("as measured over")
    );
    // A wave of load that all share is no noise; without a canary the baseline's own
    // instances are held against each other.
    let of = |side, pod, seed, level: f64| {
        line("process_resident_memory_bytes", side, pod, move |t| {
            let wave = 2e7 * (t / 600.0).sin();
            Some(level + wave + 300_000.0 * noise(seed, t))
        })
    };
    let sides = [
        vec![of("stable", "a", 1, 2e8), of("canary", "c", 2, 2.1e8)],
        vec![
            of("stable", "a", 1, 2e8),
            of("stable", "b", 3, 1.9e8),
            of("stable", "d", 4, 2.2e8),
        ],
    ];
    for lines in sides {
        let server = serving(lines);
        let table = TABLE.replace("http://prometheus:9090", &server.url(""));
        scene.file("canary.toml", &format!("version = 1\n{table}"));
        let args = ["--policy", "canary.toml", "--measure", "--format", "json"];
        let json: Value = serde_json::from_str(planned(&scene, &args).ends(0)).unwrap();
        let deviation = json["power"][0]["deviation"].as_f64().unwrap();
        assert!((deviation - 300_000.0).abs() < 60_000.0, "{deviation}");
    }
    let server = serving(Vec::new());
    scene.file(
        "canary.toml",
        &format!(
            "version = 1\n{}",
            TABLE.replace("http://prometheus:9090", &server.url(""))
        ),
    );
    let none = planned(&scene, &["--policy", "canary.toml", "--measure"]);
    assert_eq!(none.code, Some(2));
    assert!(
        none.stderr.contains("the baseline has none of the series"),
        "{}",
        none.stderr
    );
}
