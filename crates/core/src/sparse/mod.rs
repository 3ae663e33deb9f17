//! The sparse text family: a text in, the few dimensions that are not zero out.
//!
//! Five kinds of models share the family, so that one engine type serves them all: BM25 needs no graph; SPLADE++,
//! inference-free SPLADE, BM42 and miniCOIL read a graph's output in their own ways. Queries of BM25,
//! inference-free SPLADE and BM42 are finished without a run.

mod bm25;
mod bm42;
mod graph_row;
mod matrix;
mod minicoil;
mod npy;
mod pieces;
mod row;
mod splade;

pub use bm25::Bm25Options;
pub use matrix::SparseMatrix;
pub use row::SparseRow;

use crate::{
    engine::Engine,
    family::{self, Family, Prepared, Role},
    model::{self, Chosen, ModelSpec, SCORES, Sourced, json, last_dim},
    tokenizer::{Item, Overflow, Tokenizer},
};
use bm42::Bm42;
use graph_row::GraphRow;
use millrace_contract::{Batch, Error, ErrorKind, Graph, Output, Result};
use millrace_text::bm25::{Bm25, Weights};
use minicoil::MiniCoil;
use splade::InferenceFree;

/// Options of one call on sparse text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SparseCall {
    /// What the texts are.
    pub role: Role,
    /// Longest text in tokens, special tokens included. BM25 has no limit and does not look at it.
    pub limit: usize,
    /// What happens to longer ones.
    pub overflow: Overflow,
}

/// The kinds of sparse models that have a graph, with their options.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SparseKind {
    /// SPLADE++.
    SpladePlusPlus,
    /// SPLADE whose queries are looked up in `idf.json`.
    InferenceFreeSplade,
    /// BM42; weights are raised to `alpha`, at least 0.
    Bm42 {
        /// How much the attention counts against the mere presence of a word.
        alpha: f64,
    },
    /// miniCOIL, with BM25's weights.
    MiniCoil(Weights),
}

impl SparseKind {
    /// BM42 with its customary exponent.
    pub const BM42: Self = Self::Bm42 { alpha: 0.5 };

    /// miniCOIL with its customary weights.
    pub const MINI_COIL: Self = Self::MiniCoil(Weights { k: 1.2, b: 0.75, avg_len: minicoil::AVG_LEN });
}

#[derive(Debug)]
enum Head {
    SpladePlusPlus,
    InferenceFreeSplade(InferenceFree),
    Bm42(Bm42),
    MiniCoil(Box<MiniCoil>),
}

#[derive(Debug)]
struct GraphModel {
    tokenizer: Tokenizer,
    graph: Graph,
    outputs: [usize; 1],
    output_name: Sourced<String>,
    head: Head,
}

#[derive(Debug)]
enum Model {
    Bm25(Bm25),
    Graph(Box<GraphModel>),
}

/// Sparse text on one model.
#[derive(Debug)]
pub struct SparseText {
    model: Model,
}

impl SparseText {
    /// BM25, which needs no graph: its engine runs over [`Graphless`](crate::graphless::Graphless).
    pub fn bm25(options: &Bm25Options) -> Result<Self> {
        Ok(Self { model: Model::Bm25(options.build()?) })
    }

