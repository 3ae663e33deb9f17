//! The transform and the conversion of colours with AVX2, eight values at a time.
//!
//! The same numbers as the plain code beside it ([`super::idct`], [`super::color`]), which tests hold it to.

#![expect(unsafe_code, reason = "instructions that not every processor has")]

use super::{
    idct::{EVEN, INNER, OUTER, SUMS},
    parse::Quantisation,
};
use std::arch::x86_64::{
    __m128i, __m256i, _mm_add_epi16, _mm_cvtepu8_epi16, _mm_loadl_epi64, _mm_loadu_si128, _mm_mullo_epi16,
    _mm_or_si128, _mm_packs_epi16, _mm_packus_epi16, _mm_set1_epi8, _mm_setr_epi8, _mm_setzero_si128,
    _mm_shuffle_epi8, _mm_slli_epi16, _mm_storel_epi64, _mm_storeu_si128, _mm_sub_epi16, _mm_testz_si128,
    _mm_unpackhi_epi16, _mm_unpackhi_epi32, _mm_unpackhi_epi64, _mm_unpacklo_epi16, _mm_unpacklo_epi32,
    _mm_unpacklo_epi64, _mm_xor_si128, _mm256_add_epi32, _mm256_castsi256_si128, _mm256_cvtepi16_epi32,
    _mm256_cvtepu8_epi32, _mm256_extracti128_si256, _mm256_madd_epi16, _mm256_mullo_epi32,
    _mm256_packs_epi32, _mm256_permute4x64_epi64, _mm256_set_m128i, _mm256_set1_epi32, _mm256_slli_epi32,
    _mm256_srai_epi32, _mm256_sub_epi32,
};

/// Two factors in each pair of lanes.
#[target_feature(enable = "avx2")]
fn pair([a, b]: [i16; 2]) -> __m256i {
    _mm256_set1_epi32(i32::from(b) << 16 | i32::from(a) & 0xFFFF)
}

/// Eight pairs, one of each.
#[target_feature(enable = "avx2")]
fn zipped(a: __m128i, b: __m128i) -> __m256i {
    _mm256_set_m128i(_mm_unpackhi_epi16(a, b), _mm_unpacklo_epi16(a, b))
}

/// Rows to columns.
#[target_feature(enable = "avx2")]
fn transposed(r: [__m128i; 8]) -> [__m128i; 8] {
    let a = [
        _mm_unpacklo_epi16(r[0], r[1]),
        _mm_unpackhi_epi16(r[0], r[1]),
        _mm_unpacklo_epi16(r[2], r[3]),
        _mm_unpackhi_epi16(r[2], r[3]),
        _mm_unpacklo_epi16(r[4], r[5]),
        _mm_unpackhi_epi16(r[4], r[5]),
        _mm_unpacklo_epi16(r[6], r[7]),
        _mm_unpackhi_epi16(r[6], r[7]),
    ];
    let b = [
        _mm_unpacklo_epi32(a[0], a[2]),
        _mm_unpackhi_epi32(a[0], a[2]),
        _mm_unpacklo_epi32(a[1], a[3]),
        _mm_unpackhi_epi32(a[1], a[3]),
        _mm_unpacklo_epi32(a[4], a[6]),
        _mm_unpackhi_epi32(a[4], a[6]),
        _mm_unpacklo_epi32(a[5], a[7]),
        _mm_unpackhi_epi32(a[5], a[7]),
    ];
    [
        _mm_unpacklo_epi64(b[0], b[4]),
        _mm_unpackhi_epi64(b[0], b[4]),
        _mm_unpacklo_epi64(b[1], b[5]),
        _mm_unpackhi_epi64(b[1], b[5]),
        _mm_unpacklo_epi64(b[2], b[6]),
        _mm_unpackhi_epi64(b[2], b[6]),
        _mm_unpacklo_epi64(b[3], b[7]),
        _mm_unpackhi_epi64(b[3], b[7]),
    ]
}

