//! Strips and tiles to one picture, whose samples are still as the file has them.

use super::{
    super::broken,
    compression::{self, Chunk},
    directory::{self, Directory},
    layout::{Format, Layout},
};
use crate::image::{buffers, unusable};
use millrace_contract::Result;

/// How the picture is cut.
struct Grid {
    /// Pixels of a chunk's rows, and its rows.
    width: usize,
    height: usize,
    /// Whether a chunk at the edge is as large as the others.
    tiles: bool,
    offsets: Vec<u64>,
    lengths: Vec<u64>,
}

impl Grid {
    fn read(directory: &Directory<'_>, layout: &Layout) -> Result<Self> {
        let side = |tag| directory.number(tag).and_then(|side| usize::try_from(side).ok());
        let strips = directory.numbers(directory::STRIP_OFFSETS);
        if !strips.is_empty() {
            let rows = side(directory::ROWS_PER_STRIP).filter(|&rows| rows > 0).unwrap_or(layout.height);
            return Ok(Self {
                width: layout.width,
                height: rows.min(layout.height),
                tiles: false,
                offsets: strips,
                lengths: directory.numbers(directory::STRIP_LENGTHS),
            });
        }
        match (side(directory::TILE_WIDTH), side(directory::TILE_HEIGHT)) {
            (Some(width @ 1..), Some(height @ 1..)) => Ok(Self {
                width,
                height,
                tiles: true,
                offsets: directory.numbers(directory::TILE_OFFSETS),
                lengths: directory.numbers(directory::TILE_LENGTHS),
            }),
            _ => Err(broken("it has neither strips nor tiles")),
        }
    }
}

/// All samples: planes, rows, pixels, each row in whole bytes.
pub(super) fn read(bytes: &[u8], directory: &Directory<'_>, layout: &Layout) -> Result<Vec<u8>> {
    let grid = Grid::read(directory, layout)?;
    let row_bytes = layout.row_bytes(layout.width);
    let (across, down) = (layout.width.div_ceil(grid.width), layout.height.div_ceil(grid.height));
    let chunks = across * down * layout.planes();
    if grid.offsets.len() < chunks {
        return Err(broken(format_args!("it has {} of {chunks} strips or tiles", grid.offsets.len())));
    }
    // A tile may be larger than the picture, but a few bytes must not ask for gigabytes.
    let tile_bytes = (grid.width as u64 * layout.bits as u64)
        .div_ceil(8)
        .saturating_mul(layout.samples_in_plane() as u64)
        .saturating_mul(grid.height as u64);
    let picture_bytes = (row_bytes * layout.height) as u64;
    if grid.tiles && tile_bytes > picture_bytes.saturating_mul(4).max(1 << 24) {
        return Err(unusable(format_args!(
            "its tiles of {} x {} pixels are too large",
            grid.width, grid.height
        )));
    }
    let mut samples = buffers::zeros(row_bytes * layout.height * layout.planes());
    for at in 0..chunks {
        let (plane, row, column) = (at / (across * down), at / across % down, at % across);
        let top = row * grid.height;
        let rows = grid.height.min(layout.height - top);
        let chunk = Chunk {
            width: grid.width,
            height: if grid.tiles { grid.height } else { rows },
            most_height: grid.height,
            data: data_of(bytes, &grid, at)?,
        };
        let mut decoded = compression::decompress(&chunk, directory, layout)?;
        let stride = layout.row_bytes(grid.width);
        if decoded.len() < stride * chunk.height {
            return Err(unusable("the file is truncated"));
        }
        undo_predictor(&mut decoded, stride, directory, layout)?;
        // Tiles of less than a byte a pixel are a multiple of 16 pixels wide, so that each begins with a whole byte.
        let left = column * stride;
        let kept = stride.min(row_bytes - left);
        for (y, row) in decoded.chunks_exact(stride).take(rows).enumerate() {
            let to = (plane * layout.height + top + y) * row_bytes + left;
            samples[to..to + kept].copy_from_slice(&row[..kept]);
        }
    }
    Ok(samples)
}

/// The compressed bytes of a chunk. Writers leave the lengths out where there is one chunk, or write zeros.
fn data_of<'bytes>(bytes: &'bytes [u8], grid: &Grid, at: usize) -> Result<&'bytes [u8]> {
    let start = usize::try_from(grid.offsets[at]).map_err(unusable)?;
    let rest = bytes.get(start..).ok_or_else(|| unusable("the file is truncated"))?;
    let length = grid.lengths.get(at).and_then(|&length| usize::try_from(length).ok()).unwrap_or(0);
    Ok(if length == 0 { rest } else { &rest[..length.min(rest.len())] })
}

/// Samples from the differences that compress better.
fn undo_predictor(data: &mut [u8], stride: usize, directory: &Directory<'_>, layout: &Layout) -> Result<()> {
    /// Compressions that know the tag: LZW, deflate and its older number.
    const PREDICTED: [u64; 3] = [5, 8, 32_946];
    let predictor = directory.number(directory::PREDICTOR).unwrap_or(1);
    if predictor == 1 || !PREDICTED.contains(&layout.compression) {
        return Ok(());
    }
    let samples = layout.samples_in_plane();
    let size = layout.bits / 8;
    for row in data.chunks_exact_mut(stride) {
        match (predictor, layout.bits, layout.format) {
            (2, 8 | 16 | 32, _) => accumulate(row, samples, size, directory.little),
            (3, 32, Format::Float) => join_bytes(row, samples, directory.little),
            _ => {
                return Err(broken(format_args!(
                    "predictor {predictor} of {} bits is not read",
                    layout.bits
                )));
            }
        }
    }
    Ok(())
}

/// Adds to each sample the one of the pixel before, in `size` bytes.
fn accumulate(row: &mut [u8], samples: usize, size: usize, little: bool) {
    for at in (samples * size..row.len().saturating_sub(size - 1)).step_by(size) {
        let before = at - samples * size;
        let mut carry = 0;
        for byte in 0..size {
            let byte = if little { byte } else { size - 1 - byte };
            let sum = u16::from(row[at + byte]) + u16::from(row[before + byte]) + carry;
            [row[at + byte], _] = sum.to_le_bytes();
            carry = sum >> 8;
        }
    }
}

/// Adds bytes up and joins them: all highest bytes of a row come first, then all second ones, and so on.
fn join_bytes(row: &mut [u8], samples: usize, little: bool) {
    for at in samples..row.len() {
        row[at] = row[at].wrapping_add(row[at - samples]);
    }
    let parts = row.to_vec();
    let count = row.len() / 4;
    for (at, value) in row.as_chunks_mut::<4>().0.iter_mut().enumerate() {
        let big = [parts[at], parts[count + at], parts[2 * count + at], parts[3 * count + at]];
        *value = if little { [big[3], big[2], big[1], big[0]] } else { big };
    }
}
