//! The tokenizer against the encodings of Python FastEmbed. Long texts are in `long_texts/`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod goldens;
mod long_texts;

use millrace_contract::{Element, ErrorKind, Graph, InputData, Port, Quantization};
use millrace_core::{
    model::{ModelRequest, ModelSpec, resolve},
    tokenizer::{Item, Overflow, Side, Tokenizer},
};
use serde_json::Value;
use std::{fs, path::Path};
use tempfile::TempDir;

/// Cases of text pairs, which the tests of cross encoders over the golden files check.
const PAIRS: [&str; 4] = ["tokenize_rr_bert", "tokenize_rr_bpe", "tokenize_rr_custom", "tokenize_rr_uni"];

/// The golden tokenizer directories have no graph; resolving needs one to choose.
fn spec(dir: &Path) -> (ModelSpec, Option<TempDir>) {
    match resolve(&ModelRequest { dir: dir.to_path_buf(), ..ModelRequest::default() }) {
        Ok(spec) => (spec, None),
        Err(error) if error.message().contains(".onnx") => {
            let copy = tempfile::tempdir().unwrap();
            for entry in fs::read_dir(dir).unwrap().flatten() {
                if entry.file_type().unwrap().is_file() {
                    fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
                }
            }
            fs::write(copy.path().join("model.onnx"), "").unwrap();
            let request = ModelRequest { dir: copy.path().to_path_buf(), ..ModelRequest::default() };
            (resolve(&request).unwrap(), Some(copy))
        }
        Err(error) => panic!("{}: {error}", dir.display()),
    }
}

fn numbers(value: &Value) -> Vec<i64> {
    value.as_array().unwrap().iter().map(|number| number.as_i64().unwrap()).collect()
}

fn text_graph(names: &[&str]) -> Graph {
    let port = |name: &&str| Port { name: (*name).to_owned(), element: Element::I64, dims: vec![-1, -1] };
    Graph {
        inputs: names.iter().map(port).collect(),
        outputs: vec![],
        quantization: Quantization::None,
        heads: None,
        widest: None,
        file_bytes: 0,
    }
}

#[test]
fn every_case_of_one_text_equals_fastembed() {
    let mut done = 0;
    for case in goldens::cases("tokenize_") {
        if PAIRS.contains(&case.as_str()) {
            continue;
        }
        let (question, answer) = (goldens::read(&case, "case.json"), goldens::read(&case, "expected.json"));
        let dir = goldens::root().join("cases").join(&case).join(question["model_dir"].as_str().unwrap());
        let dir = if case == "tokenize_real_minilm" {
            let Some(real) = goldens::real_minilm() else { continue };
            real
        } else {
            dir
        };
        check_case(&case, &dir, &question, &answer);
        done += 1;
    }
    assert!(done >= 19, "only {done} cases were found");
}

