//! Running a packed model over packed texts.

use crate::{
    embed::embed,
    packed::{Layer, Linear, Model, Packed, Precision},
    plan::Reg,
    smooth::Site,
    texts::{Text, Texts},
};
use millrace_contract::{Error, ErrorKind, Result, RunControl};
use millrace_kernels::{Aligned, AttentionScratch, Norm, Quantized, Span, Then, ranges_for};
use std::ops::Range;

/// Rows that go through a layer together: with MiniLM's 384 channels their queries, keys, values and sums take 1 MB, which stays in
/// the second cache of the CPUs that have an integer dot product.
const GROUP_ROWS: usize = 128;

/// Rows that go through a layer's two large products together: their inner values (96 * 1,536 floats) take 590 kB. A multiple of every
/// tile's rows.
const BLOCK_ROWS: usize = 96;

/// Rows of a head between two looks at whether the run was ended.
const HEAD_ROWS: usize = 128;

/// Rows from which a run's buffers are given back when it ends.
const LARGE_RUN: usize = 2048;

/// Is told the rows of a norm's result before they are rounded to bytes.
pub(crate) type Observer<'o> = &'o mut dyn FnMut(Site, &[f32], usize);

/// Buffers of one runner, kept between runs.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    values: Vec<Option<Aligned<f32>>>,
    spare: Vec<Aligned<f32>>,
    qkv: Aligned<f32>,
    context: Aligned<f32>,
    inner: Aligned<f32>,
    ranges: Aligned<f32>,
    /// For each group the bytes that its next layer reads.
    inputs: Vec<Quantized>,
    bytes: Vec<Quantized>,
    attention: AttentionScratch,
}

impl Scratch {
    /// The value of a step, with as many floats as it has.
    pub(crate) fn value(&self, reg: Reg) -> &[f32] {
        self.values.get(reg).and_then(Option::as_deref).unwrap_or(&[])
    }

    fn buffer(&mut self, len: usize) -> Aligned<f32> {
        match self.spare.iter().position(|buffer| buffer.len() >= len) {
            Some(at) => self.spare.swap_remove(at),
            None => Aligned::zeros(len),
        }
    }

    /// Makes all values free again.
    pub(crate) fn clear(&mut self, tokens: usize) {
        if tokens >= LARGE_RUN {
            *self = Self::default();
            return;
        }
        self.spare.extend(self.values.drain(..).flatten());
        self.spare.truncate(4);
    }
}

fn aborted() -> Error {
    Error::new(ErrorKind::Aborted, "the run was terminated")
}

/// What a run works with besides its buffers.
struct Run<'r, 'o> {
    model: &'r Model,
    texts: &'r Texts<'r>,
    groups: Vec<Range<usize>>,
    control: &'r RunControl,
    observer: Option<Observer<'o>>,
    layers: usize,
}

/// Computes all values of `model` for `texts` into `scratch`.
pub(crate) fn run(
    model: &Model,
    texts: &Texts<'_>,
    control: &RunControl,
    observer: Option<Observer<'_>>,
    scratch: &mut Scratch,
) -> Result<()> {
    scratch.clear(0);
    scratch.values.resize_with(model.widths.len(), || None);
    let groups = texts.groups(GROUP_ROWS);
    let mut run = Run { model, texts, groups, control, observer, layers: 0 };
    let mut left = model.uses.clone();
    for (at, (reg, op)) in model.ops.iter().enumerate() {
        if control.is_terminated() {
            return Err(aborted());
        }
        let width = model.widths[*reg];
        let rows = if model.per_text[*reg] { texts.list.len() } else { texts.tokens };
        let feeds = model
            .ops
            .get(at + 1)
            .is_some_and(|(_, next)| matches!(next, Packed::Layer { x, .. } if x == reg));
        let value = match op {
            Packed::Embed(lookups) => {
                let mut out = scratch.buffer(rows * width);
                embed(lookups, texts, &mut out[..rows * width], width)?;
                out
            }
            Packed::Norm { x, norm } => {
                let mut out = take(scratch, &mut left, *x, rows * width);
                if feeds {
                    run.norm_and_feed(norm, &mut out, width, scratch);
                } else {
                    model.level.norm(norm, &mut out, width, rows);
                }
                out
            }
            Packed::Layer { x, layer } => {
                let mut out = take(scratch, &mut left, *x, rows * width);
                run.layer(layer, &mut out, width, feeds, scratch)?;
                run.layers += 1;
                out
            }
            Packed::Linear { x, dense } => {
                let mut out = scratch.buffer(rows * width);
                let depth = dense.depth();
                let from = scratch.value(*x);
                let mut row = 0;
                while row < rows {
                    if control.is_terminated() {
                        return Err(aborted());
                    }
                    let count = HEAD_ROWS.min(rows - row);
                    dense.apply(
                        &from[row * depth..],
                        depth,
                        count,
                        &mut out[row * width..],
                        width,
                        Then::Store,
                    );
                    row += count;
                }
                out
            }
            Packed::Add { a, b } => {
                let mut out = take(scratch, &mut left, *a, rows * width);
                let other = scratch.value(*b);
                out[..rows * width].iter_mut().zip(other).for_each(|(to, x)| *to += x);
                out
            }
            Packed::Activate { x, kind } => {
                let mut out = take(scratch, &mut left, *x, rows * width);
                model.level.activate(*kind, &mut out[..rows * width]);
                out
            }
            Packed::Scale { x, by } => {
                let mut out = take(scratch, &mut left, *x, rows * width);
                out[..rows * width].iter_mut().for_each(|x| *x *= by);
                out
            }
            Packed::First { x } => {
                let mut out = scratch.buffer(rows * width);
                let from = scratch.value(*x);
                for (text, to) in texts.list.iter().zip(out.chunks_exact_mut(width)) {
                    to.copy_from_slice(&from[text.start * width..(text.start + 1) * width]);
                }
                out
            }
            Packed::Mean { x, floor } => {
                let mut out = scratch.buffer(rows * width);
                mean(texts, scratch.value(*x), width, *floor, &mut out);
                out
            }
            Packed::Unit { x, floor } => {
                let mut out = take(scratch, &mut left, *x, rows * width);
                out[..rows * width].chunks_exact_mut(width).for_each(|row| unit(row, *floor));
                out
            }
        };
        scratch.values[*reg] = Some(value);
    }
    Ok(())
}

