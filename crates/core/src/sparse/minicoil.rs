//! miniCOIL: known words get a few dimensions each that tell their sense in this text, others are weighed as in BM25.

use super::{
    SparseRow,
    bm25::{check_weights, read_stop_words},
    bm42::token,
    graph_row::GraphRow,
    npy::Matrices,
    pieces::glue,
    row::Entries,
};
use crate::{
    model::json::{invalid, missing, read_object},
    tokenizer::Tokenizer,
};
use ahash::{AHashMap, AHashSet};
use millrace_contract::Result;
use millrace_text::bm25::{Language, Stem, Weights, term_id, words};
use serde::Deserialize;
use std::{collections::BTreeMap, path::Path};

/// Words of an average document: what the model was made for.
pub(super) const AVG_LEN: f64 = 150.0;

const MATRICES: &str = "minicoil.triplet.model.npy";
const VOCABULARY: &str = "minicoil.triplet.model.vocab";

/// How tokens mark that they continue a word.
const PREFIX: &str = "##";

/// Ids of unknown words begin at a multiple of this, past those of known words.
const GAP: usize = 32_000;

/// Unknown words of more characters are dropped.
const LONGEST: usize = 40;

/// A sense vector shorter than this is left as it is.
const LEAST_NORM: f64 = 1e-8;

/// Words that are no words: special tokens, by name, and the one punctuation mark that a word can be.
const UNWANTED: [&str; 6] = ["[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]", "_"];

/// The vocabulary's file.
#[derive(Deserialize)]
struct VocabularyFile {
    vocab: Vec<String>,
    stem_mapping: AHashMap<String, String>,
}

/// The words, the matrices and the weights.
#[derive(Debug)]
pub(super) struct MiniCoil {
    /// Known words; the word of id `n` stands at `n - 1`, and 0 is no word.
    words: Vec<String>,
    ids: AHashMap<String, usize>,
    by_stem: AHashMap<String, usize>,
    stop_words: AHashSet<String>,
    matrices: Matrices,
    weights: Weights,
    /// First id of unknown words, and how many there are.
    unknown: (u32, u32),
}

/// A word of one text.
struct Entry {
    /// Its id, or 0.
    id: usize,
    count: usize,
}

impl MiniCoil {
    /// Reads the files of `dir` beside the graph.
    pub(super) fn load(dir: &Path, weights: Weights) -> Result<Self> {
        check_weights(&weights)?;
        let path = dir.join(VOCABULARY);
        let VocabularyFile { vocab: words, stem_mapping } =
            read_object(&path)?.ok_or_else(|| missing(&path))?;
        let ids: AHashMap<String, usize> = (1..).zip(&words).map(|(id, word)| (word.clone(), id)).collect();
        let mut by_stem = AHashMap::with_capacity(stem_mapping.len());
        for (stem, word) in stem_mapping {
            let id = ids.get(&word);
            let id = id.ok_or_else(|| {
                invalid(&path, format_args!("stem_mapping leads to '{word}', which is not in vocab"))
            })?;
            by_stem.insert(stem, *id);
        }
        let matrices = Matrices::open(&dir.join(MATRICES))?;
        if matrices.count <= words.len() {
            let why =
                format_args!("{} matrices for {} words and the unknown one", matrices.count, words.len());
            return Err(invalid(&dir.join(MATRICES), why));
        }
        let known = (ids.len() + 1) * matrices.columns;
        let first = (known / GAP + 2) * GAP;
        let most = i32::MAX.unsigned_abs();
        let unknown = u32::try_from(first)
            .ok()
            .and_then(|first| Some((first, most.checked_sub(first).filter(|&n| n > 0)?)))
            .ok_or_else(|| {
                invalid(&path, format_args!("{} words are too many for their ids", words.len()))
            })?;
        let stop_words = read_stop_words(&dir.join("stopwords.txt"))?.into_iter().collect();
        Ok(Self { words, ids, by_stem, stop_words, matrices, weights, unknown })
    }

    /// Values of a token's vector.
    pub(super) fn token_dim(&self) -> usize {
        self.matrices.rows
    }

