//! Tiles in registers of 512 bits.

use super::Bytes;
#[allow(
    clippy::wildcard_imports,
    clippy::allow_attributes,
    reason = "dozens of intrinsics that begin with _mm; test builds do not lint it"
)]
use std::arch::x86_64::*;

/// Sums of pairs of 16 bits, for AVX-512 without VNNI: twelve rows of 32 columns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pairs(());

/// Sums of four bytes: six rows of 64 columns, which fill 24 of 32 registers with sums and read each weight six times.
#[derive(Debug, Clone, Copy)]
pub(super) struct Vnni(());

impl Pairs {
    /// # Safety
    /// The CPU has AVX-512 F and BW.
    #[inline(always)]
    pub(super) unsafe fn new() -> Self {
        Self(())
    }

    #[inline(always)]
    unsafe fn rows<const R: usize>(
        a: *const i16,
        stride: usize,
        depth: usize,
        panel: *const i8,
        out: *mut i32,
    ) {
        // SAFETY: the token proves AVX-512 BW; the caller says that rows, panel and tile are there.
        unsafe {
            let mut sums = [[_mm512_setzero_si512(); 2]; R];
            let mut line = panel;
            for k in 0..depth / 2 {
                let right = [
                    _mm512_cvtepi8_epi16(_mm256_loadu_si256(line.cast())),
                    _mm512_cvtepi8_epi16(_mm256_loadu_si256(line.add(32).cast())),
                ];
                for (r, sums) in sums.iter_mut().enumerate() {
                    let left = _mm512_set1_epi32(a.add(r * stride + 2 * k).cast::<i32>().read_unaligned());
                    for (sum, right) in sums.iter_mut().zip(right) {
                        *sum = _mm512_add_epi32(*sum, _mm512_madd_epi16(left, right));
                    }
                }
                line = line.add(64);
            }
            for (r, sums) in sums.iter().enumerate() {
                _mm512_storeu_si512(out.add(r * 32).cast(), sums[0]);
                _mm512_storeu_si512(out.add(r * 32 + 16).cast(), sums[1]);
            }
        }
    }
}

/// Values of a tile's rows that are widened at a time: with twelve rows 12 KiB, a part of the first cache.
const WIDENED: usize = 512;

impl Bytes for Pairs {
    const ROWS: usize = 12;
    const COLUMNS: usize = 32;
    const GROUP: usize = 2;
    const DEPTH: usize = 2;

    #[inline(always)]
    unsafe fn tile(
        self,
        rows: usize,
        a: *const u8,
        stride: usize,
        depth: usize,
        panel: *const i8,
        out: *mut i32,
    ) {
        let mut widened = [0_i16; 12 * WIDENED];
        let mut part = [0_i32; 12 * 32];
        let mut start = 0;
        while start < depth {
            let count = WIDENED.min(depth - start);
            for row in 0..rows {
                let mut k = 0;
                while k < count {
                    // SAFETY: rows are padded to 64 bytes, so that 32 can be read wherever one is at a multiple of 32.
                    unsafe {
                        let bytes = _mm256_loadu_si256(a.add(row * stride + start + k).cast());
                        let to = widened.as_mut_ptr().add(row * WIDENED + k);
                        _mm512_storeu_si512(to.cast(), _mm512_cvtepu8_epi16(bytes));
                    }
                    k += 32;
                }
            }
            let to = if start == 0 { out } else { part.as_mut_ptr() };
            // SAFETY: the widened rows have `count` values, and the panel goes on from `start`.
            unsafe {
                let (from, right) = (widened.as_ptr(), panel.add(start * Self::COLUMNS));
                match rows {
                    1 => Self::rows::<1>(from, WIDENED, count, right, to),
                    2 => Self::rows::<2>(from, WIDENED, count, right, to),
                    3 => Self::rows::<3>(from, WIDENED, count, right, to),
                    4 => Self::rows::<4>(from, WIDENED, count, right, to),
                    5 => Self::rows::<5>(from, WIDENED, count, right, to),
                    6 => Self::rows::<6>(from, WIDENED, count, right, to),
                    7 => Self::rows::<7>(from, WIDENED, count, right, to),
                    8 => Self::rows::<8>(from, WIDENED, count, right, to),
                    9 => Self::rows::<9>(from, WIDENED, count, right, to),
                    10 => Self::rows::<10>(from, WIDENED, count, right, to),
                    11 => Self::rows::<11>(from, WIDENED, count, right, to),
                    _ => Self::rows::<12>(from, WIDENED, count, right, to),
                }
                if start > 0 {
                    for (at, part) in part.iter().enumerate().take(rows * 32) {
                        *out.add(at) += part;
                    }
                }
            }
            start += count;
        }
    }
}

impl Vnni {
    /// # Safety
    /// The CPU has AVX-512 F and VNNI.
    #[inline(always)]
    pub(super) unsafe fn new() -> Self {
        Self(())
    }

    #[inline(always)]
    unsafe fn rows<const R: usize>(
        a: *const u8,
        stride: usize,
        depth: usize,
        panel: *const i8,
        out: *mut i32,
    ) {
        // SAFETY: the token proves AVX-512 VNNI; the caller says that rows, panel and tile are there.
        unsafe {
            let mut sums = [[_mm512_setzero_si512(); 4]; R];
            let mut line = panel;
            for k in 0..depth / 4 {
                let right = [
                    _mm512_loadu_si512(line.cast()),
                    _mm512_loadu_si512(line.add(64).cast()),
                    _mm512_loadu_si512(line.add(128).cast()),
                    _mm512_loadu_si512(line.add(192).cast()),
                ];
                for (r, sums) in sums.iter_mut().enumerate() {
                    let left = _mm512_set1_epi32(a.add(r * stride + 4 * k).cast::<i32>().read_unaligned());
                    for (sum, right) in sums.iter_mut().zip(right) {
                        *sum = _mm512_dpbusd_epi32(*sum, left, right);
                    }
                }
                line = line.add(256);
            }
            for (r, sums) in sums.iter().enumerate() {
                for (v, sum) in sums.iter().enumerate() {
                    _mm512_storeu_si512(out.add(r * 64 + v * 16).cast(), *sum);
                }
            }
        }
    }
}

impl Bytes for Vnni {
    const ROWS: usize = 6;
    const COLUMNS: usize = 64;
    const GROUP: usize = 4;
    const DEPTH: usize = 4;

    #[inline(always)]
    unsafe fn tile(
        self,
        rows: usize,
        a: *const u8,
        stride: usize,
        depth: usize,
        panel: *const i8,
        out: *mut i32,
    ) {
        // SAFETY: passed on from the caller.
        unsafe {
            match rows {
                1 => Self::rows::<1>(a, stride, depth, panel, out),
                2 => Self::rows::<2>(a, stride, depth, panel, out),
                3 => Self::rows::<3>(a, stride, depth, panel, out),
                4 => Self::rows::<4>(a, stride, depth, panel, out),
                5 => Self::rows::<5>(a, stride, depth, panel, out),
                _ => Self::rows::<6>(a, stride, depth, panel, out),
            }
        }
    }
}
