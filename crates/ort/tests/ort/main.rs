//! Tests on the real library, in one process as it is meant to be used: it is loaded once and kept.

#![expect(clippy::unwrap_used, reason = "a helper of tests may panic as the tests do")]

mod common;
mod graphs;
mod memory;
mod probing;
mod run;
