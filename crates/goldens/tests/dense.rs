//! The golden cases of dense text that have a graph.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use millrace_contract::{Backend, DType, ErrorKind, Pooling, Result};
use millrace_core::{
    dense::{DenseCall, DenseRow, DenseText},
    engine::Engine,
    job::{Batching, JobOptions},
    model::{self, DenseHead, ModelRequest},
    postprocess::{DenseOptions, Values},
    tokenizer::{Overflow, Tokenizer},
};
use millrace_goldens::{Case, assert_close, backend, cases, collect, engine, fixed};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// What FastEmbed's classes ask of a graph.
fn request(case: &Case) -> ModelRequest {
    let base = ModelRequest { dir: dir(case), ..ModelRequest::default() };
    let pooled = |pooling, normalize| ModelRequest {
        pooling: Some(pooling),
        normalize: Some(normalize),
        ..base.clone()
    };
    match case.text("fastembed_class") {
        "OnnxTextEmbedding" => pooled(Pooling::Cls, true),
        "PooledNormalizedEmbedding" | "JinaEmbeddingV3" => pooled(Pooling::Mean, true),
        "PooledEmbedding" => pooled(Pooling::Mean, false),
        "CLIPOnnxEmbedding" => pooled(Pooling::None, false),
        "LastTokenNormalizedEmbedding" => pooled(Pooling::LastToken, true),
        "BuiltinSentenceEmbedding" => ModelRequest { output_index: Some(1), ..pooled(Pooling::None, false) },
        "SiglipOnnxTextEmbedding" => ModelRequest {
            output_name: Some("pooler_output".to_owned()),
            pad_to_limit: true,
            ..pooled(Pooling::None, true)
        },
        "CustomTextEmbedding" => custom(case, &base),
        other => panic!("{}: {other} is no class of the family", case.name),
    }
}

fn custom(case: &Case, base: &ModelRequest) -> ModelRequest {
    let model = &case.json["custom_model"];
    let pooling = match model["pooling"].as_str().unwrap() {
        "CLS" => Pooling::Cls,
        "MEAN" => Pooling::Mean,
        "LAST_TOKEN" => Pooling::LastToken,
        "DISABLED" => Pooling::None,
        other => panic!("{}: pooling {other}", case.name),
    };
    ModelRequest {
        pooling: Some(pooling),
        normalize: model["normalization"].as_bool(),
        model_file: model["model_file"].as_str().map(str::to_owned),
        output_name: model["output_name"].as_str().map(str::to_owned),
        ..base.clone()
    }
}

struct Open {
    engine: Engine<DenseText>,
    head: DenseHead,
    limit: usize,
}

fn open(case: &Case) -> Result<Open> {
    let spec = model::resolve(&request(case))?;
    let tokenizer = Tokenizer::load(&spec)?;
    let head = model::bind(&spec, backend(&spec.graph_path).graph())?;
    let engine = engine(&spec.graph_path, |graph| DenseText::new(tokenizer, graph.clone(), &head));
    Ok(Open { engine, head, limit: spec.limit.tokens })
}

/// The directory of a golden model, or of the real one, which is no part of the golden files.
fn dir(case: &Case) -> PathBuf {
    if case.name.starts_with(REAL) {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        return workspace.join("../shared/models/all-MiniLM-L6-v2");
    }
    case.model_dir()
}

/// Cases of the real model, which may be absent.
const REAL: &str = "dense_real_minilm";

#[expect(clippy::print_stderr, reason = "a case that is left out has to be seen")]
fn is_here(case: &Case) -> bool {
    let dir = dir(case);
    let here = dir.is_dir() || !case.name.starts_with(REAL);
    if !here {
        eprintln!("{}: {} is absent", case.name, dir.display());
    }
    here
}

fn is_dense(case: &Case) -> bool {
    case.text("family") == "dense" && case.text("fastembed_class") != "StaticTextEmbedding" && is_here(case)
}

/// The task of a call, as FastEmbed chooses it.
fn task(case: &Case) -> Option<u32> {
    let said = |place: &str| case.json[place]["task_id"].as_u64().map(|task| u32::try_from(task).unwrap());
    match (case.text("fastembed_class"), case.text("method")) {
        ("JinaEmbeddingV3", "query_embed") => Some(0),
        ("JinaEmbeddingV3", "passage_embed") => Some(1),
        ("JinaEmbeddingV3", _) => said("options").or(said("init_options")),
        _ => None,
    }
}

fn call(case: &Case, open: &Open) -> DenseCall {
    DenseCall {
        limit: open.limit,
        overflow: Overflow::Truncate,
        chunks: None,
        prompt: None,
        vector: DenseOptions {
            pooling: open.head.pooling(),
            normalize: open.head.normalize.value,
            dimensions: None,
            dtype: DType::Float32,
        },
        task: task(case),
    }
}

