//! Which source pixels make a pixel of the result, and with which weights.

use super::filter::Kernel;

/// Fractional bits of a weight: 32, less 8 of a pixel and 2 for sums beyond 1.
pub(super) const PRECISION_BITS: u32 = 32 - 8 - 2;

/// Half of the last bit that is kept, so that shifting rounds.
pub(super) const HALF: i32 = 1 << (PRECISION_BITS - 1);

/// The weights of a run of result positions.
pub(super) struct Coefficients {
    /// First source position and number of weights, for each position.
    bounds: Vec<(usize, usize)>,
    /// Weights, `stride` for each position.
    weights: Vec<i32>,
    stride: usize,
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sides of images are far below 2^52; casts that cut are Pillow's own"
)]
impl Coefficients {
    /// Weights of the `length` positions from `first` on, when `from` pixels become `to`.
    pub(super) fn new(from: usize, to: usize, kernel: &Kernel, first: usize, length: usize) -> Self {
        let scale = from as f64 / to as f64;
        let stretch = scale.max(1.0);
        let support = kernel.support * stretch;
        let inverse = 1.0 / stretch;
        let stride = support.ceil() as usize * 2 + 1;
        let mut bounds = Vec::with_capacity(length);
        let mut weights = vec![0; stride * length];
        let mut exact = Vec::with_capacity(stride);
        for (position, weights) in (first..first + length).zip(weights.chunks_exact_mut(stride)) {
            let center = (position as f64 + 0.5) * scale;
            let start = (center - support + 0.5).max(0.0) as usize;
            let end = ((center + support + 0.5) as usize).min(from);
            exact.clear();
            exact.extend((start..end).map(|at| (kernel.weight)((at as f64 - center + 0.5) * inverse)));
            let sum: f64 = exact.iter().sum();
            for (weight, exact) in weights.iter_mut().zip(&exact) {
                let share = if sum == 0.0 { *exact } else { exact / sum };
                *weight = fixed(share);
            }
            bounds.push((start, end - start));
        }
        Self { bounds, weights, stride }
    }

    /// Number of positions.
    pub(super) fn len(&self) -> usize {
        self.bounds.len()
    }

    /// First source position and weights of each position.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &[i32])> {
        let rows = self.bounds.iter().zip(self.weights.chunks_exact(self.stride));
        rows.map(|(&(start, count), weights)| (start, &weights[..count]))
    }

    /// First source position of all, and how many there are from it to the last.
    pub(super) fn sources(&self) -> (usize, usize) {
        let first = self.bounds.iter().map(|bound| bound.0).min().unwrap_or(0);
        let end = self.bounds.iter().map(|bound| bound.0 + bound.1).max().unwrap_or(0);
        (first, end - first)
    }
}

/// A weight as a whole number, rounded half away from zero.
#[expect(clippy::cast_possible_truncation, reason = "weights lie between -1 and 2, which is 24 bits")]
fn fixed(weight: f64) -> i32 {
    let scaled = weight * f64::from(1_u32 << PRECISION_BITS);
    if weight < 0.0 { (scaled - 0.5) as i32 } else { (scaled + 0.5) as i32 }
}
