//! Operations that move axes, count dimensions, or pick entries.

use super::{
    Follower, Found,
    value::{Layout, Mask, Meaning, Size},
};
use crate::{
    onnx::{Kind, Node, Tensor},
    plan::{Index, Lookup, Step},
};
use millrace_kernels::Heads;

/// Constants of more values are not computed with: their place is in a layer.
pub(super) const SMALL: usize = 65_536;

/// ONNX's number for "to the end" in slices, which exporters write in several ways.
const FAR: i64 = i32::MAX as i64 - 1;

impl Follower {
    pub(super) fn cast(&mut self, node: &Node, x: &Meaning) -> Found {
        let kind = node.int("to").and_then(Kind::of);
        if kind.is_some_and(|kind| !kind.is_float() && kind != Kind::Bool)
            && let Some(found) = super::distance::cut(x)
        {
            return Some(found);
        }
        Some(match x {
            Meaning::Constant(tensor) if tensor.len() <= SMALL => Meaning::Constant(tensor.cast(kind?)?),
            // A cast to a float of a lesser or greater width is left out: everything here is f32.
            Meaning::Constant(tensor) if tensor.kind.is_float() && kind.is_some_and(Kind::is_float) => {
                Meaning::Constant(tensor.clone())
            }
            Meaning::Entries { table, index } if kind.is_some_and(Kind::is_float) => {
                Meaning::Lookups(vec![Lookup { table: table.clone(), index: *index, scale: None, zero: 0.0 }])
            }
            Meaning::Matrix { .. } if kind.is_some_and(|kind| !kind.is_float()) => return None,
            other => other.clone(),
        })
    }

    pub(super) fn shape(&mut self, node: &Node, inputs: &[Option<Meaning>]) -> Found {
        let at = |at: usize| inputs.get(at).and_then(Option::as_ref);
        match node.op.as_str() {
            "Shape" => Some(Meaning::Sizes(self.dims(at(0)?).and_then(|dims| {
                let clamp = |at: i64| {
                    let len = i64::try_from(dims.len()).unwrap_or(0);
                    usize::try_from(if at < 0 { at + len } else { at.min(len) }).unwrap_or(0)
                };
                let start = node.int("start").map_or(0, clamp);
                let end = node.int("end").map_or(dims.len(), clamp);
                dims.get(start..end).map(<[Size]>::to_vec)
            }))),
            "Size" => Some(Meaning::Sizes(None)),
            "Range" => range(at(0)?, at(1)?, at(2)?),
            "ConstantOfShape" => {
                let value = match node.attribute("value") {
                    Some(crate::onnx::Attribute::Tensor(tensor)) => tensor.scalar()?,
                    _ => 0.0,
                };
                Some(Meaning::Filled(value))
            }
            "Concat" => concat(inputs),
            "Unsqueeze" | "Squeeze" => {
                let axes = match at(1) {
                    Some(axes) => known(axes)?,
                    None => node.ints("axes").map(<[i64]>::to_vec).unwrap_or_default(),
                };
                self.axes(&node.op, at(0)?, &axes)
            }
            "Expand" => match at(0)? {
                // Repeating over an axis of one changes no meaning: everything here is read by token or by text.
                x @ (Meaning::Index(_)
                | Meaning::Mask(_)
                | Meaning::Lookups(_)
                | Meaning::Length { .. }
                | Meaning::MaskCount { .. }
                | Meaning::Relative { .. }
                | Meaning::Filled(_)
                | Meaning::Distance(_)) => Some(x.clone()),
                Meaning::Constant(tensor) => {
                    tensor.scalar().map(Meaning::Filled).or_else(|| fixed_rows(tensor))
                }
                _ => None,
            },
            "Slice" => self.slice(node, inputs),
            "Transpose" => self.transpose(node, at(0)?),
            "Reshape" => self.reshape(at(0)?, at(1)?),
            "Flatten" => match at(0)? {
                x @ Meaning::Matrix { layout: Layout::Text, .. } => Some(x.clone()),
                _ => None,
            },
            _ => None,
        }
    }

