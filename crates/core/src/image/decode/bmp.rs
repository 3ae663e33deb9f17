//! BMP: the layouts that Pillow reads, and where a file contradicts itself, as Pillow reads it.

use super::{
    super::{ImageLimits, Rgb, unusable},
    Decoded, broken,
    orientation::Orientation,
};
use millrace_contract::Result;

/// Bytes of the file header, which the bitmap's own header follows.
const FILE_HEADER: usize = 14;

/// Size of the oldest bitmap header, with sides of 16 bits and palettes of three bytes a colour.
const CORE_HEADER: u32 = 12;

/// How the pixels of a row are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// Indices of 1, 4 or 8 bits.
    Indexed(u32),
    /// Runs of indices of 4 or 8 bits.
    Runs(u32),
    /// 16 bits with five for each channel.
    Rgb555,
    /// 16 bits, green having six.
    Rgb565,
    /// Three or four bytes a pixel; where red, green and blue are.
    Bytes { step: usize, at: [usize; 3] },
}

struct Header {
    width: usize,
    height: usize,
    /// Whether the first row of the file is the upper one.
    from_top: bool,
    layout: Layout,
    palette: Vec<[u8; 3]>,
    /// Where the pixels begin.
    pixels: usize,
}

/// Decodes the file.
pub(super) fn decode(bytes: &[u8], limits: &ImageLimits) -> Result<Decoded> {
    let header = Header::read(bytes, limits)?;
    let data = bytes.get(header.pixels..).unwrap_or_default();
    let pixels = match header.layout {
        Layout::Runs(bits) => header.indexed(&runs(data, header.pixels, bits, &header)?, 8, header.width)?,
        Layout::Indexed(bits) => {
            let stride = stride(header.width, bits);
            header.indexed(data, bits, stride)?
        }
        Layout::Rgb555 => header.rows(data, 16, |row, to| {
            for (pixel, to) in row.as_chunks::<2>().0.iter().zip(to.as_chunks_mut::<3>().0) {
                let pixel = u16::from_le_bytes(*pixel);
                *to = [scaled(pixel >> 10, 31), scaled(pixel >> 5, 31), scaled(pixel, 31)];
            }
        })?,
        Layout::Rgb565 => header.rows(data, 16, |row, to| {
            for (pixel, to) in row.as_chunks::<2>().0.iter().zip(to.as_chunks_mut::<3>().0) {
                let pixel = u16::from_le_bytes(*pixel);
                *to = [scaled(pixel >> 11, 31), scaled(pixel >> 5, 63), scaled(pixel, 31)];
            }
        })?,
        Layout::Bytes { step, at } => header.rows(data, if step == 3 { 24 } else { 32 }, |row, to| {
            for (pixel, to) in row.chunks_exact(step).zip(to.as_chunks_mut::<3>().0) {
                *to = at.map(|at| pixel[at]);
            }
        })?,
    };
    let rgb = Rgb::of(header.width, header.height, pixels)?;
    Ok(Decoded { rgb, orientation: Orientation::default() })
}

/// The lowest bits of `value`, as many as `most` has, spread over 0 to 255.
fn scaled(value: u16, most: u16) -> u8 {
    u8::try_from(u32::from(value & most) * 255 / u32::from(most)).unwrap_or(u8::MAX)
}

/// Bytes of a row, filled up to four.
fn stride(width: usize, bits: u32) -> usize {
    (width * bits as usize).div_ceil(32) * 4
}

/// A cursor over the header's little-endian fields.
struct Fields<'bytes>(&'bytes [u8]);

impl Fields<'_> {
    fn short(&self, at: usize) -> Result<u32> {
        let bytes = self.0.get(at..).and_then(|rest| rest.first_chunk());
        bytes.map(|bytes| u16::from_le_bytes(*bytes).into()).ok_or_else(|| broken("its header is cut"))
    }

    fn long(&self, at: usize) -> Result<u32> {
        let bytes = self.0.get(at..).and_then(|rest| rest.first_chunk());
        bytes.map(|bytes| u32::from_le_bytes(*bytes)).ok_or_else(|| broken("its header is cut"))
    }
}

