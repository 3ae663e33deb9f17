//! Words to stems: Snowball's algorithms, or whatever a caller brings.

use super::Language;
use ahash::AHashMap;
use std::{borrow::Cow, fmt, sync::Arc};

/// Reduces words to stems. Words come in lower case, stop words are gone; an empty stem drops the word.
///
/// A word always has the same stem: stems are remembered, and documents and queries must agree.
/// Many threads stem at once, so a stemmer cannot call into JavaScript; what a function would return can be given as a
/// [`StemTable`].
pub trait Stem: fmt::Debug + Send + Sync {
    /// The stem of `word`.
    fn stem<'a>(&self, word: &'a str) -> Cow<'a, str>;
}

impl Stem for Language {
    fn stem<'a>(&self, word: &'a str) -> Cow<'a, str> {
        self.snowball().stem(word)
    }
}

/// What happens to words that a table lacks.
#[derive(Debug, Clone)]
pub enum Otherwise {
    /// They are their own stems.
    Keep,
    /// They are dropped.
    Drop,
    /// Another stemmer knows.
    Stem(Arc<dyn Stem>),
}

/// A stemmer that looks words up.
#[derive(Clone)]
pub struct StemTable {
    stems: AHashMap<Box<str>, Box<str>>,
    otherwise: Otherwise,
}

impl StemTable {
    /// A table of words, in lower case, and their stems; an empty stem drops its word.
    pub fn new<W, S>(stems: impl IntoIterator<Item = (W, S)>, otherwise: Otherwise) -> Self
    where
        W: Into<Box<str>>,
        S: Into<Box<str>>,
    {
        let stems = stems.into_iter().map(|(word, stem)| (word.into(), stem.into())).collect();
        Self { stems, otherwise }
    }
}

impl Stem for StemTable {
    fn stem<'a>(&self, word: &'a str) -> Cow<'a, str> {
        match (self.stems.get(word), &self.otherwise) {
            (Some(stem), _) => Cow::Owned(stem.to_string()),
            (None, Otherwise::Keep) => Cow::Borrowed(word),
            (None, Otherwise::Drop) => Cow::Borrowed(""),
            (None, Otherwise::Stem(other)) => other.stem(word),
        }
    }
}

impl fmt::Debug for StemTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StemTable")
            .field("words", &self.stems.len())
            .field("otherwise", &self.otherwise)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_goes_first() {
        let table = |otherwise| StemTable::new([("mice", "mouse"), ("foo", "")], otherwise);
        let english = Otherwise::Stem(Arc::new(Language::English));
        for (otherwise, cats) in [(Otherwise::Keep, "cats"), (Otherwise::Drop, ""), (english, "cat")] {
            let table = table(otherwise);
            assert_eq!([table.stem("mice"), table.stem("foo"), table.stem("cats")], ["mouse", "", cats]);
        }
    }
}
