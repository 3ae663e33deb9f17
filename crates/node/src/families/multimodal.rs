//! Late interaction on texts and images.

use super::{late::batch, limit};
use crate::{
    batch::{NativeBatch, count},
    host::Host,
    inputs::Inputs,
    options::{NativeCountOptions, NativeJobOptions},
    served::{Served, Surface},
};
use millrace_contract::Result;
use millrace_core::{
    engine::Engine,
    job::Delivery,
    multimodal::{self, MultimodalCall, MultimodalFamily, MultimodalInput},
    multivector::MultiVectorRow,
};

pub(super) fn load(host: &Host<'_>) -> Result<Box<dyn Served>> {
    let spec = multimodal::resolve(&host.options.request()?)?;
    let backend = host.graph(&spec.model.graph_path)?;
    let dims = backend.graph().outputs.first().and_then(|port| port.dims.last().copied());
    let dim = dims.and_then(|dim| usize::try_from(dim).ok()).filter(|&dim| dim > 0);
    let family = MultimodalFamily::new(spec, backend.graph().clone())?;
    host.serve(backend, family, dim, |info, family, dim| {
        info.describe(&family.spec().model);
        info.dim = dim.map(count);
        info.reads(family.output_name());
    })
}

impl Surface for MultimodalFamily {
    /// Dimensions of a vector, where the graph tells.
    type Facts = Option<usize>;
    type Shape = usize;

    fn call(&self, dim: &Option<usize>, options: NativeJobOptions) -> Result<(MultimodalCall, usize)> {
        let call = if options.input.as_deref() == Some("image") {
            let auto_orient = options.auto_orient.unwrap_or(false);
            MultimodalCall::Image { limits: options.image_limits(), auto_orient }
        } else {
            MultimodalCall::Text {
                limit: limit(&self.spec().model, options.max_length)?,
                overflow: options.overflow()?,
                keep_padding: options.keep_padding.unwrap_or(false),
            }
        };
        Ok((call, dim.unwrap_or(0)))
    }

    fn inputs(inputs: Inputs) -> Result<Vec<MultimodalInput>> {
        Ok(match inputs {
            Inputs::Images(images) => images.into_iter().map(MultimodalInput::Image).collect(),
            texts => texts.texts()?.into_iter().map(MultimodalInput::Text).collect(),
        })
    }

    fn batch(delivery: Delivery<MultiVectorRow>, dim: usize) -> Result<NativeBatch> {
        batch(delivery, dim)
    }

    fn count(
        engine: &Engine<Self>,
        _: &Option<usize>,
        inputs: Inputs,
        options: &NativeCountOptions,
    ) -> Result<Vec<u32>> {
        let limit = limit(&engine.family().spec().model, options.max_length)?;
        engine.count_tokens(&inputs.texts()?, limit, options.include_extension.unwrap_or(false))
    }
}
