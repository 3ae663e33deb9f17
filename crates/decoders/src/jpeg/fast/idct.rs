//! From the coefficients of a block to its samples: libjpeg's accurate integer transform.
//!
//! The numbers are those of libjpeg-turbo's vector code, which is what Pillow runs: sums of 16 bits that wrap, and 16 bits
//! between the two passes that are cut to their range. Coefficients that an encoder makes never come near these bounds; damaged
//! files go beyond them, and then the plain C code gives other samples.

use super::parse::Quantisation;

/// Bits after the point of the constants, and of the values between the passes.
const CONSTANT_BITS: u32 = 13;
const PASS_BITS: u32 = 2;

/// Constants of the transform, in 1/8192.
const C_0_298: i16 = 2446;
const C_0_390: i16 = 3196;
const C_0_541: i16 = 4433;
const C_0_765: i16 = 6270;
const C_0_899: i16 = 7373;
const C_1_175: i16 = 9633;
const C_1_501: i16 = 12_299;
const C_1_847: i16 = 15_137;
const C_1_961: i16 = 16_069;
const C_2_053: i16 = 16_819;
const C_2_562: i16 = 20_995;
const C_3_072: i16 = 25_172;

/// Pairs of factors for the even half: of rows 2 and 6.
pub(super) const EVEN: [[i16; 2]; 2] = [[C_0_541, C_0_541 - C_1_847], [C_0_541 + C_0_765, C_0_541]];

/// Pairs of factors for the odd half: of the sums of rows 7 and 3, and of rows 5 and 1.
pub(super) const SUMS: [[i16; 2]; 2] = [[C_1_175 - C_1_961, C_1_175], [C_1_175, C_1_175 - C_0_390]];

/// Pairs of factors for the odd half: of rows 7 and 1 for the outer results, of rows 5 and 3 for the inner ones.
pub(super) const OUTER: [[i16; 2]; 2] = [[C_0_298 - C_0_899, -C_0_899], [-C_0_899, C_1_501 - C_0_899]];
pub(super) const INNER: [[i16; 2]; 2] = [[C_2_053 - C_2_562, -C_2_562], [-C_2_562, C_3_072 - C_2_562]];

/// Whether this processor has what [`Transform::Vector`] needs, asked once a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transform {
    Plain,
    #[cfg(target_arch = "x86_64")]
    Vector,
}

impl Transform {
    pub(super) fn of_this_machine() -> Self {
        #[cfg(target_arch = "x86_64")]
        if std::is_x86_feature_detected!("avx2") {
            return Self::Vector;
        }
        Self::Plain
    }

    /// Transforms a block whose coefficients `filled` besides the first are not 0, into 8 rows of `to`, `stride` apart.
    #[inline]
    pub(super) fn block(
        self,
        block: &[i16; 64],
        filled: u64,
        steps: &Quantisation,
        to: &mut [u8],
        stride: usize,
    ) {
        if filled == 0 {
            return flat(block[0], steps[0], to, stride);
        }
        match self {
            Self::Plain => plain(block, steps, to, stride),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: this value is only made where the processor has AVX2.
            #[expect(unsafe_code, reason = "instructions that not every processor has")]
            Self::Vector => unsafe { super::avx2::block(block, steps, to, stride) },
        }
    }
}

/// A block of one level.
#[inline]
fn flat(first: i16, step: u16, to: &mut [u8], stride: usize) {
    let value = first.wrapping_mul(step.cast_signed()) << PASS_BITS;
    let sample = sample(i32::from(descale(i32::from(value) << CONSTANT_BITS, CONSTANT_BITS + PASS_BITS + 3)));
    for row in to.chunks_mut(stride).take(8) {
        row[..8].fill(sample);
    }
}

/// Divides by two to the power of `bits`, rounded, and cuts to 16 bits.
#[inline]
fn descale(value: i32, bits: u32) -> i16 {
    let value = value.wrapping_add(1 << (bits - 1)) >> bits;
    i16::try_from(value).unwrap_or(if value < 0 { i16::MIN } else { i16::MAX })
}

/// A level around 0 as a sample.
#[inline]
fn sample(value: i32) -> u8 {
    u8::try_from((value + 128).clamp(0, 255)).unwrap_or(u8::MAX)
}