fn check_case(case: &str, dir: &Path, question: &Value, answer: &Value) {
    let (spec, _copy) = spec(dir);
    let tokenizer = Tokenizer::load(&spec).unwrap();
    let padding = &answer["padding"];
    assert_eq!(i64::from(tokenizer.padding().id), padding["pad_id"].as_i64().unwrap(), "{case}");
    assert_eq!(i64::from(tokenizer.padding().type_id), padding["pad_type_id"].as_i64().unwrap(), "{case}");
    assert_eq!(tokenizer.padding().token, padding["pad_token"].as_str().unwrap(), "{case}");
    assert_eq!(tokenizer.left_padded(), padding["direction"] == "left", "{case}");
    let multiple = padding["pad_to_multiple_of"].as_u64().unwrap_or(1);
    assert_eq!(tokenizer.padding().multiple_of as u64, multiple, "{case}");
    assert_eq!(spec.limit.tokens as u64, answer["truncation"]["max_length"].as_u64().unwrap(), "{case}");
    assert_eq!(
        tokenizer.truncation_side() == Side::Left,
        answer["truncation"]["direction"] == "left",
        "{case}"
    );
    for (token, id) in answer["special_token_to_id"].as_object().unwrap() {
        assert_eq!(tokenizer.token_id(token).map(u64::from), id.as_u64(), "{case} {token}");
    }

    let texts: Vec<&str> =
        question["inputs"].as_array().unwrap().iter().map(|t| t.as_str().unwrap()).collect();
    let encodings = answer["encodings"].as_array().unwrap();
    assert_eq!(texts.len(), encodings.len());
    let batch_size = usize::try_from(question["options"]["batch_size"].as_u64().unwrap()).unwrap();
    let graph = text_graph(&["input_ids", "attention_mask", "token_type_ids"]);
    for (texts, encodings) in texts.chunks(batch_size).zip(encodings.chunks(batch_size)) {
        let items: Vec<Item> = texts
            .iter()
            .map(|text| tokenizer.encode(text, spec.limit.tokens, Overflow::Truncate).unwrap())
            .collect();
        let batch = tokenizer.collate(&items.iter().collect::<Vec<_>>(), &graph);
        for (index, expected) in encodings.iter().enumerate() {
            let what = format!("{case}: {:?}", texts[index]);
            for (input, key) in batch.inputs.iter().zip(["ids", "attention_mask", "type_ids"]) {
                let InputData::I64(data) = &input.data else { panic!("{what}: {key} is not int64") };
                let row = &data[index * batch.padded_len..][..batch.padded_len];
                assert_eq!(row, numbers(&expected[key]), "{what}: {key}");
            }
            let tokens = numbers(&expected["attention_mask"]).iter().filter(|&&mask| mask == 1).count();
            assert_eq!(items[index].len(), tokens, "{what}");
        }
    }
}

#[test]
fn cases_of_pairs_exist() {
    let cases = goldens::cases("tokenize_");
    assert!(PAIRS.iter().all(|name| cases.iter().any(|case| case == name)), "{cases:?}");
    for case in PAIRS {
        assert!(goldens::read(case, "case.json")["inputs"][0].is_array(), "{case} is no case of pairs");
    }
}

#[test]
fn a_missing_pad_token_is_an_error() {
    let dir = goldens::model("bad_no_pad_token");
    let (spec, _copy) = spec(&dir);
    let error = Tokenizer::load(&spec).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ModelInvalid);
    assert!(error.message().contains("tokenizer_config.json") && error.message().contains("pad_token"));
}

#[test]
fn limits_that_are_none_are_errors() {
    for name in ["bad_no_max_length", "bad_zero_max_length"] {
        let copy = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(goldens::model(name)).unwrap().flatten() {
            fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
        }
        fs::write(copy.path().join("model.onnx"), "").unwrap();
        let mut request = ModelRequest { dir: copy.path().to_path_buf(), ..ModelRequest::default() };
        assert_eq!(resolve(&request).unwrap_err().kind(), ErrorKind::ModelInvalid, "{name}");
        request.max_length = Some(12);
        assert_eq!(resolve(&request).unwrap().limit.tokens, 12, "{name}");
    }
}

#[test]
fn overflow_can_be_an_error() {
    let (spec, _copy) = spec(&goldens::model("bge"));
    let tokenizer = Tokenizer::load(&spec).unwrap();
    let text = "hello world ".repeat(10);
    let all = tokenizer.encode(&text, 4096, Overflow::Error).unwrap();
    assert!(!all.truncated && all.len() > 20);
    assert!(!tokenizer.encode(&text, all.len(), Overflow::Error).unwrap().truncated);
    let error = tokenizer.encode(&text, all.len() - 1, Overflow::Error).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InputTooLong);
    assert!(error.message().contains(&format!("{} tokens", all.len())), "{error}");
    assert!(error.message().contains(&format!("limit is {}", all.len() - 1)), "{error}");
    let cut = tokenizer.encode(&text, all.len() - 1, Overflow::Truncate).unwrap();
    assert!(cut.truncated && cut.len() == all.len() - 1);
    assert_eq!(tokenizer.count(&text, 7), Ok(7));

    let long = "hello world ".repeat(100_000);
    let error = tokenizer.encode(&long, 40, Overflow::Error).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InputTooLong);
    assert!(error.message().contains("more than 40 tokens"), "{error}");
    for small in [0, 1, tokenizer.added_tokens()] {
        let error = tokenizer.encode("hello", small, Overflow::Truncate).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidOption);
    }
    assert_eq!(tokenizer.encode("hello", 3, Overflow::Truncate).unwrap().len(), 3);
}

