//! Element-wise operations, softmax and reductions: where norms, GELU, masks and pooling are put together from their pieces.

use super::{
    Follower, Found, distance, number, plain,
    shapes::{SMALL, known, sizes_of},
    value::{Form, GeluPart, Layout, Mask, Meaning, NormPart, Scores, Size, TanhPart},
    vector,
};
use crate::{
    onnx::{Kind, Node, Tensor},
    plan::{Index, Lookup, Step},
};
use millrace_kernels::Activation;

/// From here down a number added to a score keeps its token from being looked at; the least any exporter writes is -10,000.
const NEVER: f32 = -1000.0;

fn near(a: f32, b: f32) -> bool {
    (a - b).abs() <= b.abs() * 1e-3
}

impl Follower {
    pub(super) fn binary(&mut self, op: &str, a: &Meaning, b: &Meaning) -> Found {
        if let Some(found) =
            constants(op, a, b).or_else(|| sizes(op, a, b)).or_else(|| distance::binary(op, a, b))
        {
            return Some(found);
        }
        match op {
            "Add" => self.add(a, b).or_else(|| self.add(b, a)),
            "Mul" => self.times(a, b).or_else(|| self.times(b, a)),
            "Sub" => self.minus(a, b),
            "Div" => self.over(a, b),
            "Pow" => Self::power(a, b),
            "Max" | "Min" => at_least(a, b).or_else(|| at_least(b, a)).filter(|_| op == "Max"),
            _ => None,
        }
    }

    fn add(&mut self, a: &Meaning, b: &Meaning) -> Found {
        match (a, b) {
            (Meaning::Lookups(a), Meaning::Lookups(b)) => {
                Some(Meaning::Lookups(a.iter().chain(b).cloned().collect()))
            }
            (Meaning::Lookups(lookups), Meaning::Constant(row)) => {
                let table = row.reshaped(vec![1, lookups.first()?.width()])?;
                let mut lookups = lookups.clone();
                lookups.push(Lookup { table, index: Index::Fixed(0), scale: None, zero: 0.0 });
                Some(Meaning::Lookups(lookups))
            }
            (Meaning::Index(Index::Positions(start)), by) => {
                let [by] = known(by)?[..] else { return None };
                Some(Meaning::Index(Index::Positions(start.checked_add(by)?)))
            }
            (&Meaning::Counted { pad, masked: true }, by) => {
                let [offset] = known(by)?[..] else { return None };
                Some(Meaning::Index(Index::CountedPositions { pad, offset }))
            }
            // The count of tokens before this call's, which is zero for an encoder.
            (&Meaning::Counted { .. }, by) if known(by) == Some(vec![0]) => Some(a.clone()),
            (Meaning::Scores(scores), &Meaning::Mask(mask)) if mask.form == Form::Bias => {
                masked(scores, mask)
            }
            (Meaning::Scores(scores), Meaning::Relative { values, heads, rank, axis }) => {
                let fits = *rank >= 3 && *axis == rank - 3 && *heads == scores.heads.count;
                (fits && scores.relative.is_none())
                    .then(|| Meaning::Scores(Scores { relative: Some(values.clone()), ..scores.clone() }))
            }
            (Meaning::Scores(_) | Meaning::Relative { .. }, by) if number(by) == Some(0.0) => Some(a.clone()),
            (Meaning::Norm { reg, part: NormPart::Variance }, by) => {
                Some(Meaning::Spread { reg: *reg, epsilon: number(by)? })
            }
            (Meaning::Normed { reg, epsilon, gain: Some(gain) }, bias) => {
                let bias = vector(bias, gain.len())?;
                let step = Step::Norm { x: *reg, gain: gain.clone(), bias, epsilon: *epsilon };
                Some(self.normal(step, *reg))
            }
            (&Meaning::Gelu { reg, part: GeluPart::Curve, tanh }, by) if number(by) == Some(1.0) => {
                Some(Meaning::Gelu { reg, part: GeluPart::Raised, tanh })
            }
            (
                &Meaning::Tanh { reg, part: TanhPart::Power(factor, 3) },
                &Meaning::Matrix { reg: x, factor: one, .. },
            ) if reg == x && near(factor, 0.044_715) && one == 1.0 => {
                Some(Meaning::Tanh { reg, part: TanhPart::Inner(1.0) })
            }
            (&Meaning::Tanh { reg, part: TanhPart::Power(factor, 2) }, by)
                if near(factor, 0.044_715) && number(by) == Some(1.0) =>
            {
                Some(Meaning::Tanh { reg, part: TanhPart::Bracket })
            }
            (&Meaning::MaskCount { floor }, by) => {
                number(by).map(|by| Meaning::MaskCount { floor: floor + by })
            }
            (Meaning::Matrix { .. }, Meaning::Constant(_)) => self.bias(a, b),
            (Meaning::Matrix { .. } | Meaning::Lookups(_), Meaning::Matrix { .. } | Meaning::Lookups(_)) => {
                let ((a, layout), (b, other)) = (self.rows(a)?, self.rows(b)?);
                let same = layout == other && self.plan.widths[a] == self.plan.widths[b];
                same.then(|| plain(self.push_like(Step::Add { a, b }, a), layout))
            }
            _ => None,
        }
    }

