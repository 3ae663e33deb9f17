//! Model directories of every layout, and broken ones, against `resolve` and `bind`.

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

/// The files of a sentence-transformers directory.
const MODULES: (&str, &str) = (
    "modules.json",
    r#"[{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}]"#,
);

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

fn resolved(files: &[(&str, &str)]) -> Result<ModelSpec, Error> {
    resolve(&request(dir(files).path()))
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
fn fastembed_directory() {
    let spec = resolved(&FASTEMBED).unwrap();
    assert_eq!(spec.model_file, "model.onnx");
    assert_eq!((spec.limit.tokens, spec.limit.source.as_str()), (128, "tokenizer_config.json max_length"));
    assert_eq!((spec.pooling, spec.normalize, spec.position_offset()), (None, None, 0));
    assert!(spec.prompts.is_empty() && spec.include_prompt && !spec.lowercase);
}

#[test]
fn values_that_are_no_limit_are_ignored() {
    for ignored in ["1000000000000000019884624838656", "0", "null", "true", "-4", "512.0", "\"9\"", "1e30"] {
        let text = format!(r#"{{"model_max_length": {ignored}, "max_length": 19}}"#);
        let spec = resolved(&with(&[("tokenizer_config.json", &text)])).unwrap();
        assert_eq!(spec.limit.tokens, 19, "{ignored}");
        let none = format!(r#"{{"model_max_length": {ignored}}}"#);
        fails(
            resolved(&with(&[("tokenizer_config.json", &none)])),
            ErrorKind::ModelInvalid,
            &["tokenizer_config.json", "maxLength"],
        );
    }
    let top = format!(r#"{{"model_max_length": {}}}"#, i64::MAX);
    assert_eq!(
        resolved(&with(&[("tokenizer_config.json", &top)])).unwrap().limit.tokens as u64,
        i64::MAX as u64
    );
}

#[test]
fn hub_layout_and_choice_of_the_graph() {
    let hub =
        [("model.onnx", ""), ("onnx/model.onnx", ""), ("onnx/model_int8.onnx", ""), ("openvino/x.onnx", "")];
    let folder = dir(&with(&hub));
    assert_eq!(resolve(&request(folder.path())).unwrap().model_file, "onnx/model.onnx");
    let int8 = ModelRequest { model_file: Some("onnx/model_int8.onnx".into()), ..request(folder.path()) };
    let spec = resolve(&int8).unwrap();
    assert_eq!(spec.graph_path, folder.path().join("onnx/model_int8.onnx"));
    let absent = ModelRequest { model_file: Some("onnx/q4.onnx".into()), ..request(folder.path()) };
    fails(resolve(&absent), ErrorKind::ModelNotFound, &["q4.onnx", "onnx/model_int8.onnx"]);
    for outside in ["../model.onnx", "/model.onnx", ""] {
        let outside = ModelRequest { model_file: Some(outside.into()), ..request(folder.path()) };
        fails(resolve(&outside), ErrorKind::InvalidOption, &["modelFile"]);
    }

    let base: Vec<_> = FASTEMBED.into_iter().filter(|(name, _)| *name != "model.onnx").collect();
    let mut one = base.clone();
    one.push(("onnx/model_quantized.onnx", ""));
    assert_eq!(resolved(&one).unwrap().model_file, "onnx/model_quantized.onnx");
    one.push(("model_optimized.onnx", ""));
    fails(
        resolved(&one),
        ErrorKind::InvalidOption,
        &["modelFile", "model_optimized.onnx, onnx/model_quantized.onnx"],
    );
    fails(resolved(&base), ErrorKind::ModelNotFound, &["no .onnx file"]);
}

#[test]
fn sentence_transformers_directory() {
    let spec = resolved(&with(&[
        MODULES,
        ("1_Pooling/config.json", r#"{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}"#),
        ("sentence_bert_config.json", r#"{"max_seq_length": 96, "do_lower_case": true}"#),
        (
            "config_sentence_transformers.json",
            r#"{"prompts": {"query": "query: ", "document": ""}, "default_prompt_name": "query"}"#,
        ),
    ]))
    .unwrap();
    assert_eq!((spec.pooling, spec.normalize), (Some(Pooling::Cls), Some(true)));
    assert_eq!(spec.limit.source, "sentence_bert_config.json max_seq_length");
    assert_eq!((spec.limit.tokens, spec.lowercase), (96, true));
    assert_eq!((spec.prompts["query"].as_str(), spec.default_prompt.as_deref()), ("query: ", Some("query")));

    let alone = resolved(&with(&[
        MODULES,
        ("1_Pooling/config.json", r#"{"pooling_mode": "lasttoken", "include_prompt": false}"#),
        ("sentence_bert_config.json", r#"{"max_seq_length": 96}"#),
        ("tokenizer_config.json", r#"{"model_max_length": 1e30}"#),
    ]))
    .unwrap();
    assert_eq!((alone.pooling, alone.include_prompt), (Some(Pooling::LastToken), false));
    assert_eq!(alone.limit.tokens, 96);
}

#[test]
fn poolings_by_both_spellings() {
    let pooling =
        |config: &str| resolved(&with(&[MODULES, ("1_Pooling/config.json", config)])).map(|s| s.pooling);
    for (mode, expected) in [
        ("cls", Pooling::Cls),
        ("mean", Pooling::Mean),
        ("max", Pooling::Max),
        ("lasttoken", Pooling::LastToken),
    ] {
        assert_eq!(pooling(&format!(r#"{{"pooling_mode": "{mode}"}}"#)), Ok(Some(expected)));
        let old = if mode == "lasttoken" { mode.to_owned() } else { format!("{mode}_token") };
        let old = if matches!(mode, "mean" | "max") { format!("{old}s") } else { old };
        assert_eq!(pooling(&format!(r#"{{"pooling_mode_{old}": true}}"#)), Ok(Some(expected)));
    }
    assert_eq!(pooling(r#"{"word_embedding_dimension": 384}"#), Ok(Some(Pooling::Mean)));
    for unsupported in [
        r#"{"pooling_mode": "weightedmean"}"#,
        r#"{"pooling_mode_mean_sqrt_len_tokens": true}"#,
        r#"{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": true}"#,
    ] {
        fails(pooling(unsupported), ErrorKind::ModelInvalid, &["1_Pooling", "unsupported"]);
    }
    fails(pooling(r#"{"pooling_mode_cls_token": 1}"#), ErrorKind::ModelInvalid, &["pooling_mode_cls_token"]);
    fails(resolved(&with(&[MODULES])), ErrorKind::ModelNotFound, &["1_Pooling"]);
}

#[test]
fn a_dense_module_is_unsupported_unless_the_graph_does_it() {
    let modules = r#"[{"path": "", "type": "sentence_transformers.models.Transformer"},
                      {"path": "2_Dense", "type": "sentence_transformers.models.Dense"}]"#;
    let folder = dir(&with(&[("modules.json", modules)]));
    fails(
        resolve(&request(folder.path())),
        ErrorKind::ModelInvalid,
        &["modules.json", "Dense", "unsupported"],
    );
    let named = ModelRequest { output_name: Some("sentence_embedding".into()), ..request(folder.path()) };
    assert_eq!(resolve(&named).unwrap().output_name.as_deref(), Some("sentence_embedding"));
}

#[test]
fn the_tokenizer_of_a_transformer_folder() {
    let modules = r#"[{"path": "0_Transformer", "type": "sentence_transformers.models.Transformer"}]"#;
    let spec = resolved(&[
        ("modules.json", modules),
        ("0_Transformer/tokenizer.json", "{}"),
        ("0_Transformer/tokenizer_config.json", r#"{"model_max_length": 77}"#),
        ("model.onnx", ""),
    ])
    .unwrap();
    assert!(spec.tokenizer_dir.ends_with("0_Transformer"));
    assert_eq!((spec.limit.tokens, spec.normalize), (77, Some(false)));
    let outside = r#"[{"path": "../other", "type": "sentence_transformers.models.Transformer"}]"#;
    fails(resolved(&with(&[("modules.json", outside)])), ErrorKind::ModelInvalid, &["leads out"]);
}

#[test]
fn plain_files_leave_out_sentence_transformers_but_for_prompts() {
    let modules = r#"[
        {"path": "", "type": "sentence_transformers.models.Transformer"},
        {"path": "1_Dense", "type": "sentence_transformers.models.Dense"}
    ]"#;
    let folder = dir(&with(&[
        ("modules.json", modules),
        ("sentence_bert_config.json", r#"{"max_seq_length": 4, "do_lower_case": true}"#),
        ("config_sentence_transformers.json", r#"{"prompts": {"query": "q: "}}"#),
    ]));
    let found = |plain_files| resolve(&ModelRequest { plain_files, ..request(folder.path()) });
    fails(found(false), ErrorKind::ModelInvalid, &["Dense"]);
    let spec = found(true).unwrap();
    assert_eq!((spec.limit.tokens, spec.lowercase, spec.normalize), (128, false, None));
    assert_eq!(spec.prompts["query"], "q: ");
}

#[test]
fn a_caller_may_go_up_to_the_positions() {
    let ask = |files: &[(&str, &str)], tokens| {
        let folder = dir(files);
        resolve(&ModelRequest { max_length: Some(tokens), ..request(folder.path()) })
            .map(|spec| spec.limit.tokens)
    };
    assert_eq!(ask(&FASTEMBED, 7), Ok(7));
    assert_eq!(ask(&FASTEMBED, 512), Ok(512));
    fails(ask(&FASTEMBED, 513), ErrorKind::InvalidOption, &["at most 512", "config.json", "513"]);
    fails(ask(&FASTEMBED, 0), ErrorKind::InvalidOption, &["maxLength"]);
    let roberta = r#"{"model_type": "xlm-roberta", "max_position_embeddings": 514, "pad_token_id": 1}"#;
    let roberta = with(&[("config.json", roberta)]);
    assert_eq!(ask(&roberta, 512), Ok(512));
    fails(ask(&roberta, 513), ErrorKind::InvalidOption, &["at most 512"]);
    assert_eq!(resolved(&roberta).unwrap().position_offset(), 2);
    let silent = with(&[("config.json", "")]);
    assert_eq!(ask(&silent, 128), Ok(128));
    fails(ask(&silent, 129), ErrorKind::InvalidOption, &["at most 128", "tokenizer_config.json max_length"]);
    let unknown = with(&[("config.json", ""), ("tokenizer_config.json", "{}")]);
    assert_eq!(ask(&unknown, 9000), Ok(9000));
}

#[test]
fn broken_files_are_named() {
    let gone = Path::new("/nonexistent/model");
    fails(resolve(&request(gone)), ErrorKind::ModelNotFound, &["/nonexistent/model"]);
    fails(
        resolved(&with(&[("tokenizer.json", "")])),
        ErrorKind::ModelNotFound,
        &["tokenizer.json is missing"],
    );
    fails(
        resolved(&with(&[("tokenizer_config.json", "")])),
        ErrorKind::ModelNotFound,
        &["tokenizer_config.json is missing"],
    );
    for (file, text, part) in [
        ("config.json", "{\n \"model_type\": 4}", "line 2"),
        ("config.json", "[]", "expected an object"),
        ("tokenizer_config.json", "{\"a\": ", "line 1"),
        ("tokenizer_config.json", r#"{"padding_side": 1}"#, "line 1"),
        ("modules.json", "{}", "line 1"),
        ("modules.json", r#"[{"path": ""}]"#, "type"),
        ("sentence_bert_config.json", "nonsense", "line 1"),
        ("config_sentence_transformers.json", r#"{"prompts": {"q": 1}}"#, "line 1"),
        ("config_sentence_transformers.json", r#"{"default_prompt_name": "q"}"#, "default_prompt_name"),
    ] {
        fails(resolved(&with(&[(file, text)])), ErrorKind::ModelInvalid, &[file, part]);
    }
}

#[test]
fn the_request_wins() {
    let folder = dir(&with(&[MODULES, ("1_Pooling/config.json", r#"{"pooling_mode": "mean"}"#)]));
    let asked = ModelRequest {
        pooling: Some(Pooling::Max),
        normalize: Some(false),
        max_length: Some(12),
        ..request(folder.path())
    };
    let spec = resolve(&asked).unwrap();
    assert_eq!((spec.pooling, spec.normalize), (Some(Pooling::Max), Some(false)));
    assert_eq!((spec.limit.tokens, spec.limit.source.as_str()), (12, "maxLength"));
}

#[test]
fn binding_chooses_output_and_pooling() {
    let spec = resolved(&FASTEMBED).unwrap();
    let tokens = || port("last_hidden_state", &[-1, -1, 40]);
    let pooled = || port("sentence_embedding", &[-1, 40]);
    let text = ["input_ids", "attention_mask", "token_type_ids", "position_ids"];
    let with = |pooling: Option<Pooling>| {
        let mut spec = spec.clone();
        (spec.pooling, spec.pooling_requested) = (pooling, pooling.is_some());
        spec
    };
    let named = |name: &str| {
        let mut spec = spec.clone();
        spec.output_name = Some(name.into());
        spec
    };

    let both = graph(&text, vec![tokens(), pooled()]);
    let head = bind(&spec, &both).unwrap();
    assert_eq!((head.output, head.pooling, head.normalize, head.dim), (0, Pooling::Mean, true, Some(40)));
    assert_eq!(
        bind(&named("sentence_embedding"), &both).map(|head| (head.output, head.pooling)),
        Ok((1, Pooling::None))
    );
    let outputs = "last_hidden_state, sentence_embedding";
    fails(bind(&named("nope"), &both), ErrorKind::InvalidOption, &[outputs, "nope"]);

    // FastEmbed: no pooling of a three-dimensional output is an error.
    fails(
        bind(&with(Some(Pooling::None)), &both),
        ErrorKind::ModelInvalid,
        &["outputName", "last_hidden_state"],
    );
    let one = graph(&text[..1], vec![pooled()]);
    for taken in [None, Some(Pooling::None), Some(Pooling::Cls)] {
        assert_eq!(bind(&with(taken), &one).map(|head| head.pooling), Ok(Pooling::None));
    }
    fails(bind(&with(Some(Pooling::Mean)), &one), ErrorKind::ModelInvalid, &["Mean", "pooled already"]);
    // A pooling of the directory describes the model; a graph may have done it already.
    let mut described = with(Some(Pooling::Mean));
    described.pooling_requested = false;
    assert_eq!(bind(&described, &one).map(|head| head.pooling), Ok(Pooling::None));

    let open = graph(&text[..1], vec![port("y", &[-1, -1, -1])]);
    assert_eq!(bind(&spec, &open).map(|head| head.dim), Ok(None));
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
    let mut second = spec.clone();
    second.output_index = Some(1);
    let two = graph(&["input_ids"], vec![tokens(), pooled()]);
    assert_eq!(bind(&second, &two).map(|head| head.output), Ok(1));
    fails(bind(&second, &tasks), ErrorKind::ModelInvalid, &["no output number 1", "sentence_embedding"]);
    let mut words = graph(&["input_ids"], vec![pooled()]);
    words.inputs[0].element = Element::Other;
    fails(bind(&spec, &words), ErrorKind::ModelInvalid, &["input_ids", "I64"]);
    let mut truths = graph(&["input_ids"], vec![pooled()]);
    truths.outputs[0].element = Element::Bool;
    fails(bind(&spec, &truths), ErrorKind::ModelInvalid, &["sentence_embedding", "Bool"]);
    fails(bind(&spec, &graph(&["input_ids"], vec![])), ErrorKind::ModelInvalid, &["no outputs"]);
}
