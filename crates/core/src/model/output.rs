//! Which output of a graph is read, and who says so.

use super::{
    ModelSpec,
    inputs::{broken, names},
};
use millrace_contract::{Element, Error, ErrorKind, Graph, Port, Result};

/// The name under which exports of sentence-transformers models give the finished vector: pooled, and with all modules after the pooling.
pub(crate) const FINISHED: &str = "sentence_embedding";

/// An output of a graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chosen {
    /// Position among the graph's outputs.
    pub(crate) position: usize,
    /// Who says so.
    pub(crate) source: String,
    /// Whether the caller or the model's definition named it.
    pub(crate) requested: bool,
}

/// The output asked for, by name or by position; else the one that `prefer` names, where there is one; else the first.
pub(crate) fn choose_output(spec: &ModelSpec, graph: &Graph, prefer: Option<&str>) -> Result<Chosen> {
    let requested = |position, source: &String| Chosen { position, source: source.clone(), requested: true };
    let chosen = match (&spec.output_name, &spec.output_index) {
        (Some(name), _) => {
            let position = graph.output_position(&name.value).ok_or_else(|| {
                Error::new(
                    ErrorKind::InvalidOption,
                    format!(
                        "Expected one of the graph's outputs ({}) for outputName but received '{}'",
                        names(&graph.outputs),
                        name.value
                    ),
                )
            })?;
            requested(position, &name.source)
        }
        (None, Some(index)) if index.value >= graph.outputs.len() => {
            let why = format!("has no output number {}, only {}", index.value, names(&graph.outputs));
            return Err(broken(spec, &why));
        }
        (None, Some(index)) => requested(index.value, &index.source),
        (None, None) => unasked(graph, prefer),
    };
    let port = graph.outputs.get(chosen.position).ok_or_else(|| broken(spec, "has no outputs"))?;
    if matches!(port.element, Element::Bool | Element::Other) {
        return Err(broken(spec, &format!("output {} holds no numbers ({:?})", port.name, port.element)));
    }
    Ok(chosen)
}

fn unasked(graph: &Graph, prefer: Option<&str>) -> Chosen {
    let preferred = prefer.and_then(|name| graph.output_position(name));
    let source = match (graph.outputs.len(), preferred) {
        (0 | 1, _) => "the graph's only output".to_owned(),
        (_, Some(_)) => "the graph's output of finished vectors".to_owned(),
        (count, None) => format!("the first of the graph's {count} outputs"),
    };
    Chosen { position: preferred.unwrap_or(0), source, requested: false }
}

/// The values of a row or token, where the graph tells.
pub(crate) fn last_dim(port: &Port) -> Option<usize> {
    port.dims.last().and_then(|&dim| usize::try_from(dim).ok()).filter(|&dim| dim > 0)
}
