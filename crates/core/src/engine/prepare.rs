//! The preparing pool: tokenising texts and decoding images on threads of its own, urgent calls first.
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
    collections::{BTreeMap, HashMap},
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
    work: TaskWork<F>,
}

enum TaskWork<F: Family> {
    /// Inputs that follow each other.
    Inputs(Inputs<F>),
    /// More parts of an input.
    Parts(Arc<FanOut<F>>),
}

/// Inputs that follow each other in their job and among all inputs of the engine.
struct Inputs<F: Family> {
    /// Position of the first in its job.
    first_index: u64,
    /// Position of the first in the engine.
    first_seq: u64,
    admitted: Vec<Admitted<F::Input>>,
}

/// An input that the window has room for.
struct Admitted<I> {
    input: I,
    /// What it is booked with in the window until it is prepared, in tokens.
    estimate: usize,
    /// Virtual time of its turn.
    turn: u64,
}

/// The order of tasks: the most urgent first, then by turn, then by order of submission.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Urgency {
    priority: Reverse<i32>,
    turn: u64,
    seq: u64,
}

/// Tasks that wait for a thread.
pub(crate) struct Queue<F: Family>(Mutex<Waiting<F>>);

struct Waiting<F: Family> {
    tasks: BTreeMap<Urgency, Task<F>>,
    /// Tasks under way of jobs that have a bound, by the job's number. A job that may use one session may use one thread to prepare too: for
    /// families that finish inputs without a run, preparing is all the work there is.
    under_way: HashMap<u64, usize>,
}

impl<F: Family> Waiting<F> {
    /// The most urgent task whose job may have one more thread.
    fn first_open(&self) -> Option<Urgency> {
        let open = |job: &JobInner<F>| {
            self.under_way.get(&job.id).is_none_or(|&tasks| tasks < job.options.sessions.max(1))
        };
        self.tasks.iter().find(|(_, task)| open(&task.job)).map(|(urgency, _)| *urgency)
    }
}

impl<F: Family> Queue<F> {
    /// Whether a task could be taken now.
    pub(super) fn has_open(&self) -> bool {
        self.0.lock().first_open().is_some()
    }

    fn push(&self, urgency: Urgency, task: Task<F>) {
        self.0.lock().tasks.insert(urgency, task);
    }

    fn take(&self) -> Option<Task<F>> {
        let mut waiting = self.0.lock();
        let urgency = waiting.first_open()?;
        let task = waiting.tasks.remove(&urgency)?;
        if task.job.is_bounded() {
            *waiting.under_way.entry(task.job.id).or_default() += 1;
        }
        Some(task)
    }

    /// Notes that a task of `job` is done. Whether another task may be taken that could not be before.
    fn done(&self, job: &JobInner<F>) -> bool {
        if !job.is_bounded() {
            return false;
        }
        let mut waiting = self.0.lock();
        if let Some(tasks) = waiting.under_way.get_mut(&job.id) {
            *tasks -= 1;
            if *tasks == 0 {
                waiting.under_way.remove(&job.id);
            }
        }
        waiting.first_open().is_some()
    }
}

impl<F: Family> Default for Queue<F> {
    fn default() -> Self {
        Self(Mutex::new(Waiting { tasks: BTreeMap::new(), under_way: HashMap::new() }))
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
    let admit =
        |(input, &estimate): (F::Input, &usize)| Admitted { input, estimate, turn: job.turn(now, estimate) };
    let mut inputs = inputs.into_iter().zip(costs).map(admit).peekable();
    while inputs.peek().is_some() {
        let mut admitted = Vec::with_capacity(TASK_INPUTS);
        let mut tokens = 0;
        while let Some(input) = inputs.next_if(|_| admitted.len() < TASK_INPUTS && tokens < TASK_TOKENS) {
            tokens += input.estimate;
            admitted.push(input);
        }
        let count = admitted.len() as u64;
        let turn = admitted.first().map_or(now, |first| first.turn);
        let work = TaskWork::Inputs(Inputs { first_index: index, first_seq: seq, admitted });
        let urgency = Urgency { priority: Reverse(job.options.priority), turn, seq };
        shared.queue.push(urgency, Task { job: Arc::clone(job), work });
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
    let task = Task { job: Arc::clone(job), work: TaskWork::Parts(Arc::clone(fan)) };
    // The task that the input came with is done, so its number is free.
    let urgency = Urgency { priority: Reverse(job.options.priority), turn: fan.turn(), seq: fan.seq };
    shared.queue.push(urgency, task);
    spawn(shared);
}

fn spawn<F: Family>(shared: &Arc<Shared<F>>) {
    let shared = Arc::clone(shared);
    let pool = Arc::clone(&shared.pool);
    pool.spawn(move || run_next(&shared));
}

/// Does the most urgent task, if there is one.
pub(super) fn run_next<F: Family>(shared: &Arc<Shared<F>>) {
    let Some(Task { job, work }) = shared.queue.take() else { return };
    match work {
        TaskWork::Inputs(inputs) => run(shared, &job, inputs),
        TaskWork::Parts(fan) => parts::advance(shared, &job, &fan),
    }
    // Whoever came for a task while this job was at its bound has gone again.
    if shared.queue.done(&job) {
        spawn(shared);
    }
}

fn run<F: Family>(shared: &Arc<Shared<F>>, job: &Arc<JobInner<F>>, inputs: Inputs<F>) {
    let Inputs { first_index, first_seq, admitted } = inputs;
    let mut ready = Vec::with_capacity(admitted.len());
    let started = Instant::now();
    for ((index, seq), input) in (first_index..).zip(first_seq..).zip(admitted) {
        let Admitted { input, estimate, turn } = input;
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
    shared: &Arc<Shared<F>>,
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
