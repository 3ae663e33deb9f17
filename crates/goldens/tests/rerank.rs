//! The golden cases of cross encoders, and of the tokenizers that join their texts.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use millrace_contract::{Backend, ErrorKind, InputData};
use millrace_core::{
    engine::Engine,
    job::JobOptions,
    model::{self, ModelRequest, ModelSpec},
    rerank::{CrossEncoder, Pair, RerankCall},
    tokenizer::{Item, Overflow, Tokenizer},
};
use millrace_goldens::{Case, assert_close, backend, cases, collect, engine, fixed, root};
use serde_json::Value;
use tokenizers::TruncationDirection;

fn resolve(case: &Case) -> ModelSpec {
    let model_file = case.json["custom_model"]["model_file"].as_str().map(str::to_owned);
    model::resolve(&ModelRequest { dir: case.model_dir(), model_file, ..ModelRequest::default() }).unwrap()
}

fn open(spec: &ModelSpec) -> Engine<CrossEncoder> {
    engine(&spec.graph_path, |graph| CrossEncoder::load(spec, graph).unwrap())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// The pairs of a case, also where it says one query and its documents.
fn pairs(case: &Case) -> Vec<Pair> {
    match &case.json["inputs"] {
        Value::Array(pairs) => pairs
            .iter()
            .map(|pair| Pair { query: text(&pair[0]).into(), document: text(&pair[1]).to_owned() })
            .collect(),
        inputs => {
            let query = std::sync::Arc::<str>::from(text(&inputs["query"]));
            let documents = inputs["documents"].as_array().unwrap();
            documents
                .iter()
                .map(|document| Pair { query: query.clone(), document: text(document).to_owned() })
                .collect()
        }
    }
}

fn call(limit: usize) -> RerankCall {
    RerankCall { limit, overflow: Overflow::Truncate, sigmoid: false }
}

fn scores(
    engine: &Engine<CrossEncoder>,
    options: JobOptions,
    call: RerankCall,
    pairs: Vec<Pair>,
) -> Vec<f32> {
    collect(engine, options, call, pairs).into_iter().map(|row| row.unwrap().score).collect()
}

#[test]
#[expect(clippy::cast_possible_truncation, reason = "the scores are float32 ones")]
fn golden_scores() {
    let mut done = 0;
    for case in cases(|case| case.text("family") == "rerank" && case.text("method") != "token_count") {
        let spec = resolve(&case);
        let engine = open(&spec);
        let expected = case.value("expected.json");
        let expected: Vec<f32> =
            expected.as_array().unwrap().iter().map(|score| score.as_f64().unwrap() as f32).collect();
        for options in [fixed(1), fixed(case.batch_size()), JobOptions::default()] {
            let got = scores(&engine, options, call(spec.limit.tokens), pairs(&case));
            assert_close(&case.name, &got, &expected, case.tolerance("abs"), case.tolerance("rel"));
        }
        let squeezed = RerankCall { sigmoid: true, ..call(spec.limit.tokens) };
        let got = scores(&engine, JobOptions::default(), squeezed, pairs(&case));
        let squeezed: Vec<f32> = expected.iter().map(|score| 1.0 / (1.0 + (-score).exp())).collect();
        assert_close(&case.name, &got, &squeezed, 1e-5, 1e-4);
        engine.close(None);
        done += 1;
    }
    assert_eq!(done, 8);
}

/// The odd token of an odd room goes to the longer text, by whole lengths (huggingface/sentence-transformers#574). The scores are those of
/// FastEmbed 0.9.1 over tokenizers 0.22.2, for a query of 1,600 words and a document of 400, and the other way around.
#[test]
fn two_long_texts_share_an_odd_room_as_in_fastembed() {
    let case = Case::read("rerank_rr_bert");
    let spec = resolve(&case);
    let engine = open(&spec);
    let long: Vec<String> = (0..400).map(|i| format!("package {i} reads mail")).collect();
    let shorter: Vec<String> = (0..100).map(|i| format!("a mail reader {}", i * 7)).collect();
    let (long, shorter) = (long.join(" "), shorter.join(" "));
    let pairs = vec![
        Pair { query: long.as_str().into(), document: shorter.clone() },
        Pair { query: shorter.as_str().into(), document: long },
    ];
    let got = scores(&engine, JobOptions::default(), call(spec.limit.tokens), pairs);
    assert_close(&case.name, &got, &[-2.376_22, -2.344_088], 1e-4, 1e-4);
}

#[test]
fn token_counts() {
    for case in cases(|case| case.text("family") == "rerank" && case.text("method") == "token_count") {
        let spec = resolve(&case);
        let counts = open(&spec).count_tokens(&pairs(&case), spec.limit.tokens).unwrap();
        let total: u64 = counts.into_iter().map(u64::from).sum();
        assert_eq!(Some(total), case.value("expected.json").as_u64(), "{}", case.name);
    }
}

#[test]
fn pairs_are_tokenised_as_by_fastembed() {
    let mut done = 0;
    for case in cases(|case| case.name.starts_with("tokenize_rr_")) {
        let spec = resolve(&case);
        let (tokenizer, answer) = (Tokenizer::load(&spec).unwrap(), case.value("expected.json"));
        assert_eq!(
            Some(spec.limit.tokens as u64),
            answer["truncation"]["max_length"].as_u64(),
            "{}",
            case.name
        );
        let backend = backend(&spec.graph_path);
        let (pairs, encodings) = (pairs(&case), answer["encodings"].as_array().unwrap());
        assert_eq!(pairs.len(), encodings.len(), "{}", case.name);
        for (pairs, encodings) in pairs.chunks(case.batch_size()).zip(encodings.chunks(case.batch_size())) {
            let encode = |pair: &Pair| {
                tokenizer
                    .encode_pair(&pair.query, &pair.document, spec.limit.tokens, Overflow::Truncate)
                    .unwrap()
            };
            let items: Vec<Item> = pairs.iter().map(encode).collect();
            let batch = tokenizer.collate_pairs(&items.iter().collect::<Vec<_>>(), backend.graph());
            for (row, (expected, item)) in encodings.iter().zip(&items).enumerate() {
                let what = format!("{}: {:?}", case.name, pairs[row]);
                let list = |key: &str| -> Vec<i64> {
                    expected[key].as_array().unwrap().iter().map(|id| id.as_i64().unwrap()).collect()
                };
                for input in &batch.inputs {
                    let InputData::I64(data) = &input.data else { panic!("{what}: not int64") };
                    let got = &data[row * batch.padded_len..][..batch.padded_len];
                    let key = match &*input.name {
                        "input_ids" => "ids",
                        "token_type_ids" => "type_ids",
                        other => other,
                    };
                    assert_eq!(got, list(key), "{what}: {key}");
                }
                let types: Vec<i64> = match &item.type_ids {
                    Some(types) => types.iter().copied().map(i64::from).collect(),
                    None => vec![0; item.len()],
                };
                let span = tokenizer.span(item.len(), batch.padded_len);
                assert_eq!(types, list("type_ids")[span], "{what}: types of a graph that takes none");
            }
        }
        done += 1;
    }
    assert_eq!(done, 4);
}

/// How long the two texts of a pair may be that have `room` together: the rule of tokenizers 0.21, 0.22 and 0.23.3, by the whole
/// lengths of both. The longer one gives way; where both are longer than half of the room, it keeps the odd token.
fn lengths(first: usize, second: usize, room: usize) -> (usize, usize) {
    if first + second <= room {
        return (first, second);
    }
    let shorter = first.min(second);
    let (short, long) =
        if shorter + shorter <= room { (shorter, room - shorter) } else { (room / 2, room - room / 2) };
    if first > second { (long, short) } else { (short, long) }
}

/// Pairs of any lengths are cut by that rule. The library of this workspace is 0.23.2, which alone compares lengths as far as it has
/// read them, so it encodes the texts and joins them here, and does not cut.
#[test]
fn pairs_of_any_length_are_cut_by_their_whole_lengths() {
    for model in ["rr_bert", "rr_bpe", "rr_uni"] {
        let dir = root().join("models").join(model);
        let request = ModelRequest { dir: dir.clone(), ..ModelRequest::default() };
        let ours = Tokenizer::load(&model::resolve(&request).unwrap()).unwrap();
        let mut theirs = tokenizers::Tokenizer::from_file(dir.join("tokenizer.json")).unwrap();
        theirs.with_padding(None);
        theirs.with_truncation(None).unwrap();
        let added = theirs.encode(("", ""), true).unwrap().len();
        let words = |count: usize, word: &str| vec![word; count].join(" ");
        let texts: Vec<String> = [0, 1, 5, 7, 8, 9, 40, 300]
            .into_iter()
            .flat_map(|count| [words(count, "resize"), words(count, "a picture")])
            .collect();
        let encoded: Vec<_> = texts.iter().map(|text| theirs.encode(text.as_str(), false).unwrap()).collect();
        for limit in [8, 9, 20, 21] {
            for (first, one) in texts.iter().zip(&encoded) {
                for (second, two) in texts.iter().zip(&encoded) {
                    let (mut one, mut two) = (one.clone(), two.clone());
                    let whole = one.len() + two.len();
                    let (kept_one, kept_two) = lengths(one.len(), two.len(), limit - added);
                    for (text, kept) in [(&mut one, kept_one), (&mut two, kept_two)] {
                        text.truncate(kept, 0, TruncationDirection::Right);
                        // Joining the pieces that were cut off, each with each, would take minutes.
                        text.take_overflowing();
                    }
                    let expected = theirs.post_process(one, Some(two), true).unwrap();
                    let item = ours.encode_pair(first, second, limit, Overflow::Truncate).unwrap();
                    let what = format!("{model} {limit}: {} and {} bytes", first.len(), second.len());
                    assert_eq!(&*item.ids, expected.get_ids(), "{what}");
                    assert_eq!(item.truncated, whole > limit - added, "{what}");
                }
            }
        }
    }
}

#[test]
fn a_pair_too_long_is_an_error_where_asked() {
    let dir = root().join("models/rr_bert");
    let spec = model::resolve(&ModelRequest { dir, ..ModelRequest::default() }).unwrap();
    let engine = open(&spec);
    let pair = |document: &str| Pair { query: "a query".into(), document: document.to_owned() };
    let strict = RerankCall { overflow: Overflow::Error, ..call(spec.limit.tokens) };
    let rows = collect(&engine, fixed(2), strict, vec![pair("short"), pair(&"long ".repeat(999))]);
    assert!(rows[0].as_ref().is_ok_and(|row| !row.truncated));
    let error = rows[1].as_ref().unwrap_err();
    assert_eq!((error.kind(), error.index()), (ErrorKind::InputTooLong, Some(1)));
    let rows = collect(&engine, fixed(2), call(3), vec![pair("short")]);
    assert_eq!(rows[0].as_ref().unwrap_err().kind(), ErrorKind::InvalidOption);
}
