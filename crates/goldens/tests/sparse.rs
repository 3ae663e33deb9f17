//! The sparse text family against the golden files, and what they cannot tell.
#![expect(clippy::unwrap_used, reason = "a test says what it means by failing")]

use millrace_contract::{Backend, Error, ErrorKind};
use millrace_core::{
    engine::{Engine, EngineOptions},
    family::Role,
    graphless::Graphless,
    job::JobOptions,
    model::{self, ModelRequest},
    sparse::{Bm25Options, SparseCall, SparseKind, SparseRow, SparseText},
    tokenizer::Overflow,
};
use millrace_goldens::{Case, backend, cases, collect, fixed, root};
use millrace_text::bm25::{Otherwise, Stem, StemTable, Weights, lower_words};
use serde_json::Value;
use std::{borrow::Cow, sync::Arc};

/// The stemmer of the cases: the first characters, and nothing for numbers.
#[derive(Debug)]
struct FirstCharacters(usize);

impl Stem for FirstCharacters {
    fn stem<'a>(&self, word: &'a str) -> Cow<'a, str> {
        // Python's isdigit: decimal digits and the superscript and circled ones of these texts.
        let digit = |c: char| c.is_numeric() && !"½Ⅷ".contains(&c.to_uppercase().to_string());
        if word.chars().all(digit) {
            return Cow::Borrowed("");
        }
        Cow::Owned(word.chars().take(self.0).collect())
    }
}

fn init<'a>(case: &'a Case, key: &str) -> &'a Value {
    &case.json["init_options"][key]
}

fn weights(case: &Case, default: Weights) -> Weights {
    let of = |key: &str, default: f64| init(case, key).as_f64().unwrap_or(default);
    Weights { k: of("k", default.k), b: of("b", default.b), avg_len: of("avg_len", default.avg_len) }
}

fn bm25_options(case: &Case) -> Bm25Options {
    let default = Bm25Options::default();
    let first = init(case, "custom_stemmer")["first_code_points"].as_u64();
    let words = init(case, "stopwords").as_array();
    Bm25Options {
        weights: weights(case, default.weights),
        language: init(case, "language").as_str().map_or(default.language, str::to_owned),
        token_max_length: init(case, "token_max_length")
            .as_u64()
            .map_or(default.token_max_length, |n| usize::try_from(n).unwrap()),
        disable_stemmer: init(case, "disable_stemmer").as_bool().unwrap_or(false),
        stop_words: words.map(|words| words.iter().map(|word| word.as_str().unwrap().to_owned()).collect()),
        stemmer: first.map(|n| Arc::new(FirstCharacters(usize::try_from(n).unwrap())) as Arc<dyn Stem>),
        dir: Some(case.model_dir()),
    }
}

/// Two sessions, so that rows of one call really run apart.
fn start(backend: Arc<dyn Backend>, family: SparseText) -> Result<Engine<SparseText>, Error> {
    let row_by_row = backend.graph().rows_interact();
    let options = EngineOptions { row_by_row, ..EngineOptions::of_sessions(2) };
    Engine::start(backend, family, options)
}

fn bm25(options: &Bm25Options) -> Result<Engine<SparseText>, Error> {
    start(Arc::new(Graphless::default()), SparseText::bm25(options)?)
}

fn rows(
    engine: &Engine<SparseText>,
    texts: Vec<String>,
    call: SparseCall,
    options: JobOptions,
) -> Vec<SparseRow> {
    collect(engine, options, call, texts).into_iter().map(Result::unwrap).collect()
}

