//! The golden cases of late-interaction text.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use millrace_contract::{Backend, ErrorKind, Result};
use millrace_core::{
    engine::Engine,
    family::Role,
    job::JobOptions,
    late::{LateCall, LateKind, LateText, MultiVectorRow},
    model::{self, ModelRequest},
    tokenizer::Overflow,
};
use millrace_goldens::{Case, assert_close, backend, cases, collect, engine, fixed, root};
use std::path::Path;

fn kind(case: &Case) -> LateKind {
    match case.text("fastembed_class") {
        "Colbert" => LateKind::COLBERT,
        "JinaColbert" => LateKind::JINA_COLBERT,
        "LateOn" => LateKind::LATE_ON,
        "MLateOn" => LateKind::M_LATE_ON,
        "TokenEmbeddingsModel" => LateKind::TOKEN_EMBEDDINGS,
        other => panic!("{}: {other} is no class of the family", case.name),
    }
}

/// The engine of a directory, and the limit of its texts.
fn open(kind: LateKind, dir: &Path) -> (Engine<LateText>, usize) {
    let request = ModelRequest { dir: dir.to_path_buf(), ..ModelRequest::default() };
    let spec = model::resolve(&request).unwrap();
    let engine = engine(&spec.graph_path, |graph| LateText::load(kind, &spec, graph).unwrap());
    (engine, spec.limit.tokens)
}

fn call(role: Role, limit: usize) -> LateCall {
    LateCall { role, limit, overflow: Overflow::Truncate }
}

fn check(case: &Case, rows: Vec<Result<MultiVectorRow>>) {
    let expected = case.floats("expected.f32");
    let (counts, dim) = (case.row_counts(), case.shape("expected")[1]);
    assert_eq!(rows.len(), counts.len(), "{}", case.name);
    let mut at = 0;
    for (index, (row, count)) in rows.into_iter().zip(counts).enumerate() {
        let (row, what) = (row.unwrap(), format!("{} {index}", case.name));
        assert_eq!((row.rows, row.dim), (count, dim), "{what}");
        let wanted = &expected[at * dim..(at + count) * dim];
        assert_close(&what, &row.vectors, wanted, case.tolerance("abs"), case.tolerance("rel"));
        at += count;
    }
    assert_eq!(at * dim, expected.len(), "{}", case.name);
}

#[test]
fn vectors() {
    let mut done = 0;
    for case in
        cases(|case| case.text("family") == "late_interaction" && case.text("method").ends_with("embed"))
    {
        let role = if case.text("method") == "query_embed" { Role::Query } else { Role::Document };
        let (engine, limit) = open(kind(&case), &case.model_dir());
        // Alone, in FastEmbed's slices, and with whoever fits: the vectors are the same.
        for options in [fixed(1), fixed(case.batch_size()), JobOptions::default()] {
            check(&case, collect(&engine, options, call(role, limit), case.inputs()));
        }
        engine.close(None);
        done += 1;
    }
    assert_eq!(done, 12);
}

#[test]
fn token_counts() {
    let mut done = 0;
    for case in
        cases(|case| case.text("family") == "late_interaction" && case.text("method") == "token_count")
    {
        let (engine, limit) = open(kind(&case), &case.model_dir());
        let option = |key: &str| case.json["options"][key].as_bool().unwrap();
        let role = if option("is_doc") { Role::Document } else { Role::Query };
        let counts = engine.count_tokens(&case.inputs(), role, limit, option("include_extension")).unwrap();
        let total: u64 = counts.into_iter().map(u64::from).sum();
        assert_eq!(Some(total), case.value("expected.json").as_u64(), "{}", case.name);
        done += 1;
    }
    assert_eq!(done, 20);
}

#[test]
fn long_texts_say_so() {
    let (engine, limit) = open(LateKind::COLBERT, &root().join("models/colbert"));
    let texts = vec!["short".to_owned(), "long ".repeat(limit)];
    let rows = collect(&engine, fixed(2), call(Role::Document, limit), texts.clone());
    let truncated: Vec<bool> = rows.iter().map(|row| row.as_ref().unwrap().truncated).collect();
    assert_eq!(truncated, [false, true]);
    assert_eq!(rows[1].as_ref().unwrap().tokens as usize, limit);
    let strict = LateCall { overflow: Overflow::Error, ..call(Role::Document, limit) };
    let rows = collect(&engine, fixed(2), strict, texts);
    let error = rows[1].as_ref().unwrap_err();
    assert_eq!((error.kind(), error.index()), (ErrorKind::InputTooLong, Some(1)));
}

#[test]
fn a_kind_without_its_mask_token_is_refused() {
    let dir = root().join("models/colbert");
    let spec = model::resolve(&ModelRequest { dir, ..ModelRequest::default() }).unwrap();
    let error = LateText::load(LateKind::JINA_COLBERT, &spec, backend(&spec.graph_path).graph()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ModelInvalid);
    assert!(error.message().contains("<mask>"), "{error}");
}
