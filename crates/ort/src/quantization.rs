//! Telling how a graph is quantised, by its operators. What matters is whether a row's result can depend on its
//! batch-mates: in doubt the answer is `Dynamic`, which is slower but never wrong.

use crate::onnx::{Graph, Model, Node};
use millrace_contract::Quantization;
use std::collections::HashSet;

/// What was seen so far.
#[derive(Default)]
struct Seen {
    dynamic: bool,
    fixed: bool,
    weights: bool,
}

/// Names of one scope: values that are known before the run, integer weights, and activations that were
/// quantised with constants.
#[derive(Default, Clone)]
struct Scope<'a> {
    constant: HashSet<&'a str>,
    integer: HashSet<&'a str>,
    calibrated: HashSet<&'a str>,
}

/// How `model` is quantised.
pub(crate) fn classify(model: &Model) -> Quantization {
    let mut seen = Seen::default();
    if let Some(graph) = &model.graph {
        walk(graph, &Scope::default(), &mut seen);
    }
    for function in &model.functions {
        // What a caller passes in is unknown here, so nothing counts as constant.
        nodes(&function.node, &mut Scope::default(), &mut seen);
    }
    match seen {
        Seen { dynamic: true, .. } => Quantization::Dynamic,
        Seen { fixed: true, .. } => Quantization::Static,
        Seen { weights: true, .. } => Quantization::WeightOnly,
        _ => Quantization::None,
    }
}

fn walk<'a>(graph: &'a Graph, outer: &Scope<'a>, seen: &mut Seen) {
    let mut scope = outer.clone();
    for tensor in &graph.initializer {
        scope.constant.insert(&tensor.name);
        if tensor.is_small_integer() {
            scope.integer.insert(&tensor.name);
        }
    }
    nodes(&graph.node, &mut scope, seen);
}

/// Looks at `list`, which ONNX keeps in topological order, so that constness flows forward.
fn nodes<'a>(list: &'a [Node], scope: &mut Scope<'a>, seen: &mut Seen) {
    for node in list {
        look(node, scope, seen);
        for body in node.bodies() {
            walk(body, scope, seen);
        }
        let calibrated = node.op_type == "QuantizeLinear" && constant(node, 1, scope);
        let known = node.bodies().next().is_none()
            && !node.op_type.starts_with("Random")
            && node.input.iter().all(|name| name.is_empty() || scope.constant.contains(name.as_str()))
            && (!node.input.is_empty() || node.op_type.starts_with("Constant"));
        let integer = node.tensors().any(crate::onnx::Tensor::is_small_integer)
            || (known && node.input.first().is_some_and(|name| scope.integer.contains(name.as_str())));
        for name in &node.output {
            if known {
                scope.constant.insert(name);
            }
            if known && integer && !matches!(node.op_type.as_str(), "Cast" | "DequantizeLinear") {
                scope.integer.insert(name);
            }
            if calibrated {
                scope.calibrated.insert(name);
            }
        }
    }
}

fn look(node: &Node, scope: &Scope<'_>, seen: &mut Seen) {
    match node.op_type.as_str() {
        "DynamicQuantizeLinear" | "DynamicQuantizeMatMul" | "DynamicQuantizeLSTM" => seen.dynamic = true,
        // Scale of the activations, at input 3 and 2: a constant one comes from calibration.
        "QAttention" => activation_scale(node, 3, scope, seen),
        "MatMulIntegerToFloat" => activation_scale(node, 2, scope, seen),
        "MatMulInteger" | "ConvInteger" => match node.input.first() {
            Some(name) if scope.constant.contains(name.as_str()) => seen.weights = true,
            Some(name) if scope.calibrated.contains(name.as_str()) => seen.fixed = true,
            _ => seen.dynamic = true,
        },
        "QuantizeLinear" | "DequantizeLinear" if constant(node, 0, scope) => seen.weights = true,
        "QuantizeLinear" => activation_scale(node, 1, scope, seen),
        "DequantizeLinear" | "QGemm" => seen.fixed = true,
        "MatMulNBits" | "MatMulBnb4" | "GatherBlockQuantized" | "QEmbedLayerNormalization" | "QMoE" => {
            seen.weights = true;
        }
        "Cast" if node.input.first().is_some_and(|name| scope.integer.contains(name.as_str())) => {
            seen.weights = true;
        }
        other if other.starts_with("QLinear") || other.starts_with("QOrdered") => seen.fixed = true,
        _ => {}
    }
}

