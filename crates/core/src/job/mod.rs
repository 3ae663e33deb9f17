//! One call on a loaded model: inputs go in while there is room, rows come out in order.
//!
//! A job is the window of its call. It holds what was pushed and not yet taken, and nothing else: a consumer that
//! stops taking stops the whole way behind it.

mod order;
mod slices;
mod state;

pub use order::Order;
pub use state::{Delivery, Progress};

pub(crate) use slices::{Arrived, Slices};
pub(crate) use state::{Arrival, JobState};

use crate::{
    engine::{Shared, prepare},
    family::Family,
};
use millrace_contract::{Error, ErrorKind, Result};
use parking_lot::Mutex;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

/// How rows are put into runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Batching {
    /// By length, together with other calls' rows.
    #[default]
    Planned,
    /// Slices of `batch_size` inputs in input order, each a run of its own: for results that depend on
    /// batch-mates.
    Fixed,
}

/// What to do when a row fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnError {
    /// Deliver what precedes it, then fail the job with its error.
    #[default]
    Throw,
    /// Deliver the error in the row's place and go on.
    Collect,
}

/// A call's options that concern the engine. What concerns the family is in its `Call`.
#[derive(Debug, Clone)]
pub struct JobOptions {
    /// Rows of a delivered batch.
    pub batch_size: usize,
    /// How rows are put into runs.
    pub batching: Batching,
    /// Order of delivery.
    pub order: Order,
    /// What a failed row does.
    pub on_error: OnError,
    /// Higher runs first.
    pub priority: i32,
    /// Longest time of one run.
    pub timeout: Option<Duration>,
    /// Sessions, and threads that prepare inputs, that may work for the job at once; `usize::MAX` for all of them.
    pub sessions: usize,
    /// Deliver what is finished, up to `batch_size` rows, without waiting for a whole batch: for a reader that puts
    /// batches together itself.
    pub eager: bool,
}

impl Default for JobOptions {
    fn default() -> Self {
        Self {
            // Of Rust's own callers. JavaScript's default is decided in src/options/call.ts, which always names a number.
            batch_size: 256,
            batching: Batching::Planned,
            order: Order::Input,
            on_error: OnError::Throw,
            priority: 0,
            timeout: None,
            sessions: usize::MAX,
            eager: false,
        }
    }
}

/// The part of a job that the engine's threads share.
pub(crate) struct JobInner<F: Family> {
    pub(crate) id: u64,
    pub(crate) options: JobOptions,
    pub(crate) call: F::Call,
    state: Mutex<JobState<F::Row>>,
    pub(crate) slices: Option<Mutex<Slices<F>>>,
    /// Set once, read everywhere: the job wants no more work done.
    cancelled: AtomicBool,
    /// Virtual time at which its next input's turn begins.
    next_turn: AtomicU64,
}

impl<F: Family> JobInner<F> {
    pub(crate) fn new(
        id: u64,
        options: JobOptions,
        call: F::Call,
        window: Window,
        typical_cost: usize,
    ) -> Self {
        let slices =
            (options.batching == Batching::Fixed).then(|| Mutex::new(Slices::new(options.batch_size)));
        let state = Mutex::new(JobState::new(&options, window, typical_cost));
        Self {
            id,
            options,
            call,
            state,
            slices,
            cancelled: AtomicBool::new(false),
            next_turn: AtomicU64::new(0),
        }
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    /// Whether the caller bounds how many sessions work for the job at once.
    pub(crate) fn is_bounded(&self) -> bool {
        self.options.sessions != usize::MAX
    }

    /// The turn of an input of `cost` tokens, not before `now`, the planner's virtual time. Inputs are numbered in order by
    /// the one thread that pushes them.
    pub(crate) fn turn(&self, now: u64, cost: usize) -> u64 {
        let turn = self.next_turn.load(Ordering::Relaxed).max(now);
        self.next_turn.store(turn + cost.max(1) as u64, Ordering::Relaxed);
        turn
    }

    /// Changes the locked state, then wakes who waits for the change. A woken reader may look at the job at
    /// once, on this thread, so it must not be woken under the lock.
    pub(crate) fn update<T>(&self, change: impl FnOnce(&mut JobState<F::Row>) -> T) -> T {
        let mut state = self.state.lock();
        let result = change(&mut state);
        let due = state.take_due();
        drop(state);
        for waker in due.into_iter().flatten() {
            waker.wake();
        }
        result
    }

    /// Reads the locked state.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&JobState<F::Row>) -> T) -> T {
        look(&self.state.lock())
    }

