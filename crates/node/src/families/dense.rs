//! Dense text on a graph.

use super::limit;
use crate::{
    batch::{NativeBatch, count, too_large},
    host::Host,
    inputs::Inputs,
    options::{NativeCountOptions, NativeJobOptions, size},
    served::{Served, Surface},
};
use millrace_contract::{DType, Error, ErrorKind, Result};
use millrace_core::{
    dense::{ChunkMatrix, ChunkOutput, Chunking, DenseCall, DenseRow, DenseText, Matrix},
    engine::Engine,
    job::Delivery,
    model::{self, DenseHead, ModelSpec},
    postprocess::DenseOptions,
    tokenizer::Tokenizer,
};

pub(crate) struct Facts {
    spec: ModelSpec,
    head: DenseHead,
}

pub(super) fn load(host: &Host<'_>) -> Result<Box<dyn Served>> {
    let spec = model::resolve(&host.options.request()?)?;
    let tokenizer = Tokenizer::load(&spec)?;
    let backend = host.graph(&spec.graph_path)?;
    let spec = spec.fit(backend.graph())?;
    let head = model::bind(&spec, backend.graph())?;
    let family = DenseText::new(tokenizer, backend.graph().clone(), &head);
    host.serve(backend, family, Facts { spec, head }, |info, family, Facts { spec, head }| {
        info.describe(spec);
        info.dim = head.dim.map(count);
        info.pooled(&head.poolings, &head.normalize);
        info.reads(&head.output_name);
        info.has_tasks = family.has_tasks();
    })
}

/// The format and the length of a call's rows, and whether a text has one for each of its chunks.
#[derive(Clone, Copy)]
pub(crate) struct VectorShape {
    dtype: DType,
    width: usize,
    per_chunk: bool,
}

/// How a call's long texts become chunks.
pub(super) fn chunking(asked: &NativeJobOptions, limit: usize) -> Result<Option<Chunking>> {
    asked.chunk_output()?.map_or(Ok(None), |output| {
        let overlap = asked.chunk_overlap.map_or_else(|| Chunking::default_overlap(output, limit), size);
        Ok(Some(Chunking { overlap, output }))
    })
}

/// How a call's vectors are made. `asked` is the caller's wish on top of the model's own head.
pub(super) fn vector(
    asked: &NativeJobOptions,
    pooling: millrace_contract::Pooling,
    normalize: bool,
    dim: Option<usize>,
) -> Result<(DenseOptions, VectorShape)> {
    let dtype = asked.dtype()?;
    let vector = DenseOptions {
        pooling,
        normalize: asked.normalize.unwrap_or(normalize),
        dimensions: asked.dimensions.map(size),
        dtype,
    };
    vector.validate(dim)?;
    let per_chunk = asked.chunk_output()? == Some(ChunkOutput::PerChunk);
    Ok((vector, VectorShape { dtype, width: asked.width(dim, dtype), per_chunk }))
}

pub(super) fn batch(delivery: Delivery<DenseRow>, shape: VectorShape) -> Result<NativeBatch> {
    let VectorShape { dtype, width, per_chunk } = shape;
    if per_chunk {
        let matrix = ChunkMatrix::assemble(delivery, dtype, width).ok_or_else(too_large)?;
        return Ok(NativeBatch::chunks(matrix, dtype));
    }
    Ok(NativeBatch::dense(Matrix::assemble(delivery, dtype, width), dtype))
}

impl Surface for DenseText {
    type Facts = Facts;
    type Shape = VectorShape;

    fn call(&self, facts: &Facts, options: NativeJobOptions) -> Result<(DenseCall, VectorShape)> {
        let Facts { spec, head } = facts;
        let (vector, shape) = vector(&options, head.pooling(), head.normalize.value, head.dim)?;
        if options.prompt.as_deref().is_some_and(|prompt| !prompt.is_empty()) && !spec.include_prompt {
            let message = "This model's pooling leaves the prompt's tokens out, which is not supported: embed without a prompt";
            return Err(Error::new(ErrorKind::InvalidOption, message));
        }
        let limit = limit(spec, options.max_length)?;
        let call = DenseCall {
            limit,
            chunks: chunking(&options, limit)?,
            overflow: options.overflow()?,
            prompt: options.prompt,
            vector,
            task: options.task,
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
        let limit = limit(&facts.spec, options.max_length)?;
        engine.count_tokens(&inputs.texts()?, limit, options.prompt.as_deref())
    }
}
