//! Attention of one text at a time, so that texts of any lengths lie side by side without padding.

use crate::{
    Level,
    buffer::Aligned,
    dispatch::by_lanes,
    float::{check, tile},
    math::exp,
    simd::{LANES, Lanes},
};

/// How a row of queries, keys and values is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Heads {
    /// Number of heads.
    pub count: usize,
    /// Channels of a head.
    pub width: usize,
}

/// The rows of one text in a packed buffer, and what its scores are given.
#[derive(Debug, Clone, Copy)]
pub struct Span<'a> {
    /// Its first row.
    pub start: usize,
    /// Its rows; at least one.
    pub len: usize,
    /// For each of its rows, whether it may be looked at; empty means all.
    pub keys: &'a [bool],
    /// What is added to a score by how far the key lies from the query: for each head `2 * reach + 1` values, the middle one for
    /// distance zero and later keys after it. Empty means nothing.
    pub relative: &'a [f32],
    /// The greatest distance that `relative` knows; farther keys count as that far.
    pub reach: usize,
}

/// Room for the packed keys and values of a head and for a few rows of scores.
#[derive(Debug, Clone, Default)]
pub struct AttentionScratch {
    keys: Aligned<f32>,
    values: Aligned<f32>,
    scores: Aligned<f32>,
    sums: Aligned<f32>,
    bias: Aligned<f32>,
}

struct Job<'a> {
    qkv: &'a [f32],
    stride: usize,
    heads: Heads,
    span: Span<'a>,
    out: &'a mut [f32],
    out_stride: usize,
    ranges: Option<&'a mut [f32]>,
    scratch: &'a mut AttentionScratch,
}

/// Packs a head's keys transposed, in panels of `columns`, and its values in rows padded to whole panels.
///
/// # Safety
/// `keys` and `values` have `len` rows of `width` floats, `stride` apart; the scratch has room for whole panels.
#[inline(always)]
unsafe fn pack(
    (keys, values, stride): (*const f32, *const f32, usize),
    (len, width, columns): (usize, usize, usize),
    scratch: &mut AttentionScratch,
) {
    let padded = width.next_multiple_of(columns);
    let (to_keys, to_values) = (scratch.keys.as_mut_ptr(), scratch.values.as_mut_ptr());
    // SAFETY: all places are within what the caller says is there.
    unsafe {
        for row in 0..len {
            let panel = to_keys.add(row / columns * columns * width + row % columns);
            let key = keys.add(row * stride);
            for channel in 0..width {
                *panel.add(channel * columns) = *key.add(channel);
            }
            std::ptr::copy_nonoverlapping(values.add(row * stride), to_values.add(row * padded), width);
        }
        // Columns past the last key are read and thrown away; they must be numbers all the same.
        for row in len..len.next_multiple_of(columns) {
            let panel = to_keys.add(row / columns * columns * width + row % columns);
            for channel in 0..width {
                *panel.add(channel * columns) = 0.0;
            }
        }
    }
}

/// Turns a row of scores into `e^(score - greatest)` and returns the sum.
///
/// # Safety
/// `scores` has `len` floats, as have `bias` and `relative` where they are not null.
#[inline(always)]
unsafe fn softmax<L: Lanes>(
    l: L,
    scores: *mut f32,
    len: usize,
    bias: *const f32,
    relative: *const f32,
) -> f32 {
    let lowest = f32::NEG_INFINITY;
    let mut greatest = l.splat(lowest);
    // SAFETY: as the caller says; parts of vectors are read and written as parts.
    unsafe {
        let mut at = 0;
        while at < len {
            let count = LANES.min(len - at);
            let read = |from: *const f32, fill: f32| {
                if count == LANES { l.load(from.add(at)) } else { l.load_part(from.add(at), count, fill) }
            };
            let mut score = read(scores, lowest);
            if !relative.is_null() {
                score = l.add(score, read(relative, 0.0));
            }
            if !bias.is_null() {
                score = l.add(score, read(bias, 0.0));
            }
            if !relative.is_null() || !bias.is_null() {
                if count == LANES {
                    l.store(scores.add(at), score);
                } else {
                    l.store_part(scores.add(at), score, count);
                }
            }
            greatest = l.max(score, greatest);
            at += LANES;
        }
        let top = l.splat(l.greatest(greatest));
        let mut sum = l.splat(0.0);
        at = 0;
        while at < len {
            let count = LANES.min(len - at);
            if count == LANES {
                let e = exp(l, l.sub(l.load(scores.add(at)), top));
                l.store(scores.add(at), e);
                sum = l.add(sum, e);
            } else {
                let e = exp(l, l.sub(l.load_part(scores.add(at), count, lowest), top));
                l.store_part(scores.add(at), e, count);
                sum = l.add(sum, e);
            }
            at += LANES;
        }
        l.sum(sum)
    }
}

