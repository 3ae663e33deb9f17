//! Cleaning texts.

use crate::{options::unknown, promise::in_background};
use millrace_contract::{Error, Result};
use millrace_text::clean::{CleanOptions, Form, Markup, WhiteSpace, clean};
use napi::{Env, bindgen_prelude::Object};
use napi_derive::napi;

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

impl TryFrom<NativeCleanOptions> for CleanOptions {
    type Error = Error;

    fn try_from(options: NativeCleanOptions) -> Result<Self> {
        Ok(Self {
            markup: match options.format.as_str() {
                "text" => Markup::None,
                "html" => Markup::Html,
                "markdown" => Markup::Markdown,
                other => return unknown("format", other, "'text', 'html' or 'markdown'"),
            },
            form: match options.normalization.as_deref() {
                None => None,
                Some("NFC") => Some(Form::Nfc),
                Some("NFKC") => Some(Form::Nfkc),
                Some(other) => return unknown("normalization", other, "'NFC' or 'NFKC'"),
            },
            typography: options.typography,
            invisible: options.invisible,
            white_space: match options.whitespace.as_str() {
                "lines" => WhiteSpace::Lines,
                "collapse" => WhiteSpace::Collapse,
                "keep" => WhiteSpace::Keep,
                other => return unknown("whitespace", other, "'lines', 'collapse' or 'keep'"),
            },
        })
    }
}

/// The cleaned texts.
#[napi(ts_return_type = "Promise<Array<string> | NativeError>")]
pub fn clean_texts(env: &Env, texts: Vec<String>, options: NativeCleanOptions) -> napi::Result<Object<'_>> {
    let work = move || {
        let options = CleanOptions::try_from(options)?;
        Ok(texts.iter().map(|text| clean(text, &options).into_owned()).collect::<Vec<_>>())
    };
    in_background(env, work, |texts| texts)
}