/// Two rows of sums, divided by two to the power of `BITS`, rounded and cut to 16 bits.
#[target_feature(enable = "avx2")]
fn descaled<const BITS: i32>(a: __m256i, b: __m256i) -> [__m128i; 2] {
    let half = _mm256_set1_epi32(1 << (BITS - 1));
    let a = _mm256_srai_epi32::<BITS>(_mm256_add_epi32(a, half));
    let b = _mm256_srai_epi32::<BITS>(_mm256_add_epi32(b, half));
    // Packing works in halves of a register; the second and the third quarter change places.
    let packed = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packs_epi32(a, b));
    [_mm256_castsi256_si128(packed), _mm256_extracti128_si256::<1>(packed)]
}

/// One pass over eight columns.
#[target_feature(enable = "avx2")]
fn pass<const BITS: i32>(v: [__m128i; 8]) -> [__m128i; 8] {
    let times = |factors: [i16; 2], values: __m256i| _mm256_madd_epi16(values, pair(factors));
    let (add, sub) = (_mm256_add_epi32, _mm256_sub_epi32);
    let z = zipped(v[2], v[6]);
    let even = [times(EVEN[0], z), times(EVEN[1], z)];
    let sum = _mm256_slli_epi32::<13>(_mm256_cvtepi16_epi32(_mm_add_epi16(v[0], v[4])));
    let difference = _mm256_slli_epi32::<13>(_mm256_cvtepi16_epi32(_mm_sub_epi16(v[0], v[4])));
    let ends = [add(sum, even[1]), sub(sum, even[1])];
    let middles = [add(difference, even[0]), sub(difference, even[0])];
    let z = zipped(_mm_add_epi16(v[7], v[3]), _mm_add_epi16(v[5], v[1]));
    let sums = [times(SUMS[0], z), times(SUMS[1], z)];
    let outer = zipped(v[7], v[1]);
    let inner = zipped(v[5], v[3]);
    let odd = [
        add(times(OUTER[1], outer), sums[1]),
        add(times(INNER[1], inner), sums[0]),
        add(times(INNER[0], inner), sums[1]),
        add(times(OUTER[0], outer), sums[0]),
    ];
    let [r0, r7] = descaled::<BITS>(add(ends[0], odd[0]), sub(ends[0], odd[0]));
    let [r1, r6] = descaled::<BITS>(add(middles[0], odd[1]), sub(middles[0], odd[1]));
    let [r2, r5] = descaled::<BITS>(add(middles[1], odd[2]), sub(middles[1], odd[2]));
    let [r3, r4] = descaled::<BITS>(add(ends[1], odd[3]), sub(ends[1], odd[3]));
    [r0, r1, r2, r3, r4, r5, r6, r7]
}

/// Transforms a block into 8 rows of `to`, `stride` apart.
#[target_feature(enable = "avx2")]
pub(super) fn block(block: &[i16; 64], steps: &Quantisation, to: &mut [u8], stride: usize) {
    let load = |row: usize| {
        let (values, steps) = (&block[8 * row..8 * row + 8], &steps[8 * row..8 * row + 8]);
        // SAFETY: both slices have eight values of two bytes.
        let (values, steps) =
            unsafe { (_mm_loadu_si128(values.as_ptr().cast()), _mm_loadu_si128(steps.as_ptr().cast())) };
        _mm_mullo_epi16(values, steps)
    };
    let rows = [load(0), load(1), load(2), load(3), load(4), load(5), load(6), load(7)];
    let others = rows[1..].iter().fold(_mm_setzero_si128(), |all, row| _mm_or_si128(all, *row));
    let columns = if _mm_testz_si128(others, others) == 1 {
        [_mm_slli_epi16::<2>(rows[0]); 8]
    } else {
        pass::<11>(rows)
    };
    let rows = transposed(pass::<18>(transposed(columns)));
    let middle = _mm_set1_epi8(i8::MIN);
    for (pair, to) in rows.as_chunks::<2>().0.iter().zip(to.chunks_mut(2 * stride)) {
        // Cut to a signed byte, and the middle moved to 128.
        let samples = _mm_xor_si128(_mm_packs_epi16(pair[0], pair[1]), middle);
        let (upper, lower) = to.split_at_mut(stride);
        let (upper, lower) = (&mut upper[..8], &mut lower[..8]);
        // SAFETY: both slices have eight bytes.
        unsafe {
            _mm_storel_epi64(upper.as_mut_ptr().cast(), samples);
            _mm_storel_epi64(lower.as_mut_ptr().cast(), _mm_unpackhi_epi64(samples, samples));
        }
    }
}

