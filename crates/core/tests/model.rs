//! Model directories of every layout, and broken ones, against `resolve`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use millrace_contract::{Error, ErrorKind, Pooling};
use millrace_core::model::{ModelRequest, ModelSpec, resolve};
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

/// The poolings, without who says them.
fn poolings(spec: &ModelSpec) -> Option<Vec<Pooling>> {
    spec.pooling.as_ref().map(|pooling| pooling.value.clone())
}

/// The normalisation, without who says it.
fn normalizes(spec: &ModelSpec) -> Option<bool> {
    spec.normalize.as_ref().map(|normalize| normalize.value)
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
    assert_eq!((poolings(&spec), normalizes(&spec), spec.position_offset()), (None, None, 0));
    assert!(spec.prompts.is_empty() && spec.include_prompt && !spec.lowercase);
}

#[test]
fn values_that_are_no_limit_are_ignored() {
    let no_table = ("config.json", r#"{"model_type": "bert"}"#);
    for ignored in [
        "1000000000000000019884624838656",
        "0",
        "null",
        "true",
        "-4",
        "512.0",
        "\"9\"",
        "1e30",
        "NaN",
        "Infinity",
    ] {
        let text = format!(r#"{{"model_max_length": {ignored}, "max_length": 19}}"#);
        let spec = resolved(&with(&[("tokenizer_config.json", &text)])).unwrap();
        assert_eq!(spec.limit.tokens, 19, "{ignored}");
        let none = format!(r#"{{"model_max_length": {ignored}}}"#);
        fails(
            resolved(&with(&[("tokenizer_config.json", &none), no_table])),
            ErrorKind::ModelInvalid,
            &["tokenizer_config.json", "maxLength"],
        );
        // Where the files say no limit, the table of positions does.
        let spec = resolved(&with(&[("tokenizer_config.json", &none)])).unwrap();
        let source = "config.json max_position_embeddings";
        assert_eq!((spec.limit.tokens, spec.limit.source.as_str()), (512, source), "{ignored}");
    }
    let top = format!(r#"{{"model_max_length": {}}}"#, i64::MAX);
    assert_eq!(
        resolved(&with(&[("tokenizer_config.json", &top), no_table])).unwrap().limit.tokens as u64,
        i64::MAX as u64
    );
}

/// A text beyond the table of positions would fail in the graph, so it is cut at the table (qdrant/fastembed#716, michaelfeil/infinity#330).
#[test]
fn the_limit_respects_the_table_of_positions() {
    let limit = |config: &str, model_max_length: &str| {
        let tokenizer = format!(r#"{{"model_max_length": {model_max_length}}}"#);
        let spec =
            resolved(&with(&[("config.json", config), ("tokenizer_config.json", &tokenizer)])).unwrap();
        (spec.limit.tokens, spec.limit.source)
    };
    let (table, tokenizer) =
        ("config.json max_position_embeddings", "tokenizer_config.json model_max_length");
    let roberta = r#"{"model_type": "xlm-roberta", "max_position_embeddings": 514, "pad_token_id": 1}"#;
    assert_eq!(limit(roberta, "514"), (512, table.to_owned()));
    assert_eq!(limit(roberta, "1000000"), (512, table.to_owned()));
    assert_eq!(limit(roberta, "300"), (300, tokenizer.to_owned()));
    // Jina's v2 models: 2^31 stands for no limit, and their positions are computed (simonw/llm-embed-jina#4, jina-ai/late-chunking#21).
    let alibi =
        r#"{"model_type": "bert", "max_position_embeddings": 8192, "position_embedding_type": "alibi"}"#;
    assert_eq!(limit(alibi, "2147483648"), (8192, table.to_owned()));
    // A sequence beyond what a model with computed positions was trained for runs, so its files may say more.
    for computed in
        [r#""rope_theta": 10000.0"#, r#""rotary_emb_base": 1000"#, r#""position_embedding_type": "rope""#]
    {
        let config = format!(r#"{{"max_position_embeddings": 2048, {computed}}}"#);
        assert_eq!(limit(&config, "8192"), (8192, tokenizer.to_owned()), "{computed}");
    }
    let absolute = r#"{"max_position_embeddings": 2048, "position_embedding_type": "absolute"}"#;
    assert_eq!(limit(absolute, "8192"), (2048, table.to_owned()));
    assert_eq!(limit(r#"{"n_positions": 77}"#, "512"), (77, "config.json n_positions".to_owned()));
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
    assert_eq!((poolings(&spec), normalizes(&spec)), (Some(vec![Pooling::Cls]), Some(true)));
    assert_eq!(spec.pooling.as_ref().unwrap().source, "1_Pooling/config.json pooling_mode_cls_token");
    assert_eq!(spec.normalize.as_ref().unwrap().source, "modules.json Normalize");
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
    assert_eq!((poolings(&alone), alone.include_prompt), (Some(vec![Pooling::LastToken]), false));
    assert_eq!(alone.limit.tokens, 96);
}

#[test]
fn poolings_by_both_spellings() {
    let pooling =
        |config: &str| resolved(&with(&[MODULES, ("1_Pooling/config.json", config)])).map(|s| poolings(&s));
    for (mode, switch, expected) in [
        ("cls", "cls_token", Pooling::Cls),
        ("mean", "mean_tokens", Pooling::Mean),
        ("max", "max_tokens", Pooling::Max),
        ("mean_sqrt_len_tokens", "mean_sqrt_len_tokens", Pooling::MeanSqrtLen),
        ("weightedmean", "weightedmean_tokens", Pooling::WeightedMean),
        ("lasttoken", "lasttoken", Pooling::LastToken),
    ] {
        let expected = Ok(Some(vec![expected]));
        assert_eq!(pooling(&format!(r#"{{"pooling_mode": "{mode}"}}"#)), expected);
        assert_eq!(pooling(&format!(r#"{{"pooling_mode_{switch}": true}}"#)), expected);
    }
    assert_eq!(pooling(r#"{"word_embedding_dimension": 384}"#), Ok(Some(vec![Pooling::Mean])));
    // Several are put one after the other: in the order of a list, or in the library's own.
    let listed = r#"{"pooling_mode": ["mean", "cls"]}"#;
    assert_eq!(pooling(listed), Ok(Some(vec![Pooling::Mean, Pooling::Cls])));
    let switches = r#"{"pooling_mode_mean_tokens": true, "pooling_mode_max_tokens": true, "pooling_mode_cls_token": true}"#;
    assert_eq!(pooling(switches), Ok(Some(vec![Pooling::Cls, Pooling::Max, Pooling::Mean])));
    fails(pooling(r#"{"pooling_mode": "median"}"#), ErrorKind::ModelInvalid, &["1_Pooling", "median"]);
    fails(pooling(r#"{"pooling_mode_cls_token": 1}"#), ErrorKind::ModelInvalid, &["pooling_mode_cls_token"]);
    fails(resolved(&with(&[MODULES])), ErrorKind::ModelNotFound, &["1_Pooling"]);
}

/// A path with `./` stays inside the directory.
#[test]
fn paths_of_modules_may_begin_with_a_dot() {
    let modules = MODULES.1.replace("1_Pooling\"", "./1_Pooling\"");
    let files = [("modules.json", modules.as_str()), ("1_Pooling/config.json", r#"{"pooling_mode": "cls"}"#)];
    let spec = resolved(&with(&files)).unwrap();
    assert_eq!(spec.pooling.unwrap().source, "1_Pooling/config.json pooling_mode");
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
    assert_eq!((spec.limit.tokens, normalizes(&spec)), (77, Some(false)));
    let outside = r#"[{"path": "../other", "type": "sentence_transformers.models.Transformer"}]"#;
    fails(resolved(&with(&[("modules.json", outside)])), ErrorKind::ModelInvalid, &["leads out"]);
}

#[test]
fn plain_files_leave_out_sentence_transformers_but_for_prompts() {
    let modules = r#"[
        {"path": "", "type": "sentence_transformers.models.Transformer"},
        {"path": "../1_Dense", "type": "sentence_transformers.models.Dense"}
    ]"#;
    let folder = dir(&with(&[
        ("modules.json", modules),
        ("sentence_bert_config.json", r#"{"max_seq_length": 4, "do_lower_case": true}"#),
        ("config_sentence_transformers.json", r#"{"prompts": {"query": "q: "}}"#),
    ]));
    let found = |plain_files| resolve(&ModelRequest { plain_files, ..request(folder.path()) });
    fails(found(false), ErrorKind::ModelInvalid, &["Dense"]);
    let spec = found(true).unwrap();
    assert_eq!((spec.limit.tokens, spec.lowercase, normalizes(&spec)), (128, false, None));
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
        resolved(&with(&[("tokenizer_config.json", ""), ("config.json", "")])),
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
    assert_eq!((poolings(&spec), normalizes(&spec)), (Some(vec![Pooling::Max]), Some(false)));
    assert_eq!((spec.limit.tokens, spec.limit.source.as_str()), (12, "maxLength"));
    assert_eq!(
        (spec.pooling.unwrap().source, spec.normalize.unwrap().source),
        ("pooling".into(), "normalize".into())
    );
    let defined = ["pooling", "maxLength"].map(str::to_owned).into();
    let spec = resolve(&ModelRequest { defined, ..asked }).unwrap();
    let definition = "the model's definition";
    assert_eq!((spec.pooling.unwrap().source.as_str(), spec.limit.source.as_str()), (definition, definition));
    assert_eq!(spec.normalize.unwrap().source, "normalize");
}
