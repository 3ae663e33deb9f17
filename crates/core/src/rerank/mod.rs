//! The cross encoder family: a query and a document in, one score out.
//!
//! Both texts go through the graph together, so a score says how well this document answers this query. Scores are
//! the graph's logits unless the call asks for a sigmoid; sorting is the caller's.

use crate::{
    engine::Engine,
    family::{self, Family, Prepared},
    job::Delivery,
    model::{self, Chosen, ModelSpec, SCORES, Sourced, json, last_dim},
    rows::{Counted, RowFacts},
    tokenizer::{Item, Overflow, Tokenizer},
};
use half::f16;
use millrace_contract::{Batch, Error, ErrorKind, Graph, Output, OutputData, Port, Result};
use std::sync::Arc;

/// Two texts to be judged together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// What is asked; shared by the pairs of one query.
    pub query: Arc<str>,
    /// What may answer it.
    pub document: String,
}

/// Options of one call on pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RerankCall {
    /// Longest pair in tokens, special tokens included.
    pub limit: usize,
    /// What happens to longer ones.
    pub overflow: Overflow,
    /// Whether scores are squeezed into 0 to 1.
    pub sigmoid: bool,
}

/// One judged pair.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// Higher is better. Comparable within one model only.
    pub score: f32,
    /// Tokens that were read, special tokens included.
    pub tokens: u32,
    /// Whether a part of a text was cut off.
    pub truncated: bool,
}

impl Counted for Score {
    fn tokens(&self) -> u32 {
        self.tokens
    }

    fn truncated(&self) -> bool {
        self.truncated
    }
}

/// The scores of one delivery, and what is known of the pairs besides. A failed pair's score is 0.
pub fn scores(delivery: Delivery<Score>) -> (RowFacts, Vec<f32>) {
    let (facts, rows) = RowFacts::part(delivery);
    (facts, rows.into_iter().map(|row| row.map_or(0.0, |row| row.score)).collect())
}

/// A cross encoder.
#[derive(Debug)]
pub struct CrossEncoder {
    tokenizer: Tokenizer,
    graph: Graph,
    outputs: [usize; 1],
    output_name: Sourced<String>,
}

impl CrossEncoder {
    /// A model of a resolved directory. Scores are column 0 of the output asked for; else of `logits`; else of the first, `[rows, n]`.
    ///
    /// [`ErrorKind::ModelInvalid`] for a graph whose output is no scores and for a tokenizer that cannot join texts,
    /// [`ErrorKind::InvalidOption`] for an output that the graph has not.
    pub fn load(spec: &ModelSpec, graph: &Graph) -> Result<Self> {
        model::check_inputs(spec, graph)?;
        let chosen = model::choose_output(spec, graph, Some(SCORES))?;
        let port = &graph.outputs[chosen.position];
        refuse_vectors(spec, port, &chosen)?;
        let tokenizer = Tokenizer::load(spec)?;
        tokenizer.pair_added_tokens()?;
        let output_name = Sourced { value: port.name.clone(), source: chosen.source };
        Ok(Self { tokenizer, graph: graph.clone(), outputs: [chosen.position], output_name })
    }

    /// The output that the scores are read from, and who chose it.
    pub fn output_name(&self) -> &Sourced<String> {
        &self.output_name
    }

    /// The model's tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }
}

/// Fails for outputs that hold vectors: the first value of an embedding, taken for a score, would sort documents by nothing.
fn refuse_vectors(spec: &ModelSpec, port: &Port, chosen: &Chosen) -> Result<()> {
    let remedy = "TextEmbedding loads models that give vectors; name another output with outputName if the graph has scores";
    if port.dims.len() > 2 {
        let why = format!("output {} is {:?}, expected [rows, scores]; {remedy}", port.name, port.dims);
        return Err(json::invalid(&spec.graph_path, why));
    }
    let said = chosen.requested || port.name == SCORES || spec.is_classifier();
    let one = port.dims.len() == 1 || last_dim(port) == Some(1);
    if said || one {
        return Ok(());
    }
    let why = format!(
        "output {} is {:?}, and neither its name nor config.json's architectures say that it holds scores; {remedy}",
        port.name, port.dims
    );
    Err(json::invalid(&spec.graph_path, why))
}

impl Family for CrossEncoder {
    type Input = Pair;
    type Call = RerankCall;
    type Item = Item;
    type Row = Score;

    fn input_cost(&self, input: &Pair) -> usize {
        family::text_cost(input.query.len() + input.document.len(), self.tokenizer.added_tokens())
    }

    fn prepare(&self, input: Pair, call: &RerankCall) -> Result<Prepared<Item, Score>> {
        self.tokenizer
            .encode_pair(&input.query, &input.document, call.limit, call.overflow)
            .map(Prepared::Item)
    }

    fn tokens(&self, item: &Item) -> usize {
        item.len()
    }

    fn padded_len(&self, item: &Item) -> usize {
        self.tokenizer.padded_len(item.len())
    }

    fn collate(&self, items: &[&Item]) -> Result<Batch> {
        Ok(self.tokenizer.collate_pairs(items, &self.graph))
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
        call: &RerankCall,
    ) -> Result<Score> {
        let output = family::only_output(outputs)?;
        let logit = logit(output, row, batch.rows)?;
        if !logit.is_finite() {
            return Err(Error::new(ErrorKind::InferenceFailed, "the score is not a finite number"));
        }
        let score = if call.sigmoid { sigmoid(logit) } else { logit };
        let tokens = family::count(item.len());
        Ok(Score { score, tokens, truncated: item.truncated })
    }
}

/// The first value of a row.
#[expect(clippy::cast_possible_truncation, reason = "scores are float32; an overflow is found as infinite")]
fn logit(output: &Output<'_>, row: usize, rows: usize) -> Result<f32> {
    let per_row = match *output.shape {
        [length] if length == rows => Some(1),
        [length, per_row] if length == rows && per_row > 0 => Some(per_row),
        _ => None,
    };
    let at = per_row.map(|per_row| row * per_row);
    let value = at.and_then(|at| match output.data {
        OutputData::F32(values) => values.get(at).copied(),
        OutputData::F16(values) => values.get(at).copied().map(f16::to_f32),
        OutputData::F64(values) => values.get(at).map(|&value| value as f32),
        _ => None,
    });
    value.ok_or_else(|| {
        Error::new(
            ErrorKind::ModelInvalid,
            format!(
                "output {} is {:?} after a run of {rows} pairs, expected floats [rows, scores]",
                output.name, output.shape
            ),
        )
    })
}

#[expect(clippy::cast_possible_truncation, reason = "scores are float32")]
fn sigmoid(logit: f32) -> f32 {
    (1.0 / (1.0 + (-f64::from(logit)).exp())) as f32
}

impl Engine<CrossEncoder> {
    /// Tokens of each pair after truncation to `limit`, special tokens included. Uses the preparing pool and blocks;
    /// an error names its pair.
    pub fn count_tokens(&self, pairs: &[Pair], limit: usize) -> Result<Vec<u32>> {
        self.count_each(pairs, |family, pair| {
            let tokenizer = &family.tokenizer;
            Ok(tokenizer.encode_pair(&pair.query, &pair.document, limit, Overflow::Truncate)?.len())
        })
    }
}
