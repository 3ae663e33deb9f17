//! The directory of a TIFF: tags and their values, of both byte orders, with offsets of four or of eight bytes.

use super::super::broken;
use millrace_contract::Result;

pub(super) const WIDTH: u16 = 256;
pub(super) const HEIGHT: u16 = 257;
pub(super) const BITS: u16 = 258;
pub(super) const COMPRESSION: u16 = 259;
pub(super) const PHOTOMETRIC: u16 = 262;
pub(super) const FILL_ORDER: u16 = 266;
pub(super) const STRIP_OFFSETS: u16 = 273;
pub(super) const ORIENTATION: u16 = 274;
pub(super) const SAMPLES: u16 = 277;
pub(super) const ROWS_PER_STRIP: u16 = 278;
pub(super) const STRIP_LENGTHS: u16 = 279;
pub(super) const PLANAR: u16 = 284;
pub(super) const T4_OPTIONS: u16 = 292;
pub(super) const PREDICTOR: u16 = 317;
pub(super) const COLOR_MAP: u16 = 320;
pub(super) const TILE_WIDTH: u16 = 322;
pub(super) const TILE_HEIGHT: u16 = 323;
pub(super) const TILE_OFFSETS: u16 = 324;
pub(super) const TILE_LENGTHS: u16 = 325;
pub(super) const EXTRA_SAMPLES: u16 = 338;
pub(super) const SAMPLE_FORMAT: u16 = 339;
pub(super) const JPEG_TABLES: u16 = 347;
pub(super) const LUMA_WEIGHTS: u16 = 529;
pub(super) const CHROMA_SUBSAMPLING: u16 = 530;
pub(super) const REFERENCE_BLACK_WHITE: u16 = 532;

/// A tag: its type's number, and its values as they stand in the file.
struct Entry<'bytes> {
    tag: u16,
    kind: u16,
    values: &'bytes [u8],
}

/// The tags of one picture.
pub(super) struct Directory<'bytes> {
    /// Whether numbers have their low byte first.
    pub(super) little: bool,
    entries: Vec<Entry<'bytes>>,
}

/// Numbers of the file's byte order.
#[derive(Clone, Copy)]
struct Reader<'bytes> {
    bytes: &'bytes [u8],
    little: bool,
}

impl Reader<'_> {
    /// The number of `size` bytes at `at`.
    fn number(self, at: usize, size: usize) -> Option<u64> {
        let bytes = self.bytes.get(at..at.checked_add(size)?)?;
        let join = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        Some(if self.little { bytes.iter().rev().fold(0, join) } else { bytes.iter().fold(0, join) })
    }

    fn index(self, at: usize, size: usize) -> Option<usize> {
        usize::try_from(self.number(at, size)?).ok()
    }
}

/// Bytes of a value of the type.
fn size_of(kind: u16) -> usize {
    match kind {
        3 | 8 => 2,
        4 | 9 | 11 | 13 => 4,
        5 | 10 | 12 | 16..=18 => 8,
        _ => 1,
    }
}

impl<'bytes> Directory<'bytes> {
    /// The directory of the file's first picture.
    pub(super) fn first(bytes: &'bytes [u8]) -> Result<Self> {
        Self::read(bytes).ok_or_else(|| broken("its directory is cut"))
    }

    fn read(bytes: &'bytes [u8]) -> Option<Self> {
        let little = bytes.starts_with(b"I");
        let reader = Reader { bytes, little };
        let big = bytes.get(2..4)?.contains(&43);
        // Sizes of: an offset, the number of entries, an entry.
        let (offset, count, entry) = if big { (8, 8, 20) } else { (4, 2, 12) };
        let start = reader.index(if big { 8 } else { 4 }, offset)?;
        let entries = reader.index(start, count)?;
        let mut directory = Self { little, entries: Vec::new() };
        for number in 0..entries {
            let at = start.checked_add(count)?.checked_add(number.checked_mul(entry)?)?;
            let (tag, kind) = (reader.number(at, 2)?, reader.number(at + 2, 2)?);
            let (tag, kind) = (u16::try_from(tag).ok()?, u16::try_from(kind).ok()?);
            let length = reader.index(at + 4, offset)?.checked_mul(size_of(kind))?;
            let field = at + 4 + offset;
            let from = if length <= offset { field } else { reader.index(field, offset)? };
            // A tag whose values lie outside the file is as good as none; it may be one that is not needed.
            if let Some(values) = from.checked_add(length).and_then(|end| bytes.get(from..end)) {
                directory.entries.push(Entry { tag, kind, values });
            }
        }
        Some(directory)
    }

    fn entry(&self, tag: u16) -> Option<&Entry<'bytes>> {
        self.entries.iter().find(|entry| entry.tag == tag)
    }

    /// The values as bytes.
    pub(super) fn bytes(&self, tag: u16) -> Option<&'bytes [u8]> {
        self.entry(tag).map(|entry| entry.values)
    }

    /// The values as numbers; none where the tag is missing.
    pub(super) fn numbers(&self, tag: u16) -> Vec<u64> {
        let Some(entry) = self.entry(tag) else { return Vec::new() };
        let size = size_of(entry.kind);
        let reader = Reader { bytes: entry.values, little: self.little };
        (0..entry.values.len() / size).filter_map(|at| reader.number(at * size, size)).collect()
    }

    /// The first value as a number.
    pub(super) fn number(&self, tag: u16) -> Option<u64> {
        self.numbers(tag).first().copied()
    }

    /// The values as fractions, which are pairs of numbers of four bytes.
    pub(super) fn fractions(&self, tag: u16) -> Vec<f32> {
        #[expect(clippy::cast_precision_loss, reason = "libtiff computes in float32")]
        let fraction = |above: u64, below: u64| if below == 0 { 0.0 } else { above as f32 / below as f32 };
        let reader = Reader { bytes: self.bytes(tag).unwrap_or_default(), little: self.little };
        let pair = |at| Some(fraction(reader.number(8 * at, 4)?, reader.number(8 * at + 4, 4)?));
        (0..reader.bytes.len() / 8).filter_map(pair).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_that_lie_end_without_one() {
        assert!(Directory::read(b"II*\0\x08\0\0\0").is_none(), "no entries");
        assert!(Directory::read(b"II*\0\xFF\xFF\xFF\xFF").is_none(), "an offset outside");
        assert!(Directory::read(b"II+\0\x08\0\0\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF").is_none());
        assert!(Directory::read(b"II*\0\x08\0\0\0\xFF\xFF").is_none(), "more entries than bytes");
    }

    #[test]
    fn both_byte_orders() {
        let little = b"II*\0\x08\0\0\0\x01\0\x00\x01\x03\0\x01\0\0\0\x2C\x01\0\0";
        let big = b"MM\0*\0\0\0\x08\0\x01\x01\0\0\x03\0\0\0\x01\x01\x2C\0\0";
        for bytes in [&little[..], &big[..]] {
            assert_eq!(Directory::read(bytes).and_then(|found| found.number(WIDTH)), Some(300));
        }
    }
}
