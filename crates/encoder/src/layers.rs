//! From the steps of a plan to the layers that are run: which steps are a layer of an encoder, and which stand alone.

use crate::{
    follow::Declined,
    plan::{Lookup, Plan, Reg, Relative, Step, Weights},
};
use millrace_kernels::{Activation, Heads};

/// A linear layer before it is packed.
#[derive(Debug, Clone)]
pub(crate) struct Dense {
    pub(crate) weights: Weights,
    pub(crate) bias: Vec<f32>,
}

/// A norm's values.
#[derive(Debug, Clone)]
pub(crate) struct Normed {
    pub(crate) gain: Vec<f32>,
    pub(crate) bias: Vec<f32>,
    pub(crate) epsilon: f32,
}

/// A post-norm layer: `y = norm(x + out(attention(x)))`, then `norm(y + outer(activation(inner(y))))`.
#[derive(Debug, Clone)]
pub(crate) struct LayerPlan {
    pub(crate) heads: Heads,
    pub(crate) scale: f32,
    pub(crate) masked: bool,
    pub(crate) relative: Option<Relative>,
    pub(crate) query: Dense,
    pub(crate) key: Dense,
    pub(crate) value: Dense,
    pub(crate) out: Dense,
    pub(crate) first: Normed,
    pub(crate) inner: Dense,
    pub(crate) kind: Activation,
    pub(crate) outer: Dense,
    pub(crate) second: Normed,
}

/// One thing to run; its value has the number of the step that it stands for.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    Embed(Vec<Lookup>),
    Norm { x: Reg, norm: Normed },
    Layer { x: Reg, layer: Box<LayerPlan> },
    Linear { x: Reg, dense: Dense },
    Add { a: Reg, b: Reg },
    Activate { x: Reg, kind: Activation },
    Scale { x: Reg, by: f32 },
    First { x: Reg },
    Mean { x: Reg, floor: f32 },
    Unit { x: Reg, floor: f32 },
}

impl Op {
    pub(crate) fn inputs(&self) -> Vec<Reg> {
        match self {
            Self::Embed(_) => vec![],
            Self::Add { a, b } => vec![*a, *b],
            Self::Norm { x, .. }
            | Self::Layer { x, .. }
            | Self::Linear { x, .. }
            | Self::Activate { x, .. }
            | Self::Scale { x, .. }
            | Self::First { x }
            | Self::Mean { x, .. }
            | Self::Unit { x, .. } => vec![*x],
        }
    }
}

fn inputs(step: &Step) -> Vec<Reg> {
    match step {
        Step::Embed(_) => vec![],
        Step::Add { a, b } => vec![*a, *b],
        Step::Attend { q, k, v, .. } => vec![*q, *k, *v],
        Step::Norm { x, .. }
        | Step::Linear { x, .. }
        | Step::Activate { x, .. }
        | Step::Scale { x, .. }
        | Step::First { x }
        | Step::Mean { x, .. }
        | Step::Unit { x, .. } => vec![*x],
    }
}

/// How often each step's value is used, by steps that an output needs and by outputs.
fn uses(plan: &Plan) -> Vec<usize> {
    let mut uses = vec![0; plan.steps.len()];
    for output in &plan.outputs {
        uses[*output] += 1;
    }
    for (reg, step) in plan.steps.iter().enumerate().rev() {
        if uses[reg] > 0 {
            for input in inputs(step) {
                uses[input] += 1;
            }
        }
    }
    uses
}

struct Matcher<'p> {
    plan: &'p Plan,
    uses: Vec<usize>,
}

/// The steps that a layer swallows, its input, and the layer.
type Match = (Vec<Reg>, Reg, LayerPlan);

