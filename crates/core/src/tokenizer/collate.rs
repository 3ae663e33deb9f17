//! Items to the inputs of one run: padding, masks, and only what the graph takes.

use super::{Item, Side, Tokenizer};
use millrace_contract::{Batch, Graph, Input, InputData};
use std::ops::Range;

impl Tokenizer {
    /// Length of a row whose longest item has `len` tokens.
    #[must_use]
    pub fn padded_len(&self, len: usize) -> usize {
        match self.fixed_len {
            Some(fixed) => fixed.max(len),
            None => len.next_multiple_of(self.padding.multiple_of),
        }
    }

    /// Whether padding stands before the tokens.
    #[must_use]
    pub fn left_padded(&self) -> bool {
        self.padding.side == Side::Left
    }

    /// Where the tokens of an item stand in a row of `padded_len`.
    #[must_use]
    pub fn span(&self, len: usize, padded_len: usize) -> Range<usize> {
        match self.padding.side {
            Side::Left => padded_len - len..padded_len,
            Side::Right => 0..len,
        }
    }

    /// The inputs for embedding `items`, padded to the longest; token type ids are all zero.
    ///
    /// Every input is `[rows, padded_len]` of int64: `input_ids`, `attention_mask`, `token_type_ids`,
    /// `position_ids`, each only if the graph has it. Positions count the tokens of an item, from the
    /// architecture's first position on; padding has position 0. A decoder's `past_key_values.*` are
    /// `[rows, heads, 0, values of a head]`, without a value.
    #[must_use]
    pub fn collate(&self, items: &[&Item], graph: &Graph) -> Batch {
        let longest = items.iter().map(|item| item.len()).max().unwrap_or(0);
        self.collate_to(items, graph, longest)
    }

    /// As [`collate`](Self::collate), but padded to at least `len` tokens.
    #[must_use]
    pub fn collate_to(&self, items: &[&Item], graph: &Graph, len: usize) -> Batch {
        self.tensors(items, graph, len, false)
    }

    /// The inputs for judging `items` as pairs, padded to the longest: as those of [`collate`](Self::collate), but
    /// with the token type ids that tell the texts of a pair apart.
    #[must_use]
    pub fn collate_pairs(&self, items: &[&Item], graph: &Graph) -> Batch {
        // Even a run of nothing but empty pairs, under a tokenizer that adds no tokens, needs a column.
        self.tensors(items, graph, 1, true)
    }

    fn tensors(&self, items: &[&Item], graph: &Graph, len: usize, typed: bool) -> Batch {
        let longest = items.iter().map(|item| item.len()).max().unwrap_or(0);
        let padded_len = self.padded_len(longest.max(len));
        let mut inputs = Vec::with_capacity(graph.inputs.len());
        for port in &graph.inputs {
            let fill: fn(&Self, &Item, &mut [i64]) = match port.name.as_str() {
                "input_ids" => |_, item, row| {
                    row.iter_mut().zip(&item.ids).for_each(|(to, &id)| *to = i64::from(id));
                },
                "attention_mask" => |_, _, row| row.fill(1),
                "token_type_ids" if typed => |_, item, row| match &item.type_ids {
                    Some(ids) => row.iter_mut().zip(ids).for_each(|(to, &id)| *to = i64::from(id)),
                    None => row.fill(0),
                },
                "token_type_ids" => |_, _, row| row.fill(0),
                "position_ids" => |tokenizer, _, row| {
                    for (position, to) in row.iter_mut().enumerate() {
                        *to = i64::try_from(position + tokenizer.position_offset).unwrap_or(i64::MAX);
                    }
                },
                _ => {
                    if let Some(shape) = self.past.shape(port, items.len()) {
                        let name = port.name.as_str().into();
                        inputs.push(Input { name, shape, data: InputData::F32(Vec::new()) });
                    }
                    continue;
                }
            };
            let blank = match port.name.as_str() {
                "input_ids" => i64::from(self.padding.id),
                "token_type_ids" if typed => i64::from(self.padding.type_id),
                _ => 0,
            };
            let mut data = vec![blank; items.len() * padded_len];
            for (row, item) in items.iter().enumerate() {
                let span = self.span(item.len(), padded_len);
                fill(self, item, &mut data[row * padded_len..][..padded_len][span]);
            }
            inputs.push(Input {
                name: port.name.as_str().into(),
                shape: vec![items.len(), padded_len],
                data: InputData::I64(data),
            });
        }
        let spans = items.iter().map(|item| self.span(item.len(), padded_len)).collect();
        Batch { inputs, rows: items.len(), padded_len, spans }
    }
}
