//! What goes into a run and what comes out of it.

use half::f16;
use std::{ops::Range, sync::Arc};

/// Values of an input tensor, row-major.
#[derive(Debug, Clone, PartialEq)]
pub enum InputData {
    /// Token ids, masks, task ids. A backend narrows them where the graph declares 32-bit integers.
    I64(Vec<i64>),
    /// Pixels, and tensors without values. A backend narrows them where the graph declares 16-bit floats.
    F32(Vec<f32>),
}

/// One named input tensor. An empty `shape` is a scalar.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// Name in the graph.
    pub name: Arc<str>,
    /// Dimensions; the product is the number of values.
    pub shape: Vec<usize>,
    /// The values.
    pub data: InputData,
}

/// The inputs of one run. The names are inputs of the graph; an input that the graph lacks is never here.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Inputs, in no particular order.
    pub inputs: Vec<Input>,
    /// Rows (texts, images) in it.
    pub rows: usize,
    /// Tokens of a row after padding. `rows * padded_len` is what the run costs.
    pub padded_len: usize,
    /// For each row the places whose outputs will be read; no place outside of them is in the mask. Empty where a family does not
    /// say so: then all places count. A backend may leave the outputs of other places zero.
    pub spans: Vec<Range<usize>>,
}

/// Values of an output tensor, borrowed from the backend for the time of the sink call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum OutputData<'a> {
    /// 32-bit floats.
    F32(&'a [f32]),
    /// 16-bit floats.
    F16(&'a [f16]),
    /// 64-bit floats.
    F64(&'a [f64]),
    /// Signed bytes.
    I8(&'a [i8]),
    /// Unsigned bytes.
    U8(&'a [u8]),
    /// 32-bit integers.
    I32(&'a [i32]),
    /// 64-bit integers.
    I64(&'a [i64]),
}

impl OutputData<'_> {
    /// Number of values.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::F32(v) => v.len(),
            Self::F16(v) => v.len(),
            Self::F64(v) => v.len(),
            Self::I8(v) => v.len(),
            Self::U8(v) => v.len(),
            Self::I32(v) => v.len(),
            Self::I64(v) => v.len(),
        }
    }

    /// Whether there are no values.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// One output tensor of a run, row-major.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Output<'a> {
    /// Name in the graph.
    pub name: &'a str,
    /// Dimensions.
    pub shape: &'a [usize],
    /// The values.
    pub data: OutputData<'a>,
}
