//! Products: linear layers, scores and weighted values, with weights in floats or integers.

use super::{
    Follower, Found, plain,
    value::{Layout, Meaning, Scores},
};
use crate::{
    onnx::{Node, Tensor},
    plan::{Scheme, Step, Weights},
};

impl Follower {
    pub(super) fn multiply(&mut self, a: &Meaning, b: &Meaning) -> Found {
        match (a, b) {
            (
                Meaning::Matrix { .. } | Meaning::Lookups(_),
                Meaning::Constant(_) | Meaning::Quantized { .. },
            ) => {
                let (x, layout) = self.rows(a)?;
                Some(plain(self.linear(x, weights(b, false)?, vec![])?, layout))
            }
            (
                &Meaning::Matrix { reg: q, layout: Layout::Heads(heads), factor },
                &Meaning::Matrix { reg: k, layout: Layout::Keys(other), factor: by },
            ) if heads == other => Some(Meaning::Scores(Scores {
                q,
                k,
                heads,
                scale: factor * by,
                masked: false,
                relative: None,
            })),
            (Meaning::Weights(scores), &Meaning::Matrix { reg: v, layout: Layout::Heads(heads), factor })
                if heads == scores.heads =>
            {
                let reg = self.attend(scores, v)?;
                Some(Meaning::Matrix { reg, layout: Layout::Heads(heads), factor })
            }
            _ => None,
        }
    }

    pub(super) fn attend(&mut self, scores: &Scores, v: usize) -> Option<usize> {
        let Scores { q, k, heads, scale, masked, .. } = *scores;
        let width = heads.count * heads.width;
        if [q, k, v].iter().any(|reg| self.plan.widths[*reg] != width || self.plan.per_text[*reg]) {
            return None;
        }
        let relative = scores.relative.clone();
        Some(self.push(Step::Attend { q, k, v, heads, scale, masked, relative }, width, false))
    }

    pub(super) fn gemm(&mut self, node: &Node, inputs: &[Option<Meaning>]) -> Found {
        let one = |name| node.float(name).is_none_or(|value| value == 1.0);
        if !one("alpha") || !one("beta") || node.int("transA").unwrap_or(0) != 0 {
            return None;
        }
        let (x, layout) = self.rows(inputs.first()?.as_ref()?)?;
        let weights = weights(inputs.get(1)?.as_ref()?, node.int("transB") == Some(1))?;
        let bias = match inputs.get(2).and_then(Option::as_ref) {
            Some(bias) => super::vector(bias, weights.width)?,
            None => vec![],
        };
        Some(plain(self.linear(x, weights, bias)?, layout))
    }

    pub(super) fn dequantize(&mut self, node: &Node, inputs: &[Option<Meaning>]) -> Found {
        let at = |at: usize| inputs.get(at).and_then(Option::as_ref);
        let Meaning::Constant(scale) = at(1)? else { return None };
        let zero = match at(2) {
            Some(Meaning::Constant(zero)) => Some(zero.clone()),
            None => None,
            _ => return None,
        };
        match at(0)? {
            Meaning::Constant(tensor) if tensor.dims.len() == 1 => {
                let zero = zero.map_or(Some(0.0), |zero| zero.scalar())?;
                let scale = scale.scalar()?;
                let values: Vec<f32> = tensor.floats().iter().map(|q| (q - zero) * scale).collect();
                Tensor::floats_of(tensor.dims.clone(), &values).map(Meaning::Constant)
            }
            Meaning::Constant(tensor) if tensor.dims.len() == 2 => {
                // One scale, or one for each column; one for each row is what a table or a transposed weight has.
                let axis = node.int("axis").unwrap_or(1).rem_euclid(2);
                let rows = axis == 0 && scale.len() > 1;
                let expected = tensor.dims[usize::from(!rows)];
                (node.int("block_size").unwrap_or(0) == 0 && (scale.len() == 1 || scale.len() == expected))
                    .then(|| Meaning::Quantized {
                        tensor: tensor.clone(),
                        scale: scale.clone(),
                        zero,
                        rows: false,
                    })
            }
            Meaning::Entries { table, index } => {
                let zero = zero.map_or(Some(0.0), |zero| zero.scalar())?;
                (scale.len() == 1).then(|| {
                    let scale = Some(scale.clone());
                    let lookup = crate::plan::Lookup { table: table.clone(), index: *index, scale, zero };
                    Meaning::Lookups(vec![lookup])
                })
            }
            _ => None,
        }
    }

    pub(super) fn round(&mut self, x: &Meaning) -> Option<Vec<Meaning>> {
        let (reg, layout) = self.rows(x)?;
        Some(vec![
            Meaning::Rounded { reg, layout },
            Meaning::RoundedScale { weights: None },
            Meaning::RoundedZero,
        ])
    }

    pub(super) fn multiply_rounded(&mut self, a: &Meaning, b: &Meaning, zero: Option<&Meaning>) -> Found {
        let (&Meaning::Rounded { reg, layout }, Meaning::Constant(tensor)) = (a, b) else { return None };
        let zero = match zero {
            Some(Meaning::Constant(zero)) => Some(zero.clone()),
            None => None,
            _ => return None,
        };
        Some(Meaning::RoundedProduct { reg, layout, tensor: tensor.clone(), zero })
    }

    /// A product of rounded values times its scales is a linear layer again.
    pub(super) fn unrounded(&mut self, product: &Meaning, scale: &Meaning) -> Found {
        let Meaning::RoundedProduct { reg, layout, tensor, zero } = product else { return None };
        let Meaning::RoundedScale { weights: Some(scale) } = scale else { return None };
        let scheme = Scheme::Scaled { scale: scale.clone(), zero: zero.clone() };
        let weights = checked(Weights::of(tensor.clone(), false, scheme)?)?;
        Some(plain(self.linear(*reg, weights, vec![])?, *layout))
    }
}

/// Weights whose scales are as many as their channels, or one.
fn checked(weights: Weights) -> Option<Weights> {
    if let Scheme::Scaled { scale, zero } = &weights.scheme {
        let fits = |tensor: &Tensor| tensor.len() == 1 || tensor.len() == weights.width;
        if !fits(scale) || !zero.as_ref().is_none_or(fits) {
            return None;
        }
    }
    Some(weights)
}

/// The weights that a constant is, multiplied from the right, transposed first when `rows` says so.
pub(super) fn weights(meaning: &Meaning, rows: bool) -> Option<Weights> {
    match meaning {
        Meaning::Constant(tensor) if tensor.kind.is_float() => {
            Weights::of(tensor.clone(), rows, Scheme::Float)
        }
        Meaning::Quantized { tensor, scale, zero, rows: transposed } => {
            let scheme = Scheme::Scaled { scale: scale.clone(), zero: zero.clone() };
            checked(Weights::of(tensor.clone(), rows != *transposed, scheme)?)
        }
        _ => None,
    }
}
