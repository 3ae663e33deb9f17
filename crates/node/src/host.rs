//! What every family needs to start: threads, sessions on a graph, an engine.

use crate::{
    info::{NativeClamped, NativeModelInfo},
    options::{NativeModelOptions, size, whole},
    served::{Model, Served, Surface},
};
use millrace_contract::{Backend, Error, ErrorKind, Result};
use millrace_core::{
    cpu,
    engine::{Engine, EngineOptions, Parallelism},
    graphless::Graphless,
    memory::Estimate,
    planner::MemoryBudget,
};
use millrace_ort::{OrtBackend, OrtOptions};
use std::{num::NonZeroUsize, path::Path, sync::Arc};

/// The place that a model is started on.
pub(crate) struct Host<'a> {
    pub(crate) options: &'a NativeModelOptions,
    parallelism: Parallelism,
}

impl<'a> Host<'a> {
    pub(crate) fn new(options: &'a NativeModelOptions) -> Self {
        let threads = options.threads.and_then(|threads| NonZeroUsize::new(size(threads)));
        let parallelism = Parallelism::share(options.sessions(), threads, cpu::cores().allowed);
        Self { options, parallelism }
    }

    /// Sessions on the graph at `path`.
    pub(crate) fn graph(&self, path: &Path) -> Result<Arc<dyn Backend>> {
        let ort = OrtOptions {
            threads_per_session: self.parallelism.threads,
            slots: self.parallelism.sessions,
            device: self.options.device()?,
            device_ids: self.options.device_ids.clone().unwrap_or_default(),
        };
        Ok(Arc::new(OrtBackend::load(path, &ort)?))
    }

    /// Nothing to run, for families without a graph.
    pub(crate) fn graphless() -> Arc<dyn Backend> {
        Arc::new(Graphless::default())
    }

    /// Starts the engine. `describe` adds what the family knows to what is told of the model.
    pub(crate) fn serve<F: Surface>(
        &self,
        backend: Arc<dyn Backend>,
        family: F,
        facts: F::Facts,
        describe: impl FnOnce(&mut NativeModelInfo, &F, &F::Facts),
    ) -> Result<Box<dyn Served>> {
        let Self { options, parallelism } = *self;
        let estimate = Estimate::of(&*backend, options.dir.as_deref().map(Path::new));
        let mut info = NativeModelInfo::of(&*backend, parallelism.threads);
        describe(&mut info, &family, &facts);
        let batch_tokens = options
            .max_batch_tokens
            .map_or_else(|| EngineOptions::batch_tokens(backend.graph(), family.outputs()), size);
        let limit = info.max_length.map(size);
        let engine = EngineOptions {
            sessions: parallelism.sessions,
            max_batch_tokens: batch_tokens,
            memory: self.memory(&*backend, &estimate, batch_tokens, limit)?,
            row_by_row: backend.graph().takes_one_row()
                || (backend.graph().rows_interact() && options.batch_invariance.unwrap_or(true)),
            max_jobs: options.max_queue.map_or(EngineOptions::MAX_JOBS, size),
        };
        info.runs(&*backend, &engine, &estimate);
        info.clamped = parallelism.clamped.then(|| NativeClamped::of(options, parallelism));
        let engine = Engine::start(backend, family, engine)?;
        Ok(Box::new(Model { engine, facts, info }))
    }

    /// The memory that runs may take together. `limit`: tokens of the longest text.
    fn memory(
        &self,
        backend: &dyn Backend,
        estimate: &Estimate,
        batch_tokens: usize,
        limit: Option<usize>,
    ) -> Result<MemoryBudget> {
        let sessions = self.parallelism.sessions;
        let Some(bytes) = self.options.max_memory else {
            let allowed = cpu::memory_for_work(backend.graph().file_bytes);
            let longest = limit.unwrap_or_default();
            return Ok(MemoryBudget::by_default(estimate.cost, sessions, batch_tokens, longest, allowed));
        };
        let budget = MemoryBudget::of(whole(bytes), estimate.cost, sessions)?;
        // Such a model pads every text to the limit, so it could embed none at all.
        if let Some(limit) =
            limit.filter(|&limit| self.options.pad_to_limit == Some(true) && budget.refuses(1, limit))
        {
            let needed = budget.needed_for(limit, sessions);
            let message = format!(
                "Expected at least {needed} bytes for maxMemory (this model pads every text to {limit} tokens) but received {bytes}"
            );
            return Err(Error::new(ErrorKind::InvalidOption, message));
        }
        Ok(budget)
    }
}
