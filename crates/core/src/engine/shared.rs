//! What the threads of an engine share: the planner, what runs, who is open.

use super::{
    EngineOptions,
    fan_out::Part,
    metrics::{Counters, Metrics},
    parts, prepare,
    watchdog::Watchdog,
};
use crate::{
    family::Family,
    job::{Arrived, JobInner, JobOptions, JobState},
    planner::{Planner, Submitter, Unit},
};
use millrace_contract::{Backend, Error, ErrorKind, Result, RunControl};
use parking_lot::{Condvar, Mutex, MutexGuard};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

/// A prepared row on its way.
pub(crate) struct Work<F: Family> {
    pub(crate) job: Arc<JobInner<F>>,
    /// Position in the job's input.
    pub(crate) index: u64,
    /// Position among all inputs of the engine.
    pub(crate) seq: u64,
    /// Virtual time of its turn.
    pub(crate) turn: u64,
    /// What it weighs in the job's window.
    pub(crate) cost: usize,
    /// When it was prepared.
    pub(crate) since: Instant,
    pub(crate) item: F::Item,
    /// Which part of the input it is, where it is not the whole.
    pub(crate) part: Option<Part<F>>,
}

/// What a worker is doing.
pub(crate) struct Running<F: Family> {
    pub(crate) control: Arc<RunControl>,
    pub(crate) jobs: Vec<Arc<JobInner<F>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Open,
    /// No new jobs and inputs; what was pushed is finished.
    Draining,
    /// Threads end.
    Stopped,
}

pub(crate) struct State<F: Family> {
    pub(crate) planner: Planner<Work<F>>,
    pub(crate) running: Vec<Option<Running<F>>>,
    pub(crate) idle: usize,
    pub(crate) phase: Phase,
    jobs: HashMap<u64, Arc<JobInner<F>>>,
    opened: u64,
}

pub(crate) struct Shared<F: Family> {
    pub(crate) family: F,
    pub(crate) pool: Arc<rayon::ThreadPool>,
    pub(crate) queue: prepare::Queue<F>,
    pub(crate) counters: Counters,
    pub(crate) watchdog: Watchdog,
    /// Work for idle workers, or a change of phase.
    pub(crate) work: Condvar,
    state: Mutex<State<F>>,
    /// A run ended or a job went.
    settled: Condvar,
    backend: Mutex<Option<Arc<dyn Backend>>>,
    next_seq: AtomicU64,
    options: EngineOptions,
}

