//! Policies on the command line: which one judges, and what is said of a wrong one.

use super::program::Scene;
use super::shop::{Shop, THEN};

const BUILDS: [&str; 5] = ["check", "--base", "HEAD~1", "--head", "HEAD"];
const ALL_BLOCKED: &str = "version = 1\nextends = \"none\"\n\n[[rule]]\nid = \"none\"\nwhen = \"change.built\"\nthen = \"block\"\nreason = \"nothing comes in\"\n";
const ALL_ALLOWED: &str = "version = 1\nextends = \"none\"\n";

#[test]
fn a_policy_that_is_not_valid_is_shown_with_its_places() {
    let shop = Shop::updated_to("1.0.1");
    shop.scene.file(
        "wrong.toml",
        "version = 1\n\n[risk]\ncanari = 40\n\n[[rule]]\nid = \"old\"\nwhen = \"release.age_day < 7.0\"\nthen = \"stop\"\nreason = \"new\"\n",
    );
    shop.scene.run(&["policy", "check", "wrong.toml"]).fails(
        2,
        r#"
        error: the policy is not valid
        error: [risk]
         --> wrong.toml:4:1
          |
        4 | canari = 40
          | ^^^^^^ unknown key `canari`; did you mean `canary`?

        error: rule `old`
         --> wrong.toml:9:8
          |
        9 | then = "stop"
          |        ^^^^^^ `then` is never "stop"; it is one of warn, canary, incomplete, block
        hint: `cargo-canary policy variables` lists what conditions can use, `cargo-canary policy show` prints a policy to compare with
        "#,
    );
    shop.scene.file(
        "wrong.toml",
        "version = 1\n\n[[rule]]\nid = \"old\"\nwhen = \"release.age_day < 7.0\"\nthen = \"canary\"\nreason = \"new\"\n",
    );
    shop.scene.run(&["policy", "check", "wrong.toml"]).fails(
        2,
        r#"
        error: the policy is not valid
        error: rule `old`
         --> wrong.toml:5:9
          |
        5 | when = "release.age_day < 7.0"
          |         ^^^^^^^^^^^^^^^ no variable `release.age_day`; did you mean `release.age_days`?
        hint: `cargo-canary policy variables` lists what conditions can use, `cargo-canary policy show` prints a policy to compare with
        "#,
    );
    let args = [&BUILDS[..], &["--policy", "wrong.toml"], &THEN].concat();
    let of_check = shop.scene.run(&args);
    assert_eq!(of_check.code, Some(2));
    assert!(of_check.stderr.contains("age_day"), "{}", of_check.stderr);
}

#[test]
fn a_policy_that_is_not_there() {
    let shop = Shop::updated_to("1.0.1");
    let check = |policy: &str| {
        shop.scene
            .run(&[&BUILDS[..], &["--policy", policy], &THEN].concat())
    };
    check("policies/none.toml").fails(
        2,
        r#"
        error: failed to read the policy `policies/none.toml`
          caused by: No such file or directory (os error 2)
        hint: `cargo-canary policy show > canary.toml` starts one; without `--policy` the base's `canary.toml` judges, or the built-in one
        "#,
    );
    check("builtin:strickt").fails(
        2,
        r#"
        error: there is no built-in policy `strickt`
        hint: the built-in policies are `default` and `strict`
        "#,
    );
    check("strict").fails(
        2,
        r#"
        error: failed to read the policy `strict`
          caused by: No such file or directory (os error 2)
        hint: the built-in policy is `builtin:strict`
        "#,
    );
    shop.scene.run(&["policy", "check"]).fails(
        2,
        r#"
        error: failed to read the policy `canary.toml`
          caused by: No such file or directory (os error 2)
        hint: `cargo-canary policy show > canary.toml` starts one; without `--policy` the base's `canary.toml` judges, or the built-in one
        "#,
    );
    shop.scene.run(&["policy", "show", "lax"]).fails(
        2,
        r#"
        error: there is no built-in policy `lax`
        hint: the built-in policies are `default` and `strict`
        "#,
    );
}

