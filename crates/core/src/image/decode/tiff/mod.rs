//! TIFF and `BigTIFF`: the first picture, in the kinds that Pillow reads.
//!
//! A picture is decoded in three steps: the directory says how it is stored ([`directory`], [`layout`]), its strips or tiles are
//! decompressed and put together as the file has them ([`chunks`], [`compression`]), and these samples become RGB
//! ([`colors`]). What is not read is named in the refusal: Lab colours, LZMA, Zstandard and old JPEG compression, and 12, 24 and
//! 64 bits a sample.
//!
//! The picture is turned as its orientation tag says, whatever the caller's option, because Pillow turns every TIFF.

mod chunks;
mod colors;
mod compression;
mod directory;
mod layout;
mod ycbcr;

use super::{
    super::{ImageLimits, Rgb},
    Decoded,
    orientation::Orientation,
};
use directory::Directory;
use layout::Layout;
use millrace_contract::Result;

/// Decodes the file.
pub(super) fn decode(bytes: &[u8], limits: &ImageLimits) -> Result<Decoded> {
    let directory = Directory::first(bytes)?;
    let layout = Layout::read(&directory, limits)?;
    let samples = chunks::read(bytes, &directory, &layout)?;
    let pixels = colors::to_rgb(&samples, &directory, &layout)?;
    let stored = Rgb::of(layout.width, layout.height, pixels)?;
    let turned = Orientation::of_tag(directory.number(directory::ORIENTATION).unwrap_or(1)).apply(stored)?;
    Ok(Decoded { rgb: turned, orientation: Orientation::default() })
}
