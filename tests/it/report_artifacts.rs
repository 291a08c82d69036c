//! Builds that are artifacts: what an executable or an SBOM claims, held
//! against the lock file beside it.

use std::path::Path;

use cargo_canary::host::Host;
use cargo_canary::registry::{Access, Registry};
use cargo_canary::snapshot::{
    BuildName, BuildSettings, FeatureChoice, GraphKind, GraphMode, InputKind, LoadError, Role,
    Snapshot, load, open,
};

use crate::cli::program::Scene;
use crate::support::local_registry::LocalRegistry;
use crate::support::project::Project;

const LIST: &str = r#"{"packages":[
 {"name":"app","version":"0.1.0","source":"local","dependencies":[1,2],"root":true},
 {"name":"left","version":"1.2.3","source":"crates.io","dependencies":[2]},
 {"name":"tool","version":"2.0.0","source":"registry","kind":"build"}]}"#;

const LOCK: &str = r#"version = 4
[[package]]
name = "app"
version = "0.1.0"
dependencies = ["left", "tool"]

[[package]]
name = "left"
version = "1.2.3"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
dependencies = ["tool"]

[[package]]
name = "tool"
version = "2.0.0"
source = "registry+https://host.example/index"
checksum = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
"#;

/// A 64-bit ELF file with nothing but a section of that name and content.
fn elf(section: &str, content: &[u8]) -> Vec<u8> {
    let names = format!("\0{section}\0.shstrtab\0");
    let content_at = 64;
    let names_at = content_at + content.len();
    let table_at = (names_at + names.len()).next_multiple_of(8);
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    for half in [2_u16, 62] {
        file.extend(half.to_le_bytes());
    }
    file.extend(1_u32.to_le_bytes());
    for word in [0, 0, table_at as u64] {
        file.extend(word.to_le_bytes());
    }
    file.extend(0_u32.to_le_bytes());
    for half in [64_u16, 0, 0, 64, 3, 2] {
        file.extend(half.to_le_bytes());
    }
    file.extend(content);
    file.extend(names.as_bytes());
    file.resize(table_at, 0);
    let mut header = |name: u32, kind: u32, at: usize, size: usize| {
        file.extend(name.to_le_bytes());
        file.extend(kind.to_le_bytes());
        for word in [0, 0, at as u64, size as u64] {
            file.extend(word.to_le_bytes());
        }
        file.extend([0_u8; 8]);
        for word in [1_u64, 0] {
            file.extend(word.to_le_bytes());
        }
    };
    header(0, 0, 0, 0);
    header(1, 1, content_at, content.len());
    let name = u32::try_from(section.len()).unwrap() + 2;
    header(name, 3, names_at, names.len());
    file
}

fn zlib(text: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn executable(list: &str) -> Vec<u8> {
    elf(".dep-v0", &zlib(list.as_bytes()))
}

fn read(path: &Path) -> Result<Snapshot, LoadError> {
    let host = Host::real(None);
    let registry = Registry::open(&host, Access::default());
    let settings = BuildSettings {
        targets: vec!["x86_64-unknown-linux-gnu".to_owned()],
        features: FeatureChoice::Default,
    };
    let name = BuildName::Named(path.display().to_string());
    let opened = open(&name, path.parent().unwrap(), &host)?;
    let snapshot = load(&opened, &settings, GraphMode::Auto, &registry, &host)?;
    assert_eq!(snapshot.verify(), Ok(()));
    Ok(snapshot)
}

fn read_alone(bytes: &[u8]) -> Result<Snapshot, LoadError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("artifact");
    std::fs::write(&path, bytes).unwrap();
    read(&path)
}

/// Name, source and roles of the packages, and the gaps.
fn told(snapshot: &Snapshot) -> (Vec<String>, Vec<String>) {
    let workspace = &snapshot.workspaces[0];
    assert_eq!(workspace.graph, GraphKind::Claim);
    let packages = workspace
        .packages
        .iter()
        .map(|package| {
            let roles: Vec<&str> = package
                .placement
                .roles
                .iter()
                .copied()
                .map(Role::as_str)
                .collect();
            let checked = if package.checksum.is_some() {
                " checked"
            } else {
                ""
            };
            format!(
                "{} {} {}{checked}",
                package.id,
                package.id.source,
                roles.join("+")
            )
        })
        .collect();
    let gaps = workspace
        .gaps
        .iter()
        .map(|(_, gap)| format!("{}: {}", gap.reason.as_str(), gap.detail))
        .collect();
    (packages, gaps)
}

