//! WebP: the first frame on its canvas, alpha dropped.

use super::{
    super::{ImageLimits, Rgb, buffers, unusable},
    Decoded, broken, exif,
};
use millrace_contract::Result;
use millrace_decoders::webp::WebP;

/// Decodes the file.
pub(super) fn decode(bytes: &[u8], limits: &ImageLimits) -> Result<Decoded> {
    let file = WebP::open(bytes).map_err(broken)?;
    let (width, height) = file.size();
    limits.check_pixels(width.into(), height.into())?;
    let length = 3 * u64::from(width) * u64::from(height);
    let mut pixels = buffers::zeros(usize::try_from(length).map_err(unusable)?);
    file.decode(&mut pixels).map_err(broken)?;
    let orientation = file.exif().map(exif::orientation).unwrap_or_default();
    Ok(Decoded { rgb: Rgb::new(width, height, pixels)?, orientation })
}
