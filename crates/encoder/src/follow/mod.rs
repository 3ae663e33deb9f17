//! Following a graph from its inputs to its outputs: each node's outputs get a meaning from its inputs' meanings. What has no
//! meaning here ends it with the node's name and a reason, so that a graph is either understood whole or left to ONNX Runtime.

mod arithmetic;
mod distance;
mod fused;
mod products;
mod shapes;
mod value;

use crate::{
    onnx::{Attribute, Node, OnnxFile, Tensor},
    plan::{Index, Lookup, Plan, Reg, Step, Weights},
};
use millrace_kernels::Activation;
use std::{collections::HashMap, fmt};
use value::{Form, Layout, Mask, Meaning, Size};

/// Why the encoder does not take a graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declined(pub(crate) String);

impl fmt::Display for Declined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Declined {}

/// A step's outcome: a meaning, or that there is none.
type Found = Option<Meaning>;

/// Follows the graph of `file`.
pub(crate) fn follow(file: &OnnxFile) -> Result<Plan, Declined> {
    if file.functions > 0 {
        return Err(Declined("the file has operators of its own".into()));
    }
    let mut follower = Follower { plan: Plan::default(), names: HashMap::new() };
    for (name, tensor) in &file.tensors {
        follower.names.insert(name.clone(), Meaning::Constant(tensor.clone()));
    }
    for input in &file.inputs {
        if follower.names.contains_key(&input.name) {
            continue;
        }
        let meaning = match input.name.as_str() {
            "input_ids" => Meaning::Index(Index::Ids),
            "token_type_ids" => Meaning::Index(Index::Types),
            "position_ids" => Meaning::Index(Index::PositionInput),
            "attention_mask" => Meaning::Mask(Mask { form: Form::Keep, rank: 2, axis: 1 }),
            other => return Err(Declined(format!("the graph has an input {other}"))),
        };
        follower.names.insert(input.name.clone(), meaning);
    }
    for node in &file.nodes {
        follower.node(node)?;
    }
    for output in &file.outputs {
        let reg = match follower.names.get(&output.name) {
            Some(&Meaning::Matrix { reg, layout: Layout::Flat | Layout::Text, factor }) => {
                follower.scaled(reg, factor)
            }
            _ => return Err(Declined(format!("the output {} is no matrix of tokens or texts", output.name))),
        };
        if !matches!(output.element, 1 | 10) {
            return Err(Declined(format!("the output {} is not of floats", output.name)));
        }
        follower.plan.outputs.push(reg);
    }
    if follower.plan.outputs.is_empty() {
        return Err(Declined("the graph has no outputs".into()));
    }
    Ok(follower.plan)
}

struct Follower {
    plan: Plan,
    names: HashMap<String, Meaning>,
}

impl Follower {
    /// Sums of lookups become a matrix where they are first used as one, so that all who read them read the same.
    fn settle(&mut self, node: &Node) {
        let keeps = matches!(
            node.op.as_str(),
            "Add" | "Mul" | "Cast" | "Unsqueeze" | "Squeeze" | "Expand" | "Shape" | "Identity" | "Dropout"
        );
        for name in node.inputs.iter().filter(|_| !keeps) {
            if let Some(Meaning::Lookups(lookups)) = self.names.get(name).cloned()
                && let Some(reg) = self.embed(&lookups)
            {
                self.names.insert(name.clone(), plain(reg, Layout::Flat));
            }
        }
    }

    fn node(&mut self, node: &Node) -> Result<(), Declined> {
        self.settle(node);
        let inputs: Vec<Option<Meaning>> =
            node.inputs.iter().map(|name| self.names.get(name).cloned()).collect();
        for (name, meaning) in node.inputs.iter().zip(&inputs) {
            if !name.is_empty() && meaning.is_none() {
                return Err(Declined(format!(
                    "{} of {} reads {name}, which is unknown",
                    node.op,
                    output(node)
                )));
            }
        }
        let meanings = self.meanings(node, &inputs).ok_or_else(|| {
            let of: Vec<_> =
                inputs.iter().map(|meaning| meaning.as_ref().map_or("nothing", name_of)).collect();
            Declined(format!("{} at {} with {} is not understood", node.op, output(node), of.join(", ")))
        })?;
        for (name, meaning) in node.outputs.iter().zip(meanings) {
            if !name.is_empty() {
                self.names.insert(name.clone(), meaning);
            }
        }
        Ok(())
    }

