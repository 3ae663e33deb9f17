//! Images to pixels: reading, decoding, and what a `preprocessor_config.json` asks for.
//!
//! An image comes in as a path, as the bytes of a file or as raw pixels, and leaves as 8-bit RGB tiles of the model's
//! size ([`Pixels`]), a quarter of the size of the tensor they become; [`Processor::write`] makes that tensor.
//! Colour conversion and resampling give Pillow's values to the last bit, because the models were evaluated
//! with them. Nothing here knows of graphs, batches or threads.

mod buffers;
mod config;
mod decode;
mod frame;
mod input;
mod limits;
mod processor;
mod resample;
mod rgb;
mod split;
mod values;

pub use input::{ImageInput, RawPixels};
pub use limits::ImageLimits;
pub use processor::{Pixels, Processor};
pub use resample::{Filter, resize};
pub use rgb::{Rect, Rgb};

use millrace_contract::{Error, ErrorKind};

/// The error of one image.
pub(crate) fn unusable(why: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::ImageInvalid, why.to_string())
}

/// Reads `input` as 8-bit RGB. Blocks; every error concerns this image alone and is of kind
/// [`ErrorKind::ImageInvalid`], the limits included, which are checked before anything is decoded.
///
/// As Pillow's `convert("RGB")` does it: alpha is dropped and not blended, 16-bit gray is clamped to 255 while
/// other 16-bit colours keep their high byte, CMYK goes without a profile, animations give their first frame. The
/// EXIF orientation is followed only when `auto_orient` says so.
pub fn read(input: ImageInput, limits: &ImageLimits, auto_orient: bool) -> Result<Rgb, Error> {
    match input {
        ImageInput::Path(path) => {
            let named = |error: Error| unusable(format_args!("{}: {}", path.display(), error.message()));
            let bytes = input::read_file(&path, limits).map_err(named)?;
            decode::decode(&bytes, limits, auto_orient).map_err(named)
        }
        ImageInput::Bytes(bytes) => {
            limits.check_bytes(bytes.len() as u64)?;
            decode::decode(&bytes, limits, auto_orient)
        }
        ImageInput::Raw(raw) => raw.into_rgb(limits),
    }
}
