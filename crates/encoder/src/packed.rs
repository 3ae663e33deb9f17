//! A model in memory: its layers with weights packed for the level in use, in floats or bytes.

use crate::{
    follow::Declined,
    layers::{Dense, LayerPlan, Normed, Op},
    plan::{Lookup, Reg, Relative},
    smooth::{Site, Smoothing},
};
use millrace_kernels::{
    Activation, Heads, Level, Norm, PackedF32, PackedI8, deepest_product, quantize_channels,
};

/// What layers compute in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Precision {
    /// Floats of 32 bits throughout.
    Fp32,
    /// Products of bytes: weights with a scale an output channel, activations with one a token; everything else in floats.
    Int8,
}

impl Precision {
    /// The name that options and `info()` use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fp32 => "fp32",
            Self::Int8 => "int8",
        }
    }
}

/// A linear layer, packed.
#[derive(Debug)]
pub(crate) enum Linear {
    Float(PackedF32),
    Bytes(PackedI8),
}

/// A layer, packed.
#[derive(Debug)]
pub(crate) struct Layer {
    pub(crate) heads: Heads,
    pub(crate) masked: bool,
    pub(crate) relative: Option<Relative>,
    pub(crate) qkv: Linear,
    pub(crate) out: Linear,
    pub(crate) first: Norm,
    pub(crate) inner: Linear,
    pub(crate) inner_width: usize,
    pub(crate) kind: Activation,
    pub(crate) outer: Linear,
    pub(crate) second: Norm,
}

/// One thing to run, packed.
#[derive(Debug)]
pub(crate) enum Packed {
    Embed(Vec<Lookup>),
    Norm { x: Reg, norm: Norm },
    Layer { x: Reg, layer: Box<Layer> },
    Linear { x: Reg, dense: PackedF32 },
    Add { a: Reg, b: Reg },
    Activate { x: Reg, kind: Activation },
    Scale { x: Reg, by: f32 },
    First { x: Reg },
    Mean { x: Reg, floor: f32 },
    Unit { x: Reg, floor: f32 },
}

/// A model, ready to run.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) level: Level,
    pub(crate) precision: Precision,
    pub(crate) ops: Vec<(Reg, Packed)>,
    pub(crate) widths: Vec<usize>,
    pub(crate) per_text: Vec<bool>,
    pub(crate) outputs: Vec<Reg>,
    /// How often each value is read, outputs included.
    pub(crate) uses: Vec<usize>,
}

fn wrong(what: &str) -> Declined {
    Declined(format!("the numbers of {what} do not fit its shape, or are not finite"))
}

/// Weights and bias as floats; every number must be finite, so that what is not finite later came from an input.
fn numbers(dense: &Dense, what: &str) -> Result<(Vec<f32>, Vec<f32>), Declined> {
    let weights = dense.weights.channels().ok_or_else(|| wrong(what))?;
    let bias = if dense.bias.is_empty() { vec![0.0; dense.weights.width] } else { dense.bias.clone() };
    let sound = weights.len() == dense.weights.depth * dense.weights.width
        && weights.iter().chain(&bias).all(|x| x.is_finite());
    if sound { Ok((weights, bias)) } else { Err(wrong(what)) }
}

fn norm(normed: &Normed) -> Result<Norm, Declined> {
    if normed.gain.iter().chain(&normed.bias).all(|x| x.is_finite()) && normed.epsilon >= 0.0 {
        Ok(Norm::new(&normed.gain, &normed.bias, normed.epsilon))
    } else {
        Err(wrong("a norm"))
    }
}

/// Packs layers for one level and precision.
pub(crate) struct Packer<'s> {
    pub(crate) level: Level,
    pub(crate) precision: Precision,
    pub(crate) smoothing: Option<&'s Smoothing>,
}

