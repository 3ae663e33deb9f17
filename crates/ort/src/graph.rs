//! Looking into an ONNX file before it is loaded: quantisation, size, and whether its external data is whole.
//! Reads the structure and skips the weights. Not a validator: ONNX Runtime is.

use crate::{
    onnx::{Graph, Model, Node, Tensor},
    quantization::classify,
    widths,
};
use memmap2::Mmap;
use millrace_contract::{Error, ErrorKind, Quantization, Result};
use prost::{Message, bytes::Bytes};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

/// What an ONNX file says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphFile {
    /// How it is quantised.
    pub quantization: Quantization,
    /// Heads of an attention layer, the most of any, where the graph says so.
    pub heads: Option<usize>,
    /// Values of a token in the widest layer, where the shapes of the weights say so.
    pub widest: Option<usize>,
    /// Bytes of the file and of all files its tensors lie in.
    pub file_bytes: u64,
    /// The files its tensors lie in, besides itself.
    pub external: Vec<PathBuf>,
}

/// Reads the structure of the ONNX file at `path`.
///
/// Kinds of errors: `ModelNotFound` when it or a file of its weights is missing, `ModelInvalid` when it is
/// cut or no ONNX file, or a file of its weights is too short.
pub fn inspect(path: &Path) -> Result<GraphFile> {
    let invalid = |why: String| Error::new(ErrorKind::ModelInvalid, format!("{}: {why}", path.display()));
    let file = open(path)?;
    let length = file.metadata().map_err(|error| unreadable(path, &error))?.len();
    if length == 0 {
        return Err(invalid("an empty file, not an ONNX model".into()));
    }
    // SAFETY: the map is read here and dropped at the end of this function. Model files are written once
    // and replaced by renaming; one that is cut in place in these milliseconds would end the process, as
    // it does for every reader of mapped files.
    let bytes = unsafe { Mmap::map(&file) }.map_err(|error| unreadable(path, &error))?;
    let bytes = Bytes::from_owner(bytes);
    if bytes.starts_with(b"version https://git-lfs") {
        return Err(invalid("a Git LFS pointer, not the model itself".into()));
    }
    let model =
        Model::decode(bytes).map_err(|error| invalid(format!("not an ONNX model, or cut ({error})")))?;
    let graph = model.graph.as_ref().ok_or_else(|| invalid("not an ONNX model (it has no graph)".into()))?;
    if model.ir_version < 1 || graph.node.is_empty() {
        return Err(invalid("not an ONNX model (an empty graph)".into()));
    }
    let mut needs = BTreeMap::new();
    collect(graph, &mut needs);
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut file_bytes = length;
    let mut external = Vec::with_capacity(needs.len());
    for (location, needed) in needs {
        let data = folder.join(location);
        let found = open(&data)?.metadata().map_err(|error| unreadable(&data, &error))?.len();
        if found < needed {
            let data = data.display();
            return Err(invalid(format!("its weights need {needed} bytes of {data}, which has {found}")));
        }
        file_bytes = file_bytes.saturating_add(found);
        external.push(data);
    }
    Ok(GraphFile {
        quantization: classify(&model),
        heads: widths::heads(&model),
        widest: widths::widest(&model),
        file_bytes,
        external,
    })
}

/// The files that tensors of `graph` lie in, with the bytes each must have.
fn collect<'a>(graph: &'a Graph, needs: &mut BTreeMap<&'a str, u64>) {
    let in_nodes = graph.node.iter().flat_map(Node::tensors);
    for tensor in graph.initializer.iter().chain(in_nodes) {
        if let Some(location) = tensor.external("location") {
            let end = number(tensor, "offset").saturating_add(number(tensor, "length"));
            let needed = needs.entry(location).or_default();
            *needed = end.max(*needed);
        }
    }
    for body in graph.node.iter().flat_map(Node::bodies) {
        collect(body, needs);
    }
}

fn number(tensor: &Tensor, key: &str) -> u64 {
    tensor.external(key).and_then(|value| value.parse().ok()).unwrap_or(0)
}

/// Opens a regular file of the model.
fn open(path: &Path) -> Result<File> {
    // Asked first: opening a pipe would block.
    let found = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if !found.is_file() {
        return Err(Error::new(ErrorKind::ModelNotFound, format!("{} is not a file", path.display())));
    }
    File::open(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    let path = path.display();
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            Error::new(ErrorKind::ModelNotFound, format!("{path} does not exist"))
        }
        _ => Error::new(ErrorKind::ModelNotFound, format!("{path} cannot be read: {error}")),
    }
}
