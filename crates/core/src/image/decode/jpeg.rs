//! JPEG by Pillow's rules: one, three or four components, and four are always taken for inverted CMYK.

use super::{
    super::{ImageLimits, Rgb, buffers, unusable},
    Decoded, broken, convert, exif,
    orientation::Orientation,
};
use millrace_contract::Result;
use millrace_decoders::jpeg::{self, Budget, Header};

/// Most scans of a file. Encoders write ten or so; a hundred would refine every bit of every frequency alone. A file of
/// a few kilobytes may have thousands, each of which is a pass over all blocks.
const MOST_SCANS: u32 = 256;

/// Decodes the file.
pub(super) fn decode(bytes: &[u8], limits: &ImageLimits) -> Result<Decoded> {
    let header = Header::read(bytes).map_err(broken)?;
    limits.check_pixels(header.width.into(), header.height.into())?;
    if !matches!(header.components, 1 | 3 | 4) {
        return Err(broken(format_args!("it has {} colour components", header.components)));
    }
    // A block takes a bit at the least, but for arithmetic coding. What cannot hold them lacks pixels, and is refused before
    // memory and seconds go into the rest.
    if header.huffman && header.blocks / 8 > bytes.len() as u64 {
        let (width, height) = (header.width, header.height);
        return Err(broken(format_args!("it is too short for its {width} x {height} pixels")));
    }
    if header.coefficient_bytes > limits.working_bytes() {
        return Err(unusable(format_args!(
            "decoding it takes {} bytes beside its pixels; at most {} are allowed",
            header.coefficient_bytes,
            limits.working_bytes()
        )));
    }
    let mut pixels = buffers::zeros(usize::try_from(header.decoded_bytes()).map_err(unusable)?);
    let budget = Budget { most_memory: limits.working_bytes(), most_scans: MOST_SCANS };
    jpeg::decode(bytes, &header, &mut pixels, budget).map_err(broken)?;
    let pixels = match header.channels {
        1 => convert::gray(&pixels, 1),
        4 => convert::inverted_cmyk(&pixels),
        _ => pixels,
    };
    let rgb = Rgb::new(header.width, header.height, pixels)?;
    Ok(Decoded { rgb, orientation: orientation(bytes)? })
}

/// The orientation of the first EXIF segment. A marker of Adobe's without its version is an error, as in Pillow.
fn orientation(bytes: &[u8]) -> Result<Orientation> {
    const APP1: u8 = 0xE1;
    const APP14: u8 = 0xEE;
    const START_OF_SCAN: u8 = 0xDA;
    let mut found = None;
    let mut at = 2;
    while let Some(&[prefix, marker]) = bytes.get(at..at + 2).and_then(|pair| pair.first_chunk()) {
        match (prefix, marker) {
            (0xFF, START_OF_SCAN) => break,
            // Fill bytes, and markers without a body.
            (0xFF, 0xFF) => at += 1,
            (0xFF, 0x00 | 0x01 | 0xD0..=0xD8) => at += 2,
            (0xFF, _) => {
                let length = bytes.get(at + 2..at + 4).and_then(|pair| pair.first_chunk());
                let length = length.map_or(0, |length| usize::from(u16::from_be_bytes(*length)));
                let body = bytes.get(at + 4..at + 2 + length).unwrap_or_default();
                if marker == APP1 && body.starts_with(b"Exif\0") && found.is_none() {
                    found = Some(exif::orientation(body));
                }
                if marker == APP14 && body.starts_with(b"Adobe") && body.len() < 7 {
                    return Err(broken("its Adobe marker is cut"));
                }
                at += 2 + length;
            }
            // Stray bytes; the decoder passes over them.
            _ => at += 1,
        }
    }
    Ok(found.unwrap_or_default())
}
