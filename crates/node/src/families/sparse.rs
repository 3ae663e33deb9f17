//! Sparse text: BM25 without a graph, the other kinds on one.

use super::limit;
use crate::{
    batch::{NativeBatch, too_large},
    host::Host,
    inputs::Inputs,
    options::{NativeBm25Options, NativeCountOptions, NativeJobOptions, size, unknown},
    served::{Served, Surface},
};
use millrace_contract::{Error, ErrorKind, Result};
use millrace_core::{
    engine::Engine,
    job::Delivery,
    model::{self, ModelSpec},
    sparse::{Bm25Options, SparseCall, SparseKind, SparseMatrix, SparseRow, SparseText},
};
use millrace_text::bm25::{Stem, Weights, lower_words};
use parking_lot::RwLock;
use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// Stems of a caller's own function, which only JavaScript can call: told before the texts that need them.
#[derive(Debug, Default)]
pub(crate) struct Stems(RwLock<HashMap<Box<str>, Box<str>>>);

impl Stems {
    /// The words of `texts`, in lower case, whose stems are not known yet.
    pub(crate) fn unknown(&self, texts: impl IntoIterator<Item = String>) -> Vec<String> {
        let known = self.0.read();
        let mut unknown = HashSet::new();
        for text in texts {
            lower_words(&text, |word| {
                if !known.contains_key(word) && !unknown.contains(word) {
                    unknown.insert(word.to_owned());
                }
            });
        }
        unknown.into_iter().collect()
    }

    pub(crate) fn learn(&self, words: Vec<String>, stems: Vec<String>) {
        let pairs = words.into_iter().zip(stems).map(|(word, stem)| (word.into(), stem.into()));
        self.0.write().extend(pairs);
    }
}

impl Stem for Stems {
    fn stem<'a>(&self, word: &'a str) -> Cow<'a, str> {
        let known = self.0.read().get(word).map(ToString::to_string);
        known.map_or(Cow::Borrowed(word), Cow::Owned)
    }
}

fn weights(options: Option<&NativeBm25Options>, default: Weights) -> Weights {
    let Some(options) = options else { return default };
    Weights {
        k: options.k.unwrap_or(default.k),
        b: options.b.unwrap_or(default.b),
        avg_len: options.avg_len.unwrap_or(default.avg_len),
    }
}

fn bm25_options(host: &Host<'_>, stems: Option<Arc<Stems>>) -> Bm25Options {
    let default = Bm25Options::default();
    let dir = host.options.dir.as_ref().map(Into::into);
    let Some(given) = &host.options.bm25 else { return Bm25Options { dir, ..default } };
    Bm25Options {
        weights: weights(Some(given), default.weights),
        language: given.language.clone().unwrap_or(default.language),
        token_max_length: given.token_max_length.map_or(default.token_max_length, size),
        disable_stemmer: given.disable_stemmer.unwrap_or(false),
        stop_words: given.stopwords.clone(),
        stemmer: stems.map(|stems| stems as Arc<dyn Stem>),
        dir,
    }
}

fn kind(host: &Host<'_>) -> Result<SparseKind> {
    match host.options.kind.as_deref() {
        None | Some("splade") => Ok(SparseKind::SpladePlusPlus),
        Some("if-splade") => Ok(SparseKind::InferenceFreeSplade),
        Some("bm42") => Ok(host.options.alpha.map_or(SparseKind::BM42, |alpha| SparseKind::Bm42 { alpha })),
        Some("minicoil") => Ok(match SparseKind::MINI_COIL {
            SparseKind::MiniCoil(default) => {
                SparseKind::MiniCoil(weights(host.options.bm25.as_ref(), default))
            }
            other => other,
        }),
        Some(other) => unknown("kind", other, "'bm25', 'splade', 'if-splade', 'bm42' or 'minicoil'"),
    }
}

pub(super) fn load(host: &Host<'_>, stems: Option<Arc<Stems>>) -> Result<Box<dyn Served>> {
    if host.options.kind.as_deref() == Some("bm25") {
        let family = SparseText::bm25(&bm25_options(host, stems))?;
        return host.serve(Host::graphless(), family, None, |info, _, _| {
            info.dir.clone_from(&host.options.dir);
        });
    }
    let kind = kind(host)?;
    let spec = model::resolve(&host.options.request()?)?;
    let backend = host.graph(&spec.graph_path)?;
    let spec = spec.fit(backend.graph())?;
    let family = SparseText::load(kind, &spec, backend.graph())?;
    host.serve(backend, family, Some(spec), |info, family, spec| {
        if let Some(spec) = spec {
            info.describe(spec);
        }
        if let Some(output) = family.output_name() {
            info.reads(output);
        }
    })
}

/// The limit of a call; BM25 reads all of a text.
fn sparse_limit(spec: Option<&ModelSpec>, asked: Option<u32>) -> Result<usize> {
    match (spec, asked) {
        (Some(spec), asked) => limit(spec, asked),
        (None, None) => Ok(usize::MAX),
        (None, Some(asked)) => {
            let message = format!("Expected no maxLength, as BM25 has no limit, but received {asked}");
            Err(Error::new(ErrorKind::InvalidOption, message))
        }
    }
}

impl Surface for SparseText {
    /// The directory, where the kind reads one.
    type Facts = Option<ModelSpec>;
    type Shape = ();

    fn call(&self, facts: &Option<ModelSpec>, options: NativeJobOptions) -> Result<(SparseCall, ())> {
        let call = SparseCall {
            role: options.role()?,
            limit: sparse_limit(facts.as_ref(), options.max_length)?,
            overflow: options.overflow()?,
        };
        Ok((call, ()))
    }

    fn inputs(inputs: Inputs) -> Result<Vec<String>> {
        inputs.texts()
    }

    fn batch(delivery: Delivery<SparseRow>, (): ()) -> Result<NativeBatch> {
        SparseMatrix::assemble(delivery).map(NativeBatch::sparse).ok_or_else(too_large)
    }

    fn count(
        engine: &Engine<Self>,
        facts: &Option<ModelSpec>,
        inputs: Inputs,
        options: &NativeCountOptions,
    ) -> Result<Vec<u32>> {
        engine.count_tokens(&inputs.texts()?, sparse_limit(facts.as_ref(), options.max_length)?)
    }
}
