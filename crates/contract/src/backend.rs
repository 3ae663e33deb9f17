//! The traits of an inference backend. A backend is a loaded model; a session is one thread's way to run it.

use crate::{Batch, Graph, Output, Result};
use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
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

/// What a session really runs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceInfo {
    /// `cpu` or `cuda`.
    pub device: String,
    /// Which one, for devices that are numbered.
    pub id: Option<u32>,
    /// Why it is not the device that was asked for, when `auto` fell back.
    pub fallback: Option<String>,
}

/// A loaded model that sessions can be opened on. Dropping it frees the weights.
pub trait Backend: Send + Sync + 'static {
    /// The graph's inputs, outputs and quantisation.
    fn graph(&self) -> &Graph;

    /// The library behind it.
    fn runtime(&self) -> RuntimeInfo;

    /// Opens the session of worker `slot` (0-based). Called again for the same slot after a failure, to
    /// replace a session that may be in a bad state.
    fn open(&self, slot: usize) -> Result<Box<dyn Session>>;

    /// The device that sessions of `slot` run on.
    fn device(&self, slot: usize) -> DeviceInfo;

    /// Whether all slots run over one copy of the weights.
    fn shares_weights(&self) -> bool;
}

/// One worker's way to run the model.
pub trait Session: Send {
    /// Runs `batch` and hands the outputs whose positions are in `wanted` (in that order) to `sink`, once.
    ///
    /// Blocks until the run ends. Ends early with [`ErrorKind::Aborted`](crate::ErrorKind::Aborted) when
    /// `control` is terminated from another thread, within about one graph node's time.
    fn run(
        &mut self,
        batch: &Batch,
        wanted: &[usize],
        control: &RunControl,
        sink: &mut dyn FnMut(&[Output<'_>]) -> Result<()>,
    ) -> Result<()>;
}

type Hook = Arc<dyn Fn() + Send + Sync>;

/// Lets another thread end one run. Made fresh for every run.
#[derive(Default)]
pub struct RunControl {
    terminated: AtomicBool,
    hook: Mutex<Option<Hook>>,
}

impl RunControl {
    /// Nothing asked for yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the run to end. Idempotent; before the run starts, it makes the run end at once.
    pub fn terminate(&self) {
        self.terminated.store(true, Ordering::SeqCst);
        let hook = self.hook.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(hook) = hook {
            hook();
        }
    }

    /// Whether the end was asked for.
    #[must_use]
    pub fn is_terminated(&self) -> bool {
        self.terminated.load(Ordering::SeqCst)
    }

    /// Has `hook` called on [`terminate`](Self::terminate); at once if that was already called. For backends.
    pub fn on_terminate(&self, hook: impl Fn() + Send + Sync + 'static) {
        let hook: Hook = Arc::new(hook);
        *self.hook.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&hook));
        if self.is_terminated() {
            hook();
        }
    }
}

impl fmt::Debug for RunControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunControl").field("terminated", &self.is_terminated()).finish_non_exhaustive()
    }
}