impl<F: Family> Shared<F> {
    pub(crate) fn new(
        backend: Arc<dyn Backend>,
        family: F,
        options: EngineOptions,
        slots: usize,
    ) -> Result<Self> {
        Ok(Self {
            family,
            pool: prepare::pool()?,
            queue: prepare::Queue::default(),
            counters: Counters::default(),
            watchdog: Watchdog::default(),
            work: Condvar::new(),
            state: Mutex::new(State {
                planner: Planner::new(options.max_batch_tokens, options.memory),
                running: (0..slots).map(|_| None).collect(),
                idle: 0,
                phase: Phase::Open,
                jobs: HashMap::new(),
                opened: 0,
            }),
            settled: Condvar::new(),
            backend: Mutex::new(Some(backend)),
            next_seq: AtomicU64::new(0),
            options,
        })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State<F>> {
        self.state.lock()
    }

    /// Whether every row runs alone.
    pub(crate) fn row_by_row(&self) -> bool {
        self.options.row_by_row
    }

    pub(crate) fn backend(&self) -> Option<Arc<dyn Backend>> {
        self.backend.lock().clone()
    }

    /// Reserves `count` places in the order of all inputs; the first of them.
    pub(crate) fn reserve(&self, count: usize) -> u64 {
        self.next_seq.fetch_add(count as u64, Ordering::Relaxed)
    }

    pub(crate) fn open_job(&self, options: JobOptions, call: F::Call) -> Result<Arc<JobInner<F>>> {
        let mut state = self.lock();
        if state.phase != Phase::Open {
            return Err(Error::new(ErrorKind::Closed, "The model was closed"));
        }
        let open = state.jobs.len();
        if open >= self.options.max_jobs {
            self.counters.refused_jobs.fetch_add(1, Ordering::Relaxed);
            let message = format!("{open} calls are open, as many as maxQueue allows; try again later");
            return Err(Error::new(ErrorKind::Overloaded, message));
        }
        state.opened += 1;
        let window = EngineOptions::window(open, options.batch_size, self.family.window_rows());
        let typical_cost = self.family.typical_cost();
        let job = Arc::new(JobInner::new(state.opened, options, call, window, typical_cost));
        state.jobs.insert(job.id, Arc::clone(&job));
        Ok(job)
    }

    /// Puts prepared rows of `job` into the planner, unless nobody wants them any more.
    pub(crate) fn enqueue(self: &Arc<Self>, job: &JobInner<F>, works: Vec<Work<F>>) {
        self.enqueue_units(job, works.into_iter().map(|work| self.unit(vec![work], false)));
    }

    /// Puts a complete slice of fixed batching into the planner, as a run of its own. Where inputs have parts it may have
    /// more rows than a slice has inputs, and becomes several runs of as many as that, in input order.
    pub(crate) fn enqueue_slices(self: &Arc<Self>, job: &Arc<JobInner<F>>, slice: Option<Vec<Arrived<F>>>) {
        let Some(slice) = slice else { return };
        let first = self.reserve(slice.len());
        let mut rows = (first..).zip(slice).map(|(seq, arrived)| arrived.into_work(job, seq)).peekable();
        let mut units = Vec::new();
        while rows.peek().is_some() {
            let run = rows.by_ref().take(job.options.batch_size.max(1)).collect();
            units.push(self.unit(run, true));
        }
        self.enqueue_units(job, units.into_iter());
    }

    /// Takes the finished row of `work`, or its error.
    pub(crate) fn deliver(self: &Arc<Self>, work: Work<F>, tokens: usize, row: Result<F::Row>) {
        let Work { job, index, cost, part, .. } = work;
        match part {
            None => {
                if let Err(error) = &row {
                    self.counters.count_error(error);
                }
                job.deliver(index, cost, tokens, row);
            }
            Some(part) => parts::finished(self, &job, part, cost, tokens, row),
        }
    }

    /// Drops waiting rows that nobody wants.
    pub(crate) fn drop_rows(&self, unwanted: impl FnMut(&Work<F>) -> bool) {
        let mut state = self.lock();
        let dropped = state.planner.remove_rows(unwanted);
        // A long row may have gone that others waited for.
        self.wake_idle_workers(&state);
        drop(state);
        drop(dropped);
    }

    /// Puts a row back to be run alone, after the run it was in failed.
    pub(crate) fn retry_alone(self: &Arc<Self>, work: Work<F>) {
        let job = Arc::clone(&work.job);
        self.enqueue_units(&job, std::iter::once(self.unit(vec![work], true)));
    }

    fn unit(&self, rows: Vec<Work<F>>, sealed: bool) -> Unit<Work<F>> {
        let first = &rows[0];
        Unit {
            seq: first.seq,
            priority: first.job.options.priority,
            turn: first.turn,
            group: self.family.group(&first.job.call),
            len: rows.iter().map(|work| self.family.padded_len(&work.item)).max().unwrap_or(0),
            sealed,
            submitter: Submitter { id: first.job.id, at_once: first.job.options.sessions.max(1) },
            rows,
        }
    }

    fn enqueue_units(self: &Arc<Self>, job: &JobInner<F>, units: impl Iterator<Item = Unit<Work<F>>>) {
        // Rows dropped after the lock is gone: freeing them is not the planner's time.
        let mut unwanted = Vec::new();
        let mut refused = Vec::new();
        let mut state = self.lock();
        for unit in units {
            if job.is_cancelled() || state.phase == Phase::Stopped {
                unwanted.push(unit);
            } else if self.options.memory.refuses(unit.rows.len(), unit.len) {
                refused.push(unit);
            } else {
                state.planner.push(unit);
            }
        }
        self.wake_idle_workers(&state);
        drop(state);
        drop(unwanted);
        for unit in refused {
            let error = self.options.memory.refusal(unit.rows.len(), unit.len);
            for work in unit.rows {
                self.deliver(work, 0, Err(error.clone()));
            }
            self.notify_settled();
        }
    }

    /// Wakes the workers that have nothing to do, because there may be work for them now.
    pub(crate) fn wake_idle_workers(&self, state: &State<F>) {
        if state.idle > 0 && !state.planner.is_empty() {
            self.work.notify_all();
        }
    }

    /// Wakes an idle worker; false when all are busy.
    pub(crate) fn wake_idle(&self) -> bool {
        let state = self.lock();
        let idle = state.idle > 0;
        if idle {
            self.work.notify_one();
        }
        idle
    }

    /// Forgets a job that is over: its waiting rows go, and a run that serves only jobs that are over ends.
    pub(crate) fn forget(&self, job: &Arc<JobInner<F>>) {
        let mut dropped = Vec::new();
        let mut state = self.lock();
        if state.jobs.remove(&job.id).is_none() {
            return;
        }
        let progress = job.read(JobState::progress);
        if progress.done < progress.submitted {
            dropped = state.planner.remove_rows(|work| work.job.id == job.id);
            self.wake_idle_workers(&state);
            for running in state.running.iter().flatten() {
                if running.jobs.iter().all(|job| job.is_cancelled()) {
                    running.control.terminate();
                }
            }
        }
        self.settled.notify_all();
        drop(state);
        drop(dropped);
    }

    /// Tells who waits for the end that a run ended.
    pub(crate) fn settle(&self, slot: usize) {
        self.lock().running[slot] = None;
        self.settled.notify_all();
    }

    /// Tells who waits for the end that rows were delivered without a run.
    pub(crate) fn notify_settled(&self) {
        let _state = self.lock();
        self.settled.notify_all();
    }

    /// Takes no more work and waits until what was pushed is finished, or until `deadline`.
    pub(crate) fn drain(&self, deadline: Option<Instant>) {
        let mut state = self.lock();
        if state.phase == Phase::Open {
            state.phase = Phase::Draining;
        }
        // Waking a job's reader may bring it back here, so not under the lock.
        let jobs: Vec<_> = state.jobs.values().cloned().collect();
        MutexGuard::unlocked(&mut state, || jobs.iter().for_each(|job| job.update(JobState::refuse_input)));
        while state.phase == Phase::Draining && state.jobs.values().any(|job| job.read(JobState::has_work)) {
            match deadline {
                None => self.settled.wait(&mut state),
                Some(deadline) => {
                    if self.settled.wait_until(&mut state, deadline).timed_out() {
                        break;
                    }
                }
            }
        }
    }

    /// Ends everything: unfinished jobs fail with `CLOSED`, runs are terminated, threads go. Does not wait.
    pub(crate) fn stop(&self) {
        let mut state = self.lock();
        state.phase = Phase::Stopped;
        let jobs = std::mem::take(&mut state.jobs);
        let dropped = state.planner.remove_rows(|_| true);
        for running in state.running.iter().flatten() {
            running.control.terminate();
        }
        self.work.notify_all();
        self.settled.notify_all();
        drop(state);
        drop(dropped);
        for job in jobs.values() {
            job.update(JobState::refuse_input);
            if job.read(JobState::has_work) {
                job.fail(Error::new(ErrorKind::Closed, "The model was closed before the call was finished"));
            }
        }
        self.watchdog.stop();
    }

    /// Waits until no run is under way, or until `deadline`.
    pub(crate) fn wait_quiet(&self, deadline: Instant) {
        let mut state = self.lock();
        while state.running.iter().any(Option::is_some) {
            if self.settled.wait_until(&mut state, deadline).timed_out() {
                return;
            }
        }
    }

    /// Lets go of the weights, once the sessions on them are gone.
    pub(crate) fn release(&self) {
        *self.backend.lock() = None;
    }

    pub(crate) fn metrics(&self) -> Metrics {
        let state = self.lock();
        let oldest = state.planner.rows().map(|work| work.since).min();
        Metrics {
            waiting_rows: state.planner.waiting_rows(),
            queue_age: oldest.map_or(std::time::Duration::ZERO, |since| since.elapsed()),
            open_jobs: state.jobs.len(),
            ..self.counters.read()
        }
    }
}
