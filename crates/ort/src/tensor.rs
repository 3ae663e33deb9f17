//! Between the contract's buffers and ONNX Runtime's values, without a copy unless the graph takes a narrower type.

use crate::names::element;
use half::f16;
use millrace_contract::{Element, Error, ErrorKind, Input, InputData, OutputData, Result};
use ort::{
    AsPointer,
    memory::Allocator,
    value::{DynTensor, DynValue, PrimitiveTensorElementType, Tensor, TensorRef, ValueType},
};

/// An input tensor: over the batch's own buffer where the graph takes its element type, else over a narrowed copy.
pub(crate) enum Fed<'a> {
    I64(TensorRef<'a, i64>),
    F32(TensorRef<'a, f32>),
    Own(DynTensor),
}

impl<'a> Fed<'a> {
    /// A tensor of `input` in the element type that the graph declares for it.
    ///
    /// `InferenceFailed` when its shape and its number of values differ, and when a value does not fit the declared type.
    pub(crate) fn new(input: &'a Input, declared: Element) -> Result<Self> {
        let fail = |why: &dyn std::fmt::Display| {
            Error::new(ErrorKind::InferenceFailed, format!("input {}: {why}", input.name))
        };
        let shape = input.shape.as_slice();
        // ort multiplies without a check.
        let size = shape.iter().try_fold(1_usize, |size, dim| size.checked_mul(*dim));
        let size = size.ok_or_else(|| fail(&format!("shape {shape:?} is too large")))?;
        let values = match &input.data {
            InputData::I64(values) => values.len(),
            InputData::F32(values) => values.len(),
        };
        if values != size {
            return Err(fail(&format!("shape {shape:?} takes {size} values, but there are {values}")));
        }
        if size == 0 {
            // ort refuses an empty buffer, whose pointer ONNX Runtime would not look at.
            return Self::empty(shape, declared).map_err(|error| fail(&error.message()));
        }
        match (&input.data, declared) {
            (InputData::I64(values), Element::I32) => {
                let narrow = values.iter().map(|&value| i32::try_from(value)).collect::<Result<Vec<_>, _>>();
                let narrow = narrow.map_err(|_| fail(&"a value does not fit into 32 bits"))?;
                Tensor::from_array((shape, narrow)).map(|tensor| Self::Own(tensor.upcast()))
            }
            (InputData::F32(values), Element::F16) => {
                let narrow: Vec<f16> = values.iter().map(|&value| f16::from_f32(value)).collect();
                Tensor::from_array((shape, narrow)).map(|tensor| Self::Own(tensor.upcast()))
            }
            (InputData::I64(values), _) => {
                TensorRef::from_array_view((shape, values.as_slice())).map(Self::I64)
            }
            (InputData::F32(values), _) => {
                TensorRef::from_array_view((shape, values.as_slice())).map(Self::F32)
            }
        }
        .map_err(|error| fail(&error.message()))
    }

    /// A tensor of no values, such as the keys and values that a decoder keeps of no text.
    fn empty(shape: &[usize], declared: Element) -> ort::Result<Self> {
        let allocator = Allocator::default();
        let tensor = match declared {
            Element::F16 => Tensor::<f16>::new(&allocator, shape)?.upcast(),
            Element::I64 => Tensor::<i64>::new(&allocator, shape)?.upcast(),
            Element::I32 => Tensor::<i32>::new(&allocator, shape)?.upcast(),
            _ => Tensor::<f32>::new(&allocator, shape)?.upcast(),
        };
        Ok(Self::Own(tensor))
    }

    /// The value ONNX Runtime reads; valid while `self` lives.
    pub(crate) fn ptr(&self) -> *const ort_sys::OrtValue {
        match self {
            Self::I64(tensor) => tensor.ptr(),
            Self::F32(tensor) => tensor.ptr(),
            Self::Own(tensor) => tensor.ptr(),
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
