//! What a directory and a graph say about a multimodal late-interaction model.

use crate::{
    image::Processor,
    model::{self, ModelRequest, ModelSpec, json},
    tokenizer::Tokenizer,
};
use millrace_contract::{Element, Graph, Result};
use serde_json::Value;

/// Image tokens of a tile, where `processor_config.json` is silent.
const IMAGE_TOKENS: u64 = 64;

/// Side of a tile, where config.json is silent.
const TILE_SIDE: u64 = 512;

/// The inputs that these graphs have.
const FED: [&str; 4] = ["input_ids", "attention_mask", "token_type_ids", "pixel_values"];

/// Which prompts and tensors a model takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// ColPali: one picture of 448 x 448, always 1,030 vectors.
    ColPali,
    /// ColModernVBERT: tiles and a view of the whole, a vector for each token of the prompt.
    ColModernVbert {
        /// Image tokens of a tile.
        image_tokens: usize,
        /// Side of the blank tile that texts go with.
        side: usize,
    },
}

/// A directory, understood.
#[derive(Debug)]
pub struct MultimodalSpec {
    /// Graph, limit and tokenizer files.
    pub model: ModelSpec,
    /// What is done to an image first.
    pub processor: Processor,
    /// Which prompts and tensors it takes.
    pub architecture: Architecture,
    /// The tokenizer.
    pub tokenizer: Tokenizer,
}

/// Values of `model_type` in config.json that are a ColPali.
const COLPALI: [&str; 2] = ["colpali", "paligemma"];

/// Values of `model_type` in config.json that are a ColModernVBERT.
const COLMODERNVBERT: [&str; 3] = ["colmodernvbert", "modernvbert", "idefics3"];

/// Reads the directory. `model_type` of config.json tells the architecture; where it is silent, a model with a `processor_config.json`
/// (Idefics3's) is a ColModernVBERT and others are ColPali, as in FastEmbed. Another `model_type` is refused: prompts and image tokens of
/// another architecture would give vectors that mean nothing.
///
/// [`MODEL_NOT_FOUND`](millrace_contract::ErrorKind::ModelNotFound) names a file that is missing,
/// [`MODEL_INVALID`](millrace_contract::ErrorKind::ModelInvalid) one that is broken.
pub fn resolve(request: &ModelRequest) -> Result<MultimodalSpec> {
    let model = model::resolve(request)?;
    let processor = Processor::load(&model.dir)?;
    let path = model.dir.join("processor_config.json");
    let config_path = model.dir.join("config.json");
    let config: Value = json::read_object(&config_path)?.unwrap_or_default();
    let settings = json::read_object::<Value>(&path)?;
    let tiles = match config["model_type"].as_str() {
        Some(kind) if COLPALI.contains(&kind) => None,
        Some(kind) if COLMODERNVBERT.contains(&kind) => Some(settings.ok_or_else(|| json::missing(&path))?),
        Some(other) => {
            let why = format_args!(
                "the architecture {other} is not known; {} and {} are",
                COLPALI.join(", "),
                COLMODERNVBERT.join(", ")
            );
            return Err(json::invalid(&config_path, why));
        }
        None => settings,
    };
    let architecture = match tiles {
        None => Architecture::ColPali,
        Some(settings) => {
            let side = config["vision_config"]["image_size"].as_u64().unwrap_or(TILE_SIDE);
            let image_tokens = settings["image_seq_len"].as_u64().unwrap_or(IMAGE_TOKENS);
            // Beyond these a prompt or a tile would be larger than any model's input.
            let checked = |value: u64, most: u64, key: &str| {
                usize::try_from(value).ok().filter(|_| (1..=most).contains(&value)).ok_or_else(|| {
                    json::invalid(&path, format_args!("{key} is {value}, expected 1 to {most}"))
                })
            };
            Architecture::ColModernVbert {
                image_tokens: checked(image_tokens, 4096, "image_seq_len")?,
                side: checked(side, 4096, "image_size of config.json")?,
            }
        }
    };
    let tokenizer = Tokenizer::load(&model)?;
    Ok(MultimodalSpec { model, processor, architecture, tokenizer })
}

/// Checks that the graph takes what the model is fed and gives vectors of tokens.
pub fn check(spec: &MultimodalSpec, graph: &Graph) -> Result<()> {
    let broken = |why: String| json::invalid(&spec.model.graph_path, why);
    let integers = &[Element::I64, Element::I32][..];
    let floats = &[Element::F32, Element::F16][..];
    for (name, elements) in [("input_ids", integers), ("attention_mask", integers), ("pixel_values", floats)]
    {
        match graph.input(name) {
            Some(port) if elements.contains(&port.element) => {}
            Some(port) => {
                return Err(broken(format!(
                    "input {name} is {:?}, expected one of {elements:?}",
                    port.element
                )));
            }
            None => return Err(broken(format!("has no input {name}"))),
        }
    }
    if let Some(port) = graph.inputs.iter().find(|port| !FED.contains(&port.name.as_str())) {
        return Err(broken(format!("needs an input that nothing gives: {}", port.name)));
    }
    if let Some(port) = graph.inputs.iter().find(|port| port.dims.first().is_some_and(|&rows| rows > 1)) {
        return Err(broken(format!(
            "input {} is {:?}: the graph runs a fixed number of inputs at a time; export it with a batch axis that varies, or of 1",
            port.name, port.dims
        )));
    }
    match graph.outputs.first() {
        Some(port) if port.dims.len() == 3 || port.dims.is_empty() => Ok(()),
        Some(port) => {
            Err(broken(format!("output {} is {:?}, expected [rows, tokens, dim]", port.name, port.dims)))
        }
        None => Err(broken("has no outputs".to_owned())),
    }
}