    /// Dimensions of a value, as far as they are known.
    fn dims(&self, x: &Meaning) -> Option<Vec<Size>> {
        let whole = |x: usize| i64::try_from(x).map_or(Size::Other, Size::Known);
        Some(match x {
            Meaning::Constant(tensor) => tensor.dims.iter().map(|dim| whole(*dim)).collect(),
            Meaning::Index(_) | Meaning::Padding { .. } | Meaning::Counted { .. } => {
                vec![Size::Batch, Size::Tokens]
            }
            Meaning::Mask(mask) => (0..mask.rank)
                .map(|axis| match axis {
                    0 => Size::Batch,
                    axis if axis == mask.axis => Size::Tokens,
                    _ => Size::Other,
                })
                .collect(),
            Meaning::Lookups(lookups) => vec![Size::Batch, Size::Tokens, whole(lookups.first()?.width())],
            Meaning::Matrix { reg, layout, .. } | Meaning::Rounded { reg, layout } => {
                let width = whole(self.plan.widths[*reg]);
                match layout {
                    Layout::Flat => vec![Size::Batch, Size::Tokens, width],
                    Layout::Merged => vec![Size::Other, width],
                    Layout::Split(heads) => {
                        vec![Size::Batch, Size::Tokens, whole(heads.count), whole(heads.width)]
                    }
                    Layout::Heads(heads) => {
                        vec![Size::Batch, whole(heads.count), Size::Tokens, whole(heads.width)]
                    }
                    Layout::Keys(heads) => {
                        vec![Size::Batch, whole(heads.count), whole(heads.width), Size::Tokens]
                    }
                    Layout::Text => vec![Size::Batch, width],
                    Layout::TextKept => vec![Size::Batch, Size::Known(1), width],
                }
            }
            Meaning::Scores(scores) | Meaning::Weights(scores) => {
                vec![Size::Batch, whole(scores.heads.count), Size::Tokens, Size::Tokens]
            }
            Meaning::Masked { reg } => vec![Size::Batch, Size::Tokens, whole(self.plan.widths[*reg])],
            Meaning::Summed { reg } => vec![Size::Batch, whole(self.plan.widths[*reg])],
            Meaning::Sizes(Some(sizes)) => vec![whole(sizes.len())],
            _ => return None,
        })
    }

    fn axes(&mut self, op: &str, x: &Meaning, axes: &[i64]) -> Found {
        let insert = op == "Unsqueeze";
        Some(match x {
            Meaning::Constant(tensor) => {
                let mut dims = tensor.dims.clone();
                if insert {
                    let rank = i64::try_from(dims.len() + axes.len()).ok()?;
                    let mut places: Vec<i64> =
                        axes.iter().map(|at| if *at < 0 { at + rank } else { *at }).collect();
                    places.sort_unstable();
                    for at in places {
                        let at = usize::try_from(at).ok()?;
                        if at > dims.len() {
                            return None;
                        }
                        dims.insert(at, 1);
                    }
                } else {
                    let rank = i64::try_from(dims.len()).ok()?;
                    let gone = |at: usize, dim: usize| {
                        let at = i64::try_from(at).unwrap_or(-1);
                        dim == 1 && (axes.is_empty() || axes.contains(&at) || axes.contains(&(at - rank)))
                    };
                    dims = dims
                        .iter()
                        .enumerate()
                        .filter(|(at, dim)| !gone(*at, **dim))
                        .map(|(_, dim)| *dim)
                        .collect();
                }
                Meaning::Constant(tensor.reshaped(dims)?)
            }
            Meaning::Mask(mask) if insert => Meaning::Mask(unsqueezed(*mask, axes)?),
            Meaning::Relative { values, heads, rank, axis } if insert => {
                let mask = unsqueezed(Mask { form: super::Form::Keep, rank: *rank, axis: *axis }, axes)?;
                Meaning::Relative { values: values.clone(), heads: *heads, rank: mask.rank, axis: mask.axis }
            }
            Meaning::Index(Index::Positions(start)) if insert && matches!(axes, [1 | -1]) => {
                Meaning::Queries(*start)
            }
            // Which axis runs over what is asked again where they meet a matrix.
            Meaning::Sizes(_)
            | Meaning::Index(_)
            | Meaning::Lookups(_)
            | Meaning::Filled(_)
            | Meaning::MaskCount { .. }
            | Meaning::Distance(_)
            | Meaning::RoundedScale { .. } => x.clone(),
            Meaning::Matrix { reg, layout: Layout::TextKept, factor } if !insert && axes == [1] => {
                Meaning::Matrix { reg: *reg, layout: Layout::Text, factor: *factor }
            }
            Meaning::Length { .. } => x.clone(),
            _ => return None,
        })
    }

