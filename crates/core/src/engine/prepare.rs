//! The preparing pool: tokenising (later decoding) on threads of its own, urgent calls first.
//!
//! One pool a process. Rayon spawns in no order of priority, so what is spawned is always "do the most urgent task",
//! and the tasks wait in a queue of the engine.

use super::{
    fan_out::FanOut,
    parts::{self, Split},
    shared::{Shared, Work},
};
use crate::{
    cpu,
    family::{Family, Prepared},
    job::{Arrived, JobInner},
};
use millrace_contract::{Error, ErrorKind, Result};
use parking_lot::Mutex;
use std::{
    cmp::Reverse,
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, OnceLock},
    time::Instant,
};

/// Inputs of one task. About a millisecond of tokenising, so an urgent input waits no longer than that.
pub(super) const TASK_INPUTS: usize = 16;

/// Estimated tokens of one task, for the same reason.
pub(super) const TASK_TOKENS: usize = 4096;

struct Task<F: Family> {
    job: Arc<JobInner<F>>,
    what: What<F>,
}

enum What<F: Family> {
    /// Inputs, the first of them with these numbers in its job and in the engine.
    Inputs {
        first_index: u64,
        first_seq: u64,
        /// Each with its estimated tokens and its turn.
        inputs: Vec<(F::Input, usize, u64)>,
    },
    /// More parts of an input.
    Parts(Arc<FanOut<F>>),
}

/// By priority, turn and order of submission.
type Tasks<F> = BTreeMap<(Reverse<i32>, u64, u64), Task<F>>;

/// Tasks by urgency, then by age.
pub(crate) struct Queue<F: Family>(Mutex<Tasks<F>>);

impl<F: Family> Queue<F> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.lock().is_empty()
    }
}

impl<F: Family> Default for Queue<F> {
    fn default() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }
}

/// The process's pool.
pub(crate) fn pool() -> Result<Arc<rayon::ThreadPool>> {
    static POOL: OnceLock<Arc<rayon::ThreadPool>> = OnceLock::new();
    if let Some(pool) = POOL.get() {
        return Ok(Arc::clone(pool));
    }
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(cpu::cores().allowed)
        .thread_name(|number| format!("millrace-prep-{number}"))
        .build()
        .map_err(|error| {
            Error::new(ErrorKind::Internal, format!("The preparing pool did not start: {error}"))
        })?;
    Ok(Arc::clone(POOL.get_or_init(|| Arc::new(pool))))
}

/// Cuts `inputs`, whose first is number `first_index` of `job`, into tasks and has the pool do them.
pub(crate) fn spread<F: Family>(
    shared: &Arc<Shared<F>>,
    job: &Arc<JobInner<F>>,
    first_index: u64,
    inputs: Vec<F::Input>,
    costs: &[usize],
) {
    let mut index = first_index;
    let mut seq = shared.reserve(inputs.len());
    let now = shared.lock().planner.virtual_time();
    let mut inputs =
        inputs.into_iter().zip(costs).map(|(input, &cost)| (input, cost, job.turn(now, cost))).peekable();
    while inputs.peek().is_some() {
        let mut chunk = Vec::with_capacity(TASK_INPUTS);
        let mut tokens = 0;
        while let Some(input) = inputs.next_if(|_| chunk.len() < TASK_INPUTS && tokens < TASK_TOKENS) {
            tokens += input.1;
            chunk.push(input);
        }
        let count = chunk.len() as u64;
        let turn = chunk.first().map_or(now, |(_, _, turn)| *turn);
        let what = What::Inputs { first_index: index, first_seq: seq, inputs: chunk };
        let task = Task { job: Arc::clone(job), what };
        shared.queue.0.lock().insert((Reverse(job.options.priority), turn, seq), task);
        index += count;
        seq += count;
        // A call of one task goes to a session's thread that has nothing to do: it prepares and runs it without a
        // second thread to be woken. Should that thread find other work, the task is done by whoever is next.
        let alone = index == first_index + count && inputs.peek().is_none();
        if alone && shared.wake_idle() {
            return;
        }
        spawn(shared);
    }
}