    fn meanings(&mut self, node: &Node, inputs: &[Option<Meaning>]) -> Option<Vec<Meaning>> {
        let at = |at: usize| inputs.get(at).and_then(Option::as_ref);
        let one = |found: Found| found.map(|meaning| vec![meaning]);
        match node.op.as_str() {
            "Constant" => one(constant(node)),
            "Identity" | "Dropout" => at(0).map(|x| vec![x.clone(), Meaning::Nothing]),
            "Cast" | "CastLike" => one(self.cast(node, at(0)?)),
            "Shape" | "Reshape" | "Transpose" | "Unsqueeze" | "Squeeze" | "Expand" | "Slice" | "Concat"
            | "ConstantOfShape" | "Range" | "Flatten" | "Size" => one(self.shape(node, inputs)),
            "Split" => self.split(node, inputs),
            "Gather" => one(self.gather(node, at(0)?, at(1)?)),
            "GatherElements" => one(self.gather_elements(at(0)?, at(1)?)),
            "Add" | "Sub" | "Mul" | "Div" | "Pow" | "Min" | "Max" | "Mod" => {
                one(self.binary(&node.op, at(0)?, at(1)?))
            }
            "Equal" | "Greater" | "GreaterOrEqual" | "Less" | "LessOrEqual" | "And" | "Or" => {
                one(self.compare(&node.op, at(0)?, at(1)?))
            }
            "Not" | "Neg" | "Abs" | "Sqrt" | "Reciprocal" | "Log" | "Erf" | "Tanh" | "Relu" | "IsNaN"
            | "Sign" => one(self.unary(&node.op, at(0)?)),
            "Clip" => one(self.clip(node, inputs)),
            "Where" => one(self.choose(at(0)?, at(1)?, at(2)?)),
            "CumSum" => one(self.count_up(at(0)?)),
            "Softmax" => one(self.softmax(node, at(0)?)),
            "ReduceMean" | "ReduceSum" | "ReduceL2" => one(self.reduce(node, inputs)),
            "LpNormalization" => one(self.unit(node, at(0)?)),
            "LayerNormalization" => one(self.norm(node, at(0)?, at(1)?, at(2))),
            "Gelu" => one(self.activate(at(0)?, gelu_kind(node))),
            "MatMul" => one(self.multiply(at(0)?, at(1)?)),
            "Gemm" => one(self.gemm(node, inputs)),
            "DequantizeLinear" => one(self.dequantize(node, inputs)),
            "DynamicQuantizeLinear" => self.round(at(0)?),
            "MatMulInteger" => one(self.multiply_rounded(at(0)?, at(1)?, at(3))),
            _ if node.domain == "com.microsoft" => self.fused(node, inputs),
            _ => None,
        }
    }

    fn push(&mut self, step: Step, width: usize, per_text: bool) -> Reg {
        self.plan.steps.push(step);
        self.plan.widths.push(width);
        self.plan.per_text.push(per_text);
        self.plan.steps.len() - 1
    }

    /// A step like its input in shape.
    fn push_like(&mut self, step: Step, like: Reg) -> Reg {
        self.push(step, self.plan.widths[like], self.plan.per_text[like])
    }

    /// A step on a matrix that lies in the usual way.
    fn normal(&mut self, step: Step, like: Reg) -> Meaning {
        let layout = if self.plan.per_text[like] { Layout::Text } else { Layout::Flat };
        plain(self.push_like(step, like), layout)
    }

    fn scaled(&mut self, reg: Reg, factor: f32) -> Reg {
        if factor.to_bits() == 1.0_f32.to_bits() {
            return reg;
        }
        self.push_like(Step::Scale { x: reg, by: factor }, reg)
    }

    /// A matrix of tokens or texts, with its factor put in; sums of lookups become one.
    fn matrix(&mut self, meaning: &Meaning) -> Option<(Reg, Layout)> {
        match meaning {
            &Meaning::Matrix { reg, layout, factor } => Some((self.scaled(reg, factor), layout)),
            Meaning::Lookups(lookups) => Some((self.embed(lookups)?, Layout::Flat)),
            _ => None,
        }
    }

    /// A matrix whose rows lie whole.
    fn rows(&mut self, meaning: &Meaning) -> Option<(Reg, Layout)> {
        self.matrix(meaning).filter(|(_, layout)| {
            matches!(layout, Layout::Flat | Layout::Merged | Layout::Text | Layout::TextKept)
        })
    }

    fn embed(&mut self, lookups: &[Lookup]) -> Option<Reg> {
        let width = lookups.first()?.width();
        if width == 0 || lookups.iter().any(|lookup| lookup.width() != width || lookup.entries() == 0) {
            return None;
        }
        let token = lookups.iter().any(|lookup| lookup.index == Index::Ids);
        token.then(|| self.push(Step::Embed(lookups.to_vec()), width, false))
    }

    fn linear(&mut self, x: Reg, weights: Weights, bias: Vec<f32>) -> Option<Reg> {
        if self.plan.widths[x] != weights.depth || !(bias.is_empty() || bias.len() == weights.width) {
            return None;
        }
        let (width, per_text) = (weights.width, self.plan.per_text[x]);
        Some(self.push(Step::Linear { x, weights, bias }, width, per_text))
    }