    fn transpose(&mut self, node: &Node, x: &Meaning) -> Found {
        let order = node.ints("perm");
        Some(match x {
            Meaning::Constant(tensor) => {
                let order = match order {
                    Some(order) => {
                        order.iter().map(|at| usize::try_from(*at)).collect::<Result<Vec<_>, _>>().ok()?
                    }
                    None => (0..tensor.dims.len()).rev().collect(),
                };
                Meaning::Constant(tensor.transposed(&order)?)
            }
            Meaning::Quantized { tensor, scale, zero, rows } if order.is_none_or(|order| order == [1, 0]) => {
                Meaning::Quantized {
                    tensor: tensor.clone(),
                    scale: scale.clone(),
                    zero: zero.clone(),
                    rows: !rows,
                }
            }
            Meaning::Matrix { reg, layout, factor } => {
                let layout = match (layout, order?) {
                    (Layout::Split(heads), [0, 2, 1, 3]) => Layout::Heads(*heads),
                    (Layout::Split(heads), [0, 2, 3, 1]) => Layout::Keys(*heads),
                    (Layout::Heads(heads), [0, 2, 1, 3]) => Layout::Split(*heads),
                    (Layout::Heads(heads), [0, 1, 3, 2]) => Layout::Keys(*heads),
                    (Layout::Keys(heads), [0, 1, 3, 2]) => Layout::Heads(*heads),
                    _ => return None,
                };
                Meaning::Matrix { reg: *reg, layout, factor: *factor }
            }
            Meaning::Relative { values, heads, rank, axis } => {
                let order = order?;
                if order.len() != *rank {
                    return None;
                }
                // Query before key must stay so.
                let others: Vec<_> = order.iter().filter(|at| usize::try_from(**at) != Ok(*axis)).collect();
                if !others.is_sorted() {
                    return None;
                }
                let axis = order.iter().position(|at| usize::try_from(*at) == Ok(*axis))?;
                Meaning::Relative { values: values.clone(), heads: *heads, rank: *rank, axis }
            }
            _ => return None,
        })
    }