/// The engine of a case, and the limit of its texts.
fn open(case: &Case) -> Result<(Engine<SparseText>, usize), Error> {
    let class = case.text("fastembed_class");
    let kind = match class {
        "Bm25" => return Ok((bm25(&bm25_options(case))?, usize::MAX)),
        "SpladePP" => SparseKind::SpladePlusPlus,
        "IfSplade" => SparseKind::InferenceFreeSplade,
        "Bm42" => match init(case, "alpha").as_f64() {
            Some(alpha) => SparseKind::Bm42 { alpha },
            None => SparseKind::BM42,
        },
        "MiniCOIL" => {
            let SparseKind::MiniCoil(default) = SparseKind::MINI_COIL else { unreachable!() };
            SparseKind::MiniCoil(weights(case, default))
        }
        other => panic!("{}: {other} is no sparse class", case.name),
    };
    let spec = model::resolve(&ModelRequest { dir: case.model_dir(), ..ModelRequest::default() })?;
    let backend = backend(&spec.graph_path);
    let family = SparseText::load(kind, &spec, backend.graph())?;
    Ok((start(backend, family)?, spec.limit.tokens))
}

fn call(role: Role, limit: usize) -> SparseCall {
    SparseCall { role, limit, overflow: Overflow::Truncate }
}

/// Compares a row, as an ordered list or as a set.
fn compare(name: &str, row: &SparseRow, expected: &Value, case: &Case, ordered: bool) {
    let ignore_below = case.tolerance("ignore_values_below");
    let accepts = |value: f64, expected: f64| {
        (value - expected).abs() <= case.tolerance("abs") + case.tolerance("rel") * expected.abs()
    };
    let list = |key: &str| expected[key].as_array().unwrap().clone();
    let indices = list("indices").into_iter().map(|index| u32::try_from(index.as_u64().unwrap()).unwrap());
    let values = list("values").into_iter().map(|value| value.as_f64().unwrap());
    let mut expected: Vec<(u32, f64)> = indices.zip(values).collect();
    let mut got: Vec<(u32, f64)> =
        row.indices.iter().copied().zip(row.values.iter().map(|&value| f64::from(value))).collect();
    if !ordered {
        got.sort_unstable_by_key(|pair| pair.0);
        expected.sort_unstable_by_key(|pair| pair.0);
    }
    // Entries that are too small to matter may be missing on either side.
    if ignore_below > 0.0 {
        let others: Vec<u32> = expected.iter().map(|pair| pair.0).collect();
        got.retain(|(index, value)| *value >= ignore_below || others.contains(index));
        let others: Vec<u32> = got.iter().map(|pair| pair.0).collect();
        expected.retain(|(index, value)| *value >= ignore_below || others.contains(index));
    }
    let ids = |pairs: &[(u32, f64)]| pairs.iter().map(|pair| pair.0).collect::<Vec<_>>();
    assert_eq!(ids(&got), ids(&expected), "{name}");
    for ((index, value), (_, expected)) in got.iter().zip(&expected) {
        assert!(accepts(*value, *expected), "{name}: {value} at {index}, expected {expected}");
    }
}

fn check(case: &Case) {
    let (engine, limit) = open(case).unwrap_or_else(|error| panic!("{}: {error}", case.name));
    let texts = case.inputs();
    let role = match case.text("method") {
        "embed" | "passage_embed" => Role::Document,
        "query_embed" => Role::Query,
        "token_count" => {
            let counts = engine.count_tokens(&texts, limit).unwrap();
            let total: u64 = counts.into_iter().map(u64::from).sum();
            assert_eq!(Some(total), case.value("expected.json").as_u64(), "{}", case.name);
            return;
        }
        other => panic!("{}: {other} is no method of the family", case.name),
    };
    let set = case.json["fastembed_class"] == "Bm25" && role == Role::Query;
    let expected = case.value("expected.json");
    let expected = expected.as_array().unwrap();
    for (way, options) in [("planned", JobOptions::default()), ("fixed", fixed(case.batch_size()))] {
        let rows = rows(&engine, texts.clone(), call(role, limit), options);
        assert_eq!(rows.len(), expected.len(), "{}", case.name);
        for (at, (row, expected)) in rows.iter().zip(expected).enumerate() {
            compare(&format!("{} {at} {way}", case.name), row, expected, case, !set);
        }
    }
}

