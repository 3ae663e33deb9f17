//! Rows of one delivery as one matrix in compressed rows.

use super::SparseRow;
use crate::job::Delivery;
use millrace_contract::Error;

/// The rows of one delivery. A failed row is empty, and `errors` says why.
#[derive(Debug, Clone, PartialEq)]
pub struct SparseMatrix {
    /// Position of the first row in the output.
    pub offset: u64,
    /// Where each row begins in `indices` and `values`, and at last their length: one more than there are rows.
    pub row_offsets: Vec<u32>,
    /// Indices of all rows.
    pub indices: Vec<u32>,
    /// As many values.
    pub values: Vec<f32>,
    /// Tokens of each row.
    pub tokens: Vec<u32>,
    /// 1 where the text was cut.
    pub truncated: Vec<u8>,
    /// Input position of each row, when rows come as completed.
    pub inputs: Option<Vec<u64>>,
    /// Failed rows, each with its input position.
    pub errors: Vec<Error>,
}

impl SparseMatrix {
    /// Puts the rows of `delivery` together. `None` when they have 2^32 values or more.
    pub fn assemble(delivery: Delivery<SparseRow>) -> Option<Self> {
        let Delivery { offset, indices: inputs, rows } = delivery;
        let total = rows.iter().flatten().map(|row| row.indices.len()).sum();
        u32::try_from(total).ok()?;
        let mut matrix = Self {
            offset,
            row_offsets: Vec::with_capacity(rows.len() + 1),
            indices: Vec::with_capacity(total),
            values: Vec::with_capacity(total),
            tokens: Vec::with_capacity(rows.len()),
            truncated: Vec::with_capacity(rows.len()),
            inputs,
            errors: Vec::new(),
        };
        matrix.row_offsets.push(0);
        for row in rows {
            match row {
                Ok(row) => {
                    matrix.indices.extend_from_slice(&row.indices);
                    matrix.values.extend_from_slice(&row.values);
                    matrix.tokens.push(row.tokens);
                    matrix.truncated.push(row.truncated.into());
                }
                Err(error) => {
                    matrix.tokens.push(0);
                    matrix.truncated.push(0);
                    matrix.errors.push(error);
                }
            }
            matrix.row_offsets.push(u32::try_from(matrix.indices.len()).ok()?);
        }
        Some(matrix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use millrace_contract::ErrorKind;

    #[test]
    fn a_failed_row_is_empty() {
        let row = |indices: &[u32]| SparseRow {
            indices: indices.into(),
            values: indices.iter().map(|_| 0.5).collect(),
            tokens: 3,
            truncated: true,
        };
        let error = Error::new(ErrorKind::InferenceFailed, "no").at(6);
        let rows = vec![Ok(row(&[4, 9])), Err(error.clone()), Ok(row(&[])), Ok(row(&[1]))];
        let matrix = SparseMatrix::assemble(Delivery { offset: 5, indices: None, rows }).unwrap();
        assert_eq!(matrix.row_offsets, [0, 2, 2, 2, 3]);
        assert_eq!(matrix.indices, [4, 9, 1]);
        assert_eq!(matrix.values.len(), 3);
        assert_eq!((matrix.tokens, matrix.truncated), (vec![3, 0, 3, 3], vec![1, 0, 1, 1]));
        assert_eq!(matrix.errors, [error]);
    }
}
