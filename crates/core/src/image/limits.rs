//! How large an image may be, checked before it is decoded: a file of a few kilobytes may claim gigabytes of pixels.

use super::unusable;
use millrace_contract::Result;

/// Bounds of one image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageLimits {
    /// Most bytes of a file.
    pub max_bytes: u64,
    /// Most pixels, width times height.
    pub max_pixels: u64,
}

/// Above this Pillow warns of a decompression bomb: 256 MiB as RGB. Cameras of 50 to 60 megapixels stay below. While it decodes,
/// a preparing thread holds the file, the pixels as the decoder gives them, RGB, and what [`ImageLimits::working_bytes`] bounds.
const MAX_PIXELS: u64 = 89_478_485;

/// What that many pixels take without compression.
const MAX_BYTES: u64 = 3 * MAX_PIXELS;

/// Bytes a decoder may give for each pixel of the limit: RGBA of 8 bits. Images of 16 bits may have half as many.
const DECODED_BYTES_PER_PIXEL: u64 = 4;

/// Bytes a decoder may hold beside that for each pixel of the limit: libjpeg keeps a coefficient of two bytes for each of three values of
/// a pixel of a progressive file until its last scan is read. Ordinary progressive files are decoded a row at a time and need
/// a hundredth of that.
const WORKING_BYTES_PER_PIXEL: u64 = 6;

impl Default for ImageLimits {
    fn default() -> Self {
        Self { max_bytes: MAX_BYTES, max_pixels: MAX_PIXELS }
    }
}

impl ImageLimits {
    /// Checks the size of a file.
    pub(super) fn check_bytes(&self, bytes: u64) -> Result<()> {
        if bytes <= self.max_bytes {
            return Ok(());
        }
        Err(unusable(format_args!("the file has {bytes} bytes; at most {} are read", self.max_bytes)))
    }

    /// Checks an image that is to be decoded or made.
    pub(super) fn check_pixels(&self, width: u64, height: u64) -> Result<()> {
        if width == 0 || height == 0 {
            return Err(unusable(format_args!("{width} x {height} pixels are none")));
        }
        match width.checked_mul(height) {
            Some(pixels) if pixels <= self.max_pixels => Ok(()),
            _ => Err(unusable(format_args!(
                "{width} x {height} pixels; at most {} are decoded",
                self.max_pixels
            ))),
        }
    }

    /// Most bytes a decoder may hold beside what it gives, such as the coefficients of a progressive JPEG.
    pub(super) fn working_bytes(&self) -> u64 {
        self.max_pixels.saturating_mul(WORKING_BYTES_PER_PIXEL)
    }

    /// Most bytes a decoder may give.
    pub(super) fn decoded_bytes(&self) -> u64 {
        self.max_pixels.saturating_mul(DECODED_BYTES_PER_PIXEL)
    }
}
