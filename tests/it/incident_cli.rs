//! `incident` from the command line.
