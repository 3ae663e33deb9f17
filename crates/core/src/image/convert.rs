//! Every colour type of the decoders to 8-bit RGB, by Pillow's rules.

use super::unusable;
use ::image::{ColorType, ExtendedColorType};
use millrace_contract::Result;

/// Converts a decoder's values, native-endian, of `color` that the file stores as `original`.
pub(super) fn to_rgb(data: Vec<u8>, color: ColorType, original: ExtendedColorType) -> Result<Vec<u8>> {
    Ok(match color {
        ColorType::Rgb8 => data,
        ColorType::L8 => gray(&data, 1),
        ColorType::La8 => gray(&data, 2),
        ColorType::Rgba8 => without_alpha(&data),
        ColorType::L16 => gray16(&data, 2, clamped),
        // A transparent gray level in the file becomes alpha in the decoder; the file is gray all the same.
        ColorType::La16 if original == ExtendedColorType::L16 => gray16(&data, 4, clamped),
        ColorType::La16 => gray16(&data, 4, high_byte),
        ColorType::Rgb16 => rgb16(&data, 6),
        ColorType::Rgba16 => rgb16(&data, 8),
        ColorType::Rgb32F => rgb32(&data, 12),
        ColorType::Rgba32F => rgb32(&data, 16),
        other => return Err(unusable(format_args!("colours of type {other:?} are not understood"))),
    })
}

/// Gray to RGB; a pixel has `step` values, of which the first is gray.
pub(super) fn gray(data: &[u8], step: usize) -> Vec<u8> {
    data.chunks_exact(step).flat_map(|pixel| [pixel[0]; 3]).collect()
}

/// RGBA to RGB.
pub(super) fn without_alpha(data: &[u8]) -> Vec<u8> {
    data.chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect()
}

/// Pillow's 16-bit gray has a mode of its own that is clamped, not scaled.
fn clamped(value: u16) -> u8 {
    u8::try_from(value).unwrap_or(u8::MAX)
}

fn high_byte(value: u16) -> u8 {
    value.to_be_bytes()[0]
}

fn gray16(data: &[u8], step: usize, narrow: fn(u16) -> u8) -> Vec<u8> {
    data.chunks_exact(step).flat_map(|pixel| [narrow(u16::from_ne_bytes([pixel[0], pixel[1]])); 3]).collect()
}

fn rgb16(data: &[u8], step: usize) -> Vec<u8> {
    let value = |pixel: &[u8], at: usize| high_byte(u16::from_ne_bytes([pixel[at], pixel[at + 1]]));
    data.chunks_exact(step).flat_map(|pixel| [value(pixel, 0), value(pixel, 2), value(pixel, 4)]).collect()
}

fn rgb32(data: &[u8], step: usize) -> Vec<u8> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped; a NaN becomes 0")]
    let value = |pixel: &[u8], at: usize| {
        let bytes = [pixel[at], pixel[at + 1], pixel[at + 2], pixel[at + 3]];
        f32::from_ne_bytes(bytes).clamp(0.0, 255.0) as u8
    };
    data.chunks_exact(step).flat_map(|pixel| [value(pixel, 0), value(pixel, 4), value(pixel, 8)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bit_gray_is_clamped_and_colour_keeps_its_high_byte() {
        let data: Vec<u8> = [7_u16, 300, 65_535].iter().flat_map(|v| v.to_ne_bytes()).collect();
        let rgb = |color, original| to_rgb(data.clone(), color, original).unwrap();
        assert_eq!(rgb(ColorType::L16, ExtendedColorType::L16), [7, 7, 7, 255, 255, 255, 255, 255, 255]);
        assert_eq!(rgb(ColorType::Rgb16, ExtendedColorType::Rgb16), [0, 1, 255]);
    }

    #[test]
    fn alpha_is_dropped() {
        let rgb = to_rgb(vec![1, 2, 3, 0, 4, 5, 6, 9], ColorType::Rgba8, ExtendedColorType::Rgba8);
        assert_eq!(rgb.unwrap(), [1, 2, 3, 4, 5, 6]);
        assert_eq!(to_rgb(vec![8, 0], ColorType::La8, ExtendedColorType::La8).unwrap(), [8, 8, 8]);
    }
}
