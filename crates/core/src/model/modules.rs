//! The sentence-transformers files of a directory: modules, pooling, transformer settings, prompts.

use super::{
    ModelRequest,
    json::{invalid, read_array, read_object},
};
use millrace_contract::{Pooling, Result};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::{
    collections::BTreeMap,
    path::{Component, Path, PathBuf},
};

/// What modules.json and its modules say.
pub(crate) struct Modules {
    path: PathBuf,
    /// Folder of the Transformer module, relative.
    transformer: String,
    pub(crate) pooling: Option<Pooling>,
    pub(crate) normalize: bool,
    pub(crate) include_prompt: bool,
    /// File and reason of each thing that is not implemented.
    unsupported: Vec<(PathBuf, String)>,
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
            path: path.clone(),
            transformer: String::new(),
            pooling: None,
            normalize: false,
            include_prompt: true,
            unsupported: Vec::new(),
        };
        for module in list {
            let inside =
                Path::new(&module.path).components().all(|part| matches!(part, Component::Normal(_)));
            if !inside {
                return Err(invalid(&path, format_args!("'{}' leads out of the directory", module.path)));
            }
            // The class moved between packages over the years; its own name did not change.
            match module.r#type.rsplit('.').next().unwrap_or_default() {
                "Transformer" => modules.transformer = module.path,
                "Pooling" => modules.read_pooling(&dir.join(&module.path).join("config.json"))?,
                "Normalize" => modules.normalize = true,
                "Dropout" => {} // does nothing outside of training
                other => {
                    let why = format!("the module {other} is unsupported");
                    modules.unsupported.push((path.clone(), why));
                }
            }
        }
        Ok(Some(modules))
    }

    fn read_pooling(&mut self, path: &Path) -> Result<()> {
        let Some(config) = read_object::<Map<String, Value>>(path)? else {
            return Err(super::json::missing(path));
        };
        self.include_prompt = config.get("include_prompt").and_then(Value::as_bool).unwrap_or(true);
        let modes = modes(&config).map_err(|why| invalid(path, why))?;
        match modes.as_slice() {
            [] => self.pooling = Some(Pooling::Mean), // the library's default
            [mode] => match mode.as_str() {
                "cls" | "cls_token" => self.pooling = Some(Pooling::Cls),
                "mean" | "mean_tokens" => self.pooling = Some(Pooling::Mean),
                "max" | "max_tokens" => self.pooling = Some(Pooling::Max),
                "lasttoken" => self.pooling = Some(Pooling::LastToken),
                other => self.unsupported.push((path.into(), format!("pooling {other} is unsupported"))),
            },
            several => {
                let why = format!("several poolings in one vector are unsupported: {}", several.join(", "));
                self.unsupported.push((path.into(), why));
            }
        }
        Ok(())
    }

    /// Fails when the directory needs what is not implemented, unless the caller says that the graph's own
    /// output is the vector.
    pub(crate) fn check_supported(&self, request: &ModelRequest) -> Result<()> {
        let graph_does_it = request.pooling == Some(Pooling::None)
            || request.output_name.is_some()
            || request.output_index.is_some();
        match self.unsupported.first() {
            Some((path, why)) if !graph_does_it => Err(invalid(
                path,
                format_args!("{why}; if the graph has a finished vector, name that output with outputName"),
            )),
            _ => Ok(()),
        }
    }

    /// Where the tokenizer's files are.
    pub(crate) fn tokenizer_dir(&self, dir: &Path) -> PathBuf {
        let folder = dir.join(&self.transformer);
        // Exports often flatten the folder and leave modules.json as it was.
        if folder.join("tokenizer.json").is_file() { folder } else { dir.to_path_buf() }
    }
}

impl std::fmt::Debug for Modules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Modules").field("path", &self.path).finish_non_exhaustive()
    }
}

/// The modes that are on: `pooling_mode` (a string or a list), or the older `pooling_mode_*` switches.
fn modes(config: &Map<String, Value>) -> Result<Vec<String>, String> {
    match config.get("pooling_mode") {
        Some(Value::String(mode)) => return Ok(vec![mode.clone()]),
        Some(Value::Array(list)) => {
            return list
                .iter()
                .map(|mode| {
                    mode.as_str().map(str::to_owned).ok_or("pooling_mode is no list of strings".into())
                })
                .collect();
        }
        None | Some(Value::Null) => {}
        Some(other) => return Err(format!("pooling_mode is {other}, expected a string")),
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
    Ok(on)
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

/// Names the file has had; the first that exists counts.
const TRANSFORMER_FILES: [&str; 7] = [
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
