//! The rows of a batch, packed end to end: which places of each row are computed, and what stands there.

use millrace_contract::{Batch, Error, ErrorKind, InputData, Result};

/// Places of one row of a batch, as rows of packed matrices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text {
    /// The row of the batch.
    pub(crate) row: usize,
    /// The first place in that row, and the number of places; at least one.
    pub(crate) first: usize,
    pub(crate) len: usize,
    /// The first packed row.
    pub(crate) start: usize,
    /// For each place whether it may be looked at; empty when all may.
    pub(crate) keys: Vec<bool>,
}

/// The inputs of a run.
#[derive(Debug)]
pub(crate) struct Texts<'b> {
    pub(crate) list: Vec<Text>,
    pub(crate) tokens: usize,
    pub(crate) padded_len: usize,
    pub(crate) ids: &'b [i64],
    pub(crate) types: Option<&'b [i64]>,
    pub(crate) positions: Option<&'b [i64]>,
}

fn invalid(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::InferenceFailed, why)
}

fn ints<'b>(batch: &'b Batch, name: &str) -> Result<Option<&'b [i64]>> {
    let Some(input) = batch.inputs.iter().find(|input| &*input.name == name) else { return Ok(None) };
    let size = batch.rows.checked_mul(batch.padded_len);
    match &input.data {
        InputData::I64(values) if Some(values.len()) == size => Ok(Some(values)),
        _ => {
            Err(invalid(format!("Expected whole numbers [{}, {}] for {name}", batch.rows, batch.padded_len)))
        }
    }
}

impl<'b> Texts<'b> {
    /// Packs a batch. Places before the first and after the last one that counts are left out; which count, `spans` says for each
    /// row, or the mask where there are no spans, or all do.
    pub(crate) fn of(batch: &'b Batch) -> Result<Self> {
        let ids = ints(batch, "input_ids")?.ok_or_else(|| invalid("Expected the input input_ids"))?;
        let mask = ints(batch, "attention_mask")?;
        let mut list = Vec::with_capacity(batch.rows);
        let mut start = 0;
        for row in 0..batch.rows {
            let here = mask.map(|mask| &mask[row * batch.padded_len..(row + 1) * batch.padded_len]);
            let span = match (batch.spans.get(row), here) {
                (Some(span), _) => span.clone(),
                (None, Some(mask)) => {
                    let first = mask.iter().position(|m| *m != 0).unwrap_or(0);
                    first..mask.iter().rposition(|m| *m != 0).map_or(mask.len(), |last| last + 1)
                }
                (None, None) => 0..batch.padded_len,
            };
            if span.start >= span.end || span.end > batch.padded_len {
                continue;
            }
            let keys: Vec<bool> =
                here.map_or_else(Vec::new, |mask| mask[span.clone()].iter().map(|m| *m != 0).collect());
            let keys = if keys.contains(&false) { keys } else { Vec::new() };
            list.push(Text { row, first: span.start, len: span.len(), start, keys });
            start += span.len();
        }
        Ok(Self {
            list,
            tokens: start,
            padded_len: batch.padded_len,
            ids,
            types: ints(batch, "token_type_ids")?,
            positions: ints(batch, "position_ids")?,
        })
    }

    /// Runs of whole texts of about `rows` rows: what is computed on while it is in the cache. Each is a range of texts.
    pub(crate) fn groups(&self, rows: usize) -> Vec<std::ops::Range<usize>> {
        let mut groups = Vec::new();
        let (mut first, mut held) = (0, 0);
        for (at, text) in self.list.iter().enumerate() {
            if held > 0 && held + text.len > rows {
                groups.push(first..at);
                (first, held) = (at, 0);
            }
            held += text.len;
        }
        if held > 0 {
            groups.push(first..self.list.len());
        }
        groups
    }
}
