//! What several tests share.

pub(crate) mod local_registry;
pub(crate) mod project;
