//! Directories for one test of the registry, and what is put into them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cargo_canary::facts::{Finding, Gap};
use cargo_canary::host::{Host, NetLimits, RealNet};
use cargo_canary::pkg::Source;
use cargo_canary::registry::{Access, CrateRecord, Freshness, Registry, Wanted};
use semver::Version;

use crate::registry_server::Server;

/// Directories for one test, and a way to open registries over them.
pub(crate) struct Lab {
    root: tempfile::TempDir,
    pub(crate) source: Source,
}

impl Lab {
    pub(crate) fn new(server: Option<&Server>) -> Self {
        let root = tempfile::tempdir().unwrap();
        let index = match server {
            Some(server) => format!("sparse+{}", server.url("/index/")),
            None => "sparse+http://127.0.0.1:9/index/".to_owned(),
        };
        let lab = Self {
            root,
            source: Source::parse(&index).unwrap(),
        };
        lab.write(
            "home/config.toml",
            format!("[registries.my-lab]\nindex = '{index}'\n"),
        );
        lab
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        Host::real(None)
            .files
            .write(&self.path(path), content.as_ref())
            .unwrap();
    }

    pub(crate) fn access(&self) -> Access {
        Access {
            cache_dir: Some(self.path("cache")),
            cargo_home: Some(self.path("home")),
            user_home: None,
            fetch: true,
            max_age: Duration::from_secs(3600),
        }
    }

    /// The directory name that Cargo gives the lab's registry.
    pub(crate) fn ident(&self) -> String {
        let url = self.source.to_lock().unwrap();
        tame_index::utils::url_to_local_dir(&url, true)
            .unwrap()
            .dir_name
    }

    pub(crate) fn ask(
        &self,
        host: &Host,
        access: Access,
        freshness: Freshness,
    ) -> Finding<Arc<CrateRecord>> {
        let registry = Registry::open(host, access);
        registry.prefetch(&[self.wanted("thing", freshness)]);
        registry.record(&self.source, "thing")
    }

    pub(crate) fn wanted(&self, name: &str, freshness: Freshness) -> Wanted {
        Wanted {
            source: self.source.clone(),
            name: name.to_owned(),
            holding: vec![version("1.0.0")],
            freshness,
        }
    }
}

pub(crate) fn online() -> Host {
    Host::real(Some(Box::new(RealNet::new(NetLimits {
        connect: Duration::from_secs(5),
        silence: Duration::from_millis(500),
        total: Duration::from_secs(20),
        pause: Duration::from_millis(1),
        longest_pause: Duration::from_millis(50),
        ..NetLimits::default()
    }))))
}

pub(crate) fn version(text: &str) -> Version {
    text.parse().unwrap()
}

pub(crate) fn line(name: &str, version: &str, checksum: &str) -> String {
    format!(
        r#"{{"name":"{name}","vers":"{version}","deps":[],"cksum":"{checksum}","features":{{}},"yanked":false,"pubtime":"2024-01-02T03:04:05Z"}}"#
    )
}

pub(crate) fn entry(versions: &[&str]) -> String {
    let lines: Vec<String> = versions
        .iter()
        .map(|version| line("thing", version, &"0".repeat(64)))
        .collect();
    lines.join("\n")
}

pub(crate) fn cargo_entry(validator: &str, versions: &[&str]) -> Vec<u8> {
    let mut body = vec![3, 2, 0, 0, 0];
    body.extend_from_slice(validator.as_bytes());
    body.push(0);
    for version in versions {
        body.extend_from_slice(version.as_bytes());
        body.push(0);
        body.extend_from_slice(line("thing", version, &"0".repeat(64)).as_bytes());
        body.push(0);
    }
    body
}

pub(crate) fn versions(record: &CrateRecord) -> Vec<String> {
    let lines = record.lines().iter();
    lines.map(|line| line.version.to_string()).collect()
}

pub(crate) fn gap<T: std::fmt::Debug>(finding: Finding<T>) -> Gap {
    match finding {
        Finding::Unknown(gap) => gap,
        found @ (Finding::Seen(_) | Finding::Absent(_)) => panic!("not a gap: {found:?}"),
    }
}
