//! Names of the contract's values, as JavaScript writes them.

use super::unknown;
use millrace_contract::{DType, Pooling, Quantization, Result};

pub(crate) fn pooling_name(pooling: Pooling) -> &'static str {
    match pooling {
        Pooling::Cls => "cls",
        Pooling::Mean => "mean",
        Pooling::LastToken => "last",
        Pooling::Max => "max",
        Pooling::MeanSqrtLen => "mean-sqrt-len",
        Pooling::WeightedMean => "weighted-mean",
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

pub(crate) fn quantization_name(quantization: Quantization) -> &'static str {
    match quantization {
        Quantization::None => "none",
        Quantization::WeightOnly => "weight-only",
        Quantization::Static => "static",
        Quantization::Dynamic => "dynamic",
    }
}

pub(super) fn pooling(value: &str) -> Result<Pooling> {
    let all = [
        Pooling::Cls,
        Pooling::Mean,
        Pooling::LastToken,
        Pooling::Max,
        Pooling::MeanSqrtLen,
        Pooling::WeightedMean,
        Pooling::None,
    ];
    match all.into_iter().find(|pooling| pooling_name(*pooling) == value) {
        Some(pooling) => Ok(pooling),
        None => unknown(
            "pooling",
            value,
            "'cls', 'mean', 'last', 'max', 'mean-sqrt-len', 'weighted-mean' or 'none'",
        ),
    }
}

pub(crate) fn dtype(value: &str) -> Result<DType> {
    let all = [DType::Float32, DType::Float16, DType::Int8, DType::Uint8, DType::Binary, DType::Ubinary];
    match all.into_iter().find(|dtype| dtype_name(*dtype) == value) {
        Some(dtype) => Ok(dtype),
        None => unknown("dtype", value, "'float32', 'float16', 'int8', 'uint8', 'binary' or 'ubinary'"),
    }
}