#[inline(always)]
fn attend<L: Lanes>(l: L, job: Job<'_>) {
    let Job { qkv, stride, heads, span, out, out_stride, mut ranges, scratch } = job;
    let (len, width, all) = (span.len, heads.width, heads.count * heads.width);
    assert!(len > 0 && width > 0, "a text has rows and a head has channels");
    check(qkv.len(), stride, span.start + len, 3 * all);
    check(out.len(), out_stride, span.start + len, all);
    assert!(span.keys.is_empty() || span.keys.len() == len, "each row is said to be a key or not");
    let distances = 2 * span.reach + 1;
    assert!(
        span.relative.is_empty() || span.relative.len() == heads.count * distances,
        "a value for each distance"
    );
    let range = match &mut ranges {
        Some(ranges) => {
            assert!(ranges.len() >= (span.start + len) * 2 * LANES, "each row has a range");
            ranges.as_mut_ptr()
        }
        None => std::ptr::null_mut(),
    };
    let columns = L::TILE_VECTORS * LANES;
    let padded = width.next_multiple_of(columns);
    let row = len.next_multiple_of(columns);
    scratch.keys.at_least(row * width);
    scratch.values.at_least(len * padded);
    scratch.scores.at_least(L::TILE_ROWS * row);
    scratch.sums.at_least(L::TILE_ROWS * columns);
    // With no key at all ONNX's mask is the same number everywhere, so that every row counts alike.
    let masked = span.keys.contains(&true) && span.keys.contains(&false);
    let relative = !span.relative.is_empty();
    scratch.bias.at_least(3 * row);
    if masked {
        for (bias, key) in scratch.bias.iter_mut().zip(span.keys) {
            *bias = if *key { 0.0 } else { f32::NEG_INFINITY };
        }
    }
    for head in 0..heads.count {
        let first = span.start * stride + head * width;
        // SAFETY: queries, keys and values were checked to have these rows, and the scratch has room for whole panels.
        unsafe {
            let q = qkv.as_ptr().add(first);
            pack((q.add(all), q.add(2 * all), stride), (len, width, columns), scratch);
            let distance = if relative {
                // Distances of key from query from -(len - 1) to len - 1, cut to what is known.
                let known = &span.relative[head * distances..(head + 1) * distances];
                scratch.bias.at_least(3 * row);
                for at in 0..2 * len - 1 {
                    let from_middle = at as isize - (len as isize - 1);
                    let reach = span.reach as isize;
                    scratch.bias[row + at] = known[(from_middle.clamp(-reach, reach) + reach) as usize];
                }
                scratch.bias.as_ptr().add(row)
            } else {
                std::ptr::null()
            };
            let mask = if masked { scratch.bias.as_ptr() } else { std::ptr::null() };
            let mut at = 0;
            while at < len {
                let rows = L::TILE_ROWS.min(len - at);
                let scores = scratch.scores.as_mut_ptr();
                let left = (q.add(at * stride), stride);
                for panel in 0..row / columns {
                    let right = (scratch.keys.as_ptr().add(panel * columns * width), columns);
                    let to = (scores.add(panel * columns), row);
                    if L::TILE_VECTORS == 2 {
                        tile::<L, 2>(l, rows, left, right, width, to);
                    } else {
                        tile::<L, 1>(l, rows, left, right, width, to);
                    }
                }
                let mut inverse = [0.0; 16];
                for (r, inverse) in inverse.iter_mut().enumerate().take(rows) {
                    let near = if relative { distance.add(len - 1 - (at + r)) } else { std::ptr::null() };
                    *inverse = 1.0 / softmax(l, scores.add(r * row), len, mask, near);
                }
                let sums = scratch.sums.as_mut_ptr();
                for panel in 0..padded / columns {
                    let right = (scratch.values.as_ptr().add(panel * columns), padded);
                    if L::TILE_VECTORS == 2 {
                        tile::<L, 2>(l, rows, (scores, row), right, len, (sums, columns));
                    } else {
                        tile::<L, 1>(l, rows, (scores, row), right, len, (sums, columns));
                    }
                    let channels = columns.min(width - panel * columns);
                    for (r, inverse) in inverse.iter().enumerate().take(rows) {
                        let here = span.start + at + r;
                        let to = out.as_mut_ptr().add(here * out_stride + head * width + panel * columns);
                        let range = if range.is_null() { range } else { range.add(here * 2 * LANES) };
                        deliver(l, sums.add(r * columns), *inverse, channels, to, range);
                    }
                }
                at += rows;
            }
        }
    }
}

/// Writes `channels` floats times `factor`, and widens the row's range.
///
/// # Safety
/// The floats can be read in whole vectors and written; `range` is null or a row's range.
#[inline(always)]
unsafe fn deliver<L: Lanes>(
    l: L,
    from: *const f32,
    factor: f32,
    channels: usize,
    to: *mut f32,
    range: *mut f32,
) {
    let factor = l.splat(factor);
    // SAFETY: as the caller says.
    unsafe {
        let mut at = 0;
        while at < channels {
            let value = l.mul(l.load(from.add(at)), factor);
            if channels - at >= LANES {
                l.store(to.add(at), value);
            } else {
                l.store_part(to.add(at), value, channels - at);
            }
            if !range.is_null() {
                l.store(range, l.min(value, l.load(range)));
                l.store(range.add(LANES), l.max(value, l.load(range.add(LANES))));
            }
            at += LANES;
        }
    }
}

by_lanes! { fn attend_at(job: Job<'_>) = attend }

impl Level {
    /// Attention of one text. A row of `qkv` holds its query, key and value, each `heads.count * heads.width` floats, with the
    /// scale of scores already in the query. The text's rows of `out` get the weighted values; with `ranges` the least and
    /// greatest of each row are noted there.
    ///
    /// # Panics
    /// A buffer is too short for the text's rows.
    #[expect(
        clippy::too_many_arguments,
        reason = "two buffers with strides, the shape, and what is noted on the way"
    )]
    pub fn attention(
        self,
        qkv: &[f32],
        stride: usize,
        heads: Heads,
        span: Span<'_>,
        out: &mut [f32],
        out_stride: usize,
        ranges: Option<&mut [f32]>,
        scratch: &mut AttentionScratch,
    ) {
        attend_at(self, Job { qkv, stride, heads, span, out, out_stride, ranges, scratch });
    }
}
