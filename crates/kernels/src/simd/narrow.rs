//! Sixteen lanes in two registers of 256 bits.

use super::Lanes;
#[allow(
    clippy::wildcard_imports,
    clippy::allow_attributes,
    reason = "dozens of intrinsics that begin with _mm; test builds do not lint it"
)]
use std::arch::x86_64::*;

/// Lanes of a CPU with AVX2 and FMA.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Narrow(());

impl Narrow {
    /// # Safety
    /// The CPU has AVX2 and FMA.
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

/// Ends the tree of sums from eight lanes on. Only for code compiled with AVX.
#[inline(always)]
pub(super) fn sum_of(x: __m256) -> f32 {
    cpu!({
        let four = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps::<1>(x));
        let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
        _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
    })
}

#[inline(always)]
pub(super) fn least_of(x: __m256) -> f32 {
    cpu!({
        let four = _mm_min_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps::<1>(x));
        let two = _mm_min_ps(four, _mm_movehl_ps(four, four));
        _mm_cvtss_f32(_mm_min_ss(two, _mm_movehdup_ps(two)))
    })
}

#[inline(always)]
pub(super) fn greatest_of(x: __m256) -> f32 {
    cpu!({
        let four = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps::<1>(x));
        let two = _mm_max_ps(four, _mm_movehl_ps(four, four));
        _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)))
    })
}

type Two = (__m256, __m256);
type TwoInt = (__m256i, __m256i);

impl Lanes for Narrow {
    type F = Two;
    type I = TwoInt;
    // 6 * 2 sums, 2 columns, 1 factor: 15 of 16 registers.
    const TILE_ROWS: usize = 6;
    const TILE_VECTORS: usize = 1;

    #[inline(always)]
    fn splat(self, x: f32) -> Two {
        cpu!((_mm256_set1_ps(x), _mm256_set1_ps(x)))
    }
    #[inline(always)]
    unsafe fn load(self, at: *const f32) -> Two {
        cpu!((_mm256_loadu_ps(at), _mm256_loadu_ps(at.add(8))))
    }
    #[inline(always)]
    unsafe fn store(self, at: *mut f32, value: Two) {
        cpu!({
            _mm256_storeu_ps(at, value.0);
            _mm256_storeu_ps(at.add(8), value.1);
        });
    }
    #[inline(always)]
    fn add(self, a: Two, b: Two) -> Two {
        cpu!((_mm256_add_ps(a.0, b.0), _mm256_add_ps(a.1, b.1)))
    }
    #[inline(always)]
    fn sub(self, a: Two, b: Two) -> Two {
        cpu!((_mm256_sub_ps(a.0, b.0), _mm256_sub_ps(a.1, b.1)))
    }
    #[inline(always)]
    fn mul(self, a: Two, b: Two) -> Two {
        cpu!((_mm256_mul_ps(a.0, b.0), _mm256_mul_ps(a.1, b.1)))
    }
    #[inline(always)]
    fn div(self, a: Two, b: Two) -> Two {
        cpu!((_mm256_div_ps(a.0, b.0), _mm256_div_ps(a.1, b.1)))
    }
    #[inline(always)]
    fn fma(self, a: Two, b: Two, c: Two) -> Two {
        cpu!((_mm256_fmadd_ps(a.0, b.0, c.0), _mm256_fmadd_ps(a.1, b.1, c.1)))
    }
    #[inline(always)]
    fn min(self, a: Two, b: Two) -> Two {
        cpu!((_mm256_min_ps(a.0, b.0), _mm256_min_ps(a.1, b.1)))
    }
    #[inline(always)]
    fn max(self, a: Two, b: Two) -> Two {
        cpu!((_mm256_max_ps(a.0, b.0), _mm256_max_ps(a.1, b.1)))
    }
    #[inline(always)]
    fn keep_from(self, x: Two, test: Two, limit: Two) -> Two {
        cpu!((
            _mm256_and_ps(x.0, _mm256_cmp_ps::<_CMP_GE_OQ>(test.0, limit.0)),
            _mm256_and_ps(x.1, _mm256_cmp_ps::<_CMP_GE_OQ>(test.1, limit.1)),
        ))
    }
    #[inline(always)]
    fn round(self, x: Two) -> TwoInt {
        cpu!((_mm256_cvtps_epi32(x.0), _mm256_cvtps_epi32(x.1)))
    }
    #[inline(always)]
    fn to_float(self, x: TwoInt) -> Two {
        cpu!((_mm256_cvtepi32_ps(x.0), _mm256_cvtepi32_ps(x.1)))
    }
    #[inline(always)]
    unsafe fn load_int(self, at: *const i32) -> TwoInt {
        cpu!((_mm256_loadu_si256(at.cast()), _mm256_loadu_si256(at.add(8).cast())))
    }
    #[inline(always)]
    fn sub_product(self, a: TwoInt, b: TwoInt, c: TwoInt) -> TwoInt {
        cpu!((
            _mm256_sub_epi32(a.0, _mm256_mullo_epi32(b.0, c.0)),
            _mm256_sub_epi32(a.1, _mm256_mullo_epi32(b.1, c.1)),
        ))
    }
    #[inline(always)]
    fn splat_int(self, x: i32) -> TwoInt {
        cpu!((_mm256_set1_epi32(x), _mm256_set1_epi32(x)))
    }
    #[inline(always)]
    fn scale_exponent(self, x: Two, n: TwoInt) -> Two {
        cpu!((
            _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(x.0), _mm256_slli_epi32::<23>(n.0))),
            _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(x.1), _mm256_slli_epi32::<23>(n.1))),
        ))
    }
    #[inline(always)]
    unsafe fn store_bytes(self, at: *mut u8, x: TwoInt) {
        cpu!({
            // Packing works on halves of 128 bits, so that the quarters come out in the order 0 2 1 3.
            let words = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packs_epi32(x.0, x.1));
            let bytes = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256::<1>(words));
            _mm_storeu_si128(at.cast(), bytes);
        });
    }
    #[inline(always)]
    fn sum(self, x: Two) -> f32 {
        sum_of(cpu!(_mm256_add_ps(x.0, x.1)))
    }
    #[inline(always)]
    fn least(self, x: Two) -> f32 {
        least_of(cpu!(_mm256_min_ps(x.0, x.1)))
    }
    #[inline(always)]
    fn greatest(self, x: Two) -> f32 {
        greatest_of(cpu!(_mm256_max_ps(x.0, x.1)))
    }
}
