//! Decoding one scan, a row of MCUs at a time, into the coefficients of that row.
//!
//! All scans of a file go on side by side: each decodes its part of a row, and then the row is whole. So no more than a row's
//! coefficients are held, which stay in the processor's cache, and a file of few bytes cannot ask for much memory.

use super::{
    bits::{Bits, Codes},
    parse::{Frame, Part, Scan, ZIGZAG},
};

/// Coefficients of a row of MCUs of one component.
pub(super) struct Row {
    /// Blocks across, those that fill up the last MCU included.
    pub(super) stride: usize,
    /// Blocks, row by row, of 64 coefficients each, row by row.
    pub(super) blocks: Vec<[i16; 64]>,
    /// Of each block which coefficients are not 0, in the order of frequencies.
    pub(super) filled: Vec<u64>,
}

impl Row {
    pub(super) fn clear(&mut self) {
        self.blocks.as_flattened_mut().fill(0);
        self.filled.fill(0);
    }
}

/// How far a scan is decoded.
pub(super) struct Progress {
    bits: Bits,
    /// The next part between restarts.
    part: usize,
    /// MCUs left until the next restart.
    left: usize,
    /// The last first coefficient of each component.
    last: [i32; 3],
    /// Blocks that are known to have no more coefficients.
    empty: u32,
}

impl Progress {
    pub(super) fn new(scan: &Scan) -> Self {
        Self { bits: Bits::at(scan.start), part: 0, left: scan.interval, last: [0; 3], empty: 0 }
    }

    /// Whether all data are taken.
    pub(super) fn is_complete(&self, scan: &Scan) -> bool {
        self.part + 1 == scan.ends.len() && self.bits.ends_at(scan.ends[self.part])
    }

    /// What comes before an MCU: a restart where one is due.
    #[inline]
    fn begin_mcu(&mut self, scan: &Scan) -> Option<()> {
        if scan.interval == 0 {
            return Some(());
        }
        if self.left == 0 {
            let end = *scan.ends.get(self.part)?;
            if !self.bits.ends_at(end) || self.part + 1 >= scan.ends.len() {
                return None;
            }
            *self = Self { part: self.part + 1, bits: Bits::at(end), ..Self::new(scan) };
        }
        self.left -= 1;
        Some(())
    }

    /// Decodes the scan's part of the row of MCUs number `mcu_row`.
    pub(super) fn decode_row(
        &mut self,
        scan: &Scan,
        frame: &Frame,
        data: &[u8],
        mcu_row: usize,
        rows: &mut [Row],
    ) -> Option<()> {
        if let [part] = scan.parts.as_slice() {
            let component = &frame.components[part.component];
            let row = &mut rows[part.component];
            let first = mcu_row * component.down;
            let down = component.down.min(component.blocks_down.saturating_sub(first));
            for y in 0..down {
                for x in 0..component.blocks_across {
                    self.begin_mcu(scan)?;
                    self.decode_block(scan, frame, part, data, row, y * row.stride + x)?;
                }
            }
            return Some(());
        }
        for mcu in 0..frame.mcus_across {
            self.begin_mcu(scan)?;
            for part in &scan.parts {
                let component = &frame.components[part.component];
                let row = &mut rows[part.component];
                for y in 0..component.down {
                    for x in 0..component.across {
                        let block = y * row.stride + mcu * component.across + x;
                        self.decode_block(scan, frame, part, data, row, block)?;
                    }
                }
            }
        }
        Some(())
    }

    #[inline]
    fn decode_block(
        &mut self,
        scan: &Scan,
        frame: &Frame,
        part: &Part,
        data: &[u8],
        row: &mut Row,
        at: usize,
    ) -> Option<()> {
        let (block, filled) = (&mut row.blocks[at], &mut row.filled[at]);
        if !frame.progressive {
            self.first(part, 0, data, block)?;
            *filled = self.all_others(part.others.as_deref()?, data, block)?;
            return Some(());
        }
        match (scan.from, scan.known) {
            (0, 0) => self.first(part, scan.low, data, block),
            (0, _) => {
                self.bits.fill(data);
                if self.bits.take(1) == 1 {
                    block[0] |= 1 << scan.low;
                }
                Some(())
            }
            (_, 0) => self.some_others(part.others.as_deref()?, scan, data, block, filled),
            _ => self.refine_others(part.others.as_deref()?, scan, data, block, filled),
        }
    }

    /// The first coefficient, stored as the difference to that of the block before.
    #[inline]
    fn first(&mut self, part: &Part, low: u32, data: &[u8], block: &mut [i16; 64]) -> Option<()> {
        self.bits.fill(data);
        let size = u32::from(self.bits.symbol(part.first.as_deref()?)?);
        let difference = if size == 0 { 0 } else { self.bits.value(size) };
        let last = &mut self.last[part.component];
        *last = last.wrapping_add(difference);
        block[0] = to_i16(*last << low);
        Some(())
    }

