//! Samples as the file has them to 8-bit RGB, by Pillow's rules.

use super::{
    super::convert,
    directory::{self, Directory},
    layout::{Colors, Format, Layout},
    ycbcr::Conversion,
};
use crate::image::unusable;
use millrace_contract::Result;

/// RGB of all pixels.
pub(super) fn to_rgb(samples: &[u8], directory: &Directory<'_>, layout: &Layout) -> Result<Vec<u8>> {
    const JPEG: u64 = 7;
    match layout.colors {
        Colors::Gray { white_is_zero } => {
            let gray = gray(samples, white_is_zero, directory.little, layout);
            Ok(convert::gray(&gray, 1))
        }
        Colors::Palette => palette(samples, directory, layout),
        Colors::YCbCr if layout.samples == 1 => Ok(convert::gray(samples, 1)),
        // JPEG's decoder has made RGB of them, where they are not in planes.
        Colors::YCbCr if layout.compression == JPEG && !layout.planar => Ok(samples.to_vec()),
        Colors::YCbCr => {
            let conversion = Conversion::of(directory);
            let bytes = eight_bits(samples, directory.little, layout);
            Ok(bytes.as_chunks::<3>().0.iter().flat_map(|&pixel| conversion.rgb(pixel)).collect())
        }
        Colors::Rgb { premultiplied } => {
            let bytes = eight_bits(samples, directory.little, layout);
            let pixels = bytes.chunks_exact(layout.samples);
            Ok(if premultiplied {
                pixels.flat_map(|it| [it[0], it[1], it[2]].map(|color| divided(color, it[3]))).collect()
            } else {
                pixels.flat_map(|it| [it[0], it[1], it[2]]).collect()
            })
        }
        Colors::Cmyk => {
            let bytes = eight_bits(samples, directory.little, layout);
            let inks: Vec<u8> =
                bytes.chunks_exact(layout.samples).flat_map(|it| [it[0], it[1], it[2], it[3]]).collect();
            Ok(convert::cmyk(&inks))
        }
    }
}

/// A colour that was multiplied by its alpha, as it was before.
fn divided(color: u8, alpha: u8) -> u8 {
    match alpha {
        0 | 255 => color,
        _ => u8::try_from(255 * u32::from(color) / u32::from(alpha)).unwrap_or(u8::MAX),
    }
}

/// Samples of 8 or 16 bits as bytes, the high ones of 16, pixel after pixel.
fn eight_bits(samples: &[u8], little: bool, layout: &Layout) -> Vec<u8> {
    let size = layout.bits / 8;
    let high = if little { size - 1 } else { 0 };
    if !layout.planar {
        return samples.iter().skip(high).step_by(size).copied().collect();
    }
    let pixels = layout.width * layout.height;
    let of = |pixel: usize, plane: usize| samples[(plane * pixels + pixel) * size + high];
    (0..pixels).flat_map(|pixel| (0..layout.samples).map(move |plane| of(pixel, plane))).collect()
}

/// One byte a pixel of rows of less than a byte a sample.
fn unpacked(samples: &[u8], layout: &Layout) -> Vec<u8> {
    let row_bytes = layout.row_bytes(layout.width);
    let per_byte = 8 / layout.bits;
    let mask = u8::MAX >> (8 - layout.bits);
    let value =
        |row: &[u8], x: usize| row[x / per_byte] >> (8 - layout.bits - x % per_byte * layout.bits) & mask;
    samples.chunks_exact(row_bytes).flat_map(|row| (0..layout.width).map(move |x| value(row, x))).collect()
}

/// Levels of gray: few bits are spread over 0 to 255, many are clamped to it.
fn gray(samples: &[u8], white_is_zero: bool, little: bool, layout: &Layout) -> Vec<u8> {
    let first = |value: &[u8]| if little { value[0] } else { value[value.len() - 1] };
    let sign = |value: &[u8]| if little { value[value.len() - 1] } else { value[0] } & 0x80 != 0;
    match (layout.format, layout.bits) {
        (_, 1 | 2 | 4) => {
            let step = u8::MAX / (u8::MAX >> (8 - layout.bits));
            let turned = if white_is_zero { u8::MAX } else { 0 };
            unpacked(samples, layout).into_iter().map(|level| (level * step) ^ turned).collect()
        }
        (_, 8) if white_is_zero => samples.iter().map(|level| !level).collect(),
        (_, 8) if layout.planar => samples[..layout.width * layout.height].to_vec(),
        (_, 8) => samples.iter().step_by(layout.samples).copied().collect(),
        (Format::Float, _) => {
            let value = |bytes: &[u8; 4]| {
                if little { f32::from_le_bytes(*bytes) } else { f32::from_be_bytes(*bytes) }
            };
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "clamped; a NaN becomes 0"
            )]
            samples.as_chunks().0.iter().map(|bytes| value(bytes).clamp(0.0, 255.0) as u8).collect()
        }
        // Pillow holds numbers of 32 bits with a sign, whatever the file says.
        (format, bits) => {
            let signed = format == Format::Signed || bits == 32;
            let size = bits / 8;
            let clamped = |value: &[u8]| {
                let low = if little { 0 } else { size - 1 };
                let large = value.iter().enumerate().any(|(at, &byte)| at != low && byte != 0);
                match (signed && sign(value), large) {
                    (true, _) => 0,
                    (false, true) => u8::MAX,
                    (false, false) => first(value),
                }
            };
            samples.chunks_exact(size).map(clamped).collect()
        }
    }
}

fn palette(samples: &[u8], directory: &Directory<'_>, layout: &Layout) -> Result<Vec<u8>> {
    let map = directory.numbers(directory::COLOR_MAP);
    let colors = map.len() / 3;
    if colors == 0 {
        return Err(unusable("it has a palette without colours"));
    }
    // Three tables of 16 bits, one after another.
    let level = |at: usize| map.get(at).map_or(0, |value| u8::try_from(value >> 8).unwrap_or(u8::MAX));
    let color = |index: u8| {
        let index = usize::from(index);
        if index < colors { [level(index), level(colors + index), level(2 * colors + index)] } else { [0; 3] }
    };
    Ok(if layout.bits == 8 {
        samples.iter().step_by(layout.samples).flat_map(|&index| color(index)).collect()
    } else {
        unpacked(samples, layout).into_iter().flat_map(color).collect()
    })
}
