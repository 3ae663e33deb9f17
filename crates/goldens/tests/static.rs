//! The golden cases of static embeddings, which have a table and no graph.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use millrace_contract::{DType, ErrorKind, Pooling};
use millrace_core::{
    dense::{DenseCall, StaticText},
    engine::{Engine, EngineOptions},
    graphless::Graphless,
    job::JobOptions,
    postprocess::{DenseOptions, Values},
    tokenizer::Overflow,
};
use millrace_goldens::{Case, assert_close, cases, collect, fixed, root};
use safetensors::{Dtype, serialize, tensor::TensorView};
use std::{fs, path::Path, sync::Arc};

fn open(dir: &Path) -> Engine<StaticText> {
    let options = EngineOptions::of_sessions(1);
    Engine::start(Arc::new(Graphless::default()), StaticText::load(dir, None).unwrap(), options).unwrap()
}

fn call(limit: usize) -> DenseCall {
    DenseCall {
        limit,
        overflow: Overflow::Truncate,
        chunks: None,
        prompt: None,
        vector: DenseOptions {
            pooling: Pooling::Mean,
            normalize: true,
            dimensions: None,
            dtype: DType::Float32,
        },
        task: None,
    }
}

fn embed(engine: &Engine<StaticText>, call: DenseCall, texts: Vec<String>) -> Vec<Vec<f32>> {
    let rows = collect(engine, JobOptions::default(), call, texts);
    rows.into_iter()
        .map(|row| match row.unwrap().vector.values {
            Values::F32(values) => values.into_vec(),
            other => panic!("{other:?}"),
        })
        .collect()
}

fn is_static(case: &Case) -> bool {
    case.text("fastembed_class") == "StaticTextEmbedding"
}

#[test]
fn vectors() {
    let mut done = 0;
    for case in cases(|case| is_static(case) && case.text("method") == "embed") {
        let engine = open(&case.model_dir());
        let expected = case.floats("expected.f32");
        let got = embed(&engine, call(StaticText::LIMIT), case.inputs()).concat();
        assert_close(&case.name, &got, &expected, case.tolerance("abs"), case.tolerance("rel"));
        assert_eq!(Some(&engine.family().dim()), case.shape("expected").last(), "{}", case.name);
        done += 1;
    }
    assert_eq!(done, 3);
}

#[test]
fn token_counts() {
    let mut done = 0;
    for case in cases(|case| is_static(case) && case.text("method") == "token_count") {
        let engine = open(&case.model_dir());
        let counts = engine.count_tokens(&case.inputs(), StaticText::LIMIT, None).unwrap();
        let total: u64 = counts.into_iter().map(u64::from).sum();
        assert_eq!(Some(total), case.value("expected.json").as_u64(), "{}", case.name);
        done += 1;
    }
    assert_eq!(done, 3);
}

#[test]
fn options_and_edges() {
    let engine = open(&root().join("models/potion"));
    let text = || vec!["embedding embeddings search".to_owned()];
    let full = embed(&engine, call(StaticText::LIMIT), text()).concat();
    let raw = DenseCall { vector: DenseOptions { normalize: false, ..call(1).vector }, ..call(512) };
    let mean = embed(&engine, raw, text()).concat();
    let norm = mean.iter().map(|x| x * x).sum::<f32>().sqrt();
    let scaled: Vec<f32> = mean.iter().map(|x| x / norm).collect();
    assert_close("the mean points the same way", &scaled, &full, 1e-6, 1e-5);
    let cut = DenseCall { vector: DenseOptions { dimensions: Some(8), ..call(1).vector }, ..call(512) };
    let cut = embed(&engine, cut, text()).concat();
    assert_eq!(cut.len(), 8);
    assert!((cut.iter().map(|x| x * x).sum::<f32>() - 1.0).abs() < 1e-5);
    let empty = embed(&engine, call(512), vec![String::new()]).concat();
    assert!(empty.iter().all(|&x| x == 0.0));

    let rows = collect(&engine, fixed(1), call(2), text());
    assert!(rows[0].as_ref().is_ok_and(|row| row.truncated && row.tokens == 2));
    let strict = DenseCall { overflow: Overflow::Error, ..call(2) };
    let rows = collect(&engine, fixed(1), strict, text());
    assert_eq!(rows[0].as_ref().unwrap_err().kind(), ErrorKind::InputTooLong);
    let rows = collect(&engine, fixed(1), call(0), text());
    assert_eq!(rows[0].as_ref().unwrap_err().kind(), ErrorKind::InvalidOption);
}

