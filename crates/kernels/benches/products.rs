//! Products by shape and level beside the most that the core's registers give, measured in the same process: `cargo bench
//! -p millrace-kernels`. Figures are medians of passes that take turns, in billions of operations a second (a multiplication and
//! an addition count as two).

#![expect(clippy::print_stdout, reason = "a bench reports on standard output")]
#![expect(clippy::cast_precision_loss, reason = "counts become figures")]

use millrace_kernels::{
    Activation, AttentionScratch, Heads, Level, PackedF32, PackedI8, Quantized, Span, Then, ranges_for,
};
use std::{hint::black_box, time::Instant};

/// Passes of each measurement; the median of so many is steady within two percent on a quiet machine.
const PASSES: usize = 15;

/// Shapes of MiniLM's layers and of a model of width 768: depth and width.
const SHAPES: [(usize, usize); 6] =
    [(384, 1152), (384, 384), (384, 1536), (1536, 384), (768, 2304), (3072, 768)];

fn median(mut pass: impl FnMut() -> f64) -> f64 {
    let mut figures: Vec<f64> = (0..PASSES).map(|_| pass()).collect();
    figures.sort_by(f64::total_cmp);
    figures[PASSES / 2]
}

fn rate(operations: usize, mut work: impl FnMut()) -> f64 {
    let start = Instant::now();
    work();
    operations as f64 / start.elapsed().as_secs_f64() / 1e9
}

#[cfg(target_arch = "x86_64")]
mod peak {
    //! What registers alone give: no loads, no stores.

    use super::{Level, median, rate};
    #[expect(clippy::wildcard_imports, reason = "each intrinsic begins with _mm")]
    use std::arch::{asm, x86_64::*};
    use std::hint::black_box;

    const ROUNDS: usize = 200_000;

    macro_rules! loop_of {
        ($name:ident, $features:literal, $ops:expr, $zero:expr, $step:expr) => {
            #[target_feature(enable = $features)]
            fn $name() -> f64 {
                median(|| {
                    rate(ROUNDS * 12 * $ops, || {
                        let one = black_box($zero);
                        let mut sums = [one; 12];
                        for _ in 0..ROUNDS {
                            for sum in &mut sums {
                                *sum = $step(*sum, one);
                            }
                        }
                        black_box(sums);
                    })
                })
            }
        };
    }
    loop_of!(fma256, "avx2,fma", 16, _mm256_setzero_ps(), |s, o| _mm256_fmadd_ps(o, o, s));
    loop_of!(fma512, "avx512f", 32, _mm512_setzero_ps(), |s, o| _mm512_fmadd_ps(o, o, s));
    loop_of!(vnni256, "avx2,avxvnni", 64, _mm256_setzero_si256(), |s, o| _mm256_dpbusd_avx_epi32(s, o, o));
    loop_of!(vnni512, "avx512f,avx512vnni", 128, _mm512_setzero_si512(), |s, o| _mm512_dpbusd_epi32(s, o, o));

    /// Four independent tiles of sums, as the kernel has.
    fn amx() -> f64 {
        #[repr(align(64))]
        struct Config([u8; 64]);
        let mut config = Config([0; 64]);
        config.0[0] = 1;
        for tile in 0..8 {
            config.0[16 + 2 * tile] = 64;
            config.0[48 + tile] = 16;
        }
        median(|| {
            rate(ROUNDS * 4 * 2 * 16 * 16 * 64, || {
                // SAFETY: only called where AMX is permitted; the registers are configured before and released after.
                unsafe {
                    asm!(
                        "ldtilecfg [{c}]", "tilezero tmm0", "tilezero tmm1", "tilezero tmm2", "tilezero tmm3",
                        "tilezero tmm4", "tilezero tmm5", "tilezero tmm6", "tilezero tmm7", "2:",
                        "tdpbusd tmm0, tmm4, tmm6", "tdpbusd tmm1, tmm4, tmm7", "tdpbusd tmm2, tmm5, tmm6",
                        "tdpbusd tmm3, tmm5, tmm7", "dec {n}", "jnz 2b", "tilerelease",
                        c = in(reg) &raw const config, n = inout(reg) ROUNDS => _,
                    );
                }
            })
        })
    }