    /// A bias becomes part of the linear layer before it.
    fn bias(&mut self, x: &Meaning, bias: &Meaning) -> Found {
        let (reg, layout) = self.rows(x)?;
        let width = self.plan.widths[reg];
        let added = vector(bias, width)?;
        let Step::Linear { x, weights, bias } = self.plan.steps[reg].clone() else { return None };
        let bias =
            if bias.is_empty() { added } else { bias.iter().zip(&added).map(|(a, b)| a + b).collect() };
        Some(plain(self.linear(x, weights, bias)?, layout))
    }

    fn times(&mut self, a: &Meaning, b: &Meaning) -> Found {
        match (a, b) {
            (&Meaning::Mask(mask), by) => {
                if let (Form::Drop, Some(by)) = (mask.form, number(by)) {
                    return (by <= NEVER).then_some(Meaning::Mask(Mask { form: Form::Bias, ..mask }));
                }
                if let (Form::Minus, Some(by)) = (mask.form, number(by)) {
                    return (by >= -NEVER).then_some(Meaning::Mask(Mask { form: Form::Bias, ..mask }));
                }
                match (mask.form, by) {
                    (Form::Keep | Form::Bias, by) if number(by) == Some(1.0) => Some(a.clone()),
                    (Form::Keep, &Meaning::Matrix { reg, layout: Layout::Flat, factor })
                        if mask.axis == 1 =>
                    {
                        let reg = self.scaled(reg, factor);
                        Some(Meaning::Masked { reg })
                    }
                    (Form::Keep, &Meaning::Mask(other))
                        if other.form == Form::Keep && other.axis == mask.axis =>
                    {
                        Some(a.clone())
                    }
                    _ => None,
                }
            }
            (Meaning::Lookups(entries), Meaning::Lookups(scales)) => {
                let ([entry], [by]) = (&entries[..], &scales[..]) else { return None };
                let fits = entry.scale.is_none()
                    && by.scale.is_none()
                    && by.width() == 1
                    && by.index == entry.index
                    && by.entries() == entry.entries();
                let scale = fits.then(|| by.table.clone())?;
                Some(Meaning::Lookups(vec![Lookup { scale: Some(scale), ..entry.clone() }]))
            }
            (Meaning::Lookups(entries), by) if number(by).is_some() => {
                let [entry] = &entries[..] else { return None };
                if number(by) == Some(1.0) {
                    return Some(a.clone());
                }
                let scale = Tensor::floats_of(vec![1], &[number(by)?])?;
                entry
                    .scale
                    .is_none()
                    .then(|| Meaning::Lookups(vec![Lookup { scale: Some(scale), ..entry.clone() }]))
            }
            (&Meaning::Matrix { reg, layout, factor }, by) if number(by).is_some() => {
                Some(Meaning::Matrix { reg, layout, factor: factor * number(by)? })
            }
            (Meaning::Scores(scores), by) if number(by).is_some() => (!scores.masked
                && scores.relative.is_none())
            .then_some(Meaning::Scores(Scores { scale: scores.scale * number(by)?, ..scores.clone() })),
            (Meaning::Weights(_), by) if number(by) == Some(1.0) => Some(a.clone()),
            (Meaning::Padding { pad, equal: false }, Meaning::Counted { pad: counted, .. })
                if pad == counted =>
            {
                Some(Meaning::Counted { pad: *pad, masked: true })
            }
            (
                Meaning::Norm { reg: a, part: NormPart::Centered },
                Meaning::Norm { reg: b, part: NormPart::Centered },
            ) if a == b => Some(Meaning::Norm { reg: *a, part: NormPart::Squares }),
            (
                Meaning::Norm { reg: a, part: NormPart::Centered },
                &Meaning::InverseDeviation { reg: b, epsilon },
            ) if *a == b => Some(Meaning::Normed { reg: b, epsilon, gain: None }),
            (Meaning::Normed { reg, epsilon, gain: None }, gain) => {
                let gain = vector(gain, self.plan.widths[*reg])?;
                Some(Meaning::Normed { reg: *reg, epsilon: *epsilon, gain: Some(gain) })
            }
            (&Meaning::Gelu { reg, part: GeluPart::Raised, tanh }, by) if number(by) == Some(0.5) => {
                Some(Meaning::Gelu { reg, part: GeluPart::Half, tanh })
            }
            (&Meaning::Gelu { reg, part: GeluPart::Doubled, tanh }, by) if number(by) == Some(0.5) => {
                Some(self.gelu(reg, tanh))
            }
            (&Meaning::Gelu { reg, part, tanh }, &Meaning::Matrix { reg: x, factor, .. }) if reg == x => {
                match (part, factor) {
                    (GeluPart::Raised, 0.5) | (GeluPart::Half, 1.0) => Some(self.gelu(reg, tanh)),
                    (GeluPart::Raised, 1.0) => Some(Meaning::Gelu { reg, part: GeluPart::Doubled, tanh }),
                    _ => None,
                }
            }
            (&Meaning::Tanh { reg, part }, by) => match (part, number(by), by) {
                (TanhPart::Power(factor, power), Some(by), _) => {
                    Some(Meaning::Tanh { reg, part: TanhPart::Power(factor * by, power) })
                }
                (TanhPart::Inner(factor), Some(by), _) => {
                    Some(Meaning::Tanh { reg, part: TanhPart::Inner(factor * by) })
                }
                (TanhPart::Power(f, power), None, &Meaning::Matrix { reg: x, factor, .. }) if x == reg => {
                    Some(Meaning::Tanh { reg, part: TanhPart::Power(f * factor, power + 1) })
                }
                (TanhPart::Bracket, None, &Meaning::Matrix { reg: x, factor, .. }) if x == reg => {
                    Some(Meaning::Tanh { reg, part: TanhPart::Inner(factor) })
                }
                _ => None,
            },
            (&Meaning::Matrix { reg: a, factor, .. }, &Meaning::Matrix { reg: b, factor: other, .. })
                if a == b =>
            {
                Some(Meaning::Tanh { reg: a, part: TanhPart::Power(factor * other, 2) })
            }
            (Meaning::RoundedScale { weights: None }, Meaning::Constant(scale)) => {
                Some(Meaning::RoundedScale { weights: Some(scale.clone()) })
            }
            (Meaning::RoundedProduct { .. }, Meaning::RoundedScale { .. }) => self.unrounded(a, b),
            _ => None,
        }
    }

