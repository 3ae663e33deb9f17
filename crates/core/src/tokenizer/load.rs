//! From the files of a model directory to a [`Tokenizer`], with FastEmbed's precedence of settings.

use super::{Frame, Padding, Side, Tokenizer};
use crate::{
    model::{
        EmptyPast, ModelSpec,
        json::{invalid, missing, read_bytes, read_object, unreadable},
    },
    quiet,
};
use millrace_contract::Result;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::{path::Path, sync::OnceLock};
use tokenizers::{AddedToken, ModelWrapper, PaddingDirection, TruncationDirection};

/// Least bytes before a cut that are not trusted: longer than what normalisers and pre-tokenisers look ahead.
const LEAST_MARGIN: usize = 256;

/// A token of `special_tokens_map.json` that says how it is matched.
#[derive(Deserialize)]
struct SpecialToken {
    content: String,
    single_word: Option<bool>,
    lstrip: Option<bool>,
    rstrip: Option<bool>,
    normalized: Option<bool>,
}

impl Tokenizer {
    /// Loads the tokenizer of a resolved directory.
    ///
    /// Truncation and padding saved in tokenizer.json are overridden: limits come with each call, padding goes
    /// to the longest row. Its pad token, pad ids, sides and multiple are kept. Errors name the file:
    /// [`MODEL_NOT_FOUND`](millrace_contract::ErrorKind::ModelNotFound) for a missing one,
    /// [`MODEL_INVALID`](millrace_contract::ErrorKind::ModelInvalid) for one that cannot be used.
    pub fn load(spec: &ModelSpec) -> Result<Self> {
        let path = spec.tokenizer_dir.join("tokenizer.json");
        let mut inner = parse(&path)?;
        let saved_padding = inner.get_padding().cloned();
        let saved_truncation = inner.get_truncation().cloned();
        inner.with_padding(None);
        inner.with_truncation(None).map_err(|error| invalid(&path, error))?;

        // Before the padding is resolved: the pad token may get its id here.
        add_special_tokens(&mut inner, &spec.tokenizer_dir.join("special_tokens_map.json"))?;

        let config_path = spec.tokenizer_dir.join("tokenizer_config.json");
        let side = |key, value| side(value).map_err(|why| invalid(&config_path, format_args!("{key} {why}")));
        let truncation = side("truncation_side", spec.tokenizer.truncation_side.as_deref())?
            .or_else(|| {
                saved_truncation.map(|saved| match saved.direction {
                    TruncationDirection::Left => Side::Left,
                    TruncationDirection::Right => Side::Right,
                })
            })
            .unwrap_or(Side::Right);
        let pad_side = side("padding_side", spec.tokenizer.padding_side.as_deref())?
            .or_else(|| {
                saved_padding.as_ref().map(|saved| match saved.direction {
                    PaddingDirection::Left => Side::Left,
                    PaddingDirection::Right => Side::Right,
                })
            })
            .unwrap_or(Side::Right);

        let token = saved_padding
            .as_ref()
            .map(|saved| saved.pad_token.clone())
            .filter(|token| !token.is_empty())
            .or_else(|| content(&spec.tokenizer.pad_token))
            .ok_or_else(|| invalid(&config_path, "there is no pad_token, nor padding in tokenizer.json"))?;
        let id = saved_padding
            .as_ref()
            .map(|saved| saved.pad_id)
            .or(spec.pad_token_id)
            .or_else(|| inner.token_to_id(&token))
            .ok_or_else(|| invalid(&path, format_args!("the pad token '{token}' has no id")))?;
        let padding = Padding {
            id,
            type_id: saved_padding.as_ref().map_or(0, |saved| saved.pad_type_id),
            token,
            side: pad_side,
            multiple_of: saved_padding.and_then(|saved| saved.pad_to_multiple_of).unwrap_or(1).max(1),
        };

        let frame = Frame::of(&inner).map_err(|why| invalid(&path, why))?;
        Ok(Self {
            margin: margin(&inner),
            inner,
            frame,
            pair: OnceLock::new(),
            padding,
            truncation,
            lowercase: spec.lowercase,
            position_offset: spec.position_offset(),
            fixed_len: spec.fixed_len,
            past: spec.past.clone(),
        })
    }