fn check_all(prefix: &str, count: usize) {
    let cases = cases(|case| case.name.starts_with(prefix));
    assert_eq!(cases.len(), count, "cases of {prefix}");
    cases.iter().for_each(check);
}

#[test]
fn bm25_equals_the_golden_files() {
    check_all("bm25_", 55);
}

#[test]
fn bm42_equals_the_golden_files() {
    check_all("bm42_", 4);
}

#[test]
fn splade_equals_the_golden_files() {
    check_all("splade_", 4);
}

#[test]
fn inference_free_splade_equals_the_golden_files() {
    check_all("if_splade_", 3);
}

#[test]
fn minicoil_equals_the_golden_files() {
    check_all("minicoil_", 4);
}

#[test]
fn wrong_options_of_bm25_are_refused() {
    let cases = cases(|case| case.name.starts_with("error_bm25_"));
    assert_eq!(cases.len(), 2);
    for case in cases {
        let error = open(&case).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::InvalidOption, "{}: {error}", case.name);
    }
}

#[test]
fn a_table_of_stems_does_what_a_stemmer_does() {
    let case = Case::read("bm25_nasty_custom_stemmer_embed");
    let stemmer = FirstCharacters(4);
    let mut stems = Vec::new();
    for text in case.inputs() {
        lower_words(&text, |word| stems.push((word.to_owned(), stemmer.stem(word).into_owned())));
    }
    let table = StemTable::new(stems, Otherwise::Drop);
    let engine = bm25(&Bm25Options { stemmer: Some(Arc::new(table)), ..bm25_options(&case) }).unwrap();
    let rows = rows(&engine, case.inputs(), call(Role::Document, 0), JobOptions::default());
    let expected = case.value("expected.json");
    for (at, (row, expected)) in rows.iter().zip(expected.as_array().unwrap()).enumerate() {
        compare(&format!("row {at}"), row, expected, &case, true);
    }
}

#[test]
fn rows_tell_tokens_and_truncation() {
    let case = Case::read("splade_embed");
    let (engine, limit) = open(&case).unwrap();
    let texts = case.inputs();
    let counts = engine.count_tokens(&texts, limit).unwrap();
    for limit in [8, limit] {
        let rows = rows(&engine, texts.clone(), call(Role::Document, limit), JobOptions::default());
        for (row, &count) in rows.iter().zip(&counts) {
            assert_eq!(row.tokens as usize, (count as usize).min(limit));
        }
        assert!(limit > 8 || rows.iter().any(|row| row.truncated));
    }
    let words = bm25(&Bm25Options::default()).unwrap();
    let row = rows(&words, vec!["The cat, the _ hat".into()], call(Role::Document, 0), JobOptions::default());
    let row = row.into_iter().next().unwrap();
    assert_eq!((row.tokens, row.truncated, row.indices.len()), (5, false, 2));
}

#[test]
fn a_model_without_its_files_is_named() {
    let kinds = [
        (SparseKind::BM42, "splade", "attention_6", ErrorKind::ModelInvalid),
        (SparseKind::InferenceFreeSplade, "splade", "idf.json", ErrorKind::ModelNotFound),
        (SparseKind::MINI_COIL, "splade", "minicoil.triplet.model.vocab", ErrorKind::ModelNotFound),
    ];
    for (kind, dir, missing, expected) in kinds {
        let dir = root().join("models").join(dir);
        let spec = model::resolve(&ModelRequest { dir, ..ModelRequest::default() }).unwrap();
        let error = SparseText::load(kind, &spec, backend(&spec.graph_path).graph()).unwrap_err();
        assert_eq!(error.kind(), expected, "{error}");
        assert!(error.message().contains(missing), "{error}");
    }
    let dir = root().join("models/bm42");
    let spec = model::resolve(&ModelRequest { dir, ..ModelRequest::default() }).unwrap();
    let graph = backend(&spec.graph_path);
    for alpha in [f64::NAN, -1.0] {
        let error = SparseText::load(SparseKind::Bm42 { alpha }, &spec, graph.graph()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidOption);
    }
}
