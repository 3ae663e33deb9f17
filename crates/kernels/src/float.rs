//! Products of floats with packed weights.

use crate::{
    Level,
    buffer::Aligned,
    dispatch::by_lanes,
    epilogue::{Place, Raw, Then, finish},
    simd::{LANES, Lanes},
};

/// Columns of the widest tile, and rows of the tallest.
const MOST_COLUMNS: usize = 2 * LANES;
const MOST_ROWS: usize = 12;

/// Weights of a linear layer, in panels of as many columns as a tile has: `[panel][depth][column]`.
#[derive(Debug, Clone)]
pub struct PackedF32 {
    panels: Aligned<f32>,
    bias: Aligned<f32>,
    depth: usize,
    width: usize,
    columns: usize,
    level: Level,
}

impl PackedF32 {
    /// Packs weights for `level`. `weights` holds an output channel after the other, `depth` floats each.
    ///
    /// # Panics
    /// The weights are not `depth` floats for each channel of `bias`.
    #[must_use]
    pub fn new(level: Level, weights: &[f32], depth: usize, bias: &[f32]) -> Self {
        let width = bias.len();
        assert_eq!(weights.len(), width * depth, "a weight for each channel and depth");
        let columns = columns(level);
        let count = width.div_ceil(columns);
        let mut panels = Aligned::zeros(count * depth * columns);
        for (channel, row) in weights.chunks_exact(depth.max(1)).enumerate() {
            let start = channel / columns * depth * columns + channel % columns;
            for (k, weight) in row.iter().enumerate() {
                panels[start + k * columns] = *weight;
            }
        }
        let mut padded = Aligned::zeros(count * columns);
        padded[..width].copy_from_slice(bias);
        Self { panels, bias: padded, depth, width, columns, level }
    }

    /// Output channels.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Input channels.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Bytes that the packed weights take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        (self.panels.len() + self.bias.len()) * size_of::<f32>()
    }
}

fn columns(level: Level) -> usize {
    if level.is_wide() { 2 * LANES } else { LANES }
}

/// A tile of `R` rows and `V` vectors: `out = a * b`, with rows of `b` `b_stride` apart. One sum an element, over `k` in order.
///
/// # Safety
/// `a` has `R` rows of `depth` floats, `b` `depth` rows and `out` `R` rows of `V` vectors, as far apart as the strides say.
#[inline(always)]
unsafe fn fixed<L: Lanes, const R: usize, const V: usize>(
    l: L,
    (a, a_stride): (*const f32, usize),
    (b, b_stride): (*const f32, usize),
    depth: usize,
    (out, out_stride): (*mut f32, usize),
) {
    let mut sums = [[l.splat(0.0); V]; R];
    // SAFETY: the caller says that all of these rows and vectors are there.
    unsafe {
        let mut line = b;
        for k in 0..depth {
            let mut right = [l.splat(0.0); V];
            for (v, right) in right.iter_mut().enumerate() {
                *right = l.load(line.add(v * LANES));
            }
            for (r, sums) in sums.iter_mut().enumerate() {
                let left = l.splat(*a.add(r * a_stride + k));
                for (sum, right) in sums.iter_mut().zip(right) {
                    *sum = l.fma(left, right, *sum);
                }
            }
            line = line.add(b_stride);
        }
        for (r, sums) in sums.iter().enumerate() {
            for (v, sum) in sums.iter().enumerate() {
                l.store(out.add(r * out_stride + v * LANES), *sum);
            }
        }
    }
}

/// A tile of 1 to `L::TILE_ROWS` rows.
///
/// # Safety
/// As for [`fixed`], with `rows` for `R`.
#[inline(always)]
pub(crate) unsafe fn tile<L: Lanes, const V: usize>(
    l: L,
    rows: usize,
    a: (*const f32, usize),
    b: (*const f32, usize),
    depth: usize,
    out: (*mut f32, usize),
) {
    macro_rules! of {
        ($($r:literal)*) => {
            // SAFETY: passed on from the caller; the number of rows is the one that was asked for.
            unsafe {
                match rows {
                    $($r if $r <= L::TILE_ROWS => fixed::<L, $r, V>(l, a, b, depth, out),)*
                    _ => unreachable!("a tile has 1 to {} rows", L::TILE_ROWS),
                }
            }
        };
    }
    of!(1 2 3 4 5 6 7 8 9 10 11 12);
}