    /// Loads `tokenizer.json` of `dir` alone, for texts that never become rows of a run: no special tokens stand
    /// around a text, no padding is known, texts are cut at their end. Errors as those of [`load`](Self::load).
    pub fn load_bare(dir: &Path) -> Result<Self> {
        let path = dir.join("tokenizer.json");
        let mut inner = parse(&path)?;
        inner.with_padding(None);
        inner.with_truncation(None).map_err(|error| invalid(&path, error))?;
        let padding = Padding { id: 0, type_id: 0, token: String::new(), side: Side::Right, multiple_of: 1 };
        Ok(Self {
            margin: margin(&inner),
            inner,
            frame: Frame::none(),
            pair: OnceLock::new(),
            padding,
            truncation: Side::Right,
            lowercase: false,
            position_offset: 0,
            fixed_len: None,
            past: EmptyPast::default(),
        })
    }
}

fn parse(path: &Path) -> Result<tokenizers::Tokenizer> {
    let bytes = read_bytes(path)?.ok_or_else(|| missing(path))?;
    // The library panics on some contradictory files instead of failing.
    let mut tokenizer = match quiet::catch(|| serde_json::from_slice::<tokenizers::Tokenizer>(&bytes)) {
        Ok(Ok(tokenizer)) => tokenizer,
        Ok(Err(error)) => return Err(unreadable(path, &bytes, error)),
        Err(_) => return Err(invalid(path, "the tokenizer library cannot read it")),
    };
    take_out_chance(&mut tokenizer);
    Ok(tokenizer)
}

/// Clears what training adds to a tokenizer to vary its tokens. With a saved BPE dropout the same text would have other tokens, and so
/// another vector, at each call.
fn take_out_chance(tokenizer: &mut tokenizers::Tokenizer) {
    match tokenizer.get_model() {
        ModelWrapper::BPE(bpe) if bpe.dropout.is_some() => {
            let mut bpe = bpe.clone();
            bpe.dropout = None;
            tokenizer.with_model(bpe);
        }
        ModelWrapper::Unigram(unigram) if unigram.alpha.is_some() || unigram.nbest_size.is_some() => {
            let mut unigram = unigram.clone();
            (unigram.alpha, unigram.nbest_size) = (None, None);
            tokenizer.with_model(unigram);
        }
        _ => {}
    }
}

/// Bytes before a cut whose tokens may be different without it.
fn margin(tokenizer: &tokenizers::Tokenizer) -> usize {
    // An added token is matched as a whole, so a cut inside one changes all of its bytes. Normalisers
    // may lengthen a text before such a token is looked for, hence the double.
    let longest = tokenizer.get_added_vocabulary().get_vocab().keys().map(String::len).max().unwrap_or(0);
    LEAST_MARGIN + 2 * longest
}

/// Adds every token of the map, lists included, as a special token, in the file's order: ids of new ones count
/// up from the end of the vocabulary.
fn add_special_tokens(tokenizer: &mut tokenizers::Tokenizer, path: &Path) -> Result<()> {
    let Some(map) = read_object::<Ordered>(path)? else { return Ok(()) };
    let mut tokens = Vec::new();
    for value in map.0 {
        match value {
            Value::Array(list) => tokens.extend(list),
            other => tokens.push(other),
        }
    }
    for value in tokens {
        let token = match value {
            Value::String(content) => AddedToken::from(content, true),
            Value::Object(_) => {
                let said: SpecialToken =
                    serde_json::from_value(value).map_err(|error| invalid(path, error))?;
                let mut token = AddedToken::from(said.content, true);
                token.single_word = said.single_word.unwrap_or(token.single_word);
                token.lstrip = said.lstrip.unwrap_or(token.lstrip);
                token.rstrip = said.rstrip.unwrap_or(token.rstrip);
                token.normalized = said.normalized.unwrap_or(token.normalized);
                token
            }
            _ => continue,
        };
        tokenizer.add_special_tokens([token]).map_err(|error| invalid(path, error))?;
    }
    Ok(())
}

/// The values of an object in the order of the file; `serde_json`'s own map sorts them by key.
struct Ordered(Vec<Value>);

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Ordered;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Ordered, A::Error> {
                let mut values = Vec::new();
                while let Some((_, value)) = map.next_entry::<serde::de::IgnoredAny, Value>()? {
                    values.push(value);
                }
                Ok(Ordered(values))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

/// A token written as a string or as an object with `content`.
fn content(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => Some(text.as_str()),
        Value::Object(map) => content_of(map),
        _ => None,
    };
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}

fn content_of(map: &Map<String, Value>) -> Option<&str> {
    map.get("content").and_then(Value::as_str)
}

fn side(value: Option<&str>) -> Result<Option<Side>, String> {
    match value {
        None | Some("") => Ok(None),
        Some("left") => Ok(Some(Side::Left)),
        Some("right") => Ok(Some(Side::Right)),
        Some(other) => Err(format!("is '{other}', expected left or right")),
    }
}