#[test]
fn an_executable_alone_is_a_claim() {
    let snapshot = read_alone(&executable(LIST)).unwrap();
    assert_eq!(snapshot.input.kind, InputKind::Executable);
    let (packages, gaps) = told(&snapshot);
    assert_eq!(
        packages,
        [
            "app@0.1.0 local target",
            "left@1.2.3 crates.io target",
            "tool@2.0.0 registry+untold:registry host",
        ]
    );
    assert_eq!(gaps.len(), 1);
    assert!(
        gaps[0].starts_with(
            "coarse-graph: the list in the artifact is a claim; there is no lock file"
        )
    );
}

#[test]
fn an_executable_in_a_target_folder_is_held_against_the_lock_file() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("target/release");
    std::fs::create_dir_all(&place).unwrap();
    std::fs::write(folder.path().join("Cargo.lock"), LOCK).unwrap();
    let path = place.join("app");
    std::fs::write(&path, executable(LIST)).unwrap();
    let (packages, gaps) = told(&read(&path).unwrap());
    assert_eq!(
        packages,
        [
            "app@0.1.0 local target",
            "left@1.2.3 crates.io target checked",
            "tool@2.0.0 registry+https://host.example/index host checked",
        ]
    );
    assert!(gaps[0].contains("it was held against the lock file beside it"));

    std::fs::write(&path, executable(&LIST.replace("1.2.3", "1.2.4"))).unwrap();
    let (_, gaps) = told(&read(&path).unwrap());
    assert!(gaps.contains(
        &"contradicted: the artifact claims left@1.2.4: the lock file beside it has no such version"
            .to_owned()
    ));
}

fn sbom() -> serde_json::Value {
    serde_json::json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "metadata": {"component": {"type": "application", "name": "app", "version": "0.1.0",
            "bom-ref": "root", "purl": "pkg:cargo/app@0.1.0?download_url=file%3A%2F%2F."}},
        "components": [
            {"type": "library", "name": "left", "version": "1.2.3", "bom-ref": "l", "purl": "pkg:cargo/left@1.2.3",
             "hashes": [{"alg": "SHA-256", "content": "A".repeat(64)}]},
            {"type": "library", "name": "tool", "version": "2.0.0", "bom-ref": "t", "scope": "excluded",
             "purl": "pkg:cargo/tool@2.0.0?repository_url=https%3A%2F%2Fhost.example%2Findex"},
            {"type": "library", "name": "gitty", "version": "0.3.0", "bom-ref": "g",
             "purl": "pkg:cargo/gitty@0.3.0?vcs_url=git%2Bhttps%3A%2F%2Fu%40host.example%2Fa%2Fb.git%400123abcd"},
            {"type": "library", "name": "openssl", "version": "3", "purl": "pkg:deb/debian/openssl@3"}
        ],
        "dependencies": [{"ref": "root", "dependsOn": ["l", "g", "nobody"]}, {"ref": "l", "dependsOn": ["t"]}]
    })
}

#[test]
fn an_sbom_is_read_with_places_checksums_and_edges() {
    let snapshot = read_alone(sbom().to_string().as_bytes()).unwrap();
    assert_eq!(snapshot.input.kind, InputKind::Sbom);
    let (packages, _) = told(&snapshot);
    assert_eq!(
        packages,
        [
            "app@0.1.0 local target",
            "gitty@0.3.0 git+https://host.example/a/b.git#0123abcd target",
            "left@1.2.3 crates.io target checked",
            "tool@2.0.0 registry+https://host.example/index host",
        ]
    );
    let workspace = &snapshot.workspaces[0];
    let direct: Vec<bool> = workspace
        .packages
        .iter()
        .map(|p| p.placement.direct)
        .collect();
    assert_eq!(direct, [false, true, true, false]);
    assert!(workspace.packages[3].placement.members.contains("app"));
    assert_eq!(snapshot.not_covered.len(), 1);
    assert!(
        snapshot.not_covered[0]
            .reason
            .starts_with("1 of the components")
    );
}

