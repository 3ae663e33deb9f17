//! The bytes of a file to RGB: which format it is, its size against the limits, then the decoder of that format.
//!
//! Each decoder makes of a file what Pillow makes of it, or refuses it: what a model sees of a picture must not depend on which
//! of the two read it. How large a picture may be is decided here and in the decoders before anything is decoded.

mod bmp;
pub(super) mod convert;
mod exif;
mod format;
mod gif;
mod jpeg;
mod orientation;
mod png;
mod tiff;
mod webp;

use super::{ImageLimits, Rgb, unusable};
use crate::quiet;
use format::Format;
use millrace_contract::Result;
use orientation::Orientation;

/// A decoded file.
struct Decoded {
    /// Its pixels as they are stored.
    rgb: Rgb,
    /// How a camera was held, from the file's EXIF block.
    orientation: Orientation,
}

/// Decodes a file of any of the formats, told by its first bytes.
pub(super) fn decode(bytes: &[u8], limits: &ImageLimits, auto_orient: bool) -> Result<Rgb> {
    // Decoders run over what anybody may send; a defect of theirs must not take more than this image.
    let decoded = quiet::catch(|| by_format(bytes, limits))
        .unwrap_or_else(|_| Err(unusable("the decoder failed on this file")))?;
    if auto_orient { decoded.orientation.apply(decoded.rgb) } else { Ok(decoded.rgb) }
}

fn by_format(bytes: &[u8], limits: &ImageLimits) -> Result<Decoded> {
    match Format::of(bytes) {
        Format::Jpeg => jpeg::decode(bytes, limits),
        Format::Png => png::decode(bytes, limits),
        Format::WebP => webp::decode(bytes, limits),
        Format::Gif => gif::decode(bytes, limits),
        Format::Bmp => bmp::decode(bytes, limits),
        Format::Tiff => tiff::decode(bytes, limits),
        Format::Known(name) => Err(unusable(format_args!(
            "this is {name}, which is not read; convert it to JPEG, PNG or WebP first"
        ))),
        Format::Unknown => Err(unusable("not a JPEG, PNG, WebP, GIF, BMP or TIFF image")),
    }
}

/// The error of a file whose content is damaged, or of a kind that is not supported.
fn broken(why: impl std::fmt::Display) -> millrace_contract::Error {
    unusable(format_args!("the file is corrupt or not supported: {why}"))
}
