//! A session's thread: takes a run from the planner, runs it, finishes its rows, hands them to their jobs.

use super::{
    prepare,
    shared::{Phase, Running, Shared, State, Work},
};
use crate::{
    family::Family,
    job::JobInner,
    planner::{Hold, Plan},
};
use millrace_contract::{Batch, Error, ErrorKind, Result, RunControl, Runner};
use parking_lot::MutexGuard;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, atomic::Ordering},
    thread::JoinHandle,
    time::{Duration, Instant},
};

type Rows<F> = Vec<Option<Result<<F as Family>::Row>>>;

/// Starts the thread of `slot` with its session.
pub(super) fn spawn<F: Family>(
    shared: &Arc<Shared<F>>,
    slot: usize,
    session: Box<dyn Runner>,
) -> Result<JoinHandle<()>> {
    let shared = Arc::clone(shared);
    std::thread::Builder::new()
        .name(format!("millrace-run-{slot}"))
        .spawn(move || Worker { shared, slot, session: Some(session), apart: Vec::new(), hold: None }.work())
        .map_err(|error| {
            Error::new(ErrorKind::Internal, format!("The session's thread did not start: {error}"))
        })
}

struct Worker<F: Family> {
    shared: Arc<Shared<F>>,
    slot: usize,
    /// Absent after a failure: the next run opens a new one.
    session: Option<Box<dyn Runner>>,
    /// Rows chosen together that run one by one, the next one last: where rows must run apart, those of like length follow
    /// each other, as a session that goes back and forth between short and long rows is slower (dynamic int8 `MiniLM`
    /// on bimodal lengths by 12 %).
    apart: Vec<Work<F>>,
    /// What the run under way, or the rows set apart, hold of what all runs share.
    hold: Option<Hold>,
}

/// A run about to be done.
struct Run<F: Family> {
    works: Vec<Work<F>>,
    control: Arc<RunControl>,
    started: Instant,
}

impl<F: Family> Worker<F> {
    fn work(mut self) {
        while let Some(run) = self.next() {
            self.run(run);
            self.shared.settle(self.slot);
        }
    }

    fn next(&mut self) -> Option<Run<F>> {
        let shared = Arc::clone(&self.shared);
        let mut state = shared.lock();
        loop {
            if state.phase == Phase::Stopped {
                return None;
            }
            let idle = state.idle;
            self.apart.retain(|work| !work.job.is_cancelled());
            if let Some(work) = self.apart.pop() {
                return Some(self.begin(&mut state, vec![work]));
            }
            let freed = self.hold.take().is_some_and(|hold| state.planner.finish(hold));
            let next = state.planner.take(idle);
            if freed {
                // Other rows may have waited for what this worker's run held.
                shared.wake_idle_workers(&state);
            }
            if let Some(Plan { rows, hold }) = next {
                self.hold = Some(hold);
                let works = self.set_apart(rows);
                return Some(self.begin(&mut state, works));
            }
            if shared.queue.has_open() {
                MutexGuard::unlocked(&mut state, || prepare::run_next(&shared));
                continue;
            }
            state.idle += 1;
            shared.work.wait(&mut state);
            state.idle -= 1;
        }
    }

    fn begin(&self, state: &mut State<F>, works: Vec<Work<F>>) -> Run<F> {
        let control = Arc::new(RunControl::new());
        let mut jobs: Vec<Arc<JobInner<F>>> = Vec::new();
        for work in &works {
            if jobs.iter().all(|job| job.id != work.job.id) {
                jobs.push(Arc::clone(&work.job));
            }
        }
        let started = Instant::now();
        let wait = works.iter().map(|work| started.saturating_duration_since(work.since)).sum();
        self.shared.counters.count_wait(works.len(), wait);
        if let Some(limit) = jobs.iter().filter_map(|job| job.options.timeout).min() {
            self.shared.watchdog.arm(started + limit, &control);
        }
        state.running[self.slot] = Some(Running { control: Arc::clone(&control), jobs });
        Run { works, control, started }
    }

    /// The rows that run at once: all of them, or the first where rows must run apart.
    fn set_apart(&mut self, mut works: Vec<Work<F>>) -> Vec<Work<F>> {
        let slice = works.first().is_some_and(|work| work.job.slices.is_some());
        if self.shared.row_by_row() && !slice {
            self.apart = works.split_off(1);
            self.apart.reverse();
        }
        works
    }