#[test]
fn an_sbom_with_another_checksum_than_the_lock_file_is_contradicted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bom.json");
    let other = LOCK.replace(&"a".repeat(64), &"c".repeat(64));
    std::fs::write(folder.path().join("Cargo.lock"), other).unwrap();
    std::fs::write(&path, sbom().to_string()).unwrap();
    let (_, gaps) = told(&read(&path).unwrap());
    let wrong: Vec<&String> = gaps
        .iter()
        .filter(|gap| gap.starts_with("contradicted"))
        .collect();
    assert_eq!(wrong.len(), 2, "{gaps:?}");
    assert!(wrong[0].contains("gitty") && wrong[1].contains("another checksum"));
}

#[test]
fn a_damaged_or_empty_list_is_an_error_and_never_an_empty_build() {
    let bomb = elf(".dep-v0", &zlib(&vec![b' '; 32 << 20]));
    let mut newer = sbom();
    newer["specVersion"] = "9.9".into();
    let mut none = sbom();
    none["components"] = serde_json::json!([]);
    none["metadata"] = serde_json::json!({});
    let deep = format!(
        "{{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\",\"components\":{}{}}}",
        "[{\"components\":".repeat(5000),
        "[]".to_owned() + &"}]".repeat(5000)
    );
    let cases: [(&str, Vec<u8>); 9] = [
        ("no list", elf(".text", b"x")),
        ("not compressed", elf(".dep-v0", b"{}")),
        ("a bomb", bomb),
        ("no JSON", executable("nothing")),
        ("no package", executable("{\"packages\":[]}")),
        ("cut short", executable(LIST)[..100].to_vec()),
        ("another version", newer.to_string().into_bytes()),
        ("no component", none.to_string().into_bytes()),
        ("deep", deep.into_bytes()),
    ];
    for (what, bytes) in cases {
        assert!(read_alone(&bytes).is_err(), "{what}");
    }
}

#[test]
fn a_list_that_points_nowhere_or_at_itself_is_read() {
    let list = r#"{"packages":[
     {"name":"a","version":"1.0.0","source":"crates.io","dependencies":[0,1,99]},
     {"name":"a","version":"1.0.0","source":"crates.io","dependencies":[0]}]}"#;
    match read_alone(&executable(list)) {
        Ok(snapshot) => assert_eq!(told(&snapshot).0, ["a@1.0.0 crates.io target"]),
        Err(error) => assert!(matches!(error, LoadError::Claim { .. }), "{error:?}"),
    }
}

/// A service with something for tests, for another target and for its build.
fn service() -> (LocalRegistry, Project) {
    let mut registry = LocalRegistry::new();
    for (name, version) in [
        ("left", "1.0.0"),
        ("left", "1.0.1"),
        ("maker", "1.0.0"),
        ("tester", "1.0.0"),
        ("elsewhere", "1.0.0"),
    ] {
        let krate = registry.krate(name, version);
        krate.published("2023-01-01T00:00:00Z").publish();
    }
    let project = Project::new(&registry)
        .file(
            "Cargo.toml",
            "[package]\nname = \"service\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n\
             [dependencies]\nleft = \"=1.0.0\"\n\n[build-dependencies]\nmaker = \"1\"\n\n\
             [dev-dependencies]\ntester = \"1\"\n\n\
             [target.'cfg(windows)'.dependencies]\nelsewhere = \"1\"\n",
        )
        .file("src/main.rs", "fn main() {}\n")
        .file("build.rs", "fn main() {}\n")
        .locked();
    (registry, project)
}

/// What `diff` says of an executable and the project's directory after `left`
/// went up: id and kind of each change, and what was not compared.
fn told_of_an_update(
    registry: &LocalRegistry,
    project: Project,
    exe: &Path,
) -> (Vec<String>, String) {
    let manifest = std::fs::read_to_string(project.dir().join("Cargo.toml")).unwrap();
    let project = project
        .file("Cargo.toml", &manifest.replace("=1.0.0", "=1.0.1"))
        .locked();
    let scene = Scene::new();
    registry.write_cargo_home(&scene.path("cargo-home"));
    let base = exe.display().to_string();
    let head = project.dir().display().to_string();
    let ran = scene.run(&[
        "check",
        "--base",
        &base,
        "--head",
        &head,
        "--offline",
        "--format",
        "json",
        "--target",
        &crate::support::project::host_triple(),
        "--as-of",
        "2024-03-01",
    ]);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout)
        .unwrap_or_else(|error| panic!("{error}: {} {}", ran.stdout, ran.stderr));
    let changes = report["changes"].as_array().unwrap().iter();
    let changes =
        changes.map(|change| format!("{} {}", change["id"], change["kind"]).replace('"', ""));
    let source = &report["changes"][0]["source"]["same-code"];
    assert_eq!(
        source,
        &serde_json::json!(true),
        "the archives were not compared"
    );
    (
        changes.collect(),
        report["coverage"]["not-covered"].to_string(),
    )
}

