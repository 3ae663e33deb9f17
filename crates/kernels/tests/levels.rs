//! Every level that this machine has, against naive sums and against the plain twin.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::float_cmp,
    reason = "small numbers of tests, and equal floats are what is asked for"
)]

use millrace_kernels::{
    Activation, AttentionScratch, Heads, Level, Norm, PackedF32, PackedI8, Quantized, Span, Then,
    quantize_channels, ranges_for,
};
use proptest::prelude::*;

/// Numbers that look random and are the same at every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn float(&mut self) -> f32 {
        (self.next() % 2001) as f32 / 1000.0 - 1.0
    }

    fn floats(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.float()).collect()
    }
}

fn others() -> impl Iterator<Item = Level> {
    Level::available().filter(|level| *level != Level::Plain)
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// Sums that a product of bytes gives: with scales of one, no zero points and sums below 2^24, floats hold them exactly.
fn exact(level: Level, a: &[Vec<u8>], weights: &[i8], depth: usize, width: usize) -> Vec<f32> {
    let mut quantized = Quantized::new(depth);
    for (row, bytes) in a.iter().enumerate() {
        quantized.set(row, bytes, 1.0, 0);
    }
    let packed = PackedI8::new(level, weights, depth, &vec![1.0; width], &vec![0.0; width]);
    let mut out = vec![f32::NAN; a.len() * width];
    packed.apply(&quantized, 0, a.len(), &mut out, width, Then::Store, None);
    out
}

fn naive(a: &[Vec<u8>], weights: &[i8], depth: usize) -> Vec<f32> {
    a.iter()
        .flat_map(|row| {
            weights.chunks_exact(depth).map(|channel| {
                row.iter().zip(channel).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum::<i32>() as f32
            })
        })
        .collect()
}

#[test]
fn says_which_levels_run() {
    let missing: Vec<_> = Level::ALL.into_iter().filter(|level| !level.is_available()).collect();
    println!(
        "levels that run here: {:?}; not of this machine: {missing:?}",
        Level::available().collect::<Vec<_>>()
    );
    assert!(Level::Plain.is_available());
}

#[test]
fn extremes_do_not_saturate() {
    // 255 * -128 twice is where vpmaddubsw would stop at -32768.
    for depth in [1, 4, 63, 64, 65, 500] {
        for (left, right) in [(255, -128), (255, 127), (0, -128)] {
            let a = vec![vec![left; depth]; 7];
            let weights = vec![right; depth * 3];
            for level in Level::available() {
                assert_eq!(
                    exact(level, &a, &weights, depth, 3),
                    naive(&a, &weights, depth),
                    "{level}, {depth}"
                );
            }
        }
    }
}

#[test]
fn the_deepest_product_fits() {
    let depth = millrace_kernels::deepest_product();
    let a = [vec![255; depth]];
    let weights = vec![-128; depth];
    for level in Level::available() {
        let out = exact(level, &a, &weights, depth, 1);
        assert_eq!(out, [-(255.0 * 128.0) * depth as f32], "{level}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn integer_sums_are_exact(rows in 1_usize..40, width in 1_usize..140, depth in 1_usize..260, seed: u64) {
        let mut numbers = Numbers(seed);
        let a: Vec<Vec<u8>> =
            (0..rows).map(|_| (0..depth).map(|_| numbers.next() as u8).collect()).collect();
        let weights: Vec<i8> = (0..width * depth).map(|_| numbers.next() as i8).collect();
        let expected = naive(&a, &weights, depth);
        for level in Level::available() {
            prop_assert_eq!(&exact(level, &a, &weights, depth, width), &expected, "{}", level);
        }
    }

    #[test]
    fn integer_layers_are_equal_bit_by_bit(
        rows in 1_usize..40, width in 1_usize..140, depth in 1_usize..260, gap in 0_usize..5, start in 0_usize..4, seed: u64,
    ) {
        let mut numbers = Numbers(seed);
        let x = numbers.floats(rows * depth);
        let weights = numbers.floats(width * depth);
        let (bytes, scales) = quantize_channels(&weights, depth);
        let bias = numbers.floats(width);
        let residual = numbers.floats(rows * width);
        let steps = [
            Then::Store,
            Then::Add { residual: &residual, stride: width },
            Then::Accumulate,
            Then::Activate(Activation::Gelu),
            Then::Activate(Activation::GeluRough),
            Then::Activate(Activation::GeluTanh),
        ];
        for then in steps {
            let run = |level: Level| {
                let mut ranges = ranges_for(rows);
                for (row, values) in x.chunks_exact(depth).enumerate() {
                    for value in values {
                        ranges[row * 32] = ranges[row * 32].min(*value);
                        ranges[row * 32 + 16] = ranges[row * 32 + 16].max(*value);
                    }
                }
                let mut quantized = Quantized::new(depth);
                level.quantize(&x, depth, &ranges, rows, &mut quantized);
                let packed = PackedI8::new(level, &bytes, depth, &scales, &bias);
                let stride = width + gap;
                // A start that no register's size divides.
                let mut out = vec![7.0; start + rows * stride];
                let mut after = ranges_for(rows);
                packed.apply(&quantized, 0, rows, &mut out[start..], stride, then, Some(&mut after));
                (bits(&out), bits(&after))
            };
            let expected = run(Level::Plain);
            for level in others() {
                prop_assert_eq!(&run(level), &expected, "{} {:?}", level, then);
            }
            // What the twin says is right too.
            let out: Vec<f32> = expected.0[start..].iter().map(|bits| f32::from_bits(*bits)).collect();
            for row in 0..rows {
                for column in 0..width {
                    let sum: f64 = (0..depth).map(|k| f64::from(x[row * depth + k]) * f64::from(weights[column * depth + k])).sum();
                    let y = sum + f64::from(bias[column]);
                    let y = match then {
                        Then::Store => y,
                        Then::Add { .. } => y + f64::from(residual[row * width + column]),
                        Then::Accumulate => y + 7.0,
                        Then::Activate(_) => gelu(y),
                    };
                    let off = (f64::from(out[row * (width + gap) + column]) - y).abs();
                    prop_assert!(off < 0.02 + 0.012 * (depth as f64).sqrt(), "{} off at {},{}", off, row, column);
                }
                for unused in width..width + gap {
                    if row * (width + gap) + unused < out.len() {
                        prop_assert_eq!(out[row * (width + gap) + unused], 7.0);
                    }
                }
            }
        }
    }

    #[test]
    fn float_layers_are_equal_bit_by_bit(
        rows in 1_usize..30, width in 1_usize..80, depth in 1_usize..200, start in 0_usize..4, seed: u64,
    ) {
        let mut numbers = Numbers(seed);
        let x = numbers.floats(start + rows * depth);
        let weights = numbers.floats(width * depth);
        let bias = numbers.floats(width);
        let run = |level: Level| {
            let packed = PackedF32::new(level, &weights, depth, &bias);
            let mut out = vec![0.0; start + rows * width];
            packed.apply(&x[start..], depth, rows, &mut out[start..], width, Then::Activate(Activation::Gelu));
            bits(&out)
        };
        let expected = run(Level::Plain);
        for level in others() {
            prop_assert_eq!(&run(level), &expected, "{}", level);
        }
        for (row, values) in x[start..].chunks_exact(depth).enumerate() {
            for (column, channel) in weights.chunks_exact(depth).enumerate() {
                let sum: f64 = values.iter().zip(channel).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
                let got = f64::from(f32::from_bits(expected[start + row * width + column]));
                prop_assert!((got - gelu(sum + f64::from(bias[column]))).abs() < 2e-5, "{} {}", row, column);
            }
        }
    }

    #[test]
    fn norms_are_equal_bit_by_bit(rows in 1_usize..6, width in 1_usize..200, seed: u64, far in 0_u8..2) {
        let mut numbers = Numbers(seed);
        let shift = if far == 1 { 100.0 } else { 0.0 };
        let x: Vec<f32> = numbers.floats(rows * width).iter().map(|x| x + shift).collect();
        let mut norm = Norm::new(&numbers.floats(width), &numbers.floats(width), 1e-12);
        let smooth: Vec<f32> = (0..width).map(|_| 0.5 + numbers.float().abs()).collect();
        norm.smooth(&smooth);
        let run = |level: Level| {
            let mut y = x.clone();
            let mut quantized = Quantized::new(width);
            level.norm_and_quantize(&norm, &mut y, width, rows, &mut quantized);
            let mut alone = x.clone();
            level.norm(&norm, &mut alone, width, rows);
            assert_eq!(bits(&alone), bits(&y), "with and without quantising");
            let bytes: Vec<Vec<u8>> = (0..rows).map(|row| quantized.row(row).to_vec()).collect();
            (y, bytes, quantized.scales().to_vec(), quantized.zeros().to_vec())
        };
        let expected = run(Level::Plain);
        for level in others() {
            let got = run(level);
            prop_assert_eq!(bits(&got.0), bits(&expected.0), "{}", level);
            prop_assert_eq!(&got.1, &expected.1, "{}", level);
            prop_assert_eq!(bits(&got.2), bits(&expected.2));
            prop_assert_eq!(&got.3, &expected.3);
        }
        // A byte stands for a value within half a step.
        for row in 0..rows {
            let scale = expected.2[row];
            for (column, divisor) in smooth.iter().enumerate() {
                let back = (f32::from(expected.1[row][column]) - expected.3[row] as f32) * scale;
                let value = expected.0[row * width + column] / divisor;
                prop_assert!((back - value).abs() <= scale * 1.01 + 1e-5, "{} for {}", back, value);
            }
        }
    }

    #[test]
    fn attention_is_equal_bit_by_bit_and_right(
        len in 1_usize..70, count in 1_usize..4, width in 1_usize..70, start in 0_usize..3,
        masked in any::<bool>(), near in any::<bool>(), seed: u64,
    ) {
        let mut numbers = Numbers(seed);
        let all = count * width;
        let stride = 3 * all;
        let qkv = numbers.floats((start + len) * stride);
        let keys: Vec<bool> = if masked { (0..len).map(|at| at == 0 || !numbers.next().is_multiple_of(3)).collect() } else { vec![] };
        let reach = 9;
        let relative = if near { numbers.floats(count * (2 * reach + 1)) } else { vec![] };
        let run = |level: Level| {
            let mut out = vec![0.0; (start + len) * all];
            let mut ranges = ranges_for(start + len);
            let span = Span { start, len, keys: &keys, relative: &relative, reach };
            level.attention(
                &qkv, stride, Heads { count, width }, span, &mut out, all, Some(&mut ranges), &mut AttentionScratch::default(),
            );
            (out, bits(&ranges))
        };
        let expected = run(Level::Plain);
        for level in others() {
            let got = run(level);
            prop_assert_eq!(bits(&got.0), bits(&expected.0), "{}", level);
            prop_assert_eq!(&got.1, &expected.1, "{}", level);
        }
        for head in 0..count {
            for row in 0..len {
                let at = |row: usize, part: usize, c: usize| f64::from(qkv[(start + row) * stride + part * all + head * width + c]);
                let scores: Vec<f64> = (0..len)
                    .map(|key| {
                        let dot: f64 = (0..width).map(|c| at(row, 0, c) * at(key, 1, c)).sum();
                        let distance = (key as isize - row as isize).clamp(-(reach as isize), reach as isize);
                        let bias = if near { f64::from(relative[head * (2 * reach + 1) + (distance + reach as isize) as usize]) } else { 0.0 };
                        if masked && !keys[key] { f64::NEG_INFINITY } else { dot + bias }
                    })
                    .collect();
                let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let weights: Vec<f64> = scores.iter().map(|score| (score - top).exp()).collect();
                let total: f64 = weights.iter().sum();
                for c in 0..width {
                    let value: f64 = (0..len).map(|key| weights[key] * at(key, 2, c)).sum::<f64>() / total;
                    let got = f64::from(expected.0[(start + row) * all + head * width + c]);
                    prop_assert!((got - value).abs() < 1e-5, "{} for {}", got, value);
                }
            }
        }
    }
}

/// GELU by a series of the error function that converges for every argument used here.
fn gelu(x: f64) -> f64 {
    let z = x / std::f64::consts::SQRT_2;
    if z.abs() > 5.0 {
        return if z > 0.0 { x } else { 0.0 };
    }
    let (mut term, mut sum) = (z, z);
    for n in 1..200 {
        let n = f64::from(n);
        term *= -z * z / n;
        sum += term / (2.0 * n + 1.0);
    }
    0.5 * x * (1.0 + sum * 2.0 / std::f64::consts::PI.sqrt())
}

#[test]
fn activations_are_within_their_bounds() {
    let values: Vec<f32> = (-1200..=1200).map(|x| x as f32 / 100.0).collect();
    let one = [1.0];
    for level in Level::available() {
        let packed = PackedF32::new(level, &one, 1, &[0.0]);
        for (kind, bound) in
            [(Activation::Gelu, 4e-6), (Activation::GeluRough, 4e-4), (Activation::Tanh, 4e-7)]
        {
            let mut out = vec![0.0; values.len()];
            packed.apply(&values, 1, values.len(), &mut out, 1, Then::Activate(kind));
            for (x, y) in values.iter().zip(&out) {
                let expected =
                    if kind == Activation::Tanh { f64::from(*x).tanh() } else { gelu(f64::from(*x)) };
                let bound = if x.abs() < 4.0 && kind == Activation::GeluRough { 1e-5 } else { bound };
                assert!((f64::from(*y) - expected).abs() < bound, "{level} {kind:?} {x}: {y} for {expected}");
            }
        }
    }
}

#[test]
fn what_is_not_finite_stays_so() {
    let mut ranges = ranges_for(1);
    ranges[16] = f32::INFINITY;
    for level in Level::available() {
        let mut quantized = Quantized::new(3);
        level.quantize(&[1.0, f32::INFINITY, 2.0], 3, &ranges, 1, &mut quantized);
        let packed = PackedI8::new(level, &[1, 1, 1], 3, &[1.0], &[0.0]);
        let mut out = [0.0];
        packed.apply(&quantized, 0, 1, &mut out, 1, Then::Store, None);
        assert!(out[0].is_nan(), "{level}");
    }
}
