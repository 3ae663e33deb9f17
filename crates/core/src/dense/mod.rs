//! The dense text family: a text in, one vector out, or one of each of its chunks.

mod chunk_matrix;
mod chunks;
mod matrix;
mod table;
mod table_text;

pub use chunk_matrix::ChunkMatrix;
pub use chunks::{Chunk, ChunkOutput, Chunking, Span};
pub use matrix::{Data, Matrix};
pub use table_text::StaticText;

use crate::{
    family::{self, Family, Parts, Prepared},
    model::{DenseHead, TaskInput},
    postprocess::{self, DenseOptions, Tail, Values},
    tokenizer::{Chunks, Item, Overflow, TextChunk, Tokenizer},
};
use millrace_contract::{Batch, Error, ErrorKind, Graph, Input, InputData, Output, Result};
use std::sync::Arc;

/// Options of one call on dense text.
#[derive(Debug, Clone)]
pub struct DenseCall {
    /// Longest text in tokens, special tokens included.
    pub limit: usize,
    /// What happens to longer ones that are not embedded in chunks.
    pub overflow: Overflow,
    /// Whether longer ones are embedded in chunks, which leaves nothing to [`overflow`](Self::overflow), and how.
    pub chunks: Option<Chunking>,
    /// Written before each text, and counted.
    pub prompt: Option<String>,
    /// How the vector is made of the graph's output.
    pub vector: DenseOptions,
    /// What the texts are embedded for, by the model's own numbers; [`DenseText::DEFAULT_TASK`] where nothing is
    /// said. Only for models that [have tasks](DenseText::has_tasks).
    pub task: Option<u32>,
}

/// A text on its way to a vector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DenseItem {
    text: Item,
    /// Tokens that its row has at the least.
    least_len: usize,
    task: u32,
    /// Which part of the text it is, in a call that makes chunks; not of a text that fits and becomes one vector.
    span: Option<Span>,
}

/// One embedded text.
#[derive(Debug, Clone, PartialEq)]
pub struct DenseRow {
    /// The vector; without values where `chunks` have them.
    pub vector: postprocess::Row,
    /// Tokens that were embedded, special tokens included, in all chunks.
    pub tokens: u32,
    /// Whether a part of the text was cut off.
    pub truncated: bool,
    /// The chunks of a call for [`ChunkOutput::PerChunk`], in order; none of other calls.
    pub chunks: Vec<Chunk>,
}

impl DenseRow {
    /// One vector.
    pub(crate) fn one(vector: postprocess::Row, tokens: usize, truncated: bool) -> Self {
        Self { vector, tokens: family::count(tokens), truncated, chunks: Vec::new() }
    }

    /// A vector of each chunk.
    fn of_chunks(chunks: Vec<Chunk>) -> Self {
        let tokens = chunks.iter().fold(0, |sum: u32, chunk| sum.saturating_add(chunk.tokens));
        let vector = postprocess::Row { values: Values::F32(Box::default()), scale: None, dim: 0 };
        Self { vector, tokens, truncated: false, chunks }
    }

    /// The vector of a chunk, where the text has more of them or all of them are wanted.
    fn chunk(vector: postprocess::Row, tokens: usize, span: Span) -> Self {
        let tokens = family::count(tokens);
        Self::of_chunks(vec![Chunk { vector, span, tokens }])
    }
}

/// Dense text on one model.
#[derive(Debug)]
pub struct DenseText {
    tokenizer: Arc<Tokenizer>,
    graph: Graph,
    outputs: [usize; 1],
    pad_to_limit: bool,
    task: Option<TaskInput>,
    /// What comes between the pooling and the finished row, in models that have more than one pooling.
    tail: Option<Arc<Tail>>,
}

impl DenseText {
    /// The task of a call that names none: to be found, as in `jinaai/jina-embeddings-v3`, where queries are
    /// task 0 and the other tasks are 2 to 4.
    pub const DEFAULT_TASK: u32 = 1;

    /// The family of a graph whose vector is found at `head`.
    pub fn new(mut tokenizer: Tokenizer, graph: Graph, head: &DenseHead) -> Self {
        if head.pad_to_limit {
            // The model knows one length only, so nothing is rounded up.
            tokenizer.pad_exactly();
        }
        tokenizer.pad_to(head.fixed_len);
        let task = head.task.clone();
        Self {
            tokenizer: Arc::new(tokenizer),
            graph,
            outputs: [head.output],
            pad_to_limit: head.pad_to_limit,
            task,
            tail: head.tail.clone(),
        }
    }

    /// Whether the model embeds a text differently for different tasks.
    pub fn has_tasks(&self) -> bool {
        self.task.is_some()
    }

    /// The model's tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }
}

impl DenseCall {
    /// The chunks of a text.
    fn cut(&self, tokenizer: &Arc<Tokenizer>, text: String, chunking: Chunking) -> Result<Chunks> {
        let prompt = self.prompt.clone().unwrap_or_default();
        Chunks::new(Arc::clone(tokenizer), text, prompt, self.limit, chunking.overlap)
    }
}

