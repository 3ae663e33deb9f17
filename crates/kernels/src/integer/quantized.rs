//! Rows of activations as bytes.

use super::MOST_ROWS;
use crate::{buffer::Aligned, quantize::RowScale};

/// What rows are rounded up to, so that a level may read whole groups and tiles; the weights there are zero.
const GRAIN: usize = 64;

/// Rows of bytes without a sign, each with a scale and a zero point of its own.
#[derive(Debug, Clone)]
pub struct Quantized {
    bytes: Aligned<u8>,
    scales: Vec<f32>,
    zeros: Vec<i32>,
    spare: Aligned<f32>,
    width: usize,
    stride: usize,
}

impl Quantized {
    /// Room for rows of `width` values; it grows with use.
    #[must_use]
    pub fn new(width: usize) -> Self {
        let stride = width.next_multiple_of(GRAIN);
        Self {
            bytes: Aligned::default(),
            scales: Vec::new(),
            zeros: Vec::new(),
            spare: Aligned::zeros(stride),
            width,
            stride,
        }
    }

    /// Values of a row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// The bytes of row `row`.
    #[must_use]
    pub fn row(&self, row: usize) -> &[u8] {
        &self.bytes[row * self.stride..row * self.stride + self.width]
    }

    /// Scales of the rows, one each: a value is `(byte - zero) * scale`.
    #[must_use]
    pub fn scales(&self) -> &[f32] {
        &self.scales
    }

    /// Zero points of the rows, one each.
    #[must_use]
    pub fn zeros(&self) -> &[i32] {
        &self.zeros
    }

    /// Sets a row to bytes with a scale and a zero point, as if quantised.
    ///
    /// # Panics
    /// There are not as many bytes as a row has values.
    pub fn set(&mut self, row: usize, bytes: &[u8], scale: f32, zero: i32) {
        assert_eq!(bytes.len(), self.width, "a row's bytes");
        self.reserve(row + 1);
        self.bytes[row * self.stride..row * self.stride + self.width].copy_from_slice(bytes);
        self.set_scale(row, RowScale { scale, inverse: 0.0, zero });
    }

    pub(crate) fn rows(&self) -> usize {
        self.scales.len()
    }

    pub(crate) fn stride(&self) -> usize {
        self.stride
    }

    /// Makes room for `rows` rows and for a whole tile behind the last.
    pub(crate) fn reserve(&mut self, rows: usize) {
        if self.scales.len() < rows {
            let mut bytes = Aligned::zeros((rows + MOST_ROWS) * self.stride);
            bytes[..self.bytes.len()].copy_from_slice(&self.bytes);
            self.bytes = bytes;
            self.scales.resize(rows, 0.0);
            self.zeros.resize(rows, 0);
        }
    }

    pub(crate) fn set_scale(&mut self, row: usize, scale: RowScale) {
        self.scales[row] = scale.scale;
        self.zeros[row] = scale.zero;
    }

    /// Where the bytes of row `row` begin; a tile's rows can be read from there.
    pub(crate) fn at(&self, row: usize) -> *const u8 {
        self.bytes[row * self.stride..].as_ptr()
    }

    pub(crate) fn row_ptr(&mut self, row: usize) -> *mut u8 {
        self.bytes[row * self.stride..(row + 1) * self.stride].as_mut_ptr()
    }

    /// A row of floats, as wide as a row of bytes.
    pub(crate) fn spare_ptr(&mut self) -> *mut f32 {
        self.spare.as_mut_ptr()
    }
}
