//! Which texts say the same as an earlier one: exactly, or nearly.
//!
//! *Exactly* is byte for byte. *Nearly* is by the Jaccard similarity of the texts' sets of three words in a row, letters in lower case
//! and punctuation left out: the share of such triples that both texts have. Candidates are found by `MinHash` in bands, so that
//! no text is compared with all others; a candidate's similarity is then counted, not estimated. A pair
//! at the threshold is missed with a probability below 0.1 %, and less the more similar it is.

mod min_hash;
mod shingles;

use ahash::{AHashMap, RandomState};
use min_hash::Bands;
use shingles::{Shingles, shingles, similarity};
use std::hash::Hash;

/// The similarity from which texts count as nearly the same: about one word changed in twelve.
pub const NEAR_DUPLICATE: f64 = 0.8;

/// An earlier text that says the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Duplicate {
    /// Position of the earlier text, which itself is no duplicate.
    pub of: usize,
    /// 1 for an exact duplicate, else the similarity.
    pub similarity: f64,
    /// Whether the texts are equal byte for byte.
    pub exact: bool,
}

/// For each text the first earlier one that it is a duplicate of, of those that are no duplicates themselves. `near` is the least
/// similarity of near duplicates, above 0 and up to 1; without it only exact ones are looked for.
///
/// Texts without a letter or digit have no near duplicates. Needs about 8 bytes for each word of the texts that are kept.
#[must_use]
pub fn mark_duplicates<T: AsRef<str>>(texts: &[T], near: Option<f64>) -> Vec<Option<Duplicate>> {
    let mut marker = Marker::new(near);
    texts.iter().map(AsRef::as_ref).enumerate().map(|(at, text)| marker.mark(at, text, text)).collect()
}

/// Finds duplicates among texts that come some at a time, with the marks that all of them together would get.
///
/// Of a text only 128 bits are kept, about 40 bytes with their place, and for near duplicates 8 bytes more for each word.
pub struct Finder {
    marker: Marker<u128>,
    hashers: [RandomState; 2],
    len: usize,
}

impl Finder {
    /// A finder that has seen nothing. `near` as in [`mark_duplicates`].
    #[must_use]
    pub fn new(near: Option<f64>) -> Self {
        // Two seeds of the run's own: nobody can make texts that meet.
        Self { marker: Marker::new(near), hashers: [RandomState::new(), RandomState::new()], len: 0 }
    }

    /// Marks of the next texts; places count from the first text of all.
    pub fn add<T: AsRef<str>>(&mut self, texts: &[T]) -> Vec<Option<Duplicate>> {
        texts.iter().map(|text| self.add_one(text.as_ref())).collect()
    }

    /// Texts that were added.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether none was.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn add_one(&mut self, text: &str) -> Option<Duplicate> {
        let [high, low] = self.hashers.each_ref().map(|hasher| u128::from(hasher.hash_one(text)));
        let at = self.len;
        self.len += 1;
        self.marker.mark(at, high << 64 | low, text)
    }
}

/// Marks one text after the other; equal texts have equal keys.
pub(crate) struct Marker<K> {
    seen: AHashMap<K, usize>,
    near: Option<Near>,
    /// What near duplicates are duplicates of, so that equal texts get equal marks.
    marked: AHashMap<usize, Duplicate>,
}

struct Near {
    threshold: f64,
    bands: Bands,
    kept: Vec<(usize, Shingles)>,
}

impl<K: Hash + Eq> Marker<K> {
    pub(crate) fn new(near: Option<f64>) -> Self {
        let near = near.map(|threshold| Near {
            threshold,
            bands: Bands::for_threshold(threshold),
            kept: Vec::new(),
        });
        Self { seen: AHashMap::new(), near, marked: AHashMap::new() }
    }

    pub(crate) fn mark(&mut self, at: usize, key: K, text: &str) -> Option<Duplicate> {
        if let Some(&of) = self.seen.get(&key) {
            return Some(match self.marked.get(&of) {
                Some(mark) => *mark,
                None => Duplicate { of, similarity: 1.0, exact: true },
            });
        }
        self.seen.insert(key, at);
        let mark = self.near.as_mut()?.mark(at, text)?;
        self.marked.insert(at, mark);
        Some(mark)
    }
}

impl Near {
    fn mark(&mut self, at: usize, text: &str) -> Option<Duplicate> {
        let own = shingles(text);
        if own.is_empty() {
            return None;
        }
        let keys = self.bands.keys(&own);
        for candidate in self.bands.candidates(&keys) {
            let (of, other) = &self.kept[candidate];
            let similarity = similarity(&own, other);
            if similarity >= self.threshold {
                return Some(Duplicate { of: *of, similarity, exact: false });
            }
        }
        self.bands.insert(&keys, self.kept.len());
        self.kept.push((at, own));
        None
    }
}

#[cfg(test)]
mod tests;
