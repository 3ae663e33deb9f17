//! One worker's way to run a lane: buffers in, borrowed outputs out, an end on demand.

use crate::{
    lane::{Device, Lane, Loaded},
    memory::release_memory,
    names::{NamedInput, Names},
    shared_run,
    tensor::{self, Fed},
};
use millrace_contract::{Batch, Error, ErrorKind, InputData, Output, Result, RunControl, Runner};
use ort::{ErrorCode, session::RunOptions, value::DynValue};
use std::{
    ffi::CStr,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

/// Padded tokens from which a run gives the arena's free memory back to the system when it ends. A usual run
/// has about 512 and never pays. Measured with fp32 MiniLM (resident memory: 122 MB once loaded) after
/// 16 texts of 256 tokens: 284 MB without, 188 MB with a shrunk arena, 130 MB with the heap trimmed too;
/// after 64 texts: 696, 244 and 150 MB. It costs about 1 % of a run from 2,048 tokens on, up to 5 % below.
const SHRINK_FROM: usize = 2048;

/// Pixels that cost about what a token does: a patch of 16 x 16 in three colours.
const PIXELS_PER_TOKEN: usize = 768;

type Sink<'s> = dyn FnMut(&[Output<'_>]) -> Result<()> + 's;

/// Runs batches on a lane.
pub(crate) struct OrtRunner {
    pub(crate) lane: Arc<Lane>,
    pub(crate) names: Arc<Names>,
}

impl Runner for OrtRunner {
    fn run(
        &mut self,
        batch: &Batch,
        wanted: &[usize],
        control: &RunControl,
        sink: &mut dyn FnMut(&[Output<'_>]) -> Result<()>,
    ) -> Result<()> {
        let loaded = self.lane.current();
        // A panic of ort (it asserts on answers it does not expect) or of the sink ends this run only.
        catch_unwind(AssertUnwindSafe(|| self.attempt(&loaded, batch, wanted, control, sink))).unwrap_or_else(
            |_| {
                loaded.suspect();
                Err(Error::new(ErrorKind::Internal, "a run panicked"))
            },
        )
    }
}

impl OrtRunner {
    fn attempt(
        &self,
        loaded: &Loaded,
        batch: &Batch,
        wanted: &[usize],
        control: &RunControl,
        sink: &mut Sink<'_>,
    ) -> Result<()> {
        let outputs = self.outputs(wanted)?;
        let named = batch.inputs.iter().map(|input| self.input(&input.name)).collect::<Result<Vec<_>>>()?;
        let fed = batch
            .inputs
            .iter()
            .zip(&named)
            .map(|(input, named)| Fed::new(input, named.element))
            .collect::<Result<Vec<_>>>()?;
        let inputs: Vec<_> =
            named.iter().zip(&fed).map(|(named, fed)| (named.name.as_c_str(), fed.ptr())).collect();
        let _turn = self.lane.turn();
        let options = self.options(batch, control)?;
        if control.is_terminated() {
            return Err(aborted());
        }
        // SAFETY: `fed` borrows the batch and lives through the call, so the values are live and unwritten.
        // A lane on a device other than the CPU is run by whoever holds its turn, alone.
        let values = unsafe { shared_run::run(&loaded.session, &options, &inputs, &outputs) }
            .map_err(|error| failed(loaded, control, &error))?;
        let result = deliver(&outputs, &values, sink);
        drop(values);
        if self.shrinks(batch) {
            release_memory();
        }
        result
    }

    /// Whether a run of `batch` is so large that memory goes back to the system after it.
    fn shrinks(&self, batch: &Batch) -> bool {
        let pixels = batch.inputs.iter().map(|input| match &input.data {
            InputData::F32(values) => values.len(),
            InputData::I64(_) => 0,
        });
        let cost = batch.rows.saturating_mul(batch.padded_len).max(pixels.sum::<usize>() / PIXELS_PER_TOKEN);
        self.lane.device == Device::Cpu && cost >= SHRINK_FROM
    }

    fn input(&self, name: &str) -> Result<&NamedInput> {
        self.names
            .input(name)
            .ok_or_else(|| Error::new(ErrorKind::InferenceFailed, format!("the graph has no input {name}")))
    }

    fn outputs(&self, wanted: &[usize]) -> Result<Vec<&CStr>> {
        wanted
            .iter()
            .map(|position| {
                self.names.output(*position).map(std::ffi::CString::as_c_str).ok_or_else(|| {
                    Error::new(ErrorKind::Internal, format!("the graph has no output at {position}"))
                })
            })
            .collect()
    }

    /// Options of one run, hooked to `control`. The hook owns a share of them, so it may fire at any later time.
    fn options(&self, batch: &Batch, control: &RunControl) -> Result<Arc<RunOptions>> {
        let fail = |error: ort::Error| Error::new(ErrorKind::InferenceFailed, error.message());
        let mut options = RunOptions::new().map_err(fail)?;
        if self.shrinks(batch) {
            options.set("memory.enable_memory_arena_shrinkage", "cpu:0").map_err(fail)?;
        }
        let options = Arc::new(options);
        let hooked = Arc::clone(&options);
        control.on_terminate(move || {
            // It fails only on a null pointer.
            let _ = hooked.terminate();
        });
        Ok(options)
    }
}

fn aborted() -> Error {
    Error::new(ErrorKind::Aborted, "the run was terminated")
}

fn failed(loaded: &Loaded, control: &RunControl, error: &ort::Error) -> Error {
    if control.is_terminated() {
        return aborted();
    }
    // Arguments are checked before and by kernels, and leave a session as it was.
    if error.code() != ErrorCode::InvalidArgument {
        loaded.suspect();
    }
    Error::new(ErrorKind::InferenceFailed, error.message())
}

fn deliver(names: &[&CStr], values: &[DynValue], sink: &mut Sink<'_>) -> Result<()> {
    let names = names.iter().map(|name| name.to_string_lossy()).collect::<Vec<_>>();
    let shapes = names
        .iter()
        .zip(values)
        .map(|(name, value)| tensor::dims(name, value))
        .collect::<Result<Vec<_>>>()?;
    let outputs = names
        .iter()
        .zip(values)
        .zip(&shapes)
        .map(|((name, value), shape)| Ok(Output { name, shape, data: tensor::data(name, value)? }))
        .collect::<Result<Vec<_>>>()?;
    sink(&outputs)
}
