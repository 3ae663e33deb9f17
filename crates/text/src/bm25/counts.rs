//! Counting the terms of one text by their numbers, without hashing a word twice.

use super::{
    analyzer::Analyzer,
    dictionary::{DROPPED, Dictionary, Known},
    words::lower_words,
};
use ahash::AHashMap;

/// Words that are read under one hold of the dictionary's lock, so that a long text does not keep others from learning.
const HOLD: usize = 1024;

/// When a term was last seen, and where.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    text: u32,
    place: u32,
}

/// The terms of one text; used for one text after the other, by one thread at a time.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Number of the dictionary that terms are of.
    dictionary: u64,
    /// By term.
    seen: Vec<Seen>,
    /// Number of the text at hand, from 1 on.
    text: u32,
    /// Its terms with their counts, in the order of their first appearance.
    found: Vec<(u32, usize)>,
    /// Occurrences of all its terms.
    total: usize,
}

impl Counts {
    /// Counts the terms of `text`; the number of its words, those included that are dropped.
    pub(super) fn read(&mut self, text: &str, dictionary: &Dictionary, analyzer: &Analyzer) -> usize {
        if self.dictionary != dictionary.number() || self.text == u32::MAX {
            *self = Self { dictionary: dictionary.number(), ..Self::default() };
        }
        self.text += 1;
        self.total = 0;
        self.found.clear();
        let mut count = 0;
        let mut held = None;
        lower_words(text, |word| {
            count += 1;
            if count % HOLD == 0 {
                held = None;
            }
            let known = held.get_or_insert_with(|| dictionary.read());
            let term = known.term(word).unwrap_or_else(|| {
                held = None;
                dictionary.learn(word, analyzer);
                held.insert(dictionary.read()).term(word).unwrap_or(DROPPED)
            });
            if term != DROPPED {
                self.add(term);
            }
        });
        count
    }

    /// Occurrences of all terms of the text.
    pub(super) fn total(&self) -> usize {
        self.total
    }

    /// The text's ids and their weights. Of terms that share an id, the one that appears last gives the weight, in
    /// the first one's place.
    pub(super) fn vector(&self, known: &Known, weight: impl Fn(usize) -> f64) -> (Vec<u32>, Vec<f64>) {
        let weighed = self.found.iter().map(|&(term, count)| (known.id(term), weight(count)));
        if !known.has_twins() {
            return weighed.unzip();
        }
        let mut places = AHashMap::with_capacity(self.found.len());
        let (mut ids, mut weights) = (Vec::new(), Vec::new());
        for (id, weight) in weighed {
            let place = *places.entry(id).or_insert(ids.len());
            if place == ids.len() {
                ids.push(id);
                weights.push(weight);
            } else {
                weights[place] = weight;
            }
        }
        (ids, weights)
    }

    fn add(&mut self, term: u32) {
        self.total += 1;
        let at = term as usize;
        if at >= self.seen.len() {
            self.seen.resize(at + 1, Seen::default());
        }
        let seen = &mut self.seen[at];
        if seen.text == self.text {
            self.found[seen.place as usize].1 += 1;
        } else {
            // There are no more places than terms, whose numbers are of 32 bits.
            *seen = Seen { text: self.text, place: u32::try_from(self.found.len()).unwrap_or(u32::MAX) };
            self.found.push((term, 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::term_id, *};
    use std::collections::HashMap;

    fn analyzer() -> Analyzer {
        Analyzer::new(["the"], 40, None)
    }

    #[expect(clippy::cast_precision_loss, reason = "small counts")]
    fn read(counts: &mut Counts, dictionary: &Dictionary, text: &str) -> (usize, Vec<u32>, Vec<f64>) {
        let words = counts.read(text, dictionary, &analyzer());
        let (ids, weights) = counts.vector(&dictionary.read(), |count| count as f64);
        (words, ids, weights)
    }

    /// Two words of one id; birthdays make them easy to find.
    fn twins() -> (String, String) {
        let mut seen = HashMap::new();
        let twin = |n: u32| Some((seen.insert(term_id(&n.to_string()), n)?.to_string(), n.to_string()));
        (0..).find_map(twin).unwrap()
    }

    #[test]
    fn a_text_does_not_see_the_one_before() {
        let (mut counts, dictionary) = (Counts::default(), Dictionary::default());
        for _ in 0..3 {
            let first = read(&mut counts, &dictionary, "b a the a");
            assert_eq!(first, (4, vec![term_id("b"), term_id("a")], vec![1.0, 2.0]));
            assert_eq!(counts.total(), 3);
            let second = read(&mut counts, &dictionary, "c a");
            assert_eq!(second, (2, vec![term_id("c"), term_id("a")], vec![1.0, 1.0]));
        }
        let third = read(&mut counts, &Dictionary::default(), "d");
        assert_eq!(third, (1, vec![term_id("d")], vec![1.0]), "terms of another dictionary are others");
    }

    #[test]
    fn terms_that_share_an_id_are_counted_apart() {
        let (one, other) = twins();
        let (mut counts, dictionary) = (Counts::default(), Dictionary::default());
        let text = format!("{one} x {other} {other} {one} {other} x");
        let vector = read(&mut counts, &dictionary, &text);
        assert_eq!(vector, (7, vec![term_id(&one), term_id("x")], vec![3.0, 2.0]));
    }

    #[test]
    fn a_text_of_more_words_than_a_hold_is_read_whole() {
        let (mut counts, dictionary) = (Counts::default(), Dictionary::default());
        let numbers: Vec<String> = (0..5000).map(|n: u32| format!("w{n}")).collect();
        let (words, ids, weights) =
            read(&mut counts, &dictionary, &[numbers.join(" "), numbers.join(" ")].join(" "));
        assert_eq!(words, 10_000);
        assert!(ids == numbers.iter().map(|number| term_id(number)).collect::<Vec<_>>());
        assert!(weights.iter().all(|&weight| (weight - 2.0).abs() < 1e-9));
        assert!(!dictionary.is_full());
    }
}