/// RGB of as many pixels as are a multiple of eight; says how many that are.
#[target_feature(enable = "avx2")]
pub(super) fn rgb(luma: &[u8], cb: &[u8], cr: &[u8], to: &mut [u8]) -> usize {
    use super::color::{BLUE_OF_CB, GREEN_OF_CB, GREEN_OF_CR, HALF, RED_OF_CR};
    let load = |from: &[u8; 8]| {
        // SAFETY: the array has eight bytes.
        unsafe { _mm_loadl_epi64(from.as_ptr().cast()) }
    };
    let middle = _mm256_set1_epi32(128);
    let half = _mm256_set1_epi32(HALF);
    let scaled = |chroma: __m256i, factor: i32| _mm256_mullo_epi32(chroma, _mm256_set1_epi32(factor));
    let rounded = |value: __m256i| _mm256_srai_epi32::<16>(_mm256_add_epi32(value, half));
    let narrow = |value: __m256i| {
        let packed = _mm256_permute4x64_epi64::<0b00_00_10_00>(_mm256_packs_epi32(value, value));
        _mm256_castsi256_si128(packed)
    };
    // Where in eight pixels of three bytes each color goes; -1 leaves a zero.
    let first_rg = _mm_setr_epi8(0, 8, -1, 1, 9, -1, 2, 10, -1, 3, 11, -1, 4, 12, -1, 5);
    let first_b = _mm_setr_epi8(-1, -1, 0, -1, -1, 1, -1, -1, 2, -1, -1, 3, -1, -1, 4, -1);
    let last_rg = _mm_setr_epi8(13, -1, 6, 14, -1, 7, 15, -1, -1, -1, -1, -1, -1, -1, -1, -1);
    let last_b = _mm_setr_epi8(-1, 5, -1, -1, 6, -1, -1, 7, -1, -1, -1, -1, -1, -1, -1, -1);
    let chroma = cb.as_chunks::<8>().0.iter().zip(cr.as_chunks::<8>().0);
    let mut done = 0;
    for ((luma, (cb, cr)), to) in luma.as_chunks::<8>().0.iter().zip(chroma).zip(to.as_chunks_mut::<24>().0) {
        let light = _mm_cvtepu8_epi16(load(luma));
        let cb = _mm256_sub_epi32(_mm256_cvtepu8_epi32(load(cb)), middle);
        let cr = _mm256_sub_epi32(_mm256_cvtepu8_epi32(load(cr)), middle);
        let add = |value: __m256i| _mm_add_epi16(light, narrow(value));
        let red = add(rounded(scaled(cr, RED_OF_CR)));
        let green = add(rounded(_mm256_add_epi32(scaled(cb, GREEN_OF_CB), scaled(cr, GREEN_OF_CR))));
        let blue = add(rounded(scaled(cb, BLUE_OF_CB)));
        let rg = _mm_packus_epi16(red, green);
        let b = _mm_packus_epi16(blue, blue);
        let first = _mm_or_si128(_mm_shuffle_epi8(rg, first_rg), _mm_shuffle_epi8(b, first_b));
        let last = _mm_or_si128(_mm_shuffle_epi8(rg, last_rg), _mm_shuffle_epi8(b, last_b));
        let (head, tail) = to.split_at_mut(16);
        // SAFETY: the parts have 16 and 8 bytes.
        unsafe {
            _mm_storeu_si128(head.as_mut_ptr().cast(), first);
            _mm_storel_epi64(tail.as_mut_ptr().cast(), last);
        }
        done += 8;
    }
    done
}