/// The chunks of a text as parts of an input, each made by `make`.
struct ChunkParts<M> {
    chunks: Chunks,
    make: M,
}

impl<I, M> Parts<I, DenseRow> for ChunkParts<M>
where
    M: FnMut(TextChunk) -> Result<Prepared<I, DenseRow>> + Send,
{
    fn next(&mut self) -> Option<Result<Prepared<I, DenseRow>>> {
        Some(self.chunks.next()?.and_then(&mut self.make))
    }

    fn cost(&self) -> usize {
        family::tokens_of_bytes(self.chunks.rest())
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
    type Item = DenseItem;
    type Row = DenseRow;

    fn input_cost(&self, input: &String) -> usize {
        family::text_cost(input.len(), self.tokenizer.added_tokens())
    }

    fn prepare(&self, input: String, call: &DenseCall) -> Result<Prepared<DenseItem, DenseRow>> {
        if call.task.is_some() && self.task.is_none() {
            return Err(Error::new(ErrorKind::InvalidOption, "Expected no task: this model has none"));
        }
        // A run of nothing but empty texts, under a tokenizer that adds no special tokens, still needs a column.
        let least_len = if self.pad_to_limit { call.limit } else { 1 };
        let task = call.task.unwrap_or(Self::DEFAULT_TASK);
        let Some(chunking) = call.chunks else {
            let text = prompted(call.prompt.as_deref(), input);
            let text = self.tokenizer.encode(&text, call.limit, call.overflow)?;
            return Ok(Prepared::Item(DenseItem { text, least_len, task, span: None }));
        };
        let chunks = call.cut(&self.tokenizer, input, chunking)?;
        if let Some(chunk) = chunks.whole()? {
            let span = (chunking.output == ChunkOutput::PerChunk).then(|| Span::of(&chunk));
            return Ok(Prepared::Item(DenseItem { text: chunk.item, least_len, task, span }));
        }
        let item = move |chunk: TextChunk| {
            let span = Some(Span::of(&chunk));
            Ok(Prepared::Item(DenseItem { text: chunk.item, least_len, task, span }))
        };
        Ok(Prepared::Parts(
            Box::new(ChunkParts { chunks, make: item }),
            chunks::merge(call.vector, chunking.output),
        ))
    }

    fn tokens(&self, item: &DenseItem) -> usize {
        item.text.len()
    }

    fn padded_len(&self, item: &DenseItem) -> usize {
        self.tokenizer.padded_len(item.text.len().max(item.least_len))
    }

    fn group(&self, call: &DenseCall) -> u32 {
        call.task.unwrap_or(Self::DEFAULT_TASK)
    }

    fn collate(&self, items: &[&DenseItem]) -> Result<Batch> {
        let texts: Vec<&Item> = items.iter().map(|item| &item.text).collect();
        let least_len = items.iter().map(|item| item.least_len).max().unwrap_or(1);
        let mut batch = self.tokenizer.collate_to(&texts, &self.graph, least_len);
        if let (Some(input), Some(first)) = (&self.task, items.first()) {
            // Rows of one run have one task: it is their group.
            batch.inputs.push(Input {
                name: Arc::clone(&input.name),
                shape: vec![1; input.rank],
                data: InputData::I64(vec![i64::from(first.task)]),
            });
        }
        Ok(batch)
    }

    fn outputs(&self) -> &[usize] {
        &self.outputs
    }

    fn finish(
        &self,
        outputs: &[Output<'_>],
        batch: &Batch,
        row: usize,
        item: &DenseItem,
        call: &DenseCall,
    ) -> Result<DenseRow> {
        let output = family::only_output(outputs)?;
        let left_padded = self.tokenizer.left_padded();
        let text = &item.text;
        let vector = |options: &DenseOptions| {
            let made = match &self.tail {
                Some(tail) => tail.row(options, output, row, text.len(), batch.padded_len, left_padded),
                None => options.row(output, row, text.len(), batch.padded_len, left_padded),
            }?;
            // A graph that leaves its shape open may turn out to be a cross encoder's.
            if output.shape.last() == Some(&1) && self.tail.is_none() {
                let why =
                    format!("output {} is one value a text, which is a score and no vector", output.name);
                return Err(Error::new(ErrorKind::ModelInvalid, why));
            }
            Ok(made)
        };
        match (item.span, call.chunks) {
            (Some(span), Some(chunking)) => {
                let options = chunks::chunk_options(call.vector, chunking.output);
                Ok(DenseRow::chunk(vector(&options)?, text.len(), span))
            }
            _ => Ok(DenseRow::one(vector(&call.vector)?, text.len(), text.truncated)),
        }
    }
}

impl crate::engine::Engine<DenseText> {
    /// Tokens of each text after truncation to `limit`, special tokens and `prompt` included. Uses the preparing
    /// pool and blocks; an error names its text.
    pub fn count_tokens(&self, texts: &[String], limit: usize, prompt: Option<&str>) -> Result<Vec<u32>> {
        self.count_each(texts, |family, text| family.tokenizer.count(&prompted(prompt, text.clone()), limit))
    }
}