/// Tokenizers of every kind: by words, by bytes, of a whole text as one piece, cut on the left.
const KINDS: [&str; 8] =
    ["bge", "qwen", "multilingual", "clip_text", "siglip_text", "rr_uni", "mlateon", "tok_left"];

/// huggingface/text-embeddings-inference#394: `truncate` cuts whatever the tokenizer, however long the text.
#[test]
fn a_text_of_more_than_a_megabyte_is_cut_whatever_the_tokenizer() {
    for name in KINDS {
        let (spec, _copy) = spec(&goldens::model(name));
        let tokenizer = Tokenizer::load(&spec).unwrap();
        let words = "hello world ".repeat(110_000);
        let cut = tokenizer.encode(&words, 40, Overflow::Truncate).unwrap();
        assert_eq!((cut.len(), cut.truncated), (40, true), "{name}");
        assert_eq!(tokenizer.count(&words, 40).unwrap(), 40, "{name}");
        let short = "hello world ".repeat(5000);
        let expected = tokenizer.encode(&short, 40, Overflow::Truncate).unwrap();
        assert_eq!(cut.ids, expected.ids, "{name}: the end that is kept is alike");
        for odd in ["0f".repeat(800_000), format!("{}hello", " ".repeat(1_600_000))] {
            let cut = tokenizer.encode(&odd, 40, Overflow::Truncate).unwrap();
            assert!(cut.len() <= 40 && cut.truncated, "{name}: {} tokens", cut.len());
            let refused = tokenizer.encode(&odd, 40, Overflow::Error).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::InputTooLong, "{name}");
        }
    }
}

#[test]
fn a_text_without_end_is_bounded() {
    let (spec, _copy) = spec(&goldens::model("bge"));
    let tokenizer = Tokenizer::load(&spec).unwrap();
    // 100 MB of words cost what their beginning costs; of 100 MB of one word or of blanks, the first megabyte is read.
    let words = "some words ".repeat(10 << 20);
    let start = std::time::Instant::now();
    assert_eq!(tokenizer.encode(&words, 48, Overflow::Truncate).unwrap().len(), 48);
    assert!(start.elapsed().as_millis() < 500, "{:?}", start.elapsed());
    for endless in ["a", " "] {
        let text = endless.repeat(100 << 20);
        let start = std::time::Instant::now();
        let cut = tokenizer.encode(&text, 48, Overflow::Truncate).unwrap();
        let tokens = if endless == "a" { 3 } else { 2 };
        assert_eq!((cut.len(), cut.truncated), (tokens, true));
        let error = tokenizer.encode(&text, 48, Overflow::Error).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InputTooLong, "{error}");
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    }
    // One word of a megabyte is one unknown token, as it is when read whole.
    let word = tokenizer.encode(&"a".repeat(1 << 20), 48, Overflow::Truncate).unwrap();
    assert_eq!((word.len(), word.truncated), (3, false));
}

#[test]
fn collating_feeds_what_the_graph_takes() {
    let (spec, _copy) = spec(&goldens::model("tok_left"));
    let tokenizer = Tokenizer::load(&spec).unwrap();
    let items =
        ["hello", "hello world again"].map(|text| tokenizer.encode(text, 22, Overflow::Truncate).unwrap());
    let batch = tokenizer
        .collate(&[&items[0], &items[1]], &text_graph(&["position_ids", "input_ids", "pixel_values"]));
    let (short, long) = (items[0].len(), items[1].len());
    assert_eq!((batch.rows, batch.padded_len), (2, long));
    let names: Vec<&str> = batch.inputs.iter().map(|input| &*input.name).collect();
    assert_eq!(names, ["position_ids", "input_ids"]);
    let InputData::I64(positions) = &batch.inputs[0].data else { panic!("not int64") };
    let mut expected = vec![0; long - short];
    expected.extend((0..).take(short));
    expected.extend((0..).take(long));
    assert_eq!(*positions, expected);
    assert_eq!(tokenizer.span(short, long), long - short..long);
    let wide = tokenizer.collate_to(&[&items[0]], &text_graph(&["input_ids"]), 10);
    assert_eq!((wide.padded_len, wide.inputs[0].shape.clone()), (10, vec![1, 10]));
}

