//! Colours of luma and chroma outside JPEG: chroma samples that stand for several pixels, and libtiff's fixed-point conversion.

use super::{
    super::broken,
    compression::Chunk,
    directory::{self, Directory},
    layout::{Colors, Layout},
};
use millrace_contract::Result;

/// How many pixels across and down share their chroma.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Subsampling {
    across: usize,
    down: usize,
}

impl Subsampling {
    /// The subsampling of a picture in which chroma is stored for more than a pixel; JPEG does that by itself.
    pub(super) fn of(directory: &Directory<'_>, layout: &Layout) -> Result<Option<Self>> {
        const JPEG: u64 = 7;
        if layout.colors != Colors::YCbCr || layout.samples != 3 || layout.compression == JPEG {
            return Ok(None);
        }
        let factors = directory.numbers(directory::CHROMA_SUBSAMPLING);
        let (across, down) = match factors.as_slice() {
            [] => (2, 2),
            [across @ (1 | 2 | 4), down @ (1 | 2 | 4), ..] => {
                let [across, down] = [across, down].map(|&factor| usize::try_from(factor).unwrap_or(1));
                (across, down)
            }
            other => return Err(broken(format_args!("chroma for {other:?} pixels is not read"))),
        };
        if (across, down) == (1, 1) {
            return Ok(None);
        }
        if layout.planar {
            return Err(broken("subsampled colours in planes are not read"));
        }
        Ok(Some(Self { across, down }))
    }

    /// Bytes of one group of pixels: their luma, then two of chroma.
    fn group(self) -> usize {
        self.across * self.down + 2
    }

    /// Bytes of a chunk.
    pub(super) fn bytes_of(self, chunk: &Chunk<'_>) -> usize {
        chunk.width.div_ceil(self.across) * chunk.height.div_ceil(self.down) * self.group()
    }

    /// Three samples for each pixel; pixels that share chroma get the same.
    pub(super) fn spread(self, data: &[u8], chunk: &Chunk<'_>) -> Vec<u8> {
        let mut samples = vec![0; 3 * chunk.width * chunk.height];
        let groups = chunk.width.div_ceil(self.across);
        for (at, pixel) in samples.as_chunks_mut::<3>().0.iter_mut().enumerate() {
            let (x, y) = (at % chunk.width, at / chunk.width);
            let group = (y / self.down * groups + x / self.across) * self.group();
            let luma = group + y % self.down * self.across + x % self.across;
            let chroma = group + self.across * self.down;
            *pixel = [data[luma], data[chroma], data[chroma + 1]];
        }
        samples
    }
}

/// Tables from luma and chroma to what they add to red, green and blue.
pub(super) struct Conversion {
    luma: [i32; 256],
    red_of_cr: [i32; 256],
    blue_of_cb: [i32; 256],
    /// In 1/65,536, so that the sum of both is rounded once.
    green_of_cr: [i32; 256],
    green_of_cb: [i32; 256],
}

/// Bits after the point.
const SHIFT: u32 = 16;

#[expect(clippy::cast_possible_truncation, reason = "factors below 2 and levels below 1,000")]
fn fixed(value: f32) -> i32 {
    (value * 65_536.0 + 0.5) as i32
}

impl Conversion {
    /// The tables of the picture's luma weights and of its levels of black and white; 601 and full range where it has none.
    pub(super) fn of(directory: &Directory<'_>) -> Self {
        let weights = directory.fractions(directory::LUMA_WEIGHTS);
        let [red, green, blue] = match weights.as_slice() {
            [red, green, blue, ..] if *green != 0.0 => [*red, *green, *blue],
            _ => [0.299, 0.587, 0.114],
        };
        let levels = directory.fractions(directory::REFERENCE_BLACK_WHITE);
        let levels: [f32; 6] = levels
            .get(..6)
            .and_then(|levels| levels.try_into().ok())
            .unwrap_or([0.0, 255.0, 128.0, 255.0, 128.0, 255.0]);
        #[expect(clippy::cast_possible_truncation, reason = "levels of 8 bits; cut as libtiff does")]
        let level = |code: i16, black: f32, white: f32, range: f32| {
            // A range of nothing is one level, as in libtiff.
            let span = if (white - black).abs() < f32::EPSILON { 1.0 } else { white - black };
            ((f32::from(code) - black.trunc()) * range / span) as i32
        };
        let [to_red, to_blue] = [2.0 - 2.0 * red, 2.0 - 2.0 * blue].map(|factor| factor.clamp(0.0, 2.0));
        let mut tables = Self {
            luma: [0; 256],
            red_of_cr: [0; 256],
            blue_of_cb: [0; 256],
            green_of_cr: [0; 256],
            green_of_cb: [0; 256],
        };
        let half = 1 << (SHIFT - 1);
        let green_of_red = -fixed((red * to_red / green).clamp(0.0, 2.0));
        let green_of_blue = -fixed((blue * to_blue / green).clamp(0.0, 2.0));
        for (at, code) in (0_i16..256).enumerate() {
            let cr = level(code - 128, levels[4] - 128.0, levels[5] - 128.0, 127.0);
            let cb = level(code - 128, levels[2] - 128.0, levels[3] - 128.0, 127.0);
            tables.luma[at] = level(code, levels[0], levels[1], 255.0);
            tables.red_of_cr[at] = fixed(to_red).wrapping_mul(cr).wrapping_add(half) >> SHIFT;
            tables.blue_of_cb[at] = fixed(to_blue).wrapping_mul(cb).wrapping_add(half) >> SHIFT;
            tables.green_of_cr[at] = green_of_red.wrapping_mul(cr);
            tables.green_of_cb[at] = green_of_blue.wrapping_mul(cb).wrapping_add(half);
        }
        tables
    }

    pub(super) fn rgb(&self, [luma, cb, cr]: [u8; 3]) -> [u8; 3] {
        let (light, cb, cr) = (self.luma[usize::from(luma)], usize::from(cb), usize::from(cr));
        let green = self.green_of_cb[cb].wrapping_add(self.green_of_cr[cr]) >> SHIFT;
        [self.red_of_cr[cr], green, self.blue_of_cb[cb]]
            .map(|color| u8::try_from(light.saturating_add(color).clamp(0, 255)).unwrap_or(u8::MAX))
    }
}
