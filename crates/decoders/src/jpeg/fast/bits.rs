//! Reading bits and Huffman codes from a scan whose stuffing bytes are gone.

/// Bits that a code is looked up by; longer codes, which are rare, are searched for.
const LOOKUP: u32 = 10;

/// A place in the data of a scan, and the bits that are read ahead.
#[derive(Debug, Clone, Default)]
pub(super) struct Bits {
    /// The next bits, the first one on top.
    ahead: u64,
    /// How many of them there are.
    count: u32,
    /// The next byte to read.
    at: usize,
}

impl Bits {
    /// Begins at byte `at`.
    pub(super) fn at(at: usize) -> Self {
        Self { ahead: 0, count: 0, at }
    }

    /// Reads ahead, so that at least 56 bits are there: enough for a code and what follows it. Behind the data come zeros; who
    /// took them is found out by [`Bits::ends_at`].
    #[inline]
    pub(super) fn fill(&mut self, data: &[u8]) {
        let next = match data.get(self.at..).and_then(|rest| rest.first_chunk()) {
            Some(bytes) => u64::from_be_bytes(*bytes),
            None => tail(data, self.at),
        };
        self.ahead |= next >> self.count;
        self.at += ((63 - self.count) >> 3) as usize;
        self.count |= 0x38; // 56: whole bytes were read, so that the lowest three bits stay
    }

    /// The next `count` bits, 1 to 32, which stay.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "at most 32 bits")]
    fn peek(&self, count: u32) -> usize {
        (self.ahead >> (64 - count)) as usize
    }

    #[inline]
    fn skip(&mut self, count: u32) {
        self.ahead <<= count;
        self.count -= count;
    }

    /// Takes `count` bits, 0 to 16, as a number.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "at most 16 bits")]
    pub(super) fn take(&mut self, count: u32) -> u32 {
        // In two steps: a shift by 64 is not defined.
        let value = (self.ahead >> 1 >> (63 - count)) as u32;
        self.skip(count);
        value
    }

    /// Takes up to 32 bits, the first one on top of 64.
    #[inline]
    pub(super) fn take_on_top(&mut self, count: u32) -> u64 {
        let bits = self.ahead;
        self.skip(count);
        bits
    }

    /// Takes `size` bits, 1 to 16, as a value of which half are negative.
    #[inline]
    pub(super) fn value(&mut self, size: u32) -> i32 {
        let bits = self.take(size).cast_signed();
        if bits < 1 << (size - 1) { bits - (1 << size) + 1 } else { bits }
    }

    /// Takes a code; `None` for bits that are none.
    #[inline]
    pub(super) fn symbol(&mut self, codes: &Codes) -> Option<u8> {
        let found = codes.lookup[self.peek(LOOKUP)];
        if found.length > 0 {
            self.skip(found.length.into());
            return Some(found.symbol);
        }
        let (length, symbol) = codes.long(self.peek(16))?;
        self.skip(length);
        Some(symbol)
    }

    /// Takes a code of a frequency and its value, where both are short: zeros before it, and the value, which is not 0.
    #[inline]
    pub(super) fn short_value(&mut self, codes: &Codes) -> Option<(usize, i16)> {
        let found = codes.values[self.peek(LOOKUP)];
        if found.length == 0 {
            return None;
        }
        self.skip(found.length.into());
        Some((usize::from(found.zeros), found.value.into()))
    }

    /// Whether exactly the bytes before `end` are taken, the last one perhaps in part.
    pub(super) fn ends_at(&self, end: usize) -> bool {
        let taken = 8 * self.at - self.count as usize;
        (8 * end).checked_sub(taken).is_some_and(|left| left < 8)
    }
}

/// The last bytes of the data, and zeros.
#[cold]
fn tail(data: &[u8], at: usize) -> u64 {
    let rest = data.get(at..).unwrap_or_default();
    (0..8).fold(0, |bits, byte| bits << 8 | u64::from(rest.get(byte).copied().unwrap_or(0)))
}

/// A code of at most [`LOOKUP`] bits; of length 0 where the bits begin a longer one.
#[derive(Debug, Clone, Copy, Default)]
struct Short {
    length: u8,
    symbol: u8,
}

/// A code and its value in at most [`LOOKUP`] bits together; of length 0 where they need more.
#[derive(Debug, Clone, Copy, Default)]
struct ShortValue {
    length: u8,
    zeros: u8,
    value: i8,
}

