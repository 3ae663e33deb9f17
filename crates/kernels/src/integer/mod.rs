//! Products of bytes: activations of eight bits without a sign, weights of eight bits with one, sums of 32 bits. Every level
//! gives the same sums, because none of them rounds or saturates.

#[cfg(target_arch = "x86_64")]
mod amx;
#[cfg(target_arch = "x86_64")]
mod narrow;
mod packed;
mod plain;
mod quantized;
#[cfg(target_arch = "x86_64")]
mod wide;

#[cfg(target_arch = "x86_64")]
pub(crate) use amx::permitted as amx_permitted;
pub use packed::PackedI8;
pub use quantized::Quantized;

use crate::{
    Level,
    epilogue::{Place, Raw, Then, finish},
    float::check,
    simd::Lanes,
};

/// The tallest and the widest tile of any level.
const MOST_ROWS: usize = 32;
const MOST_COLUMNS: usize = 64;

/// The deepest product whose sums cannot overflow: 255 * 128 * depth stays below 2^31.
#[must_use]
pub const fn deepest_product() -> usize {
    32_768
}

/// A way to compute one tile of sums.
pub(crate) trait Bytes: Copy {
    /// Rows of a tile.
    const ROWS: usize;
    /// Columns of a panel and of a tile.
    const COLUMNS: usize;
    /// Values of one column that lie side by side in a panel.
    const GROUP: usize;
    /// What the depth of a panel is rounded up to.
    const DEPTH: usize;

    /// Called before the first tile of a product, and its counterpart after the last.
    #[inline(always)]
    fn begin(self) {}
    #[inline(always)]
    fn end(self) {}

    /// `out[r][c] = sum over k of a[r][k] * panel[k][c]`, with rows of `out` `COLUMNS` apart.
    ///
    /// # Safety
    /// `rows` is 1 to `ROWS`; `a` has `MOST_ROWS` readable rows of `depth` bytes, `stride` apart; the panel is packed with these
    /// constants for `depth`, a multiple of `DEPTH`; `out` has `MOST_ROWS * COLUMNS` integers.
    unsafe fn tile(
        self,
        rows: usize,
        a: *const u8,
        stride: usize,
        depth: usize,
        panel: *const i8,
        out: *mut i32,
    );
}

/// How a level packs weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) columns: usize,
    pub(crate) group: usize,
    pub(crate) depth: usize,
}

impl Layout {
    const fn of<B: Bytes>() -> Self {
        Self { columns: B::COLUMNS, group: B::GROUP, depth: B::DEPTH }
    }

    pub(crate) const fn at(level: Level) -> Self {
        match level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => Self::of::<narrow::Pairs>(),
            #[cfg(target_arch = "x86_64")]
            Level::AvxVnni => Self::of::<narrow::Vnni>(),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => Self::of::<wide::Pairs>(),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512Vnni => Self::of::<wide::Vnni>(),
            #[cfg(target_arch = "x86_64")]
            Level::Amx => Self::of::<amx::Tiles>(),
            _ => Self::of::<plain::One>(),
        }
    }
}

struct Sums<'a> {
    tile: *const i32,
    columns: usize,
    zeros: &'a [i32],
    scales: &'a [f32],
    /// Of the tile's columns.
    of_columns: *const i32,
    scales_of_columns: *const f32,
    bias: *const f32,
}

impl<L: Lanes> Raw<L> for Sums<'_> {
    #[inline(always)]
    unsafe fn values(&self, l: L, row: usize, column: usize) -> L::F {
        // SAFETY: the caller says that row and column are within the tile; what belongs to columns is padded to whole panels.
        unsafe {
            let sums = l.load_int(self.tile.add(row * self.columns + column));
            let zero = l.splat_int(*self.zeros.get_unchecked(row));
            let exact = l.sub_product(sums, zero, l.load_int(self.of_columns.add(column)));
            let scale =
                l.mul(l.splat(*self.scales.get_unchecked(row)), l.load(self.scales_of_columns.add(column)));
            l.fma(l.to_float(exact), scale, l.load(self.bias.add(column)))
        }
    }
}

/// What a product reads and writes.
struct Job<'a> {
    a: &'a Quantized,
    first: usize,
    rows: usize,
    weights: &'a PackedI8,
    out: &'a mut [f32],
    stride: usize,
    then: Then<'a>,
    ranges: Option<&'a mut [f32]>,
}

