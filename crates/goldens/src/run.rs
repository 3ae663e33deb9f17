//! A family over the real runtime.

use crate::files::upward;
use millrace_contract::{Backend, Graph, Result};
use millrace_core::{
    engine::{Engine, EngineOptions},
    family::Family,
    job::{Batching, JobOptions, OnError},
};
use millrace_ort::{DeviceRequest, OrtBackend, OrtOptions, init};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// Sessions of an engine: two, so that rows of one call really run apart.
const SLOTS: usize = 2;

/// The ONNX Runtime library: `MILLRACE_ORT_PATH`, else that of the installed onnxruntime-node.
fn library() -> PathBuf {
    if let Some(path) = std::env::var_os("MILLRACE_ORT_PATH") {
        return path.into();
    }
    let bin = upward(&["node_modules/onnxruntime-node/bin/napi-v6"]);
    let (folder, file) = match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => ("linux/x64", "libonnxruntime.so.1"),
        ("linux", _) => ("linux/arm64", "libonnxruntime.so.1"),
        ("macos", _) => ("darwin/arm64", "libonnxruntime.1.30.0.dylib"),
        ("windows", "x86_64") => ("win32/x64", "onnxruntime.dll"),
        _ => ("win32/arm64", "onnxruntime.dll"),
    };
    bin.join(folder).join(file)
}

/// The graph at `path`, loaded on the CPU.
pub fn backend(path: &Path) -> Arc<OrtBackend> {
    init(&[library()]).unwrap_or_else(|error| panic!("{error}"));
    let options =
        OrtOptions { threads_per_session: 1, slots: SLOTS, device: DeviceRequest::Cpu, device_ids: vec![] };
    Arc::new(OrtBackend::load(path, &options).unwrap_or_else(|error| panic!("{error}")))
}

/// An engine over the graph at `path`, whose family `make` makes of the graph.
pub fn engine<F: Family>(path: &Path, make: impl FnOnce(&Graph) -> F) -> Engine<F> {
    let backend = backend(path);
    let family = make(backend.graph());
    let row_by_row = backend.graph().rows_interact();
    let options = EngineOptions { row_by_row, ..EngineOptions::of_sessions(SLOTS) };
    Engine::start(backend, family, options).unwrap_or_else(|error| panic!("{error}"))
}

/// Options of a call whose runs are slices of `batch_size`, as FastEmbed's are.
pub fn fixed(batch_size: usize) -> JobOptions {
    JobOptions { batch_size, batching: Batching::Fixed, on_error: OnError::Collect, ..JobOptions::default() }
}

/// The rows of `inputs`, in order, pushed as the window allows.
pub fn collect<F: Family>(
    engine: &Engine<F>,
    options: JobOptions,
    call: F::Call,
    inputs: Vec<F::Input>,
) -> Vec<Result<F::Row>> {
    let job = engine.submit(options, call).unwrap_or_else(|error| panic!("{error}"));
    let mut rows = Vec::with_capacity(inputs.len());
    let mut inputs = inputs.into_iter().peekable();
    while inputs.peek().is_some() {
        let room = job.room_blocking().unwrap_or_else(|| panic!("the call ended before its inputs"));
        if room == 0 {
            match job.next_blocking() {
                Some(Ok(delivery)) => rows.extend(delivery.rows),
                other => panic!("the call ended before its inputs: {}", other.is_some()),
            }
            continue;
        }
        job.push(inputs.by_ref().take(room).collect());
    }
    job.finish();
    while let Some(delivery) = job.next_blocking() {
        rows.extend(delivery.unwrap_or_else(|error| panic!("{error}")).rows);
    }
    rows
}
