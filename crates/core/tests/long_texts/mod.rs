//! Long texts: their tokens equal those of the library's own path, which reads the whole text.

use crate::{goldens, spec};
use millrace_core::tokenizer::{Overflow, Side, Tokenizer};
use proptest::prelude::*;
use serde_json::Value;
use std::{fs, path::Path};
use tokenizers::{AddedToken, TruncationDirection, TruncationParams};

/// The library's own path over the whole text, limits set as FastEmbed sets them.
fn reference(dir: &Path, limit: usize, side: Side) -> tokenizers::Tokenizer {
    let mut tokenizer = tokenizers::Tokenizer::from_file(dir.join("tokenizer.json")).unwrap();
    tokenizer.with_padding(None);
    let direction = if side == Side::Left { TruncationDirection::Left } else { TruncationDirection::Right };
    let params = TruncationParams { max_length: limit, direction, ..TruncationParams::default() };
    tokenizer.with_truncation(Some(params)).unwrap();
    if let Ok(text) = fs::read_to_string(dir.join("special_tokens_map.json")) {
        let map: serde_json::Map<String, Value> = serde_json::from_str(&text).unwrap();
        for value in map.values() {
            let listed = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
            for value in listed {
                let content = value.as_str().or_else(|| value["content"].as_str()).unwrap();
                let mut token = AddedToken::from(content, true);
                token.lstrip = value["lstrip"] == true;
                token.rstrip = value["rstrip"] == true;
                token.single_word = value["single_word"] == true;
                token.normalized = value["normalized"] == true;
                tokenizer.add_special_tokens([token]).unwrap();
            }
        }
    }
    tokenizer
}

/// Texts of every kind of fragment, most of them far longer than their limit.
fn long_text() -> impl Strategy<Value = String> {
    let fragment = prop_oneof![
        4 => "[a-z]{1,9} ",
        2 => Just("The quick brown fox, don't jump 3.14 times! ".to_owned()),
        1 => "[a-zA-Z0-9]{40,400}",
        1 => "[\u{4e00}-\u{4fff}]{1,60}",
        1 => "[\u{3041}-\u{3096}]{1,30}",
        1 => "[\u{1f600}-\u{1f640}]{1,20}",
        1 => Just("\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}".to_owned()),
        1 => "[ \t\n]{1,40}",
        1 => "[0-9]{1,50}",
        1 => "(e\u{301}|\u{1100}\u{1161}|a\u{308}\u{323}){1,20}",
        1 => "[\u{5d0}-\u{5ea}\u{627}-\u{64a} ]{1,30}",
        1 => prop::sample::select(vec![
            "[MASK]", "[SEP]", "<mask>", "<|endoftext|>", "<|im_start|>", "<s>", "<pad>", "▁", "[CLS", "<|im_",
        ]).prop_map(str::to_owned),
        1 => "\\PC{1,40}",
    ];
    (prop::collection::vec(fragment, 1..40), 1..40usize)
        .prop_map(|(fragments, times)| fragments.concat().repeat(times))
}

fn models() -> Vec<std::path::PathBuf> {
    let names =
        ["bge", "qwen", "multilingual", "clip_text", "siglip_text", "rr_uni", "rr_bpe", "tok_left", "lateon"];
    names.into_iter().map(goldens::model).chain(goldens::real_minilm()).collect()
}

#[test]
fn a_prefix_gives_the_tokens_of_the_whole() {
    for dir in models() {
        let (spec, _copy) = spec(&dir);
        let tokenizer = Tokenizer::load(&spec).unwrap();
        let mut runner = proptest::test_runner::TestRunner::new_with_rng(
            ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() },
            proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
        );
        let outcome = runner.run(&(long_text(), 3..70usize), |(text, limit)| {
            let item = tokenizer.encode(&text, limit, Overflow::Truncate).unwrap();
            let whole =
                reference(&dir, limit, tokenizer.truncation_side()).encode(text.as_str(), true).unwrap();
            prop_assert_eq!(&*item.ids, whole.get_ids());
            prop_assert_eq!(item.truncated, !whole.get_overflowing().is_empty());
            Ok(())
        });
        outcome.unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    }
}

#[test]
fn hostile_joints_around_the_cut() {
    // Long runs right where prefixes are cut: blanks before a token that swallows them, one endless word,
    // marks that reorder, digits that are grouped.
    let joints = [
        " ".repeat(5000) + "<mask> end",
        "x".repeat(9000) + " end",
        "深".repeat(3000),
        "e\u{301}".repeat(4000),
        "1234567".repeat(900),
        "[MASK]".repeat(900),
        "<|im_start|>".repeat(700),
        "\u{1f600}".repeat(2500),
        "a\u{323}\u{308}\u{301}".repeat(1500),
        "\n".repeat(7000) + "word",
        "ab ".repeat(3000),
        "\u{200b}".repeat(3000) + " x",
        ".".repeat(9000),
        "\0".repeat(4000) + "tail",
    ];
    for dir in models() {
        let (spec, _copy) = spec(&dir);
        let tokenizer = Tokenizer::load(&spec).unwrap();
        for limit in [4, 17, 64] {
            let whole = reference(&dir, limit, tokenizer.truncation_side());
            for joint in &joints {
                for before in [0, 1500, 2040, 2300] {
                    let text = "word ".repeat(before / 5) + joint + " and more words" + &" tail".repeat(300);
                    let item = tokenizer.encode(&text, limit, Overflow::Truncate).unwrap();
                    let expected = whole.encode(text.as_str(), true).unwrap();
                    let start: String = joint.chars().take(12).collect();
                    assert_eq!(
                        &*item.ids,
                        expected.get_ids(),
                        "{} {limit} {before} {start:?}",
                        dir.display()
                    );
                }
            }
        }
    }
}
