//! Fits a model's settings to its graph: which output, which pooling, which inputs.

use super::ModelSpec;
use millrace_contract::{Element, Error, ErrorKind, Graph, Pooling, Port, Result};
use std::sync::Arc;

/// The inputs that a batch of texts can fill.
const FED: [&str; 4] = ["input_ids", "attention_mask", "token_type_ids", "position_ids"];

/// The input that says what a text is embedded for.
const TASK: &str = "task_id";

/// A graph's input for the number of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskInput {
    /// Its name.
    pub name: Arc<str>,
    /// Its rank: 0 for a scalar, 1 for a list of one.
    pub rank: usize,
}

/// How a dense vector is taken from a graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DenseHead {
    /// Position of the output among the graph's.
    pub output: usize,
    /// Its name.
    pub output_name: String,
    /// How its token vectors become one vector; [`Pooling::None`] for an output `[rows, dim]`.
    pub pooling: Pooling,
    /// Whether vectors are scaled to length 1.
    pub normalize: bool,
    /// Dimensions of a vector; `None` where the graph leaves it open until it has run.
    pub dim: Option<usize>,
    /// Whether every text is padded to its call's limit.
    pub pad_to_limit: bool,
    /// The input for the task, where the graph has one.
    pub task: Option<TaskInput>,
}

/// Chooses the output and the pooling.
///
/// The output is the one asked for, or the first. Where nobody says a pooling, `[rows, dim]` is taken as it
/// is and `[rows, tokens, dim]` is averaged; where nobody says a normalisation, vectors are normalised.
/// A pooling of the directory describes the model, not the export, so a graph that has pooled already
/// (`[rows, dim]`) is taken as it is; one that the caller asks for must fit.
pub fn bind(spec: &ModelSpec, graph: &Graph) -> Result<DenseHead> {
    // A table of numbers under this name would be something else.
    let task = graph.input(TASK).filter(|port| port.dims.len() <= 1);
    let task = task.map(|port| TaskInput { name: port.name.as_str().into(), rank: port.dims.len() });
    check_inputs_beside(spec, graph, if task.is_some() { &[TASK] } else { &[] })?;
    let output = output(spec, graph)?;
    let port = &graph.outputs[output];
    let pooling = pooling(spec, port)?;
    let dim = port.dims.last().and_then(|&dim| usize::try_from(dim).ok()).filter(|&dim| dim > 0);
    Ok(DenseHead {
        output,
        output_name: port.name.clone(),
        pooling,
        normalize: spec.normalize.unwrap_or(true),
        dim,
        pad_to_limit: spec.pad_to_limit,
        task,
    })
}

/// Position of the output asked for, by name or by position, or of the first.
pub(crate) fn output(spec: &ModelSpec, graph: &Graph) -> Result<usize> {
    let output = match (&spec.output_name, spec.output_index) {
        (Some(name), _) => graph.output_position(name).ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidOption,
                format!(
                    "Expected one of the graph's outputs ({}) for outputName but received '{name}'",
                    names(&graph.outputs)
                ),
            )
        })?,
        (None, Some(index)) if index >= graph.outputs.len() => {
            return Err(broken(
                spec,
                &format!("has no output number {index}, only {}", names(&graph.outputs)),
            ));
        }
        (None, index) => index.unwrap_or(0),
    };
    let port = graph.outputs.get(output).ok_or_else(|| broken(spec, "has no outputs"))?;
    if matches!(port.element, Element::Bool | Element::Other) {
        return Err(broken(spec, &format!("output {} holds no numbers ({:?})", port.name, port.element)));
    }
    Ok(output)
}

fn pooling(spec: &ModelSpec, port: &Port) -> Result<Pooling> {
    match (port.dims.len(), spec.pooling) {
        // FastEmbed's first-token models take a pooled output as it is too.
        (2, None | Some(Pooling::None | Pooling::Cls)) => Ok(Pooling::None),
        (2, Some(_)) if !spec.pooling_requested => Ok(Pooling::None),
        (2, Some(asked)) => Err(broken(
            spec,
            &format!(
                "pooling {asked:?} needs an output [rows, tokens, dim], but {} is {:?}, which is pooled already",
                port.name, port.dims
            ),
        )),
        (3, Some(Pooling::None)) => Err(broken(
            spec,
            &format!(
                "without pooling the output has to be [rows, dim], but {} is {:?}; choose a pooling, or a pooled \
                 output with outputName",
                port.name, port.dims
            ),
        )),
        // A graph may leave the shape open (no dims at all); the run will tell.
        (3 | 0, asked) => Ok(asked.unwrap_or(Pooling::Mean)),
        _ => Err(broken(
            spec,
            &format!("output {} is {:?}, expected [rows, dim] or [rows, tokens, dim]", port.name, port.dims),
        )),
    }
}

/// Fails for a graph that takes no text, or more than a text.
pub(crate) fn check_inputs(spec: &ModelSpec, graph: &Graph) -> Result<()> {
    check_inputs_beside(spec, graph, &[])
}

/// As [`check_inputs`], where the family fills the inputs `more` itself.
fn check_inputs_beside(spec: &ModelSpec, graph: &Graph, more: &[&str]) -> Result<()> {
    if graph.input("input_ids").is_none() {
        let why =
            format!("has no input input_ids, so it takes no text; its inputs are {}", names(&graph.inputs));
        return Err(broken(spec, &why));
    }
    let known = |name: &&str| FED.contains(name) || more.contains(name);
    let unknown: Vec<&str> =
        graph.inputs.iter().map(|port| port.name.as_str()).filter(|name| !known(name)).collect();
    if !unknown.is_empty() {
        let why = format!("needs inputs that a text does not give: {}", unknown.join(", "));
        return Err(broken(spec, &why));
    }
    if let Some(port) = graph.inputs.iter().find(|port| port.element != Element::I64) {
        return Err(broken(spec, &format!("input {} is {:?}, expected I64", port.name, port.element)));
    }
    Ok(())
}

fn broken(spec: &ModelSpec, why: &str) -> Error {
    Error::new(ErrorKind::ModelInvalid, format!("{}: {why}", spec.graph_path.display()))
}

fn names(ports: &[Port]) -> String {
    let names: Vec<&str> = ports.iter().map(|port| port.name.as_str()).collect();
    names.join(", ")
}
