//! Which inputs a graph of texts may have, and in which shapes.
//!
//! Beside the four that a batch of texts fills, a decoder's export may ask for the keys and values of texts before this one. An embedding has
//! none before it, so they are fed with length 0.

use super::ModelSpec;
use super::json::invalid;
use millrace_contract::{Element, Error, Graph, Port, Result};
use serde_json::{Map, Value};

/// The inputs that a batch of texts can fill.
const FED: [&str; 4] = ["input_ids", "attention_mask", "token_type_ids", "position_ids"];

/// How the inputs for kept keys and values begin, each followed by the layer and by `key` or `value`.
const PAST: &str = "past_key_values.";

/// Rank of kept keys and values: rows, heads, tokens, values of a head.
const PAST_RANK: usize = 4;

/// What config.json says of the shape of kept keys and values, for graphs that leave it open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EmptyPast {
    heads: Option<usize>,
    head_dim: Option<usize>,
}

impl EmptyPast {
    /// Reads the keys of config.json.
    pub(super) fn of(config: &Map<String, Value>) -> Self {
        let size = |key: &str| {
            let value = config.get(key).and_then(Value::as_u64).and_then(|value| usize::try_from(value).ok());
            value.filter(|&value| value > 0)
        };
        let attention_heads = size("num_attention_heads").or_else(|| size("n_head"));
        let hidden = size("hidden_size").or_else(|| size("n_embd"));
        Self {
            heads: size("num_key_value_heads").or(attention_heads),
            head_dim: size("head_dim").or_else(|| Some(hidden? / attention_heads?)),
        }
    }

    /// The shape of the input `port` in a run of `rows`, without a single kept token; `None` for another input, and where neither the graph
    /// nor config.json tells.
    pub(crate) fn shape(&self, port: &Port, rows: usize) -> Option<Vec<usize>> {
        if !is_past(port) || port.dims.len() != PAST_RANK {
            return None;
        }
        let fixed = |axis: usize| usize::try_from(port.dims[axis]).ok().filter(|&size| size > 0);
        Some(vec![rows, fixed(1).or(self.heads)?, 0, fixed(3).or(self.head_dim)?])
    }
}

fn is_past(port: &Port) -> bool {
    port.name.starts_with(PAST) && matches!(port.element, Element::F32 | Element::F16)
}

/// Fails for a graph that takes no text, or more than a text.
pub(crate) fn check_inputs(spec: &ModelSpec, graph: &Graph) -> Result<()> {
    check_inputs_beside(spec, graph, &[])
}

/// As [`check_inputs`], where the family fills the inputs `more` itself.
pub(super) fn check_inputs_beside(spec: &ModelSpec, graph: &Graph, more: &[&str]) -> Result<()> {
    if graph.input("input_ids").is_none() {
        let why =
            format!("has no input input_ids, so it takes no text; its inputs are {}", names(&graph.inputs));
        return Err(broken(spec, &why));
    }
    let known = |port: &&Port| {
        FED.contains(&port.name.as_str())
            || more.contains(&port.name.as_str())
            || spec.past.shape(port, 1).is_some()
    };
    let unknown: Vec<&Port> = graph.inputs.iter().filter(|port| !known(port)).collect();
    if let Some(port) = unknown.iter().find(|port| is_past(port)) {
        let why = format!(
            "input {} is {:?}, and config.json has no num_key_value_heads and head_dim that would complete its shape",
            port.name, port.dims
        );
        return Err(broken(spec, &why));
    }
    if !unknown.is_empty() {
        let unknown: Vec<&str> = unknown.iter().map(|port| port.name.as_str()).collect();
        let why = format!("needs inputs that a text does not give: {}", unknown.join(", "));
        return Err(broken(spec, &why));
    }
    let integers = |port: &&Port| !is_past(port) && !matches!(port.element, Element::I64 | Element::I32);
    if let Some(port) = graph.inputs.iter().find(integers) {
        return Err(broken(spec, &format!("input {} is {:?}, expected I64 or I32", port.name, port.element)));
    }
    fixed_len(spec, graph).map(drop)
}

/// Tokens of every row, where the graph takes no other length. Fails for a graph that takes a fixed number of rows other than one: rows of
/// nothing would have to be made up to fill it.
pub(super) fn fixed_len(spec: &ModelSpec, graph: &Graph) -> Result<Option<usize>> {
    let fed = || graph.inputs.iter().filter(|port| FED.contains(&port.name.as_str()));
    if let Some(port) = fed().find(|port| port.dims.first().is_some_and(|&rows| rows > 1)) {
        let why = format!(
            "input {} is {:?}: the graph runs exactly {} texts at a time; export it with a batch axis that varies, or of 1",
            port.name, port.dims, port.dims[0]
        );
        return Err(broken(spec, &why));
    }
    let length =
        |port: &Port| port.dims.get(1).and_then(|&tokens| usize::try_from(tokens).ok()).filter(|&n| n > 0);
    let lengths: Vec<usize> = fed().filter_map(length).collect();
    match lengths.first() {
        Some(first) if lengths.iter().any(|length| length != first) => {
            Err(broken(spec, &format!("its inputs have different fixed lengths: {lengths:?}")))
        }
        first => Ok(first.copied()),
    }
}

pub(super) fn broken(spec: &ModelSpec, why: &str) -> Error {
    invalid(&spec.graph_path, why)
}

/// Names for a message.
pub(super) fn names(ports: &[Port]) -> String {
    let names: Vec<&str> = ports.iter().map(|port| port.name.as_str()).collect();
    names.join(", ")
}
