//! What several tests share.

pub mod local_registry;
pub mod project;