    fn gelu(&mut self, reg: usize, tanh: bool) -> Meaning {
        let kind = if tanh { Activation::GeluTanh } else { Activation::Gelu };
        self.normal(Step::Activate { x: reg, kind }, reg)
    }

    fn minus(&mut self, a: &Meaning, b: &Meaning) -> Found {
        match (a, b) {
            (one, &Meaning::Mask(mask)) if mask.form == Form::Keep && number(one) == Some(1.0) => {
                Some(Meaning::Mask(Mask { form: Form::Drop, ..mask }))
            }
            (&Meaning::Mask(mask), one) if mask.form == Form::Keep && number(one) == Some(1.0) => {
                Some(Meaning::Mask(Mask { form: Form::Minus, ..mask }))
            }
            (x, Meaning::Norm { reg, part: NormPart::Mean }) => {
                let (of, _) = self.rows(x)?;
                (of == *reg).then_some(Meaning::Norm { reg: *reg, part: NormPart::Centered })
            }
            _ => None,
        }
    }

    fn over(&mut self, a: &Meaning, b: &Meaning) -> Found {
        match (a, b) {
            (Meaning::Matrix { .. } | Meaning::Scores(_), by) if number(by).is_some_and(|by| by != 0.0) => {
                let inverse = Meaning::Constant(Tensor::floats_of(vec![], &[1.0 / number(by)?])?);
                self.times(a, &inverse)
            }
            (Meaning::Norm { reg: a, part: NormPart::Centered }, &Meaning::Deviation { reg: b, epsilon })
                if *a == b =>
            {
                Some(Meaning::Normed { reg: b, epsilon, gain: None })
            }
            (one, &Meaning::Deviation { reg, epsilon }) if number(one) == Some(1.0) => {
                Some(Meaning::InverseDeviation { reg, epsilon })
            }
            (&Meaning::Summed { reg }, &Meaning::MaskCount { floor }) => {
                let width = self.plan.widths[reg];
                Some(plain(self.push(Step::Mean { x: reg, floor }, width, true), Layout::Text))
            }
            (&Meaning::Matrix { reg, layout, factor }, &Meaning::Length { reg: of, floor })
                if reg == of && factor == 1.0 =>
            {
                Some(plain(self.push_like(Step::Unit { x: reg, floor }, reg), layout))
            }
            _ => None,
        }
    }