    /// The vector of a text: by how often words occur in a document, by 1 in a query.
    pub(super) fn row(&self, graph: &GraphRow<'_>, tokenizer: &Tokenizer, query: bool) -> Result<SparseRow> {
        let pieces = graph.item.ids.iter().enumerate();
        let pieces: Vec<_> =
            pieces.map(|(position, &id)| Ok((position, token(tokenizer, id)?))).collect::<Result<_>>()?;
        // Known words in the order of their ids, then others in the order of the text.
        let mut known: BTreeMap<usize, (usize, Vec<usize>)> = BTreeMap::new();
        let mut others = Counted::default();
        for word in glue(pieces, PREFIX) {
            match self.id(&word.text) {
                Some(id) => {
                    let (count, positions) = known.entry(id).or_default();
                    *count += 1;
                    positions.extend(word.positions);
                }
                None => others.add(&word.text, 0, 1),
            }
        }
        let mut cleaned = Counted::default();
        for (&id, (count, _)) in &known {
            let word = &self.words[id - 1];
            // A stop word of the vocabulary that another word's stem leads to goes the stop word's way.
            if !others.places.contains_key(word) {
                cleaned.add(word, id, *count);
            }
        }
        self.clean(&others, &mut cleaned);

        let len = cleaned.entries.iter().map(|(_, entry)| entry.count).sum();
        let mut entries = Entries::default();
        for (word, entry) in &cleaned.entries {
            let weight = if query { 1.0 } else { self.weights.weight(entry.count, len) };
            match known.get(&entry.id) {
                Some((_, positions)) => {
                    let sense = self.sense(graph, entry.id, positions)?;
                    for (index, value) in (entry.id * sense.len()..).zip(sense) {
                        // `unknown` has been checked to lie beyond.
                        entries.set(u32::try_from(index).unwrap_or(u32::MAX), value * weight);
                    }
                }
                None => entries.set(self.unknown.0 + term_id(word) % self.unknown.1, weight),
            }
        }
        entries.row(graph.item.len(), graph.item.truncated)
    }

    /// The id of a known word, also of one whose stem is known; stop words have none.
    fn id(&self, word: &str) -> Option<usize> {
        if self.stop_words.contains(word) {
            return None;
        }
        let found = self.ids.get(word).or_else(|| self.by_stem.get(word));
        found.or_else(|| self.by_stem.get(&*Language::English.stem(word))).copied()
    }

    /// Unknown words as BM25 would have them: without punctuation, stemmed, counted together.
    fn clean(&self, others: &Counted, cleaned: &mut Counted) {
        let unwanted = |word: &str| UNWANTED.contains(&word) || self.stop_words.contains(word);
        for (word, entry) in &others.entries {
            if unwanted(word) {
                continue;
            }
            for part in words(word) {
                let stem = Language::English.stem(part);
                if stem.chars().count() <= LONGEST && !unwanted(&stem) {
                    cleaned.add(&stem, 0, entry.count);
                }
            }
        }
    }

    /// A known word's sense in this text: the mean of its tokens' vectors through its matrix, of length 1.
    fn sense(&self, graph: &GraphRow<'_>, id: usize, positions: &[usize]) -> Result<Vec<f64>> {
        let dim = self.matrices.rows;
        let &[rows, tokens, width] = graph.output.shape else {
            return Err(graph.unfit("[rows, tokens, dim]"));
        };
        if graph.row >= rows || tokens != graph.padded_len || width != dim {
            return Err(graph.unfit(&format!("[rows, {}, {dim}]", graph.padded_len)));
        }
        let start = graph.span()?.start;
        let mut mean = vec![0.0; dim];
        for position in positions {
            let first = (graph.row * tokens + start + position) * dim;
            for (sum, value) in mean.iter_mut().zip(graph.values(first..first + dim)?) {
                *sum += value;
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "no text has 2^53 tokens")]
        let count = positions.len() as f64;
        for sum in &mut mean {
            *sum /= count;
        }
        let mut sense = self.matrices.times(&mean, id).ok_or_else(|| graph.unfit("a known word's matrix"))?;
        for value in &mut sense {
            *value = value.tanh();
        }
        let norm = sense.iter().map(|value| value * value).sum::<f64>().sqrt();
        // A norm that is no number goes on too, for the row to refuse.
        if norm < LEAST_NORM {
            return Ok(sense);
        }
        for value in &mut sense {
            *value /= norm;
        }
        Ok(sense)
    }
}

/// Words with their counts, in the order of their first appearance.
#[derive(Default)]
struct Counted {
    entries: Vec<(String, Entry)>,
    places: AHashMap<String, usize>,
}

impl Counted {
    fn add(&mut self, word: &str, id: usize, count: usize) {
        if let Some(&place) = self.places.get(word) {
            self.entries[place].1.count += count;
        } else {
            self.places.insert(word.to_owned(), self.entries.len());
            self.entries.push((word.to_owned(), Entry { id, count }));
        }
    }
}
