//! A matrix of rows as JavaScript sees it.

use crate::{error::NativeError, options::dtype_name};
use millrace_contract::DType;
use millrace_core::dense::{Data, Matrix};
use napi::bindgen_prelude::{
    Either4, Float32Array, Float64Array, Int8Array, Uint8Array, Uint16Array, Uint32Array,
};
use napi_derive::napi;

type Values = Either4<Float32Array, Uint16Array, Int8Array, Uint8Array>;

/// Rows of a call, in one buffer.
#[napi(object, object_from_js = false)]
pub struct NativeBatch {
    /// Position of the first row in the output.
    pub offset: f64,
    /// Rows.
    pub length: u32,
    /// Values of a row.
    pub dim: u32,
    /// Their type.
    #[napi(ts_type = "import('./types.js').NativeDType")]
    pub dtype: String,
    /// The values, row by row.
    #[napi(ts_type = "Float32Array | Uint16Array | Int8Array | Uint8Array")]
    pub data: Values,
    /// What a row's values are multiplied by.
    pub scales: Option<Float32Array>,
    /// Tokens of each row.
    pub tokens: Uint32Array,
    /// 1 where the text was cut.
    pub truncated: Uint8Array,
    /// Input position of each row.
    pub indices: Option<Float64Array>,
    /// Failed rows.
    pub errors: Vec<NativeError>,
}

#[expect(clippy::cast_precision_loss, reason = "JavaScript counts in doubles; inputs end long before 2^53")]
pub(crate) fn double(count: u64) -> f64 {
    count as f64
}

pub(crate) fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl NativeBatch {
    /// Hands the matrix over without copying its values.
    pub(crate) fn new(matrix: Matrix, dtype: DType) -> Self {
        Self {
            offset: double(matrix.offset),
            length: count(matrix.rows),
            dim: count(matrix.width),
            dtype: dtype_name(dtype).into(),
            data: match matrix.data {
                Data::F32(values) => Either4::A(values.into()),
                Data::F16(values) => Either4::B(values.into()),
                Data::I8(values) => Either4::C(values.into()),
                Data::U8(values) => Either4::D(values.into()),
            },
            scales: matrix.scales.map(Into::into),
            tokens: matrix.tokens.into(),
            truncated: matrix.truncated.into(),
            indices: matrix
                .indices
                .map(|indices| indices.into_iter().map(double).collect::<Vec<f64>>().into()),
            errors: matrix.errors.into_iter().map(Into::into).collect(),
        }
    }
}
