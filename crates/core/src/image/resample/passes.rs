//! The two passes over the pixels: sums of 32 bits, shaped so that the compiler vectorises them.
//!
//! On x86-64 each pass is compiled twice, for what every processor has and for AVX2, whose 32-bit multiplication makes
//! it several times faster; which one runs is asked of the processor. The results are the same.

use super::coefficients::{Coefficients, HALF, PRECISION_BITS};
use crate::image::Rgb;

/// Rows summed up together, so that a weight is loaded once for all and their sums do not wait for each other.
const ROWS: usize = 4;

/// Values of a row summed up together in the vertical pass: four 256-bit registers of sums.
const LANES: usize = 32;

/// Calls `$body` compiled for the best of the processor's instruction sets.
macro_rules! dispatch {
    ($body:ident($($name:ident: $type:ty),*)) => {{
        #[cfg(target_arch = "x86_64")]
        {
            #[target_feature(enable = "avx2")]
            fn avx2($($name: $type),*) {
                $body($($name),*);
            }
            if std::arch::is_x86_feature_detected!("avx2") {
                // SAFETY: the processor has AVX2, as was just asked.
                unsafe { avx2($($name),*) };
                return;
            }
        }
        $body($($name),*);
    }};
}

/// Rows `first..first + count` of `image`, each scaled to the positions of `columns`. Column 0 of `image` is column
/// `left` of the source.
pub(super) fn horizontal(
    image: &Rgb,
    left: usize,
    first: usize,
    count: usize,
    columns: &Coefficients,
) -> Rgb {
    let mut data = vec![0; 3 * columns.len() * count];
    horizontal_into(image, left, first, columns, &mut data);
    Rgb::of(columns.len(), count, data).unwrap_or_else(|_| Rgb::filled(0, 0, [0; 3]))
}

fn horizontal_into(image: &Rgb, left: usize, first: usize, columns: &Coefficients, to: &mut [u8]) {
    dispatch!(horizontal_body(image: &Rgb, left: usize, first: usize, columns: &Coefficients, to: &mut [u8]));
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "it must take on the instruction set of its caller")]
fn horizontal_body(image: &Rgb, left: usize, first: usize, columns: &Coefficients, to: &mut [u8]) {
    let width = 3 * image.width();
    let row_len = 3 * columns.len();
    // A pixel is read as four values, the fourth of which is not used: each row gets one value more.
    let mut rows = [(); ROWS].map(|()| vec![0_u8; width + 1]);
    for (block, to) in to.chunks_mut(ROWS * row_len).enumerate() {
        let taken = to.len() / row_len;
        for (at, row) in rows.iter_mut().enumerate().take(taken) {
            row[..width].copy_from_slice(image.span(0, first + ROWS * block + at, image.width()));
        }
        let [a, b, c, d] = &rows;
        for (x, (start, weights)) in columns.iter().enumerate() {
            let start = 3 * (start - left);
            let span = start..start + 3 * weights.len() + 1;
            let spans = [&a[span.clone()], &b[span.clone()], &c[span.clone()], &d[span]];
            let mut sums = [[HALF; 4]; ROWS];
            for (at, &weight) in weights.iter().enumerate() {
                for (sum, span) in sums.iter_mut().zip(spans) {
                    let pixel: [u8; 4] = [span[3 * at], span[3 * at + 1], span[3 * at + 2], span[3 * at + 3]];
                    for (sum, value) in sum.iter_mut().zip(pixel) {
                        *sum = sum.wrapping_add(i32::from(value).wrapping_mul(weight));
                    }
                }
            }
            for (row, sum) in sums.iter().enumerate().take(taken) {
                let to = &mut to[row * row_len + 3 * x..][..3];
                for (to, &sum) in to.iter_mut().zip(sum) {
                    *to = narrow(sum);
                }
            }
        }
    }
}

/// Columns `left..left + width` of `image`, each scaled to the positions of `rows`. Row 0 of `image` is row `first` of
/// the source.
pub(super) fn vertical(image: &Rgb, first: usize, left: usize, width: usize, rows: &Coefficients) -> Rgb {
    let mut data = vec![0; 3 * width * rows.len()];
    vertical_into(image, first, left, rows, &mut data);
    Rgb::of(width, rows.len(), data).unwrap_or_else(|_| Rgb::filled(0, 0, [0; 3]))
}

fn vertical_into(image: &Rgb, first: usize, left: usize, rows: &Coefficients, to: &mut [u8]) {
    dispatch!(vertical_body(image: &Rgb, first: usize, left: usize, rows: &Coefficients, to: &mut [u8]));
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "it must take on the instruction set of its caller")]
fn vertical_body(image: &Rgb, first: usize, left: usize, rows: &Coefficients, to: &mut [u8]) {
    let (stride, left) = (3 * image.width(), 3 * left);
    let width = to.len() / rows.len().max(1);
    for ((start, weights), to) in rows.iter().zip(to.chunks_exact_mut(width.max(1))) {
        let source = &image.data()[(start - first) * stride..][..weights.len() * stride];
        for (block, to) in to.chunks_mut(LANES).enumerate() {
            let at = left + block * LANES;
            if let Ok(to) = <&mut [u8; LANES]>::try_from(&mut *to) {
                let mut sums = [HALF; LANES];
                for (row, &weight) in source.chunks_exact(stride).zip(weights) {
                    let Some(values) = row[at..].first_chunk::<LANES>() else { break };
                    for (sum, &value) in sums.iter_mut().zip(values) {
                        *sum = sum.wrapping_add(i32::from(value).wrapping_mul(weight));
                    }
                }
                for (to, &sum) in to.iter_mut().zip(&sums) {
                    *to = narrow(sum);
                }
            } else {
                for (x, to) in to.iter_mut().enumerate() {
                    let sum = source.chunks_exact(stride).zip(weights).fold(HALF, |sum, (row, &weight)| {
                        sum.wrapping_add(i32::from(row[at + x]).wrapping_mul(weight))
                    });
                    *to = narrow(sum);
                }
            }
        }
    }
}

/// A sum as a pixel's value.
#[expect(clippy::cast_sign_loss, reason = "clamped to 8 bits")]
fn narrow(sum: i32) -> u8 {
    (sum >> PRECISION_BITS).clamp(0, 255) as u8
}
