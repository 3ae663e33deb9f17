//! Preparing texts without a model, on threads of their own.

use crate::{
    batch::{count, double},
    error::{NativeError, blocking},
};
use millrace_contract::Result;
use millrace_text::{
    Detected,
    clean::{CleanOptions, Form, Markup, WhiteSpace, clean},
    detect_language, duplicates, is_detectable,
    prepare::{Dropped, PrepareOptions, prepare},
};
use napi::bindgen_prelude::Either;
use napi_derive::napi;
use parking_lot::Mutex;
use std::sync::Arc;

/// What is cleaned. TypeScript has filled in every value.
#[napi(object, object_to_js = false)]
#[derive(Clone)]
pub struct NativeCleanOptions {
    /// `text`, `html` or `markdown`.
    #[napi(ts_type = "'text' | 'html' | 'markdown'")]
    pub format: String,
    /// `NFC` or `NFKC`; absent: characters stay.
    #[napi(ts_type = "'NFC' | 'NFKC'")]
    pub normalization: Option<String>,
    /// Typographic characters become plain.
    pub typography: bool,
    /// Invisible characters go.
    pub invisible: bool,
    /// `lines`, `collapse` or `keep`.
    #[napi(ts_type = "'lines' | 'collapse' | 'keep'")]
    pub whitespace: String,
}

impl From<NativeCleanOptions> for CleanOptions {
    fn from(options: NativeCleanOptions) -> Self {
        Self {
            markup: match options.format.as_str() {
                "html" => Markup::Html,
                "markdown" => Markup::Markdown,
                _ => Markup::None,
            },
            form: options.normalization.map(|form| if form == "NFKC" { Form::Nfkc } else { Form::Nfc }),
            typography: options.typography,
            invisible: options.invisible,
            white_space: match options.whitespace.as_str() {
                "keep" => WhiteSpace::Keep,
                "collapse" => WhiteSpace::Collapse,
                _ => WhiteSpace::Lines,
            },
        }
    }
}

/// The language of a text.
#[napi(object)]
pub struct NativeLanguage {
    /// Code of ISO 639-3.
    pub code: String,
    /// English name.
    pub name: String,
    /// English name of the script.
    pub script: String,
    /// From 0 to 1.
    pub confidence: f64,
    /// Whether to trust it.
    pub reliable: bool,
}

impl From<Detected> for NativeLanguage {
    fn from(found: Detected) -> Self {
        Self {
            code: found.code.into(),
            name: found.name.into(),
            script: found.script.to_string(),
            confidence: found.confidence,
            reliable: found.reliable,
        }
    }
}

/// An earlier text that says the same.
#[napi(object)]
pub struct NativeDuplicate {
    /// Position of the text that is a duplicate.
    pub index: f64,
    /// Position of the earlier text.
    pub of: f64,
    /// From the threshold to 1.
    pub similarity: f64,
    /// Whether they are equal.
    pub exact: bool,
}

fn marked(index: usize, mark: duplicates::Duplicate) -> NativeDuplicate {
    NativeDuplicate {
        index: double(index as u64),
        of: double(mark.of as u64),
        similarity: mark.similarity,
        exact: mark.exact,
    }
}

/// Which texts are kept.
#[napi(object, object_to_js = false)]
pub struct NativePrepareOptions {
    /// How texts are cleaned first.
    pub clean: NativeCleanOptions,
    /// Least length in UTF-16 code units.
    pub min_length: u32,
    /// Greatest length.
    pub max_length: u32,
    /// Codes of languages to keep; none for all.
    pub languages: Vec<String>,
    /// Whether duplicates are dropped.
    pub duplicates: bool,
    /// Least similarity of near duplicates.
    pub near: Option<f64>,
}

/// A text that was dropped.
#[napi(object)]
pub struct NativeDropped {
    /// Its position.
    pub index: f64,
    /// `too-short`, `too-long`, `language` or `duplicate`.
    #[napi(ts_type = "'too-short' | 'too-long' | 'language' | 'duplicate'")]
    pub reason: String,
    /// Its language.
    pub language: Option<String>,
    /// What it is a duplicate of.
    pub duplicate: Option<NativeDuplicate>,
}