/// The value `x` to be worked on in place: itself when nobody reads it later, else a copy.
fn take(scratch: &mut Scratch, left: &mut [usize], x: Reg, len: usize) -> Aligned<f32> {
    left[x] = left[x].saturating_sub(1);
    if left[x] == 0
        && let Some(value) = scratch.values[x].take()
    {
        return value;
    }
    let mut copy = scratch.buffer(len);
    copy[..len].copy_from_slice(&scratch.value(x)[..len]);
    copy
}

impl Run<'_, '_> {
    /// Packed rows of a group.
    fn rows(&self, group: &Range<usize>) -> Range<usize> {
        let texts = &self.texts.list[group.clone()];
        let start = texts.first().map_or(0, |text| text.start);
        start..texts.last().map_or(start, |text| text.start + text.len)
    }

    fn observe(&mut self, inner: bool, layer: usize, rows: &[f32], width: usize) {
        if let Some(observer) = &mut self.observer {
            observer(Site { layer, inner }, rows, width);
        }
    }

    /// Norms all rows in place and, where bytes are needed, rounds each group's for its next layer.
    fn norm_and_feed(&mut self, norm: &Norm, x: &mut [f32], width: usize, scratch: &mut Scratch) {
        for at in 0..self.groups.len() {
            let rows = self.rows(&self.groups[at]);
            let part = &mut x[rows.start * width..rows.end * width];
            self.norm_group(norm, part, width, at, true, scratch);
            self.observe(false, self.layers, part, width);
        }
    }

    fn norm_group(
        &self,
        norm: &Norm,
        rows: &mut [f32],
        width: usize,
        group: usize,
        feeds: bool,
        scratch: &mut Scratch,
    ) {
        let (level, count) = (self.model.level, rows.len() / width);
        if feeds && self.model.precision == Precision::Int8 {
            while scratch.inputs.len() <= group {
                scratch.inputs.push(Quantized::new(width));
            }
            if scratch.inputs[group].width() != width {
                scratch.inputs[group] = Quantized::new(width);
            }
            level.norm_and_quantize(norm, rows, width, count, &mut scratch.inputs[group]);
        } else {
            level.norm(norm, rows, width, count);
        }
    }

    fn layer(
        &mut self,
        layer: &Layer,
        x: &mut [f32],
        width: usize,
        feeds: bool,
        scratch: &mut Scratch,
    ) -> Result<()> {
        for at in 0..self.groups.len() {
            if self.control.is_terminated() {
                return Err(aborted());
            }
            let group = self.groups[at].clone();
            let rows = self.rows(&group);
            let part = &mut x[rows.start * width..rows.end * width];
            self.attend(layer, part, width, at, rows.start, scratch);
            self.norm_group(&layer.first, part, width, at, true, scratch);
            self.observe(true, self.layers, part, width);
            if self.control.is_terminated() {
                return Err(aborted());
            }
            self.grow_and_shrink(layer, part, width, at, scratch);
            self.norm_group(&layer.second, part, width, at, feeds, scratch);
            if feeds {
                self.observe(false, self.layers + 1, part, width);
            }
        }
        Ok(())
    }

