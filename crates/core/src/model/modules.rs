//! The sentence-transformers files of a directory: modules and pooling, transformer settings, prompts.
//!
//! Only JSON is read here. The weights of the modules that follow the pooling are read by [`tail`](super::tail), once the graph is known
//! and they are known to be needed.

use super::{
    Sourced,
    graph_file::inside,
    json::{invalid, missing, read_array, read_object},
    tail::ModuleFile,
};
use millrace_contract::{Error, Pooling, Result};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// What modules.json and its modules say.
#[derive(Debug)]
pub(crate) struct Modules {
    /// Folder of the Transformer module, relative.
    transformer: String,
    /// The poolings whose vectors are put one after the other, where there is a Pooling module.
    pub(crate) pooling: Option<Sourced<Vec<Pooling>>>,
    /// Whether the last module scales vectors to length 1.
    pub(crate) normalize: Sourced<bool>,
    /// What comes after the pooling, in order, without that last module.
    pub(crate) after_pooling: Vec<ModuleFile>,
    /// False where the pooling leaves the prompt's tokens out.
    pub(crate) include_prompt: bool,
    /// The first thing that is not implemented. It is an error only where it is needed: a graph may have it inside.
    pub(crate) unsupported: Option<Error>,
}

#[derive(Deserialize)]
struct Module {
    #[serde(default)]
    path: String,
    r#type: String,
}

impl Modules {
    /// Reads modules.json; `None` when there is none.
    pub(crate) fn read(dir: &Path) -> Result<Option<Self>> {
        let path = dir.join("modules.json");
        let Some(list) = read_array::<Vec<Module>>(&path)? else { return Ok(None) };
        let mut modules = Self {
            transformer: String::new(),
            pooling: None,
            normalize: Sourced { value: false, source: "modules.json, which has no Normalize".to_owned() },
            after_pooling: Vec::new(),
            include_prompt: true,
            unsupported: None,
        };
        for module in list {
            if !inside(&module.path) {
                return Err(invalid(&path, format_args!("'{}' leads out of the directory", module.path)));
            }
            let folder = dir.join(&module.path);
            // The class moved between packages over the years; its own name did not change.
            match module.r#type.rsplit('.').next().unwrap_or_default() {
                "Transformer" => modules.transformer = module.path,
                "Pooling" if modules.pooling.is_none() && modules.after_pooling.is_empty() => {
                    modules.read_pooling(dir, &module.path)?;
                }
                "Dense" => match ModuleFile::dense(&folder)? {
                    Ok(dense) => modules.after_pooling.push(dense),
                    Err(why) => modules.refuse(&folder.join("config.json"), &why),
                },
                "LayerNorm" => modules.after_pooling.push(ModuleFile::layer_norm(&folder)),
                "Normalize" => modules.after_pooling.push(ModuleFile::Normalize),
                "Dropout" => {} // does nothing outside of training
                other => modules.refuse(&path, &format!("the module {other} is unsupported here")),
            }
        }
        if let Some(ModuleFile::Normalize) = modules.after_pooling.last() {
            modules.after_pooling.pop();
            modules.normalize = Sourced { value: true, source: "modules.json Normalize".to_owned() };
        }
        Ok(Some(modules))
    }

    fn refuse(&mut self, path: &Path, why: &str) {
        let way_out = "if the graph has a finished vector, name that output with outputName";
        self.unsupported.get_or_insert_with(|| invalid(path, format_args!("{why}; {way_out}")));
    }

    fn read_pooling(&mut self, dir: &Path, folder: &str) -> Result<()> {
        let path = dir.join(folder).join("config.json");
        let Some(config) = read_object::<Map<String, Value>>(&path)? else {
            return Err(missing(&path));
        };
        self.include_prompt = config.get("include_prompt").and_then(Value::as_bool).unwrap_or(true);
        let (keys, modes) = modes(&config).map_err(|why| invalid(&path, why))?;
        let mut poolings = Vec::with_capacity(modes.len());
        for mode in &modes {
            match pooling(mode) {
                Some(pooling) => poolings.push(pooling),
                None => return Err(invalid(&path, format_args!("there is no pooling '{mode}'"))),
            }
        }
        let file = Path::new(folder).join("config.json");
        let file = file.to_string_lossy();
        let file = file.trim_start_matches("./");
        self.pooling = Some(Sourced { value: poolings, source: format!("{file} {keys}") });
        Ok(())
    }

    /// Where the tokenizer's files are.
    pub(crate) fn tokenizer_dir(&self, dir: &Path) -> PathBuf {
        let folder = dir.join(&self.transformer);
        // Exports often flatten the folder and leave modules.json as it was.
        if folder.join("tokenizer.json").is_file() { folder } else { dir.to_path_buf() }
    }
}

