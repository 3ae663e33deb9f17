//! Counting the terms of one document by id, exactly, although two terms may share an id.

use super::hash::term_id;
use ahash::AHashMap;

/// A term and how often it occurred.
struct Term {
    id: u32,
    /// Where it ends in the buffer of all terms; it begins where the one before ends.
    end: usize,
    count: usize,
}

/// The distinct terms of one document, in the order of their first appearance.
#[derive(Default)]
pub(super) struct Terms {
    text: String,
    list: Vec<Term>,
    /// The first term of each id.
    by_id: AHashMap<u32, usize>,
    /// Terms whose id another one had before.
    shared: AHashMap<String, usize>,
    total: usize,
}

impl Terms {
    /// Counts one occurrence.
    pub(super) fn add(&mut self, term: &str) {
        self.total += 1;
        let id = term_id(term);
        let next = self.list.len();
        let first = *self.by_id.entry(id).or_insert(next);
        let mut at = first;
        if first != next && self.text(first) != term {
            at = *self.shared.entry(term.to_owned()).or_insert(next);
        }
        if at == next {
            self.text.push_str(term);
            self.list.push(Term { id, end: self.text.len(), count: 1 });
        } else {
            self.list[at].count += 1;
        }
    }

    /// Occurrences of all terms.
    pub(super) fn total(&self) -> usize {
        self.total
    }

    fn text(&self, at: usize) -> &str {
        let start = at.checked_sub(1).map_or(0, |before| self.list[before].end);
        &self.text[start..self.list[at].end]
    }

    /// Ids and weights; each id once, with the weight of the last of its terms.
    pub(super) fn into_vector(self, weight: impl Fn(usize) -> f64) -> (Vec<u32>, Vec<f64>) {
        if self.shared.is_empty() {
            return self.list.iter().map(|term| (term.id, weight(term.count))).unzip();
        }
        let mut places = AHashMap::with_capacity(self.list.len());
        let (mut ids, mut weights) = (Vec::new(), Vec::new());
        for term in &self.list {
            let place = *places.entry(term.id).or_insert(ids.len());
            if place == ids.len() {
                ids.push(term.id);
                weights.push(0.0);
            }
            weights[place] = weight(term.count);
        }
        (ids, weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    /// Two words of one id; birthdays make them easy to find.
    fn twins() -> (String, String) {
        let mut seen = HashMap::new();
        (0..)
            .find_map(|n: u32| {
                seen.insert(term_id(&n.to_string()), n).map(|m| (m.to_string(), n.to_string()))
            })
            .unwrap()
    }

    #[test]
    fn terms_that_share_an_id_are_counted_apart() {
        let (one, other) = twins();
        let mut terms = Terms::default();
        for term in [&one, "x", &other, &other, &one, &other, "x"] {
            terms.add(term);
        }
        assert_eq!(terms.total(), 7);
        #[expect(clippy::cast_precision_loss, reason = "small counts")]
        let (ids, weights) = terms.into_vector(|count| count as f64);
        assert_eq!(ids, [term_id(&one), term_id("x")]);
        assert_eq!(weights, [3.0, 2.0], "the last term's count, in the first one's place");
    }
}
