//! Counters of an engine: what threads add to as they work, and the snapshot that is read. Nothing is decided by them.

use millrace_contract::Error;
use parking_lot::Mutex;
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Upper bounds of the classes of run times in milliseconds; longer runs are in one class more. From a short query to a run
/// that a time limit would end, about three classes a decade.
pub const RUN_TIME_BOUNDS_MS: [u32; 12] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];

/// Counters of an engine since it was made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metrics {
    /// Rows finished.
    pub rows: u64,
    /// Tokens of the finished rows.
    pub tokens: u64,
    /// The same, padding included.
    pub padded_tokens: u64,
    /// Runs that succeeded.
    pub runs: u64,
    /// Runs that failed or were terminated.
    pub failed_runs: u64,
    /// Rows in the planner.
    pub waiting_rows: usize,
    /// How long the oldest of them has waited.
    pub queue_age: Duration,
    /// Open jobs.
    pub open_jobs: usize,
    /// Jobs that were refused because the queue was full.
    pub refused_jobs: u64,
    /// Rows that began to run, and how long they had waited in the planner, all together.
    pub started_rows: u64,
    /// See `started_rows`.
    pub wait: Duration,
    /// Preparing inputs (tokenising, decoding), over all threads.
    pub prepare: Duration,
    /// Runs of the graph, over all threads.
    pub inference: Duration,
    /// Pooling, normalising and writing rows, over all threads.
    pub finish: Duration,
    /// Runs by their time: one class more than [`RUN_TIME_BOUNDS_MS`].
    pub run_times: [u64; RUN_TIME_BOUNDS_MS.len() + 1],
    /// Failed rows by the code of their error.
    pub errors: BTreeMap<&'static str, u64>,
}

/// Counters that threads add to. A thread adds a few times a run, never once a token.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) rows: AtomicU64,
    pub(crate) tokens: AtomicU64,
    pub(crate) padded_tokens: AtomicU64,
    pub(crate) runs: AtomicU64,
    pub(crate) failed_runs: AtomicU64,
    pub(crate) refused_jobs: AtomicU64,
    started_rows: AtomicU64,
    wait: AtomicU64,
    prepare: AtomicU64,
    inference: AtomicU64,
    finish: AtomicU64,
    run_times: [AtomicU64; RUN_TIME_BOUNDS_MS.len() + 1],
    errors: Mutex<BTreeMap<&'static str, u64>>,
}

impl Counters {
    pub(crate) fn count_row(&self, tokens: usize, padded_tokens: usize) {
        self.count_input();
        self.count_part(tokens, padded_tokens);
    }

    /// Counts the row of an input whose parts were counted.
    pub(crate) fn count_input(&self) {
        self.rows.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_part(&self, tokens: usize, padded_tokens: usize) {
        self.tokens.fetch_add(tokens as u64, Ordering::Relaxed);
        self.padded_tokens.fetch_add(padded_tokens as u64, Ordering::Relaxed);
    }

    /// Rows begin to run after having waited.
    pub(crate) fn count_wait(&self, rows: usize, wait: Duration) {
        self.started_rows.fetch_add(rows as u64, Ordering::Relaxed);
        add(&self.wait, wait);
    }

    pub(crate) fn count_prepare(&self, time: Duration) {
        add(&self.prepare, time);
    }

    /// A run took `inference` in the graph and `finish` after it.
    pub(crate) fn count_run(&self, inference: Duration, finish: Duration) {
        self.runs.fetch_add(1, Ordering::Relaxed);
        add(&self.inference, inference);
        add(&self.finish, finish);
        let milliseconds = inference.as_millis();
        let class = RUN_TIME_BOUNDS_MS.partition_point(|&bound| milliseconds >= u128::from(bound));
        self.run_times[class].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_error(&self, error: &Error) {
        *self.errors.lock().entry(error.kind().code()).or_default() += 1;
    }

    /// What was counted; what waits is the state's to say.
    pub(crate) fn read(&self) -> Metrics {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let time = |counter: &AtomicU64| Duration::from_nanos(read(counter));
        Metrics {
            rows: read(&self.rows),
            tokens: read(&self.tokens),
            padded_tokens: read(&self.padded_tokens),
            runs: read(&self.runs),
            failed_runs: read(&self.failed_runs),
            refused_jobs: read(&self.refused_jobs),
            started_rows: read(&self.started_rows),
            wait: time(&self.wait),
            prepare: time(&self.prepare),
            inference: time(&self.inference),
            finish: time(&self.finish),
            run_times: self.run_times.each_ref().map(read),
            errors: self.errors.lock().clone(),
            ..Metrics::default()
        }
    }
}

/// Nanoseconds of 64 bits last for centuries.
fn add(counter: &AtomicU64, time: Duration) {
    counter.fetch_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
}
