//! The orientation tag of an EXIF block, which is a small TIFF file.

use super::orientation::Orientation;

/// What JPEG puts before the block; some programs write it into WebP and PNG too, where it does not belong.
const PREFIX: &[u8] = b"Exif\0\0";

/// Number of the orientation tag.
const ORIENTATION: u16 = 0x0112;

/// The orientation that `block` tells, with or without JPEG's prefix. A block that cannot be read tells none.
pub(super) fn orientation(block: &[u8]) -> Orientation {
    let mut block = block;
    // Written twice by programs that took the prefix for a part of the block.
    while let Some(rest) = block.strip_prefix(PREFIX) {
        block = rest;
    }
    tag(block).map_or_else(Orientation::default, |value| Orientation::of_tag(value.into()))
}

fn tag(block: &[u8]) -> Option<u16> {
    let little = match block.get(..2)? {
        b"II" => true,
        b"MM" => false,
        _ => return None,
    };
    let short = |at: usize| {
        let bytes = *block.get(at..)?.first_chunk::<2>()?;
        Some(if little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    };
    let long = |at: usize| {
        let bytes = *block.get(at..)?.first_chunk::<4>()?;
        Some(if little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    };
    let directory = usize::try_from(long(4)?).ok()?;
    let entries = usize::from(short(directory)?);
    // An entry: tag, type, count, value, in 12 bytes.
    (0..entries)
        .map(|entry| directory + 2 + 12 * entry)
        .take_while(|&at| at < block.len())
        .find(|&at| short(at) == Some(ORIENTATION))
        .and_then(|at| short(at + 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LITTLE: &[u8] = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0";

    #[test]
    fn both_byte_orders_and_the_prefix() {
        let big = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x08\0\0";
        assert_eq!(orientation(LITTLE), Orientation::Rotate90);
        assert_eq!(orientation(big), Orientation::Rotate270);
        assert_eq!(orientation(&[PREFIX, LITTLE].concat()), Orientation::Rotate90);
    }

    #[test]
    fn what_is_cut_or_lies_tells_nothing() {
        for length in 0..LITTLE.len() - 4 {
            assert_eq!(orientation(&LITTLE[..length]), Orientation::Upright, "{length}");
        }
        assert_eq!(orientation(b"II*\0\xFF\xFF\xFF\xFF"), Orientation::Upright);
    }
}