#[inline(always)]
fn product<L: Lanes, B: Bytes>(l: L, b: B, mut job: Job<'_>) {
    #[repr(align(64))]
    struct Tile([i32; MOST_ROWS * MOST_COLUMNS]);
    let weights = job.weights;
    assert_eq!(weights.layout, Layout::of::<B>(), "the weights are packed for this level");
    assert_eq!(job.a.width(), weights.depth, "rows are as wide as the weights are deep");
    assert!(job.first + job.rows <= job.a.rows(), "the rows are quantised");
    if job.rows == 0 || weights.width == 0 {
        return;
    }
    check(job.out.len(), job.stride, job.rows, weights.width);
    if let Then::Add { residual, stride } = job.then {
        check(residual.len(), stride, job.rows, weights.width);
    }
    let ranges = match &mut job.ranges {
        Some(ranges) => {
            assert!(ranges.len() >= job.rows * 32, "each row has a range");
            ranges.as_mut_ptr()
        }
        None => std::ptr::null_mut(),
    };
    let mut tile = Tile([0; MOST_ROWS * MOST_COLUMNS]);
    b.begin();
    for panel in 0..weights.width.div_ceil(B::COLUMNS) {
        let column = panel * B::COLUMNS;
        let mut row = 0;
        while row < job.rows {
            let count = B::ROWS.min(job.rows - row);
            // SAFETY: the output, the residual and the ranges were checked to have these rows and columns; quantised rows are
            // followed by as many readable ones as a tile has; panels and what belongs to columns are padded.
            unsafe {
                let a = job.a.at(job.first + row);
                let right = weights.panels.as_ptr().add(panel * B::COLUMNS * weights.padded_depth);
                b.tile(count, a, job.a.stride(), weights.padded_depth, right, tile.0.as_mut_ptr());
                let raw = Sums {
                    tile: tile.0.as_ptr(),
                    columns: B::COLUMNS,
                    zeros: &job.a.zeros()[job.first + row..],
                    scales: &job.a.scales()[job.first + row..],
                    of_columns: weights.sums.as_ptr().add(column),
                    scales_of_columns: weights.scales.as_ptr().add(column),
                    bias: weights.bias.as_ptr().add(column),
                };
                let place = Place {
                    out: job.out.as_mut_ptr().add(row * job.stride + column),
                    stride: job.stride,
                    rows: count,
                    columns: B::COLUMNS.min(weights.width - column),
                    then: job.then,
                    row,
                    column,
                    ranges: if ranges.is_null() { ranges } else { ranges.add(row * 32) },
                };
                finish(l, &raw, &place);
            }
            row += count;
        }
    }
    b.end();
}

#[cfg(target_arch = "x86_64")]
mod compiled {
    //! The product, compiled once for each level.

    use super::{Job, amx, narrow, product, wide};
    use crate::simd::{Narrow, Wide};

    macro_rules! compiled {
        ($name:ident, $features:literal, $lanes:ty, $bytes:ty) => {
            #[target_feature(enable = $features)]
            pub(super) fn $name(job: Job<'_>) {
                // SAFETY: the function is compiled and called with the instructions that both tokens stand for.
                let (lanes, bytes) = unsafe { (<$lanes>::new(), <$bytes>::new()) };
                product(lanes, bytes, job);
            }
        };
    }
    compiled!(avx2, "avx2,fma", Narrow, narrow::Pairs);
    compiled!(avxvnni, "avx2,fma,avxvnni", Narrow, narrow::Vnni);
    compiled!(avx512, "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma", Wide, wide::Pairs);
    compiled!(avx512vnni, "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma", Wide, wide::Vnni);
    compiled!(amx, "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma", Wide, amx::Tiles);
}

impl PackedI8 {
    /// `out = then(a * weights + bias)` for `rows` rows of `a` from row `first` on; those of `out` are `stride` floats apart. With `ranges`
    /// (from [`ranges_for`](crate::ranges_for)) the least and greatest value of each row are noted there.
    ///
    /// # Panics
    /// A buffer is too short for its rows.
    #[expect(clippy::too_many_arguments, reason = "two buffers, which rows, and what is done on the way")]
    pub fn apply(
        &self,
        a: &Quantized,
        first: usize,
        rows: usize,
        out: &mut [f32],
        stride: usize,
        then: Then<'_>,
        ranges: Option<&mut [f32]>,
    ) {
        let level = self.level;
        assert!(level.is_available(), "the level {level} is not of this machine");
        let job = Job { a, first, rows, weights: self, out, stride, then, ranges };
        match level {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the level was found on this machine.
            Level::Avx2 => unsafe { compiled::avx2(job) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Level::AvxVnni => unsafe { compiled::avxvnni(job) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Level::Avx512 => unsafe { compiled::avx512(job) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Level::Avx512Vnni => unsafe { compiled::avx512vnni(job) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Level::Amx => unsafe { compiled::amx(job) },
            _ => product(crate::simd::Plain, plain::One, job),
        }
    }
}