#[test]
fn what_an_executable_cannot_hold_is_no_difference_to_a_source_tree() {
    let (registry, project) = service();
    let list = r#"{"packages":[
     {"name":"left","version":"1.0.0","source":"crates.io"},
     {"name":"maker","version":"1.0.0","source":"crates.io","kind":"build"},
     {"name":"service","version":"0.1.0","source":"local","dependencies":[0,1],"root":true}]}"#;
    let exe = project.beside("service.exe");
    std::fs::write(&exe, executable(list)).unwrap();
    let (changes, not_covered) = told_of_an_update(&registry, project, &exe);
    assert_eq!(changes, ["left upgraded"]);
    assert!(not_covered.contains("elsewhere, tester"), "{not_covered}");
}

#[test]
fn beside_a_lock_file_alone_it_is_said_that_more_is_listed_than_compiled() {
    let (registry, project) = service();
    let list = r#"{"packages":[
     {"name":"left","version":"1.0.0","source":"crates.io"},
     {"name":"service","version":"0.1.0","source":"local","dependencies":[0],"root":true}]}"#;
    let exe = project.beside("service.exe");
    std::fs::write(&exe, executable(list)).unwrap();
    let lock = project.beside("alone/Cargo.lock");
    crate::support::project::write(&lock, &project.lock());
    let scene = Scene::new();
    registry.write_cargo_home(&scene.path("cargo-home"));
    let (base, head) = (exe.display().to_string(), lock.display().to_string());
    let ran = scene.run(&[
        "diff",
        "--base",
        &base,
        "--head",
        &head,
        "--offline",
        "--format",
        "json",
    ]);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout)
        .unwrap_or_else(|error| panic!("{error}: {} {}", ran.stdout, ran.stderr));
    assert_eq!(report["changes"].as_array().unwrap().len(), 3);
    let not_covered = report["coverage"]["not-covered"].to_string();
    assert!(
        not_covered.contains("of the 3 that are added some may be for tests or other targets"),
        "{not_covered}"
    );
}

#[test]
fn what_cargo_auditable_and_cargo_cyclonedx_write_is_read() {
    let Some(tools) = std::env::var_os("CANARY_AUDITABLE") else {
        println!(
            "skipped: CANARY_AUDITABLE names no folder with cargo-auditable and cargo-cyclonedx"
        );
        return;
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path: Vec<_> = [tools.into()]
        .into_iter()
        .chain(std::env::split_paths(&path))
        .collect();
    let path = std::env::join_paths(path).unwrap();
    let cargo = |project: &Project, args: &[&str]| {
        let mut cargo = std::process::Command::new("cargo");
        cargo
            .args(args)
            .current_dir(project.dir())
            .env("PATH", &path);
        cargo
            .env("CARGO_HOME", project.home())
            .env_remove("CARGO_TARGET_DIR");
        crate::support::project::run(&mut cargo)
    };
    let (registry, project) = service();
    cargo(&project, &["auditable", "build", "--offline"]);
    cargo(&project, &["cyclonedx", "--format", "json"]);
    let exe = project.beside("service.exe");
    std::fs::copy(project.dir().join("target/debug/service"), &exe).unwrap();
    let sbom = project.beside("service.cdx.json");
    std::fs::copy(project.dir().join("service.cdx.json"), &sbom).unwrap();
    let (packages, _) = told(&read(&exe).unwrap());
    let of_exe: Vec<&String> = packages
        .iter()
        .filter(|line| line.contains("crates.io"))
        .collect();
    assert_eq!(of_exe.len(), 2, "{packages:?}");
    let (of_sbom, _) = told(&read(&sbom).unwrap());
    for name in ["left@1.0.0", "maker@1.0.0"] {
        assert!(
            packages.iter().any(|line| line.starts_with(name)),
            "{packages:?}"
        );
        assert!(
            of_sbom.iter().any(|line| line.starts_with(name)),
            "{of_sbom:?}"
        );
    }
    let (changes, not_covered) = told_of_an_update(&registry, project, &exe);
    assert_eq!(changes, ["left upgraded"]);
    assert!(not_covered.contains("elsewhere, tester"), "{not_covered}");
}