    /// A model of a resolved directory. Beside the tokenizer's, reads the files of the kind: `idf.json`;
    /// `stopwords.txt`; `minicoil.triplet.model.npy` and `.vocab`.
    pub fn load(kind: SparseKind, spec: &ModelSpec, graph: &Graph) -> Result<Self> {
        let tokenizer = Tokenizer::load(spec)?;
        let chosen = output(kind, spec, graph, &tokenizer)?;
        let output = chosen.position;
        let head = match kind {
            SparseKind::SpladePlusPlus => Head::SpladePlusPlus,
            SparseKind::InferenceFreeSplade => {
                Head::InferenceFreeSplade(InferenceFree::load(&spec.dir, &tokenizer)?)
            }
            SparseKind::Bm42 { alpha } => Head::Bm42(Bm42::load(&spec.dir, &tokenizer, alpha)?),
            SparseKind::MiniCoil(weights) => {
                let head = MiniCoil::load(&spec.dir, weights)?;
                let dims = &graph.outputs[output].dims;
                let dim = dims.last().and_then(|&dim| usize::try_from(dim).ok());
                if dim.is_some_and(|dim| dim != head.token_dim()) {
                    let why = format_args!(
                        "output {} is {dims:?}, and the words' matrices take {} values",
                        graph.outputs[output].name,
                        head.token_dim()
                    );
                    return Err(json::invalid(&spec.graph_path, why));
                }
                Head::MiniCoil(Box::new(head))
            }
        };
        let output_name = Sourced { value: graph.outputs[output].name.clone(), source: chosen.source };
        let model = GraphModel { tokenizer, output_name, graph: graph.clone(), outputs: [output], head };
        Ok(Self { model: Model::Graph(Box::new(model)) })
    }

    /// The tokenizer; BM25 has none.
    pub fn tokenizer(&self) -> Option<&Tokenizer> {
        match &self.model {
            Model::Bm25(_) => None,
            Model::Graph(model) => Some(&model.tokenizer),
        }
    }

    /// The output of the graph that is read, and who chose it; BM25 has none.
    pub fn output_name(&self) -> Option<&Sourced<String>> {
        match &self.model {
            Model::Bm25(_) => None,
            Model::Graph(model) => Some(&model.output_name),
        }
    }

    /// BM25, where the model is that.
    pub fn as_bm25(&self) -> Option<&Bm25> {
        match &self.model {
            Model::Bm25(bm25) => Some(bm25),
            Model::Graph(_) => None,
        }
    }

    /// Tokens of a text after truncation to `limit`, special tokens included; BM25 counts all words.
    pub fn count(&self, text: &str, limit: usize) -> Result<usize> {
        match &self.model {
            Model::Bm25(bm25) => Ok(bm25.analyzer().count(text)),
            Model::Graph(model) => model.tokenizer.count(text, limit),
        }
    }

    /// A family of BM25 never comes where a graph is asked for.
    fn graph(&self) -> Result<&GraphModel> {
        match &self.model {
            Model::Graph(model) => Ok(model),
            Model::Bm25(_) => Err(Error::new(ErrorKind::Internal, "BM25 was asked for a run")),
        }
    }
}

/// The output that a kind reads: the one asked for, the kind's own, or the first.
///
/// A graph that cannot be of the kind fails here. Otherwise the values of any encoder would be taken for weights of the vocabulary.
fn output(kind: SparseKind, spec: &ModelSpec, graph: &Graph, tokenizer: &Tokenizer) -> Result<Chosen> {
    model::check_inputs(spec, graph)?;
    let own = match kind {
        SparseKind::Bm42 { .. } => Some(bm42::OUTPUT),
        SparseKind::SpladePlusPlus | SparseKind::InferenceFreeSplade => Some(SCORES),
        SparseKind::MiniCoil(_) => None,
    };
    let chosen = model::choose_output(spec, graph, own)?;
    let port = &graph.outputs[chosen.position];
    let unfit = |expected: &str| {
        let why = format_args!("output {} is {:?}, expected {expected}", port.name, port.dims);
        Err(json::invalid(&spec.graph_path, why))
    };
    match kind {
        SparseKind::Bm42 { .. } if !chosen.requested && port.name != bm42::OUTPUT => {
            let names: Vec<&str> = graph.outputs.iter().map(|port| port.name.as_str()).collect();
            let why = format_args!("has no output {}; its outputs are {}", bm42::OUTPUT, names.join(", "));
            Err(json::invalid(&spec.graph_path, why))
        }
        SparseKind::Bm42 { .. } if !matches!(port.dims.len(), 0 | 4) => {
            unfit("[rows, heads, tokens, tokens]")
        }
        SparseKind::SpladePlusPlus | SparseKind::InferenceFreeSplade | SparseKind::MiniCoil(_)
            if !matches!(port.dims.len(), 0 | 3) =>
        {
            unfit("[rows, tokens, n]")
        }
        SparseKind::SpladePlusPlus | SparseKind::InferenceFreeSplade
            if last_dim(port).is_some_and(|entries| entries < tokenizer.vocabulary_len()) =>
        {
            let entries = tokenizer.vocabulary_len();
            unfit(&format!(
                "a weight for each of the {entries} entries of the vocabulary, [rows, tokens, {entries}]"
            ))
        }
        _ => Ok(chosen),
    }
}