    fn reshape(&mut self, x: &Meaning, to: &Meaning) -> Found {
        let sizes = match to {
            Meaning::Constant(tensor) if tensor.len() <= 16 => {
                Some(tensor.ints().into_iter().map(Size::Known).collect::<Vec<_>>())
            }
            Meaning::Sizes(sizes) => sizes.clone(),
            _ => None,
        };
        match x {
            Meaning::Constant(tensor) => {
                let mut dims = Vec::new();
                for size in sizes? {
                    let Size::Known(size) = size else { return None };
                    dims.push(size);
                }
                let product: i64 =
                    dims.iter().filter(|dim| **dim > 0).try_fold(1_i64, |all, dim| all.checked_mul(*dim))?;
                let len = i64::try_from(tensor.len()).ok()?;
                let dims = dims
                    .iter()
                    .map(|dim| {
                        usize::try_from(if *dim == -1 { len.checked_div(product)? } else { *dim }).ok()
                    })
                    .collect::<Option<Vec<_>>>()?;
                tensor.reshaped(dims).map(Meaning::Constant)
            }
            Meaning::Matrix { reg, layout, factor } => {
                let width = self.plan.widths[*reg];
                let of = |layout| Some(Meaning::Matrix { reg: *reg, layout, factor: *factor });
                let sizes = sizes?;
                let is_width = |size: Size| match size {
                    Size::Known(-1) | Size::Other => true,
                    Size::Known(size) => usize::try_from(size) == Ok(width),
                    _ => false,
                };
                match (layout, &sizes[..]) {
                    (Layout::Flat | Layout::Merged, [_, _, count, head]) => {
                        of(Layout::Split(heads(*count, *head, width)?))
                    }
                    (Layout::Split(_) | Layout::Merged | Layout::Flat, [_, _, all]) if is_width(*all) => {
                        of(Layout::Flat)
                    }
                    (Layout::Split(_) | Layout::Flat | Layout::Merged, [_, all]) if is_width(*all) => {
                        of(Layout::Merged)
                    }
                    (Layout::Text | Layout::TextKept, [_, all]) if is_width(*all) => of(Layout::Text),
                    _ => None,
                }
            }
            // [batch, 1, 1, tokens], as DistilBERT views its mask.
            Meaning::Mask(mask) if mask.rank == 2 => match &sizes?[..] {
                [_, Size::Known(1), Size::Known(1), _] => {
                    Some(Meaning::Mask(Mask { form: mask.form, rank: 4, axis: 3 }))
                }
                [_, Size::Batch | Size::Tokens | Size::Known(-1)] => Some(x.clone()),
                _ => None,
            },
            Meaning::Index(_) => match &sizes?[..] {
                [_, _] => Some(x.clone()),
                _ => None,
            },
            Meaning::Sizes(_) | Meaning::Filled(_) => Some(x.clone()),
            _ => None,
        }
    }

    fn slice(&mut self, node: &Node, inputs: &[Option<Meaning>]) -> Found {
        let at = |at: usize| inputs.get(at).and_then(Option::as_ref);
        let x = at(0)?;
        let (starts, ends, axes, steps) = if inputs.len() > 1 {
            (
                known(at(1)?)?,
                sizes_of(at(2)?),
                match at(3) {
                    Some(axes) => Some(known(axes)?),
                    None => None,
                },
                match at(4) {
                    Some(steps) => Some(known(steps)?),
                    None => None,
                },
            )
        } else {
            let list = |name| node.ints(name).map(<[i64]>::to_vec);
            let ends = list("ends")?.into_iter().map(Size::Known).collect();
            (list("starts")?, Some(ends), list("axes"), None)
        };
        if steps.is_some_and(|steps| steps.iter().any(|step| *step != 1)) {
            return None;
        }
        let count = i64::try_from(starts.len()).ok()?;
        let axes = axes.unwrap_or_else(|| (0..count).collect());
        let ends = ends?;
        if axes.len() != starts.len() || ends.len() != starts.len() {
            return None;
        }
        let is_all = |start: i64, end: Size| {
            start == 0
                && (end == Size::Tokens
                    || matches!(end, Size::Known(end) if end >= FAR)
                    || end == Size::Batch)
        };
        let whole = starts.iter().zip(&ends).all(|(start, end)| is_all(*start, *end));
        match x {
            Meaning::Mask(_) | Meaning::Index(_) if whole => Some(x.clone()),
            Meaning::Sizes(Some(sizes)) => {
                let (Some(start), Some(Size::Known(end))) = (starts.first(), ends.first()) else {
                    return None;
                };
                let len = i64::try_from(sizes.len()).ok()?;
                let place = |at: i64| usize::try_from(if at < 0 { at + len } else { at.min(len) }).ok();
                sizes.get(place(*start)?..place(*end)?).map(|part| Meaning::Sizes(Some(part.to_vec())))
            }
            Meaning::Sizes(None) => Some(Meaning::Sizes(None)),
            Meaning::Constant(tensor) => {
                let ([start], [end], [axis]) = (&starts[..], &ends[..], &axes[..]) else { return None };
                let rank = i64::try_from(tensor.dims.len()).ok()?;
                let axis = if *axis < 0 { axis + rank } else { *axis };
                slice_constant(tensor, usize::try_from(axis).ok()?, *start, *end)
            }
            Meaning::Matrix {
                reg,
                layout: layout @ (Layout::Flat | Layout::Merged | Layout::Text),
                factor,
            } => {
                let ([start], [Size::Known(end)], [axis]) = (&starts[..], &ends[..], &axes[..]) else {
                    return if whole { Some(x.clone()) } else { None };
                };
                let last = if *layout == Layout::Flat { 2 } else { 1 };
                if *layout == Layout::Flat && *axis == 1 && *start == 0 && *end == 1 {
                    let width = self.plan.widths[*reg];
                    let first = self.push(Step::First { x: *reg }, width, true);
                    return Some(Meaning::Matrix { reg: first, layout: Layout::TextKept, factor: *factor });
                }
                if *axis != -1 && *axis != last {
                    return None;
                }
                let width = self.plan.widths[*reg];
                let end = usize::try_from(*end).ok()?.min(width);
                let start = usize::try_from(*start).ok()?;
                self.part(*reg, start, end.checked_sub(start)?).map(|reg| Meaning::Matrix {
                    reg,
                    layout: *layout,
                    factor: *factor,
                })
            }
            _ => None,
        }
    }

