//! Choosing the texts that are worth an index.

use super::{
    clean::NativeCleanOptions,
    duplicates::{NativeDuplicate, marked},
};
use crate::{
    batch::{count, double},
    options::size,
    promise::in_background,
};
use millrace_contract::{Error, Result};
use millrace_text::prepare::{Dropped, PrepareOptions, prepare};
use napi::{Env, bindgen_prelude::Object};
use napi_derive::napi;

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

impl TryFrom<NativePrepareOptions> for PrepareOptions {
    type Error = Error;

    fn try_from(options: NativePrepareOptions) -> Result<Self> {
        Ok(Self {
            clean: options.clean.try_into()?,
            min_length: size(options.min_length),
            max_length: size(options.max_length),
            languages: options.languages,
            duplicates: options.duplicates,
            near: options.near,
        })
    }
}

/// Cleans texts and drops those that are not worth an index.
#[napi(ts_return_type = "Promise<NativePrepared | NativeError>")]
pub fn prepare_texts(
    env: &Env,
    texts: Vec<String>,
    options: NativePrepareOptions,
) -> napi::Result<Object<'_>> {
    let work = move || {
        let options = PrepareOptions::try_from(options)?;
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
        Ok(prepared)
    };
    in_background(env, work, |prepared| prepared)
}
