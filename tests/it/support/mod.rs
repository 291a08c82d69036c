//! What several tests share.

pub(crate) mod archives;
pub(crate) mod audits;
pub(crate) mod changes;
pub(crate) mod data;
pub(crate) mod graph;
pub(crate) mod graph_oracle;
pub(crate) mod index;
#[cfg(unix)]
pub(crate) mod keys;
pub(crate) mod laws;
pub(crate) mod local_registry;
pub(crate) mod lock;
pub(crate) mod markup;
pub(crate) mod picture;
#[cfg(all(unix, feature = "postgres"))]
pub(crate) mod postgres;
pub(crate) mod project;
#[cfg(target_os = "linux")]
pub(crate) mod prometheus;
pub(crate) mod schema;
#[cfg(target_os = "linux")]
pub(crate) mod vm;
#[cfg(target_os = "linux")]
pub(crate) mod workload;
