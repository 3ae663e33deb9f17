//! From a graph's output to a finished dense row: pool, cut, normalise, convert.
//!
//! One row at a time, on the thread that ran the graph, so that only finished rows leave it. Sums are made in
//! float64 whatever the graph's type. Nothing here knows of batches of rows; a row may be written straight
//! into one with [`DenseOptions::write`].

mod pool;
mod tail;
mod values;

pub use tail::{Activation, Linear, Step, Tail};
pub use values::{Row, Values, ValuesMut};

use crate::quantize::row::stored_len;
use half::f16;
use millrace_contract::{DType, Error, ErrorKind, Output, OutputData, Pooling, Result};
use pool::RowShape;
use std::ops::Range;

/// Least norm that is divided by; FastEmbed's.
const LEAST_NORM: f64 = 1e-12;

/// How a dense row is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DenseOptions {
    /// How token vectors become one.
    pub pooling: Pooling,
    /// Whether the vector is scaled to length 1, after the cut.
    pub normalize: bool,
    /// How many of the first dimensions are kept; all by default.
    pub dimensions: Option<usize>,
    /// The delivered type.
    pub dtype: DType,
}

impl DenseOptions {
    /// Checks `dimensions` against the graph's, where that is known: 1 to `dim`.
    pub fn validate(&self, dim: Option<usize>) -> Result<()> {
        let Some(asked) = self.dimensions else { return Ok(()) };
        let bound = dim.unwrap_or(usize::MAX);
        if (1..=bound).contains(&asked) {
            return Ok(());
        }
        let most =
            dim.map_or_else(|| "a positive integer".to_owned(), |dim| format!("an integer from 1 to {dim}"));
        Err(Error::new(
            ErrorKind::InvalidOption,
            format!("Expected {most} for dimensions but received {asked}"),
        ))
    }

    /// Dimensions of a row whose graph gives `dim`.
    #[must_use]
    pub fn row_dim(&self, dim: usize) -> usize {
        self.dimensions.map_or(dim, |asked| asked.min(dim))
    }

    /// Values of a row whose graph gives `dim`: as many as dimensions, or for binary types one byte for every
    /// eight, the last one filled up with zero bits.
    #[must_use]
    pub fn row_len(&self, dim: usize) -> usize {
        stored_len(self.dtype, self.row_dim(dim))
    }

    /// The row number `row` of `output`, whose item has `item_len` of `padded_len` tokens.
    ///
    /// An item without tokens gives the zero vector. Errors: [`ErrorKind::InferenceFailed`] for a row that is
    /// not finite, also when only the delivered type cannot hold it; [`ErrorKind::ModelInvalid`] for an output
    /// whose shape does not fit the pooling or the batch.
    pub fn row(
        &self,
        output: &Output<'_>,
        row: usize,
        item_len: usize,
        padded_len: usize,
        left_padded: bool,
    ) -> Result<Row> {
        let dim = output.shape.last().copied().unwrap_or(0);
        let mut values = Values::zeroed(self.dtype, self.row_len(dim));
        let scale = self.write(output, row, item_len, padded_len, left_padded, &mut values.as_mut())?;
        Ok(Row { values, scale, dim: self.row_dim(dim) })
    }

    /// As [`row`](Self::row), but writes the values into `to`, which has [`row_len`](Self::row_len) values of
    /// the delivered type, and returns the row's scale, which the byte types have. After an error `to` holds
    /// anything.
    pub fn write(
        &self,
        output: &Output<'_>,
        row: usize,
        item_len: usize,
        padded_len: usize,
        left_padded: bool,
        to: &mut ValuesMut<'_>,
    ) -> Result<Option<f32>> {
        let mut vector = self.pooled(output, row, item_len, padded_len, left_padded)?;
        if self.normalize {
            normalize(&mut vector)?;
        }
        if matches!(output.data, OutputData::F16(_)) {
            // A graph's vectors have the graph's precision, as FastEmbed's have.
            for x in &mut vector {
                *x = f16::from_f64(*x).to_f64();
            }
        }
        values::convert(&vector, self.dtype, to)
    }

    /// The pooled vector of a row, cut to the dimensions that are kept and not scaled.
    fn pooled(
        &self,
        output: &Output<'_>,
        row: usize,
        item_len: usize,
        padded_len: usize,
        left_padded: bool,
    ) -> Result<Vec<f64>> {
        let span: Range<usize> = match padded_len.checked_sub(item_len) {
            Some(start) if left_padded => start..padded_len,
            Some(_) => 0..item_len,
            None => return Err(Error::new(ErrorKind::Internal, "an item is longer than its padded row")),
        };
        let shape = RowShape::of(output, self.pooling, row, padded_len)?;
        Ok(pool::pooled(output.data, &shape, span, self.pooling, self.row_dim(shape.dim)))
    }

    /// A row of a vector that no graph gave: cut, scaled and converted as asked. Pooling plays no part. Errors as
    /// those of [`row`](Self::row) for values that are not finite.
    pub fn finish(&self, mut vector: Vec<f64>) -> Result<Row> {
        vector.truncate(self.row_dim(vector.len()));
        if self.normalize {
            normalize(&mut vector)?;
        }
        let mut values = Values::zeroed(self.dtype, stored_len(self.dtype, vector.len()));
        let scale = values::convert(&vector, self.dtype, &mut values.as_mut())?;
        Ok(Row { values, scale, dim: vector.len() })
    }
}

/// Scales to length 1; a vector without length stays as it is.
fn normalize(vector: &mut [f64]) -> Result<()> {
    let norm = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
    if !norm.is_finite() {
        // Dividing by it would turn what is left into zeros, which look like a result.
        return Err(values::not_finite("not a finite number, or its length is not"));
    }
    let norm = norm.max(LEAST_NORM);
    for x in vector {
        *x /= norm;
    }
    Ok(())
}

/// The same for float32s, which must be finite; their length is summed up in float64.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a value divided by the length it is part of is at most 1"
)]
pub(crate) fn normalize_f32(vector: &mut [f32]) {
    let norm = vector.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt().max(LEAST_NORM);
    for x in vector {
        *x = (f64::from(*x) / norm) as f32;
    }
}
