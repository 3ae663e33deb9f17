//! What of a set of texts is worth an index: cleaned, of a fitting length and language, and said once.

use crate::{
    clean::{CleanOptions, clean},
    detect_language,
    duplicates::{Duplicate, Marker},
    utf16_len,
};

/// Which texts are kept. Lengths are in UTF-16 code units of the cleaned text.
#[derive(Debug, Clone, PartialEq)]
pub struct PrepareOptions {
    /// How texts are cleaned first.
    pub clean: CleanOptions,
    /// Least length. Texts without any character are dropped all the same.
    pub min_length: usize,
    /// Greatest length.
    pub max_length: usize,
    /// Codes of ISO 639-3: texts in another language are dropped, unless the guess is not reliable. Empty: all are kept.
    pub languages: Vec<String>,
    /// Whether duplicates are dropped.
    pub duplicates: bool,
    /// Least similarity of near duplicates; without it only exact ones are dropped.
    pub near: Option<f64>,
}

/// Why a text was dropped.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Dropped {
    /// Shorter than the least length.
    TooShort,
    /// Longer than the greatest length.
    TooLong,
    /// In another language, the code of which is given.
    Language(&'static str),
    /// A duplicate of a text that is kept.
    Duplicate(Duplicate),
}

/// The cleaned texts, or why each was dropped, in order.
#[must_use]
pub fn prepare<T: AsRef<str>>(texts: &[T], options: &PrepareOptions) -> Vec<Result<String, Dropped>> {
    let cleaned: Vec<String> =
        texts.iter().map(|text| clean(text.as_ref(), &options.clean).into_owned()).collect();
    let mut marker = options.duplicates.then(|| Marker::new(options.near));
    let verdicts: Vec<Option<Dropped>> = cleaned
        .iter()
        .enumerate()
        .map(|(at, text)| {
            unfit(text, options).or_else(|| {
                marker.as_mut().and_then(|marker| marker.mark(at, text, text)).map(Dropped::Duplicate)
            })
        })
        .collect();
    cleaned.into_iter().zip(verdicts).map(|(text, verdict)| verdict.map_or(Ok(text), Err)).collect()
}

fn unfit(text: &str, options: &PrepareOptions) -> Option<Dropped> {
    let len = utf16_len(text);
    if len < options.min_length.max(1) {
        return Some(Dropped::TooShort);
    }
    if len > options.max_length {
        return Some(Dropped::TooLong);
    }
    if options.languages.is_empty() {
        return None;
    }
    let found = detect_language(text).filter(|found| found.reliable)?;
    let wanted = options.languages.iter().any(|language| language == found.code);
    (!wanted).then_some(Dropped::Language(found.code))
}

#[cfg(test)]
mod tests {
    use super::{Dropped, PrepareOptions, prepare};
    use crate::{clean::CleanOptions, duplicates::Duplicate};

    #[test]
    fn what_is_not_worth_an_index_is_dropped_with_the_reason() {
        let english = "The quick brown fox jumps over the lazy dog and runs away from it.";
        let german = "Der schnelle braune Fuchs springt \u{fc}ber den faulen Hund und l\u{e4}uft davon.";
        let curly = "The quick brown fox  jumps over the lazy dog and runs away from it.\u{200b}";
        let near = "The quick brown fox jumps over the lazy dog and runs away from it!";
        let long = english.repeat(10);
        let options = PrepareOptions {
            clean: CleanOptions::default(),
            min_length: 3,
            max_length: 200,
            languages: vec!["eng".to_owned()],
            duplicates: true,
            near: Some(0.8),
        };
        let texts = [" a ", english, german, curly, near, long.as_str(), "\u{200b}", "12 34"];
        let duplicate = |exact| Err(Dropped::Duplicate(Duplicate { of: 1, similarity: 1.0, exact }));
        assert_eq!(
            prepare(&texts, &options),
            [
                Err(Dropped::TooShort),
                Ok(english.to_owned()),
                Err(Dropped::Language("deu")),
                duplicate(true),
                duplicate(false),
                Err(Dropped::TooLong),
                Err(Dropped::TooShort),
                Ok("12 34".to_owned()),
            ]
        );
    }
}
