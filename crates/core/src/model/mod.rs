//! What a model directory says about a model: its graph file, limit, pooling, prompts.
//!
//! This module reads small JSON files and decides; it opens no graph and no tokenizer. [`resolve`] works
//! before the graph is loaded, [`bind`] once its inputs and outputs are known. Three layouts are understood:
//! a FastEmbed directory, the hub layout (`onnx/model*.onnx`) and a sentence-transformers directory
//! (`modules.json`). A request wins over the directory.

mod bind;
pub(crate) mod graph_file;
mod inputs;
pub(crate) mod json;
mod limit;
mod modules;
mod output;
mod tail;
pub(crate) mod tensors;

pub(crate) use bind::SCORES;
pub use bind::{DenseHead, TaskInput, bind};
pub use inputs::EmptyPast;
pub(crate) use inputs::check_inputs;
pub use limit::Limit;
pub use modules::TRANSFORMER_FILES;
pub(crate) use output::{Chosen, FINISHED, choose_output, last_dim};

use crate::model::{
    json::read_object,
    limit::PositionTable,
    modules::{Modules, Prompts},
    tail::ModuleFile,
};
use millrace_contract::{Error, ErrorKind, Graph, Pooling, Result};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

/// A setting, and who says it: a file with its key, an option, the graph, or a default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The setting.
    pub value: T,
    /// Who says it, in words for `info()`.
    pub source: String,
}

/// What the caller says about a model. Everything but the directory may be left to its files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelRequest {
    /// Directory of the model's files.
    pub dir: PathBuf,
    /// The graph's file, relative to `dir`.
    pub model_file: Option<String>,
    /// How token vectors become one vector.
    pub pooling: Option<Pooling>,
    /// Whether vectors are scaled to length 1.
    pub normalize: Option<bool>,
    /// The graph's output to take, by name; the first one otherwise.
    pub output_name: Option<String>,
    /// The output by position, for models whose exports agree on the order but not on names. A name goes first.
    pub output_index: Option<usize>,
    /// Whether every text is padded to the limit, for models that read their vector at the last position whatever
    /// stands there.
    pub pad_to_limit: bool,
    /// Longest text in tokens, special tokens included.
    pub max_length: Option<usize>,
    /// Whether the sentence-transformers files of the directory do not count, but for the prompts: FastEmbed does not read
    /// them, and whether they lie there may depend on what other programs put into a shared cache.
    pub plain_files: bool,
    /// Names of the options above, as TypeScript spells them, that the model's definition says and not the caller.
    pub defined: Vec<String>,
}

impl ModelRequest {
    /// Who says the option `name`.
    fn source(&self, name: &str) -> String {
        said_by(&self.defined, name)
    }
}

/// Who says the option `name`: the model's definition where that is among `defined`, else the caller.
pub(crate) fn said_by(defined: &[String], name: &str) -> String {
    if defined.iter().any(|defined| defined == name) {
        "the model's definition".to_owned()
    } else {
        name.to_owned()
    }
}

/// The source of a default that no file and no option replaces.
pub(crate) const NO_FILE_SAYS: &str = "the default, as no file says it";

/// A model directory, understood.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own, said by another file")]
pub struct ModelSpec {
    /// Directory of the model's files.
    pub dir: PathBuf,
    /// The graph's file, relative to `dir`, with `/` between folders.
    pub model_file: String,
    /// The graph's file.
    pub graph_path: PathBuf,
    /// Directory of the tokenizer's files: `dir`, or the folder of the Transformer module.
    pub tokenizer_dir: PathBuf,
    /// The poolings whose vectors are put one after the other, where the caller or the directory says so.
    pub pooling: Option<Sourced<Vec<Pooling>>>,
    /// Whether `pooling` was asked for by the caller.
    pub pooling_requested: bool,
    /// Whether vectors are scaled to length 1, where the caller or the directory says so.
    pub normalize: Option<Sourced<bool>>,
    /// The output asked for.
    pub output_name: Option<Sourced<String>>,
    /// The output asked for by position.
    pub output_index: Option<Sourced<usize>>,
    /// Whether every text is padded to the limit.
    pub pad_to_limit: bool,
    /// Longest text in tokens.
    pub limit: Limit,
    /// Tokens that every row has, where the graph takes rows of one length only. Known after [`fit`](Self::fit).
    pub fixed_len: Option<usize>,
    /// Prompts by name, of `config_sentence_transformers.json`.
    pub prompts: BTreeMap<String, String>,
    /// Name of the prompt that is used when none is chosen.
    pub default_prompt: Option<String>,
    /// False where the pooling of the directory leaves the prompt's tokens out (`include_prompt: false`).
    pub include_prompt: bool,
    /// Whether texts are lowercased before the tokenizer sees them (`sentence_bert_config.json`).
    pub lowercase: bool,
    pub(crate) positions: PositionTable,
    /// Whether the limit was asked for by the caller.
    limit_requested: bool,
    /// The limit of the files, before the caller's.
    pub(crate) files_limit: Option<Limit>,
    pub(crate) tokenizer: TokenizerConfig,
    /// `pad_token_id` of config.json.
    pub(crate) pad_token_id: Option<u32>,
    /// What config.json says of the keys and values that a decoder keeps.
    pub(crate) past: EmptyPast,
    /// The class that the model's weights were made for, of config.json.
    pub(crate) architectures: Vec<String>,
    /// What comes after the pooling.
    pub(crate) after_pooling: Vec<ModuleFile>,
    /// What of the directory's modules is not implemented.
    pub(crate) unsupported: Option<Error>,
}

