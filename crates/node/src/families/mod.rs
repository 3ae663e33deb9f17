//! The families, as the addon adds to them: how they are loaded, what a call's options mean, what crosses.

mod dense;
mod late;
mod multimodal;
mod rerank;
mod sparse;
mod table;
mod vision;

pub(crate) use sparse::Stems;

use crate::{
    host::Host,
    options::{NativeModelOptions, size, unknown},
    served::Served,
};
use millrace_contract::Result;
use millrace_core::model::ModelSpec;
use std::sync::Arc;

/// Loads a model. `stems` are those that the caller will bring, for BM25.
pub(crate) fn load(options: &NativeModelOptions, stems: Option<Arc<Stems>>) -> Result<Box<dyn Served>> {
    let host = Host::new(options);
    match options.family.as_str() {
        "dense" => dense::load(&host),
        "static" => table::load(&host),
        "sparse" => sparse::load(&host, stems),
        "late" => late::load(&host),
        "rerank" => rerank::load(&host),
        "image" => vision::load(&host),
        "multimodal" => multimodal::load(&host),
        other => {
            unknown("family", other, "'dense', 'static', 'sparse', 'late', 'rerank', 'image' or 'multimodal'")
        }
    }
}

/// The limit of a call: the one asked for, which must fit the model, or the model's.
fn limit(spec: &ModelSpec, asked: Option<u32>) -> Result<usize> {
    let Some(asked) = asked.map(size) else { return Ok(spec.limit.tokens) };
    spec.check_max_length(asked)?;
    Ok(asked)
}
