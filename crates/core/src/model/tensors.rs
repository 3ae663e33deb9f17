//! Numbers of a safetensors file, whatever type they are stored in. What a tensor means is its reader's to know.

use half::{bf16, f16};
use safetensors::{Dtype, tensor::TensorView};

/// The tensor's values, row-major; an error says which type it has.
pub(crate) fn floats(tensor: &TensorView<'_>) -> Result<Vec<f64>, String> {
    let data = tensor.data();
    Ok(match tensor.dtype() {
        Dtype::F64 => data.as_chunks().0.iter().map(|&bytes| f64::from_le_bytes(bytes)).collect(),
        Dtype::F32 => data.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes).into()).collect(),
        Dtype::F16 => data.as_chunks().0.iter().map(|&bytes| f16::from_le_bytes(bytes).into()).collect(),
        Dtype::BF16 => data.as_chunks().0.iter().map(|&bytes| bf16::from_le_bytes(bytes).into()).collect(),
        other => return Err(format!("are {other:?}, expected floats")),
    })
}
