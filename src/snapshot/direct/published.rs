//! What the direct way asks of a registry.

use std::sync::Arc;

use crate::facts::Finding;
use crate::pkg::PackageId;
use crate::registry::{IndexRelease, ManifestFacts};

/// What was published: index entries, and the manifests inside of archives.
pub trait Published: Sync {
    /// The index entries of these releases, in their order.
    fn releases(&self, wanted: &[PackageId]) -> Vec<Finding<IndexRelease>>;

    /// The manifests of these releases, in their order; with each the checksum
    /// that the lock file has.
    fn manifests(&self, wanted: &[(PackageId, Option<String>)])
    -> Vec<Finding<Arc<ManifestFacts>>>;
}