#[test]
fn the_base_judges_and_an_edited_policy_is_announced() {
    let shop = Shop::new();
    shop.write("1.0.0");
    shop.scene.file("canary.toml", ALL_BLOCKED);
    shop.scene.commit("one");
    shop.write("1.0.1");
    shop.scene.file("canary.toml", ALL_ALLOWED);
    shop.scene.commit("two");
    let ran = shop.scene.run(&[&BUILDS[..], &THEN].concat());
    let text = ran.ends(1);
    assert!(text.contains("nothing comes in"), "{text}");
    assert!(
        text.contains("edits the policy") || text.contains("policy is edited"),
        "{text}"
    );
    let json = shop
        .scene
        .run(&[&BUILDS[..], &THEN, &["--format", "json"]].concat());
    let report: serde_json::Value = serde_json::from_str(json.ends(1)).unwrap();
    assert_eq!(report["policy"]["edited-by-change"], true);
}

#[test]
fn a_policy_that_the_change_brings_in_does_not_judge() {
    let shop = Shop::new();
    shop.write("1.0.0");
    shop.scene.commit("one");
    shop.write("1.0.2");
    shop.scene.file("canary.toml", ALL_ALLOWED);
    shop.scene.commit("two");
    let ran = shop.scene.run(&[&BUILDS[..], &["--offline"]].concat());
    assert!(ran.ends(1).contains("yanked-release"), "{}", ran.stdout);
}

#[test]
fn a_policy_from_outside_outranks_that_of_the_base() {
    let shop = Shop::new();
    shop.write("1.0.0");
    shop.scene.file("canary.toml", ALL_BLOCKED);
    shop.scene.commit("one");
    shop.write("1.0.1");
    shop.scene.commit("two");
    shop.scene.file("given.toml", ALL_ALLOWED);
    let ran = shop
        .scene
        .run(&[&BUILDS[..], &THEN, &["--policy", "given.toml"]].concat());
    assert!(ran.ends(0).starts_with("PASS"), "{}", ran.stdout);
}

#[test]
fn a_valid_policy_is_described() {
    let scene = Scene::new();
    scene.file("canary.toml", ALL_BLOCKED);
    scene.run(&["policy", "check"]).prints(
        0,
        r#"
        canary.toml is valid: 1 rule, no exemptions; by score canary never, block never
        layers: canary.toml
        "#,
    );
    for name in ["default", "strict"] {
        let shown = scene.run(&["policy", "show", name]);
        scene.file("shown.toml", shown.ends(0));
        let checked = scene.run(&["policy", "check", "shown.toml"]);
        assert!(checked.ends(0).contains("shown.toml is valid"));
    }
}

#[test]
fn the_variables_of_conditions_are_listed() {
    let ran = Scene::new().run(&["policy", "variables"]);
    for name in [
        "change.built",
        "release.age_days",
        "risk.score",
        "incidents.repeat",
    ] {
        assert!(ran.ends(0).contains(name), "{name}");
    }
}

#[test]
fn the_cases_beside_a_policy_are_judged() {
    let scene = Scene::new();
    scene.file("canary.toml", ALL_BLOCKED).file(
        "canary.test.toml",
        "version = 1\n\n[[case]]\nname = \"all is blocked\"\nexpect = { decision = \"block\", rules = [\"none\"] }\n\n[[case]]\nname = \"what is not compiled is blocked, too\"\nchange.unbuilt = true\nexpect = { decision = \"block\" }\n",
    );
    scene.run(&["policy", "test"]).prints(
        1,
        r#"
        FAILED what is not compiled is blocked, too (canary.test.toml:8)
          decision
          - block
          + pass
          no rule gives a reason

        2 cases, 1 failed
        "#,
    );
    scene
        .run(&["policy", "test", "--cases", "other.toml"])
        .fails(
            2,
            r#"
        error: failed to read the cases `other.toml`
          caused by: No such file or directory (os error 2)
        hint: write them there, or name their file with `--cases FILE`; `docs/policy.md` shows how
        "#,
        );
    let built_in = scene.run(&["policy", "test", "builtin:default"]);
    assert!(
        built_in.ends(0).ends_with("all hold\n"),
        "{}",
        built_in.stdout
    );
}

#[test]
fn the_schemas_are_printed() {
    let scene = Scene::new();
    for args in [&["policy", "schema"][..], &["policy", "schema", "--cases"]] {
        let ran = scene.run(args);
        let schema: serde_json::Value = serde_json::from_str(ran.ends(0)).unwrap();
        assert_eq!(schema["additionalProperties"], false);
    }
}

