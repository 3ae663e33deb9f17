//! Values of other kinds to 8-bit RGB, by Pillow's rules.

/// Gray to RGB; a pixel has `step` values, of which the first is gray.
pub(in super::super) fn gray(data: &[u8], step: usize) -> Vec<u8> {
    data.chunks_exact(step).flat_map(|pixel| [pixel[0]; 3]).collect()
}

/// RGBA to RGB.
pub(in super::super) fn without_alpha(data: &[u8]) -> Vec<u8> {
    data.chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect()
}

/// Pillow's 16-bit gray, big-endian, `STEP` bytes a pixel: a mode of its own, which is clamped to 255 and not scaled.
pub(super) fn clamped_gray16<const STEP: usize>(data: &[u8]) -> Vec<u8> {
    let (pixels, _) = data.as_chunks::<STEP>();
    pixels.iter().flat_map(|pixel| [if pixel[0] == 0 { pixel[1] } else { u8::MAX }; 3]).collect()
}

/// The high byte of the first `CHANNELS` big-endian 16-bit values of pixels of `STEP` bytes.
pub(super) fn high_bytes<const CHANNELS: usize, const STEP: usize>(data: &[u8]) -> Vec<u8> {
    let (pixels, _) = data.as_chunks::<STEP>();
    pixels.iter().flat_map(|pixel| pixel.iter().step_by(2).take(CHANNELS).copied()).collect()
}

/// Four inks to RGB, without a profile: each of three is what the ink and black leave of white.
pub(super) fn cmyk(data: &[u8]) -> Vec<u8> {
    let (pixels, _) = data.as_chunks::<4>();
    let after_ink = |[cyan, magenta, yellow, black]: [u8; 4]| {
        let white = u8::MAX - black;
        [cyan, magenta, yellow].map(|ink| white - multiplied(ink, white))
    };
    pixels.iter().flat_map(|&pixel| after_ink(pixel)).collect()
}

/// The same of inks that are stored inverted, as in every JPEG of four components.
pub(super) fn inverted_cmyk(data: &[u8]) -> Vec<u8> {
    let (pixels, _) = data.as_chunks::<4>();
    pixels.iter().flat_map(|&[c, m, y, k]| [c, m, y].map(|ink| k - multiplied(u8::MAX - ink, k))).collect()
}

/// `a * b / 255`, rounded, without a division, which is never more than either.
fn multiplied(a: u8, b: u8) -> u8 {
    let product = u32::from(a) * u32::from(b) + 128;
    let rounded = ((product >> 8) + product) >> 8;
    u8::try_from(rounded).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bit_gray_is_clamped_and_colour_keeps_its_high_byte() {
        let data: Vec<u8> = [7_u16, 300, 65_535].iter().flat_map(|value| value.to_be_bytes()).collect();
        assert_eq!(clamped_gray16::<2>(&data), [7, 7, 7, 255, 255, 255, 255, 255, 255]);
        assert_eq!(high_bytes::<3, 6>(&data), [0, 1, 255]);
    }

    #[test]
    fn alpha_is_dropped() {
        assert_eq!(without_alpha(&[1, 2, 3, 0, 4, 5, 6, 9]), [1, 2, 3, 4, 5, 6]);
        assert_eq!(gray(&[8, 0], 2), [8, 8, 8]);
    }

    #[test]
    fn products_of_bytes_are_rounded_and_inks_cannot_underflow() {
        for (a, b) in (0..=255_u8).flat_map(|a| (0..=255_u8).map(move |b| (a, b))) {
            let exact = (u32::from(a) * u32::from(b) * 2 + 255) / 510;
            assert_eq!(u32::from(multiplied(a, b)), exact, "{a} {b}");
        }
        assert_eq!(cmyk(&[0, 255, 128, 0]), [255, 0, 127]);
        assert_eq!(inverted_cmyk(&[255, 0, 127, 255]), [255, 0, 127]);
    }
}
