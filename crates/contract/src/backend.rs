//! The traits of an inference backend. A backend is a loaded model; a runner is one thread's way to run it.

use crate::{Batch, Graph, Output, Result, RunMemory};
use parking_lot::Mutex;
use std::{
    fmt,
    sync::atomic::{AtomicBool, Ordering},
};

/// The library that does the work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuntimeInfo {
    /// Name, such as `onnxruntime`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where it was loaded from; empty when it is built in.
    pub path: String,
}

/// What a runner really runs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceInfo {
    /// `cpu` or `cuda`.
    pub device: String,
    /// Which one, for devices that are numbered.
    pub id: Option<u32>,
    /// Why it is not the device that was asked for, when `auto` fell back.
    pub fallback: Option<String>,
}

/// A loaded model that runners can be opened on.
///
/// The engine holds one value behind an `Arc` and calls it from any thread, several at once. Every method but
/// [`open`](Self::open) is a look-up that neither blocks nor fails and answers the same at every call. The engine drops the
/// backend after all of its runners; that drop frees the weights.
pub trait Backend: Send + Sync + 'static {
    /// The graph's inputs, outputs, quantisation and heads.
    fn graph(&self) -> &Graph;

    /// The library behind it.
    fn runtime(&self) -> RuntimeInfo;

    /// Opens the runner of the worker `slot` (0-based, below the number of sessions the backend was loaded for).
    ///
    /// The engine opens each slot once before it takes work. It opens a slot again after a run of that slot's runner failed or
    /// panicked, on the worker's thread, while the other slots run on: the runner that failed is dropped already, and the new one
    /// must not share state that the failure may have spoiled. An error at the start is the error of loading the model; an error
    /// later is that of the run that needed the runner, and the next run asks again. May block for as long as loading takes.
    fn open(&self, slot: usize) -> Result<Box<dyn Runner>>;

    /// The device that the runner of `slot` runs on.
    fn device(&self, slot: usize) -> DeviceInfo;

    /// Whether all slots run over one copy of the weights.
    fn shares_weights(&self) -> bool;

    /// What a run takes of memory beside the weights, where the backend knows it. `None` has the engine estimate it from the
    /// graph and the model's configuration, as for a graph whose every intermediate tensor is held in memory.
    fn run_memory(&self) -> Option<RunMemory> {
        None
    }
}

/// One worker's way to run the model. Only that worker's thread calls it, one run at a time; other runners of the same backend
/// run at the same time on other threads.
pub trait Runner: Send {
    /// Runs `batch` and hands its outputs to `sink`.
    ///
    /// * `batch`: every input is one of the graph's, and its values fill its shape. Which inputs there are and how long rows are
    ///   differs from run to run.
    /// * `wanted`: positions among the graph's outputs. `sink` gets those outputs, in that order, row-major, and each with the
    ///   element type that the graph declares.
    /// * `sink`: must be called exactly once when the run succeeds, on the calling thread, and never when it fails. It may take as long as
    ///   a tenth of a run. The runner gives back its error unchanged. Outputs are borrowed for the time of that call only.
    /// * `control`: must be looked at before the computation begins. When another thread terminates it during the run, the run must end
    ///   with [`ErrorKind::Aborted`](crate::ErrorKind::Aborted) within about the time of one graph node.
    ///
    /// Blocks until the run ends. An error, or a panic, concerns this batch alone: the engine drops the runner, opens the slot
    /// anew and runs the rows again one by one, so that the row at fault can be named. After an abort the same runner is used again.
    fn run(
        &mut self,
        batch: &Batch,
        wanted: &[usize],
        control: &RunControl,
        sink: &mut dyn FnMut(&[Output<'_>]) -> Result<()>,
    ) -> Result<()>;
}

type Hook = Box<dyn FnOnce() + Send>;

/// Lets another thread end one run. The engine makes one for every run and never uses it again.
#[derive(Default)]
pub struct RunControl {
    terminated: AtomicBool,
    /// What ends the run under way. Whoever takes the hook out of here runs it, so that it runs once, however many threads
    /// terminate the run while the backend is still setting the hook.
    hook: Mutex<Option<Hook>>,
}

impl RunControl {
    /// A control whose run nobody has asked to end.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the run to end. Idempotent, from any thread. A run that has not started ends as soon as it starts.
    pub fn terminate(&self) {
        self.terminated.store(true, Ordering::SeqCst);
        self.fire();
    }

    /// Whether the end was asked for.
    #[must_use]
    pub fn is_terminated(&self) -> bool {
        self.terminated.load(Ordering::SeqCst)
    }

    /// Has `hook` called by the first [`terminate`](Self::terminate), on the thread that calls it, or at once on this thread if the
    /// end was asked for already. The hook runs at most once and never under a lock of this type. A second hook replaces one that has
    /// not run. For backends.
    pub fn on_terminate(&self, hook: impl FnOnce() + Send + 'static) {
        let replaced = self.hook.lock().replace(Box::new(hook));
        // A hook may own what takes long to free, and what it owns may come back here.
        drop(replaced);
        // `terminate` may have looked for a hook before this one was there.
        if self.is_terminated() {
            self.fire();
        }
    }

    fn fire(&self) {
        let hook = self.hook.lock().take();
        if let Some(hook) = hook {
            hook();
        }
    }
}

impl fmt::Debug for RunControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunControl").field("terminated", &self.is_terminated()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        sync::{Arc, Barrier, atomic::AtomicUsize},
        thread,
    };

    fn counter(control: &RunControl) -> Arc<AtomicUsize> {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        control.on_terminate(move || {
            counted.fetch_add(1, Ordering::SeqCst);
        });
        calls
    }

    #[test]
    fn the_hook_of_a_run_that_was_ended_before_runs_at_once() {
        let control = RunControl::new();
        control.terminate();
        assert_eq!(counter(&control).load(Ordering::SeqCst), 1);
    }

    #[test]
    fn ending_a_run_twice_runs_its_hook_once() {
        let control = RunControl::new();
        let calls = counter(&control);
        control.terminate();
        control.terminate();
        assert_eq!(calls.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn threads_that_end_a_run_while_its_hook_is_set_run_it_once() {
        for _ in 0..200 {
            let control = RunControl::new();
            let start = Barrier::new(3);
            let calls = thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| {
                        start.wait();
                        control.terminate();
                    });
                }
                start.wait();
                counter(&control)
            });
            assert_eq!(calls.load(Ordering::SeqCst), 1);
        }
    }
}
