//! What a run takes of memory, as a function of its shape.

/// The working memory of a run, beside the weights, in bytes.
///
/// A run of `rows` rows of `padded_len` tokens takes `rows * (padded_len * per_token + padded_len² * per_pair)` bytes at
/// its peak. The second part is what attention takes that writes its scores to memory: 12 heads, two buffers of 32-bit floats and 8,192 tokens
/// are 12 × 2 × 4 × 8,192² = 6.4 GB for one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RunMemory {
    /// Bytes for each token of a run, padding included.
    pub per_token: u64,
    /// Bytes for each pair of tokens of one row, over all heads. 0 where scores are never in memory as a whole.
    pub per_pair: u64,
}

impl RunMemory {
    /// Bytes that a run of `rows` rows of `padded_len` tokens takes; the largest number where they would exceed it.
    #[must_use]
    pub fn of(&self, rows: usize, padded_len: usize) -> u64 {
        let len = u64::try_from(padded_len).unwrap_or(u64::MAX);
        let rows = u64::try_from(rows).unwrap_or(u64::MAX);
        let linear = len.saturating_mul(self.per_token);
        let pairs = len.saturating_mul(len).saturating_mul(self.per_pair);
        rows.saturating_mul(linear.saturating_add(pairs))
    }

    /// Tokens of the longest row that fits into `bytes` alone; 0 where not even one token does.
    #[must_use]
    pub fn longest_row(&self, bytes: u64) -> usize {
        let (mut fits, mut too_long) = (0_usize, usize::MAX);
        while too_long - fits > 1 {
            let middle = fits + (too_long - fits) / 2;
            if self.of(1, middle) <= bytes {
                fits = middle;
            } else {
                too_long = middle;
            }
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_takes_its_rows_times_tokens_and_pairs() {
        let memory = RunMemory { per_token: 10, per_pair: 3 };
        assert_eq!(memory.of(2, 4), 2 * (4 * 10 + 16 * 3));
        assert_eq!(memory.of(0, 4), 0);
    }

    #[test]
    fn what_exceeds_64_bits_is_the_largest_number() {
        let memory = RunMemory { per_token: 1, per_pair: 1 };
        assert_eq!(memory.of(usize::MAX, usize::MAX), u64::MAX);
    }

    #[test]
    fn the_longest_row_is_the_last_that_fits() {
        let memory = RunMemory { per_token: 10, per_pair: 3 };
        let bytes = memory.of(1, 100);
        assert_eq!(memory.longest_row(bytes), 100);
        assert_eq!(memory.longest_row(bytes - 1), 99);
        assert_eq!(memory.longest_row(12), 0);
    }
}
