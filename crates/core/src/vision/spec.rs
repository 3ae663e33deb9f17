//! What a directory and a graph say about an image model.

use super::PATCH_SIDE;
use crate::{
    image::Processor,
    model::{NO_FILE_SAYS, SCORES, Sourced, check_directory, graph_file, json, said_by},
};
use millrace_contract::{Element, Error, ErrorKind, Graph, Pooling, Port, Result};
use serde_json::Value;
use std::{
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

/// Patch sizes that are believed: others would make runs of one image, or of hundreds.
const PATCH_SIDES: RangeInclusive<usize> = 8..=32;

/// How an image's vector is taken from the graph's output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VisionPooling {
    /// All values of the row, whatever their shape.
    Flatten,
    /// The first token of `[rows, tokens, dim]`.
    FirstToken,
}

/// What the caller says about a model. Everything but the directory may be left to its files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VisionRequest {
    /// Directory of the model's files.
    pub dir: PathBuf,
    /// The graph's file, relative to `dir`.
    pub model_file: Option<String>,
    /// The graph's output to take, by name.
    pub output_name: Option<String>,
    /// How the vector is taken from it.
    pub pooling: Option<VisionPooling>,
    /// Whether vectors are scaled to length 1; they are by default.
    pub normalize: Option<bool>,
    /// Names of the options above, as TypeScript spells them, that the model's definition says and not the caller.
    pub defined: Vec<String>,
}

/// A directory, understood.
#[derive(Debug, Clone)]
pub struct VisionSpec {
    /// The graph's file.
    pub graph_path: PathBuf,
    /// The graph's file, relative to the directory.
    pub model_file: String,
    /// What is done to an image first.
    pub processor: Processor,
    patch_side: usize,
    output_name: Option<Sourced<String>>,
    pooling: Option<Sourced<VisionPooling>>,
    normalize: Sourced<bool>,
}

/// A vision graph's ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisionHead {
    /// Name of the input that takes the pixels.
    pub input: String,
    /// Height and width it takes, where the graph fixes them.
    pub size: Option<(usize, usize)>,
    /// Side of the squares of pixels that the model makes tokens of, or a guess of it.
    pub patch_side: usize,
    /// Position of the output among the graph's.
    pub output: usize,
    /// Its name, and who chose it.
    pub output_name: Sourced<String>,
    /// How the vector is taken from it.
    pub pooling: Sourced<VisionPooling>,
    /// Whether vectors are scaled to length 1.
    pub normalize: Sourced<bool>,
    /// Dimensions of a vector, where the graph tells.
    pub dim: Option<usize>,
}

impl VisionHead {
    /// The pooling of [`DenseOptions`](crate::postprocess::DenseOptions) that this head comes to.
    pub(super) fn dense_pooling(&self) -> Pooling {
        match self.pooling.value {
            VisionPooling::Flatten => Pooling::None,
            VisionPooling::FirstToken => Pooling::Cls,
        }
    }
}

/// Reads the directory: chooses the graph, reads `preprocessor_config.json` and, where it is there, `config.json`.
///
/// [`ErrorKind::ModelNotFound`] names a file that is missing, [`ErrorKind::ModelInvalid`] one that is broken,
/// [`ErrorKind::InvalidOption`] what the caller must change.
pub fn resolve(request: &VisionRequest) -> Result<VisionSpec> {
    let dir: &Path = &request.dir;
    check_directory(dir)?;
    let source = |name: &str| said_by(&request.defined, name);
    let normalize = request.normalize.map(|value| Sourced { value, source: source("normalize") });
    let model_file = graph_file::choose(dir, request.model_file.as_deref())?;
    Ok(VisionSpec {
        graph_path: dir.join(&model_file),
        model_file,
        processor: Processor::load(dir)?,
        patch_side: patch_side(dir)?,
        output_name: request.output_name.clone().map(|value| Sourced { value, source: source("outputName") }),
        pooling: request.pooling.map(|value| Sourced { value, source: source("pooling") }),
        normalize: normalize.unwrap_or_else(|| Sourced { value: true, source: NO_FILE_SAYS.to_owned() }),
    })
}

/// The patch size that `config.json` names, for the vision part of a model of texts and images too. It only steers how many
/// images share a run.
fn patch_side(dir: &Path) -> Result<usize> {
    let config: serde_json::Map<String, Value> =
        json::read_object(&dir.join("config.json"))?.unwrap_or_default();
    let named = config.get("patch_size").or_else(|| config.get("vision_config")?.get("patch_size"));
    let side = named.and_then(Value::as_u64).and_then(|side| usize::try_from(side).ok());
    Ok(side.filter(|side| PATCH_SIDES.contains(side)).unwrap_or(PATCH_SIDE))
}

