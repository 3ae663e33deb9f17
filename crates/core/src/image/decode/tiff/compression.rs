//! Decompressing a strip or a tile.

use super::{
    super::broken,
    directory::{self, Directory},
    layout::{Colors, Layout},
    ycbcr,
};
use crate::image::unusable;
use fax::decoder::{DecodeStatus, Group3Decoder, Group4Decoder};
use flate2::read::ZlibDecoder;
use millrace_contract::Result;
use millrace_decoders::jpeg::{self, Budget, Header};
use std::{borrow::Cow, convert::Infallible, io::Read};
use weezl::{BitOrder, decode};

/// A strip or tile as it is stored.
pub(super) struct Chunk<'bytes> {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Rows of a chunk that is not the last one.
    pub(super) most_height: usize,
    pub(super) data: &'bytes [u8],
}

/// The samples of a chunk: its rows, each in whole bytes, and perhaps more than that. Fewer mean that the file is cut.
pub(super) fn decompress(chunk: &Chunk<'_>, directory: &Directory<'_>, layout: &Layout) -> Result<Vec<u8>> {
    let data = if layout.reversed {
        Cow::Owned(chunk.data.iter().map(|byte| byte.reverse_bits()).collect())
    } else {
        Cow::Borrowed(chunk.data)
    };
    let subsampling = ycbcr::Subsampling::of(directory, layout)?;
    let length = subsampling.map_or(layout.row_bytes(chunk.width) * chunk.height, |it| it.bytes_of(chunk));
    let samples = match layout.compression {
        // Pillow reads these without libtiff, which alone knows how to spread the chroma.
        1 if subsampling.is_some() => {
            return Err(broken("subsampled colours without compression are not read"));
        }
        1 => data[..length.min(data.len())].to_vec(),
        2 => return Err(broken("its compression, CCITT without ends of lines, is not read")),
        3 => group_3(&data, chunk, directory)?,
        4 => group_4(&data, chunk)?,
        5 => lzw(&data, length)?,
        7 => return as_jpeg(&data, chunk, directory, layout),
        8 | 32_946 => inflate(&data, length)?,
        32_773 => packed_bits(&data, length),
        other => return Err(broken(format_args!("compression {other} is not read"))),
    };
    match subsampling {
        Some(subsampling) if samples.len() >= length => Ok(subsampling.spread(&samples, chunk)),
        Some(_) => Err(unusable("the file is truncated")),
        None => Ok(samples),
    }
}

fn lzw(data: &[u8], length: usize) -> Result<Vec<u8>> {
    // Before version 6 of the format bits came in the other order, told by a first code that is not the one to clear.
    if let [0, second, ..] = data
        && second & 1 == 1
    {
        return Err(broken("its compression, LZW of before 1992, is not read"));
    }
    let mut samples = vec![0; length];
    let mut decoder = decode::Decoder::with_tiff_size_switch(BitOrder::Msb, 8);
    let (mut read, mut written) = (0, 0);
    while written < length {
        let step = decoder.decode_bytes(&data[read..], &mut samples[written..]);
        read += step.consumed_in;
        written += step.consumed_out;
        match step.status {
            Ok(weezl::LzwStatus::Ok) if step.consumed_in + step.consumed_out > 0 => {}
            Ok(_) => break,
            Err(error) => return Err(broken(error)),
        }
    }
    samples.truncate(written);
    Ok(samples)
}

fn inflate(data: &[u8], length: usize) -> Result<Vec<u8>> {
    let mut samples = Vec::new();
    ZlibDecoder::new(data).take(length as u64).read_to_end(&mut samples).map_err(broken)?;
    Ok(samples)
}

/// Apple's run lengths: a count and what to repeat, or a count and as many bytes.
fn packed_bits(data: &[u8], length: usize) -> Vec<u8> {
    let mut samples = Vec::with_capacity(length);
    let mut rest = data;
    while let Some((&count, after)) = rest.split_first() {
        if samples.len() >= length {
            break;
        }
        match count {
            0..=127 => {
                let (literal, after) = after.split_at(after.len().min(usize::from(count) + 1));
                samples.extend_from_slice(literal);
                rest = after;
            }
            128 => rest = after,
            _ => {
                let Some((&byte, after)) = after.split_first() else { break };
                samples.extend(std::iter::repeat_n(byte, 257 - usize::from(count)));
                rest = after;
            }
        }
    }
    samples.truncate(length);
    samples
}

