//! The whole pipeline, from two named builds to a finished [`Audit`], which is
//! plain data. Prints nothing.
//!
//! Imports: everything above.
