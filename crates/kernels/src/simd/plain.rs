//! Sixteen lanes in an array: the twin that says what the others must compute.

use super::{LANES, Lanes};

/// Lanes of any machine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plain;

fn each<T: Copy, U: Copy + Default>(a: [T; LANES], f: impl Fn(T) -> U) -> [U; LANES] {
    a.map(f)
}

fn pairs(a: [f32; LANES], b: [f32; LANES], f: impl Fn(f32, f32) -> f32) -> [f32; LANES] {
    std::array::from_fn(|lane| f(a[lane], b[lane]))
}

fn tree(mut x: [f32; LANES], f: impl Fn(f32, f32) -> f32) -> f32 {
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            x[lane] = f(x[lane], x[lane + half]);
        }
        half /= 2;
    }
    x[0]
}

fn lesser(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

fn greater(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

impl Lanes for Plain {
    type F = [f32; LANES];
    type I = [i32; LANES];
    const TILE_ROWS: usize = 4;
    const TILE_VECTORS: usize = 1;

    fn splat(self, x: f32) -> Self::F {
        [x; LANES]
    }
    unsafe fn load(self, at: *const f32) -> Self::F {
        // SAFETY: the caller says that sixteen floats can be read; no alignment is asked for.
        unsafe { at.cast::<Self::F>().read_unaligned() }
    }
    unsafe fn store(self, at: *mut f32, value: Self::F) {
        // SAFETY: the caller says that sixteen floats can be written; no alignment is asked for.
        unsafe { at.cast::<Self::F>().write_unaligned(value) }
    }
    fn add(self, a: Self::F, b: Self::F) -> Self::F {
        pairs(a, b, |a, b| a + b)
    }
    fn sub(self, a: Self::F, b: Self::F) -> Self::F {
        pairs(a, b, |a, b| a - b)
    }
    fn mul(self, a: Self::F, b: Self::F) -> Self::F {
        pairs(a, b, |a, b| a * b)
    }
    fn div(self, a: Self::F, b: Self::F) -> Self::F {
        pairs(a, b, |a, b| a / b)
    }
    fn fma(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F {
        std::array::from_fn(|lane| a[lane].mul_add(b[lane], c[lane]))
    }
    fn min(self, a: Self::F, b: Self::F) -> Self::F {
        pairs(a, b, lesser)
    }
    fn max(self, a: Self::F, b: Self::F) -> Self::F {
        pairs(a, b, greater)
    }
    fn keep_from(self, x: Self::F, test: Self::F, limit: Self::F) -> Self::F {
        std::array::from_fn(|lane| if test[lane] >= limit[lane] { x[lane] } else { 0.0 })
    }
    fn round(self, x: Self::F) -> Self::I {
        // Out of range the instruction gives i32::MIN, on either side and for NaN.
        each(x, |x| {
            let whole = x.round_ties_even();
            if (-2_147_483_648.0..2_147_483_648.0).contains(&whole) { whole as i32 } else { i32::MIN }
        })
    }
    fn to_float(self, x: Self::I) -> Self::F {
        each(x, |x| x as f32)
    }
    unsafe fn load_int(self, at: *const i32) -> Self::I {
        // SAFETY: the caller says that sixteen integers can be read.
        unsafe { at.cast::<Self::I>().read_unaligned() }
    }
    fn sub_product(self, a: Self::I, b: Self::I, c: Self::I) -> Self::I {
        std::array::from_fn(|lane| a[lane].wrapping_sub(b[lane].wrapping_mul(c[lane])))
    }
    fn splat_int(self, x: i32) -> Self::I {
        [x; LANES]
    }
    fn scale_exponent(self, x: Self::F, n: Self::I) -> Self::F {
        std::array::from_fn(|lane| {
            f32::from_bits((x[lane].to_bits() as i32).wrapping_add(n[lane].wrapping_shl(23)) as u32)
        })
    }
    unsafe fn store_bytes(self, at: *mut u8, x: Self::I) {
        let bytes: [u8; LANES] = each(x, |x| x.clamp(0, 255) as u8);
        // SAFETY: the caller says that sixteen bytes can be written.
        unsafe { at.cast::<[u8; LANES]>().write(bytes) }
    }
    fn sum(self, x: Self::F) -> f32 {
        tree(x, |a, b| a + b)
    }
    fn least(self, x: Self::F) -> f32 {
        tree(x, lesser)
    }
    fn greatest(self, x: Self::F) -> f32 {
        tree(x, greater)
    }
}
