//! The list in an executable.

use auditable_serde::{DependencyKind, Source as Listed};

use crate::pkg::{PackageId, Source};

use super::{ClaimError, Claimed, LIST_LIMIT};

/// The packages of an executable, in the order of its list.
pub(super) fn packages(bytes: &[u8]) -> Result<Vec<Claimed>, ClaimError> {
    let list = match auditable_info::audit_info_from_slice(bytes, LIST_LIMIT) {
        Ok(list) => list,
        Err(auditable_info::Error::NoAuditData) => return Err(ClaimError::NoList),
        Err(error) => {
            return Err(ClaimError::Unreadable {
                reason: error.to_string(),
            });
        }
    };
    Ok(list
        .packages
        .into_iter()
        .map(|package| {
            // The list tells kinds of sources and no addresses.
            let (source, vague_source) = match package.source {
                Listed::CratesIo => (Source::CratesIo, false),
                Listed::Local => (Source::Local, false),
                Listed::Git => (untold_git(), true),
                Listed::Registry => (untold("registry"), true),
                Listed::Other(_) => (untold("other"), true),
                // The list's own type may grow.
                _ => (untold("other"), true),
            };
            Claimed {
                id: PackageId {
                    name: package.name,
                    version: package.version,
                    source,
                },
                checksum: None,
                root: package.root,
                build_only: package.kind == DependencyKind::Build,
                vague_source,
                dependencies: package.dependencies,
            }
        })
        .collect())
}

/// A registry whose address is not told.
fn untold(kind: &str) -> Source {
    Source::Registry {
        url: format!("registry+untold:{kind}"),
    }
}

/// A repository whose address is not told.
fn untold_git() -> Source {
    Source::Git {
        url: "untold".to_owned(),
        reference: None,
        rev: None,
    }
}
