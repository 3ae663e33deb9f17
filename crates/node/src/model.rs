//! A loaded model, as JavaScript holds it.

use crate::{
    error::NativeError,
    exit,
    families::{self, Stems},
    info::{NativeMetrics, NativeModelInfo},
    inputs::Inputs,
    job::NativeJob,
    options::{NativeCountOptions, NativeJobOptions, NativeModelOptions},
    promise::{in_background, settled},
    served::Served,
};
use millrace_contract::Result;
use napi::{
    Env,
    bindgen_prelude::{Either, Object, Uint32Array},
};
use napi_derive::napi;
use std::{sync::Arc, time::Duration};

/// A loaded model.
#[napi]
pub struct NativeModel {
    model: Arc<dyn Served>,
    /// The caller's own stems, for BM25.
    stems: Option<Arc<Stems>>,
}

fn load(options: &NativeModelOptions) -> Result<NativeModel> {
    let own = options.bm25.as_ref().and_then(|bm25| bm25.own_stems).unwrap_or(false);
    let stems = own.then(Arc::<Stems>::default);
    let model = Arc::from(families::load(options, stems.clone())?);
    Ok(NativeModel { model, stems })
}

/// Loads a model on a thread of its own.
#[napi(ts_return_type = "Promise<NativeModel | NativeError>")]
pub fn load_model(env: &Env, options: NativeModelOptions) -> napi::Result<Object<'_>> {
    in_background(env, move || exit::load(|| load(&options)), |model| model)
}

#[napi]
impl NativeModel {
    /// What the model is.
    #[napi]
    pub fn info(&self) -> NativeModelInfo {
        self.model.info()
    }

    /// Counters since the model was loaded.
    #[napi]
    pub fn metrics(&self) -> NativeMetrics {
        self.model.metrics().into()
    }

    /// Opens a call.
    #[napi]
    pub fn submit(&self, options: NativeJobOptions) -> Either<NativeJob, NativeError> {
        match self.model.submit(options) {
            Ok(call) => Either::A(NativeJob::new(call)),
            Err(error) => Either::B(error.into()),
        }
    }

    /// Tokens of each text after truncation, special tokens included.
    #[napi(ts_return_type = "Promise<Uint32Array | NativeError>")]
    pub fn count_tokens<'env>(
        &self,
        env: &'env Env,
        texts: Vec<String>,
        options: NativeCountOptions,
    ) -> napi::Result<Object<'env>> {
        self.count(env, Inputs::Texts(texts), options)
    }

    /// Tokens of each pair of a query and the document at its place.
    #[napi(ts_return_type = "Promise<Uint32Array | NativeError>")]
    pub fn count_pair_tokens<'env>(
        &self,
        env: &'env Env,
        queries: Vec<String>,
        documents: Vec<String>,
        options: NativeCountOptions,
    ) -> napi::Result<Object<'env>> {
        self.count(env, Inputs::paired(queries, documents), options)
    }

    /// The words of `texts` whose stems are not known yet; none unless the model takes the caller's own.
    #[napi]
    pub fn unknown_words(&self, texts: Vec<String>) -> Vec<String> {
        self.stems.as_ref().map(|stems| stems.unknown(texts)).unwrap_or_default()
    }

    /// Takes the stem of each word; an empty one drops the word.
    #[napi]
    pub fn learn_stems(&self, words: Vec<String>, stems: Vec<String>) {
        if let Some(own) = &self.stems {
            own.learn(words, stems);
        }
    }

    /// Drains and frees the model; terminates what is left after `timeout_ms`.
    #[napi(ts_return_type = "Promise<NativeError | null>")]
    pub fn close<'env>(&self, env: &'env Env, timeout_ms: Option<u32>) -> napi::Result<Object<'env>> {
        let model = Arc::clone(&self.model);
        let timeout = timeout_ms.map(|timeout| Duration::from_millis(timeout.into()));
        let close = move || {
            model.close(timeout);
            millrace_ort::release_memory();
            Ok(())
        };
        settled(env, close, |closed| closed.err().map(NativeError::from))
    }
}

impl NativeModel {
    fn count<'env>(
        &self,
        env: &'env Env,
        inputs: Inputs,
        options: NativeCountOptions,
    ) -> napi::Result<Object<'env>> {
        let model = Arc::clone(&self.model);
        in_background(env, move || model.count(inputs, &options), Uint32Array::from)
    }
}
