//! Threads for work that blocks and belongs to no engine: loading models, reading files, preparing texts.
//!
//! One set a process. A thread is made when work comes and all others are busy, and goes after it has had nothing to do for a while. Making
//! a thread may fail, in a container that limits them: then the work waits for a thread that is there, and only where there is none is it an
//! error. Nothing here panics or aborts, which is why it is not left to an executor: those take threads for granted.

use millrace_contract::{Error, ErrorKind, Result};
use parking_lot::{Condvar, Mutex};
use std::{
    collections::VecDeque,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, OnceLock},
    time::Duration,
};

/// Most threads. Their work waits for discs and locks more than it computes, but a call for each of a thousand images must not
/// become a thousand threads.
const MOST_THREADS: usize = 64;

/// How long a thread without work stays, so that calls that follow each other do not make a thread each.
const IDLE: Duration = Duration::from_secs(10);

/// Work to be done on a thread, called with `Ok` there. Called with the reason, elsewhere, where there is none.
type Work = Box<dyn FnOnce(Result<()>) + Send>;

/// How a thread is started. Tests put one in the place of the system's that fails.
type Start = Box<dyn Fn(Box<dyn FnOnce() + Send>) -> io::Result<()> + Send + Sync>;

struct State {
    waiting: VecDeque<Work>,
    /// Threads that work, wait for work or are being started.
    threads: usize,
    /// Threads that wait for work.
    idle: usize,
}

struct Background {
    start: Start,
    state: Mutex<State>,
    came: Condvar,
}

impl Background {
    fn new(start: Start) -> Arc<Self> {
        let state = Mutex::new(State { waiting: VecDeque::new(), threads: 0, idle: 0 });
        Arc::new(Self { start, state, came: Condvar::new() })
    }

    fn push(self: &Arc<Self>, work: Work) {
        let mut state = self.state.lock();
        state.waiting.push_back(work);
        if state.idle >= state.waiting.len() {
            self.came.notify_one();
            return;
        }
        if state.threads == MOST_THREADS {
            return;
        }
        state.threads += 1;
        drop(state);
        let this = Arc::clone(self);
        let Err(error) = (self.start)(Box::new(move || this.serve())) else { return };
        let mut state = self.state.lock();
        state.threads -= 1;
        // Threads that are there do what waits, one after the other.
        let lost = if state.threads == 0 { std::mem::take(&mut state.waiting) } else { VecDeque::new() };
        drop(state);
        for work in lost {
            work(Err(no_thread(&error)));
        }
    }

    fn serve(&self) {
        let mut state = self.state.lock();
        loop {
            if let Some(work) = state.waiting.pop_front() {
                drop(state);
                // `spawn` catches panics of the work itself; this is for those of its answer.
                let _ = catch_unwind(AssertUnwindSafe(|| work(Ok(()))));
                state = self.state.lock();
                continue;
            }
            state.idle += 1;
            let timed_out = self.came.wait_for(&mut state, IDLE).timed_out();
            state.idle -= 1;
            if timed_out && state.waiting.is_empty() {
                state.threads -= 1;
                return;
            }
        }
    }

    fn spawn<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce() -> Result<T> + Send + 'static,
        done: impl FnOnce(Result<T>) + Send + 'static,
    ) {
        self.push(Box::new(move |thread| {
            let outcome = catch_unwind(AssertUnwindSafe(|| thread.and_then(|()| work())));
            done(outcome.unwrap_or_else(|_| Err(Error::new(ErrorKind::Internal, "The work panicked"))));
        }));
    }
}

/// The error of a thread that the system refused.
pub(crate) fn no_thread(error: &io::Error) -> Error {
    let message = format!(
        "A thread could not be started ({error}): the process, its user or its container has as many as it may have"
    );
    Error::new(ErrorKind::Internal, message)
}

/// Does `work` on a thread that may block, and hands `done` its result there. A panic is an error of kind [`ErrorKind::Internal`]. Where the
/// system gives no thread, `done` is called here with that error.
pub fn spawn<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
    done: impl FnOnce(Result<T>) + Send + 'static,
) {
    static BACKGROUND: OnceLock<Arc<Background>> = OnceLock::new();
    let start = |serve| std::thread::Builder::new().name("millrace-work".into()).spawn(serve).map(drop);
    BACKGROUND.get_or_init(|| Background::new(Box::new(start))).spawn(work, done);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    };

    /// A set of threads whose system gives `most` of them.
    fn limited(most: usize) -> Arc<Background> {
        let started = AtomicUsize::new(0);
        Background::new(Box::new(move |serve| {
            if started.fetch_add(1, Ordering::SeqCst) >= most {
                return Err(io::Error::from(io::ErrorKind::WouldBlock));
            }
            std::thread::spawn(serve);
            Ok(())
        }))
    }

    #[test]
    fn work_is_done_and_answered() {
        let (answers, answered) = mpsc::channel();
        limited(1).spawn(|| Ok(6 * 7), move |answer| answers.send(answer).unwrap());
        assert_eq!(answered.recv().unwrap(), Ok(42));
    }

    #[test]
    fn a_panic_is_an_error_and_the_thread_goes_on() {
        let background = limited(1);
        let (answers, answered) = mpsc::channel();
        let sender = answers.clone();
        background
            .spawn(|| -> Result<u8> { panic!("on purpose") }, move |answer| sender.send(answer).unwrap());
        assert_eq!(answered.recv().unwrap().unwrap_err().kind(), ErrorKind::Internal);
        background.spawn(|| Ok(1), move |answer| answers.send(answer).unwrap());
        assert_eq!(answered.recv().unwrap(), Ok(1));
    }

    #[test]
    fn without_any_thread_the_answer_is_an_error() {
        let (answers, answered) = mpsc::channel();
        limited(0).spawn(|| Ok(1), move |answer: Result<u8>| answers.send(answer).unwrap());
        let error = answered.recv().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Internal);
        assert!(error.message().starts_with("A thread could not be started"), "{error}");
    }

    #[test]
    fn work_beyond_the_threads_that_the_system_gives_waits_for_one() {
        let background = limited(2);
        let (answers, answered) = mpsc::channel();
        for number in 0..50 {
            let answers = answers.clone();
            background.spawn(move || Ok(number), move |answer| answers.send(answer).unwrap());
        }
        let mut numbers: Vec<i32> = answered.iter().take(50).map(|answer| answer.unwrap()).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..50).collect::<Vec<_>>());
    }
}
