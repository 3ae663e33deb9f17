//! Sixteen floats as one value. Three ways to hold them, one set of operations, each rounded alike.

#[cfg(target_arch = "x86_64")]
mod narrow;
mod plain;
#[cfg(target_arch = "x86_64")]
mod wide;

#[cfg(target_arch = "x86_64")]
pub(crate) use narrow::Narrow;
pub(crate) use plain::Plain;
#[cfg(target_arch = "x86_64")]
pub(crate) use wide::Wide;

/// How many floats a value holds.
pub(crate) const LANES: usize = 16;

/// Proof that the CPU has the instructions, and the operations on sixteen lanes that they give.
///
/// An implementor is a token: whoever holds one may call its methods, because making it required the instructions. Only loads
/// and stores are unsafe, for their addresses.
pub(crate) trait Lanes: Copy {
    /// Sixteen `f32`.
    type F: Copy;
    /// Sixteen `i32`.
    type I: Copy;
    /// Rows of a tile of the float product; with [`TILE_VECTORS`](Self::TILE_VECTORS) what the registers hold.
    const TILE_ROWS: usize;
    /// Values of sixteen columns in a tile of the float product.
    const TILE_VECTORS: usize;

    /// The same value in all lanes.
    fn splat(self, x: f32) -> Self::F;
    /// # Safety
    /// Sixteen floats can be read from `at`.
    unsafe fn load(self, at: *const f32) -> Self::F;
    /// Reads `count` floats; the other lanes are `fill`.
    /// # Safety
    /// `count` is at most 16, and so many floats can be read from `at`.
    unsafe fn load_part(self, at: *const f32, count: usize, fill: f32) -> Self::F {
        let mut whole = [fill; LANES];
        // SAFETY: the caller says that `count` floats can be read, and the array has room for them.
        unsafe {
            std::ptr::copy_nonoverlapping(at, whole.as_mut_ptr(), count);
            self.load(whole.as_ptr())
        }
    }
    /// # Safety
    /// Sixteen floats can be written to `at`.
    unsafe fn store(self, at: *mut f32, value: Self::F);
    /// # Safety
    /// `count` is at most 16, and so many floats can be written to `at`.
    unsafe fn store_part(self, at: *mut f32, value: Self::F, count: usize) {
        let mut whole = [0.0; LANES];
        // SAFETY: the array has room for all lanes, and the caller says that `count` floats can be written.
        unsafe {
            self.store(whole.as_mut_ptr(), value);
            std::ptr::copy_nonoverlapping(whole.as_ptr(), at, count);
        }
    }
    fn add(self, a: Self::F, b: Self::F) -> Self::F;
    fn sub(self, a: Self::F, b: Self::F) -> Self::F;
    fn mul(self, a: Self::F, b: Self::F) -> Self::F;
    fn div(self, a: Self::F, b: Self::F) -> Self::F;
    /// `a * b + c`, rounded once.
    fn fma(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// `a < b ? a : b` in each lane.
    fn min(self, a: Self::F, b: Self::F) -> Self::F;
    /// `a > b ? a : b` in each lane.
    fn max(self, a: Self::F, b: Self::F) -> Self::F;
    /// `x` where `test >= limit`, zero elsewhere.
    fn keep_from(self, x: Self::F, test: Self::F, limit: Self::F) -> Self::F;
    /// The nearest integers, ties to even.
    fn round(self, x: Self::F) -> Self::I;
    fn to_float(self, x: Self::I) -> Self::F;
    /// # Safety
    /// Sixteen integers can be read from `at`.
    unsafe fn load_int(self, at: *const i32) -> Self::I;
    /// `a - b * c` of integers, wrapping.
    fn sub_product(self, a: Self::I, b: Self::I, c: Self::I) -> Self::I;
    fn splat_int(self, x: i32) -> Self::I;
    /// `x * 2^n`, by adding to the exponent; right where neither side is subnormal.
    fn scale_exponent(self, x: Self::F, n: Self::I) -> Self::F;
    /// Writes the lanes as bytes, cut to 0 and 255.
    /// # Safety
    /// Sixteen bytes can be written to `at`.
    unsafe fn store_bytes(self, at: *mut u8, x: Self::I);
    /// The sum by a tree: lanes 8 apart, then 4, 2, 1.
    fn sum(self, x: Self::F) -> f32;
    /// The least lane, by the same tree.
    fn least(self, x: Self::F) -> f32;
    /// The greatest lane, by the same tree.
    fn greatest(self, x: Self::F) -> f32;
}
