//! ONNX Runtime's own operators, as its optimiser and quantiser leave them in a file.

use super::{
    Follower, Found, gelu_kind, plain,
    products::weights,
    value::{Form, Layout, Mask, Meaning, Scores},
    vector,
};
use crate::{
    onnx::{Node, Tensor},
    plan::{Index, Lookup, Scheme, Step, Weights},
};
use millrace_kernels::{Activation, Heads};

impl Follower {
    pub(super) fn fused(&mut self, node: &Node, inputs: &[Option<Meaning>]) -> Option<Vec<Meaning>> {
        let at = |at: usize| inputs.get(at).and_then(Option::as_ref);
        let one = |found: Found| found.map(|meaning| vec![meaning]);
        match node.op.as_str() {
            "EmbedLayerNormalization" => self.embed_and_norm(node, inputs),
            "SkipLayerNormalization" => self.skip_norm(node, inputs),
            "Attention" => one(self.attention(node, inputs)),
            "QAttention" => one(self.rounded_attention(node, inputs)),
            "MultiHeadAttention" => one(self.many_heads(node, inputs)),
            "BiasGelu" => one(self.biased(at(0)?, at(1)?, Activation::Gelu)),
            "FastGelu" => one(match at(1) {
                Some(bias) => self.biased(at(0)?, bias, Activation::GeluTanh),
                None => self.activate(at(0)?, Activation::GeluTanh),
            }),
            "Gelu" => one(self.activate(at(0)?, gelu_kind(node))),
            "FusedMatMul" => one(self.scaled_product(node, at(0)?, at(1)?)),
            "FusedGemm" => {
                let x = self.gemm(node, inputs)?;
                one(match node.attribute("activation") {
                    Some(crate::onnx::Attribute::Text(kind)) if kind == "Tanh" => {
                        self.activate(&x, Activation::Tanh)
                    }
                    Some(crate::onnx::Attribute::Text(kind)) if kind == "Relu" => {
                        self.activate(&x, Activation::Relu)
                    }
                    _ => None,
                })
            }
            "MatMulNBits" => one(self.blocks(node, inputs)),
            "DynamicQuantizeMatMul" => one(self.rounded_product(at(0)?, at(1)?, at(2)?, at(3), at(4))),
            "MatMulIntegerToFloat" => {
                let &Meaning::Rounded { reg, layout } = at(0)? else { return None };
                one(self.rounded_product(&plain(reg, layout), at(1)?, at(3)?, at(5), at(6)))
            }
            _ => None,
        }
    }

    fn embed_and_norm(&mut self, node: &Node, inputs: &[Option<Meaning>]) -> Option<Vec<Meaning>> {
        let at = |at: usize| inputs.get(at).and_then(Option::as_ref);
        let lookup = |index: &Meaning, table: &Meaning| match (index, table) {
            (Meaning::Index(index), Meaning::Constant(table)) if table.kind.is_float() => {
                Some(Lookup { table: table.clone(), index: *index, scale: None, zero: 0.0 })
            }
            _ => None,
        };
        let positions = at(8).cloned().unwrap_or(Meaning::Index(Index::Positions(0)));
        let mut lookups = vec![lookup(at(0)?, at(2)?)?, lookup(&positions, at(3)?)?];
        if let (Some(types), Some(table)) = (at(1), at(4)) {
            lookups.push(lookup(types, table)?);
        }
        let x = self.embed(&lookups)?;
        let width = self.plan.widths[x];
        let (gain, bias) = (vector(at(5)?, width)?, vector(at(6)?, width)?);
        let epsilon = node.float("epsilon").unwrap_or(1e-12);
        let normed = self.push_like(Step::Norm { x, gain, bias, epsilon }, x);
        // The second output counts the mask's ones, which for rows padded at their ends says the same as the mask.
        let mask = Meaning::Mask(Mask { form: Form::Keep, rank: 2, axis: 1 });
        Some(vec![plain(normed, Layout::Flat), mask, plain(x, Layout::Flat)])
    }

    fn skip_norm(&mut self, node: &Node, inputs: &[Option<Meaning>]) -> Option<Vec<Meaning>> {
        let at = |at: usize| inputs.get(at).and_then(Option::as_ref);
        let mut x = at(0)?.clone();
        if let Some(bias) = at(4) {
            x = self.binary("Add", &x, bias)?;
        }
        let sum = self.binary("Add", &x, at(1)?)?;
        let node = Node {
            attributes: vec![(
                "epsilon".into(),
                crate::onnx::Attribute::Float(node.float("epsilon").unwrap_or(1e-12)),
            )],
            ..Node::default()
        };
        let normed = self.norm(&node, &sum, at(2)?, at(3))?;
        Some(vec![normed, Meaning::Nothing, Meaning::Nothing, sum])
    }

