//! Dense text from a table of vectors, without a graph.

use super::dense::{VectorShape, batch, chunking, vector};
use crate::{
    batch::{NativeBatch, count, double},
    host::Host,
    inputs::Inputs,
    options::{NativeCountOptions, NativeJobOptions, NativeModelOptions, size},
    served::{Served, Surface},
};
use millrace_contract::{Pooling, Result};
use millrace_core::{
    dense::{DenseCall, DenseRow, StaticText},
    engine::Engine,
    job::Delivery,
    model::{Limit, Sourced},
};
use std::path::Path;

pub(crate) struct Facts {
    limit: Limit,
    normalize: Sourced<bool>,
}

fn normalize(options: &NativeModelOptions) -> Sourced<bool> {
    let defined = options.defined.iter().flatten().any(|name| name == "normalize");
    let source = match options.normalize {
        Some(_) if defined => "the model's definition",
        Some(_) => "normalize",
        None => "the default of static models",
    };
    Sourced { value: options.normalize.unwrap_or(true), source: source.to_owned() }
}

pub(super) fn load(host: &Host<'_>) -> Result<Box<dyn Served>> {
    let options = host.options;
    let family = StaticText::load(Path::new(options.dir()), options.model_file.as_deref())?;
    let limit = match options.max_length {
        Some(tokens) => Limit { tokens: size(tokens), source: "maxLength".to_owned() },
        None => Limit { tokens: StaticText::LIMIT, source: "the default of static models".to_owned() },
    };
    let facts = Facts { limit, normalize: normalize(options) };
    host.serve(Host::graphless(), family, facts, |info, family, facts| {
        info.dir = Some(options.dir().to_owned());
        info.model_file = Some(options.model_file.as_deref().unwrap_or(StaticText::FILE).to_owned());
        info.dim = Some(count(family.dim()));
        let source = "static models, whose vectors are means".to_owned();
        info.pooled(&Sourced { value: vec![Pooling::Mean], source }, &facts.normalize);
        info.limited(&facts.limit);
        info.weight_bytes = double(family.weight_bytes() as u64);
    })
}

impl Surface for StaticText {
    type Facts = Facts;
    type Shape = VectorShape;

    fn call(&self, facts: &Facts, options: NativeJobOptions) -> Result<(DenseCall, VectorShape)> {
        let (vector, shape) = vector(&options, Pooling::Mean, facts.normalize.value, Some(self.dim()))?;
        let limit = options.max_length.map_or(facts.limit.tokens, size);
        let call = DenseCall {
            limit,
            chunks: chunking(&options, limit)?,
            overflow: options.overflow()?,
            prompt: options.prompt,
            vector,
            task: None,
        };
        Ok((call, shape))
    }

    fn inputs(inputs: Inputs) -> Result<Vec<String>> {
        inputs.texts()
    }

    fn batch(delivery: Delivery<DenseRow>, shape: VectorShape) -> Result<NativeBatch> {
        batch(delivery, shape)
    }

    fn count(
        engine: &Engine<Self>,
        facts: &Facts,
        inputs: Inputs,
        options: &NativeCountOptions,
    ) -> Result<Vec<u32>> {
        let limit = options.max_length.map_or(facts.limit.tokens, size);
        engine.count_tokens(&inputs.texts()?, limit, options.prompt.as_deref())
    }
}