    /// Adds attention's output to the group's rows.
    fn attend(
        &self,
        layer: &Layer,
        x: &mut [f32],
        width: usize,
        group: usize,
        start: usize,
        scratch: &mut Scratch,
    ) {
        let level = self.model.level;
        let rows = x.len() / width;
        let all = layer.heads.count * layer.heads.width;
        scratch.qkv.at_least(rows * 3 * all);
        scratch.context.at_least(rows * all);
        let ranges = fresh_ranges(&mut scratch.ranges, rows);
        match &layer.qkv {
            Linear::Float(dense) => dense.apply(x, width, rows, &mut scratch.qkv, 3 * all, Then::Store),
            Linear::Bytes(dense) => {
                dense.apply(&scratch.inputs[group], 0, rows, &mut scratch.qkv, 3 * all, Then::Store, None);
            }
        }
        for text in &self.texts.list[self.groups[group].clone()] {
            let span = span(layer, text, start);
            let ranges = Some(&mut ranges[..]);
            level.attention(
                &scratch.qkv,
                3 * all,
                layer.heads,
                span,
                &mut scratch.context,
                all,
                ranges,
                &mut scratch.attention,
            );
        }
        match &layer.out {
            Linear::Float(dense) => dense.apply(&scratch.context, all, rows, x, width, Then::Accumulate),
            Linear::Bytes(dense) => {
                let bytes = bytes_of(&mut scratch.bytes, all);
                level.quantize(&scratch.context, all, ranges, rows, bytes);
                dense.apply(bytes, 0, rows, x, width, Then::Accumulate, None);
            }
        }
    }

    /// Adds the two large products' output to the group's rows.
    fn grow_and_shrink(
        &self,
        layer: &Layer,
        x: &mut [f32],
        width: usize,
        group: usize,
        scratch: &mut Scratch,
    ) {
        let level = self.model.level;
        let (rows, inner) = (x.len() / width, layer.inner_width);
        scratch.inner.at_least(BLOCK_ROWS.min(rows) * inner);
        let mut row = 0;
        while row < rows {
            let count = BLOCK_ROWS.min(rows - row);
            let part = &mut x[row * width..(row + count) * width];
            let then = Then::Activate(layer.kind);
            match (&layer.inner, &layer.outer) {
                (Linear::Bytes(grow), Linear::Bytes(shrink)) => {
                    let ranges = fresh_ranges(&mut scratch.ranges, count);
                    let from = &scratch.inputs[group];
                    grow.apply(from, row, count, &mut scratch.inner, inner, then, Some(ranges));
                    let bytes = bytes_of(&mut scratch.bytes, inner);
                    level.quantize(&scratch.inner, inner, ranges, count, bytes);
                    shrink.apply(bytes, 0, count, part, width, Then::Accumulate, None);
                }
                (Linear::Float(grow), Linear::Float(shrink)) => {
                    grow.apply(part, width, count, &mut scratch.inner, inner, then);
                    shrink.apply(&scratch.inner, inner, count, part, width, Then::Accumulate);
                }
                _ => unreachable!("a layer is packed in one precision"),
            }
            row += count;
        }
    }
}

fn span<'t>(layer: &'t Layer, text: &'t Text, start: usize) -> Span<'t> {
    let (relative, reach) = layer.relative.as_ref().map_or((&[][..], 0), |r| (&r.values[..], r.reach));
    let keys = if layer.masked { &text.keys[..] } else { &[] };
    Span { start: text.start - start, len: text.len, keys, relative, reach }
}

fn fresh_ranges(ranges: &mut Aligned<f32>, rows: usize) -> &mut [f32] {
    if ranges.len() < rows * 32 {
        *ranges = ranges_for(rows);
    }
    let ranges = &mut ranges[..rows * 32];
    ranges.fill(0.0);
    ranges
}

/// The buffer of bytes for rows of `width`.
fn bytes_of(list: &mut Vec<Quantized>, width: usize) -> &mut Quantized {
    let at = list.iter().position(|bytes| bytes.width() == width).unwrap_or_else(|| {
        list.push(Quantized::new(width));
        list.len() - 1
    });
    &mut list[at]
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "sums in f64, results in f32"
)]
fn mean(texts: &Texts<'_>, from: &[f32], width: usize, floor: f32, out: &mut [f32]) {
    let mut sums = vec![0.0_f64; width];
    for (text, to) in texts.list.iter().zip(out.chunks_exact_mut(width)) {
        sums.fill(0.0);
        let mut count = 0_usize;
        for place in 0..text.len {
            if text.keys.get(place).copied().unwrap_or(true) {
                count += 1;
                let row = &from[(text.start + place) * width..][..width];
                sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += f64::from(*x));
            }
        }
        let divisor = (count as f64).max(f64::from(floor));
        to.iter_mut().zip(&sums).for_each(|(to, sum)| *to = (sum / divisor) as f32);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "sums in f64, results in f32")]
fn unit(row: &mut [f32], floor: f32) {
    let length = row.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>().sqrt().max(f64::from(floor));
    for x in row {
        *x = (f64::from(*x) / length) as f32;
    }
}
