//! BM42: words weighed by the attention that a model's first token pays them.

use super::{
    SparseRow,
    bm25::{invalid, read_stop_words},
    graph_row::GraphRow,
    pieces::{Word, glue},
    row::Entries,
};
use crate::{
    model::json,
    tokenizer::{Item, Tokenizer},
};
use ahash::{AHashMap, AHashSet};
use millrace_contract::{Error, ErrorKind, Result};
use millrace_text::bm25::{Language, Stem, term_id};
use std::{collections::HashSet, path::Path};

/// The output that has the attention of the last layer.
pub(super) const OUTPUT: &str = "attention_6";

/// BM42's words and weights.
#[derive(Debug)]
pub(super) struct Bm42 {
    alpha: f64,
    stop_words: AHashSet<String>,
    special: HashSet<u32>,
    prefix: String,
}

impl Bm42 {
    /// Reads `stopwords.txt` of `dir`; without the file there are no stop words.
    pub(super) fn load(dir: &Path, tokenizer: &Tokenizer, alpha: f64) -> Result<Self> {
        if !(alpha.is_finite() && alpha >= 0.0) {
            return Err(invalid(format!("Expected a number of at least 0 for alpha but received {alpha}")));
        }
        let prefix = tokenizer.continuation().ok_or_else(|| {
            let why = "BM42 needs a tokenizer that marks the continuations of words";
            json::invalid(&dir.join("tokenizer.json"), why)
        })?;
        Ok(Self {
            alpha,
            stop_words: read_stop_words(&dir.join("stopwords.txt"))?.into_iter().collect(),
            special: tokenizer.special_ids(),
            prefix: prefix.to_owned(),
        })
    }

    /// Words of an item that are neither special tokens, nor stop words, nor punctuation marks.
    fn words(&self, item: &Item, tokenizer: &Tokenizer) -> Result<Vec<Word>> {
        let mut pieces = Vec::with_capacity(item.len());
        for (position, &id) in item.ids.iter().enumerate() {
            if !self.special.contains(&id) {
                pieces.push((position, token(tokenizer, id)?));
            }
        }
        let mut words = glue(pieces, &self.prefix);
        words.retain(|word| !self.stop_words.contains(&word.text) && !punctuation(&word.text));
        Ok(words)
    }

    /// Each stem with the most weight that one of its words has; a word has the weight of its tokens together.
    pub(super) fn document(&self, graph: &GraphRow<'_>, tokenizer: &Tokenizer) -> Result<SparseRow> {
        let attention = attention(graph)?;
        let mut order: Vec<(String, f64)> = Vec::new();
        let mut places: AHashMap<String, usize> = AHashMap::new();
        for word in self.words(graph.item, tokenizer)? {
            let weight: f64 = word.positions.iter().filter_map(|&position| attention.get(position)).sum();
            let stem = Language::English.stem(&word.text).into_owned();
            if let Some(&place) = places.get(&stem) {
                order[place].1 = order[place].1.max(weight);
            } else {
                places.insert(stem.clone(), order.len());
                order.push((stem, weight.max(0.0)));
            }
        }
        let mut entries = Entries::default();
        for (stem, weight) in order {
            entries.set(term_id(&stem), weight.ln_1p().powf(self.alpha));
        }
        entries.row(graph.item.len(), graph.item.truncated)
    }

    /// Each stem with weight 1.
    pub(super) fn query(&self, item: &Item, tokenizer: &Tokenizer) -> Result<SparseRow> {
        let mut entries = Entries::default();
        for word in self.words(item, tokenizer)? {
            entries.set(term_id(&Language::English.stem(&word.text)), 1.0);
        }
        entries.row(item.len(), item.truncated)
    }
}

/// What the first token pays each token of the item, in the mean over heads.
fn attention(graph: &GraphRow<'_>) -> Result<Vec<f64>> {
    let &[rows, heads, from, to] = graph.output.shape else {
        return Err(graph.unfit("[rows, heads, tokens, tokens]"));
    };
    let span = graph.span()?;
    let fits = graph.row < rows && from == graph.padded_len && to == graph.padded_len && heads > 0;
    if !fits || graph.output.data.len() != rows * heads * from * to {
        return Err(graph.unfit("[rows, heads, tokens, tokens] of the run"));
    }
    let mut sums = vec![0.0; span.len()];
    if span.is_empty() {
        return Ok(sums);
    }
    for head in 0..heads {
        let first = ((graph.row * heads + head) * from + span.start) * to;
        for (sum, value) in sums.iter_mut().zip(graph.values(first + span.start..first + span.end)?) {
            *sum += value;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "no model has 2^53 heads")]
    let heads = heads as f64;
    for sum in &mut sums {
        *sum /= heads;
    }
    // Otherwise the maximum of a word's weights would hide it.
    if sums.iter().all(|sum| sum.is_finite()) {
        Ok(sums)
    } else {
        Err(Error::new(ErrorKind::InferenceFailed, "the attention has a value that is not a finite number"))
    }
}

/// The token of an id that the tokenizer gave.
pub(super) fn token(tokenizer: &Tokenizer, id: u32) -> Result<String> {
    tokenizer
        .token(id)
        .ok_or_else(|| Error::new(ErrorKind::ModelInvalid, format!("token id {id} is not in the vocabulary")))
}

fn punctuation(word: &str) -> bool {
    matches!(word.as_bytes(), [only] if only.is_ascii_punctuation())
}
