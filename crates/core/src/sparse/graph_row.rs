//! One row of a run's output, as the sparse heads read it.

use crate::tokenizer::Item;
use half::f16;
use millrace_contract::{Error, ErrorKind, Output, OutputData, Result};
use std::ops::Range;

/// Where a head finds the row that it finishes.
pub(super) struct GraphRow<'a> {
    pub(super) output: &'a Output<'a>,
    pub(super) row: usize,
    pub(super) item: &'a Item,
    pub(super) padded_len: usize,
    pub(super) left_padded: bool,
}

impl GraphRow<'_> {
    /// Where the item's tokens stand in the padded row.
    pub(super) fn span(&self) -> Result<Range<usize>> {
        match self.padded_len.checked_sub(self.item.len()) {
            Some(start) if self.left_padded => Ok(start..self.padded_len),
            Some(_) => Ok(0..self.item.len()),
            None => Err(Error::new(ErrorKind::Internal, "an item is longer than its padded row")),
        }
    }

    /// The values at `range`, as float64.
    pub(super) fn values(&self, range: Range<usize>) -> Result<Vec<f64>> {
        let values = match self.output.data {
            OutputData::F32(values) => values.get(range).map(|v| v.iter().copied().map(f64::from).collect()),
            OutputData::F16(values) => {
                values.get(range).map(|v| v.iter().copied().map(f16::to_f64).collect())
            }
            OutputData::F64(values) => values.get(range).map(<[f64]>::to_vec),
            OutputData::I8(_) | OutputData::U8(_) | OutputData::I32(_) | OutputData::I64(_) => None,
        };
        values.ok_or_else(|| self.unfit("floating-point values for every row"))
    }

    /// The error for an output that is not what the family needs.
    pub(super) fn unfit(&self, expected: &str) -> Error {
        let Output { name, shape, .. } = self.output;
        let message = format!("output {name} is {shape:?} after a run, expected {expected}");
        Error::new(ErrorKind::ModelInvalid, message)
    }
}