impl Header {
    fn read(bytes: &[u8], limits: &ImageLimits) -> Result<Self> {
        let fields = Fields(bytes);
        let size = fields.long(FILE_HEADER)?;
        let core = size == CORE_HEADER;
        if !core && !matches!(size, 40 | 52 | 56 | 64 | 108 | 124) {
            return Err(broken(format_args!("a bitmap header of {size} bytes is not known")));
        }
        let mut after = FILE_HEADER + size as usize;
        if bytes.len() < after {
            return Err(broken("its header is cut"));
        }
        let (width, height, from_top, bits, compression, colors);
        if core {
            (width, height, from_top) = (fields.short(18)?, fields.short(20)?, false);
            (bits, compression, colors) = (fields.short(24)?, 0, 0);
        } else {
            width = fields.long(18)?;
            let signed = fields.long(22)?;
            // Only a height near zero counts as negative: any other would be too large either way.
            from_top = signed >> 24 == 0xFF;
            height = if from_top { signed.wrapping_neg() } else { signed };
            (bits, compression, colors) = (fields.short(28)?, fields.long(30)?, fields.long(46)?);
        }
        limits.check_pixels(width.into(), height.into())?;
        let layout = match (compression, bits) {
            (0, 1 | 4 | 8) => Layout::Indexed(bits),
            (0, 16) => Layout::Rgb555,
            (0, 24) => Layout::Bytes { step: 3, at: [2, 1, 0] },
            (0, 32) => Layout::Bytes { step: 4, at: [2, 1, 0] },
            // Pillow asks the compression for the width of an index, not the bits.
            (1, 1 | 4 | 8) => Layout::Runs(8),
            (2, 1 | 4 | 8) => Layout::Runs(4),
            (3, 16 | 24 | 32) => {
                // Headers of 40 bytes have the masks of three channels behind them.
                let masks = [fields.long(54)?, fields.long(58)?, fields.long(62)?];
                let alpha = if size >= 56 { fields.long(66)? } else { 0 };
                if size == 40 {
                    after += 12;
                }
                masked(bits, masks, alpha)?
            }
            (0..=3, _) => {
                return Err(broken(format_args!("{bits} bits a pixel with compression {compression}")));
            }
            _ => return Err(broken(format_args!("compression {compression} is not read"))),
        };
        let mut header = Self {
            width: width as usize,
            height: height as usize,
            from_top,
            layout,
            palette: Vec::new(),
            pixels: fields.long(10)? as usize,
        };
        header.read_palette(bytes, after, bits, colors, if core { 3 } else { 4 })?;
        Ok(header)
    }

    /// Reads the colours that follow the header, and says where the pixels are.
    fn read_palette(
        &mut self,
        bytes: &[u8],
        after: usize,
        bits: u32,
        colors: u32,
        step: usize,
    ) -> Result<()> {
        let mut end = after;
        if bits <= 8 {
            let colors = if colors == 0 { 1 << bits } else { colors as usize };
            if colors > 256 {
                return Err(broken(format_args!("a palette of {colors} colours")));
            }
            end += step * colors;
            let table = bytes.get(after..end.min(bytes.len())).unwrap_or_default();
            self.palette = table.chunks_exact(step).map(|color| [color[2], color[1], color[0]]).collect();
            // A file may say that the pixels begin where the palette does.
            if self.pixels == after {
                self.pixels = end;
            }
        }
        if self.pixels == 0 {
            self.pixels = end;
        }
        Ok(())
    }

    /// Rows of `bits` a pixel, each converted by `read`, from the top.
    fn rows(&self, data: &[u8], bits: u32, read: impl Fn(&[u8], &mut [u8])) -> Result<Vec<u8>> {
        self.rows_of(data, stride(self.width, bits), (self.width * bits as usize).div_ceil(8), read)
    }

    /// The same of rows that begin every `stride` bytes and have at least `least`.
    fn rows_of(
        &self,
        data: &[u8],
        stride: usize,
        least: usize,
        read: impl Fn(&[u8], &mut [u8]),
    ) -> Result<Vec<u8>> {
        // The last row of the file may end without the bytes that fill it up.
        if data.len() < stride * (self.height - 1) + least {
            return Err(unusable("the file is truncated"));
        }
        let mut pixels = vec![0; 3 * self.width * self.height];
        for (row, to) in pixels.chunks_exact_mut(3 * self.width).enumerate() {
            let row = if self.from_top { row } else { self.height - 1 - row };
            let row = &data[row * stride..];
            read(&row[..stride.min(row.len())], to);
        }
        Ok(pixels)
    }

