//! What `bind` makes of a directory and a graph: output, pooling, modules, and what it refuses.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use millrace_contract::{Element, Error, ErrorKind, Graph, Pooling, Port, Quantization};
use millrace_core::model::{ModelRequest, ModelSpec, bind, resolve};
use std::{fs, path::Path};
use tempfile::TempDir;

/// A directory with the given files; `.onnx` files may be empty, nothing here reads them.
fn dir(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

/// FastEmbed's files, with one key replaced where a test needs it.
const FASTEMBED: [(&str, &str); 4] = [
    ("tokenizer.json", "{}"),
    ("tokenizer_config.json", r#"{"model_max_length": 512, "max_length": 128}"#),
    ("config.json", r#"{"model_type": "bert", "max_position_embeddings": 512, "pad_token_id": 0}"#),
    ("model.onnx", ""),
];

/// `FASTEMBED` with files put over it; an empty text takes the file away.
fn with<'a>(over: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut files: Vec<_> =
        FASTEMBED.into_iter().filter(|(name, _)| !over.iter().any(|(over, _)| over == name)).collect();
    files.extend(over.iter().filter(|(name, text)| name.contains(".onnx") || !text.is_empty()));
    files
}

fn request(dir: &Path) -> ModelRequest {
    ModelRequest { dir: dir.to_path_buf(), ..ModelRequest::default() }
}

fn port(name: &str, dims: &[i64]) -> Port {
    Port { name: name.to_owned(), element: Element::F32, dims: dims.to_vec() }
}

fn graph(inputs: &[&str], outputs: Vec<Port>) -> Graph {
    let inputs = inputs.iter().map(|name| Port { element: Element::I64, ..port(name, &[-1, -1]) }).collect();
    Graph { inputs, outputs, quantization: Quantization::None, heads: None, widest: None, file_bytes: 1 }
}

#[track_caller]
fn fails<T: std::fmt::Debug>(result: Result<T, Error>, kind: ErrorKind, parts: &[&str]) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    for part in parts {
        assert!(error.message().contains(part), "'{part}' is not in: {error}");
    }
}

#[test]
fn a_module_that_is_unknown_is_an_error_unless_the_graph_has_it_inside() {
    let modules = r#"[{"path": "", "type": "sentence_transformers.models.Transformer"},
                      {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
                      {"path": "2_CNN", "type": "sentence_transformers.models.CNN"}]"#;
    let mean = ("1_Pooling/config.json", r#"{"pooling_mode": "mean"}"#);
    let folder = dir(&with(&[("modules.json", modules), mean]));
    let spec = resolve(&request(folder.path())).unwrap();
    let tokens = || port("last_hidden_state", &[-1, -1, 40]);
    let only_tokens = graph(&["input_ids"], vec![tokens()]);
    fails(bind(&spec, &only_tokens), ErrorKind::ModelInvalid, &["modules.json", "CNN", "outputName"]);
    let finished = graph(&["input_ids"], vec![tokens(), port("sentence_embedding", &[-1, 40])]);
    assert_eq!(bind(&spec, &finished).map(|head| head.output), Ok(1));
    let asked = ModelRequest { output_name: Some("other".into()), ..request(folder.path()) };
    let named = graph(&["input_ids"], vec![tokens(), port("other", &[-1, 40])]);
    assert_eq!(bind(&resolve(&asked).unwrap(), &named).map(|head| head.output), Ok(1));
}

#[test]
fn binding_chooses_output_and_pooling() {
    let folder = dir(&FASTEMBED);
    let spec = resolve(&request(folder.path())).unwrap();
    let tokens = || port("last_hidden_state", &[-1, -1, 40]);
    let pooled = || port("sentence_embedding", &[-1, 40]);
    let text = ["input_ids", "attention_mask", "token_type_ids", "position_ids"];
    let with = |pooling: Option<Pooling>| {
        let request = ModelRequest { pooling, ..request(folder.path()) };
        resolve(&request).unwrap()
    };
    let named = |name: &str| {
        let request = ModelRequest { output_name: Some(name.into()), ..request(folder.path()) };
        resolve(&request).unwrap()
    };
    let chosen = |spec: &ModelSpec, graph: &Graph| {
        bind(spec, graph).map(|head| (head.output, head.pooling(), head.normalize.value, head.dim))
    };

    let both = graph(&text, vec![tokens(), pooled()]);
    let head = bind(&spec, &both).unwrap();
    assert_eq!((head.output, head.pooling(), head.dim), (1, Pooling::None, Some(40)));
    assert_eq!(head.output_name.source, "the graph's output of finished vectors");
    assert_eq!(head.poolings.source, "output sentence_embedding, which is [rows, dim]");
    assert_eq!(
        (head.normalize.value, head.normalize.source.as_str()),
        (true, "the default, as no file says it")
    );
    // Whoever asks for a pooling means the tokens.
    assert_eq!(chosen(&with(Some(Pooling::Mean)), &both), Ok((0, Pooling::Mean, true, Some(40))));
    assert_eq!(chosen(&named("sentence_embedding"), &both), Ok((1, Pooling::None, true, Some(40))));
    let outputs = "last_hidden_state, sentence_embedding";
    fails(bind(&named("nope"), &both), ErrorKind::InvalidOption, &[outputs, "nope"]);
    // Nobody says a pooling (oscardvs/zoteus#51, jundot/omlx#2594).
    let only_tokens = graph(&text, vec![tokens()]);
    let options = ["'cls', 'mean', 'last', 'max'", "for pooling but received none", "outputName"];
    fails(bind(&spec, &only_tokens), ErrorKind::InvalidOption, &options);
    fails(bind(&named("last_hidden_state"), &both), ErrorKind::InvalidOption, &options);

    // FastEmbed: no pooling of a three-dimensional output is an error.
    fails(
        bind(&with(Some(Pooling::None)), &both),
        ErrorKind::ModelInvalid,
        &["outputName", "last_hidden_state"],
    );
    let one = graph(&text[..1], vec![pooled()]);
    for taken in [None, Some(Pooling::None), Some(Pooling::Cls)] {
        assert_eq!(bind(&with(taken), &one).map(|head| head.pooling()), Ok(Pooling::None));
    }
    fails(bind(&with(Some(Pooling::Mean)), &one), ErrorKind::ModelInvalid, &["Mean", "pooled already"]);
    // A pooling of the directory describes the model; a graph may have done it already.
    let mut described = with(Some(Pooling::Mean));
    described.pooling_requested = false;
    assert_eq!(bind(&described, &one).map(|head| head.pooling()), Ok(Pooling::None));

    let open = graph(&text[..1], vec![port("y", &[-1, -1, -1])]);
    assert_eq!(bind(&with(Some(Pooling::Mean)), &open).map(|head| head.dim), Ok(None));
    let rank4 = graph(&text[..1], vec![port("y", &[-1, 8, 1, 1])]);
    fails(bind(&spec, &rank4), ErrorKind::ModelInvalid, &["[-1, 8, 1, 1]"]);
    let image = graph(&["pixel_values"], vec![pooled()]);
    fails(bind(&spec, &image), ErrorKind::ModelInvalid, &["input_ids", "pixel_values"]);
    let task = graph(&["input_ids", "task_id", "pixel_values"], vec![pooled()]);
    fails(bind(&spec, &task), ErrorKind::ModelInvalid, &["task_id, pixel_values"]);
    let mut tasks = graph(&["input_ids", "task_id"], vec![pooled()]);
    tasks.inputs[1].dims.clear();
    let task = bind(&spec, &tasks).unwrap().task.unwrap();
    assert_eq!((&*task.name, task.rank), ("task_id", 0));
    let second = ModelRequest { output_index: Some(1), ..request(folder.path()) };
    let second = resolve(&second).unwrap();
    let two = graph(&["input_ids"], vec![tokens(), pooled()]);
    assert_eq!(bind(&second, &two).map(|head| head.output), Ok(1));
    fails(bind(&second, &tasks), ErrorKind::ModelInvalid, &["no output number 1", "sentence_embedding"]);
    let mut words = graph(&["input_ids"], vec![pooled()]);
    words.inputs[0].element = Element::Other;
    fails(bind(&spec, &words), ErrorKind::ModelInvalid, &["input_ids", "I64 or I32"]);
    words.inputs[0].element = Element::I32;
    assert!(bind(&spec, &words).is_ok());
    let mut truths = graph(&["input_ids"], vec![pooled()]);
    truths.outputs[0].element = Element::Bool;
    fails(bind(&spec, &truths), ErrorKind::ModelInvalid, &["sentence_embedding", "Bool"]);
    fails(bind(&spec, &graph(&["input_ids"], vec![])), ErrorKind::ModelInvalid, &["no outputs"]);
}