/// Chooses the output and how it is pooled.
///
/// The output is the one asked for; else, unless a pooling is asked for, one of those that hold finished vectors by their names; else the first.
/// Of tokens, `[rows, tokens, dim]`, the caller has to say what is taken; all values of any other shape are.
///
/// [`ErrorKind::InvalidOption`] names the option that has to say what nobody says; [`ErrorKind::ModelInvalid`] is for graphs that give no
/// vectors, such as those of classifiers.
pub fn bind(spec: &VisionSpec, graph: &Graph) -> Result<VisionHead> {
    let broken = |why: String| json::invalid(&spec.graph_path, why);
    let input = graph.inputs.first().ok_or_else(|| broken("has no inputs".to_owned()))?;
    if graph.inputs.len() > 1 || !(input.dims.is_empty() || input.dims.len() == 4) {
        let found: Vec<String> =
            graph.inputs.iter().map(|port| format!("{} {:?}", port.name, port.dims)).collect();
        let found = found.join(", ");
        return Err(broken(format!("expected one input [images, 3, height, width], but there are: {found}")));
    }
    if !matches!(input.element, Element::F32 | Element::F16) {
        return Err(broken(format!("input {} is {:?}, expected F32 or F16", input.name, input.element)));
    }
    let size = fixed(input, 2).zip(fixed(input, 3));
    if let (Some(size), Some(made)) = (size, spec.processor.tile_size())
        && size != made
    {
        let why = format!(
            "takes images of {} x {} (height, width), but preprocessor_config.json makes {} x {}",
            size.0, size.1, made.0, made.1
        );
        return Err(broken(why));
    }
    if let Some(&images) = input.dims.first().filter(|&&images| images > 1) {
        let why = format!(
            "input {} is {:?}: the graph runs exactly {images} images at a time; export it with a batch axis that varies, or of 1",
            input.name, input.dims
        );
        return Err(broken(why));
    }
    let (output, source) = choose_output(spec, graph)?;
    let port = graph.outputs.get(output).ok_or_else(|| broken("has no outputs".to_owned()))?;
    if matches!(port.element, Element::Bool | Element::Other) {
        return Err(broken(format!("output {} holds no numbers ({:?})", port.name, port.element)));
    }
    if port.name == SCORES && spec.output_name.is_none() {
        return Err(broken(format!(
            "output {SCORES} holds the scores of a classifier and no vectors; name another output with outputName if the graph has them"
        )));
    }
    let pooling = match &spec.pooling {
        Some(asked) => asked.clone(),
        None if port.dims.len() == 3 => return Err(nobody_says(spec, port)),
        None => Sourced {
            value: VisionPooling::Flatten,
            source: format!("output {}, which is {:?}", port.name, port.dims),
        },
    };
    let dim = match pooling.value {
        VisionPooling::FirstToken => fixed(port, 2),
        VisionPooling::Flatten => (1..port.dims.len()).map(|axis| fixed(port, axis)).product(),
    };
    Ok(VisionHead {
        input: input.name.clone(),
        size,
        patch_side: spec.patch_side,
        output,
        output_name: Sourced { value: port.name.clone(), source },
        pooling,
        normalize: spec.normalize.clone(),
        dim: dim.filter(|_| port.dims.len() > 1),
    })
}

/// Names under which exports of image models give finished vectors, the surest first.
const FINISHED_IMAGES: [&str; 3] = ["image_embeds", "sentence_embedding", "pooler_output"];

/// The position of the output to read, and who says so.
fn choose_output(spec: &VisionSpec, graph: &Graph) -> Result<(usize, String)> {
    if let Some(name) = &spec.output_name {
        let position = graph.output_position(&name.value).ok_or_else(|| {
            let names: Vec<&str> = graph.outputs.iter().map(|port| port.name.as_str()).collect();
            Error::new(
                ErrorKind::InvalidOption,
                format!(
                    "Expected one of the graph's outputs ({}) for outputName but received '{}'",
                    names.join(", "),
                    name.value
                ),
            )
        })?;
        return Ok((position, name.source.clone()));
    }
    if graph.outputs.len() < 2 {
        return Ok((0, "the graph's only output".to_owned()));
    }
    // Whoever asks for a pooling means an output of tokens, FastEmbed's first.
    let named = FINISHED_IMAGES.iter().find_map(|name| graph.output_position(name));
    match named.filter(|_| spec.pooling.is_none()) {
        Some(position) => Ok((position, "the graph's output of finished vectors".to_owned())),
        None => Ok((0, format!("the first of the graph's {} outputs", graph.outputs.len()))),
    }
}

/// The error where the meaning of a vector would have to be guessed.
fn nobody_says(spec: &VisionSpec, port: &Port) -> Error {
    Error::new(
        ErrorKind::InvalidOption,
        format!(
            "Expected 'cls' (the first token) or 'none' (all values) for pooling but received none: output {} of {} has a vector for each \
             token ({:?}), and nothing says which of them is the image's; an output with finished vectors can be named with outputName",
            port.name,
            spec.graph_path.display(),
            port.dims
        ),
    )
}

fn fixed(port: &Port, axis: usize) -> Option<usize> {
    port.dims.get(axis).and_then(|&dim| usize::try_from(dim).ok()).filter(|&dim| dim > 0)
}