/// A Huffman table.
#[derive(Debug)]
pub(super) struct Codes {
    lookup: Box<[Short; 1 << LOOKUP]>,
    values: Box<[ShortValue; 1 << LOOKUP]>,
    /// For each length, one more than the last code of it, in 16 bits, and which symbol the first code has less the code.
    ends: [u32; 17],
    offsets: [i32; 17],
    symbols: Vec<u8>,
}

impl Codes {
    /// The table with as many codes of each length from 1 to 16 as `counts` says. `None` for what is no table.
    pub(super) fn new(counts: &[u8; 16], symbols: &[u8]) -> Option<Self> {
        let mut table = Self {
            lookup: Box::new([Short::default(); 1 << LOOKUP]),
            values: Box::new([ShortValue::default(); 1 << LOOKUP]),
            ends: [0; 17],
            offsets: [0; 17],
            symbols: symbols.to_vec(),
        };
        let (mut code, mut next) = (0_u32, 0_usize);
        for (length, &count) in (1_u32..).zip(counts) {
            let first = code;
            for _ in 0..count {
                let symbol = *symbols.get(next)?;
                if length <= LOOKUP {
                    let start = (code << (LOOKUP - length)) as usize;
                    let found = Short { length: u8::try_from(length).ok()?, symbol };
                    table.lookup.get_mut(start..start + (1 << (LOOKUP - length)))?.fill(found);
                }
                code += 1;
                next += 1;
            }
            // The code of all ones is no code.
            if code > (1 << length) - u32::from(count > 0) {
                return None;
            }
            let at = length as usize;
            table.ends[at] = if count == 0 { 0 } else { code << (16 - length) };
            table.offsets[at] = i32::try_from(next).ok()? - i32::from(count) - first.cast_signed();
            code <<= 1;
        }
        table.add_values();
        (next == symbols.len()).then_some(table)
    }

    /// Fills the table of codes with their values.
    fn add_values(&mut self) {
        for (bits, (found, entry)) in (0_u32..).zip(self.lookup.iter().zip(self.values.iter_mut())) {
            let size = u32::from(found.symbol & 15);
            let length = u32::from(found.length) + size;
            if found.length == 0 || size == 0 || length > LOOKUP {
                continue;
            }
            let value = (bits >> (LOOKUP - length) & ((1 << size) - 1)).cast_signed();
            let value = if value < 1 << (size - 1) { value - (1 << size) + 1 } else { value };
            if let (Ok(value), Ok(length)) = (i8::try_from(value), u8::try_from(length)) {
                *entry = ShortValue { length, zeros: found.symbol >> 4, value };
            }
        }
    }

    /// The code that 16 bits begin with.
    #[cold]
    fn long(&self, bits: usize) -> Option<(u32, u8)> {
        let length = (1..=16_usize).find(|&length| bits < self.ends[length] as usize)?;
        let code = i32::try_from(bits >> (16 - length)).ok()?;
        let symbol = usize::try_from(code + self.offsets[length]).ok()?;
        Some((u32::try_from(length).ok()?, *self.symbols.get(symbol)?))
    }

    /// Whether all symbols are sizes of differences, as a table for the first coefficients must have.
    pub(super) fn has_sizes_only(&self) -> bool {
        self.symbols.iter().all(|&symbol| symbol <= 15)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_all_lengths() {
        // 0, 10, 110, … with 15 ones and a zero as the longest.
        let symbols: Vec<u8> = (1..=16).collect();
        let codes = Codes::new(&[1; 16], &symbols).unwrap();
        for (length, symbol) in (0..16).zip(1..=16) {
            let code = (u16::MAX << (15 - length) << 1).to_be_bytes();
            let mut bits = Bits::default();
            bits.fill(&code);
            assert_eq!(bits.symbol(&codes), Some(symbol));
            assert_eq!(bits.count, 55 - length);
        }
        let mut ones = Bits::default();
        ones.fill(&[0xFF; 8]);
        assert_eq!(ones.symbol(&codes), None);
        assert!(Codes::new(&[3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &[1, 2, 3]).is_none());
    }

    #[test]
    fn values_and_the_end() {
        let mut bits = Bits::at(1);
        let data = [0xFF, 0b0110_1001, 0b1000_0000];
        bits.fill(&data);
        assert_eq!([bits.value(1), bits.value(2), bits.value(3), bits.value(3)], [-1, 3, -5, -4]);
        assert!(bits.ends_at(3));
        assert!(!bits.ends_at(4));
        assert!(!bits.ends_at(2));
    }
}