    fn activate(&mut self, x: &Meaning, kind: Activation) -> Found {
        let (reg, layout) = self.rows(x)?;
        let reg = self.push_like(Step::Activate { x: reg, kind }, reg);
        Some(plain(reg, layout))
    }

    fn norm(&mut self, node: &Node, x: &Meaning, gain: &Meaning, bias: Option<&Meaning>) -> Found {
        let (reg, layout) = self.rows(x)?;
        let width = self.plan.widths[reg];
        let axis = node.int("axis").unwrap_or(-1);
        let rank = if matches!(layout, Layout::Flat | Layout::TextKept) { 3 } else { 2 };
        if axis != -1 && axis != rank - 1 {
            return None;
        }
        let gain = vector(gain, width)?;
        let bias = bias.map_or(Some(vec![0.0; width]), |bias| vector(bias, width))?;
        let epsilon = node.float("epsilon").unwrap_or(1e-5);
        Some(plain(self.push_like(Step::Norm { x: reg, gain, bias, epsilon }, reg), layout))
    }
}

/// A matrix times one.
fn plain(reg: Reg, layout: Layout) -> Meaning {
    Meaning::Matrix { reg, layout, factor: 1.0 }
}

/// A constant of `width` floats, with axes of one before it or not.
fn vector(meaning: &Meaning, width: usize) -> Option<Vec<f32>> {
    let Meaning::Constant(tensor) = meaning else { return None };
    (tensor.len() == width && tensor.dims.last().is_some_and(|last| *last == width)).then(|| tensor.floats())
}

/// A constant of one number.
fn number(meaning: &Meaning) -> Option<f32> {
    match meaning {
        Meaning::Constant(tensor) => tensor.scalar(),
        Meaning::Filled(value) => Some(*value),
        Meaning::Sizes(Some(sizes)) => match sizes[..] {
            #[expect(clippy::cast_precision_loss, reason = "a dimension")]
            [Size::Known(value)] => Some(value as f32),
            _ => None,
        },
        _ => None,
    }
}

fn constant(node: &Node) -> Found {
    Some(Meaning::Constant(match node.attributes.first().map(|(_, value)| value)? {
        Attribute::Tensor(tensor) => tensor.clone(),
        Attribute::Float(value) => Tensor::floats_of(vec![], &[*value])?,
        Attribute::Int(value) => Tensor::ints_of(vec![], &[*value])?,
        Attribute::Floats(values) => Tensor::floats_of(vec![values.len()], values)?,
        Attribute::Ints(values) => Tensor::ints_of(vec![values.len()], values)?,
        _ => return None,
    }))
}

fn gelu_kind(node: &Node) -> Activation {
    match node.attribute("approximate") {
        Some(Attribute::Text(text)) if text == "tanh" => Activation::GeluTanh,
        _ => Activation::Gelu,
    }
}

fn output(node: &Node) -> &str {
    node.outputs.first().map_or("no output", String::as_str)
}

fn name_of(meaning: &Meaning) -> &'static str {
    match meaning {
        Meaning::Constant(_) | Meaning::Quantized { .. } | Meaning::Filled(_) => "a constant",
        Meaning::Sizes(_) => "sizes",
        Meaning::Index(_) | Meaning::Padding { .. } | Meaning::Counted { .. } => "numbers of tokens",
        Meaning::Mask(_) | Meaning::MaskCount { .. } => "the mask",
        Meaning::Entries { .. } | Meaning::Lookups(_) => "embeddings",
        Meaning::Matrix { layout: Layout::Text | Layout::TextKept, .. } => "a matrix of texts",
        Meaning::Matrix { .. } => "a matrix of tokens",
        Meaning::Scores(_) => "scores",
        Meaning::Weights(_) | Meaning::NotANumber => "weights of attention",
        Meaning::Norm { .. }
        | Meaning::Spread { .. }
        | Meaning::Deviation { .. }
        | Meaning::InverseDeviation { .. }
        | Meaning::Normed { .. } => "a part of a norm",
        Meaning::Gelu { .. } | Meaning::Tanh { .. } => "a part of GELU",
        Meaning::Rounded { .. }
        | Meaning::RoundedScale { .. }
        | Meaning::RoundedZero
        | Meaning::RoundedProduct { .. } => "a quantised matrix",
        Meaning::Masked { .. } | Meaning::Summed { .. } | Meaning::Length { .. } => "a part of pooling",
        Meaning::Distance(_) | Meaning::Relative { .. } | Meaning::Queries(_) => "distances",
        Meaning::Nothing => "nothing",
    }
}