impl ModelSpec {
    /// Checks a limit that a caller asks for: at least 1, at most what the files say, or above that up to
    /// the positions of config.json. [`ErrorKind::InvalidOption`] tells the bound.
    pub fn check_max_length(&self, tokens: usize) -> Result<()> {
        limit::check("maxLength", tokens, self.files_limit.as_ref(), &self.positions)
    }

    /// The spec of a directory whose graph is `graph`: checks the shapes of its inputs, and lowers the limit to the length of its rows where
    /// they have one length only.
    ///
    /// [`ErrorKind::ModelInvalid`] for a graph that runs a fixed number of texts other than one, [`ErrorKind::InvalidOption`] for a limit
    /// that the caller asked for and the graph has no room for.
    pub fn fit(mut self, graph: &Graph) -> Result<Self> {
        let Some(fixed) = inputs::fixed_len(&self, graph)? else { return Ok(self) };
        let rows = Limit { tokens: fixed, source: "the graph's input input_ids".to_owned() };
        if self.limit_requested {
            limit::check("maxLength", self.limit.tokens, Some(&rows), &PositionTable::default())?;
        }
        if fixed < self.limit.tokens {
            self.limit = rows.clone();
        }
        self.positions.computed = false;
        if self.positions.room.as_ref().is_none_or(|room| fixed < room.tokens) {
            self.positions.room = Some(rows);
        }
        self.fixed_len = Some(fixed);
        Ok(self)
    }

    /// Whether the weights were made to sort texts into classes, as those of cross encoders are.
    pub(crate) fn is_classifier(&self) -> bool {
        self.architectures.iter().any(|name| name.ends_with("ForSequenceClassification"))
    }

    /// Position id of the first token: 0, or `pad_token_id + 1` for roberta and its kin.
    #[must_use]
    pub fn position_offset(&self) -> usize {
        self.positions.offset
    }
}

/// The keys of config.json that matter here.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct ModelConfig {
    model_type: Option<String>,
    pad_token_id: Value,
    architectures: Value,
    /// All other keys.
    #[serde(flatten)]
    more: Map<String, Value>,
}

/// The keys of `tokenizer_config.json` that matter here and to the tokenizer.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct TokenizerConfig {
    model_max_length: Value,
    max_length: Value,
    /// `left` or `right`.
    pub(crate) truncation_side: Option<String>,
    /// `left` or `right`.
    pub(crate) padding_side: Option<String>,
    /// A string, or an object with `content`.
    pub(crate) pad_token: Value,
}

/// Reads the directory. [`ErrorKind::ModelNotFound`] names a file that is missing,
/// [`ErrorKind::ModelInvalid`] one that is broken, [`ErrorKind::InvalidOption`] what the caller must change.
pub fn resolve(request: &ModelRequest) -> Result<ModelSpec> {
    let dir = &request.dir;
    check_directory(dir)?;
    let model_file = graph_file::choose(dir, request.model_file.as_deref())?;
    let modules = if request.plain_files { None } else { Modules::read(dir)? };
    describe(request, model_file, modules, "maxLength")
}

/// Reads what the directory `dir` says about its tokenizer and its limit, which `max_tokens` takes the place of: there need be
/// no graph, and how vectors are made does not matter. Errors as those of [`resolve`], with `maxTokens` as the name of the limit.
pub fn resolve_text(dir: &Path, max_tokens: Option<usize>) -> Result<ModelSpec> {
    check_directory(dir)?;
    let request = ModelRequest { dir: dir.to_path_buf(), max_length: max_tokens, ..ModelRequest::default() };
    describe(&request, String::new(), Modules::read(dir)?, "maxTokens")
}

