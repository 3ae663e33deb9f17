//! Late interaction on texts.

use super::limit;
use crate::{
    batch::{NativeBatch, count, too_large},
    host::Host,
    inputs::Inputs,
    options::{NativeCountOptions, NativeJobOptions, unknown},
    served::{Served, Surface},
};
use millrace_contract::Result;
use millrace_core::{
    engine::Engine,
    job::Delivery,
    late::{LateCall, LateKind, LateText},
    model::{self, ModelSpec},
    multivector::{MultiVectorMatrix, MultiVectorRow},
};

fn kind(name: Option<&str>) -> Result<LateKind> {
    match name {
        None | Some("colbert") => Ok(LateKind::COLBERT),
        Some("jina-colbert") => Ok(LateKind::JINA_COLBERT),
        Some("late-on") => Ok(LateKind::LATE_ON),
        Some("m-late-on") => Ok(LateKind::M_LATE_ON),
        Some("tokens") => Ok(LateKind::TOKEN_EMBEDDINGS),
        Some(other) => {
            unknown("kind", other, "'colbert', 'jina-colbert', 'late-on', 'm-late-on' or 'tokens'")
        }
    }
}

pub(super) fn load(host: &Host<'_>) -> Result<Box<dyn Served>> {
    let kind = kind(host.options.kind.as_deref())?;
    let spec = model::resolve(&host.options.request()?)?;
    let backend = host.graph(&spec.graph_path)?;
    let spec = spec.fit(backend.graph())?;
    let family = LateText::load(kind, &spec, backend.graph())?;
    host.serve(backend, family, spec, |info, family, spec| {
        info.describe(spec);
        info.reads(family.output_name());
        info.dim = family.dim().map(count);
    })
}

/// A batch of multi-vectors.
pub(super) fn batch(delivery: Delivery<MultiVectorRow>, dim: usize) -> Result<NativeBatch> {
    MultiVectorMatrix::assemble(delivery, dim).map(NativeBatch::multi_vector).ok_or_else(too_large)
}

impl Surface for LateText {
    type Facts = ModelSpec;
    /// Dimensions of a vector.
    type Shape = usize;

    fn call(&self, spec: &ModelSpec, options: NativeJobOptions) -> Result<(LateCall, usize)> {
        let call = LateCall {
            role: options.role()?,
            limit: limit(spec, options.max_length)?,
            overflow: options.overflow()?,
        };
        Ok((call, self.dim().unwrap_or(0)))
    }

    fn inputs(inputs: Inputs) -> Result<Vec<String>> {
        inputs.texts()
    }

    fn batch(delivery: Delivery<MultiVectorRow>, dim: usize) -> Result<NativeBatch> {
        batch(delivery, dim)
    }

    fn count(
        engine: &Engine<Self>,
        spec: &ModelSpec,
        inputs: Inputs,
        options: &NativeCountOptions,
    ) -> Result<Vec<u32>> {
        let limit = limit(spec, options.max_length)?;
        let extension = options.include_extension.unwrap_or(false);
        engine.count_tokens(&inputs.texts()?, options.role()?, limit, extension)
    }
}