    /// Some columns of a linear layer's output.
    pub(super) fn part(&mut self, reg: usize, first: usize, width: usize) -> Option<usize> {
        let Step::Linear { x, weights, bias } = self.plan.steps[reg].clone() else { return None };
        let weights = weights.part(first, width)?;
        let bias = if bias.is_empty() { bias } else { bias.get(first..first + width)?.to_vec() };
        self.linear(x, weights, bias)
    }

    pub(super) fn split(&mut self, node: &Node, inputs: &[Option<Meaning>]) -> Option<Vec<Meaning>> {
        let Some(Meaning::Matrix { reg, layout: layout @ (Layout::Flat | Layout::Merged), factor }) =
            inputs.first()?
        else {
            return None;
        };
        let last = if *layout == Layout::Flat { 2 } else { 1 };
        let axis = node.int("axis").unwrap_or(0);
        if axis != -1 && axis != last {
            return None;
        }
        let width = self.plan.widths[*reg];
        let count = node.outputs.len();
        let parts = match inputs.get(1).and_then(Option::as_ref) {
            Some(sizes) => known(sizes)?,
            None => match node.ints("split") {
                Some(sizes) => sizes.to_vec(),
                None if count > 0 && width.is_multiple_of(count) => {
                    vec![i64::try_from(width / count).ok()?; count]
                }
                None => return None,
            },
        };
        let mut first = 0;
        let mut meanings = Vec::new();
        for size in parts {
            let size = usize::try_from(size).ok()?;
            let reg = self.part(*reg, first, size)?;
            meanings.push(Meaning::Matrix { reg, layout: *layout, factor: *factor });
            first += size;
        }
        Some(meanings)
    }

