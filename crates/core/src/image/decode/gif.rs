//! GIF: the first frame on its canvas.
//!
//! As in Pillow, the canvas grows to hold the frame, and what the frame leaves open has the colour of the frame's transparent
//! index, or of index 0: no background colour, and nothing is blended. A file without any table of colours is gray.

use super::{
    super::{ImageLimits, Rgb, unusable},
    Decoded, broken,
    orientation::Orientation,
};
use gif::{ColorOutput, DecodeOptions, MemoryLimit};
use millrace_contract::Result;
use std::{borrow::Cow, num::NonZeroU64};

/// RGB of every index.
type Palette = [[u8; 3]; 256];

/// Decodes the file.
pub(super) fn decode(bytes: &[u8], limits: &ImageLimits) -> Result<Decoded> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    options.allow_unknown_blocks(true);
    if let Some(most) = NonZeroU64::new(limits.decoded_bytes()) {
        options.set_memory_limit(MemoryLimit::Bytes(most));
    }
    let bytes = with_colors(bytes);
    let mut decoder = options.read_info(bytes.as_ref()).map_err(broken)?;
    let screen = (usize::from(decoder.width()), usize::from(decoder.height()));
    let frame = decoder.next_frame_info().map_err(broken)?.ok_or_else(|| broken("it has no frame"))?;
    let (left, top) = (usize::from(frame.left), usize::from(frame.top));
    let (frame_width, frame_height) = (usize::from(frame.width), usize::from(frame.height));
    let open = frame.transparent.unwrap_or(0);
    let local = frame.palette.clone();
    let (width, height) = (screen.0.max(left + frame_width), screen.1.max(top + frame_height));
    limits.check_pixels(width as u64, height as u64)?;
    let palette = palette(local.as_deref().or(decoder.global_palette()));
    let mut indices = vec![0; decoder.buffer_size()];
    decoder.read_into_buffer(&mut indices).map_err(broken)?;
    if indices.len() != frame_width * frame_height {
        return Err(unusable("its frame has another size than it says"));
    }
    let color = |index: u8| palette[usize::from(index)];
    if (width, height) == (frame_width, frame_height) {
        let data = indices.iter().flat_map(|&index| color(index)).collect();
        return Ok(Decoded { rgb: Rgb::of(width, height, data)?, orientation: Orientation::default() });
    }
    let mut rgb = Rgb::filled(width, height, color(open));
    let frame = indices.iter().flat_map(|&index| color(index)).collect();
    rgb.paste(&Rgb::of(frame_width, frame_height, frame)?, left, top);
    Ok(Decoded { rgb, orientation: Orientation::default() })
}

/// The file with a table of all grays, where it has no table for all its frames: the decoder refuses a frame without any.
fn with_colors(bytes: &[u8]) -> Cow<'_, [u8]> {
    /// Bytes before the table, and where among them its flag and its size are.
    const HEADER: usize = 13;
    const FLAGS: usize = 10;
    /// A table, of two to the power of 7 + 1 colours.
    const TABLE_OF_256: u8 = 0x87;
    match bytes.split_at_checked(HEADER) {
        Some((header, frames)) if header[FLAGS] & 0x80 == 0 => {
            let mut whole = header.to_vec();
            whole[FLAGS] |= TABLE_OF_256;
            whole.extend((0..=255_u8).flat_map(|level| [level; 3]));
            whole.extend_from_slice(frames);
            Cow::Owned(whole)
        }
        _ => Cow::Borrowed(bytes),
    }
}

/// The colours of `table`. What it lacks is black, or gray where the table is of grays in order, which is none for Pillow.
fn palette(table: Option<&[u8]>) -> Palette {
    let (table, _) = table.unwrap_or_default().as_chunks::<3>();
    let grays = (0..=255_u8).zip(table).all(|(level, color)| *color == [level; 3]);
    let mut palette: Palette = [[0; 3]; 256];
    for (level, entry) in (0..=255_u8).zip(&mut palette) {
        let beyond = if grays { [level; 3] } else { [0; 3] };
        *entry = table.get(usize::from(level)).copied().unwrap_or(beyond);
    }
    palette
}