    fn power(a: &Meaning, b: &Meaning) -> Found {
        let by = number(b)?;
        match a {
            Meaning::Norm { reg, part: NormPart::Centered } if by == 2.0 => {
                Some(Meaning::Norm { reg: *reg, part: NormPart::Squares })
            }
            &Meaning::Matrix { reg, factor: 1.0, .. } if by == 3.0 || by == 2.0 => {
                Some(Meaning::Tanh { reg, part: TanhPart::Power(1.0, if by == 3.0 { 3 } else { 2 }) })
            }
            &Meaning::Spread { reg, epsilon } if by == 0.5 => Some(Meaning::Deviation { reg, epsilon }),
            _ => None,
        }
    }

    pub(super) fn compare(&mut self, op: &str, a: &Meaning, b: &Meaning) -> Found {
        if let Some(found) = distance::binary(op, a, b) {
            return Some(found);
        }
        match (op, a, b) {
            ("Equal", Meaning::Index(Index::Ids), by) | ("Equal", by, Meaning::Index(Index::Ids)) => {
                let [pad] = known(by)?[..] else { return None };
                Some(Meaning::Padding { pad, equal: true })
            }
            ("Equal", &Meaning::Mask(mask), by) if mask.form == Form::Keep && number(by) == Some(0.0) => {
                Some(Meaning::Mask(Mask { form: Form::Drop, ..mask }))
            }
            ("Equal", &Meaning::Mask(mask), by) if mask.form == Form::Keep && number(by) == Some(1.0) => {
                Some(a.clone())
            }
            ("Greater", &Meaning::Mask(mask), by) if mask.form == Form::Keep && number(by) == Some(0.0) => {
                Some(a.clone())
            }
            // All rows may look at all keys, joined with what the mask says.
            ("And", &Meaning::Mask(_), by) if number(by) == Some(1.0) => Some(a.clone()),
            ("And", by, &Meaning::Mask(_)) if number(by) == Some(1.0) => Some(b.clone()),
            (
                _,
                Meaning::Sizes(_) | Meaning::Constant(_) | Meaning::Filled(_),
                Meaning::Sizes(_) | Meaning::Constant(_) | Meaning::Filled(_),
            ) => Some(Meaning::Sizes(None)),
            _ => None,
        }
    }

