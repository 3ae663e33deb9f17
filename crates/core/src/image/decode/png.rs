//! PNG by Pillow's rules, of an animation the default picture.
//!
//! Pillow checks the sums of the chunks before the picture and none after, and stops when the last row is there. So a file
//! whose end is missing or damaged is read, and one whose header is damaged is not. Profiles and texts are never kept: a chunk of
//! a few kilobytes may hold hundreds of megabytes of them, and such a file is refused, by Pillow's measure.

use super::{
    super::{ImageLimits, Rgb, buffers, unusable},
    Decoded, broken, convert, exif,
    orientation::Orientation,
};
use flate2::read::ZlibDecoder;
use millrace_contract::Result;
use png::{BitDepth, ColorType, DecodeOptions, Decoder, Limits, Transformations};
use std::{
    borrow::Cow,
    io::{self, Cursor, Read},
};

/// Bytes of the signature before the first chunk.
const SIGNATURE: usize = 8;

/// An empty last chunk with its sum.
const END: &[u8] = b"\0\0\0\0IEND\xAE\x42\x60\x82";

/// Decodes the file.
pub(super) fn decode(bytes: &[u8], limits: &ImageLimits) -> Result<Decoded> {
    let found = survey(bytes)?;
    // The decoder wants to see the end, whatever stands there.
    let bytes = if found.ends { Cow::Borrowed(bytes) } else { Cow::Owned([bytes, END].concat()) };
    let bound = Limits { bytes: usize::try_from(limits.working_bytes()).unwrap_or(usize::MAX) };
    let mut options = DecodeOptions::default();
    options.set_ignore_text_chunk(true);
    options.set_ignore_iccp_chunk(true);
    options.set_ignore_crc(true);
    options.set_ignore_adler32(false);
    let mut decoder = Decoder::new_with_options(Cursor::new(bytes.as_ref()), options);
    decoder.set_limits(bound);
    decoder.set_transformations(Transformations::EXPAND);
    let mut reader = decoder.read_info().map_err(broken)?;
    let info = reader.info();
    let (width, height) = (info.width, info.height);
    limits.check_pixels(width.into(), height.into())?;
    // A transparent gray level becomes alpha in the decoder; for Pillow the file is gray all the same.
    let stored_as_gray = info.color_type == ColorType::Grayscale;
    let length = reader.output_buffer_size().ok_or_else(|| unusable("its size is too large"))?;
    if length as u64 > limits.decoded_bytes() {
        let most = limits.decoded_bytes();
        return Err(unusable(format_args!("decoded it takes {length} bytes; at most {most} are allowed")));
    }
    let mut pixels = buffers::zeros(length);
    reader.next_frame(&mut pixels).map_err(broken)?;
    let pixels = match reader.output_color_type() {
        (ColorType::Rgb, BitDepth::Eight) => pixels,
        (ColorType::Rgba, BitDepth::Eight) => convert::without_alpha(&pixels),
        (ColorType::Grayscale, BitDepth::Eight) => convert::gray(&pixels, 1),
        (ColorType::GrayscaleAlpha, BitDepth::Eight) => convert::gray(&pixels, 2),
        (ColorType::Rgb, BitDepth::Sixteen) => convert::high_bytes::<3, 6>(&pixels),
        (ColorType::Rgba, BitDepth::Sixteen) => convert::high_bytes::<3, 8>(&pixels),
        (ColorType::Grayscale, BitDepth::Sixteen) => convert::clamped_gray16::<2>(&pixels),
        (ColorType::GrayscaleAlpha, BitDepth::Sixteen) if stored_as_gray => {
            convert::clamped_gray16::<4>(&pixels)
        }
        (ColorType::GrayscaleAlpha, BitDepth::Sixteen) => {
            convert::gray(&convert::high_bytes::<1, 4>(&pixels), 1)
        }
        (color, depth) => return Err(broken(format_args!("colours of type {color:?}, {depth:?} bits"))),
    };
    Ok(Decoded { rgb: Rgb::new(width, height, pixels)?, orientation: found.orientation })
}

/// What a walk over the chunks finds.
struct Survey {
    orientation: Orientation,
    /// Whether the last chunk is there.
    ends: bool,
}

/// Walks over the chunks: those before the picture must be whole and have the right sum.
fn survey(bytes: &[u8]) -> Result<Survey> {
    let mut survey = Survey { orientation: Orientation::default(), ends: false };
    let mut at = SIGNATURE;
    let mut picture = false;
    while let Some(length) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        let length = u32::from_be_bytes(*length) as usize;
        let Some(chunk) = at.checked_add(length).and_then(|end| bytes.get(at + 4..end.checked_add(8)?))
        else {
            break;
        };
        let (name, body) = chunk.split_at(4);
        let sum = bytes.get(at + 8 + length..).and_then(|rest| rest.first_chunk()).copied();
        picture |= name == b"IDAT";
        if !picture && sum.map(u32::from_be_bytes) != Some(crc32fast::hash(chunk)) {
            let name = String::from_utf8_lossy(name).escape_debug().to_string();
            return Err(broken(format_args!("the sum of its chunk {name} is wrong")));
        }
        if !picture && inflates_too_far(name, body) {
            return Err(unusable("a text or a profile within it inflates to more than a megabyte"));
        }
        match name {
            b"eXIf" => survey.orientation = exif::orientation(body),
            b"IEND" => {
                survey.ends = sum.is_some();
                break;
            }
            _ => {}
        }
        at += 12 + length;
    }
    Ok(survey)
}

/// Most bytes that a text or a profile may inflate to, Pillow's `MAX_TEXT_CHUNK`.
const MOST_TEXT: u64 = 1 << 20;

/// Whether a chunk holds a bomb. What is inflated goes nowhere, and no further than to the limit.
fn inflates_too_far(name: &[u8], body: &[u8]) -> bool {
    // A keyword that ends with a zero, and what stands between it and the compressed part.
    let mut parts = body.splitn(2, |&byte| byte == 0);
    let after = parts.nth(1).unwrap_or_default();
    let compressed = match name {
        b"iCCP" | b"zTXt" => after.get(1..),
        // Flag, method, language, translated keyword.
        b"iTXt" if after.first() == Some(&1) => {
            after.get(2..).and_then(|rest| rest.splitn(3, |&byte| byte == 0).nth(2))
        }
        _ => None,
    };
    let inflated = ZlibDecoder::new(compressed.unwrap_or_default()).take(MOST_TEXT + 1);
    // Damaged data end where the damage is; Pillow goes on without them.
    let mut counted = Counted { inner: inflated, bytes: 0 };
    let _ = io::copy(&mut counted, &mut io::sink());
    counted.bytes > MOST_TEXT
}

/// Counts what is read, up to an error.
struct Counted<R> {
    inner: R,
    bytes: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(to)?;
        self.bytes += read as u64;
        Ok(read)
    }
}