/// A copy of a golden model with another table.
fn with_table(tensors: &[(&str, TensorView<'_>)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let tokenizer = root().join("models/potion/tokenizer.json");
    fs::copy(tokenizer, folder.path().join("tokenizer.json")).unwrap();
    let bytes = serialize(tensors.iter().cloned(), None).unwrap();
    fs::write(folder.path().join("model.safetensors"), bytes).unwrap();
    folder
}

#[test]
fn element_types_give_the_same_vectors() {
    // Small integers are exact in all of them.
    let numbers: Vec<f32> = (0..360u16 * 4).map(|n| f32::from(n % 17) - 8.0).collect();
    let bytes = |dtype| -> Vec<u8> {
        match dtype {
            Dtype::F32 => numbers.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Dtype::F16 => numbers.iter().flat_map(|&x| half::f16::from_f32(x).to_le_bytes()).collect(),
            _ => numbers.iter().flat_map(|&x| half::bf16::from_f32(x).to_le_bytes()).collect(),
        }
    };
    let texts = || vec!["embedding search".to_owned(), "a".to_owned()];
    let embedded = [Dtype::F32, Dtype::F16, Dtype::BF16].map(|dtype| {
        let data = bytes(dtype);
        let table = TensorView::new(dtype, vec![360, 4], &data).unwrap();
        let folder = with_table(&[("embeddings", table)]);
        embed(&open(folder.path()), call(512), texts())
    });
    assert_eq!(embedded[0], embedded[1]);
    assert_eq!(embedded[0], embedded[2]);
    assert_ne!(embedded[0][0], embedded[0][1]);
}

#[test]
fn broken_tables_are_refused() {
    let data = vec![0; 360 * 4 * 4];
    let table = || TensorView::new(Dtype::F32, vec![360, 4], &data).unwrap();
    let (mapping, weights): (Vec<u8>, _) = (9_999i64.to_le_bytes().repeat(8), vec![0; 8]);
    let outside = TensorView::new(Dtype::I64, vec![8], &mapping).unwrap();
    let integers = TensorView::new(Dtype::I64, vec![1], &weights).unwrap();
    let flat = TensorView::new(Dtype::F32, vec![360 * 4], &data).unwrap();
    let whole = TensorView::new(Dtype::I32, vec![360, 4], &data).unwrap();
    let broken: [(&str, &[(&str, TensorView<'_>)]); 5] = [
        ("embeddings", &[("vectors", table())]),
        ("[rows, dim]", &[("embeddings", flat)]),
        ("I32", &[("embeddings", whole)]),
        ("mapping", &[("embeddings", table()), ("mapping", outside)]),
        ("weights", &[("embeddings", table()), ("weights", integers)]),
    ];
    for (said, tensors) in broken {
        let error = StaticText::load(with_table(tensors).path(), None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ModelInvalid, "{said}");
        assert!(error.message().contains(said) && error.message().contains("model.safetensors"), "{error}");
    }
    let folder = with_table(&[("embeddings", table())]);
    fs::write(folder.path().join("model.safetensors"), b"no table").unwrap();
    assert_eq!(StaticText::load(folder.path(), None).unwrap_err().kind(), ErrorKind::ModelInvalid);
    fs::remove_file(folder.path().join("model.safetensors")).unwrap();
    assert_eq!(StaticText::load(folder.path(), None).unwrap_err().kind(), ErrorKind::ModelNotFound);
    let absent = StaticText::load(&folder.path().join("nowhere"), None).unwrap_err();
    assert_eq!(absent.kind(), ErrorKind::ModelNotFound);

    // A table that is too short for the tokenizer is found when a text needs what it lacks.
    let short = TensorView::new(Dtype::F32, vec![2, 4], &data[..32]).unwrap();
    let folder = with_table(&[("embeddings", short)]);
    let rows = collect(&open(folder.path()), fixed(1), call(512), vec!["embedding".to_owned()]);
    assert_eq!(rows[0].as_ref().unwrap_err().kind(), ErrorKind::ModelInvalid);
}
