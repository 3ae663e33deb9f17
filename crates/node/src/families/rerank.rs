//! Cross encoders.

use super::limit;
use crate::{
    batch::NativeBatch,
    host::Host,
    inputs::Inputs,
    options::{NativeCountOptions, NativeJobOptions},
    served::{Served, Surface},
};
use millrace_contract::Result;
use millrace_core::{
    engine::Engine,
    job::Delivery,
    model::{self, ModelSpec},
    rerank::{self, CrossEncoder, Pair, RerankCall, Score},
};

pub(super) fn load(host: &Host<'_>) -> Result<Box<dyn Served>> {
    let spec = model::resolve(&host.options.request()?)?;
    let backend = host.graph(&spec.graph_path)?;
    let spec = spec.fit(backend.graph())?;
    let family = CrossEncoder::load(&spec, backend.graph())?;
    host.serve(backend, family, spec, |info, family, spec| {
        info.describe(spec);
        info.reads(family.output_name());
    })
}

impl Surface for CrossEncoder {
    type Facts = ModelSpec;
    type Shape = ();

    fn call(&self, spec: &ModelSpec, options: NativeJobOptions) -> Result<(RerankCall, ())> {
        let call = RerankCall {
            limit: limit(spec, options.max_length)?,
            overflow: options.overflow()?,
            sigmoid: options.sigmoid.unwrap_or(false),
        };
        Ok((call, ()))
    }

    fn inputs(inputs: Inputs) -> Result<Vec<Pair>> {
        inputs.pairs()
    }

    fn batch(delivery: Delivery<Score>, (): ()) -> Result<NativeBatch> {
        Ok(NativeBatch::scores(rerank::scores(delivery)))
    }

    fn count(
        engine: &Engine<Self>,
        spec: &ModelSpec,
        inputs: Inputs,
        options: &NativeCountOptions,
    ) -> Result<Vec<u32>> {
        engine.count_tokens(&inputs.pairs()?, limit(spec, options.max_length)?)
    }
}
