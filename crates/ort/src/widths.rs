//! How wide a graph is inside: attention heads and values of a token. Read from the structure, for an estimate of the memory that runs
//! take; nothing that is computed depends on it.

use crate::onnx::{Graph, Model, Node};
use std::collections::{HashMap, HashSet};

/// Most heads that are believed. The largest encoders in use have 64; a larger number stands for something else.
const MOST_HEADS: i64 = 256;

/// Operators that read rows of a table, whose length says nothing of a layer's width.
const LOOK_UPS: [&str; 4] = ["Gather", "GatherElements", "GatherBlockQuantized", "Slice"];

/// Heads of an attention layer, the most of any. They are an attribute of fused attention (`MultiHeadAttention`, `QAttention` and the like);
/// elsewhere vectors are reshaped to `[rows, tokens, heads, values]`, by a constant shape or by one put together of constants.
pub(crate) fn heads(model: &Model) -> Option<usize> {
    let bodies = model.functions.iter().map(|function| function.node.as_slice());
    let graph = model.graph.as_ref();
    let constants = graph.map(integers).unwrap_or_default();
    let heads =
        bodies.chain(graph.map(|graph| graph.node.as_slice())).flat_map(|nodes| of_nodes(nodes, &constants));
    heads.max().and_then(|heads| usize::try_from(heads).ok())
}

fn of_nodes<'a>(nodes: &'a [Node], outer: &HashMap<&'a str, Vec<i64>>) -> Vec<i64> {
    let mut constants = outer.clone();
    let mut heads = Vec::new();
    for node in nodes {
        if let (Some(name), Some(values)) = (node.output.first(), node.constant_integers()) {
            constants.insert(name, values);
        }
    }
    let shapes: HashMap<&str, &Node> = nodes
        .iter()
        .filter(|node| node.op_type == "Concat" && node.input.len() == 4)
        .filter_map(|node| Some((node.output.first()?.as_str(), node)))
        .collect();
    let single = |name: &String| constants.get(name.as_str()).and_then(|values| values.first().copied());
    for node in nodes {
        heads.extend(node.integer("num_heads").or_else(|| node.integer("q_num_heads")));
        heads.extend(node.bodies().flat_map(|body| of_nodes(&body.node, &constants)));
        let Some(shape) = node.input.get(1).filter(|_| node.op_type == "Reshape").map(String::as_str) else {
            continue;
        };
        let of_constant =
            constants.get(shape).filter(|shape| shape.len() == 4).map(|shape| (shape[2], Some(shape[3])));
        let of_parts =
            || shapes.get(shape).and_then(|node| Some((single(&node.input[2])?, single(&node.input[3]))));
        // The last part may be left to ONNX (-1). A picture's patches have one or three channels there, and no heads.
        if let Some((count, size)) = of_constant.or_else(of_parts)
            && size.is_some_and(|size| size == -1 || size > 3)
        {
            heads.push(count);
        }
    }
    heads.retain(|heads| (1..=MOST_HEADS).contains(heads));
    heads
}

fn integers(graph: &Graph) -> HashMap<&str, Vec<i64>> {
    graph.initializer.iter().filter_map(|tensor| Some((tensor.name.as_str(), tensor.integers()?))).collect()
}

/// Values of a token in the widest layer: the longest side of any matrix that is no table to look rows up in.
pub(crate) fn widest(model: &Model) -> Option<usize> {
    let graph = model.graph.as_ref()?;
    let look_ups = graph.node.iter().filter(|node| LOOK_UPS.contains(&node.op_type.as_str()));
    let tables: HashSet<&str> = look_ups.filter_map(|node| node.input.first()).map(String::as_str).collect();
    let matrices = graph.initializer.iter().filter(|tensor| !tables.contains(tensor.name.as_str()));
    let sides =
        matrices.filter(|tensor| tensor.dims.len() == 2).flat_map(|tensor| tensor.dims.iter().copied());
    // Weights of fewer bits are packed into blocks; their node says what they are a matrix of.
    let packed =
        graph.node.iter().filter(|node| node.op_type == "MatMulNBits").filter_map(|node| node.integer("N"));
    sides.chain(packed).max().and_then(|width| usize::try_from(width).ok()).filter(|&width| width > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx::{Attribute, Tensor};

    fn node(op: &str, input: &[&str], output: &str) -> Node {
        let input = input.iter().map(|name| (*name).to_owned()).collect();
        Node { op_type: op.into(), input, output: vec![output.into()], attribute: vec![] }
    }

    fn list(name: &str, values: &[i64]) -> Tensor {
        Tensor {
            name: name.into(),
            data_type: 7,
            dims: vec![i64::try_from(values.len()).unwrap()],
            raw_data: values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>().into(),
            ..Tensor::default()
        }
    }

    fn model(initializer: Vec<Tensor>, node: Vec<Node>) -> Model {
        Model { graph: Some(Graph { node, initializer }), ..Model::default() }
    }

    #[test]
    fn heads_are_an_attribute_of_fused_attention() {
        let mut attention = node("QAttention", &["x"], "y");
        attention.attribute.push(Attribute { name: "num_heads".into(), i: 12, ..Attribute::default() });
        assert_eq!(heads(&model(vec![], vec![attention])), Some(12));
    }

    #[test]
    fn heads_are_in_the_shape_of_a_reshape() {
        let shape = list("shape", &[0, 0, 12, 64]);
        assert_eq!(heads(&model(vec![shape], vec![node("Reshape", &["x", "shape"], "y")])), Some(12));
    }

    #[test]
    fn heads_are_a_part_of_a_shape_that_is_put_together() {
        let parts = vec![list("heads", &[12]), list("rest", &[-1])];
        let nodes = vec![
            node("Concat", &["rows", "tokens", "heads", "rest"], "shape"),
            node("Reshape", &["x", "shape"], "y"),
        ];
        assert_eq!(heads(&model(parts, nodes)), Some(12));
    }

    #[test]
    fn other_reshapes_tell_nothing() {
        let shapes = vec![list("flat", &[0, 0, 768]), list("picture", &[0, 0, 224, 3])];
        let nodes = vec![node("Reshape", &["x", "flat"], "y"), node("Reshape", &["x", "picture"], "z")];
        assert_eq!(heads(&model(shapes, nodes)), None);
    }

    #[test]
    fn the_widest_layer_is_no_table() {
        let matrix =
            |name: &str, dims: &[i64]| Tensor { name: name.into(), dims: dims.into(), ..Tensor::default() };
        let weights =
            vec![matrix("words", &[30_522, 768]), matrix("up", &[768, 3072]), matrix("bias", &[50_000])];
        let nodes = vec![node("Gather", &["words", "ids"], "x"), node("MatMul", &["x", "up"], "y")];
        assert_eq!(widest(&model(weights, nodes)), Some(3072));
    }
}