pub(crate) fn check_directory(dir: &Path) -> Result<()> {
    let why = match fs::metadata(dir) {
        Ok(found) if found.is_dir() => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            format!("cannot be looked into ({error})")
        }
        _ => "is not a directory".to_owned(),
    };
    Err(Error::new(
        ErrorKind::ModelNotFound,
        format!("{} {why}: the model's files are expected there", dir.display()),
    ))
}

/// `limit_name`: the option by which the caller sets the limit.
fn describe(
    request: &ModelRequest,
    model_file: String,
    modules: Option<Modules>,
    limit_name: &str,
) -> Result<ModelSpec> {
    let dir = &request.dir;

    let tokenizer_dir = modules.as_ref().map_or_else(|| dir.clone(), |m| m.tokenizer_dir(dir));
    require(&tokenizer_dir.join("tokenizer.json"))?;
    let config: ModelConfig = read_object(&tokenizer_dir.join("config.json"))?.unwrap_or_default();
    let tokenizer_config_path = tokenizer_dir.join("tokenizer_config.json");
    let tokenizer_config: Option<TokenizerConfig> = read_object(&tokenizer_config_path)?;
    let transformer = if request.plain_files {
        modules::Transformer::default()
    } else {
        modules::read_transformer(&tokenizer_dir)?
    };

    let pad_token_id = config.pad_token_id.as_u64().and_then(|id| u32::try_from(id).ok());
    let positions = limit::positions(config.model_type.as_deref(), &config.more, pad_token_id);
    let empty = TokenizerConfig::default();
    let tokenizer = tokenizer_config.as_ref().unwrap_or(&empty);
    let files_limit = limit::smallest([
        ("tokenizer_config.json model_max_length", &tokenizer.model_max_length),
        ("tokenizer_config.json max_length", &tokenizer.max_length),
        (transformer.max_seq_length_source.as_str(), &transformer.max_seq_length),
    ]);
    let limit = match (request.max_length, limit::chosen(files_limit.as_ref(), &positions)) {
        (Some(tokens), _) => {
            limit::check(limit_name, tokens, files_limit.as_ref(), &positions)?;
            Limit { tokens, source: request.source(limit_name) }
        }
        (None, Some(limit)) => limit,
        (None, None) if tokenizer_config.is_none() => return Err(json::missing(&tokenizer_config_path)),
        (None, None) => {
            return Err(Error::new(
                ErrorKind::ModelInvalid,
                format!(
                    "{}: neither model_max_length nor max_length is a positive number, and config.json has no \
                     max_position_embeddings, so the longest text is not known; pass {limit_name}",
                    tokenizer_config_path.display()
                ),
            ));
        }
    };

    let prompts = Prompts::read(dir)?;
    let asked =
        |value: Option<Vec<Pooling>>| value.map(|value| Sourced { value, source: request.source("pooling") });
    let read = modules.as_ref();
    Ok(ModelSpec {
        graph_path: dir.join(&model_file),
        dir: dir.clone(),
        model_file,
        tokenizer_dir,
        pooling: asked(request.pooling.map(|pooling| vec![pooling]))
            .or_else(|| read.and_then(|modules| modules.pooling.clone())),
        pooling_requested: request.pooling.is_some(),
        normalize: request
            .normalize
            .map(|value| Sourced { value, source: request.source("normalize") })
            .or_else(|| read.map(|modules| modules.normalize.clone())),
        output_name: request
            .output_name
            .clone()
            .map(|value| Sourced { value, source: request.source("outputName") }),
        output_index: request
            .output_index
            .map(|value| Sourced { value, source: request.source("outputIndex") }),
        pad_to_limit: request.pad_to_limit,
        limit,
        limit_requested: request.max_length.is_some(),
        fixed_len: None,
        prompts: prompts.by_name,
        default_prompt: prompts.default,
        include_prompt: read.is_none_or(|modules| modules.include_prompt),
        lowercase: read.is_some() && transformer.lowercase,
        positions,
        files_limit,
        tokenizer: tokenizer.clone(),
        pad_token_id,
        past: EmptyPast::of(&config.more),
        architectures: names(&config.architectures),
        after_pooling: read.map_or_else(Vec::new, |modules| modules.after_pooling.clone()),
        unsupported: modules.and_then(|modules| modules.unsupported),
    })
}

/// The strings of a list.
fn names(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn require(path: &Path) -> Result<()> {
    match fs::metadata(path) {
        Ok(found) if found.is_file() => Ok(()),
        Ok(_) => Err(json::invalid(path, "is not a file")),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Err(json::invalid(path, format_args!("cannot be read: {error}")))
        }
        Err(_) => Err(json::missing(path)),
    }
}
