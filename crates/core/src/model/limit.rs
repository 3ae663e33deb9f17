//! How long a text may be: what the files say, and how far a caller may go beyond.

use millrace_contract::{Error, ErrorKind, Result};
use serde_json::{Map, Value};

/// Longest text in tokens, special tokens included, and who says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// Tokens.
    pub tokens: usize,
    /// File and key, or `maxLength` when the caller chose it.
    pub source: String,
}

/// The model's table of positions, as far as config.json tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PositionTable {
    /// Longest sequence it has room for, and the key of config.json that says so.
    pub(crate) room: Option<Limit>,
    /// Position id of the first token.
    pub(crate) offset: usize,
    /// Whether positions are computed (rotary, `ALiBi`, relative) instead of looked up in a table: then a longer sequence runs, only less
    /// well, while one beyond a table fails.
    pub(crate) computed: bool,
}

/// Architectures that number positions from `pad_token_id + 1`: 514 rows are 512 tokens.
const OFFSET_BY_PADDING: [&str; 9] = [
    "roberta",
    "xlm-roberta",
    "xlm-roberta-xl",
    "roberta-prelayernorm",
    "camembert",
    "mpnet",
    "longformer",
    "xmod",
    "data2vec-text",
];

/// The padding id that those architectures have when config.json is silent.
const DEFAULT_PADDING_ID: u32 = 1;

/// Keys of config.json that only models with computed positions have.
const COMPUTED: [&str; 9] = [
    "rope_theta",
    "rope_scaling",
    "rope_parameters",
    "global_rope_theta",
    "rotary_emb_base",
    "rotary_emb_fraction",
    "rotary_scaling_factor",
    "alibi_starting_size",
    "relative_attention",
];

/// Limits from here on are written where no limit is meant: `2^31 - 1` and `2^31` are what tokenizers of models without a table have.
const NO_LIMIT: usize = i32::MAX as usize;

/// Reads the table from `config`, the contents of config.json.
pub(crate) fn positions(
    model_type: Option<&str>,
    config: &Map<String, Value>,
    pad_id: Option<u32>,
) -> PositionTable {
    let offset = match model_type {
        Some(name) if OFFSET_BY_PADDING.contains(&name) => pad_id.unwrap_or(DEFAULT_PADDING_ID) as usize + 1,
        _ => 0,
    };
    let size = |key: &str| Some((config.get(key).and_then(positive)?, format!("config.json {key}")));
    let room = size("max_position_embeddings").or_else(|| size("n_positions"));
    let room = room.map(|(rows, source)| Limit { tokens: rows.saturating_sub(offset).max(1), source });
    let computed = match config.get("position_embedding_type").and_then(Value::as_str) {
        Some(kind) => kind != "absolute",
        None => COMPUTED.iter().any(|key| config.get(*key).is_some_and(|value| !value.is_null())),
    };
    PositionTable { room, offset, computed }
}

/// The smallest of the values that are limits; the first of equals names the source.
///
/// What is no integer in 1..2^63 (1e30, 0, null, true) is no limit: such values stand for "not known".
pub(crate) fn smallest<const N: usize>(values: [(&str, &Value); N]) -> Option<Limit> {
    values
        .into_iter()
        .filter_map(|(source, value)| Some(Limit { tokens: positive(value)?, source: source.to_owned() }))
        .min_by_key(|limit| limit.tokens)
}

/// The limit where the caller chooses none: what the files say, but never more than a table of positions has room for; the room alone where
/// the files say nothing, or a number that stands for no limit.
pub(crate) fn chosen(files: Option<&Limit>, positions: &PositionTable) -> Option<Limit> {
    let Some(room) = &positions.room else { return files.cloned() };
    let files = files.filter(|files| files.tokens < NO_LIMIT);
    match files {
        Some(files) if positions.computed || files.tokens <= room.tokens => Some(files.clone()),
        _ => Some(room.clone()),
    }
}

/// Whether a caller may ask for `tokens`, by the option `name`.
pub(crate) fn check(
    name: &str,
    tokens: usize,
    files: Option<&Limit>,
    positions: &PositionTable,
) -> Result<()> {
    let bound = match (files, &positions.room) {
        (Some(files), Some(room)) if positions.computed && files.tokens > room.tokens => Some(files),
        (_, Some(room)) => Some(room),
        (files, None) => files,
    };
    match bound {
        _ if tokens == 0 => Err(Error::new(
            ErrorKind::InvalidOption,
            format!("Expected a positive integer for {name} but received 0"),
        )),
        Some(bound) if tokens > bound.tokens => Err(Error::new(
            ErrorKind::InvalidOption,
            format!("Expected at most {} for {name} ({}) but received {tokens}", bound.tokens, bound.source),
        )),
        _ => Ok(()),
    }
}

fn positive(value: &Value) -> Option<usize> {
    let number = value.as_u64().filter(|n| (1..=i64::MAX.unsigned_abs()).contains(n))?;
    usize::try_from(number).ok()
}
