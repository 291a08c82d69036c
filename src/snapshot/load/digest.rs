//! The digest of a graph's packages.

use sha2::{Digest as _, Sha256};

use crate::pkg::{PackageId, Source};
use crate::snapshot::Workspace;
use crate::snapshot::lock::LockFile;

/// SHA-256 over lines of fields that are separated by tabs: for each workspace
/// its path; for each of its packages name, version, source, checksum; for each
/// dependency of that package name, version, source. No field can hold a tab or
/// a line end. Where there is a lock file, its packages count and not what was
/// made of them, so that the digest is the same for every way to the graph.
#[derive(Default)]
pub(super) struct Digest {
    hash: Sha256,
}

impl Digest {
    pub(super) fn lock(&mut self, path: &str, lock: &LockFile) {
        self.line("workspace", &[path]);
        for package in &lock.packages {
            self.package(&package.id, package.checksum.as_deref());
            let targets = package.dependencies.iter().chain(&package.replace);
            for other in targets.filter_map(|&to| lock.packages.get(to)) {
                self.dependency(&other.id);
            }
        }
    }

    pub(super) fn workspace(&mut self, workspace: &Workspace) {
        self.line("workspace", &[&workspace.path]);
        for package in &workspace.packages {
            self.package(&package.id, package.checksum.as_deref());
            for other in package
                .edges
                .iter()
                .filter_map(|edge| workspace.packages.get(edge.to))
            {
                self.dependency(&other.id);
            }
        }
    }

    fn package(&mut self, id: &PackageId, checksum: Option<&str>) {
        let checksum = checksum.unwrap_or_default();
        self.line(
            "package",
            &[&id.name, &id.version.to_string(), &source(id), checksum],
        );
    }

    fn dependency(&mut self, id: &PackageId) {
        self.line(
            "dependency",
            &[&id.name, &id.version.to_string(), &source(id)],
        );
    }

    fn line(&mut self, kind: &str, fields: &[&str]) {
        self.hash.update(kind);
        for field in fields {
            self.hash.update("\t");
            self.hash.update(field);
        }
        self.hash.update("\n");
    }

    /// The digest as it stands in reports.
    pub(super) fn finish(self) -> String {
        use std::fmt::Write as _;
        let mut text = "sha256:".to_owned();
        for byte in self.hash.finalize() {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }
}

/// Empty for a local package.
fn source(id: &PackageId) -> std::borrow::Cow<'_, str> {
    match &id.source {
        Source::CratesIo => crate::pkg::CRATES_IO_GIT.into(),
        Source::Registry { url } => url.as_str().into(),
        Source::Git { .. } | Source::Local => id.source.to_lock().unwrap_or_default().into(),
    }
}
