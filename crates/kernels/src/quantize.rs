//! From floats to bytes: activations at run time, one scale and zero point a row, and weights when a model is loaded, one
//! scale an output channel.

use crate::{
    Level,
    dispatch::by_lanes,
    integer::Quantized,
    simd::{LANES, Lanes},
};

/// How a row's floats become bytes: `q = round(x * inverse) + zero`, and `x ~ (q - zero) * scale`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RowScale {
    pub(crate) scale: f32,
    pub(crate) inverse: f32,
    pub(crate) zero: i32,
}

/// The scale of a row whose values lie in `least..greatest`, which holds zero.
#[inline(always)]
pub(crate) fn row_scale(least: f32, greatest: f32) -> RowScale {
    /// Below, the inverse would overflow; so small a row counts as zeros.
    const NOTHING: f32 = 1e-30;
    let span = greatest - least;
    if !span.is_finite() {
        // What cannot be represented must not look like a number.
        return RowScale { scale: f32::NAN, inverse: 0.0, zero: 0 };
    }
    if span < NOTHING {
        return RowScale { scale: 1.0, inverse: 0.0, zero: 0 };
    }
    let inverse = 255.0 / span;
    RowScale { scale: span / 255.0, inverse, zero: (-least * inverse).round_ties_even() as i32 }
}

/// Writes `count` floats at `from` as bytes.
///
/// # Safety
/// `count` floats can be read and `count` rounded up to sixteen bytes can be written.
#[inline(always)]
pub(crate) unsafe fn write_bytes<L: Lanes>(
    l: L,
    from: *const f32,
    count: usize,
    scale: RowScale,
    to: *mut u8,
) {
    let (inverse, zero) = (l.splat(scale.inverse), l.splat(scale.zero as f32));
    let mut at = 0;
    while at < count {
        // SAFETY: the caller says that the floats are there, and that whole vectors of bytes can be written.
        unsafe {
            let left = count - at;
            let x = if left >= LANES { l.load(from.add(at)) } else { l.load_part(from.add(at), left, 0.0) };
            l.store_bytes(to.add(at), l.round(l.fma(x, inverse, zero)));
        }
        at += LANES;
    }
}

#[inline(always)]
fn rows<L: Lanes>(l: L, from: &[f32], stride: usize, ranges: &[f32], count: usize, into: &mut Quantized) {
    let width = into.width();
    assert!(ranges.len() >= count * 2 * LANES, "each row has a range");
    assert!(count == 0 || from.len() >= (count - 1) * stride + width, "the rows are there");
    for row in 0..count {
        let range = &ranges[row * 2 * LANES..(row + 1) * 2 * LANES];
        // SAFETY: the range has 32 floats, the row `width` floats, and a row of bytes is a multiple of 64 long.
        unsafe {
            let least = l.least(l.load(range.as_ptr()));
            let greatest = l.greatest(l.load(range.as_ptr().add(LANES)));
            let scale = row_scale(least, greatest);
            write_bytes(l, from.as_ptr().add(row * stride), width, scale, into.row_ptr(row));
            into.set_scale(row, scale);
        }
    }
}

by_lanes! {
    fn rows_at(from: &[f32], stride: usize, ranges: &[f32], count: usize, into: &mut Quantized) = rows
}

impl Level {
    /// Quantises the first `rows` rows of `from`, `stride` floats apart, whose ranges a product or an attention has noted.
    pub fn quantize(self, from: &[f32], stride: usize, ranges: &[f32], rows: usize, into: &mut Quantized) {
        into.reserve(rows);
        rows_at(self, from, stride, ranges, rows, into);
    }
}

/// Weights as bytes with one scale an output channel: the largest magnitude of a channel becomes 127. `weights` holds a channel
/// after the other, `depth` floats each.
#[must_use]
pub fn quantize_channels(weights: &[f32], depth: usize) -> (Vec<i8>, Vec<f32>) {
    let mut bytes = Vec::with_capacity(weights.len());
    let mut scales = Vec::with_capacity(weights.len() / depth.max(1));
    for channel in weights.chunks_exact(depth.max(1)) {
        let greatest = channel.iter().fold(0.0_f32, |greatest, x| greatest.max(x.abs()));
        let scale = if greatest > 0.0 { greatest / 127.0 } else { 1.0 };
        scales.push(scale);
        bytes.extend(channel.iter().map(|x| (x / scale).round_ties_even().clamp(-127.0, 127.0) as i8));
    }
    (bytes, scales)
}
