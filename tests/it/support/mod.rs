//! What several tests share.

pub(crate) mod archives;
pub(crate) mod graph_oracle;
pub(crate) mod local_registry;
#[cfg(all(unix, feature = "postgres"))]
pub(crate) mod picture;
pub(crate) mod postgres;
#[cfg(target_os = "linux")]
pub(crate) mod prometheus;
pub(crate) mod project;
#[cfg(target_os = "linux")]
pub(crate) mod workload;
pub(crate) mod audits;
pub(crate) mod changes;
pub(crate) mod data;
pub(crate) mod graph;
pub(crate) mod index;
pub(crate) mod laws;
pub(crate) mod lock;
pub(crate) mod markup;
pub(crate) mod schema;