/// The pooling of a mode, by each of its spellings.
fn pooling(mode: &str) -> Option<Pooling> {
    Some(match mode {
        "cls" | "cls_token" => Pooling::Cls,
        "mean" | "mean_tokens" => Pooling::Mean,
        "max" | "max_tokens" => Pooling::Max,
        "mean_sqrt_len" | "mean_sqrt_len_tokens" => Pooling::MeanSqrtLen,
        "weightedmean" | "weightedmean_tokens" => Pooling::WeightedMean,
        "lasttoken" => Pooling::LastToken,
        _ => return None,
    })
}

/// The older switches, in the order in which the vectors of several are put one after the other.
const SWITCHES: [&str; 6] =
    ["cls_token", "max_tokens", "mean_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken"];

/// The modes that are on, and the keys that say so: `pooling_mode` (a string or a list), or the older `pooling_mode_*` switches. Where none is
/// on, the library takes the mean.
fn modes(config: &Map<String, Value>) -> Result<(String, Vec<String>), String> {
    let key = || "pooling_mode".to_owned();
    match config.get("pooling_mode") {
        Some(Value::String(mode)) => return Ok((key(), vec![mode.clone()])),
        Some(Value::Array(list)) if !list.is_empty() => {
            let mode =
                |mode: &Value| mode.as_str().map(str::to_owned).ok_or("pooling_mode is no list of strings");
            return Ok((key(), list.iter().map(mode).collect::<Result<_, _>>()?));
        }
        None | Some(Value::Null) => {}
        Some(other) => return Err(format!("pooling_mode is {other}, expected a string or a list of them")),
    }
    let mut on = Vec::new();
    for (key, value) in config {
        if let Some(mode) = key.strip_prefix("pooling_mode_") {
            match value {
                Value::Bool(true) => on.push(mode.to_owned()),
                Value::Bool(false) | Value::Null => {}
                other => return Err(format!("{key} is {other}, expected true or false")),
            }
        }
    }
    if on.is_empty() {
        return Ok(("without a pooling mode".to_owned(), vec!["mean".to_owned()]));
    }
    on.sort_by_key(|mode| SWITCHES.iter().position(|switch| switch == mode));
    let keys: Vec<String> = on.iter().map(|mode| format!("pooling_mode_{mode}")).collect();
    Ok((keys.join(", "), on))
}

/// Settings of the Transformer module.
#[derive(Debug, Default)]
pub(crate) struct Transformer {
    pub(crate) max_seq_length: Value,
    /// File and key.
    pub(crate) max_seq_length_source: String,
    pub(crate) lowercase: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TransformerFile {
    max_seq_length: Value,
    do_lower_case: Option<bool>,
}

/// Names that the Transformer module's file has had; the first that exists counts. The store downloads the same ones: a name that is missing
/// there would give a repository another limit than its own directory.
pub const TRANSFORMER_FILES: [&str; 7] = [
    "sentence_bert_config.json",
    "sentence_roberta_config.json",
    "sentence_distilbert_config.json",
    "sentence_camembert_config.json",
    "sentence_albert_config.json",
    "sentence_xlm-roberta_config.json",
    "sentence_xlnet_config.json",
];

/// Reads the Transformer module's settings; empty when there are none.
pub(crate) fn read_transformer(dir: &Path) -> Result<Transformer> {
    for name in TRANSFORMER_FILES {
        if let Some(file) = read_object::<TransformerFile>(&dir.join(name))? {
            return Ok(Transformer {
                max_seq_length: file.max_seq_length,
                max_seq_length_source: format!("{name} max_seq_length"),
                lowercase: file.do_lower_case.unwrap_or(false),
            });
        }
    }
    Ok(Transformer::default())
}

/// Prompts of `config_sentence_transformers.json`.
#[derive(Debug, Default)]
pub(crate) struct Prompts {
    pub(crate) by_name: BTreeMap<String, String>,
    pub(crate) default: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PromptsFile {
    prompts: Option<BTreeMap<String, String>>,
    default_prompt_name: Option<String>,
}

impl Prompts {
    /// Reads the file; empty when there is none.
    pub(crate) fn read(dir: &Path) -> Result<Self> {
        let path = dir.join("config_sentence_transformers.json");
        let file: PromptsFile = read_object(&path)?.unwrap_or_default();
        let by_name = file.prompts.unwrap_or_default();
        if let Some(name) = &file.default_prompt_name
            && !by_name.contains_key(name)
        {
            return Err(invalid(
                &path,
                format_args!("default_prompt_name '{name}' is not one of its prompts"),
            ));
        }
        Ok(Self { by_name, default: file.default_prompt_name })
    }
}