/// A product of each of the pair's factors, added.
#[inline]
fn pair(factors: [i16; 2], a: i16, b: i16) -> i32 {
    (i32::from(factors[0]) * i32::from(a)).wrapping_add(i32::from(factors[1]) * i32::from(b))
}

/// One pass over eight values.
#[inline]
fn pass(v: [i16; 8], bits: u32) -> [i16; 8] {
    let even = EVEN.map(|factors| pair(factors, v[2], v[6]));
    let sum = i32::from(v[0].wrapping_add(v[4])) << CONSTANT_BITS;
    let difference = i32::from(v[0].wrapping_sub(v[4])) << CONSTANT_BITS;
    let ends = [sum.wrapping_add(even[1]), sum.wrapping_sub(even[1])];
    let middles = [difference.wrapping_add(even[0]), difference.wrapping_sub(even[0])];
    let (z3, z4) = (v[7].wrapping_add(v[3]), v[5].wrapping_add(v[1]));
    let sums = SUMS.map(|factors| pair(factors, z3, z4));
    let odd = [
        pair(OUTER[1], v[7], v[1]).wrapping_add(sums[1]),
        pair(INNER[1], v[5], v[3]).wrapping_add(sums[0]),
        pair(INNER[0], v[5], v[3]).wrapping_add(sums[1]),
        pair(OUTER[0], v[7], v[1]).wrapping_add(sums[0]),
    ];
    let even = [ends[0], middles[0], middles[1], ends[1]];
    std::array::from_fn(|row| {
        let half = row.min(7 - row);
        let sum =
            if row < 4 { even[half].wrapping_add(odd[half]) } else { even[half].wrapping_sub(odd[half]) };
        descale(sum, bits)
    })
}

fn plain(block: &[i16; 64], steps: &Quantisation, to: &mut [u8], stride: usize) {
    let mut values = [0_i16; 64];
    for ((value, coefficient), step) in values.iter_mut().zip(block).zip(steps) {
        *value = coefficient.wrapping_mul(step.cast_signed());
    }
    if values[8..].iter().all(|&value| value == 0) {
        let row: [i16; 8] = std::array::from_fn(|x| values[x] << PASS_BITS);
        for y in 0..8 {
            values[8 * y..8 * y + 8].copy_from_slice(&row);
        }
    } else {
        for x in 0..8 {
            let column = pass(std::array::from_fn(|y| values[8 * y + x]), CONSTANT_BITS - PASS_BITS);
            for (y, value) in column.into_iter().enumerate() {
                values[8 * y + x] = value;
            }
        }
    }
    for (row, to) in values.as_chunks::<8>().0.iter().zip(to.chunks_mut(stride)) {
        let row = pass(*row, CONSTANT_BITS + PASS_BITS + 3);
        for (to, value) in to.iter_mut().zip(row) {
            *to = sample(i32::from(value).clamp(-128, 127));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Coefficients of all sizes, those of damaged files among them.
    #[test]
    fn the_vector_code_gives_the_plain_codes_samples() {
        let mut state = 1_u32;
        let mut random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 16
        };
        for round in 0..4000_u32 {
            let mut block = [0_i16; 64];
            for _ in 0..=random() % 64 {
                let at = (random() % 64) as usize;
                let size = 1 + round % 15;
                block[at] = i16::try_from((random() % (2 << size)).cast_signed() - (1 << size)).unwrap_or(9);
            }
            let steps: Quantisation = std::array::from_fn(|_| u16::try_from(1 + random() % 255).unwrap_or(1));
            let filled = block[1..].iter().any(|&it| it != 0).into();
            let (mut here, mut there) = ([0; 64], [0; 64]);
            Transform::of_this_machine().block(&block, filled, &steps, &mut here, 8);
            Transform::Plain.block(&block, filled, &steps, &mut there, 8);
            assert_eq!(here, there, "round {round}");
        }
    }

    #[test]
    fn a_flat_block_is_the_transform_of_its_only_coefficient() {
        for first in [-2000, -1024, -3, 0, 5, 1000, 1023, 2040] {
            let mut block = [0; 64];
            block[0] = first;
            let (mut flat, mut whole) = ([0; 64], [0; 64]);
            Transform::Plain.block(&block, 0, &[1; 64], &mut flat, 8);
            plain(&block, &[1; 64], &mut whole, 8);
            assert_eq!(flat, whole, "{first}");
        }
    }
}
