//! From rows of luma and chroma to rows of RGB: libjpeg's interpolation of chroma and its fixed-point conversion.

use super::idct::Transform;

/// What chroma adds to red, green and blue, in 1/65,536.
pub(super) const RED_OF_CR: i32 = 91_881;
pub(super) const GREEN_OF_CB: i32 = -22_554;
pub(super) const GREEN_OF_CR: i32 = -46_802;
pub(super) const BLUE_OF_CB: i32 = 116_130;

/// A half, for rounding.
pub(super) const HALF: i32 = 1 << 15;

/// Writes RGB of a row.
pub(super) fn to_rgb(by: Transform, luma: &[u8], cb: &[u8], cr: &[u8], to: &mut [u8]) {
    let done = match by {
        Transform::Plain => 0,
        #[cfg(target_arch = "x86_64")]
        // SAFETY: this value is only made where the processor has AVX2.
        #[expect(unsafe_code, reason = "instructions that not every processor has")]
        Transform::Vector => unsafe { super::avx2::rgb(luma, cb, cr, to) },
    };
    let chroma = cb[done..].iter().zip(&cr[done..]);
    let pixels = to[3 * done..].as_chunks_mut::<3>().0;
    for ((&luma, (&cb, &cr)), to) in luma[done..].iter().zip(chroma).zip(pixels) {
        let (light, cb, cr) = (i32::from(luma), i32::from(cb) - 128, i32::from(cr) - 128);
        let sum =
            |value: i32| u8::try_from((light + ((value + HALF) >> 16)).clamp(0, 255)).unwrap_or(u8::MAX);
        *to = [sum(RED_OF_CR * cr), sum(GREEN_OF_CB * cb + GREEN_OF_CR * cr), sum(BLUE_OF_CB * cb)];
    }
}

/// A row of twice as many samples: each is three parts of the nearest one and one part of the next one.
pub(super) fn twice(from: &[u8], to: &mut [u8]) {
    let last = from.len() - 1;
    let between = |x: usize, near: usize, round: u16| {
        let sum = 3 * u16::from(from[x]) + u16::from(from[near]) + round;
        u8::try_from(sum >> 2).unwrap_or(u8::MAX)
    };
    let to = to.as_chunks_mut::<2>().0;
    to[0] = [between(0, 0, 1), between(0, last.min(1), 2)];
    let inner = to.get_mut(1..last).unwrap_or_default();
    for (to, near) in inner.iter_mut().zip(from.windows(3)) {
        let [before, here, after] = [u16::from(near[0]), 3 * u16::from(near[1]), u16::from(near[2])];
        *to = [low((here + before + 1) >> 2), low((here + after + 2) >> 2)];
    }
    to[last] = [between(last, last.saturating_sub(1), 1), between(last, last, 2)];
}

#[inline]
fn low(value: u16) -> u8 {
    value.to_le_bytes()[0]
}

/// The same of two rows, of which `near` is the farther one; `sums` is room for as many values.
pub(super) fn twice_both_ways(here: &[u8], near: &[u8], sums: &mut [u16], to: &mut [u8]) {
    for ((sum, &here), &near) in sums.iter_mut().zip(here).zip(near) {
        *sum = 3 * u16::from(here) + u16::from(near);
    }
    let last = here.len() - 1;
    let between = |x: usize, near: usize, round: u16| low((3 * sums[x] + sums[near] + round) >> 4);
    let to = to.as_chunks_mut::<2>().0;
    to[0] = [between(0, 0, 8), between(0, last.min(1), 7)];
    let inner = to.get_mut(1..last).unwrap_or_default();
    for (to, near) in inner.iter_mut().zip(sums.windows(3)) {
        let [before, here, after] = [near[0], 3 * near[1], near[2]];
        *to = [low((here + before + 8) >> 4), low((here + after + 7) >> 4)];
    }
    to[last] = [between(last, last.saturating_sub(1), 8), between(last, last, 7)];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vector_code_gives_the_plain_codes_colors() {
        let all: Vec<u8> = (0..=255).collect();
        for luma in 0..=255_u8 {
            let row = [luma; 259];
            for shift in [0, 1, 31, 128, 200] {
                let cb: Vec<u8> = (0..259).map(|x| all[(x + shift) % 256]).collect();
                let cr: Vec<u8> = (0..259).map(|x| all[(x * 7 + 3 * shift) % 256]).collect();
                let (mut here, mut there) = ([0; 777], [0; 777]);
                to_rgb(Transform::of_this_machine(), &row, &cb, &cr, &mut here);
                to_rgb(Transform::Plain, &row, &cb, &cr, &mut there);
                assert!(here == there, "{luma} {shift}");
            }
        }
    }

    #[test]
    fn the_ends_of_a_row_are_their_own_neighbours() {
        let mut to = [0; 6];
        twice(&[0, 100, 200], &mut to);
        assert_eq!(to, [0, 25, 75, 125, 175, 200]);
        let mut sums = [0; 3];
        twice_both_ways(&[0, 100, 200], &[0, 100, 200], &mut sums, &mut to);
        assert_eq!(to, [0, 25, 75, 125, 175, 200]);
    }
}
