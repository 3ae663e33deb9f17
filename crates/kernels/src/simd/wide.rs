//! Sixteen lanes in one register of 512 bits.

use super::Lanes;
#[allow(
    clippy::wildcard_imports,
    clippy::allow_attributes,
    reason = "dozens of intrinsics that begin with _mm; test builds do not lint it"
)]
use std::arch::x86_64::*;

/// Lanes of a CPU with AVX-512 F, BW, DQ and VL.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wide(());

impl Wide {
    /// # Safety
    /// The CPU has AVX-512 F, BW, DQ, VL, AVX2 and FMA.
    #[inline(always)]
    pub(crate) unsafe fn new() -> Self {
        Self(())
    }
}

macro_rules! cpu {
    ($e:expr) => {
        // SAFETY: the token proves that the CPU has the instruction.
        unsafe { $e }
    };
}

#[inline(always)]
fn halves(x: __m512) -> (__m256, __m256) {
    // SAFETY: only called with lanes that exist, whose token proves the instructions.
    unsafe { (_mm512_castps512_ps256(x), _mm512_extractf32x8_ps::<1>(x)) }
}

impl Lanes for Wide {
    type F = __m512;
    type I = __m512i;
    // 12 * 2 sums, 2 columns, 1 factor: 27 of 32 registers.
    const TILE_ROWS: usize = 12;
    const TILE_VECTORS: usize = 2;

    #[inline(always)]
    fn splat(self, x: f32) -> __m512 {
        cpu!(_mm512_set1_ps(x))
    }
    #[inline(always)]
    unsafe fn load(self, at: *const f32) -> __m512 {
        cpu!(_mm512_loadu_ps(at))
    }
    #[inline(always)]
    unsafe fn load_part(self, at: *const f32, count: usize, fill: f32) -> __m512 {
        let mask = ((1_u32 << count) - 1) as u16;
        cpu!(_mm512_mask_loadu_ps(_mm512_set1_ps(fill), mask, at))
    }
    #[inline(always)]
    unsafe fn store(self, at: *mut f32, value: __m512) {
        cpu!(_mm512_storeu_ps(at, value));
    }
    #[inline(always)]
    unsafe fn store_part(self, at: *mut f32, value: __m512, count: usize) {
        let mask = ((1_u32 << count) - 1) as u16;
        cpu!(_mm512_mask_storeu_ps(at, mask, value));
    }
    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        cpu!(_mm512_add_ps(a, b))
    }
    #[inline(always)]
    fn sub(self, a: __m512, b: __m512) -> __m512 {
        cpu!(_mm512_sub_ps(a, b))
    }
    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        cpu!(_mm512_mul_ps(a, b))
    }
    #[inline(always)]
    fn div(self, a: __m512, b: __m512) -> __m512 {
        cpu!(_mm512_div_ps(a, b))
    }
    #[inline(always)]
    fn fma(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        cpu!(_mm512_fmadd_ps(a, b, c))
    }
    #[inline(always)]
    fn min(self, a: __m512, b: __m512) -> __m512 {
        cpu!(_mm512_min_ps(a, b))
    }
    #[inline(always)]
    fn max(self, a: __m512, b: __m512) -> __m512 {
        cpu!(_mm512_max_ps(a, b))
    }
    #[inline(always)]
    fn keep_from(self, x: __m512, test: __m512, limit: __m512) -> __m512 {
        cpu!(_mm512_maskz_mov_ps(_mm512_cmp_ps_mask::<_CMP_GE_OQ>(test, limit), x))
    }
    #[inline(always)]
    fn round(self, x: __m512) -> __m512i {
        cpu!(_mm512_cvtps_epi32(x))
    }
    #[inline(always)]
    fn to_float(self, x: __m512i) -> __m512 {
        cpu!(_mm512_cvtepi32_ps(x))
    }
    #[inline(always)]
    unsafe fn load_int(self, at: *const i32) -> __m512i {
        cpu!(_mm512_loadu_si512(at.cast()))
    }
    #[inline(always)]
    fn sub_product(self, a: __m512i, b: __m512i, c: __m512i) -> __m512i {
        cpu!(_mm512_sub_epi32(a, _mm512_mullo_epi32(b, c)))
    }
    #[inline(always)]
    fn splat_int(self, x: i32) -> __m512i {
        cpu!(_mm512_set1_epi32(x))
    }
    #[inline(always)]
    fn scale_exponent(self, x: __m512, n: __m512i) -> __m512 {
        cpu!(_mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(x), _mm512_slli_epi32::<23>(n))))
    }
    #[inline(always)]
    unsafe fn store_bytes(self, at: *mut u8, x: __m512i) {
        cpu!(_mm_storeu_si128(
            at.cast(),
            _mm512_cvtusepi32_epi8(_mm512_max_epi32(x, _mm512_setzero_si512()))
        ));
    }
    #[inline(always)]
    fn sum(self, x: __m512) -> f32 {
        let (low, high) = halves(x);
        super::narrow::sum_of(cpu!(_mm256_add_ps(low, high)))
    }
    #[inline(always)]
    fn least(self, x: __m512) -> f32 {
        let (low, high) = halves(x);
        super::narrow::least_of(cpu!(_mm256_min_ps(low, high)))
    }
    #[inline(always)]
    fn greatest(self, x: __m512) -> f32 {
        let (low, high) = halves(x);
        super::narrow::greatest_of(cpu!(_mm256_max_ps(low, high)))
    }
}