impl Matcher<'_> {
    /// A linear layer whose value only this layer uses.
    fn dense(&self, reg: Reg) -> Option<(Reg, Dense)> {
        match &self.plan.steps[reg] {
            Step::Linear { x, weights, bias } if self.uses[reg] == 1 => {
                Some((*x, Dense { weights: weights.clone(), bias: bias.clone() }))
            }
            _ => None,
        }
    }

    /// A norm over the sum of a linear layer and a residual: what the layer reads, the layer, the residual.
    fn block(&self, reg: Reg, swallowed: &mut Vec<Reg>) -> Option<(Reg, Dense, Reg, Normed)> {
        let Step::Norm { x: sum, gain, bias, epsilon } = &self.plan.steps[reg] else { return None };
        let Step::Add { a, b } = self.plan.steps[*sum] else { return None };
        if self.uses[*sum] != 1 {
            return None;
        }
        let norm = Normed { gain: gain.clone(), bias: bias.clone(), epsilon: *epsilon };
        for (linear, residual) in [(a, b), (b, a)] {
            if let Some((x, dense)) = self.dense(linear)
                && residual < linear
            {
                swallowed.extend([*sum, linear]);
                return Some((x, dense, residual, norm));
            }
        }
        None
    }

    fn layer(&self, reg: Reg) -> Option<Match> {
        let mut swallowed = Vec::new();
        let (activated, outer, y, second) = self.block(reg, &mut swallowed)?;
        let Step::Activate { x: raw, kind } = self.plan.steps[activated] else { return None };
        let (from, inner) = self.dense(raw)?;
        if from != y || self.uses[activated] != 1 || self.uses[y] != 2 {
            return None;
        }
        let (context, out, x, first) = self.block(y, &mut swallowed)?;
        let Step::Attend { q, k, v, heads, scale, masked, relative } = &self.plan.steps[context] else {
            return None;
        };
        let ((from_q, query), (from_k, key), (from_v, value)) =
            (self.dense(*q)?, self.dense(*k)?, self.dense(*v)?);
        if [from_q, from_k, from_v] != [x; 3] || self.uses[context] != 1 {
            return None;
        }
        swallowed.extend([activated, raw, y, context, *q, *k, *v]);
        let layer = LayerPlan {
            heads: *heads,
            scale: *scale,
            masked: *masked,
            relative: relative.clone(),
            query,
            key,
            value,
            out,
            first,
            inner,
            kind,
            outer,
            second,
        };
        Some((swallowed, x, layer))
    }
}

/// The ops of a plan in order, each with the number of its value.
pub(crate) fn ops(plan: &Plan) -> Result<Vec<(Reg, Op)>, Declined> {
    let matcher = Matcher { plan, uses: uses(plan) };
    let mut needed: Vec<bool> = matcher.uses.iter().map(|uses| *uses > 0).collect();
    let mut ops = Vec::new();
    let mut layers = 0;
    for (reg, step) in plan.steps.iter().enumerate().rev() {
        if !needed[reg] {
            continue;
        }
        let op = match step {
            Step::Embed(lookups) => Op::Embed(lookups.clone()),
            Step::Norm { x, gain, bias, epsilon } => match matcher.layer(reg) {
                Some((swallowed, x, layer)) => {
                    layers += 1;
                    for reg in swallowed {
                        needed[reg] = false;
                    }
                    Op::Layer { x, layer: Box::new(layer) }
                }
                None => Op::Norm {
                    x: *x,
                    norm: Normed { gain: gain.clone(), bias: bias.clone(), epsilon: *epsilon },
                },
            },
            Step::Linear { x, weights, bias } => {
                Op::Linear { x: *x, dense: Dense { weights: weights.clone(), bias: bias.clone() } }
            }
            Step::Attend { .. } => {
                return Err(Declined("its attention is not that of a post-norm layer".into()));
            }
            Step::Add { a, b } => Op::Add { a: *a, b: *b },
            Step::Activate { x, kind } => Op::Activate { x: *x, kind: *kind },
            Step::Scale { x, by } => Op::Scale { x: *x, by: *by },
            Step::First { x } => Op::First { x: *x },
            Step::Mean { x, floor } => Op::Mean { x: *x, floor: *floor },
            Step::Unit { x, floor } => Op::Unit { x: *x, floor: *floor },
        };
        ops.push((reg, op));
    }
    if layers == 0 {
        return Err(Declined("it has no layer of attention that is understood".into()));
    }
    ops.reverse();
    Ok(ops)
}