#[test]
fn cargos_own_setting_is_read_from_the_base_as_data() {
    let shop = Shop::new();
    shop.write("1.0.0");
    shop.scene.file(
        ".cargo/config.toml",
        "[registry]\nglobal-min-publish-age = \"30 days\"\n",
    );
    shop.scene.commit("one");
    shop.write("1.0.3");
    shop.scene.file(".cargo/config.toml", "");
    shop.scene.commit("two");
    let on = |day: &str| {
        shop.scene
            .run(&[&BUILDS[..], &["--offline", "--as-of", day]].concat())
    };
    let ran = on("2023-10-15");
    let text = ran.ends(3);
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains(
            "canary (min-publish-age): published 14 days before; `registry.global-min-publish-age` of the base's `.cargo/config.toml` asks for 30 days"
        ),
        "{text}"
    );
    assert!(words.contains("wait until 2023-10-31"), "{text}");
    assert!(!on("2023-11-15").stdout.contains("min-publish-age"));
    // Its user may have set more.
    std::fs::write(
        shop.scene.path("cargo-home/config.toml"),
        "[registries.crates-io]\nmin-publish-age = \"1 month\"\n",
    )
    .unwrap();
    let ran = on("2023-10-31");
    let words = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains("`registries.crates-io.min-publish-age` of the user's Cargo configuration"),
        "{words}"
    );
}

#[test]
fn each_value_says_where_it_comes_from() {
    let scene = Scene::new();
    scene.file("org.toml", "version = 1\nextends = \"none\"\n[risk]\ncanary = 30\nblock = 60\n[cooldown]\ndays = 3\n[[rule]]\nid = \"none\"\nwhen = \"change.built\"\nthen = \"block\"\nreason = \"nothing comes in\"\n");
    scene.file("canary.toml", "version = 1\nextends = \"org.toml\"\nrisk.canary = 20\n\n[[rule]]\nid = \"none\"\nthen = \"canary\"\n");
    scene.run(&["policy", "check", "--explain"]).prints(
        0,
        r#"
        canary.toml is valid: 1 rule, no exemptions; by score canary from 20 of 100, block from 60 of 100
        layers: org.toml, canary.toml

        cooldown.days = 3
            org.toml:7 (organisation)
        risk.block = 60
            org.toml:5 (organisation)
        risk.canary = 20
            canary.toml:3 (repository), in the place of org.toml:4
        rule.none.reason = "nothing comes in"
            org.toml:12 (organisation)
        rule.none.then = "canary"
            canary.toml:7 (repository), in the place of org.toml:11
        rule.none.when = "change.built"
            org.toml:10 (organisation)
        "#,
    );
    scene.file("canary.toml", "version = 1\n");
    let ran = scene.run(&["policy", "check", "--explain"]);
    assert!(
        ran.ends(0)
            .contains("risk.canary = 40\n    default:12 (built in)"),
        "{}",
        ran.stdout
    );
}

/// A web server with a certificate of its own, on loopback; it ends with the value.
struct Server {
    child: std::process::Child,
    port: u16,
}

