//! Options of one call.

use super::{names, size, unknown, whole};
use millrace_contract::{DType, Result};
use millrace_core::{
    dense::ChunkOutput,
    family::Role,
    image::ImageLimits,
    job::{Batching, JobOptions, OnError, Order},
    tokenizer::Overflow,
};
use napi::bindgen_prelude::{Either, Null};
use napi_derive::napi;
use std::time::Duration;

/// Options of one call. Which ones count depends on the family.
#[napi(object, object_to_js = false)]
pub struct NativeJobOptions {
    /// Rows of a batch.
    pub batch_size: u32,
    /// `planned` or `fixed`.
    #[napi(ts_type = "'planned' | 'fixed'")]
    pub batching: String,
    /// `input` or `completion`.
    #[napi(ts_type = "'input' | 'completion'")]
    pub order: String,
    /// `truncate`, `error` or `chunk`.
    #[napi(ts_type = "'truncate' | 'error' | 'chunk'")]
    pub overflow: String,
    /// Tokens that chunks have in common.
    pub chunk_overlap: Option<u32>,
    /// `pooled` or `each`.
    #[napi(ts_type = "'pooled' | 'each'")]
    pub chunk_output: Option<String>,
    /// `throw` or `collect`.
    #[napi(ts_type = "'throw' | 'collect'")]
    pub errors: String,
    /// Limit in tokens.
    pub max_length: Option<u32>,
    /// Whether vectors get length 1.
    pub normalize: Option<bool>,
    /// Dimensions to keep.
    pub dimensions: Option<u32>,
    /// `float32`, `float16`, `int8`, `uint8`, `binary` or `ubinary`.
    #[napi(ts_type = "import('./types.js').NativeDType")]
    pub dtype: String,
    /// Written before each text.
    pub prompt: Option<String>,
    /// What the texts are embedded for, by the model's own numbers.
    pub task: Option<u32>,
    /// `document` or `query`.
    #[napi(ts_type = "'document' | 'query'")]
    pub role: Option<String>,
    /// `text` or `image`, where a model takes both.
    #[napi(ts_type = "'text' | 'image'")]
    pub input: Option<String>,
    /// Whether scores are squeezed into 0 to 1.
    pub sigmoid: Option<bool>,
    /// Whether an image's EXIF orientation is followed.
    pub auto_orient: Option<bool>,
    /// Most bytes of an image's file.
    pub max_image_bytes: Option<f64>,
    /// Most pixels of an image.
    pub max_image_pixels: Option<f64>,
    /// Whether `ColPali` gives the rows of padding too, which FastEmbed does.
    pub keep_padding: Option<bool>,
    /// Higher runs first.
    pub priority: i32,
    /// Longest time of one run, in milliseconds.
    pub timeout_ms: Option<u32>,
    /// Sessions that may work for the call at once: `null` one, 0 all.
    pub parallel: Option<Either<u32, Null>>,
    /// Whether finished rows are given without waiting for a whole batch.
    pub eager: Option<bool>,
}

/// Options of counting tokens.
#[napi(object, object_to_js = false)]
pub struct NativeCountOptions {
    /// Limit in tokens.
    pub max_length: Option<u32>,
    /// Written before each text, and counted.
    pub prompt: Option<String>,
    /// `document` or `query`.
    #[napi(ts_type = "'document' | 'query'")]
    pub role: Option<String>,
    /// Whether what the model adds to a text is counted.
    pub include_extension: Option<bool>,
}

pub(super) fn role(value: Option<&str>) -> Result<Role> {
    match value {
        None | Some("document") => Ok(Role::Document),
        Some("query") => Ok(Role::Query),
        Some(other) => unknown("role", other, "'document' or 'query'"),
    }
}

pub(crate) fn image_limits(max_bytes: Option<f64>, max_pixels: Option<f64>) -> ImageLimits {
    let default = ImageLimits::default();
    ImageLimits {
        max_bytes: max_bytes.map_or(default.max_bytes, whole),
        max_pixels: max_pixels.map_or(default.max_pixels, whole),
    }
}

impl NativeCountOptions {
    pub(crate) fn role(&self) -> Result<Role> {
        role(self.role.as_deref())
    }
}

impl NativeJobOptions {
    pub(crate) fn job(&self) -> Result<JobOptions> {
        Ok(JobOptions {
            batch_size: size(self.batch_size),
            batching: match self.batching.as_str() {
                "planned" => Batching::Planned,
                "fixed" => Batching::Fixed,
                other => return unknown("batching", other, "'planned' or 'fixed'"),
            },
            order: match self.order.as_str() {
                "input" => Order::Input,
                "completion" => Order::Completion,
                other => return unknown("order", other, "'input' or 'completion'"),
            },
            on_error: match self.errors.as_str() {
                "throw" => OnError::Throw,
                "collect" => OnError::Collect,
                other => return unknown("errors", other, "'throw' or 'collect'"),
            },
            priority: self.priority,
            sessions: match self.parallel {
                None | Some(Either::A(0)) => usize::MAX,
                Some(Either::A(sessions)) => size(sessions),
                Some(Either::B(_)) => 1,
            },
            timeout: self.timeout_ms.map(|limit| Duration::from_millis(limit.into())),
            eager: self.eager.unwrap_or(false),
        })
    }

    pub(crate) fn role(&self) -> Result<Role> {
        role(self.role.as_deref())
    }

    pub(crate) fn overflow(&self) -> Result<Overflow> {
        match self.overflow.as_str() {
            "truncate" => Ok(Overflow::Truncate),
            // What is embedded in chunks has nothing over the limit.
            "error" | "chunk" => Ok(Overflow::Error),
            other => unknown("overflow", other, "'truncate', 'error' or 'chunk'"),
        }
    }

    /// What chunks become; `None` where long texts are not embedded in chunks.
    pub(crate) fn chunk_output(&self) -> Result<Option<ChunkOutput>> {
        match (self.overflow.as_str(), self.chunk_output.as_deref()) {
            ("chunk", None | Some("pooled")) => Ok(Some(ChunkOutput::Pooled)),
            ("chunk", Some("each")) => Ok(Some(ChunkOutput::PerChunk)),
            ("chunk", Some(other)) => unknown("chunks", other, "'pooled' or 'each'"),
            _ => Ok(None),
        }
    }

    pub(crate) fn dtype(&self) -> Result<DType> {
        names::dtype(&self.dtype)
    }

    pub(crate) fn image_limits(&self) -> ImageLimits {
        image_limits(self.max_image_bytes, self.max_image_pixels)
    }

    /// Values of a row of `dim` dimensions in the call's format.
    pub(crate) fn width(&self, dim: Option<usize>, dtype: DType) -> usize {
        let dim = self.dimensions.map(size).or(dim).unwrap_or(0);
        if matches!(dtype, DType::Binary | DType::Ubinary) { dim.div_ceil(8) } else { dim }
    }
}
