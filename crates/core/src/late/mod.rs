//! The late-interaction text family: a text in, a vector for each of its tokens out.
//!
//! What the kinds of models do differently is data in [`LateKind`]. Comparing the vectors of a query with those of
//! documents is the index's job.

mod kind;

pub use crate::multivector::MultiVectorRow;
pub use kind::{Expansion, LateKind, Markers};

use crate::{
    engine::Engine,
    family::{self, Family, Prepared, Role},
    model::{self, ModelSpec, SCORES, Sourced, json, last_dim},
    multivector::{WINDOW_ROWS, token_vectors},
    tokenizer::{Item, Overflow, Tokenizer},
};
use millrace_contract::{Batch, Error, ErrorKind, Graph, InputData, Output, Result};
use std::collections::HashSet;

/// The characters whose rows are left out of documents: all ASCII punctuation.
const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

/// Tokens of one character at the most: one a byte, and one for a space before it.
const SYMBOL_TOKENS: usize = 8;

/// Least length that is divided by; FastEmbed's.
const LEAST_NORM: f64 = 1e-12;

/// Options of one call on late-interaction text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LateCall {
    /// What the texts are.
    pub role: Role,
    /// Longest text in tokens, special tokens and, where the kind says so, the marker included.
    pub limit: usize,
    /// What happens to longer ones.
    pub overflow: Overflow,
}

/// A text with its marker and expansion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LateItem {
    text: Item,
    /// Tokens from the start on that others attend to.
    attended: usize,
}

/// Late interaction on one model.
#[derive(Debug)]
pub struct LateText {
    kind: LateKind,
    tokenizer: Tokenizer,
    graph: Graph,
    outputs: [usize; 1],
    output_name: Sourced<String>,
    dim: Option<usize>,
    /// Id that short queries are filled up with, where they are.
    filler: u32,
    /// Ids whose rows are left out of documents.
    skipped: HashSet<u32>,
}

impl LateText {
    /// A model of a resolved directory, read as `kind` says.
    ///
    /// The vectors are the output asked for, or the first, `[rows, tokens, dim]`.
    /// [`ErrorKind::ModelInvalid`] for a graph or a tokenizer that does not fit the kind,
    /// [`ErrorKind::InvalidOption`] for an output that the graph has not.
    pub fn load(kind: LateKind, spec: &ModelSpec, graph: &Graph) -> Result<Self> {
        model::check_inputs(spec, graph)?;
        let chosen = model::choose_output(spec, graph, None)?;
        let output = chosen.position;
        let port = &graph.outputs[output];
        if !matches!(port.dims.len(), 0 | 3) {
            let why = format_args!("output {} is {:?}, expected [rows, tokens, dim]", port.name, port.dims);
            return Err(json::invalid(&spec.graph_path, why));
        }
        if port.name == SCORES && !chosen.requested {
            let why = format_args!(
                "output {SCORES} holds predictions and no vectors of tokens; name another output with outputName if the graph has them"
            );
            return Err(json::invalid(&spec.graph_path, why));
        }
        let dim = last_dim(port);
        let output_name = Sourced { value: port.name.clone(), source: chosen.source };
        let tokenizer = Tokenizer::load(spec)?;
        let filler = match &kind.expansion {
            Some(Expansion { token, .. }) => tokenizer.token_id(token).ok_or_else(|| {
                let why = format!("there is no token {token}, which short queries are filled up with");
                Error::new(
                    ErrorKind::ModelInvalid,
                    format!("{}: {why}", spec.tokenizer_dir.join("tokenizer.json").display()),
                )
            })?,
            None => tokenizer.padding().id,
        };
        let mut skipped = HashSet::new();
        if kind.skips_punctuation {
            for at in 0..PUNCTUATION.len() {
                let symbol = &PUNCTUATION[at..=at];
                // The first token only, even where that is the space which the tokenizer puts before a text.
                let (ids, _) = tokenizer.encode_bare(symbol, SYMBOL_TOKENS, Overflow::Truncate)?;
                skipped.extend(ids.first());
            }
        }
        if kind.skips_padding_token {
            skipped.insert(tokenizer.padding().id);
        }
        Ok(Self {
            kind,
            tokenizer,
            graph: graph.clone(),
            outputs: [output],
            output_name,
            dim,
            filler,
            skipped,
        })
    }

    /// The model's tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// How texts are prepared.
    pub fn kind(&self) -> &LateKind {
        &self.kind
    }

    /// The output that the vectors are read from, and who chose it.
    pub fn output_name(&self) -> &Sourced<String> {
        &self.output_name
    }

    /// Dimensions of a vector; `None` where the graph leaves it open until it has run.
    pub fn dim(&self) -> Option<usize> {
        self.dim
    }