    pub(super) fn unary(&mut self, op: &str, x: &Meaning) -> Found {
        if let Some(found) = distance::unary(op, x) {
            return Some(found);
        }
        match (op, x) {
            (_, Meaning::Constant(tensor)) if tensor.kind.is_float() && tensor.len() <= SMALL => {
                let f: fn(f32) -> f32 = match op {
                    "Sqrt" => f32::sqrt,
                    "Neg" => |x| -x,
                    "Abs" => f32::abs,
                    "Reciprocal" => |x| 1.0 / x,
                    "Log" => f32::ln,
                    _ => return None,
                };
                let values: Vec<f32> = tensor.floats().into_iter().map(f).collect();
                Tensor::floats_of(tensor.dims.clone(), &values).map(Meaning::Constant)
            }
            // The root of a dimension, with which queries are scaled.
            ("Sqrt", sizes @ Meaning::Sizes(Some(_))) => {
                Tensor::floats_of(vec![], &[number(sizes)?.sqrt()]).map(Meaning::Constant)
            }
            ("Not", Meaning::Padding { pad, equal }) => Some(Meaning::Padding { pad: *pad, equal: !equal }),
            ("Not", &Meaning::Mask(mask)) => match mask.form {
                Form::Keep => Some(Meaning::Mask(Mask { form: Form::Drop, ..mask })),
                Form::Drop => Some(Meaning::Mask(Mask { form: Form::Keep, ..mask })),
                _ => None,
            },
            ("Sqrt", &Meaning::Spread { reg, epsilon }) => Some(Meaning::Deviation { reg, epsilon }),
            ("Reciprocal", &Meaning::Deviation { reg, epsilon }) => {
                Some(Meaning::InverseDeviation { reg, epsilon })
            }
            ("Erf", &Meaning::Matrix { reg, factor, .. })
                if near(factor, std::f32::consts::FRAC_1_SQRT_2) =>
            {
                Some(Meaning::Gelu { reg, part: GeluPart::Curve, tanh: false })
            }
            ("Tanh", &Meaning::Tanh { reg, part: TanhPart::Inner(factor) }) if near(factor, 0.797_884_6) => {
                Some(Meaning::Gelu { reg, part: GeluPart::Curve, tanh: true })
            }
            ("Tanh", x) => self.activate(x, Activation::Tanh),
            ("Relu", x) => self.activate(x, Activation::Relu),
            ("IsNaN", Meaning::Weights(_)) => Some(Meaning::NotANumber),
            _ => None,
        }
    }

    pub(super) fn clip(&mut self, node: &Node, inputs: &[Option<Meaning>]) -> Found {
        let least = match inputs.get(1).and_then(Option::as_ref) {
            Some(least) => number(least)?,
            None => node.float("min")?,
        };
        let endless = inputs
            .get(2)
            .and_then(Option::as_ref)
            .is_none_or(|most| number(most).is_some_and(|most| most > 1e30))
            && node.float("max").is_none_or(|most| most > 1e30);
        if !endless {
            return None;
        }
        let least = Meaning::Constant(Tensor::floats_of(vec![], &[least])?);
        at_least(inputs.first()?.as_ref()?, &least)
    }

    pub(super) fn choose(&mut self, test: &Meaning, yes: &Meaning, no: &Meaning) -> Found {
        if let Some(found) = distance::choose(test, yes, no) {
            return Some(found);
        }
        match (test, yes, no) {
            (&Meaning::Mask(mask), yes, no) => {
                let (drop, keep) = match mask.form {
                    Form::Drop => (yes, no),
                    Form::Keep => (no, yes),
                    _ => return None,
                };
                if number(drop)? > NEVER {
                    return None;
                }
                match keep {
                    Meaning::Scores(scores) => masked(scores, mask),
                    Meaning::Mask(other) if other.axis == mask.axis => {
                        Some(Meaning::Mask(Mask { form: Form::Bias, ..mask }))
                    }
                    other if number(other) == Some(0.0) => {
                        Some(Meaning::Mask(Mask { form: Form::Bias, ..mask }))
                    }
                    _ => None,
                }
            }
            (Meaning::NotANumber, _, weights @ Meaning::Weights(_)) => Some(weights.clone()),
            (Meaning::Sizes(_), Meaning::Sizes(_) | Meaning::Filled(_) | Meaning::Constant(_), _) => {
                Some(Meaning::Sizes(None))
            }
            _ => None,
        }
    }