    /// Operations a second of floats and of bytes.
    pub fn of(level: Level) -> (f64, f64) {
        // SAFETY: each loop runs only where the level, and so its instructions, were found.
        unsafe {
            match level {
                Level::Plain => (f64::NAN, f64::NAN),
                Level::Avx2 => (fma256(), f64::NAN),
                Level::AvxVnni => (fma256(), vnni256()),
                Level::Avx512 => (fma512(), f64::NAN),
                Level::Avx512Vnni => (fma512(), vnni512()),
                Level::Amx => (fma512(), amx()),
            }
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod peak {
    pub fn of(_: super::Level) -> (f64, f64) {
        (f64::NAN, f64::NAN)
    }
}

fn integers(level: Level, depth: usize, width: usize, rows: usize, then: Then<'_>) -> f64 {
    let weights = vec![3; depth * width];
    let packed = PackedI8::new(level, &weights, depth, &vec![0.01; width], &vec![0.5; width]);
    let mut a = Quantized::new(depth);
    for row in 0..rows {
        a.set(row, &vec![7; depth], 0.1, 3);
    }
    let mut out = vec![0.0; rows * width];
    let mut ranges = ranges_for(rows);
    let repeats = 1 + 20_000_000 / (rows * depth * width);
    median(|| {
        rate(repeats * 2 * rows * depth * width, || {
            for _ in 0..repeats {
                packed.apply(&a, 0, rows, black_box(&mut out), width, then, Some(&mut ranges));
            }
        })
    })
}

fn floats(level: Level, depth: usize, width: usize, rows: usize) -> f64 {
    let packed = PackedF32::new(level, &vec![0.5; depth * width], depth, &vec![0.5; width]);
    let a = vec![0.25; rows * depth];
    let mut out = vec![0.0; rows * width];
    let repeats = 1 + 5_000_000 / (rows * depth * width);
    median(|| {
        rate(repeats * 2 * rows * depth * width, || {
            for _ in 0..repeats {
                packed.apply(&a, depth, rows, black_box(&mut out), width, Then::Store);
            }
        })
    })
}

fn attention(level: Level, len: usize, heads: Heads) -> f64 {
    let all = heads.count * heads.width;
    let qkv = vec![0.1; len * 3 * all];
    let mut out = vec![0.0; len * all];
    let mut scratch = AttentionScratch::default();
    let span = Span { start: 0, len, keys: &[], relative: &[], reach: 0 };
    let repeats = 1 + 1_000_000 / (len * len * all);
    median(|| {
        rate(repeats * 4 * len * len * all, || {
            for _ in 0..repeats {
                let out = black_box(&mut out);
                level.attention(&qkv, 3 * all, heads, span, out, all, None, &mut scratch);
            }
        })
    })
}

fn main() {
    for level in Level::available().filter(|level| *level != Level::Plain) {
        let (most_floats, most_bytes) = peak::of(level);
        println!("{level}: registers alone {most_floats:.0} GFLOPS, {most_bytes:.0} GOPS of bytes");
        for (depth, width) in SHAPES {
            for rows in [16, 96] {
                let plain = integers(level, depth, width, rows, Then::Store);
                let gelu = integers(level, depth, width, rows, Then::Activate(Activation::GeluRough));
                let float = floats(level, depth, width, rows);
                println!(
                    "  {depth:>4} x {width:<4} {rows:>3} rows: bytes {plain:>6.0} ({:>3.0} %), with GELU {gelu:>6.0}, floats {float:>4.0} ({:>3.0} %)",
                    100.0 * plain / most_bytes,
                    100.0 * float / most_floats,
                );
            }
        }
        for (len, heads) in [
            (32, Heads { count: 12, width: 32 }),
            (110, Heads { count: 12, width: 32 }),
            (256, Heads { count: 12, width: 32 }),
            (110, Heads { count: 12, width: 64 }),
        ] {
            let figure = attention(level, len, heads);
            println!(
                "  attention of {len} rows, heads of {}: {figure:.0} GFLOPS ({:.0} %)",
                heads.width,
                100.0 * figure / most_floats
            );
        }
    }
}
