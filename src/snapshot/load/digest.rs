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
        let names: Vec<String> = lock.packages.iter().map(|p| fields(&p.id)).collect();
        self.begin(path);
        for (package, name) in lock.packages.iter().zip(&names) {
            self.package(name, package.checksum.as_deref());
            let targets = package.dependencies.iter().chain(&package.replace);
            targets
                .filter_map(|&to| names.get(to))
                .for_each(|other| self.dependency(other));
        }
    }

    pub(super) fn workspace(&mut self, workspace: &Workspace) {
        let names: Vec<String> = workspace.packages.iter().map(|p| fields(&p.id)).collect();
        self.begin(&workspace.path);
        for (package, name) in workspace.packages.iter().zip(&names) {
            self.package(name, package.checksum.as_deref());
            package
                .edges
                .iter()
                .filter_map(|edge| names.get(edge.to))
                .for_each(|other| self.dependency(other));
        }
    }

    fn begin(&mut self, path: &str) {
        self.line(&["workspace\t", path]);
    }

    fn package(&mut self, name: &str, checksum: Option<&str>) {
        self.line(&["package\t", name, "\t", checksum.unwrap_or_default()]);
    }

    fn dependency(&mut self, name: &str) {
        self.line(&["dependency\t", name]);
    }

    fn line(&mut self, parts: &[&str]) {
        for part in parts {
            self.hash.update(part);
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

/// Name, version and source, as they stand in a line.
fn fields(id: &PackageId) -> String {
    format!("{}\t{}\t{}", id.name, id.version, source(id))
}

/// Empty for a local package.
fn source(id: &PackageId) -> std::borrow::Cow<'_, str> {
    match &id.source {
        Source::CratesIo => crate::pkg::CRATES_IO_GIT.into(),
        Source::Registry { url } => url.as_str().into(),
        Source::Git { .. } | Source::Local => id.source.to_lock().unwrap_or_default().into(),
    }
}
