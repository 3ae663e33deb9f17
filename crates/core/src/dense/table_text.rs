//! Dense text without a graph: the mean of the tokens' vectors, looked up in a table (model2vec's static models).

use super::{ChunkOutput, ChunkParts, DenseCall, DenseRow, Span, chunks, prompted, table::Table};
use crate::{
    engine::Engine,
    family::{self, Family, Prepared},
    model::json::{missing, read_object},
    postprocess::DenseOptions,
    tokenizer::{TextChunk, Tokenizer},
};
use millrace_contract::{Batch, Error, ErrorKind, Output, Result};
use serde::Deserialize;
use std::{convert::Infallible, path::Path, sync::Arc};

/// Static text on one table. Its engine runs over [`Graphless`](crate::graphless::Graphless), and its calls and rows
/// are those of dense text; pooling and tasks play no part. A text in chunks that becomes one vector has, without overlap
/// and prompt, the mean of all its tokens, as if there were no limit.
#[derive(Debug)]
pub struct StaticText {
    tokenizer: Arc<Tokenizer>,
    vectors: Arc<Vectors>,
}

#[derive(Debug)]
struct Vectors {
    table: Table,
    /// The id of unknown words, which have no meaning to average.
    unknown: Option<u32>,
}

impl Vectors {
    /// The mean of the vectors of `ids`, and of how many.
    fn mean(&self, ids: &[u32]) -> Result<(Vec<f64>, u32)> {
        let mut sum = vec![0.0; self.table.dim()];
        let mut known = 0;
        for &id in ids.iter().filter(|&&id| Some(id) != self.unknown) {
            if !self.table.add(id, &mut sum) {
                return Err(Error::new(
                    ErrorKind::ModelInvalid,
                    format!("the table of vectors has no entry for token {id} of the tokenizer"),
                ));
            }
            known += 1;
        }
        if known > 0 {
            for value in &mut sum {
                *value /= f64::from(known);
            }
        }
        Ok((sum, known))
    }

    /// The row of a chunk, whose vector is made as `options` say.
    fn chunk(&self, chunk: &TextChunk, options: &DenseOptions) -> Result<Prepared<Infallible, DenseRow>> {
        let (mean, known) = self.mean(&chunk.item.ids)?;
        let span = Span { own_tokens: chunk.own_tokens.min(known), ..Span::of(chunk) };
        let tokens = chunk.item.len();
        Ok(Prepared::Row(DenseRow::chunk(options.finish(mean)?, tokens, span), tokens))
    }
}

impl StaticText {
    /// Longest text in tokens where the caller says nothing: model2vec's. The files have no say in it.
    pub const LIMIT: usize = 512;

    /// The table's file where the caller says nothing.
    pub const FILE: &str = "model.safetensors";

    /// Reads `tokenizer.json` and `file`, or `model.safetensors`, of `dir`.
    ///
    /// [`ErrorKind::ModelNotFound`] names a file that is missing, [`ErrorKind::ModelInvalid`] one that is broken.
    pub fn load(dir: &Path, file: Option<&str>) -> Result<Self> {
        if !dir.is_dir() {
            return Err(Error::new(
                ErrorKind::ModelNotFound,
                format!("{} is not a directory: the model's files are expected there", dir.display()),
            ));
        }
        let table = Table::read(&dir.join(file.unwrap_or(Self::FILE)))?;
        let tokenizer = Tokenizer::load_bare(dir)?;
        let unknown = unknown(&dir.join("tokenizer.json"), &tokenizer)?;
        Ok(Self { tokenizer: Arc::new(tokenizer), vectors: Arc::new(Vectors { table, unknown }) })
    }

    /// The model's tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// Dimensions of a vector.
    pub fn dim(&self) -> usize {
        self.vectors.table.dim()
    }

    /// Bytes of the table.
    pub fn weight_bytes(&self) -> usize {
        self.vectors.table.bytes()
    }
}

/// The id of the unknown token, as the tokenizer's model names it.
fn unknown(path: &Path, tokenizer: &Tokenizer) -> Result<Option<u32>> {
    #[derive(Deserialize)]
    struct File {
        model: Model,
    }
    #[derive(Deserialize)]
    struct Model {
        unk_id: Option<u32>,
        unk_token: Option<String>,
    }
    let file: File = read_object(path)?.ok_or_else(|| missing(path))?;
    // Unigram says the id, the other models the token.
    let Model { unk_id, unk_token } = file.model;
    Ok(unk_id.or_else(|| unk_token.and_then(|token| tokenizer.token_id(&token))))
}

impl Family for StaticText {
    type Input = String;
    type Call = DenseCall;
    type Item = Infallible;
    type Row = DenseRow;

    fn input_cost(&self, input: &String) -> usize {
        family::text_cost(input.len(), 0)
    }

    fn prepare(&self, input: String, call: &DenseCall) -> Result<Prepared<Infallible, DenseRow>> {
        let Some(chunking) = call.chunks else {
            let text = prompted(call.prompt.as_deref(), input);
            let (ids, truncated) = self.tokenizer.encode_bare(&text, call.limit, call.overflow)?;
            let vector = call.vector.finish(self.vectors.mean(&ids)?.0)?;
            return Ok(Prepared::Row(DenseRow::one(vector, ids.len(), truncated), ids.len()));
        };
        let chunks = call.cut(&self.tokenizer, input, chunking)?;
        if let Some(chunk) = chunks.whole()? {
            if chunking.output == ChunkOutput::PerChunk {
                return self.vectors.chunk(&chunk, &call.vector);
            }
            let vector = call.vector.finish(self.vectors.mean(&chunk.item.ids)?.0)?;
            let tokens = chunk.item.len();
            return Ok(Prepared::Row(DenseRow::one(vector, tokens, false), tokens));
        }
        let vectors = Arc::clone(&self.vectors);
        let options = chunks::chunk_options(call.vector, chunking.output);
        let make = move |chunk: TextChunk| vectors.chunk(&chunk, &options);
        let merge = chunks::merge(call.vector, chunking.output);
        Ok(Prepared::Parts(Box::new(ChunkParts { chunks, make }), merge))
    }

    fn tokens(&self, item: &Infallible) -> usize {
        match *item {}
    }

    fn padded_len(&self, item: &Infallible) -> usize {
        match *item {}
    }

    fn collate(&self, _items: &[&Infallible]) -> Result<Batch> {
        Err(Error::new(ErrorKind::Internal, "a table of vectors has no runs"))
    }

    fn outputs(&self) -> &[usize] {
        &[]
    }

    fn finish(
        &self,
        _outputs: &[Output<'_>],
        _batch: &Batch,
        _row: usize,
        item: &Infallible,
        _call: &DenseCall,
    ) -> Result<DenseRow> {
        match *item {}
    }
}

impl Engine<StaticText> {
    /// Tokens of each text after truncation to `limit`, unknown ones and `prompt` included. Uses the preparing pool
    /// and blocks; an error names its text.
    pub fn count_tokens(&self, texts: &[String], limit: usize, prompt: Option<&str>) -> Result<Vec<u32>> {
        self.count_each(texts, |family, text| family.tokenizer.count(&prompted(prompt, text.clone()), limit))
    }
}