    fn biased(&mut self, x: &Meaning, bias: &Meaning, kind: Activation) -> Found {
        let x = self.binary("Add", x, bias)?;
        self.activate(&x, kind)
    }

    /// The mask that a fused attention is given, if any.
    fn says_mask(mask: Option<&Meaning>) -> Option<bool> {
        match mask {
            None => Some(false),
            Some(Meaning::Mask(Mask { form: Form::Keep, rank: 2, axis: 1 })) => Some(true),
            Some(&Meaning::Mask(Mask { form: Form::Bias, rank, axis })) if axis + 1 == rank && rank >= 3 => {
                Some(true)
            }
            Some(_) => None,
        }
    }

    fn heads_of(node: &Node, width: usize) -> Option<Heads> {
        let count = usize::try_from(node.int("num_heads")?).ok().filter(|count| *count > 0)?;
        (width.is_multiple_of(count) && width > 0).then(|| Heads { count, width: width / count })
    }

    fn whole(&mut self, node: &Node, parts: [usize; 3], masked: bool) -> Found {
        if node.int("unidirectional").unwrap_or(0) != 0 || node.int("do_rotary").unwrap_or(0) != 0 {
            return None;
        }
        let heads = Self::heads_of(node, self.plan.widths[parts[0]])?;
        #[expect(clippy::cast_precision_loss, reason = "a head's width")]
        let scale = match node.float("scale") {
            Some(scale) if scale != 0.0 => scale,
            _ => 1.0 / (heads.width as f32).sqrt(),
        };
        let [q, k, v] = parts;
        let reg = self.attend(&Scores { q, k, heads, scale, masked, relative: None }, v)?;
        Some(plain(reg, Layout::Flat))
    }

    fn attention(&mut self, node: &Node, inputs: &[Option<Meaning>]) -> Found {
        let at = |at: usize| inputs.get(at).and_then(Option::as_ref);
        if at(4).is_some() || at(5).is_some() || at(6).is_some() || node.ints("qkv_hidden_sizes").is_some() {
            return None;
        }
        let weights = weights(at(1)?, false)?;
        let bias = at(2).map_or(Some(vec![]), |bias| vector(bias, weights.width))?;
        self.packed_attention(node, at(0)?, weights, bias, Self::says_mask(at(3))?)
    }

    fn packed_attention(
        &mut self,
        node: &Node,
        x: &Meaning,
        weights: Weights,
        bias: Vec<f32>,
        masked: bool,
    ) -> Found {
        let (x, layout) = self.rows(x)?;
        let width = weights.width / 3;
        if layout != Layout::Flat || width * 3 != weights.width {
            return None;
        }
        let all = self.linear(x, weights, bias)?;
        let parts =
            [self.part(all, 0, width)?, self.part(all, width, width)?, self.part(all, 2 * width, width)?];
        self.whole(node, parts, masked)
    }

    /// Input, weights, bias, scale of the input, scale of the weights, mask, zero points.
    fn rounded_attention(&mut self, node: &Node, inputs: &[Option<Meaning>]) -> Found {
        let at = |at: usize| inputs.get(at).and_then(Option::as_ref);
        let (&Meaning::Rounded { reg, layout }, Meaning::Constant(tensor)) = (at(0)?, at(1)?) else {
            return None;
        };
        let (Meaning::RoundedScale { weights: None }, Meaning::Constant(scale)) = (at(3)?, at(4)?) else {
            return None;
        };
        let zero = match at(7) {
            Some(Meaning::Constant(zero)) => Some(zero.clone()),
            None => None,
            _ => return None,
        };
        if at(8).is_some() {
            return None;
        }
        let weights = rounded_weights(tensor, scale, zero)?;
        let bias = vector(at(2)?, weights.width)?;
        self.packed_attention(node, &plain(reg, layout), weights, bias, Self::says_mask(at(5))?)
    }

    /// Query, key, value, one bias for the three, mask, attention bias.
    fn many_heads(&mut self, node: &Node, inputs: &[Option<Meaning>]) -> Found {
        let at = |at: usize| inputs.get(at).and_then(Option::as_ref);
        if inputs.iter().skip(5).any(Option::is_some) {
            return None;
        }
        let mut parts = [0; 3];
        for (which, part) in parts.iter_mut().enumerate() {
            let mut x = at(which)?.clone();
            if let Some(Meaning::Constant(bias)) = at(3) {
                let all = bias.floats();
                let width = all.len() / 3;
                let bias = Tensor::floats_of(vec![width], all.get(which * width..(which + 1) * width)?)?;
                x = self.binary("Add", &x, &Meaning::Constant(bias))?;
            }
            let (reg, layout) = self.rows(&x)?;
            if layout != Layout::Flat {
                return None;
            }
            *part = reg;
        }
        self.whole(node, parts, Self::says_mask(at(4))?)
    }