    /// Puts a finished row, or its error, in its place and wakes who waits for it.
    pub(crate) fn deliver(&self, index: u64, cost: usize, tokens: usize, row: Result<F::Row>) {
        let row = row.map_err(|error| error.at(index));
        self.update(|state| state.deliver(Arrival { index, cost, tokens, row }));
    }

    /// Ends the job with `error`; what was finished before stays deliverable in order.
    pub(crate) fn fail(&self, error: Error) {
        self.cancelled.store(true, Ordering::Release);
        self.update(|state| state.fail(error));
    }
}

/// How much of a source may be in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Rows pushed and not yet taken.
    pub rows: usize,
    /// Tokens pushed and not yet run; those not yet counted are estimated from their bytes.
    pub tokens: usize,
}

/// A call under way. Dropping it cancels it.
pub struct Job<F: Family> {
    inner: Arc<JobInner<F>>,
    shared: Arc<Shared<F>>,
}

impl<F: Family> Job<F> {
    pub(crate) fn new(inner: Arc<JobInner<F>>, shared: Arc<Shared<F>>) -> Self {
        Self { inner, shared }
    }

    /// Takes inputs in order. Returns how many more may be pushed now; 0 says that [`poll_room`](Self::poll_room)
    /// must be waited for. Takes what it is given even past the window: the caller pushes no more than the
    /// last answer allowed. A job that is over takes nothing and answers 0.
    pub fn push(&self, inputs: Vec<F::Input>) -> usize {
        let count = inputs.len();
        let costs: Vec<usize> = inputs.iter().map(|input| self.shared.family.input_cost(input)).collect();
        let Some(first) = self.inner.update(|state| state.admit(count, costs.iter().sum())) else { return 0 };
        prepare::spread(&self.shared, &self.inner, first, inputs, &costs);
        self.inner.read(JobState::room)
    }

    /// Says that no more inputs come.
    pub fn finish(&self) {
        let Some(total) = self.inner.update(JobState::finish_input) else { return };
        if let Some(slices) = &self.inner.slices {
            let last = slices.lock().finish(total);
            self.shared.enqueue_slices(&self.inner, last);
        }
    }

    /// How many inputs may be pushed: ready with a number above 0; with 0 when rows became ready first, so
    /// that whoever waits for both looks again; with `None` when the job takes no more.
    pub fn poll_room(&self, cx: &mut Context<'_>) -> Poll<Option<usize>> {
        self.inner.update(|state| state.poll_room(cx))
    }

    /// The next rows: `None` at the end, an error when the job failed. After an error the job is over.
    pub fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Delivery<F::Row>>>> {
        let polled = self.inner.update(|state| state.poll_next(cx));
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.close();
        }
        polled
    }

    /// Waits for the next rows on this thread. For callers without an executor.
    pub fn next_blocking(&self) -> Option<Result<Delivery<F::Row>>> {
        let waker = thread_waker();
        let mut cx = Context::from_waker(&waker);
        loop {
            match self.poll_next(&mut cx) {
                Poll::Ready(next) => return next,
                Poll::Pending => std::thread::park(),
            }
        }
    }

    /// Waits for room on this thread; `None` when the job takes no more.
    pub fn room_blocking(&self) -> Option<usize> {
        let waker = thread_waker();
        let mut cx = Context::from_waker(&waker);
        loop {
            match self.poll_room(&mut cx) {
                Poll::Ready(room) => return room,
                Poll::Pending => std::thread::park(),
            }
        }
    }

    /// Frees everything the job holds: waiting rows are dropped, a run that serves this job alone is
    /// terminated, pending waits answer [`ErrorKind::Aborted`]. Idempotent.
    pub fn cancel(&self) {
        self.inner.fail(Error::new(ErrorKind::Aborted, "The call was cancelled"));
        self.inner.update(JobState::clear);
        self.close();
    }

    /// Counters of this job.
    pub fn progress(&self) -> Progress {
        self.inner.read(JobState::progress)
    }

    fn close(&self) {
        self.inner.cancelled.store(true, Ordering::Release);
        self.shared.forget(&self.inner);
    }
}

impl<F: Family> Drop for Job<F> {
    fn drop(&mut self) {
        self.cancel();
    }
}

fn thread_waker() -> std::task::Waker {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    Arc::new(Unpark(std::thread::current())).into()
}
