//! Tests on the real library, in one process as it is meant to be used: it is loaded once and kept.

mod common;
mod graphs;
mod run;
