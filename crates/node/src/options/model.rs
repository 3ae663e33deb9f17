//! Options of loading a model.

use super::{names, size, unknown};
use millrace_contract::Result;
use millrace_core::{
    engine::Sessions,
    model::ModelRequest,
    vision::{VisionPooling, VisionRequest},
};
use millrace_ort::DeviceRequest;
use napi::bindgen_prelude::{Either, Null};
use napi_derive::napi;

/// Options of loading a model. Which ones count depends on the family.
#[napi(object, object_to_js = false)]
pub struct NativeModelOptions {
    /// `dense`, `static`, `sparse`, `late`, `rerank`, `image` or `multimodal`.
    #[napi(ts_type = "import('./types.js').NativeFamily")]
    pub family: String,
    /// Kind of a sparse or late-interaction model.
    #[napi(ts_type = "import('./types.js').NativeKind")]
    pub kind: Option<String>,
    /// Directory of the model's files; BM25 may have none.
    pub dir: Option<String>,
    /// File of the weights, relative to it.
    pub model_file: Option<String>,
    /// How token vectors become one vector.
    #[napi(ts_type = "import('./types.js').NativePooling")]
    pub pooling: Option<String>,
    /// Whether vectors get length 1.
    pub normalize: Option<bool>,
    /// Output of the graph to take.
    pub output_name: Option<String>,
    /// The same by position; a name goes first.
    pub output_index: Option<u32>,
    /// Whether every text is padded to the limit.
    pub pad_to_limit: Option<bool>,
    /// Limit in tokens.
    pub max_length: Option<u32>,
    /// Whether the sentence-transformers files of the directory do not count, but for the prompts.
    pub plain_files: Option<bool>,
    /// Names of the options above that the model's definition says and not the caller.
    pub defined: Option<Vec<String>>,
    /// Options of BM25, and the weights of miniCOIL.
    pub bm25: Option<NativeBm25Options>,
    /// BM42's exponent.
    pub alpha: Option<f64>,
    /// Intra-op threads of a session.
    pub threads: Option<u32>,
    /// Sessions: `null` one with all threads, 0 one a core.
    pub parallel: Option<Either<u32, Null>>,
    /// `cpu`, `cuda` or `auto`.
    #[napi(ts_type = "'cpu' | 'cuda' | 'auto'")]
    pub device: String,
    /// Which devices, by number.
    pub device_ids: Option<Vec<u32>>,
    /// Padded tokens of a run.
    pub max_batch_tokens: Option<u32>,
    /// Bytes that all runs under way may take together.
    pub max_memory: Option<f64>,
    /// Whether rows of dynamically quantised graphs run alone; default true.
    pub batch_invariance: Option<bool>,
    /// Open calls; one more is refused.
    pub max_queue: Option<u32>,
}

/// How BM25 reads and weighs words. What is absent is FastEmbed's default.
#[napi(object, object_to_js = false)]
pub struct NativeBm25Options {
    /// How late repetitions stop to count.
    pub k: Option<f64>,
    /// How much long documents are held back.
    pub b: Option<f64>,
    /// Words of an average document.
    pub avg_len: Option<f64>,
    /// Language of stemmer and stop words.
    pub language: Option<String>,
    /// Words of more characters are dropped.
    pub token_max_length: Option<u32>,
    /// Whether words are taken as they are.
    pub disable_stemmer: Option<bool>,
    /// Stop words instead of the language's.
    pub stopwords: Option<Vec<String>>,
    /// Whether the caller's own stems come with `learnStems`.
    pub own_stems: Option<bool>,
}

impl NativeModelOptions {
    /// The directory. TypeScript always gives one where the family reads files.
    pub(crate) fn dir(&self) -> &str {
        self.dir.as_deref().unwrap_or_default()
    }

    pub(crate) fn request(&self) -> Result<ModelRequest> {
        Ok(ModelRequest {
            dir: self.dir().into(),
            model_file: self.model_file.clone(),
            pooling: self.pooling.as_deref().map(names::pooling).transpose()?,
            normalize: self.normalize,
            output_name: self.output_name.clone(),
            output_index: self.output_index.map(size),
            pad_to_limit: self.pad_to_limit.unwrap_or(false),
            max_length: self.max_length.map(size),
            plain_files: self.plain_files.unwrap_or(false),
            defined: self.defined.clone().unwrap_or_default(),
        })
    }

    pub(crate) fn vision(&self) -> Result<VisionRequest> {
        let pooling = match self.pooling.as_deref() {
            None => None,
            Some("cls") => Some(VisionPooling::FirstToken),
            Some("none") => Some(VisionPooling::Flatten),
            Some(other) => return unknown("pooling", other, "'cls' or 'none'"),
        };
        Ok(VisionRequest {
            dir: self.dir().into(),
            model_file: self.model_file.clone(),
            output_name: self.output_name.clone(),
            pooling,
            normalize: self.normalize,
            defined: self.defined.clone().unwrap_or_default(),
        })
    }

    pub(crate) fn device(&self) -> Result<DeviceRequest> {
        match self.device.as_str() {
            "cpu" => Ok(DeviceRequest::Cpu),
            "cuda" => Ok(DeviceRequest::Cuda),
            "auto" => Ok(DeviceRequest::Auto),
            other => unknown("device", other, "'cpu', 'cuda' or 'auto'"),
        }
    }

    pub(crate) fn sessions(&self) -> Sessions {
        match self.parallel {
            None | Some(Either::A(0)) => Sessions::PerCore,
            Some(Either::A(sessions)) => Sessions::Count(size(sessions)),
            Some(Either::B(_)) => Sessions::One,
        }
    }
}