impl Family for SparseText {
    type Input = String;
    type Call = SparseCall;
    type Item = Item;
    type Row = SparseRow;

    fn input_cost(&self, input: &String) -> usize {
        let added = self.tokenizer().map_or(0, Tokenizer::added_tokens);
        family::text_cost(input.len(), added)
    }

    fn prepare(&self, input: String, call: &SparseCall) -> Result<Prepared<Item, SparseRow>> {
        let finished = |row: SparseRow| {
            let tokens = row.tokens as usize;
            Ok(Prepared::Row(row, tokens))
        };
        let model = match &self.model {
            Model::Bm25(bm25) => {
                let vector = match call.role {
                    Role::Document => bm25.document(&input),
                    Role::Query => bm25.query(&input),
                };
                return finished(SparseRow::new(vector.ids, vector.weights, vector.words, false)?);
            }
            Model::Graph(model) => model,
        };
        let item = model.tokenizer.encode(&input, call.limit, call.overflow)?;
        match (&model.head, call.role) {
            (Head::InferenceFreeSplade(head), Role::Query) => finished(head.query(&item)?),
            (Head::Bm42(head), Role::Query) => finished(head.query(&item, &model.tokenizer)?),
            (Head::SpladePlusPlus | Head::MiniCoil(_), Role::Query) | (_, Role::Document) => {
                Ok(Prepared::Item(item))
            }
        }
    }

    fn tokens(&self, item: &Item) -> usize {
        item.len()
    }

    fn padded_len(&self, item: &Item) -> usize {
        self.tokenizer().map_or(item.len(), |tokenizer| tokenizer.padded_len(item.len()))
    }

    fn collate(&self, items: &[&Item]) -> Result<Batch> {
        let GraphModel { tokenizer, graph, .. } = self.graph()?;
        // A run of nothing but empty texts, under a tokenizer that adds no special tokens, still needs a column.
        if items.iter().all(|item| item.is_empty()) {
            return Ok(tokenizer.collate_to(items, graph, 1));
        }
        Ok(tokenizer.collate(items, graph))
    }

    fn outputs(&self) -> &[usize] {
        match &self.model {
            Model::Bm25(_) => &[],
            Model::Graph(model) => &model.outputs,
        }
    }

    fn finish(
        &self,
        outputs: &[Output<'_>],
        batch: &Batch,
        row: usize,
        item: &Item,
        call: &SparseCall,
    ) -> Result<SparseRow> {
        let GraphModel { tokenizer, head, .. } = self.graph()?;
        let output = family::only_output(outputs)?;
        let (padded_len, left_padded) = (batch.padded_len, tokenizer.left_padded());
        let graph = GraphRow { output, row, item, padded_len, left_padded };
        match head {
            Head::SpladePlusPlus => splade::plus_plus(&graph),
            Head::InferenceFreeSplade(head) => head.document(&graph),
            Head::Bm42(head) => head.document(&graph, tokenizer),
            Head::MiniCoil(head) => head.row(&graph, tokenizer, call.role == Role::Query),
        }
    }
}

impl Engine<SparseText> {
    /// Tokens of each text after truncation to `limit`, special tokens included; words for BM25. Uses the preparing
    /// pool and blocks; an error names its text.
    pub fn count_tokens(&self, texts: &[String], limit: usize) -> Result<Vec<u32>> {
        self.count_each(texts, |family, text| family.count(text, limit))
    }
}
