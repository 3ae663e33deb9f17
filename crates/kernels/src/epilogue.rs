//! What happens to a tile of sums before it leaves the cache: dequantising and bias, then a residual or an activation, and the
//! row's range if it will be quantised next.

use crate::{
    buffer::Aligned,
    math::{Activation, activate},
    simd::{LANES, Lanes},
};

/// What a product's rows go through after bias.
#[derive(Debug, Clone, Copy)]
pub enum Then<'a> {
    /// Nothing.
    Store,
    /// The row of the same number of `residual`, whose rows are `stride` apart, is added.
    Add {
        /// What is added.
        residual: &'a [f32],
        /// Floats from one of its rows to the next.
        stride: usize,
    },
    /// What the output holds already is added, so that a residual needs no buffer of its own.
    Accumulate,
    /// An activation.
    Activate(Activation),
}

/// Room for the ranges of `rows` rows: for each row sixteen least and sixteen greatest values, all zero at the start, because
/// a quantised range always holds zero.
#[must_use]
pub fn ranges_for(rows: usize) -> Aligned<f32> {
    Aligned::zeros(rows * 2 * LANES)
}

/// The raw values of a tile: sums with their scales and bias put in.
pub(crate) trait Raw<L: Lanes> {
    /// Sixteen values of the tile's row `row`, from its column `column` on.
    ///
    /// # Safety
    /// Row and column are within the tile, and the column is a multiple of sixteen.
    unsafe fn values(&self, l: L, row: usize, column: usize) -> L::F;
}

/// Where a tile lies in the output, and what becomes of it.
pub(crate) struct Place<'a> {
    /// First element of the tile's first row.
    pub(crate) out: *mut f32,
    pub(crate) stride: usize,
    pub(crate) rows: usize,
    /// Columns that exist; the tile may have more.
    pub(crate) columns: usize,
    pub(crate) then: Then<'a>,
    /// Row and column of the tile in the whole product, to find the residual.
    pub(crate) row: usize,
    pub(crate) column: usize,
    /// Ranges of the tile's rows, or null.
    pub(crate) ranges: *mut f32,
}

trait Step<L: Lanes> {
    unsafe fn apply(&self, l: L, value: L::F, row: usize, column: usize, count: usize) -> L::F;
}

struct Keep;

impl<L: Lanes> Step<L> for Keep {
    #[inline(always)]
    unsafe fn apply(&self, _: L, value: L::F, _: usize, _: usize, _: usize) -> L::F {
        value
    }
}

struct Plus {
    at: *const f32,
    stride: usize,
}

impl<L: Lanes> Step<L> for Plus {
    #[inline(always)]
    unsafe fn apply(&self, l: L, value: L::F, row: usize, column: usize, count: usize) -> L::F {
        // SAFETY: the product checked that the residual has this row and `count` columns from here on.
        unsafe {
            let at = self.at.add(row * self.stride + column);
            l.add(value, if count >= LANES { l.load(at) } else { l.load_part(at, count, 0.0) })
        }
    }
}

macro_rules! activations {
    ($($name:ident),*) => { $(
        struct $name;
        impl<L: Lanes> Step<L> for $name {
            #[inline(always)]
            unsafe fn apply(&self, l: L, value: L::F, _: usize, _: usize, _: usize) -> L::F {
                activate(l, Activation::$name, value)
            }
        }
    )* };
}
activations!(Gelu, GeluRough, GeluTanh, Relu, Tanh);

/// Writes a tile out.
///
/// # Safety
/// The place's output, residual and ranges have the tile's rows and columns, and `raw` has the tile.
#[inline(always)]
pub(crate) unsafe fn finish<L: Lanes, R: Raw<L>>(l: L, raw: &R, place: &Place<'_>) {
    // SAFETY: passed on from the caller.
    unsafe {
        match place.then {
            Then::Store => rows(l, raw, place, &Keep),
            Then::Add { residual, stride } => {
                let at = residual.as_ptr().add(place.row * stride + place.column);
                rows(l, raw, place, &Plus { at, stride });
            }
            Then::Accumulate => rows(l, raw, place, &Plus { at: place.out, stride: place.stride }),
            Then::Activate(Activation::Gelu) => rows(l, raw, place, &Gelu),
            Then::Activate(Activation::GeluRough) => rows(l, raw, place, &GeluRough),
            Then::Activate(Activation::GeluTanh) => rows(l, raw, place, &GeluTanh),
            Then::Activate(Activation::Relu) => rows(l, raw, place, &Relu),
            Then::Activate(Activation::Tanh) => rows(l, raw, place, &Tanh),
        }
    }
}

#[inline(always)]
unsafe fn rows<L: Lanes, R: Raw<L>, S: Step<L>>(l: L, raw: &R, place: &Place<'_>, step: &S) {
    for row in 0..place.rows {
        // SAFETY: the caller says that the tile's rows and columns exist everywhere; columns past the last are left out of
        // loads and stores. The ranges have 2 * 16 floats a row.
        unsafe {
            let line = place.out.add(row * place.stride);
            let range = place.ranges.add(if place.ranges.is_null() { 0 } else { row * 2 * LANES });
            let (mut least, mut greatest) = if range.is_null() {
                (l.splat(0.0), l.splat(0.0))
            } else {
                (l.load(range), l.load(range.add(LANES)))
            };
            let mut column = 0;
            while column < place.columns {
                let count = place.columns - column;
                let value = step.apply(l, raw.values(l, row, column), row, column, count);
                least = l.min(value, least);
                greatest = l.max(value, greatest);
                if count >= LANES {
                    l.store(line.add(column), value);
                } else {
                    l.store_part(line.add(column), value, count);
                }
                column += LANES;
            }
            if !range.is_null() {
                l.store(range, least);
                l.store(range.add(LANES), greatest);
            }
        }
    }
}