    pub(super) fn gather(&mut self, node: &Node, x: &Meaning, index: &Meaning) -> Found {
        let axis = node.int("axis").unwrap_or(0);
        match (x, index) {
            (Meaning::Constant(table), Meaning::Index(index)) if axis == 0 && table.dims.len() == 2 => {
                if table.kind.is_float() {
                    return Some(Meaning::Lookups(vec![Lookup {
                        table: table.clone(),
                        index: *index,
                        scale: None,
                        zero: 0.0,
                    }]));
                }
                Some(Meaning::Entries { table: table.clone(), index: *index })
            }
            (Meaning::Quantized { tensor, scale, zero: None, rows: false }, Meaning::Index(index))
                if axis == 0 =>
            {
                let scale = (scale.len() == 1 || scale.len() == tensor.dims[0]).then(|| scale.clone())?;
                Some(Meaning::Lookups(vec![Lookup {
                    table: tensor.clone(),
                    index: *index,
                    scale: Some(scale),
                    zero: 0.0,
                }]))
            }
            (Meaning::Constant(table), Meaning::Distance(distance)) if axis == 0 => {
                super::distance::relative(table, distance)
            }
            (Meaning::Sizes(Some(sizes)), index) => {
                let places = known(index)?;
                let len = i64::try_from(sizes.len()).ok()?;
                let picked = places
                    .iter()
                    .map(|at| sizes.get(usize::try_from(if *at < 0 { at + len } else { *at }).ok()?).copied())
                    .collect::<Option<Vec<_>>>()?;
                Some(Meaning::Sizes(Some(picked)))
            }
            (Meaning::Sizes(None), _) => Some(Meaning::Sizes(None)),
            (Meaning::Constant(table), index) if table.dims.len() == 1 => {
                let (values, places) = (table.floats(), known(index)?);
                let picked = places
                    .iter()
                    .map(|at| {
                        let len = i64::try_from(values.len()).ok()?;
                        values.get(usize::try_from(if *at < 0 { at + len } else { *at }).ok()?).copied()
                    })
                    .collect::<Option<Vec<_>>>()?;
                let dims = if picked.len() == 1 { vec![] } else { vec![picked.len()] };
                Tensor::floats_of(dims, &picked)?.cast(table.kind).map(Meaning::Constant)
            }
            (&Meaning::Matrix { reg, layout: Layout::Flat, factor }, index)
                if axis == 1 && known(index)? == [0] =>
            {
                let width = self.plan.widths[reg];
                let first = self.push(Step::First { x: reg }, width, true);
                let scalar = matches!(index, Meaning::Constant(tensor) if tensor.dims.is_empty());
                let layout = if scalar { Layout::Text } else { Layout::TextKept };
                Some(Meaning::Matrix { reg: first, layout, factor })
            }
            _ => None,
        }
    }

