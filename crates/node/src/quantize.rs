//! Number formats and vector arithmetic, as JavaScript calls them.
//!
//! What answers with a promise copies its arrays before it returns and works on the vector pool; callers give it a block
//! at a time. What answers at once only reads them, on JavaScript's own thread.

use crate::{
    batch::count,
    error::NativeError,
    options::{dtype as parse_dtype, size},
    promise::on_vector_pool,
};
use millrace_contract::{Error, ErrorKind, Result};
use millrace_core::{
    postprocess::Values,
    quantize::{self, Quantized, Ranges},
};
use napi::{
    Env,
    bindgen_prelude::{
        Either, Either4, Float32Array, Int8Array, Object, Uint8Array, Uint16Array, Uint32Array,
    },
};
use napi_derive::napi;

/// Values of any format, as they come in.
pub type NativeValues = Either4<Float32Array, Uint16Array, Int8Array, Uint8Array>;

/// Ranges of dimensions.
#[napi(object)]
pub struct NativeRanges {
    /// Least values.
    pub min: Float32Array,
    /// Greatest values.
    pub max: Float32Array,
}

/// A copy of the caller's ranges.
pub(crate) fn in_core(ranges: Option<NativeRanges>) -> Result<Option<Ranges>> {
    ranges.map(|NativeRanges { min, max }| Ranges::new(min.to_vec(), max.to_vec())).transpose()
}

/// Vectors in a format.
#[napi(object, object_from_js = false)]
pub struct NativeQuantized {
    /// The values, row by row.
    #[napi(ts_type = "Float32Array | Uint16Array | Int8Array | Uint8Array")]
    pub data: NativeValues,
    /// What the levels of each row are multiplied by.
    pub scales: Option<Float32Array>,
}

impl From<Quantized> for NativeQuantized {
    fn from(Quantized { values, scales }: Quantized) -> Self {
        let data = match values {
            Values::F32(values) => Either4::A(values.into_vec().into()),
            Values::F16(values) => Either4::B(values.into_vec().into()),
            Values::I8(values) => Either4::C(values.into_vec().into()),
            Values::U8(values) => Either4::D(values.into_vec().into()),
        };
        Self { data, scales: scales.map(Into::into) }
    }
}

/// A copy of the caller's values.
pub(crate) fn copied(values: NativeValues) -> Values {
    match values {
        Either4::A(values) => Values::F32(values.to_vec().into()),
        Either4::B(values) => Values::F16(values.to_vec().into()),
        Either4::C(values) => Values::I8(values.to_vec().into()),
        Either4::D(values) => Values::U8(values.to_vec().into()),
    }
}

/// Vectors of `dim` dimensions in another format.
#[napi(ts_return_type = "Promise<NativeQuantized | NativeError>")]
pub fn quantize_rows<'env>(
    env: &'env Env,
    vectors: &[f32],
    dim: u32,
    dtype: String,
    ranges: Option<NativeRanges>,
) -> napi::Result<Object<'env>> {
    let (vectors, ranges) = (vectors.to_vec(), in_core(ranges));
    let work = move || quantize::quantize(&vectors, size(dim), parse_dtype(&dtype)?, ranges?.as_ref());
    on_vector_pool(env, work, NativeQuantized::from)
}

/// Back to float32.
#[napi(ts_return_type = "Promise<Float32Array | NativeError>")]
pub fn dequantize_rows(
    env: &Env,
    #[napi(ts_arg_type = "Float32Array | Uint16Array | Int8Array | Uint8Array")] data: NativeValues,
    scales: Option<Float32Array>,
    dim: u32,
    dtype: String,
    ranges: Option<NativeRanges>,
) -> napi::Result<Object<'_>> {
    let (values, scales) = (copied(data), scales.map(|scales| scales.to_vec()));
    let ranges = in_core(ranges);
    let work = move || {
        let dtype = parse_dtype(&dtype)?;
        quantize::dequantize(&values, scales.as_deref(), size(dim), dtype, ranges?.as_ref())
    };
    on_vector_pool(env, work, Float32Array::from)
}

/// The ranges of a sample.
#[napi(ts_return_type = "Promise<NativeRanges | NativeError>")]
pub fn ranges_of<'env>(env: &'env Env, sample: &[f32], dim: u32) -> napi::Result<Object<'env>> {
    let sample = sample.to_vec();
    let answer = |ranges: Ranges| NativeRanges {
        min: ranges.min().to_vec().into(),
        max: ranges.max().to_vec().into(),
    };
    on_vector_pool(env, move || Ranges::of(&sample, size(dim)), answer)
}

/// The first `dimensions` of each vector, normalised.
#[napi(ts_return_type = "Promise<Float32Array | NativeError>")]
pub fn truncate_rows<'env>(
    env: &'env Env,
    vectors: &[f32],
    dim: u32,
    dimensions: u32,
) -> napi::Result<Object<'env>> {
    let vectors = vectors.to_vec();
    let work = move || quantize::truncate_dimensions(&vectors, size(dim), size(dimensions));
    on_vector_pool(env, work, Float32Array::from)
}

/// Dot products of a query with rows.
#[napi]
pub fn dots(query: &[f32], rows: &[f32]) -> Either<Float32Array, NativeError> {
    answer(quantize::dots(query, rows))
}

/// Cosines of a query and rows.
#[napi]
pub fn cosines(query: &[f32], rows: &[f32]) -> Either<Float32Array, NativeError> {
    answer(quantize::cosines(query, rows))
}

/// Differing bits of a query and rows.
#[napi]
pub fn hammings(query: &[u8], rows: &[u8]) -> Either<Uint32Array, NativeError> {
    answer(quantize::hammings(query, rows))
}

fn answer<T, R: From<Vec<T>>>(outcome: Result<Vec<T>>) -> Either<R, NativeError> {
    match outcome {
        Ok(values) => Either::A(values.into()),
        Err(error) => Either::B(error.into()),
    }
}

/// The error of a number that does not fit JavaScript's.
pub(crate) fn row_number(row: usize) -> Result<u32> {
    match count(row) {
        u32::MAX => Err(Error::new(ErrorKind::Internal, "a row has a number of 2^32 or more")),
        row => Ok(row),
    }
}