    pub(super) fn count_up(&mut self, x: &Meaning) -> Found {
        match x {
            Meaning::Padding { pad, equal: false } => Some(Meaning::Counted { pad: *pad, masked: false }),
            _ => None,
        }
    }

    pub(super) fn softmax(&mut self, node: &Node, x: &Meaning) -> Found {
        let Meaning::Scores(scores) = x else { return None };
        let axis = node.int("axis").unwrap_or(-1);
        (axis == -1 || axis == 3).then(|| Meaning::Weights(scores.clone()))
    }

    pub(super) fn reduce(&mut self, node: &Node, inputs: &[Option<Meaning>]) -> Found {
        let x = inputs.first()?.as_ref()?;
        let axes = match inputs.get(1).and_then(Option::as_ref) {
            Some(axes) => known(axes)?,
            None => node.ints("axes").map(<[i64]>::to_vec).unwrap_or_default(),
        };
        let [axis] = axes[..] else { return None };
        let kept = node.int("keepdims").unwrap_or(1) == 1;
        match (node.op.as_str(), x) {
            ("ReduceMean", Meaning::Norm { reg, part: NormPart::Squares }) if axis == -1 || axis == 2 => {
                Some(Meaning::Norm { reg: *reg, part: NormPart::Variance })
            }
            ("ReduceMean", Meaning::Matrix { .. } | Meaning::Lookups(_)) => {
                let (reg, layout) = self.rows(x)?;
                let last = layout == Layout::Flat && axis == 2;
                (kept && (axis == -1 || last)).then_some(Meaning::Norm { reg, part: NormPart::Mean })
            }
            ("ReduceSum", &Meaning::Masked { reg }) if axis == 1 && !kept => Some(Meaning::Summed { reg }),
            ("ReduceSum", &Meaning::Mask(mask)) if mask.form == Form::Keep && axis == 1 && mask.axis == 1 => {
                Some(Meaning::MaskCount { floor: 0.0 })
            }
            ("ReduceL2", &Meaning::Matrix { reg, factor: 1.0, layout }) if kept => {
                let last = matches!(layout, Layout::Text | Layout::Merged) && axis == 1
                    || layout == Layout::Flat && axis == 2;
                (axis == -1 || last).then_some(Meaning::Length { reg, floor: 0.0 })
            }
            _ => None,
        }
    }

    pub(super) fn unit(&mut self, node: &Node, x: &Meaning) -> Found {
        let (reg, layout) = self.rows(x)?;
        let axis = node.int("axis").unwrap_or(-1);
        let last = axis == -1 || axis == if layout == Layout::Flat { 2 } else { 1 };
        (last && node.int("p").unwrap_or(2) == 2)
            .then(|| plain(self.push_like(Step::Unit { x: reg, floor: 0.0 }, reg), layout))
    }
}

/// A count or a length that is at least so much.
fn at_least(x: &Meaning, least: &Meaning) -> Found {
    let least = number(least)?;
    match *x {
        Meaning::MaskCount { floor } => Some(Meaning::MaskCount { floor: floor.max(least) }),
        Meaning::Length { reg, floor } => Some(Meaning::Length { reg, floor: floor.max(least) }),
        _ => None,
    }
}

fn masked(scores: &Scores, mask: Mask) -> Found {
    // The mask must run over keys, the last axis, and be the same for all heads and queries.
    (mask.rank == 4 && mask.axis == 3 || mask.rank == 3 && mask.axis == 2)
        .then(|| Meaning::Scores(Scores { masked: true, ..scores.clone() }))
}