    /// RoBERTa picks token types out of a buffer by position; the buffer holds one number.
    pub(super) fn gather_elements(&mut self, x: &Meaning, index: &Meaning) -> Found {
        match (x, index) {
            (Meaning::Filled(value), Meaning::Index(_)) => fixed(*value),
            (fixed @ Meaning::Index(Index::Fixed(_)), Meaning::Index(_)) => Some(fixed.clone()),
            (Meaning::Constant(tensor), Meaning::Index(_)) => fixed_rows(tensor),
            _ => None,
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a number of a token type")]
fn fixed(value: f32) -> Found {
    (0.0..1e6).contains(&value).then_some(Meaning::Index(Index::Fixed(value as i64)))
}

/// An integer table that holds one number everywhere, or counts up along its rows.
fn fixed_rows(tensor: &Tensor) -> Found {
    if tensor.kind.is_float() || tensor.len() > SMALL {
        return None;
    }
    let values = tensor.ints();
    let first = *values.first()?;
    if values.iter().all(|value| *value == first) {
        return Some(Meaning::Index(Index::Fixed(first)));
    }
    values
        .iter()
        .zip(first..)
        .all(|(value, at)| *value == at)
        .then_some(Meaning::Index(Index::Positions(first)))
}

fn slice_constant(tensor: &Tensor, axis: usize, start: i64, end: Size) -> Found {
    if end == Size::Tokens {
        if tensor.kind.is_float() {
            // The first rows of a table of positions, perhaps with an axis of one before them.
            let [entries, width] = match tensor.dims[..] {
                [entries, width] if axis == 0 => [entries, width],
                [1, entries, width] if axis == 1 => [entries, width],
                _ => return None,
            };
            let table = tensor.reshaped(vec![entries, width])?;
            return Some(Meaning::Lookups(vec![Lookup {
                table,
                index: Index::Positions(start),
                scale: None,
                zero: 0.0,
            }]));
        }
        if start == 0 && axis + 1 == tensor.dims.len() {
            return fixed_rows(tensor);
        }
        return None;
    }
    // A slice along the outermost axis that is not one, of whatever size, is a run of bytes; others are small.
    let Size::Known(end) = end else { return None };
    let len = i64::try_from(*tensor.dims.get(axis)?).ok()?;
    let place = |at: i64| usize::try_from(if at < 0 { (at + len).max(0) } else { at.min(len) }).ok();
    let (start, end) = (place(start)?, place(end)?);
    if start == 0 && end == *tensor.dims.get(axis)? {
        return Some(Meaning::Constant(tensor.clone()));
    }
    if end < start || tensor.len() > SMALL {
        return None;
    }
    let inner: usize = tensor.dims[axis + 1..].iter().product();
    let outer: usize = tensor.dims[..axis].iter().product();
    let values = tensor.floats();
    let mut picked = Vec::new();
    for at in 0..outer {
        let row = at * tensor.dims[axis] * inner;
        picked.extend_from_slice(values.get(row + start * inner..row + end * inner)?);
    }
    let mut dims = tensor.dims.clone();
    dims[axis] = end - start;
    Tensor::floats_of(dims, &picked)?.cast(tensor.kind).map(Meaning::Constant)
}

fn unsqueezed(mask: Mask, axes: &[i64]) -> Option<Mask> {
    let rank = mask.rank + axes.len();
    let whole = i64::try_from(rank).ok()?;
    let mut places: Vec<i64> = axes.iter().map(|at| if *at < 0 { at + whole } else { *at }).collect();
    places.sort_unstable();
    let mut axis = i64::try_from(mask.axis).ok()?;
    for at in places {
        if at <= axis {
            axis += 1;
        }
    }
    Some(Mask { form: mask.form, rank, axis: usize::try_from(axis).ok()? })
}

/// Heads of a matrix of `width` that is cut into `count` of `head` each, one of which may be left open.
fn heads(count: Size, head: Size, width: usize) -> Option<Heads> {
    let known = |size| match size {
        Size::Known(size) if size > 0 => usize::try_from(size).ok(),
        _ => None,
    };
    let (count, head) = match (known(count), known(head)) {
        (Some(count), Some(head)) => (count, head),
        (Some(count), None) => (count, width.checked_div(count)?),
        (None, Some(head)) => (width.checked_div(head)?, head),
        (None, None) => return None,
    };
    (count.checked_mul(head)? == width && width > 0).then_some(Heads { count, width: head })
}

/// Whole numbers that are known now.
pub(super) fn known(meaning: &Meaning) -> Option<Vec<i64>> {
    match meaning {
        Meaning::Constant(tensor) if tensor.len() <= SMALL => Some(tensor.ints()),
        Meaning::Sizes(Some(sizes)) => {
            sizes.iter().map(|size| if let Size::Known(size) = size { Some(*size) } else { None }).collect()
        }
        _ => None,
    }
}

pub(super) fn sizes_of(meaning: &Meaning) -> Option<Vec<Size>> {
    match meaning {
        Meaning::Constant(tensor) if tensor.len() <= 16 => {
            Some(tensor.ints().into_iter().map(Size::Known).collect())
        }
        Meaning::Sizes(sizes) => sizes.clone(),
        _ => None,
    }
}

fn concat(inputs: &[Option<Meaning>]) -> Found {
    let mut all = Vec::new();
    for input in inputs {
        match input.as_ref()? {
            Meaning::Sizes(None) | Meaning::Filled(_) => return Some(Meaning::Sizes(None)),
            part => all.extend(sizes_of(part)?),
        }
    }
    Some(Meaning::Sizes(Some(all)))
}

fn range(start: &Meaning, end: &Meaning, step: &Meaning) -> Found {
    let start = known(start)?;
    let ([start], [1]) = (&start[..], &known(step)?[..]) else { return None };
    match sizes_of(end)?[..] {
        [Size::Tokens] => Some(Meaning::Index(Index::Positions(*start))),
        [Size::Known(end)] if (0..=16).contains(&(end - start)) => {
            let values: Vec<i64> = (*start..end).collect();
            Tensor::ints_of(vec![values.len()], &values).map(Meaning::Constant)
        }
        _ => Some(Meaning::Sizes(None)),
    }
}