/// Where runs end in a row, to bits; white, which begins, is 0.
fn push_runs(samples: &mut Vec<u8>, ends: &[u16], width: usize) {
    let start = samples.len();
    samples.resize(start + width.div_ceil(8), 0);
    let row = &mut samples[start..];
    for run in ends.chunks(2) {
        let from = usize::from(run[0]).min(width);
        let to = run.get(1).map_or(width, |&end| usize::from(end)).min(width);
        for x in from..to {
            row[x / 8] |= 0x80 >> (x % 8);
        }
    }
}

fn whole_bytes(data: &[u8]) -> impl Iterator<Item = std::result::Result<u8, Infallible>> + '_ {
    data.iter().map(|&byte| Ok(byte))
}

fn group_4(data: &[u8], chunk: &Chunk<'_>) -> Result<Vec<u8>> {
    let width = u16::try_from(chunk.width).map_err(broken)?;
    let damaged = || broken("its CCITT Group 4 data are damaged");
    let mut decoder = Group4Decoder::new(whole_bytes(data), width).map_err(|_| damaged())?;
    let mut samples = Vec::new();
    for _ in 0..chunk.height {
        match decoder.advance().map_err(|_| damaged())? {
            DecodeStatus::End => break,
            DecodeStatus::Incomplete => push_runs(&mut samples, decoder.transition(), chunk.width),
        }
    }
    Ok(samples)
}

/// An end of line, 11 zeros and a one, with some zeros before.
const LAST_MARK: &[u8] = &[0x00, 0x00, 0x10, 0x01, 0x00, 0x10];

fn group_3(data: &[u8], chunk: &Chunk<'_>, directory: &Directory<'_>) -> Result<Vec<u8>> {
    if directory.number(directory::T4_OPTIONS).unwrap_or(0) & 1 == 1 {
        return Err(broken("its compression, CCITT Group 3 in two dimensions, is not read"));
    }
    let damaged = || broken("its CCITT Group 3 data are damaged");
    // The decoder knows the end of a line by the mark of the next one, and writers leave out the one behind the last line.
    let data = [data, LAST_MARK].concat();
    let mut decoder = Group3Decoder::new(whole_bytes(&data)).map_err(|_| damaged())?;
    let mut samples = Vec::new();
    for row in 0..chunk.height {
        let status = decoder.advance().map_err(|_| damaged())?;
        push_runs(&mut samples, decoder.transitions(), chunk.width);
        if matches!(status, DecodeStatus::End) && row + 1 < chunk.height {
            break;
        }
    }
    Ok(samples)
}

/// A chunk that is a JPEG whose tables may stand in a tag.
fn as_jpeg(data: &[u8], chunk: &Chunk<'_>, directory: &Directory<'_>, layout: &Layout) -> Result<Vec<u8>> {
    let file = match directory.bytes(directory::JPEG_TABLES) {
        // The tables are a JPEG of their own: its end and the chunk's begin fall away where the two are joined.
        Some([tables @ .., 0xFF, 0xD9]) if data.len() > 2 => Cow::Owned([tables, &data[2..]].concat()),
        _ => Cow::Borrowed(data),
    };
    let colors = match layout.colors {
        Colors::YCbCr if layout.samples == 3 && !layout.planar => jpeg::Colors::FromYCbCr,
        _ => jpeg::Colors::AsStored,
    };
    let header = Header::read_as(&file, colors).map_err(broken)?;
    let wanted = (chunk.width, layout.samples_in_plane());
    let rows = header.height as usize;
    if (header.width as usize, header.channels as usize) != wanted || rows < chunk.height || layout.bits != 8
    {
        return Err(broken("the JPEG within it has another size than it says"));
    }
    if rows > chunk.most_height {
        return Err(broken("the JPEG within it is larger than it says"));
    }
    let mut samples = vec![0; usize::try_from(header.decoded_bytes()).map_err(unusable)?];
    let budget = Budget { most_memory: 6 * header.decoded_bytes() + (1 << 20), most_scans: 64 };
    jpeg::decode(&file, &header, &mut samples, budget).map_err(broken)?;
    Ok(samples)
}
