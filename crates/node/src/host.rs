//! What every family needs to start: threads, sessions on a graph, an engine.

use crate::{
    info::NativeModelInfo,
    options::{NativeModelOptions, size},
    served::{Model, Served, Surface},
};
use millrace_contract::{Backend, Result};
use millrace_core::{
    cpu,
    engine::{Engine, EngineOptions, Parallelism},
    graphless::Graphless,
};
use millrace_ort::{OrtBackend, OrtOptions};
use std::{path::Path, sync::Arc};

/// The place that a model is started on.
pub(crate) struct Host<'a> {
    pub(crate) options: &'a NativeModelOptions,
    parallelism: Parallelism,
}

impl<'a> Host<'a> {
    pub(crate) fn new(options: &'a NativeModelOptions) -> Result<Self> {
        let cores = cpu::cores().allowed;
        let parallelism = Parallelism::share(options.sessions(), options.threads.map(size), cores)?;
        Ok(Self { options, parallelism })
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
        let row_by_row = backend.graph().rows_interact() && self.options.batch_invariance.unwrap_or(true);
        let batch_tokens = EngineOptions::batch_tokens(backend.graph(), family.outputs());
        let options = self.options.engine(self.parallelism.sessions, row_by_row, batch_tokens);
        let mut info = NativeModelInfo::of(&*backend, &options, self.parallelism.threads);
        describe(&mut info, &family, &facts);
        let engine = Engine::start(backend, family, options)?;
        Ok(Box::new(Model { engine, facts, info }))
    }
}