/// Arithmetic on small constants.
fn constants(op: &str, a: &Meaning, b: &Meaning) -> Found {
    let tensor = |meaning: &Meaning| match meaning {
        Meaning::Constant(tensor) if tensor.len() <= SMALL => Some(tensor.clone()),
        Meaning::Filled(value) => Tensor::floats_of(vec![], &[*value]),
        _ => None,
    };
    let (a, b) = (tensor(a)?, tensor(b)?);
    let (x, y) = (a.floats(), b.floats());
    let (dims, len) = if x.len() == 1 { (b.dims.clone(), y.len()) } else { (a.dims.clone(), x.len()) };
    if !(x.len() == 1 || y.len() == 1 || a.dims == b.dims) {
        return None;
    }
    let whole = !a.kind.is_float() && !b.kind.is_float();
    let at =
        |list: &[f32], at: usize| list.get(if list.len() == 1 { 0 } else { at }).copied().unwrap_or(f32::NAN);
    let values: Vec<f32> = (0..len)
        .map(|i| {
            let (x, y) = (at(&x, i), at(&y, i));
            Some(match op {
                "Add" => x + y,
                "Sub" => x - y,
                "Mul" => x * y,
                "Div" if whole => (x / y).trunc(),
                "Div" => x / y,
                "Pow" => x.powf(y),
                "Min" => x.min(y),
                "Max" => x.max(y),
                _ => return None,
            })
        })
        .collect::<Option<_>>()?;
    let tensor = Tensor::floats_of(dims, &values)?;
    Some(Meaning::Constant(if whole { tensor.cast(Kind::I64)? } else { tensor }))
}

/// Arithmetic on dimensions.
fn sizes(op: &str, a: &Meaning, b: &Meaning) -> Found {
    if !matches!((a, b), (Meaning::Sizes(_), _) | (_, Meaning::Sizes(_))) {
        return None;
    }
    let fractional =
        |meaning: &Meaning| matches!(meaning, Meaning::Constant(tensor) if tensor.kind.is_float());
    if fractional(a) || fractional(b) {
        // The scale of scores, one over the root of a head's width.
        let (x, y) = (number(a)?, number(b)?);
        let value = match op {
            "Div" => x / y,
            "Mul" => x * y,
            "Pow" => x.powf(y),
            _ => return None,
        };
        return Tensor::floats_of(vec![], &[value]).map(Meaning::Constant);
    }
    if !matches!(a, Meaning::Sizes(_) | Meaning::Constant(_))
        || !matches!(b, Meaning::Sizes(_) | Meaning::Constant(_))
    {
        return None;
    }
    let (Some(a), Some(b)) = (sizes_of(a), sizes_of(b)) else { return Some(Meaning::Sizes(None)) };
    let one = |a: Size, b: Size| match (op, a, b) {
        ("Add", Size::Known(a), Size::Known(b)) => a.checked_add(b).map_or(Size::Other, Size::Known),
        ("Sub", Size::Known(a), Size::Known(b)) => a.checked_sub(b).map_or(Size::Other, Size::Known),
        ("Mul", Size::Known(a), Size::Known(b)) => a.checked_mul(b).map_or(Size::Other, Size::Known),
        ("Div", Size::Known(a), Size::Known(b)) => a.checked_div(b).map_or(Size::Other, Size::Known),
        ("Add" | "Sub", x, Size::Known(0)) | ("Add", Size::Known(0), x) => x,
        ("Mul" | "Div", x, Size::Known(1)) | ("Mul", Size::Known(1), x) => x,
        _ => Size::Other,
    };
    let len = a.len().max(b.len());
    let pick = |list: &[Size], at: usize| {
        list.get(if list.len() == 1 { 0 } else { at }).copied().unwrap_or(Size::Other)
    };
    Some(Meaning::Sizes(Some((0..len).map(|at| one(pick(&a, at), pick(&b, at))).collect())))
}
