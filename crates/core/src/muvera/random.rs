//! The random numbers of NumPy's `default_rng(seed)`, bit for bit: seed sequence, PCG64, the ziggurat for normals, signs.
//!
//! Encodings made by different programs are comparable only when their random matrices are the same. This is no source
//! of randomness for anything else.

use super::tables::{DENSITY, LAYERS, TAIL, WIDTH};

/// Multiplier of the 128-bit generator.
const MULTIPLIER: u128 = 0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645;

/// Words that a seed is spread over.
const POOL: usize = 4;

/// 2^52: the ziggurat's integers have 52 bits.
const SCALE: f64 = 4_503_599_627_370_496.0;

/// PCG64 (XSL-RR), seeded as NumPy does it.
#[derive(Debug, Clone)]
pub(super) struct Random {
    state: u128,
    increment: u128,
    /// The upper half of a number whose lower half was handed out.
    half: Option<u32>,
}

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        let [a, b, c, d] = spread(seed);
        let wide = |high: u64, low: u64| u128::from(high) << 64 | u128::from(low);
        let mut random = Self { state: 0, increment: wide(c, d) << 1 | 1, half: None };
        random.step();
        random.state = random.state.wrapping_add(wide(a, b));
        random.step();
        random
    }

    fn step(&mut self) {
        self.state = self.state.wrapping_mul(MULTIPLIER).wrapping_add(self.increment);
    }

    #[expect(clippy::cast_possible_truncation, reason = "the halves are what is wanted")]
    fn next(&mut self) -> u64 {
        self.step();
        let folded = (self.state >> 64) as u64 ^ self.state as u64;
        folded.rotate_right((self.state >> 122) as u32)
    }

    /// Uniform in 0 to 1, of 53 bits.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (SCALE * 2.0)
    }

    /// -1 or 1. NumPy's choice of two draws 32 bits, the lower half of a number first, and takes the top one.
    #[expect(clippy::cast_possible_truncation, reason = "the halves are what is wanted")]
    pub(super) fn sign(&mut self) -> i8 {
        let word = self.half.take().unwrap_or_else(|| {
            let number = self.next();
            self.half = Some((number >> 32) as u32);
            number as u32
        });
        if word >> 31 == 0 { -1 } else { 1 }
    }
}

/// Normal numbers of a generator.
#[derive(Debug)]
pub(super) struct Ziggurat {
    /// Integers below these need no second look.
    inside: [u64; LAYERS],
}

impl Ziggurat {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most 2^52, and never negative"
    )]
    pub(super) fn new() -> Self {
        let bound = |layer: usize| match layer {
            0 => TAIL / WIDTH[0],
            1 => 0.0, // the top layer is nowhere wholly below the density
            _ => WIDTH[layer - 1] / WIDTH[layer],
        };
        Self { inside: std::array::from_fn(|layer| (bound(layer) * SCALE).round() as u64) }
    }

    /// One number of the standard normal distribution.
    #[expect(clippy::cast_precision_loss, reason = "52 bits fit")]
    pub(super) fn normal(&self, random: &mut Random) -> f64 {
        loop {
            let bits = random.next();
            let layer = usize::from(bits.to_le_bytes()[0]);
            let integer = bits >> 9 & ((1 << 52) - 1);
            let x = integer as f64 * (WIDTH[layer] / SCALE);
            let x = if bits >> 8 & 1 == 1 { -x } else { x };
            if integer < self.inside[layer] {
                return x;
            }
            if layer == 0 {
                return tail(random, integer >> 8 & 1 == 1);
            }
            let height = DENSITY[layer - 1] - DENSITY[layer];
            if height * random.uniform() + DENSITY[layer] < (-0.5 * x * x).exp() {
                return x;
            }
        }
    }
}

/// A number of the tail, by Marsaglia's method.
fn tail(random: &mut Random, negative: bool) -> f64 {
    loop {
        let x = -(1.0 / TAIL) * (-random.uniform()).ln_1p();
        let y = -(-random.uniform()).ln_1p();
        if y + y > x * x {
            return if negative { -(TAIL + x) } else { TAIL + x };
        }
    }
}

/// Spreads a seed over 256 bits: NumPy's `SeedSequence(seed).generate_state(4, uint64)`.
fn spread(seed: u64) -> [u64; 4] {
    let bytes = seed.to_le_bytes();
    let (words, _) = bytes.as_chunks::<4>();
    let word = |at: usize| words.get(at).map_or(0, |bytes| u32::from_le_bytes(*bytes));

    let mut hash = Hash { constant: 0x43b0_d7e5, multiplier: 0x931e_8875 };
    let mut pool: [u32; POOL] = std::array::from_fn(|at| hash.mix(word(at)));
    for from in 0..POOL {
        for to in (0..POOL).filter(|&to| to != from) {
            let mixed = pool[to]
                .wrapping_mul(0xca01_f9dd)
                .wrapping_sub(hash.mix(pool[from]).wrapping_mul(0x4973_f715));
            pool[to] = mixed ^ mixed >> 16;
        }
    }

    let mut hash = Hash { constant: 0x8b51_f9dd, multiplier: 0x58f3_8ded };
    let mut words = pool.iter().cycle().map(|&word| u64::from(hash.mix(word)));
    std::array::from_fn(|_| words.next().unwrap_or(0) | words.next().unwrap_or(0) << 32)
}

/// A hash whose constant changes with each word.
struct Hash {
    constant: u32,
    multiplier: u32,
}

impl Hash {
    fn mix(&mut self, word: u32) -> u32 {
        let word = word ^ self.constant;
        self.constant = self.constant.wrapping_mul(self.multiplier);
        let word = word.wrapping_mul(self.constant);
        word ^ word >> 16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What NumPy 2.4 gives for the same seeds.
    #[test]
    #[expect(clippy::unreadable_literal, reason = "as NumPy prints them")]
    fn equals_numpy() {
        let seeds: [(u64, [u64; 2], f64); 3] = [
            (0, [0xa30febcfd9c2825f, 0x4510bdf882d9d721], 26.135110527474048),
            (42, [0xc621fbcd16d92688, 0x705a5661a791ffc1], -151.5659162806305),
            (1099511627783, [0xd46e9e2034de21aa, 0x415badc99c087675], -450.6377683651661),
        ];
        for (seed, raw, last) in seeds {
            let mut random = Random::new(seed);
            assert_eq!([random.next(), random.next()], raw, "seed {seed}");
            let (mut random, ziggurat) = (Random::new(seed), Ziggurat::new());
            // Far enough to meet every layer and the tail.
            let sum = (0..200_000).fold(0.0, |sum, _| sum + ziggurat.normal(&mut random));
            assert_eq!(sum.to_bits(), last.to_bits(), "seed {seed}");
        }
    }
}