impl Server {
    /// Serves the files of a directory, where it writes `cert.pem`.
    fn start(openssl: &std::ffi::OsStr, dir: &std::path::Path) -> Self {
        use std::process::{Command, Stdio};
        let made = Command::new(openssl)
            .args([
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
            ])
            .args([
                "-keyout",
                "key.pem",
                "-out",
                "cert.pem",
                "-subj",
                "/CN=localhost",
            ])
            .args(["-addext", "subjectAltName=DNS:localhost"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .current_dir(dir)
            .output()
            .unwrap();
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let child = Command::new(openssl)
            .args(["s_server", "-WWW", "-cert", "cert.pem", "-key", "key.pem"])
            .args(["-accept", &format!("127.0.0.1:{port}")])
            .current_dir(dir)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { child, port };
        for _ in 0..100 {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return server;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("the server did not start");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn a_pinned_policy_is_fetched_over_tls() {
    use sha2::Digest as _;
    let Some(openssl) = std::env::var_os("CANARY_OPENSSL") else {
        return;
    };
    let scene = Scene::new();
    let www = scene.path("www");
    std::fs::create_dir(&www).unwrap();
    let org = "version = 1\nextends = \"none\"\n[risk]\ncanary = 31\n";
    std::fs::write(www.join("org.toml"), org).unwrap();
    let server = Server::start(&openssl, &www);
    let url = format!("https://localhost:{}/org.toml", server.port);
    let digest: String = sha2::Sha256::digest(org)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let pinned = format!("version = 1\nextends = {{ url = \"{url}\", sha256 = \"{digest}\" }}\n");
    scene.file("canary.toml", &pinned);
    let check = |trusted: bool| {
        let mut command = scene.command(&["policy", "check", "--explain"]);
        command.env_remove("HTTPS_PROXY").env_remove("HTTP_PROXY");
        if trusted {
            command.env("SSL_CERT_FILE", www.join("cert.pem"));
        }
        scene.finish(&mut command)
    };
    // Someone else's certificate is not taken, whatever the content.
    let ran = check(false);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("certificate"), "{}", ran.stderr);
    let ran = check(true);
    let expected = format!("risk.canary = 31\n    {url}#sha256={digest}:4 (organisation)");
    assert!(ran.ends(0).contains(&expected), "{}", ran.stdout);
    // What was fetched is kept, and another content is not taken.
    std::fs::write(www.join("org.toml"), "version = 1\nextends = \"none\"\n").unwrap();
    check(true).ends(0);
    std::fs::remove_dir_all(scene.path("cache")).unwrap();
    let ran = check(true);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr
            .contains("gives something else than what is pinned"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_policy_from_a_url_is_pinned_and_kept() {
    use sha2::Digest as _;
    let scene = Scene::new();
    let org = "version = 1\nextends = \"none\"\n[risk]\ncanary = 30\n";
    let digest: String = sha2::Sha256::digest(org)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    scene.file(
        "canary.toml",
        &format!("version = 1\nextends = {{ url = \"https://host.example/org.toml\", sha256 = \"{digest}\" }}\n"),
    );
    let ran = scene.run(&["policy", "check", "--offline"]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr.contains("`https://host.example/org.toml` is not in the cache, and nothing is to be fetched now; run once with a network"),
        "{}",
        ran.stderr
    );
    let place = scene.path(&format!("cache/policies/{digest}.toml"));
    std::fs::create_dir_all(place.parent().unwrap()).unwrap();
    std::fs::write(&place, org).unwrap();
    let ran = scene.run(&["policy", "check", "--offline", "--explain"]);
    assert!(
        ran.ends(0).contains(&format!(
            "risk.canary = 30\n    https://host.example/org.toml#sha256={digest}:4 (organisation)"
        )),
        "{}",
        ran.stdout
    );
    // What was kept and is something else now is not taken.
    std::fs::write(&place, "version = 1\n").unwrap();
    assert_eq!(scene.run(&["policy", "check", "--offline"]).code, Some(2));
    for (extends, said) in [
        (
            "\"https://host.example/org.toml\"",
            "is pinned by what it gives",
        ),
        (
            "{ url = \"http://host.example/x\", sha256 = \"00\" }",
            "must start with `https://`",
        ),
        (
            "{ url = \"https://host.example/x\", sha256 = \"00\" }",
            "64 hexadecimal digits",
        ),
        (
            "{ url = \"https://host.example/x\" }",
            "`sha256` is missing",
        ),
    ] {
        scene.file(
            "canary.toml",
            &format!("version = 1\nextends = {extends}\n"),
        );
        let ran = scene.run(&["policy", "check", "--offline"]);
        assert_eq!(ran.code, Some(2), "{extends}");
        assert!(ran.stderr.contains(said), "{extends}: {}", ran.stderr);
    }
}

/// The files of the base count; those of the change stand apart.
#[test]
fn audits_of_cargo_vet_are_read_from_the_base() {
    let shop = Shop::new();
    shop.write("1.0.0");
    let audit = "[[audits.jsonette]]\ncriteria = \"safe-to-deploy\"\nversion = \"1.0.1\"\n";
    let rule = |variable: &str| {
        format!(
            "version = 1\nextends = \"none\"\n\n[[rule]]\nid = \"not-reviewed\"\nwhen = '!(\"safe-to-deploy\" in {variable})'\nthen = \"block\"\nreason = \"not reviewed\"\n"
        )
    };
    shop.scene
        .file("supply-chain/audits.toml", "[audits]\n")
        .file("canary.toml", &rule("vet.criteria"));
    shop.scene.commit("one");
    shop.write("1.0.1");
    shop.scene.file("supply-chain/audits.toml", audit);
    shop.scene.commit("two");
    let check = |policy: &str| {
        shop.scene.file("given.toml", &rule(policy));
        shop.scene
            .run(&[&BUILDS[..], &THEN, &["--policy", "given.toml"]].concat())
    };
    assert!(check("vet.criteria").ends(1).contains("not-reviewed"));
    assert_eq!(check("vet.reviewed_in_change").code, Some(0));
    shop.write("1.0.0");
    shop.scene.commit("three");
    shop.write("1.0.1");
    shop.scene.commit("four");
    assert_eq!(check("vet.criteria").code, Some(0));
}
