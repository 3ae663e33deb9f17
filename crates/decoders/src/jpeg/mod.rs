//! JPEG: baseline, extended and progressive, Huffman and arithmetic coding, gray, YCbCr, RGB, CMYK and YCCK.
//!
//! Pixels are those of libjpeg-turbo with its accurate integer transform and interpolated chroma, which are Pillow's, bit
//! by bit. A file in which pixels are missing is an error: libjpeg would fill them with gray and only warn.

mod fast;

use crate::{DecodeError, libjpeg};

/// What the markers before the first scan say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Pixels of a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Colour components of the file; Pillow knows 1, 3 and 4.
    pub components: u32,
    /// 8-bit values of a decoded pixel: 1 gray, 3 RGB, 4 CMYK as the file has it, which Adobe's programs write inverted.
    pub channels: u32,
    /// Whether three components are luma and chroma, and become RGB.
    pub from_ycbcr: bool,
    /// What the components were taken for.
    pub colors: Colors,
    /// Blocks of 8 x 8 values, of all components together.
    pub blocks: u64,
    /// Whether it is Huffman-coded, in which a block takes a bit at the least.
    pub huffman: bool,
    /// Bytes of coefficients that are held while the scans are read; 0 where all components are in one scan.
    pub coefficient_bytes: u64,
}

/// What the components of a file mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colors {
    /// What its markers and the numbers of its components say, as libjpeg reads them.
    ToldByFile,
    /// Luma and chroma, whatever the file says; decoded to RGB.
    FromYCbCr,
    /// Nothing that is known here; decoded as they are.
    AsStored,
}

/// What decoding may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Most bytes that the decoder may hold beside the caller's buffer.
    pub most_memory: u64,
    /// Most scans: a file of a few kilobytes may ask for thousands of passes over all blocks.
    pub most_scans: u32,
}

impl Header {
    /// Reads the header of a file.
    pub fn read(bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::read_as(bytes, Colors::ToldByFile)
    }

    /// The same of a file whose colours are known from elsewhere.
    pub fn read_as(bytes: &[u8], colors: Colors) -> Result<Self, DecodeError> {
        let raw = libjpeg::read_header(bytes, colors)?;
        Ok(Self {
            width: raw.width,
            height: raw.height,
            components: raw.components,
            channels: raw.channels,
            from_ycbcr: raw.from_ycbcr != 0,
            colors,
            blocks: raw.blocks,
            huffman: raw.huffman != 0,
            coefficient_bytes: raw.coefficients,
        })
    }

    /// Bytes of the decoded picture.
    #[must_use]
    pub fn decoded_bytes(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height) * u64::from(self.channels)
    }
}

/// Decodes the file that `header` was read from into `pixels`, which has [`Header::decoded_bytes`] bytes.
pub fn decode(bytes: &[u8], header: &Header, pixels: &mut [u8], budget: Budget) -> Result<(), DecodeError> {
    if Some(pixels.len()) != usize::try_from(header.decoded_bytes()).ok() {
        return Err(DecodeError::new("the buffer is not of the size of the picture"));
    }
    let plain = header.channels == 1 || header.from_ycbcr;
    if header.huffman && plain {
        if fast::decode(bytes, header.width, header.height, header.from_ycbcr, pixels).is_some() {
            return Ok(());
        }
        pixels.fill(0);
    }
    decode_by_libjpeg(bytes, header, pixels, budget)
}

/// The same by libjpeg alone, which knows all kinds.
pub fn decode_by_libjpeg(
    bytes: &[u8],
    header: &Header,
    pixels: &mut [u8],
    budget: Budget,
) -> Result<(), DecodeError> {
    let stride = header.width as usize * header.channels as usize;
    libjpeg::decode(bytes, header.colors, pixels, stride, header.height, budget)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, path::Path};

    /// Every JPEG of the conformance set: where the faster way answers, it answers what libjpeg does.
    #[test]
    fn the_faster_way_gives_libjpegs_pixels() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../__test__/fixtures/images/files");
        let files = ["jpeg", "damaged"].map(|folder| fs::read_dir(root.join(folder)).unwrap());
        let mut answered = Vec::new();
        for file in files.into_iter().flatten() {
            let path = file.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let Ok(header) = Header::read(&bytes) else { continue };
            if path.extension().is_none_or(|ending| ending != "jpg") || header.decoded_bytes() > 1 << 24 {
                continue;
            }
            let mut here = vec![0; usize::try_from(header.decoded_bytes()).unwrap()];
            if fast::decode(&bytes, header.width, header.height, header.from_ycbcr, &mut here).is_none() {
                continue;
            }
            // Of damaged coefficients the two transforms make different samples, see `fast::idct`; Pillow's are compared
            // with the whole conformance set.
            if path.parent().is_some_and(|folder| folder.ends_with("jpeg")) {
                let mut there = vec![0; here.len()];
                let budget = Budget { most_memory: 1 << 26, most_scans: 64 };
                decode_by_libjpeg(&bytes, &header, &mut there, budget).unwrap();
                assert!(here == there, "{name}");
            }
            answered.push(name);
        }
        for common in [
            "baseline-420",
            "baseline-422",
            "baseline-444",
            "optimized-420",
            "progressive-420",
            "progressive-422",
            "progressive-444",
            "progressive-restart-420",
            "restart-block-420",
            "scan-per-component-420",
            "gray",
            "gray-progressive",
            "quality-1",
            "quality-100-progressive",
            "successive-420",
            "size-7x9-420",
            "large",
        ] {
            assert!(answered.iter().any(|name| name == common), "{common} is not decoded the faster way");
        }
    }
}
