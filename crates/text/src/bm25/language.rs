//! The languages that words can be stemmed in, and their stop words.

use rust_stemmers::{Algorithm, Stemmer};
use std::{fmt, str::FromStr};

macro_rules! languages {
    ($($variant:ident $name:literal $stop_words:expr;)*) => {
        /// A language with a Snowball stemmer.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "a language is named by its name")]
        pub enum Language {
            $($variant,)*
        }

        impl Language {
            /// All of them, by name.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its English name in lower case.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            const fn stop_word_list(self) -> &'static str {
                match self {
                    $(Self::$variant => $stop_words,)*
                }
            }

            /// Its stemmer, which is a pointer to a function.
            #[must_use]
            pub fn snowball(self) -> Stemmer {
                Stemmer::create(match self {
                    $(Self::$variant => Algorithm::$variant,)*
                })
            }
        }
    };
}

languages! {
    Arabic "arabic" include_str!("stopwords/arabic.txt");
    Danish "danish" include_str!("stopwords/danish.txt");
    Dutch "dutch" include_str!("stopwords/dutch.txt");
    English "english" include_str!("stopwords/english.txt");
    Finnish "finnish" include_str!("stopwords/finnish.txt");
    French "french" include_str!("stopwords/french.txt");
    German "german" include_str!("stopwords/german.txt");
    Greek "greek" include_str!("stopwords/greek.txt");
    Hungarian "hungarian" include_str!("stopwords/hungarian.txt");
    Italian "italian" include_str!("stopwords/italian.txt");
    Norwegian "norwegian" include_str!("stopwords/norwegian.txt");
    Portuguese "portuguese" include_str!("stopwords/portuguese.txt");
    Romanian "romanian" include_str!("stopwords/romanian.txt");
    Russian "russian" include_str!("stopwords/russian.txt");
    Spanish "spanish" include_str!("stopwords/spanish.txt");
    Swedish "swedish" include_str!("stopwords/swedish.txt");
    Tamil "tamil" "";
    Turkish "turkish" include_str!("stopwords/turkish.txt");
}

impl Language {
    /// Its stop words. Tamil has none.
    pub fn stop_words(self) -> impl Iterator<Item = &'static str> {
        self.stop_word_list().lines()
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Language {
    type Err = UnknownLanguage;

    fn from_str(name: &str) -> Result<Self, UnknownLanguage> {
        Self::ALL.iter().copied().find(|language| language.name() == name).ok_or(UnknownLanguage)
    }
}

/// The name is none of [`Language::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownLanguage;

impl fmt::Display for UnknownLanguage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no language with a stemmer")
    }
}

impl std::error::Error for UnknownLanguage {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_language_but_tamil_has_stop_words_in_lower_case() {
        assert_eq!(Language::ALL.len(), 18);
        for &language in Language::ALL {
            let words: Vec<_> = language.stop_words().collect();
            assert_eq!(words.is_empty(), language == Language::Tamil, "{language}");
            assert_eq!(words.iter().collect::<HashSet<_>>().len(), words.len(), "{language}: each once");
            assert!(words.iter().all(|word| !word.is_empty() && *word == word.to_lowercase()), "{language}");
            assert_eq!(language.name().parse(), Ok(language));
        }
        assert!("klingon".parse::<Language>().is_err());
        assert!("English".parse::<Language>().is_err());
    }
}
