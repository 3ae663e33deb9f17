//! A lane is one ONNX Runtime session with what it takes to build it again: the CPU's is shared by all slots,
//! a CUDA device has one of its own.

use crate::{device, memory::release_memory, runtime};
use millrace_contract::{Error, ErrorKind, Result};
use ort::{
    ep,
    logging::LogLevel,
    session::{
        Session,
        builder::{AutoDevicePolicy, GraphOptimizationLevel, SessionBuilder},
    },
};
use parking_lot::{Mutex, MutexGuard};
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
};

/// What a session runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Device {
    Cpu,
    Cuda(u32),
}

/// A session, and whether a run of it failed in a way that may have left it broken.
pub(crate) struct Loaded {
    pub(crate) session: Session,
    suspect: AtomicBool,
    // After the session: fields drop in this order.
    _trim: TrimOnDrop,
}

/// Gives to the system what the fields dropped before it freed.
struct TrimOnDrop;

impl Drop for TrimOnDrop {
    fn drop(&mut self) {
        release_memory();
    }
}

impl Loaded {
    /// Marks it for replacement.
    pub(crate) fn suspect(&self) {
        self.suspect.store(true, Ordering::Relaxed);
    }
}

/// A replaceable session.
pub(crate) struct Lane {
    path: PathBuf,
    threads: usize,
    pub(crate) device: Device,
    current: Mutex<Arc<Loaded>>,
    rebuilding: Mutex<()>,
    running: Mutex<()>,
}

impl Lane {
    /// Loads the graph at `path` for `device`, with `threads` threads computing one run.
    pub(crate) fn load(path: &Path, threads: usize, device: Device) -> Result<Self> {
        let loaded = build(path, threads, device)?;
        Ok(Self {
            path: path.to_path_buf(),
            threads,
            device,
            current: Mutex::new(Arc::new(loaded)),
            rebuilding: Mutex::new(()),
            running: Mutex::new(()),
        })
    }

    /// The session to run now. Threads that still run an older one keep it alive until they finish.
    pub(crate) fn current(&self) -> Arc<Loaded> {
        Arc::clone(&self.current.lock())
    }

    /// Replaces a session that was marked suspect; once, however many ask.
    pub(crate) fn refresh(&self) -> Result<()> {
        let _one_at_a_time = self.rebuilding.lock();
        if self.current().suspect.load(Ordering::Relaxed) {
            let fresh = Arc::new(build(&self.path, self.threads, self.device)?);
            *self.current.lock() = fresh;
        }
        Ok(())
    }

    /// Held through a run by devices whose sessions take one run at a time.
    pub(crate) fn turn(&self) -> Option<MutexGuard<'_, ()>> {
        (self.device != Device::Cpu).then(|| self.running.lock())
    }
}

fn build(path: &Path, threads: usize, device: Device) -> Result<Loaded> {
    let unset = |error: &dyn std::fmt::Display| {
        Error::new(ErrorKind::RuntimeIncompatible, format!("ONNX Runtime refuses a session option: {error}"))
    };
    let builder = Session::builder(runtime::environment()?).map_err(|error| unset(&error.message()))?;
    let builder = options(builder, threads).map_err(|error| unset(&error.message()))?;
    let mut builder = on_device(builder, device)?;
    let session = builder.commit_from_file(path).map_err(|error| {
        let kind = match device {
            Device::Cuda(_) if !device::blames_model(error.code()) => ErrorKind::DeviceUnavailable,
            // The library says of a thread that was refused only that the session failed.
            _ if !can_start(threads - 1) => ErrorKind::Internal,
            _ => ErrorKind::ModelInvalid,
        };
        Error::new(kind, format!("{} does not load: {}", path.display(), error.message()))
    })?;
    // Loading leaves as much free heap behind as the weights it copied.
    release_memory();
    Ok(Loaded { session, suspect: AtomicBool::new(false), _trim: TrimOnDrop })
}

/// Whether the system gives as many threads at once as a session makes for itself.
fn can_start(threads: usize) -> bool {
    let (end, ended) = mpsc::channel::<()>();
    let ended = Mutex::new(ended);
    // Each waits until the sender is gone, so that all of them are there at the same time.
    let wait = || ended.lock().recv().is_ok();
    thread::scope(|scope| {
        let start = |_| thread::Builder::new().spawn_scoped(scope, wait).ok();
        let started = (0..threads).map_while(start).count();
        drop(end);
        started == threads
    })
}

fn options(builder: SessionBuilder, threads: usize) -> ort::Result<SessionBuilder> {
    let builder = builder
        .with_optimization_level(GraphOptimizationLevel::All)?
        // The fused kernel is slower than Add and LayerNormalization apart: on 2 cores with a MiniLM, dynamic
        // int8 went from 341 to 450 texts a second without it, fp32 from 187 to 206.
        .with_disabled_optimizers("SkipLayerNormFusion")?
        .with_intra_threads(threads)?
        .with_inter_threads(1)?
        // Spinning threads burn the cores that the event loop and the tokenising threads need.
        .with_intra_op_spinning(false)?
        .with_inter_op_spinning(false)?
        // A pattern is kept per input shape, and ours vary with every batch.
        .with_memory_pattern(false)?
        .with_log_level(LogLevel::Error)?
        // ort asks for "most efficient device" otherwise, which may be any that the library knows.
        .with_auto_device(AutoDevicePolicy::PreferCPU)?;
    Ok(builder)
}

fn on_device(builder: SessionBuilder, device: Device) -> Result<SessionBuilder> {
    let result = match device {
        // Without the arena runs were 5 to 15 % slower; ort's default for a named CPU provider is off.
        Device::Cpu => {
            builder.with_execution_providers([ep::CPU::default().with_arena_allocator(true).build()])
        }
        Device::Cuda(id) => builder.with_execution_providers([device::cuda_provider(id)]),
    };
    result.map_err(|error| {
        Error::new(ErrorKind::DeviceUnavailable, format!("{device:?} cannot be used: {}", error.message()))
    })
}
