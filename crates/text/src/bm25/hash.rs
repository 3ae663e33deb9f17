//! Words to ids: `MurmurHash3` for 32 bits, as the indexes expect that FastEmbed fills.

const C1: u32 = 0xcc9e_2d51;
const C2: u32 = 0x1b87_3593;

/// The id of a term: the magnitude of its signed 32-bit hash. At most 2^31.
#[must_use]
pub fn term_id(term: &str) -> u32 {
    murmur3(term.as_bytes()).cast_signed().unsigned_abs()
}

/// `MurmurHash3_x86_32` with seed 0.
fn murmur3(bytes: &[u8]) -> u32 {
    let mut hash = 0u32;
    let (blocks, tail) = bytes.as_chunks::<4>();
    for block in blocks {
        hash ^= scramble(u32::from_le_bytes(*block));
        hash = hash.rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    if !tail.is_empty() {
        let rest = tail.iter().rev().fold(0, |rest, &byte| (rest << 8) | u32::from(byte));
        hash ^= scramble(rest);
    }
    #[expect(clippy::cast_possible_truncation, reason = "the algorithm mixes in the length modulo 2^32")]
    let length = bytes.len() as u32;
    hash ^= length;
    hash ^= hash >> 16;
    hash = hash.wrapping_mul(0x85eb_ca6b);
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

fn scramble(block: u32) -> u32 {
    block.wrapping_mul(C1).rotate_left(15).wrapping_mul(C2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_like_the_reference() {
        // Of the algorithm's published test vectors, seed 0.
        assert_eq!(murmur3(b""), 0);
        assert_eq!(murmur3(b"test"), 0xba6b_d213);
        assert_eq!(murmur3(b"Hello, world!"), 0xc036_3e43);
        assert_eq!(murmur3(b"The quick brown fox jumps over the lazy dog"), 0x2e4f_f723);
    }

    #[test]
    fn ids_are_magnitudes() {
        assert_eq!(term_id("test"), 0xba6b_d213u32.cast_signed().unsigned_abs());
        assert!((0..10_000).all(|n| term_id(&n.to_string()) <= 1 << 31));
    }
}
