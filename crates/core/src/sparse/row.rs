//! One sparse vector, and how it is put together.

use ahash::AHashMap;
use millrace_contract::{Error, ErrorKind, Result};

/// One sparse vector: distinct indices, each with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct SparseRow {
    /// Dimensions that are not zero: ids of a vocabulary in ascending order, or hashes of words in the order of
    /// their first appearance.
    pub indices: Box<[u32]>,
    /// As many values, all finite.
    pub values: Box<[f32]>,
    /// Tokens of the text, special tokens included; words, where there is no tokenizer.
    pub tokens: u32,
    /// Whether a part of the text was cut off.
    pub truncated: bool,
}

impl SparseRow {
    /// A row of indices that are distinct already.
    #[expect(clippy::cast_possible_truncation, reason = "float32 is delivered; overflow is checked after it")]
    pub(super) fn new(
        indices: Vec<u32>,
        values: impl IntoIterator<Item = f64>,
        tokens: usize,
        truncated: bool,
    ) -> Result<Self> {
        let values: Box<[f32]> = values.into_iter().map(|value| value as f32).collect();
        if !values.iter().all(|value| value.is_finite()) {
            let message = "the sparse vector has a value that is not a finite number";
            return Err(Error::new(ErrorKind::InferenceFailed, message));
        }
        let tokens = crate::family::count(tokens);
        Ok(Self { indices: indices.into(), values, tokens, truncated })
    }
}

/// Values by index, where two words may share an index: the last one gives the value, in the first one's place.
#[derive(Default)]
pub(super) struct Entries {
    places: AHashMap<u32, usize>,
    indices: Vec<u32>,
    values: Vec<f64>,
}

impl Entries {
    pub(super) fn set(&mut self, index: u32, value: f64) {
        let next = self.indices.len();
        let place = *self.places.entry(index).or_insert(next);
        if place == next {
            self.indices.push(index);
            self.values.push(value);
        } else {
            self.values[place] = value;
        }
    }

    pub(super) fn row(self, tokens: usize, truncated: bool) -> Result<SparseRow> {
        SparseRow::new(self.indices, self.values, tokens, truncated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_comes_once() {
        let mut entries = Entries::default();
        for (index, value) in [(7, 1.0), (3, 2.0), (7, 3.0)] {
            entries.set(index, value);
        }
        let row = entries.row(4, true).unwrap();
        assert_eq!((&row.indices[..], &row.values[..]), (&[7, 3][..], &[3.0, 2.0][..]));
    }

    #[test]
    fn what_is_not_finite_does_not_leave() {
        for value in [f64::NAN, f64::INFINITY, 1e300] {
            let error = SparseRow::new(vec![1], [value], 1, false).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InferenceFailed);
        }
    }
}
