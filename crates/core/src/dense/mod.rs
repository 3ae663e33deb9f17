//! The dense text family: a text in, one vector out.

mod matrix;

pub use matrix::{Data, Matrix};

use crate::{
    family::{Family, Prepared},
    model::DenseHead,
    postprocess::{self, DenseOptions},
    tokenizer::{Item, Overflow, Tokenizer},
};
use millrace_contract::{Batch, Error, ErrorKind, Graph, Output, Result};
use rayon::prelude::*;

/// Bytes that a token stands for at the least, in the long run: what an unprepared text weighs in the window errs on
/// the heavy side.
const BYTES_PER_TOKEN: usize = 3;

/// Options of one call on dense text.
#[derive(Debug, Clone)]
pub struct DenseCall {
    /// Longest text in tokens, special tokens included.
    pub limit: usize,
    /// What happens to longer ones.
    pub overflow: Overflow,
    /// Written before each text, and counted.
    pub prompt: Option<String>,
    /// How the vector is made of the graph's output.
    pub vector: DenseOptions,
}

/// One embedded text.
#[derive(Debug, Clone, PartialEq)]
pub struct DenseRow {
    /// The vector.
    pub vector: postprocess::Row,
    /// Tokens that were embedded, special tokens included.
    pub tokens: u32,
    /// Whether a part of the text was cut off.
    pub truncated: bool,
}

/// Dense text on one model.
#[derive(Debug)]
pub struct DenseText {
    tokenizer: Tokenizer,
    graph: Graph,
    outputs: [usize; 1],
}

impl DenseText {
    /// The family of a graph whose vector is found at `head`.
    pub fn new(tokenizer: Tokenizer, graph: Graph, head: &DenseHead) -> Self {
        Self { tokenizer, graph, outputs: [head.output] }
    }

    /// The model's tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }
}

/// The text with its prompt.
fn prompted(prompt: Option<&str>, text: String) -> String {
    match prompt {
        None | Some("") => text,
        Some(prompt) => [prompt, &text].concat(),
    }
}

impl Family for DenseText {
    type Input = String;
    type Call = DenseCall;
    type Item = Item;
    type Row = DenseRow;

    fn input_cost(&self, input: &String) -> usize {
        input.len() / BYTES_PER_TOKEN + self.tokenizer.added_tokens() + 1
    }

    fn prepare(&self, input: String, call: &DenseCall) -> Result<Prepared<Item, DenseRow>> {
        let text = prompted(call.prompt.as_deref(), input);
        self.tokenizer.encode(&text, call.limit, call.overflow).map(Prepared::Item)
    }

    fn tokens(&self, item: &Item) -> usize {
        item.len()
    }

    fn padded_len(&self, item: &Item) -> usize {
        self.tokenizer.padded_len(item.len())
    }

    fn collate(&self, items: &[&Item]) -> Result<Batch> {
        // A run of nothing but empty texts, under a tokenizer that adds no special tokens, still needs a column.
        if items.iter().all(|item| item.is_empty()) {
            return Ok(self.tokenizer.collate_to(items, &self.graph, 1));
        }
        Ok(self.tokenizer.collate(items, &self.graph))
    }

    fn outputs(&self) -> &[usize] {
        &self.outputs
    }

    fn finish(
        &self,
        outputs: &[Output<'_>],
        batch: &Batch,
        row: usize,
        item: &Item,
        call: &DenseCall,
    ) -> Result<DenseRow> {
        let output = outputs
            .first()
            .ok_or_else(|| Error::new(ErrorKind::InferenceFailed, "The graph gave no output"))?;
        let left_padded = self.tokenizer.left_padded();
        let vector = call.vector.row(output, row, item.len(), batch.padded_len, left_padded)?;
        Ok(DenseRow {
            vector,
            tokens: u32::try_from(item.len()).unwrap_or(u32::MAX),
            truncated: item.truncated,
        })
    }
}

impl crate::engine::Engine<DenseText> {
    /// Tokens of each text after truncation to `limit`, special tokens and `prompt` included. Uses the preparing
    /// pool and blocks; an error names its text.
    pub fn count_tokens(&self, texts: &[String], limit: usize, prompt: Option<&str>) -> Result<Vec<u32>> {
        let tokenizer = &self.family().tokenizer;
        let count = |(index, text): (usize, &String)| {
            let text = prompted(prompt, text.clone());
            let tokens = tokenizer.count(&text, limit).map_err(|error| error.at(index as u64))?;
            Ok(u32::try_from(tokens).unwrap_or(u32::MAX))
        };
        self.install(|| texts.par_iter().enumerate().map(count).collect())
    }
}