#[test]
fn settings_that_contradict_are_named() {
    let dir = goldens::model("tok_no_config");
    let copy = tempfile::tempdir().unwrap();
    for file in ["tokenizer.json", "tokenizer_config.json"] {
        fs::copy(dir.join(file), copy.path().join(file)).unwrap();
    }
    fs::write(copy.path().join("model.onnx"), "").unwrap();
    let load = || {
        let request = ModelRequest { dir: copy.path().to_path_buf(), ..ModelRequest::default() };
        resolve(&request).and_then(|spec| Tokenizer::load(&spec)).map(|_| ())
    };
    load().unwrap();
    let check = |file: &str, text: &str, part: &str| {
        let path = copy.path().join(file);
        let before = fs::read(&path).ok();
        fs::write(&path, text).unwrap();
        let error = load().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ModelInvalid, "{error}");
        assert!(error.message().contains(file) && error.message().contains(part), "{error}");
        before.map_or_else(|| fs::remove_file(&path), |bytes| fs::write(&path, bytes)).unwrap();
    };
    check("tokenizer_config.json", r#"{"model_max_length": 9, "padding_side": "up"}"#, "'up'");
    check("special_tokens_map.json", "[]", "object");
    check("special_tokens_map.json", r#"{"a": {"lstrip": true}}"#, "content");
    check("tokenizer.json", "{", "line 1");
    check("tokenizer.json", r#"{"version": "1.0"}"#, "line 1");
}

#[test]
fn one_tokenizer_serves_many_threads() {
    let (spec, _copy) = spec(&goldens::model("qwen"));
    let tokenizer = Tokenizer::load(&spec).unwrap();
    let texts: Vec<String> = (0..200).map(|n| format!("text {n} about thing {}", n * n)).collect();
    let alone: Vec<Item> =
        texts.iter().map(|text| tokenizer.encode(text, 48, Overflow::Truncate).unwrap()).collect();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for (text, expected) in texts.iter().zip(&alone) {
                    assert_eq!(&tokenizer.encode(text, 48, Overflow::Truncate).unwrap(), expected);
                }
            });
        }
    });
}

/// Which of two texts keeps the odd token of an odd room is decided by their whole lengths, however far beyond the room both of them reach
/// (huggingface/sentence-transformers#574, huggingface/tokenizers#389). The numbers are those of tokenizers 0.21.4, 0.22.2 and 0.23.3.
#[test]
fn pairs_of_two_long_texts_are_shared_by_their_whole_lengths() {
    let (spec, _copy) = spec(&goldens::model("rr_bert"));
    let tokenizer = Tokenizer::load(&spec).unwrap();
    let long: Vec<String> = (0..400).map(|i| format!("package {i} reads mail")).collect();
    let shorter: Vec<String> = (0..100).map(|i| format!("a mail reader {}", i * 7)).collect();
    let (long, shorter) = (long.join(" "), shorter.join(" "));
    let kept = |first: &str, second: &str, limit: usize| {
        let item = tokenizer.encode_pair(first, second, limit, Overflow::Truncate).unwrap();
        let second_kept = item.type_ids.unwrap().iter().filter(|&&id| id == 1).count() - 1;
        (limit - 3 - second_kept, second_kept)
    };
    for (limit, first_longer, second_longer) in
        [(44, (21, 20), (20, 21)), (12, (5, 4), (4, 5)), (43, (20, 20), (20, 20))]
    {
        assert_eq!(kept(&long, &shorter, limit), first_longer);
        assert_eq!(kept(&shorter, &long, limit), second_longer);
        assert_eq!(kept(&shorter, &shorter, limit), second_longer, "of equals the second keeps it");
    }
}