/// Has the pool make more parts of an input, when it is its turn.
pub(super) fn again<F: Family>(shared: &Arc<Shared<F>>, job: &Arc<JobInner<F>>, fan: &Arc<FanOut<F>>) {
    let task = Task { job: Arc::clone(job), what: What::Parts(Arc::clone(fan)) };
    // The task that the input came with is done, so its number is free.
    shared.queue.0.lock().insert((Reverse(job.options.priority), fan.turn(), fan.seq), task);
    spawn(shared);
}

fn spawn<F: Family>(shared: &Arc<Shared<F>>) {
    let shared = Arc::clone(shared);
    let pool = Arc::clone(&shared.pool);
    pool.spawn(move || {
        run_next(&shared);
    });
}

/// Does the most urgent task; false when there is none.
pub(super) fn run_next<F: Family>(shared: &Arc<Shared<F>>) -> bool {
    let task = shared.queue.0.lock().pop_first();
    let Some((_, task)) = task else { return false };
    match task.what {
        What::Inputs { first_index, first_seq, inputs } => {
            run(shared, &task.job, first_index, first_seq, inputs);
        }
        What::Parts(fan) => parts::advance(shared, &task.job, &fan),
    }
    true
}

fn run<F: Family>(
    shared: &Arc<Shared<F>>,
    job: &Arc<JobInner<F>>,
    first_index: u64,
    first_seq: u64,
    inputs: Vec<(F::Input, usize, u64)>,
) {
    let mut ready = Vec::with_capacity(inputs.len());
    let started = Instant::now();
    for ((index, seq), (input, estimate, turn)) in (first_index..).zip(first_seq..).zip(inputs) {
        if job.is_cancelled() {
            return;
        }
        let prepared = catch_unwind(AssertUnwindSafe(|| shared.family.prepare(input, &job.call)))
            .unwrap_or_else(|_| Err(Error::new(ErrorKind::Internal, "Preparing the input panicked")));
        let item = match prepared {
            Ok(Prepared::Item(item)) => item,
            Ok(Prepared::Row(row, tokens)) => {
                shared.counters.count_row(tokens, tokens);
                finish(shared, job, index, estimate, tokens, Ok(row));
                continue;
            }
            Ok(Prepared::Parts(parts, merge)) => {
                parts::begin(shared, job, Split { index, seq, turn, estimate, parts, merge });
                continue;
            }
            Err(error) => {
                finish(shared, job, index, estimate, 0, Err(error));
                continue;
            }
        };
        let cost = shared.family.weight(&item);
        job.update(|state| state.recount(estimate, cost));
        if let Some(slices) = &job.slices {
            let complete = slices.lock().arrive(index, Some(Arrived { index, turn, cost, item, part: None }));
            shared.enqueue_slices(job, complete);
        } else {
            // The task's own time is not told from waiting: it is about a millisecond.
            ready.push(Work {
                job: Arc::clone(job),
                index,
                seq,
                turn,
                cost,
                since: started,
                item,
                part: None,
            });
        }
    }
    shared.counters.count_prepare(started.elapsed());
    if ready.is_empty() {
        shared.notify_settled();
    } else {
        shared.enqueue(job, ready);
    }
}

/// Delivers a row that needs no run, or the error of an input.
fn finish<F: Family>(
    shared: &Shared<F>,
    job: &Arc<JobInner<F>>,
    index: u64,
    estimate: usize,
    tokens: usize,
    row: Result<F::Row>,
) {
    if let Err(error) = &row {
        shared.counters.count_error(error);
    }
    job.deliver(index, estimate, tokens, row);
    if let Some(slices) = &job.slices {
        let complete = slices.lock().arrive(index, None);
        shared.enqueue_slices(job, complete);
    }
}
