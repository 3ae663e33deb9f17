//! The modules of a sentence-transformers directory that come after its pooling: their settings, and their weights from safetensors.
//!
//! What they compute is in [`postprocess`](crate::postprocess); which of them a graph has inside already is decided in [`bind`](super::bind()).

use super::{
    json::{invalid, missing, read_bytes, read_object},
    tensors::floats,
};
use crate::postprocess::{Activation, Linear, Step};
use millrace_contract::Result;
use safetensors::SafeTensors;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// A module whose weights are not read yet.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ModuleFile {
    /// A product, a bias and an activation.
    Dense { folder: PathBuf, settings: DenseSettings },
    /// Values with mean 0 and variance 1, scaled and shifted.
    LayerNorm { folder: PathBuf },
    /// Vectors of length 1, between other modules.
    Normalize,
}

/// The keys of a Dense module's config.json.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct DenseSettings {
    pub(crate) in_features: usize,
    pub(crate) out_features: usize,
    #[serde(default = "yes")]
    bias: bool,
    /// A class of torch, by its path.
    activation_function: Option<String>,
    module_input_name: Option<String>,
    module_output_name: Option<String>,
    #[serde(default)]
    use_residual: bool,
}

/// A Dense module has a bias where its file does not say.
fn yes() -> bool {
    true
}

/// The key under which modules hand the pooled vector on.
const POOLED: &str = "sentence_embedding";

impl ModuleFile {
    /// Reads the settings of a Dense module. The inner error says what of them is not implemented.
    pub(crate) fn dense(folder: &Path) -> Result<Result<Self, String>> {
        let path = folder.join("config.json");
        let settings: DenseSettings = read_object(&path)?.ok_or_else(|| missing(&path))?;
        for name in [&settings.module_input_name, &settings.module_output_name].into_iter().flatten() {
            if name != POOLED {
                return Ok(Err(format!("a Dense module of '{name}' is unsupported here")));
            }
        }
        if let Err(why) = settings.activation() {
            return Ok(Err(why));
        }
        Ok(Ok(Self::Dense { folder: folder.to_path_buf(), settings }))
    }

    /// A `LayerNorm` module, which has no settings that its weights do not tell.
    pub(crate) fn layer_norm(folder: &Path) -> Self {
        Self::LayerNorm { folder: folder.to_path_buf() }
    }

    /// Values that go in, where the settings tell.
    pub(crate) fn takes(&self) -> Option<usize> {
        match self {
            Self::Dense { settings, .. } => Some(settings.in_features),
            Self::LayerNorm { .. } | Self::Normalize => None,
        }
    }

    /// Values that come out of `taken`.
    pub(crate) fn gives(&self, taken: Option<usize>) -> Option<usize> {
        match self {
            Self::Dense { settings, .. } => Some(settings.out_features),
            Self::LayerNorm { .. } | Self::Normalize => taken,
        }
    }

    /// Reads the weights.
    pub(crate) fn load(&self) -> Result<Step> {
        match self {
            Self::Dense { folder, settings } => settings.load(folder).map(Step::Linear),
            Self::LayerNorm { folder } => {
                let weights = Weights::read(folder)?;
                let scale = weights.vector("norm.weight", None)?;
                let shift = weights.vector("norm.bias", Some(scale.len()))?;
                Ok(Step::LayerNorm { scale, shift })
            }
            Self::Normalize => Ok(Step::Normalize),
        }
    }
}

impl DenseSettings {
    fn activation(&self) -> Result<Activation, String> {
        // The library's own default.
        let Some(path) = &self.activation_function else { return Ok(Activation::Tanh) };
        let name = path.rsplit('.').next().unwrap_or_default();
        Activation::named(name).ok_or_else(|| format!("the activation {path} is unsupported"))
    }

    fn load(&self, folder: &Path) -> Result<Linear> {
        let weights = Weights::read(folder)?;
        let (inputs, outputs) = (self.in_features, self.out_features);
        let residual = match self.use_residual {
            false => None,
            true if inputs == outputs => Some(None),
            true => Some(Some(weights.matrix("residual.weight", outputs, inputs)?)),
        };
        Ok(Linear {
            inputs,
            weight: weights.matrix("linear.weight", outputs, inputs)?,
            bias: if self.bias { weights.vector("linear.bias", Some(outputs))? } else { vec![0.0; outputs] },
            activation: self.activation().map_err(|why| invalid(&folder.join("config.json"), why))?,
            residual,
        })
    }
}

/// The weights of one module.
struct Weights {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Weights {
    fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("model.safetensors");
        let bytes = read_bytes(&path)?.ok_or_else(|| {
            let pickled = folder.join("pytorch_model.bin");
            if pickled.exists() {
                let why =
                    "the module's weights are pickled, which is not read; save them as model.safetensors";
                return invalid(&pickled, why);
            }
            missing(&path)
        })?;
        Ok(Self { path, bytes })
    }

    /// A matrix `[rows, columns]`, row-major.
    fn matrix(&self, name: &str, rows: usize, columns: usize) -> Result<Vec<f32>> {
        self.tensor(name, &|shape| shape == [rows, columns], &format!("[{rows}, {columns}]"))
    }

    /// A vector, of so many values where that is known.
    fn vector(&self, name: &str, length: Option<usize>) -> Result<Vec<f32>> {
        let fits = |shape: &[usize]| matches!(*shape, [found] if length.is_none_or(|length| length == found));
        self.tensor(name, &fits, &length.map_or_else(|| "[n]".to_owned(), |length| format!("[{length}]")))
    }

    #[expect(clippy::cast_possible_truncation, reason = "weights are float32 or less")]
    fn tensor(&self, name: &str, fits: &dyn Fn(&[usize]) -> bool, expected: &str) -> Result<Vec<f32>> {
        let file = SafeTensors::deserialize(&self.bytes).map_err(|error| invalid(&self.path, error))?;
        let tensor = file.tensor(name).map_err(|error| invalid(&self.path, error))?;
        if !fits(tensor.shape()) {
            let shape = tensor.shape();
            return Err(invalid(&self.path, format_args!("{name} is {shape:?}, expected {expected}")));
        }
        let values =
            floats(&tensor).map_err(|why| invalid(&self.path, format_args!("{name}: values {why}")))?;
        Ok(values.into_iter().map(|value| value as f32).collect())
    }
}
