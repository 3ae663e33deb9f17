//! BM25's options, checked and made into its analyzer. The algorithm is in `millrace-text`.

use crate::model::json::read_bytes;
use millrace_contract::{Error, ErrorKind, Result};
use millrace_text::bm25::{Analyzer, Bm25, Language, Stem, Weights};
use std::{path::PathBuf, sync::Arc};

/// How BM25 reads and weighs words.
#[derive(Debug, Clone)]
pub struct Bm25Options {
    /// `k`, `b` and `avgLen`.
    pub weights: Weights,
    /// Name of the language whose stemmer and stop words are used. Any name goes with a stemmer of the caller's
    /// or without stemming; then there are no built-in stop words for it.
    pub language: String,
    /// Words of more characters are dropped.
    pub token_max_length: usize,
    /// Takes words as they are: no stemming, and no stop words but the caller's own.
    pub disable_stemmer: bool,
    /// Stop words instead of the language's, in any case; none at all when empty.
    pub stop_words: Option<Vec<String>>,
    /// A stemmer instead of the language's.
    pub stemmer: Option<Arc<dyn Stem>>,
    /// A directory whose `<language>.txt` has the stop words; a missing file means none. The built-in lists
    /// otherwise.
    pub dir: Option<PathBuf>,
}

impl Default for Bm25Options {
    fn default() -> Self {
        Self {
            weights: Weights::default(),
            language: "english".to_owned(),
            token_max_length: 40, // FastEmbed's: longer ones are ids and encoded data
            disable_stemmer: false,
            stop_words: None,
            stemmer: None,
            dir: None,
        }
    }
}

impl Bm25Options {
    /// BM25 with these options; `INVALID_OPTION` tells which one is wrong.
    pub fn build(&self) -> Result<Bm25> {
        if self.disable_stemmer && self.stemmer.is_some() {
            return Err(invalid("Expected no stemmer with disableStemmer but received both".to_owned()));
        }
        let language = self.language.parse::<Language>().ok();
        if language.is_none() && self.stemmer.is_none() && !self.disable_stemmer {
            let names: Vec<&str> = Language::ALL.iter().map(|language| language.name()).collect();
            let names = names.join(", ");
            let message = format!("Expected one of {names} for language but received '{}'", self.language);
            return Err(invalid(message));
        }
        if self.token_max_length == 0 {
            return Err(invalid("Expected a positive integer for tokenMaxLength but received 0".to_owned()));
        }
        check_weights(&self.weights)?;

        let stemmer = match (&self.stemmer, language) {
            _ if self.disable_stemmer => None,
            (Some(stemmer), _) => Some(Arc::clone(stemmer)),
            (None, language) => language.map(|language| Arc::new(language) as Arc<dyn Stem>),
        };
        let stop_words = self.stop_words(language)?;
        let stop_words = stop_words.iter().map(String::as_str);
        Ok(Bm25::new(Analyzer::new(stop_words, self.token_max_length, stemmer), self.weights))
    }

    fn stop_words(&self, language: Option<Language>) -> Result<Vec<String>> {
        match (&self.stop_words, language, &self.dir) {
            (Some(words), ..) => Ok(words.clone()),
            (None, None, _) => Ok(Vec::new()),
            _ if self.disable_stemmer => Ok(Vec::new()),
            (None, Some(language), None) => Ok(language.stop_words().map(str::to_owned).collect()),
            (None, Some(language), Some(dir)) => read_stop_words(&dir.join(format!("{language}.txt"))),
        }
    }
}

/// The lines of a file of stop words; none when there is no such file.
pub(super) fn read_stop_words(path: &std::path::Path) -> Result<Vec<String>> {
    let Some(bytes) = read_bytes(path)? else { return Ok(Vec::new()) };
    let text = String::from_utf8(bytes).map_err(|error| crate::model::json::invalid(path, error))?;
    Ok(text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

/// Checks that no document can have a weight that is negative or no number.
pub(super) fn check_weights(weights: &Weights) -> Result<()> {
    let Weights { k, b, avg_len } = *weights;
    if !(k.is_finite() && k >= 0.0) {
        return Err(invalid(format!("Expected a number of at least 0 for k but received {k}")));
    }
    if !(0.0..=1.0).contains(&b) {
        return Err(invalid(format!("Expected a number from 0 to 1 for b but received {b}")));
    }
    if !(avg_len.is_finite() && avg_len > 0.0) {
        return Err(invalid(format!("Expected a positive number for avgLen but received {avg_len}")));
    }
    Ok(())
}

pub(super) fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidOption, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(options: &Bm25Options) -> ErrorKind {
        options.build().unwrap_err().kind()
    }

    #[test]
    fn wrong_options_are_refused() {
        let weights = Weights::default();
        let wrong = [
            Weights { k: -0.1, ..weights },
            Weights { k: f64::NAN, ..weights },
            Weights { b: 1.1, ..weights },
            Weights { b: f64::NAN, ..weights },
            Weights { avg_len: 0.0, ..weights },
            Weights { avg_len: f64::INFINITY, ..weights },
        ];
        for weights in wrong {
            assert_eq!(kind(&Bm25Options { weights, ..Bm25Options::default() }), ErrorKind::InvalidOption);
        }
        let none = Bm25Options { token_max_length: 0, ..Bm25Options::default() };
        assert_eq!(kind(&none), ErrorKind::InvalidOption);
    }

    #[test]
    fn without_a_directory_the_lists_are_built_in() {
        let words = |options: &Bm25Options| options.build().unwrap().document("the cat").ids.len();
        assert_eq!(words(&Bm25Options::default()), 1);
        let empty = tempfile::tempdir().unwrap();
        let bare = Bm25Options { dir: Some(empty.path().into()), ..Bm25Options::default() };
        assert_eq!(words(&bare), 2, "a directory without the file has no stop words");
    }
}