    fn run(&mut self, run: Run<F>) {
        let mut rows: Rows<F> = run.works.iter().map(|_| None).collect();
        let outcome = catch_unwind(AssertUnwindSafe(|| self.infer(&run, &mut rows)))
            .unwrap_or_else(|_| Err(Error::new(ErrorKind::InferenceFailed, "The session panicked")));
        match outcome {
            Ok(padded_len) => self.succeed(run, rows, padded_len),
            Err(error) => {
                // Whatever state the session is in, the next run gets a fresh one; an end we asked for is no fault.
                if !run.control.is_terminated() {
                    self.session = None;
                }
                self.fail(run, &error);
            }
        }
    }

    fn infer(&mut self, run: &Run<F>, rows: &mut Rows<F>) -> Result<usize> {
        let family = &self.shared.family;
        if self.session.is_none() {
            let closed = || Error::new(ErrorKind::Closed, "The model was closed");
            self.session = Some(self.shared.backend().ok_or_else(closed)?.open(self.slot)?);
        }
        let session = self.session.as_mut().ok_or_else(|| Error::new(ErrorKind::Internal, "No session"))?;
        let items: Vec<&F::Item> = run.works.iter().map(|work| &work.item).collect();
        let batch: Batch = family.collate(&items)?;
        let started = Instant::now();
        let mut finish = Duration::ZERO;
        session.run(&batch, family.outputs(), &run.control, &mut |outputs| {
            let finishing = Instant::now();
            for (row, work) in run.works.iter().enumerate() {
                if !work.job.is_cancelled() {
                    let finish = || family.finish(outputs, &batch, row, &work.item, &work.job.call);
                    let finished = catch_unwind(AssertUnwindSafe(finish)).unwrap_or_else(|_| {
                        Err(Error::new(ErrorKind::Internal, "Finishing the row panicked"))
                    });
                    rows[row] = Some(finished);
                }
            }
            finish = finishing.elapsed();
            Ok(())
        })?;
        self.shared.counters.count_run(started.elapsed().saturating_sub(finish), finish);
        Ok(batch.padded_len)
    }

    fn succeed(&self, run: Run<F>, rows: Rows<F>, padded_len: usize) {
        let counters = &self.shared.counters;
        let mut counted: Vec<(u64, usize)> = Vec::new();
        for work in &run.works {
            match counted.iter_mut().find(|(id, _)| *id == work.job.id) {
                Some((_, count)) => *count += 1,
                None => counted.push((work.job.id, 1)),
            }
        }
        for work in &run.works {
            if let Some(at) = counted.iter().position(|(id, _)| *id == work.job.id) {
                let (_, count) = counted.swap_remove(at);
                work.job.update(|state| state.count_run(count * padded_len));
            }
        }
        for (work, row) in run.works.into_iter().zip(rows) {
            let Some(row) = row else { continue };
            let tokens = self.shared.family.tokens(&work.item);
            // A row that is refused after its run has cost its tokens, but is none.
            if work.part.is_none() && row.is_ok() {
                counters.count_row(tokens, padded_len);
            } else {
                counters.count_part(tokens, padded_len);
            }
            self.shared.deliver(work, tokens, row);
        }
    }

    /// Rows of a failed run are run again alone, so that only the one at fault fails. A slice of fixed batching
    /// cannot be taken apart and fails whole.
    fn fail(&self, run: Run<F>, error: &Error) {
        self.shared.counters.failed_runs.fetch_add(1, Ordering::Relaxed);
        let elapsed = run.started.elapsed();
        let alone = run.works.len() == 1;
        for work in run.works {
            if work.job.is_cancelled() {
                continue;
            }
            let limit =
                work.job.options.timeout.filter(|limit| run.control.is_terminated() && elapsed >= *limit);
            if let Some(limit) = limit {
                let message =
                    format!("The run took longer than timeoutMs ({} ms) and was ended", limit.as_millis());
                self.shared.deliver(work, 0, Err(Error::new(ErrorKind::Timeout, message)));
            } else if run.control.is_terminated() || !(alone || work.job.slices.is_some()) {
                self.shared.retry_alone(work);
            } else {
                self.shared.deliver(work, 0, Err(error.clone()));
            }
        }
    }
}
