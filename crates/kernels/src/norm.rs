//! Layer normalisation of rows, with the quantising of its result in the same pass over the row.

use crate::{
    Level,
    buffer::Aligned,
    dispatch::by_lanes,
    integer::Quantized,
    quantize::{row_scale, write_bytes},
    simd::{LANES, Lanes},
};

/// `(x - mean) / sqrt(variance + epsilon) * gain + bias`, and how its result is smoothed before it is quantised.
#[derive(Debug, Clone)]
pub struct Norm {
    gain: Aligned<f32>,
    bias: Aligned<f32>,
    smooth_gain: Aligned<f32>,
    smooth_bias: Aligned<f32>,
    epsilon: f32,
}

impl Norm {
    /// A norm of rows of `gain.len()` floats.
    ///
    /// # Panics
    /// `gain` and `bias` are of different length.
    #[must_use]
    pub fn new(gain: &[f32], bias: &[f32], epsilon: f32) -> Self {
        assert_eq!(gain.len(), bias.len(), "gain and bias have one value a channel");
        let (gain, bias) = (Aligned::copy_of(gain), Aligned::copy_of(bias));
        Self { smooth_gain: gain.clone(), smooth_bias: bias.clone(), gain, bias, epsilon }
    }

    /// Divides what is quantised by `by`, channel by channel; the weights that it meets are multiplied by the same.
    ///
    /// # Panics
    /// `by` is of another length than the norm's rows.
    pub fn smooth(&mut self, by: &[f32]) {
        assert_eq!(by.len(), self.gain.len(), "one divisor a channel");
        for (channel, divisor) in by.iter().enumerate() {
            self.smooth_gain[channel] = self.gain[channel] / divisor;
            self.smooth_bias[channel] = self.bias[channel] / divisor;
        }
    }

    /// Floats of a row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.gain.len()
    }
}

/// A vector of a row and how much of it there is.
#[inline(always)]
unsafe fn part<L: Lanes>(l: L, row: *const f32, at: usize, width: usize, fill: f32) -> L::F {
    // SAFETY: the caller's row has `width` floats.
    unsafe {
        if at + LANES <= width { l.load(row.add(at)) } else { l.load_part(row.add(at), width - at, fill) }
    }
}

/// Norms the row in place. Where `spare` is not null, the smoothed result is written there too, and its range returned.
#[inline(always)]
unsafe fn row<L: Lanes>(l: L, norm: &Norm, x: *mut f32, spare: *mut f32) -> (f32, f32) {
    let width = norm.width();
    // SAFETY: `x` and the norm's values have `width` floats, `spare` that many rounded up to sixteen, and every load and store
    // below stays within them.
    unsafe {
        let mut sum = l.splat(0.0);
        let mut at = 0;
        while at < width {
            sum = l.add(sum, part(l, x, at, width, 0.0));
            at += LANES;
        }
        let mean = l.sum(sum) / width as f32;
        let center = l.splat(mean);
        let mut squares = l.splat(0.0);
        at = 0;
        while at < width {
            let off = l.sub(part(l, x, at, width, mean), center);
            squares = l.fma(off, off, squares);
            at += LANES;
        }
        let inverse = l.splat(1.0 / (l.sum(squares) / width as f32 + norm.epsilon).sqrt());
        let (mut least, mut greatest) = (l.splat(0.0), l.splat(0.0));
        at = 0;
        while at < width {
            let unit = l.mul(l.sub(part(l, x, at, width, mean), center), inverse);
            let gain = part(l, norm.gain.as_ptr(), at, width, 0.0);
            let y = l.fma(unit, gain, part(l, norm.bias.as_ptr(), at, width, 0.0));
            if at + LANES <= width {
                l.store(x.add(at), y);
            } else {
                l.store_part(x.add(at), y, width - at);
            }
            if !spare.is_null() {
                let gain = part(l, norm.smooth_gain.as_ptr(), at, width, 0.0);
                let z = l.fma(unit, gain, part(l, norm.smooth_bias.as_ptr(), at, width, 0.0));
                l.store(spare.add(at), z);
                least = l.min(z, least);
                greatest = l.max(z, greatest);
            }
            at += LANES;
        }
        (l.least(least), l.greatest(greatest))
    }
}

#[inline(always)]
fn plain_rows<L: Lanes>(l: L, norm: &Norm, x: &mut [f32], stride: usize, rows: usize) {
    assert!(rows == 0 || x.len() >= (rows - 1) * stride + norm.width(), "the rows are there");
    for at in 0..rows {
        // SAFETY: the row was checked to be there; no spare room is asked for.
        unsafe { row(l, norm, x.as_mut_ptr().add(at * stride), std::ptr::null_mut()) };
    }
}

#[inline(always)]
fn quantized_rows<L: Lanes>(
    l: L,
    norm: &Norm,
    x: &mut [f32],
    stride: usize,
    rows: usize,
    into: &mut Quantized,
) {
    let width = norm.width();
    assert!(rows == 0 || x.len() >= (rows - 1) * stride + width, "the rows are there");
    assert_eq!(into.width(), width, "the quantised rows are as wide as the norm's");
    for at in 0..rows {
        // SAFETY: the row was checked to be there, the spare row is as wide rounded up to 64, and so is the row of bytes.
        unsafe {
            let spare = into.spare_ptr();
            let (least, greatest) = row(l, norm, x.as_mut_ptr().add(at * stride), spare);
            let scale = row_scale(least, greatest);
            write_bytes(l, spare, width, scale, into.row_ptr(at));
            into.set_scale(at, scale);
        }
    }
}

by_lanes! { fn plain_at(norm: &Norm, x: &mut [f32], stride: usize, rows: usize) = plain_rows }
by_lanes! {
    fn quantized_at(norm: &Norm, x: &mut [f32], stride: usize, rows: usize, into: &mut Quantized) = quantized_rows
}

impl Level {
    /// Norms `rows` rows of `x`, `stride` floats apart, in place.
    pub fn norm(self, norm: &Norm, x: &mut [f32], stride: usize, rows: usize) {
        plain_at(self, norm, x, stride, rows);
    }

    /// Norms rows in place, and quantises the smoothed result.
    pub fn norm_and_quantize(
        self,
        norm: &Norm,
        x: &mut [f32],
        stride: usize,
        rows: usize,
        into: &mut Quantized,
    ) {
        into.reserve(rows);
        quantized_at(self, norm, x, stride, rows, into);
    }
}