struct Sums<'a> {
    tile: &'a [f32; MOST_ROWS * MOST_COLUMNS],
    stride: usize,
    bias: *const f32,
}

impl<L: Lanes> Raw<L> for Sums<'_> {
    #[inline(always)]
    unsafe fn values(&self, l: L, row: usize, column: usize) -> L::F {
        // SAFETY: the caller says that row and column are within the tile; the bias is padded to whole panels.
        unsafe {
            let sum = l.load(self.tile.as_ptr().add(row * self.stride + column));
            l.add(sum, l.load(self.bias.add(column)))
        }
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "two buffers with strides, the weights, and what is done on the way"
)]
#[inline(always)]
fn product<L: Lanes>(
    l: L,
    a: &[f32],
    a_stride: usize,
    rows: usize,
    weights: &PackedF32,
    out: &mut [f32],
    stride: usize,
    then: Then<'_>,
) {
    let (depth, width, columns) = (weights.depth, weights.width, weights.columns);
    assert_eq!(columns, L::TILE_VECTORS * LANES, "the weights are packed for this level");
    if rows == 0 || width == 0 {
        return;
    }
    check(a.len(), a_stride, rows, depth);
    check(out.len(), stride, rows, width);
    if let Then::Add { residual, stride } = then {
        check(residual.len(), stride, rows, width);
    }
    let mut sums = [0.0; MOST_ROWS * MOST_COLUMNS];
    for panel in 0..width.div_ceil(columns) {
        let column = panel * columns;
        let mut row = 0;
        while row < rows {
            let count = L::TILE_ROWS.min(rows - row);
            // SAFETY: the slices were checked to have these rows and columns, panels and bias are padded to whole panels, and
            // the tile has room for the tallest and widest.
            unsafe {
                let left = (a.as_ptr().add(row * a_stride), a_stride);
                let right = (weights.panels.as_ptr().add(panel * depth * columns), columns);
                let to = (sums.as_mut_ptr(), columns);
                if L::TILE_VECTORS == 2 {
                    tile::<L, 2>(l, count, left, right, depth, to);
                } else {
                    tile::<L, 1>(l, count, left, right, depth, to);
                }
                let raw = Sums { tile: &sums, stride: columns, bias: weights.bias.as_ptr().add(column) };
                let place = Place {
                    out: out.as_mut_ptr().add(row * stride + column),
                    stride,
                    rows: count,
                    columns: columns.min(width - column),
                    then,
                    row,
                    column,
                    ranges: std::ptr::null_mut(),
                };
                finish(l, &raw, &place);
            }
            row += count;
        }
    }
}

/// Panics unless a buffer of `len` floats has `rows` rows of `width`, `stride` apart.
pub(crate) fn check(len: usize, stride: usize, rows: usize, width: usize) {
    assert!(stride >= width && len >= (rows - 1) * stride + width, "{rows} rows of {width} in {len} floats");
}

by_lanes! {
    fn product_at(
        a: &[f32], a_stride: usize, rows: usize, weights: &PackedF32, out: &mut [f32], stride: usize, then: Then<'_>,
    ) = product
}

impl PackedF32 {
    /// `out = then(a * weights + bias)` for `rows` rows of `a`, `a_stride` floats apart; those of `out` are `stride` apart.
    ///
    /// # Panics
    /// A buffer is too short for its rows.
    pub fn apply(
        &self,
        a: &[f32],
        a_stride: usize,
        rows: usize,
        out: &mut [f32],
        stride: usize,
        then: Then<'_>,
    ) {
        product_at(self.level, a, a_stride, rows, self, out, stride, then);
    }
}
