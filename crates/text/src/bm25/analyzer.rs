//! What becomes of a text's words: stop words and overlong ones go, the rest is stemmed.

use super::{Stem, words::lower_words};
use ahash::AHashSet;
use std::{borrow::Cow, sync::Arc};

/// Words to stems, for one language.
#[derive(Debug)]
pub struct Analyzer {
    stop_words: AHashSet<Box<str>>,
    longest: usize,
    stemmer: Option<Arc<dyn Stem>>,
}

impl Analyzer {
    /// Drops `stop_words` (compared in lower case) and words of more than `longest` characters; without a
    /// stemmer the words themselves are the terms.
    pub fn new<'a>(
        stop_words: impl IntoIterator<Item = &'a str>,
        longest: usize,
        stemmer: Option<Arc<dyn Stem>>,
    ) -> Self {
        let stop_words = stop_words.into_iter().map(|word| word.to_lowercase().into()).collect();
        Self { stop_words, longest, stemmer }
    }

    /// Hands the words that reach the stemmer to `put`, in order and in lower case.
    pub fn kept(&self, text: &str, mut put: impl FnMut(&str)) {
        lower_words(text, |word| {
            if self.keeps(word) {
                put(word);
            }
        });
    }

    /// The term that a word, in lower case, becomes; `None` for a word that is dropped.
    #[must_use]
    pub fn term<'a>(&self, word: &'a str) -> Option<Cow<'a, str>> {
        let stem = |word| self.stemmer.as_ref().map_or(Cow::Borrowed(word), |stemmer| stemmer.stem(word));
        self.keeps(word).then(|| stem(word)).filter(|term| !term.is_empty())
    }

    /// Words of `text`, those included that are dropped.
    #[must_use]
    pub fn count(&self, text: &str) -> usize {
        let mut count = 0;
        lower_words(text, |_| count += 1);
        count
    }

    fn keeps(&self, word: &str) -> bool {
        // A single underscore is the only punctuation mark that is a word. Bytes are never fewer than characters.
        word != "_"
            && !self.stop_words.contains(word)
            && (word.len() <= self.longest || word.chars().count() <= self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(analyzer: &Analyzer, text: &str) -> Vec<String> {
        let mut found = Vec::new();
        analyzer.kept(text, |word| found.push(word.to_owned()));
        found
    }

    #[test]
    fn drops_stop_words_long_words_and_a_lone_underscore() {
        let analyzer = Analyzer::new(["The"], 4, None);
        assert_eq!(kept(&analyzer, "THE éééé ééééé _ __ a"), ["éééé", "__", "a"]);
        assert_eq!(analyzer.count("THE éééé ééééé _ __ a"), 6);
    }
}
