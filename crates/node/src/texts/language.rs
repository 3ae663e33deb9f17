//! Telling the language of texts.

use crate::promise::in_background;
use millrace_text::{Detected, detect_language, is_detectable};
use napi::{Env, bindgen_prelude::Object};
use napi_derive::napi;

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

/// The language of each text; `null` where there are no letters.
#[napi(ts_return_type = "Promise<Array<NativeLanguage | undefined | null> | NativeError>")]
pub fn detect_languages(env: &Env, texts: Vec<String>) -> napi::Result<Object<'_>> {
    let detect = |text: &String| detect_language(text).map(NativeLanguage::from);
    in_background(env, move || Ok(texts.iter().map(detect).collect::<Vec<_>>()), |languages| languages)
}

/// Those of the codes whose languages cannot be detected.
#[napi]
pub fn undetectable_languages(codes: Vec<String>) -> Vec<String> {
    codes.into_iter().filter(|code| !is_detectable(code)).collect()
}