fn constant(node: &Node, input: usize, scope: &Scope<'_>) -> bool {
    node.input.get(input).is_some_and(|name| scope.constant.contains(name.as_str()))
}

fn activation_scale(node: &Node, input: usize, scope: &Scope<'_>, seen: &mut Seen) {
    if constant(node, input, scope) {
        seen.fixed = true;
    } else {
        seen.dynamic = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx::Tensor;

    fn node(op: &str, input: &[&str], output: &[&str]) -> Node {
        let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
        Node { op_type: op.into(), input: names(input), output: names(output), attribute: vec![] }
    }

    fn kind(initializers: &[(&str, i32)], node: Vec<Node>) -> Quantization {
        let initializer = initializers
            .iter()
            .map(|(name, data_type)| Tensor {
                name: (*name).into(),
                data_type: *data_type,
                ..Tensor::default()
            })
            .collect();
        classify(&Model { graph: Some(Graph { node, initializer }), ..Model::default() })
    }

    #[test]
    fn float_graph() {
        assert_eq!(kind(&[("w", 1)], vec![node("MatMul", &["x", "w"], &["y"])]), Quantization::None);
        // Casting an integer input is no weight.
        assert_eq!(kind(&[], vec![node("Cast", &["mask"], &["m"])]), Quantization::None);
    }

    #[test]
    fn weights_only() {
        let through = vec![
            node("DequantizeLinear", &["w", "s"], &["wf"]),
            node("Transpose", &["wf"], &["wt"]),
            node("MatMul", &["x", "wt"], &["y"]),
        ];
        assert_eq!(kind(&[("w", 3), ("s", 1)], through), Quantization::WeightOnly);
        let cast = vec![node("Transpose", &["w"], &["wt"]), node("Cast", &["wt"], &["wf"])];
        assert_eq!(kind(&[("w", 3)], cast), Quantization::WeightOnly);
        assert_eq!(
            kind(&[("w", 2)], vec![node("MatMulNBits", &["x", "w"], &["y"])]),
            Quantization::WeightOnly
        );
    }

    #[test]
    fn calibrated() {
        let qdq = vec![
            node("QuantizeLinear", &["x", "s", "z"], &["q"]),
            node("DequantizeLinear", &["q", "s", "z"], &["f"]),
        ];
        assert_eq!(kind(&[("s", 1), ("z", 2)], qdq), Quantization::Static);
        let integer =
            vec![node("QuantizeLinear", &["x", "s"], &["q"]), node("MatMulInteger", &["q", "w"], &["y"])];
        assert_eq!(kind(&[("s", 1), ("w", 3)], integer), Quantization::Static);
    }

    #[test]
    fn at_run_time() {
        let plain = vec![node("DynamicQuantizeLinear", &["x"], &["q", "s", "z"])];
        assert_eq!(kind(&[], plain), Quantization::Dynamic);
        let by_hand = vec![node("QuantizeLinear", &["x", "s"], &["q"])];
        assert_eq!(kind(&[], by_hand), Quantization::Dynamic);
        assert_eq!(
            kind(&[("w", 3)], vec![node("MatMulInteger", &["q", "w"], &["y"])]),
            Quantization::Dynamic
        );
    }

    #[test]
    fn inside_a_branch() {
        let body = Graph { node: vec![node("DynamicQuantizeLinear", &["x"], &["q"])], initializer: vec![] };
        let mut branch = node("If", &["c"], &["y"]);
        branch.attribute.push(crate::onnx::Attribute { g: Some(body), ..Default::default() });
        assert_eq!(kind(&[], vec![branch]), Quantization::Dynamic);
    }
}
