//! Shared parts of the benches: texts of known lengths, models, bare sessions, the engine as a function, statistics.
//!
//! Nothing here is part of millrace. The benches print what they measure, and judge nothing: `scripts/bench.mjs` does.

pub mod bare;
pub mod drive;
pub mod models;
pub mod stats;
pub mod texts;

/// What goes wrong in a bench.
pub type Error = Box<dyn std::error::Error>;

/// `Result` of a bench.
pub type Result<T> = std::result::Result<T, Error>;
