//! How a picture is stored, checked against what Pillow reads.

use super::{
    super::{super::ImageLimits, broken},
    directory::{self, Directory},
};
use crate::image::unusable;
use millrace_contract::Result;

/// What the samples of a pixel mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colors {
    /// One sample of light; `white_is_zero` where it is one of darkness.
    Gray {
        white_is_zero: bool,
    },
    Palette,
    /// Three samples, and of a fourth whether red, green and blue are multiplied by it.
    Rgb {
        premultiplied: bool,
    },
    Cmyk,
    YCbCr,
}

/// How the bits of a sample are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Unsigned,
    Signed,
    Float,
}

pub(super) struct Layout {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) colors: Colors,
    pub(super) format: Format,
    /// Bits of a sample: 1, 2, 4, 8, 16 or 32, the same for all.
    pub(super) bits: usize,
    /// Samples of a pixel, with those that only take room.
    pub(super) samples: usize,
    /// Whether each sample has a plane of its own.
    pub(super) planar: bool,
    /// Whether the lowest bit of a byte comes first.
    pub(super) reversed: bool,
    pub(super) compression: u64,
}

/// Names of compressions that are not read.
fn unread_compression(number: u64) -> Option<&'static str> {
    Some(match number {
        6 => "JPEG as it was before 1995",
        34_925 => "LZMA",
        50_000 => "Zstandard",
        50_001 => "WebP",
        34_661 => "JBIG",
        34_712 => "JPEG 2000",
        34_887 => "LERC",
        _ => return None,
    })
}

impl Layout {
    pub(super) fn read(directory: &Directory<'_>, limits: &ImageLimits) -> Result<Self> {
        let number = |tag, default| directory.number(tag).unwrap_or(default);
        let (width, height) = (number(directory::WIDTH, 0), number(directory::HEIGHT, 0));
        limits.check_pixels(width, height)?;
        let compression = number(directory::COMPRESSION, 1);
        if let Some(name) = unread_compression(compression) {
            return Err(broken(format_args!("its compression, {name}, is not read")));
        }
        let extra = directory.numbers(directory::EXTRA_SAMPLES);
        let bits = directory.numbers(directory::BITS);
        let samples = number(directory::SAMPLES, 1);
        let bits_of_each = bits.first().copied().unwrap_or(1);
        if !(1..=6).contains(&samples) || bits.iter().any(|&bits| bits != bits_of_each) {
            return Err(broken(format_args!("{samples} samples a pixel of {bits:?} bits are not read")));
        }
        let format = match number(directory::SAMPLE_FORMAT, 1) {
            1 => Format::Unsigned,
            2 => Format::Signed,
            3 => Format::Float,
            other => return Err(broken(format_args!("sample format {other} is not read"))),
        };
        let photometric = number(directory::PHOTOMETRIC, 0);
        let layout = Self {
            width: usize::try_from(width).map_err(unusable)?,
            height: usize::try_from(height).map_err(unusable)?,
            colors: colors(photometric, samples, &extra)?,
            format,
            bits: usize::try_from(bits_of_each).map_err(unusable)?,
            samples: usize::try_from(samples).map_err(unusable)?,
            planar: number(directory::PLANAR, 1) == 2 && samples > 1,
            reversed: number(directory::FILL_ORDER, 1) == 2,
            compression,
        };
        layout.check(directory.little, &extra)?;
        let bytes = layout.row_bytes(layout.width) as u64 * height * layout.planes() as u64;
        if bytes > limits.decoded_bytes() {
            let most = limits.decoded_bytes();
            return Err(unusable(format_args!("decoded it takes {bytes} bytes; at most {most} are allowed")));
        }
        Ok(layout)
    }

    /// Refuses what Pillow refuses, or what is not read here.
    fn check(&self, little: bool, extra: &[u64]) -> Result<()> {
        let one_extra_at_most = extra.len() <= 1;
        let known = match (self.colors, self.format, self.bits) {
            (Colors::Gray { .. } | Colors::Palette, Format::Unsigned, 1 | 2 | 4)
            | (Colors::Gray { white_is_zero: false }, Format::Signed, 8 | 16 | 32)
            | (Colors::Gray { .. }, Format::Float, 32) => self.samples == 1,
            // Gray that is multiplied by its alpha is what Pillow opens and cannot convert.
            (Colors::Gray { white_is_zero: false } | Colors::Palette, Format::Unsigned, 8) => {
                one_extra_at_most && !extra.contains(&1)
            }
            // Pillow has no such mode of its own, and libtiff, which reads all that is compressed, puts the bits in order.
            (Colors::Gray { white_is_zero: true }, Format::Unsigned, 8) => {
                self.samples == 1 && (!self.reversed || self.compression != 1)
            }
            (Colors::Gray { white_is_zero }, Format::Unsigned, 16) => {
                self.samples == 1 && (little || !white_is_zero)
            }
            (Colors::Gray { white_is_zero: false }, Format::Unsigned, 32) => self.samples == 1 && little,
            (Colors::Rgb { .. } | Colors::Cmyk, Format::Unsigned, 8) => true,
            (Colors::Rgb { .. }, Format::Unsigned, 16) => self.samples <= 4,
            (Colors::Cmyk, Format::Unsigned, 16) => self.samples == 4,
            (Colors::YCbCr, Format::Unsigned, 8) => matches!(self.samples, 1 | 3) && extra.is_empty(),
            _ => false,
        };
        if known {
            return Ok(());
        }
        let Self { colors, format, bits, samples, .. } = self;
        Err(broken(format_args!(
            "pixels of {samples} samples of {bits} bits ({colors:?}, {format:?}) are not read"
        )))
    }

    /// Samples of a pixel within one plane.
    pub(super) fn samples_in_plane(&self) -> usize {
        if self.planar { 1 } else { self.samples }
    }

    /// Planes that the picture is stored in.
    pub(super) fn planes(&self) -> usize {
        if self.planar { self.samples } else { 1 }
    }

    /// Bytes of `width` pixels of a row of one plane.
    pub(super) fn row_bytes(&self, width: usize) -> usize {
        (width * self.samples_in_plane() * self.bits).div_ceil(8)
    }
}

/// What the photometric tag and the extra samples say together.
fn colors(photometric: u64, samples: u64, extra: &[u64]) -> Result<Colors> {
    let own = samples.saturating_sub(extra.len() as u64);
    let colors = match photometric {
        0 | 1 => Colors::Gray { white_is_zero: photometric == 0 },
        2 => Colors::Rgb { premultiplied: extra.first() == Some(&1) },
        3 => Colors::Palette,
        5 => Colors::Cmyk,
        6 => Colors::YCbCr,
        8..=10 => return Err(broken("Lab colours are not read")),
        other => return Err(broken(format_args!("the photometric interpretation {other} is not read"))),
    };
    let expected = match colors {
        Colors::Gray { .. } | Colors::Palette => own == 1,
        // Of four samples the fourth is alpha where nothing is said of it.
        Colors::Rgb { .. } => own == 3 || (own == 4 && extra.is_empty()),
        Colors::Cmyk => own == 4,
        Colors::YCbCr => own == 3 || own == 1,
    };
    if expected { Ok(colors) } else { Err(broken(format_args!("{own} samples of {colors:?} are not read"))) }
}
