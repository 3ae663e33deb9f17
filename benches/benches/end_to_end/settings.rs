//! What the environment asks for.

use millrace_benches::{Result, texts};
use millrace_core::engine::EngineOptions;
use std::path::PathBuf;

/// Settings of a run of this bench.
pub struct Settings {
    sections: Option<Vec<String>>,
    /// Rounds of every comparison.
    pub rounds: usize,
    /// Tokens of a set: at 10,000 a second, a round of one contestant takes about that many seconds.
    pub tokens: usize,
    /// Padded tokens of millrace's runs; the sweep has its own.
    pub max_batch_tokens: usize,
    /// Program of the contestant fastembed, if there is one.
    pub fastembed: Option<PathBuf>,
    /// Where the JSON goes.
    pub out: PathBuf,
}

fn number(name: &str, default: usize) -> Result<usize> {
    match std::env::var(name) {
        Ok(value) => {
            value.parse().map_err(|_| format!("Expected a number for {name} but received {value}").into())
        }
        Err(_) => Ok(default),
    }
}

impl Settings {
    pub fn from_environment() -> Result<Self> {
        let sections = std::env::var("MILLRACE_BENCH_SECTIONS")
            .ok()
            .map(|list| list.split(',').map(|name| name.trim().to_owned()).collect());
        Ok(Self {
            sections,
            rounds: number("MILLRACE_BENCH_ROUNDS", 3)?,
            tokens: number("MILLRACE_BENCH_TOKENS", 24_000)?,
            max_batch_tokens: number("MILLRACE_BENCH_MAX_BATCH_TOKENS", EngineOptions::MAX_BATCH_TOKENS)?,
            fastembed: std::env::var_os("MILLRACE_BENCH_FASTEMBED").map(PathBuf::from),
            out: std::env::var_os("MILLRACE_BENCH_OUT")
                .map_or_else(|| texts::root().join("bench-results").join("end-to-end.json"), PathBuf::from),
        })
    }

    pub fn wants(&self, section: &str) -> bool {
        self.sections.as_ref().is_none_or(|sections| sections.iter().any(|name| name == section))
    }
}