    /// Tokens of `text` after truncation to `limit`, special tokens included. With `include_extension` also the
    /// marker and what a short query is filled up with.
    pub fn count_tokens(
        &self,
        text: &str,
        role: Role,
        limit: usize,
        include_extension: bool,
    ) -> Result<usize> {
        let count = self.tokenizer.count(text, self.text_limit(limit))?;
        if !include_extension {
            return Ok(count);
        }
        let filled = match &self.kind.expansion {
            Some(expansion) if role == Role::Query => count.max(expansion.length),
            _ => count,
        };
        Ok(filled + usize::from(self.kind.markers.is_some()))
    }

    fn text_limit(&self, limit: usize) -> usize {
        limit.saturating_sub(self.kind.reserved)
    }

    fn scales(&self, role: Role) -> bool {
        match role {
            Role::Document => self.kind.normalizes_documents,
            Role::Query => self.kind.normalizes_queries,
        }
    }
}

impl Family for LateText {
    type Input = String;
    type Call = LateCall;
    type Item = LateItem;
    type Row = MultiVectorRow;

    fn input_cost(&self, input: &String) -> usize {
        family::text_cost(input.len(), self.tokenizer.added_tokens())
    }

    fn window_rows(&self) -> usize {
        WINDOW_ROWS
    }

    fn prepare(&self, input: String, call: &LateCall) -> Result<Prepared<LateItem, MultiVectorRow>> {
        let limit = self.text_limit(call.limit);
        let text = self.tokenizer.encode(&input, limit, call.overflow)?;
        let mut ids = text.ids.into_vec();
        if let Some(markers) = self.kind.markers {
            let marker = match call.role {
                Role::Document => markers.document,
                Role::Query => markers.query,
            };
            ids.insert(ids.len().min(1), marker);
        }
        let mut attended = ids.len();
        if let (Role::Query, Some(expansion)) = (call.role, &self.kind.expansion) {
            let length = expansion.length + usize::from(self.kind.markers.is_some());
            ids.resize(length.max(ids.len()), self.filler);
            if expansion.attended {
                attended = ids.len();
            }
        }
        let text = Item { ids: ids.into(), type_ids: None, truncated: text.truncated };
        Ok(Prepared::Item(LateItem { text, attended }))
    }

    fn tokens(&self, item: &LateItem) -> usize {
        item.text.len()
    }

    fn padded_len(&self, item: &LateItem) -> usize {
        self.tokenizer.padded_len(item.text.len())
    }

    fn collate(&self, items: &[&LateItem]) -> Result<Batch> {
        let texts: Vec<&Item> = items.iter().map(|item| &item.text).collect();
        // A run of nothing but empty texts, under a tokenizer that adds no tokens, still needs a column.
        let mut batch = self.tokenizer.collate_to(&texts, &self.graph, 1);
        let padded_len = batch.padded_len;
        let mask = batch.inputs.iter_mut().find(|input| &*input.name == "attention_mask");
        if let Some(InputData::I64(mask)) = mask.map(|input| &mut input.data) {
            for (item, row) in items.iter().zip(mask.chunks_exact_mut(padded_len)) {
                let span = self.tokenizer.span(item.text.len(), padded_len);
                row[span][item.attended..].fill(0);
            }
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
        item: &LateItem,
        call: &LateCall,
    ) -> Result<MultiVectorRow> {
        let output = family::only_output(outputs)?;
        let span = self.tokenizer.span(item.text.len(), batch.padded_len);
        let (all, dim) = token_vectors(output, row, span)?;
        let mut vectors = match call.role {
            Role::Document if !self.skipped.is_empty() => {
                let rows = item.text.ids.iter().zip(all.chunks_exact(dim));
                let kept = rows.filter(|(id, _)| !self.skipped.contains(id));
                kept.flat_map(|(_, vector)| vector).copied().collect()
            }
            _ => all,
        };
        if self.scales(call.role) {
            vectors.chunks_exact_mut(dim).for_each(normalize);
        }
        Ok(MultiVectorRow {
            rows: vectors.len() / dim,
            vectors,
            dim,
            tokens: family::count(item.text.len()),
            truncated: item.text.truncated,
        })
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a component of a unit vector fits")]
fn normalize(vector: &mut [f32]) {
    let norm = vector.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt().max(LEAST_NORM);
    for x in vector {
        *x = (f64::from(*x) / norm) as f32;
    }
}

impl Engine<LateText> {
    /// [`LateText::count_tokens`] of each text. Uses the preparing pool and blocks; an error names its text.
    pub fn count_tokens(
        &self,
        texts: &[String],
        role: Role,
        limit: usize,
        include_extension: bool,
    ) -> Result<Vec<u32>> {
        self.count_each(texts, |family, text| family.count_tokens(text, role, limit, include_extension))
    }
}
