//! Options as JavaScript gives them, converted once into the core's. TypeScript has checked their values.

use millrace_contract::{DType, Error, ErrorKind, Pooling, Result};
use millrace_core::{
    engine::{EngineOptions, Sessions},
    job::{Batching, JobOptions, OnError, Order},
    model::ModelRequest,
    tokenizer::Overflow,
};
use millrace_ort::DeviceRequest;
use napi::bindgen_prelude::{Either, Null};
use napi_derive::napi;
use std::time::Duration;

/// Options of loading a model.
#[napi(object)]
pub struct NativeModelOptions {
    /// Directory of the model's files.
    pub dir: String,
    /// ONNX file, relative to it.
    pub model_file: Option<String>,
    /// `cls`, `mean`, `last`, `max` or `none`.
    #[napi(ts_type = "'cls' | 'mean' | 'last' | 'max' | 'none'")]
    pub pooling: Option<String>,
    /// Whether vectors get length 1.
    pub normalize: Option<bool>,
    /// Output of the graph to take.
    pub output_name: Option<String>,
    /// Limit in tokens.
    pub max_length: Option<u32>,
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
    /// Whether rows of dynamically quantised graphs run alone; default true.
    pub batch_invariance: Option<bool>,
    /// Open calls; one more is refused.
    pub max_queue: Option<u32>,
}

/// Options of one call.
#[napi(object)]
pub struct NativeJobOptions {
    /// Rows of a batch.
    pub batch_size: u32,
    /// `planned` or `fixed`.
    #[napi(ts_type = "'planned' | 'fixed'")]
    pub batching: String,
    /// `input` or `completion`.
    #[napi(ts_type = "'input' | 'completion'")]
    pub order: String,
    /// `truncate` or `error`.
    #[napi(ts_type = "'truncate' | 'error'")]
    pub overflow: String,
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
    /// Higher runs first.
    pub priority: i32,
    /// Longest time of one run, in milliseconds.
    pub timeout_ms: Option<u32>,
}

fn unknown<T>(name: &str, value: &str, expected: &str) -> Result<T> {
    let message = format!("Expected {expected} for {name} but received '{value}'");
    Err(Error::new(ErrorKind::InvalidOption, message))
}

pub(crate) fn size(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

pub(crate) fn pooling_name(pooling: Pooling) -> &'static str {
    match pooling {
        Pooling::Cls => "cls",
        Pooling::Mean => "mean",
        Pooling::LastToken => "last",
        Pooling::Max => "max",
        Pooling::None => "none",
    }
}

pub(crate) fn dtype_name(dtype: DType) -> &'static str {
    match dtype {
        DType::Float32 => "float32",
        DType::Float16 => "float16",
        DType::Int8 => "int8",
        DType::Uint8 => "uint8",
        DType::Binary => "binary",
        DType::Ubinary => "ubinary",
    }
}

fn pooling(value: &str) -> Result<Pooling> {
    let all = [Pooling::Cls, Pooling::Mean, Pooling::LastToken, Pooling::Max, Pooling::None];
    match all.into_iter().find(|pooling| pooling_name(*pooling) == value) {
        Some(pooling) => Ok(pooling),
        None => unknown("pooling", value, "'cls', 'mean', 'last', 'max' or 'none'"),
    }
}

pub(crate) fn overflow(value: &str) -> Result<Overflow> {
    match value {
        "truncate" => Ok(Overflow::Truncate),
        "error" => Ok(Overflow::Error),
        _ => unknown("overflow", value, "'truncate' or 'error'"),
    }
}

pub(crate) fn dtype(value: &str) -> Result<DType> {
    let all = [DType::Float32, DType::Float16, DType::Int8, DType::Uint8, DType::Binary, DType::Ubinary];
    match all.into_iter().find(|dtype| dtype_name(*dtype) == value) {
        Some(dtype) => Ok(dtype),
        None => unknown("dtype", value, "'float32', 'float16', 'int8', 'uint8', 'binary' or 'ubinary'"),
    }
}

impl NativeModelOptions {
    pub(crate) fn request(&self) -> Result<ModelRequest> {
        Ok(ModelRequest {
            dir: (&self.dir).into(),
            model_file: self.model_file.clone(),
            pooling: self.pooling.as_deref().map(pooling).transpose()?,
            normalize: self.normalize,
            output_name: self.output_name.clone(),
            max_length: self.max_length.map(size),
            ..ModelRequest::default()
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

    pub(crate) fn engine(&self, sessions: usize, row_by_row: bool) -> EngineOptions {
        EngineOptions {
            sessions,
            max_batch_tokens: self.max_batch_tokens.map_or(EngineOptions::MAX_BATCH_TOKENS, size),
            row_by_row,
            max_jobs: self.max_queue.map_or(EngineOptions::MAX_JOBS, size),
        }
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
            timeout: self.timeout_ms.map(|limit| Duration::from_millis(limit.into())),
        })
    }
}