    /// All other coefficients at once; says which are not 0.
    #[inline]
    fn all_others(&mut self, codes: &Codes, data: &[u8], block: &mut [i16; 64]) -> Option<u64> {
        let (mut at, mut filled) = (1, 0);
        while at < 64 {
            self.bits.fill(data);
            let (zeros, value) = match self.bits.short_value(codes) {
                Some(found) => found,
                None => match self.long_value(codes)? {
                    (zeros, 0) if zeros < 15 => break,
                    found => found,
                },
            };
            at += zeros;
            // Sixteen zeros have no value behind them.
            if value != 0 {
                block[usize::from(*ZIGZAG.get(at)?)] = value;
                filled |= 1 << at;
            }
            at += 1;
        }
        Some(filled)
    }

    /// A code of any length: zeros, and the value behind them, which is 0 for the codes that only count.
    fn long_value(&mut self, codes: &Codes) -> Option<(usize, i16)> {
        let symbol = self.bits.symbol(codes)?;
        let size = u32::from(symbol & 15);
        let value = if size == 0 { 0 } else { to_i16(self.bits.value(size)) };
        Some((usize::from(symbol >> 4), value))
    }

    /// The upper bits of some frequencies.
    #[inline]
    fn some_others(
        &mut self,
        codes: &Codes,
        scan: &Scan,
        data: &[u8],
        block: &mut [i16; 64],
        filled: &mut u64,
    ) -> Option<()> {
        if self.empty > 0 {
            self.empty -= 1;
            return Some(());
        }
        let mut at = scan.from;
        while at <= scan.to {
            self.bits.fill(data);
            let (zeros, value) = match self.bits.short_value(codes) {
                Some(found) => found,
                None => match self.long_value(codes)? {
                    (size, 0) if size < 15 => {
                        self.empty = self.empty_blocks(size) - 1;
                        break;
                    }
                    found => found,
                },
            };
            at += zeros;
            if value != 0 {
                if at > scan.to {
                    return None;
                }
                block[usize::from(ZIGZAG[at])] = to_i16(i32::from(value) << scan.low);
                *filled |= 1 << at;
            }
            at += 1;
        }
        Some(())
    }

    /// How many blocks end here, of which there are at least two to the power of `size`.
    fn empty_blocks(&mut self, size: usize) -> u32 {
        // Half of a symbol: at most 14.
        let size = u32::try_from(size).unwrap_or(0);
        (1 << size) + self.bits.take(size)
    }

    /// One more bit of some frequencies: of those that are known not to be 0, and those that come to be 1 with it.
    #[inline]
    fn refine_others(
        &mut self,
        codes: &Codes,
        scan: &Scan,
        data: &[u8],
        block: &mut [i16; 64],
        filled: &mut u64,
    ) -> Option<()> {
        let until = u64::MAX >> (63 - scan.to);
        let mut at = scan.from;
        while self.empty == 0 && at <= scan.to {
            self.bits.fill(data);
            let symbol = self.bits.symbol(codes)?;
            let zeros = usize::from(symbol >> 4);
            let value = match symbol & 15 {
                0 if zeros < 15 => {
                    self.empty = self.empty_blocks(zeros);
                    break;
                }
                0 => 0,
                1 if self.bits.take(1) == 1 => 1 << scan.low,
                1 => -1 << scan.low,
                _ => return None,
            };
            let range = u64::MAX << at & until;
            let target = nth_set(!*filled & range, zeros);
            let before = target.map_or(range, |target| range & ((1 << target) - 1));
            self.refine(*filled & before, scan.low, data, block);
            let Some(target) = target else {
                if value != 0 {
                    return None;
                }
                break;
            };
            if value != 0 {
                block[usize::from(ZIGZAG[target])] = value;
                *filled |= 1 << target;
            }
            at = target + 1;
        }
        if self.empty > 0 {
            self.empty -= 1;
            if at < 64 {
                self.refine(*filled & (u64::MAX << at) & until, scan.low, data, block);
            }
        }
        Some(())
    }

    /// A bit for each of the coefficients `which`, which moves it away from 0.
    #[inline]
    fn refine(&mut self, mut which: u64, low: u32, data: &[u8], block: &mut [i16; 64]) {
        /// Bits that are taken at once, of the 56 that a filling gives at the least.
        const AT_ONCE: u32 = 32;
        let step = 1_i16 << low;
        while which != 0 {
            self.bits.fill(data);
            let mut bits = self.bits.take_on_top(which.count_ones().min(AT_ONCE));
            for _ in 0..AT_ONCE {
                if which == 0 {
                    break;
                }
                let at = which.trailing_zeros() as usize;
                which &= which - 1;
                let coefficient = &mut block[usize::from(ZIGZAG[at & 63])];
                if bits >> 63 == 1 && *coefficient & step == 0 {
                    *coefficient = coefficient.wrapping_add(if *coefficient >= 0 { step } else { -step });
                }
                bits <<= 1;
            }
        }
    }
}

/// Where bit number `count` of the set ones is.
#[inline]
fn nth_set(mut bits: u64, count: usize) -> Option<usize> {
    for _ in 0..count {
        bits &= bits.wrapping_sub(1);
    }
    (bits != 0).then_some(bits.trailing_zeros() as usize)
}

/// The lower half, as libjpeg stores it.
#[inline]
fn to_i16(value: i32) -> i16 {
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is wanted")]
    let low = value as i16;
    low
}
