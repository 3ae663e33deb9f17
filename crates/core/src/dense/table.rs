//! The vectors of a static model, as its `model.safetensors` has them: one row a token, or one row for several.
//!
//! The file's bytes are kept as they are and rows are read from them, so a table of float16 takes half the memory of
//! one of float32.

use crate::model::{
    json::{invalid, missing, read_bytes},
    tensors::floats,
};
use half::{bf16, f16};
use millrace_contract::Result;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::{ops::Range, path::Path};

/// Element types of a table.
#[derive(Debug, Clone, Copy)]
enum Float {
    F32,
    F16,
    BF16,
}

impl Float {
    fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::BF16 => 2,
        }
    }
}

/// A table of token vectors.
#[derive(Debug)]
pub(super) struct Table {
    file: Vec<u8>,
    /// Where the vectors are in `file`.
    vectors: Range<usize>,
    float: Float,
    rows: usize,
    dim: usize,
    /// The row of each token, where tokens share rows.
    mapping: Option<Vec<u32>>,
    /// What the vector of each token is multiplied by.
    weights: Option<Vec<f64>>,
}

impl Table {
    /// Reads the file. [`MODEL_NOT_FOUND`](millrace_contract::ErrorKind::ModelNotFound) where it is missing,
    /// [`MODEL_INVALID`](millrace_contract::ErrorKind::ModelInvalid) where it is no table of vectors.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let file = read_bytes(path)?.ok_or_else(|| missing(path))?;
        let tensors = SafeTensors::deserialize(&file).map_err(|error| invalid(path, error))?;
        let vectors = tensors.tensor("embeddings").map_err(|error| invalid(path, error))?;
        let float = match vectors.dtype() {
            Dtype::F32 => Float::F32,
            Dtype::F16 => Float::F16,
            Dtype::BF16 => Float::BF16,
            other => {
                let why = format!("embeddings are {other:?}, expected F32, F16 or BF16");
                return Err(invalid(path, why));
            }
        };
        let &[rows, dim] = vectors.shape() else {
            return Err(invalid(
                path,
                format_args!("embeddings are {:?}, expected [rows, dim]", vectors.shape()),
            ));
        };
        if rows == 0 || dim == 0 {
            return Err(invalid(path, "embeddings are empty"));
        }
        let (mapping, weights) = (tensors.tensor("mapping").ok(), tensors.tensor("weights").ok());
        let mapping = mapping.map(|tensor| indices(&tensor, rows)).transpose();
        let mapping = mapping.map_err(|why| invalid(path, format_args!("mapping {why}")))?;
        let weights = weights.map(|tensor| floats(&tensor)).transpose();
        let weights = weights.map_err(|why| invalid(path, format_args!("weights {why}")))?;
        let data = vectors.data();
        let start = data.as_ptr().addr() - file.as_ptr().addr();
        let vectors = start..start + data.len();
        Ok(Self { file, vectors, float, rows, dim, mapping, weights })
    }

    /// Dimensions of a vector.
    pub(super) fn dim(&self) -> usize {
        self.dim
    }

    /// Bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        self.file.len()
    }

    /// Adds the weighted vector of a token to `sum`; false where the table does not know the token.
    pub(super) fn add(&self, token: u32, sum: &mut [f64]) -> bool {
        let at = token as usize;
        let row = match &self.mapping {
            Some(mapping) => mapping.get(at).map(|&row| row as usize),
            None => (at < self.rows).then_some(at),
        };
        let weight = self.weights.as_ref().map_or(Some(1.0), |weights| weights.get(at).copied());
        let (Some(row), Some(weight)) = (row, weight) else { return false };
        let width = self.dim * self.float.bytes();
        let vector = &self.file[self.vectors.clone()][row * width..][..width];
        match self.float {
            Float::F32 => add(vector.as_chunks().0, sum, weight, |bytes| f32::from_le_bytes(bytes).into()),
            Float::F16 => add(vector.as_chunks().0, sum, weight, |bytes| f16::from_le_bytes(bytes).into()),
            Float::BF16 => add(vector.as_chunks().0, sum, weight, |bytes| bf16::from_le_bytes(bytes).into()),
        }
        true
    }
}

fn add<const N: usize>(vector: &[[u8; N]], sum: &mut [f64], weight: f64, value: impl Fn([u8; N]) -> f64) {
    for (sum, &bytes) in sum.iter_mut().zip(vector) {
        *sum += weight * value(bytes);
    }
}

/// A list of row numbers below `rows`.
fn indices(tensor: &TensorView<'_>, rows: usize) -> Result<Vec<u32>, String> {
    let data = tensor.data();
    let numbers: Vec<i64> = match tensor.dtype() {
        Dtype::I64 => data.as_chunks().0.iter().map(|&bytes| i64::from_le_bytes(bytes)).collect(),
        Dtype::I32 => data.as_chunks().0.iter().map(|&bytes| i32::from_le_bytes(bytes).into()).collect(),
        Dtype::U32 => data.as_chunks().0.iter().map(|&bytes| u32::from_le_bytes(bytes).into()).collect(),
        other => return Err(format!("is {other:?}, expected integers")),
    };
    let row = |number: i64| u32::try_from(number).ok().filter(|&row| (row as usize) < rows);
    let number = |number: i64| row(number).ok_or_else(|| format!("leads to row {number} of {rows}"));
    numbers.into_iter().map(number).collect()
}