fn expected(case: &Case) -> Vec<f32> {
    let file = case.json["expected"]["expected_file"].as_str().unwrap();
    let bytes = || fs::read(case.dir.join(file)).unwrap();
    match file {
        "expected.f32" => case.floats(file),
        "expected.i8" => bytes().into_iter().map(|byte| f32::from(byte.cast_signed())).collect(),
        "expected.f64" => {
            let bytes = bytes();
            #[expect(clippy::cast_possible_truncation, reason = "rows are float32")]
            let values = bytes.as_chunks::<8>().0.iter().map(|bytes| f64::from_le_bytes(*bytes) as f32);
            values.collect()
        }
        other => panic!("{}: {other}", case.name),
    }
}

fn values(case: &Case, rows: Vec<Result<DenseRow>>) -> Vec<f32> {
    let mut all = Vec::new();
    for row in rows {
        match row.unwrap_or_else(|error| panic!("{}: {error}", case.name)).vector.values {
            Values::F32(values) => all.extend_from_slice(&values),
            other => panic!("{}: {other:?}", case.name),
        }
    }
    all
}

#[test]
fn vectors() {
    let mut done = 0;
    for case in cases(|case| is_dense(case) && case.text("method") != "token_count") {
        let opened = open(&case).unwrap_or_else(|error| panic!("{}: {error}", case.name));
        let expected = expected(&case);
        assert_eq!(expected.len(), case.shape("expected").iter().product::<usize>(), "{}", case.name);
        let mut ways = vec![fixed(case.batch_size())];
        // Dynamic quantisation ties a vector to its batch.
        if !case.name.contains("dynamic_int8") {
            ways.push(fixed(1));
            ways.push(JobOptions { batching: Batching::Planned, ..fixed(case.batch_size()) });
        }
        for options in ways {
            let rows = collect(&opened.engine, options, call(&case, &opened), case.inputs());
            let got = values(&case, rows);
            assert_close(&case.name, &got, &expected, case.tolerance("abs"), case.tolerance("rel"));
            if case.json["expected"]["dtype"] == "float16" {
                let half = |x: &f32| half::f16::from_f32(*x).to_f32().to_bits() == x.to_bits();
                assert!(got.iter().all(half), "{}: not of float16 precision", case.name);
            }
        }
        opened.engine.close(None);
        done += 1;
    }
    assert!(done >= 45, "only {done} cases were found");
}

#[test]
fn token_counts() {
    let mut done = 0;
    for case in cases(|case| is_dense(case) && case.text("method") == "token_count") {
        let Open { engine, limit, .. } = open(&case).unwrap();
        let counts = engine.count_tokens(&case.inputs(), limit, None).unwrap();
        let total: u64 = counts.into_iter().map(u64::from).sum();
        assert_eq!(Some(total), case.value("expected.json").as_u64(), "{}", case.name);
        done += 1;
    }
    assert!(done >= 12, "only {done} cases were found");
}

#[test]
fn tasks_of_several_calls_do_not_mix() {
    let case = Case::read("dense_jina_v3_task_arg");
    let opened = open(&case).unwrap();
    assert!(opened.engine.family().has_tasks());
    let texts = case.inputs();
    let of = |task| DenseCall { task, ..call(&case, &opened) };
    let alone: Vec<Vec<f32>> = [None, Some(0), Some(1), Some(4)]
        .map(|task| values(&case, collect(&opened.engine, fixed(1), of(task), texts.clone())))
        .into();
    assert_eq!(alone[0], alone[2], "no task is task 1");
    assert_ne!(alone[1], alone[2]);
    // All at once: their rows wait in one planner.
    let jobs: Vec<_> = [None, Some(0), Some(1), Some(4)]
        .map(|task| {
            let job = opened.engine.submit(JobOptions::default(), of(task)).unwrap();
            job.push(texts.clone());
            job.finish();
            job
        })
        .into();
    for (job, alone) in jobs.into_iter().zip(alone) {
        let mut rows = Vec::new();
        while let Some(delivery) = job.next_blocking() {
            rows.extend(delivery.unwrap().rows);
        }
        assert_close(&case.name, &values(&case, rows), &alone, 1e-5, 1e-4);
    }
}

#[test]
fn a_task_of_a_model_without_tasks_is_an_error() {
    let case = Case::read("dense_bge_single_string");
    let opened = open(&case).unwrap();
    assert!(!opened.engine.family().has_tasks());
    let call = DenseCall { task: Some(0), ..call(&case, &opened) };
    let rows = collect(&opened.engine, fixed(1), call, case.inputs());
    assert_eq!(rows[0].as_ref().unwrap_err().kind(), ErrorKind::InvalidOption);
}

#[test]
fn errors() {
    let kinds = [
        ("error_disabled_pooling_3d", ErrorKind::ModelInvalid),
        ("error_unknown_output_name", ErrorKind::InvalidOption),
    ];
    for (name, kind) in kinds {
        let case = Case::read(name);
        assert_eq!(case.value("expected.json")["error_type"], Value::from("ValueError"));
        let error = open(&case).map(drop).unwrap_err();
        assert_eq!(error.kind(), kind, "{name}: {error}");
    }
    let case = Case::read("error_unknown_output_name");
    let mut beyond = request(&case);
    (beyond.output_name, beyond.output_index) = (None, Some(2));
    let spec = model::resolve(&beyond).unwrap();
    let error = model::bind(&spec, backend(&spec.graph_path).graph()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ModelInvalid);
}