impl Packer<'_> {
    fn linear(&self, depth: usize, mut weights: Vec<f32>, bias: &[f32], smooth: Option<&[f32]>) -> Linear {
        if self.precision == Precision::Fp32 {
            return Linear::Float(PackedF32::new(self.level, &weights, depth, bias));
        }
        if let Some(by) = smooth {
            for channel in weights.chunks_exact_mut(depth) {
                channel.iter_mut().zip(by).for_each(|(weight, by)| *weight *= by);
            }
        }
        let (bytes, scales) = quantize_channels(&weights, depth);
        Linear::Bytes(PackedI8::new(self.level, &bytes, depth, &scales, bias))
    }

    /// Packs layer `at`. `before` is the norm that its input comes from.
    pub(crate) fn layer(
        &self,
        at: usize,
        plan: &LayerPlan,
        before: Option<&mut Norm>,
    ) -> Result<Layer, Declined> {
        let width = plan.heads.count * plan.heads.width;
        let depth = plan.query.weights.depth;
        let deepest = depth.max(plan.outer.weights.depth).max(width);
        if self.precision == Precision::Int8 && deepest > deepest_product() {
            return Err(Declined(format!("a product over {deepest} numbers is too deep for int8")));
        }
        let fits = plan.query.weights.width == width
            && plan.key.weights.width == width
            && plan.value.weights.width == width
            && plan.out.weights.depth == width
            && plan.out.weights.width == depth
            && plan.outer.weights.width == depth;
        if !fits {
            return Err(wrong("a layer"));
        }
        let (mut weights, mut bias) = numbers(&plan.query, "a query")?;
        // Scores are scaled once here instead of at every run.
        weights.iter_mut().chain(&mut bias).for_each(|x| *x *= plan.scale);
        for dense in [&plan.key, &plan.value] {
            let (more, more_bias) = numbers(dense, "keys and values")?;
            weights.extend(more);
            bias.extend(more_bias);
        }
        let mut first = norm(&plan.first)?;
        let inner_depth = plan.inner.weights.depth;
        let site =
            |which| self.smoothing.and_then(|smoothing| smoothing.at(Site { layer: at, inner: which }));
        let smooth_qkv = site(false).filter(|by| by.len() == depth && before.is_some());
        let smooth_inner = site(true).filter(|by| by.len() == inner_depth);
        let qkv = self.linear(depth, weights, &bias, smooth_qkv);
        if let (Some(by), Some(before)) = (smooth_qkv, before) {
            before.smooth(by);
        }
        let (weights, bias) = numbers(&plan.inner, "a layer's inner product")?;
        let inner = self.linear(inner_depth, weights, &bias, smooth_inner);
        if let Some(by) = smooth_inner {
            first.smooth(by);
        }
        let (weights, bias) = numbers(&plan.out, "attention's output")?;
        let out = self.linear(width, weights, &bias, None);
        let (weights, bias) = numbers(&plan.outer, "a layer's outer product")?;
        let outer = self.linear(plan.outer.weights.depth, weights, &bias, None);
        let kind = match (self.precision, plan.kind) {
            // What is rounded to bytes next needs no seventh digit.
            (Precision::Int8, Activation::Gelu) => Activation::GeluRough,
            (_, kind) => kind,
        };
        Ok(Layer {
            heads: plan.heads,
            masked: plan.masked,
            relative: plan.relative.clone(),
            qkv,
            out,
            first,
            inner,
            inner_width: plan.inner.weights.width,
            kind,
            outer,
            second: norm(&plan.second)?,
        })
    }

    /// Packs all ops of a plan.
    pub(crate) fn pack(&self, plan: &crate::plan::Plan, ops: &[(Reg, Op)]) -> Result<Model, Declined> {
        let mut packed: Vec<(Reg, Packed)> = Vec::with_capacity(ops.len());
        let mut layers = 0;
        for (reg, op) in ops {
            let op = match op {
                Op::Embed(lookups) => Packed::Embed(lookups.clone()),
                Op::Norm { x, norm: values } => Packed::Norm { x: *x, norm: norm(values)? },
                Op::Layer { x, layer } => {
                    // Bytes of the norm before are kept for the one layer that comes next.
                    let follows = packed.last().is_some_and(|(reg, _)| reg == x);
                    if self.precision == Precision::Int8 && !follows {
                        return Err(Declined("its layers do not follow each other, which int8 needs".into()));
                    }
                    let before = packed.iter_mut().find(|(reg, _)| reg == x).and_then(|(_, op)| match op {
                        Packed::Norm { norm, .. } => Some(norm),
                        Packed::Layer { layer, .. } => Some(&mut layer.second),
                        _ => None,
                    });
                    if before.is_none() && self.precision == Precision::Int8 {
                        return Err(Declined("a layer's input is no norm, which int8 needs".into()));
                    }
                    let layer = self.layer(layers, layer, before)?;
                    layers += 1;
                    Packed::Layer { x: *x, layer: Box::new(layer) }
                }
                Op::Linear { x, dense } => {
                    let (weights, bias) = numbers(dense, "a head")?;
                    let dense = PackedF32::new(self.level, &weights, dense.weights.depth, &bias);
                    Packed::Linear { x: *x, dense }
                }
                Op::Add { a, b } => Packed::Add { a: *a, b: *b },
                Op::Activate { x, kind } => Packed::Activate { x: *x, kind: *kind },
                Op::Scale { x, by } => Packed::Scale { x: *x, by: *by },
                Op::First { x } => Packed::First { x: *x },
                Op::Mean { x, floor } => Packed::Mean { x: *x, floor: *floor },
                Op::Unit { x, floor } => Packed::Unit { x: *x, floor: *floor },
            };
            packed.push((*reg, op));
        }
        let mut uses = vec![0; plan.steps.len()];
        plan.outputs.iter().for_each(|reg| uses[*reg] += 1);
        ops.iter().flat_map(|(_, op)| op.inputs()).for_each(|reg| uses[reg] += 1);
        Ok(Model {
            level: self.level,
            precision: self.precision,
            ops: packed,
            widths: plan.widths.clone(),
            per_text: plan.per_text.clone(),
            outputs: plan.outputs.clone(),
            uses,
        })
    }
}
