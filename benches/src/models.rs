//! The models that are measured, and ONNX Runtime under them.

use crate::{Error, Result, texts};
use millrace_contract::{Backend, DType};
use millrace_core::{
    dense::{DenseCall, DenseText},
    engine::{Engine, EngineOptions},
    model::{self, DenseHead, ModelRequest, ModelSpec},
    postprocess::DenseOptions,
    tokenizer::{Overflow, Tokenizer},
};
use millrace_ort::{DeviceRequest, OrtBackend, OrtOptions};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// An ONNX Runtime library to take instead of the one that set-up puts beside the addon.
pub const LIBRARY_VARIABLE: &str = "MILLRACE_ORT_PATH";

/// A folder with `model.onnx` and `model_int8.onnx`, which are not part of the repository.
pub const MODELS_VARIABLE: &str = "MILLRACE_BENCH_MODELS";

/// Threads of every contestant.
pub const THREADS: usize = 2;

/// One ONNX file of all-MiniLM-L6-v2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// Its name in tables.
    pub name: &'static str,
    /// Folder of the model.
    pub dir: PathBuf,
    /// The file in it.
    pub file: &'static str,
}

impl Variant {
    /// The bundled model: integer weights, floating-point activations.
    #[must_use]
    pub fn bundled() -> Self {
        let dir = texts::root().join("models").join("all-minilm-l6-v2");
        Self { name: "w8", dir, file: "model_w8.onnx" }
    }

    /// What is there of the bundled, the fp32 and the dynamic int8 model, and the names of those that are not.
    #[must_use]
    pub fn present() -> (Vec<Self>, Vec<&'static str>) {
        let dir = std::env::var_os(MODELS_VARIABLE).map_or_else(
            || texts::root().join("..").join("shared").join("models").join("all-MiniLM-L6-v2"),
            PathBuf::from,
        );
        let more = [("fp32", "model.onnx"), ("int8", "model_int8.onnx")].map(|(name, file)| Self {
            name,
            dir: dir.clone(),
            file,
        });
        let (there, absent): (Vec<_>, Vec<_>) =
            std::iter::once(Self::bundled()).chain(more).partition(|it| it.dir.join(it.file).is_file());
        (there, absent.into_iter().map(|variant| variant.name).collect())
    }
}

/// Loads the runtime library, once a process.
pub fn start_runtime() -> Result<millrace_contract::RuntimeInfo> {
    let candidate = match std::env::var_os(LIBRARY_VARIABLE) {
        Some(path) => PathBuf::from(path),
        None => beside_the_addon()?,
    };
    Ok(millrace_ort::init(&[std::path::absolute(candidate)?])?)
}

/// The library in the package of this platform: `npm/<platform>/`, of which only one is filled by set-up.
fn beside_the_addon() -> Result<PathBuf> {
    let is_library = |path: &Path| {
        path.file_name().is_some_and(|name| {
            ["libmillrace_ort.so", "libmillrace_ort.dylib", "millrace_ort.dll"].iter().any(|n| name == *n)
        })
    };
    for package in std::fs::read_dir(texts::root().join("npm"))? {
        let package = package?.path();
        if !package.is_dir() {
            continue;
        }
        for file in std::fs::read_dir(package)? {
            let file = file?.path();
            if is_library(&file) {
                return Ok(file);
            }
        }
    }
    Err(Error::from(format!(
        "no ONNX Runtime library under npm/: run `npm run setup`, or set {LIBRARY_VARIABLE} to one"
    )))
}

/// Tokenizer of the bundled model, without its graph.
pub fn tokenizer() -> Result<Tokenizer> {
    Ok(Tokenizer::load(&spec(&Variant::bundled())?)?)
}

fn spec(variant: &Variant) -> Result<ModelSpec> {
    Ok(model::resolve(&ModelRequest {
        dir: variant.dir.clone(),
        model_file: Some(variant.file.to_owned()),
        ..ModelRequest::default()
    })?)
}

/// A loaded graph, on which engines and bare sessions are opened: both run over the same weights.
pub struct Model {
    /// The graph.
    pub backend: Arc<OrtBackend>,
    /// What its vectors are made of.
    pub head: DenseHead,
    spec: ModelSpec,
}

impl Model {
    /// Loads a variant with as many slots as there are threads, one thread each.
    pub fn load(variant: &Variant) -> Result<Self> {
        let options = OrtOptions {
            threads_per_session: 1,
            slots: THREADS,
            device: DeviceRequest::Cpu,
            device_ids: Vec::new(),
        };
        let spec = spec(variant)?;
        let backend = Arc::new(OrtBackend::load(&spec.graph_path, &options)?);
        let head = model::bind(&spec, backend.graph())?;
        Ok(Self { backend, head, spec })
    }

    /// A tokenizer of the model.
    pub fn tokenizer(&self) -> Result<Tokenizer> {
        Ok(Tokenizer::load(&self.spec)?)
    }

    /// An engine over the graph. `row_by_row`: `None` as millrace decides.
    pub fn engine(&self, max_batch_tokens: usize, row_by_row: Option<bool>) -> Result<Engine<DenseText>> {
        let graph = self.backend.graph().clone();
        let options = EngineOptions {
            max_batch_tokens,
            row_by_row: row_by_row.unwrap_or(graph.rows_interact()),
            ..EngineOptions::of_sessions(THREADS)
        };
        let family = DenseText::new(self.tokenizer()?, graph, &self.head);
        Ok(Engine::start(self.backend.clone(), family, options)?)
    }

    /// The options of a call on it, with the settings every comparison uses.
    #[must_use]
    pub fn call(&self) -> DenseCall {
        DenseCall {
            limit: texts::LIMIT,
            overflow: Overflow::Truncate,
            chunks: None,
            prompt: None,
            vector: DenseOptions {
                pooling: self.head.pooling(),
                normalize: self.head.normalize.value,
                dimensions: None,
                dtype: DType::Float32,
            },
            task: None,
        }
    }
}