    fn scaled_product(&mut self, node: &Node, a: &Meaning, b: &Meaning) -> Found {
        let flag = |name| node.int(name).unwrap_or(0) != 0;
        if flag("transA") || flag("transBatchA") || flag("transBatchB") {
            return None;
        }
        let alpha = node.float("alpha").unwrap_or(1.0);
        let b = match b {
            &Meaning::Matrix { reg, layout: Layout::Heads(heads), factor } if flag("transB") => {
                Meaning::Matrix { reg, layout: Layout::Keys(heads), factor }
            }
            Meaning::Constant(tensor) if flag("transB") => {
                let (x, layout) = self.rows(a)?;
                let weights = weights(&Meaning::Constant(tensor.clone()), true)?;
                let reg = self.linear(x, weights, vec![])?;
                return Some(Meaning::Matrix { reg, layout, factor: alpha });
            }
            other if !flag("transB") => other.clone(),
            _ => return None,
        };
        match self.multiply(a, &b)? {
            Meaning::Scores(scores) => {
                Some(Meaning::Scores(Scores { scale: scores.scale * alpha, ..scores }))
            }
            Meaning::Matrix { reg, layout, factor } => {
                Some(Meaning::Matrix { reg, layout, factor: factor * alpha })
            }
            _ => None,
        }
    }

    fn blocks(&mut self, node: &Node, inputs: &[Option<Meaning>]) -> Found {
        let at = |at: usize| inputs.get(at).and_then(Option::as_ref);
        let (x, layout) = self.rows(at(0)?)?;
        let (Meaning::Constant(tensor), Meaning::Constant(scale)) = (at(1)?, at(2)?) else { return None };
        let zero = match at(3) {
            None => None,
            Some(Meaning::Constant(zero)) if !zero.kind.is_float() => Some(zero.clone()),
            Some(_) => return None,
        };
        let whole = |name| node.int(name).and_then(|value| usize::try_from(value).ok());
        let (depth, width) = (whole("K")?, whole("N")?);
        let (bits, block) = (whole("bits").unwrap_or(4), whole("block_size")?);
        let count = depth.checked_next_multiple_of(block.max(1))? / block.max(1);
        let fits = matches!(bits, 4 | 8)
            && block >= 16
            && depth > 0
            && width > 0
            && tensor.len() == width.checked_mul(count)?.checked_mul(block * bits / 8)?
            && scale.len() == width * count
            && at(4).is_none();
        let tensor = fits.then(|| tensor.reshaped(vec![width, tensor.len() / width]))??;
        let scheme = Scheme::Blocks { scale: scale.clone(), zero, bits, block };
        let bias = at(5).map_or(Some(vec![]), |bias| vector(bias, width))?;
        let weights = Weights { tensor, rows: true, scheme, depth, first: 0, width };
        Some(plain(self.linear(x, weights, bias)?, layout))
    }

    fn rounded_product(
        &mut self,
        x: &Meaning,
        weights: &Meaning,
        scale: &Meaning,
        zero: Option<&Meaning>,
        bias: Option<&Meaning>,
    ) -> Found {
        let (reg, layout) = self.rows(x)?;
        let (Meaning::Constant(tensor), Meaning::Constant(scale)) = (weights, scale) else { return None };
        let zero = match zero {
            Some(Meaning::Constant(zero)) => Some(zero.clone()),
            None => None,
            _ => return None,
        };
        let weights = rounded_weights(tensor, scale, zero)?;
        let bias = bias.map_or(Some(vec![]), |bias| vector(bias, weights.width))?;
        Some(plain(self.linear(reg, weights, bias)?, layout))
    }
}

fn rounded_weights(tensor: &Tensor, scale: &Tensor, zero: Option<Tensor>) -> Option<Weights> {
    let weights =
        Weights::of(tensor.clone(), false, Scheme::Scaled { scale: scale.clone(), zero: zero.clone() })?;
    let fits = |tensor: &Tensor| tensor.len() == 1 || tensor.len() == weights.width;
    (fits(scale) && zero.as_ref().is_none_or(fits)).then_some(weights)
}