/// Texts that are kept, and those that are not.
#[napi(object)]
pub struct NativePrepared {
    /// Cleaned texts.
    pub texts: Vec<String>,
    /// Their positions.
    pub indexes: Vec<u32>,
    /// The others.
    pub dropped: Vec<NativeDropped>,
}

fn dropped(index: usize, why: Dropped) -> NativeDropped {
    let (reason, language, duplicate) = match why {
        Dropped::TooShort => ("too-short", None, None),
        Dropped::TooLong => ("too-long", None, None),
        Dropped::Language(code) => ("language", Some(code.into()), None),
        Dropped::Duplicate(mark) => ("duplicate", None, Some(marked(index, mark))),
    };
    NativeDropped { index: double(index as u64), reason: reason.into(), language, duplicate }
}

async fn work<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Either<T, NativeError> {
    let done: Result<T> = blocking(move || Ok(work())).await;
    match done {
        Ok(done) => Either::A(done),
        Err(error) => Either::B(error.into()),
    }
}

/// The cleaned texts.
#[napi]
pub async fn clean_texts(
    texts: Vec<String>,
    options: NativeCleanOptions,
) -> Either<Vec<String>, NativeError> {
    let options = options.into();
    work(move || texts.iter().map(|text| clean(text, &options).into_owned()).collect()).await
}

/// The language of each text; `null` where there are no letters.
#[napi]
pub async fn detect_languages(texts: Vec<String>) -> Either<Vec<Option<NativeLanguage>>, NativeError> {
    work(move || texts.iter().map(|text| detect_language(text).map(Into::into)).collect()).await
}

/// Those of the codes whose languages cannot be detected.
#[napi]
pub fn undetectable_languages(codes: Vec<String>) -> Vec<String> {
    codes.into_iter().filter(|code| !is_detectable(code)).collect()
}

/// The texts that say the same as earlier ones.
#[napi]
pub async fn mark_duplicates(
    texts: Vec<String>,
    near: Option<f64>,
) -> Either<Vec<NativeDuplicate>, NativeError> {
    work(move || {
        let marks = duplicates::mark_duplicates(&texts, near).into_iter().enumerate();
        marks.filter_map(|(index, mark)| mark.map(|mark| marked(index, mark))).collect()
    })
    .await
}

/// Finds duplicates among texts that come some at a time.
#[napi]
pub struct NativeDuplicateFinder {
    finder: Arc<Mutex<duplicates::Finder>>,
}

/// A finder that has seen nothing.
#[napi]
#[must_use]
pub fn create_duplicate_finder(near: Option<f64>) -> NativeDuplicateFinder {
    NativeDuplicateFinder { finder: Arc::new(Mutex::new(duplicates::Finder::new(near))) }
}

#[napi]
impl NativeDuplicateFinder {
    /// Marks of the duplicates among the next texts; `index` counts in these, `of` in all so far.
    #[napi]
    pub async fn add(&self, texts: Vec<String>) -> Either<Vec<NativeDuplicate>, NativeError> {
        let finder = Arc::clone(&self.finder);
        work(move || {
            let marks = finder.lock().add(&texts).into_iter().enumerate();
            marks.filter_map(|(index, mark)| mark.map(|mark| marked(index, mark))).collect()
        })
        .await
    }
}

/// Cleans texts and drops those that are not worth an index.
#[napi]
pub async fn prepare_texts(
    texts: Vec<String>,
    options: NativePrepareOptions,
) -> Either<NativePrepared, NativeError> {
    let options = PrepareOptions {
        clean: options.clean.into(),
        min_length: crate::options::size(options.min_length),
        max_length: crate::options::size(options.max_length),
        languages: options.languages,
        duplicates: options.duplicates,
        near: options.near,
    };
    work(move || {
        let mut prepared = NativePrepared { texts: Vec::new(), indexes: Vec::new(), dropped: Vec::new() };
        for (index, result) in prepare(&texts, &options).into_iter().enumerate() {
            match result {
                Ok(text) => {
                    prepared.texts.push(text);
                    prepared.indexes.push(count(index));
                }
                Err(why) => prepared.dropped.push(dropped(index, why)),
            }
        }
        prepared
    })
    .await
}
