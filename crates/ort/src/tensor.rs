//! Between the contract's buffers and ONNX Runtime's values, without a copy either way.

use crate::names::element;
use half::f16;
use millrace_contract::{Element, Error, ErrorKind, Input, InputData, OutputData, Result};
use ort::{
    AsPointer,
    value::{DynValue, PrimitiveTensorElementType, TensorRef, ValueType},
};

/// An input tensor over a borrowed buffer.
pub(crate) enum Fed<'a> {
    I64(TensorRef<'a, i64>),
    F32(TensorRef<'a, f32>),
}

impl<'a> Fed<'a> {
    /// A view of `input`. `InferenceFailed` when its shape and its number of values differ.
    pub(crate) fn new(input: &'a Input) -> Result<Self> {
        let fail = |why: &dyn std::fmt::Display| {
            Error::new(ErrorKind::InferenceFailed, format!("input {}: {why}", input.name))
        };
        let shape = input.shape.as_slice();
        // ort multiplies without a check.
        if shape.iter().try_fold(1_usize, |size, dim| size.checked_mul(*dim)).is_none() {
            return Err(fail(&format!("shape {shape:?} is too large")));
        }
        match &input.data {
            InputData::I64(values) => TensorRef::from_array_view((shape, values.as_slice())).map(Self::I64),
            InputData::F32(values) => TensorRef::from_array_view((shape, values.as_slice())).map(Self::F32),
        }
        .map_err(|error| fail(&error.message()))
    }

    /// The value ONNX Runtime reads; valid while `self` lives.
    pub(crate) fn ptr(&self) -> *const ort_sys::OrtValue {
        match self {
            Self::I64(tensor) => tensor.ptr(),
            Self::F32(tensor) => tensor.ptr(),
        }
    }
}

/// Dimensions of an output. `ModelInvalid` when it is no tensor.
pub(crate) fn dims(name: &str, value: &DynValue) -> Result<Vec<usize>> {
    match value.dtype() {
        ValueType::Tensor { shape, .. } => {
            Ok(shape.iter().map(|dim| usize::try_from(*dim).unwrap_or(0)).collect())
        }
        other => {
            Err(Error::new(ErrorKind::ModelInvalid, format!("output {name} is no tensor but {other:?}")))
        }
    }
}

/// The values of an output. `ModelInvalid` when its element type is none of the contract's.
pub(crate) fn data<'a>(name: &str, value: &'a DynValue) -> Result<OutputData<'a>> {
    let kind = match value.dtype() {
        ValueType::Tensor { ty, .. } => element(*ty),
        _ => Element::Other,
    };
    Ok(match kind {
        Element::F32 => OutputData::F32(slice(name, value)?),
        Element::F16 => OutputData::F16(slice::<f16>(name, value)?),
        Element::F64 => OutputData::F64(slice(name, value)?),
        Element::I8 => OutputData::I8(slice(name, value)?),
        Element::U8 => OutputData::U8(slice(name, value)?),
        Element::I32 => OutputData::I32(slice(name, value)?),
        Element::I64 => OutputData::I64(slice(name, value)?),
        Element::Bool | Element::Other => {
            let found = value.dtype();
            return Err(Error::new(ErrorKind::ModelInvalid, format!("output {name} has type {found:?}")));
        }
    })
}

fn slice<'a, T: PrimitiveTensorElementType>(name: &str, value: &'a DynValue) -> Result<&'a [T]> {
    if dims(name, value)?.contains(&0) {
        return Ok(&[]); // its data pointer may be null
    }
    value.try_extract_tensor::<T>().map(|(_, values)| values).map_err(|error| {
        Error::new(ErrorKind::InferenceFailed, format!("output {name} cannot be read: {}", error.message()))
    })
}
