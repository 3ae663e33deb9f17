//! The engine of one loaded model: one scheduler, shared by all calls on it.
//!
//! Inputs are prepared on a pool, wait in the planner, run on the sessions' own threads and go back to their jobs as
//! finished rows. The engine knows no family and no inference library.

mod fan_out;
mod metrics;
mod options;
mod parts;
pub(crate) mod prepare;
mod registry;
mod shared;
mod watchdog;
mod worker;

pub use metrics::{Metrics, RUN_TIME_BOUNDS_MS};
pub use options::{EngineOptions, Parallelism, Sessions};
pub use registry::quiesce_all;

pub(crate) use fan_out::Part;
pub(crate) use shared::Shared;

use crate::{
    family::{self, Family},
    job::{Job, JobOptions},
};
use millrace_contract::{Backend, Result};
use parking_lot::Mutex;
use rayon::prelude::*;
use std::{
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// A loaded model at work. Dropping it without [`close`](Self::close) stops it without waiting.
pub struct Engine<F: Family> {
    shared: Arc<Shared<F>>,
    workers: Mutex<Vec<JoinHandle<()>>>,
}

impl<F: Family> Engine<F> {
    /// Opens `options.sessions` sessions on `backend` and starts their threads. An error of any session is
    /// the error of the start.
    pub fn start(backend: Arc<dyn Backend>, family: F, options: EngineOptions) -> Result<Self> {
        let sessions: Vec<_> =
            (0..options.sessions.max(1)).map(|slot| backend.open(slot)).collect::<Result<_>>()?;
        let shared = Arc::new(Shared::new(backend, family, options, sessions.len())?);
        registry::register(&shared);
        let mut workers = Vec::with_capacity(sessions.len());
        for (slot, session) in sessions.into_iter().enumerate() {
            match worker::spawn(&shared, slot, session) {
                Ok(worker) => workers.push(worker),
                Err(error) => {
                    shared.stop();
                    return Err(error);
                }
            }
        }
        Ok(Self { shared, workers: Mutex::new(workers) })
    }

    /// Opens a job.
    ///
    /// Fails with `OVERLOADED` when `max_jobs` are open and with `CLOSED` after [`close`](Self::close).
    pub fn submit(&self, options: JobOptions, call: F::Call) -> Result<Job<F>> {
        let inner = self.shared.open_job(options, call)?;
        Ok(Job::new(inner, Arc::clone(&self.shared)))
    }

    /// The family that prepares and finishes.
    pub fn family(&self) -> &F {
        &self.shared.family
    }

    /// Counters since the start.
    pub fn metrics(&self) -> Metrics {
        self.shared.metrics()
    }

    /// Runs `work` on the preparing pool and waits for it: for counting tokens and the like.
    pub fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        self.shared.pool.install(work)
    }

    /// Counts tokens on the preparing pool and waits for it; an error names its input.
    pub(crate) fn count_each<I: Sync>(
        &self,
        inputs: &[I],
        count: impl Fn(&F, &I) -> Result<usize> + Sync,
    ) -> Result<Vec<u32>> {
        let count = |(index, input): (usize, &I)| {
            let tokens = count(self.family(), input).map_err(|error| error.at(index as u64))?;
            Ok(family::count(tokens))
        };
        self.install(|| inputs.par_iter().enumerate().map(count).collect())
    }

    /// Takes no more work, finishes what was pushed, ends the threads and frees the model. With a `timeout`, what
    /// is not finished by then is dropped and its jobs fail with `CLOSED`. Blocks; idempotent: every caller
    /// returns once the model is gone.
    pub fn close(&self, timeout: Option<Duration>) {
        self.shared.drain(timeout.map(|timeout| Instant::now() + timeout));
        self.shared.stop();
        for worker in self.workers.lock().drain(..) {
            // A worker catches panics of everything it calls; one that died all the same is gone, as wanted.
            let _ = worker.join();
        }
        self.shared.release();
    }
}

impl<F: Family> Drop for Engine<F> {
    fn drop(&mut self) {
        self.shared.stop();
        self.shared.release();
    }
}