    fn indexed(&self, data: &[u8], bits: u32, stride: usize) -> Result<Vec<u8>> {
        // Pillow takes a palette of all grays in order for no palette: then what lies beyond it is gray, else black.
        let grays = (0..=255_u8).zip(&self.palette).all(|(level, color)| *color == [level; 3]);
        let color = |index: u8| {
            let beyond = if grays { [index; 3] } else { [0; 3] };
            self.palette.get(usize::from(index)).copied().unwrap_or(beyond)
        };
        let per_byte = (8 / bits) as usize;
        let mask = u8::try_from((1_u32 << bits) - 1).unwrap_or(u8::MAX);
        self.rows_of(data, stride, (self.width * bits as usize).div_ceil(8), |row, to| {
            for (x, to) in to.as_chunks_mut::<3>().0.iter_mut().enumerate() {
                let shift = bits * u32::try_from(per_byte - 1 - x % per_byte).unwrap_or(0);
                *to = color(row[x / per_byte] >> shift & mask);
            }
        })
    }
}

/// The layout of masks that Pillow knows.
fn masked(bits: u32, masks: [u32; 3], alpha: u32) -> Result<Layout> {
    let bytes = |step, at| Ok(Layout::Bytes { step, at });
    match (bits, masks, alpha) {
        (16, [0xF800, 0x07E0, 0x001F], _) => Ok(Layout::Rgb565),
        (16, [0x7C00, 0x03E0, 0x001F], _) => Ok(Layout::Rgb555),
        (24, [0x00FF_0000, 0xFF00, 0xFF], _) => bytes(3, [2, 1, 0]),
        (32, [0x00FF_0000, 0xFF00, 0xFF], 0 | 0xFF00_0000) | (32, [0, 0, 0], 0) => bytes(4, [2, 1, 0]),
        (32, [0xFF00_0000, 0x00FF_0000, 0xFF00], 0 | 0xFF) => bytes(4, [3, 2, 1]),
        (32, [0xFF00_0000, 0xFF00, 0xFF], 0 | 0x00FF_0000) => bytes(4, [3, 1, 0]),
        (32, [0xFF, 0xFF00, 0x00FF_0000], 0xFF00_0000) => bytes(4, [0, 1, 2]),
        _ => Err(broken(format_args!("the bit masks {masks:X?} are not read"))),
    }
}

/// Runs to an index a byte. What the runs leave out is index 0; the alignment of literal runs counts from the file's begin.
fn runs(data: &[u8], offset: usize, bits: u32, header: &Header) -> Result<Vec<u8>> {
    let (width, total) = (header.width, header.width * header.height);
    let mut indices = Vec::with_capacity(total);
    let (mut at, mut x) = (0, 0);
    while indices.len() < total {
        let Some(&[count, value]) = data.get(at..).and_then(|rest| rest.first_chunk()) else { break };
        at += 2;
        match (usize::from(count), value) {
            (0, 0) => {
                indices.resize(indices.len().next_multiple_of(width), 0);
                x = 0;
            }
            (0, 1) => break,
            (0, 2) => {
                let Some(&[right, up]) = data.get(at..).and_then(|rest| rest.first_chunk()) else { break };
                at += 2;
                let gap = usize::from(right) + usize::from(up) * width;
                indices.resize(total.min(indices.len() + gap), 0);
                x = indices.len() % width;
            }
            (0, _) => {
                let count = usize::from(value).min(total - indices.len());
                let length = if bits == 4 { count.div_ceil(2) } else { count };
                let literal = data.get(at..).unwrap_or_default();
                let literal = &literal[..length.min(literal.len())];
                at += length;
                if bits == 4 {
                    indices.extend(literal.iter().flat_map(|&pair| [pair >> 4, pair & 15]).take(count));
                } else {
                    indices.extend_from_slice(literal);
                }
                if literal.len() < length {
                    break;
                }
                x += usize::from(value);
                at += (offset + at) % 2;
            }
            (count, value) => {
                let count = count.min(width.saturating_sub(x));
                if bits == 4 {
                    indices.extend([value >> 4, value & 15].into_iter().cycle().take(count));
                } else {
                    indices.extend(std::iter::repeat_n(value, count));
                }
                x += count;
            }
        }
    }
    if indices.len() < total {
        return Err(unusable("the file is truncated"));
    }
    indices.truncate(total);
    Ok(indices)
}
