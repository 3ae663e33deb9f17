//! Reading an ONNX file into nodes and tensors.

use super::{
    tensor::{Kind, Tensor},
    wire::{Broken, Fields},
};
use memmap2::Mmap;
use millrace_contract::{Error, ErrorKind, Result};
use std::{
    collections::HashMap,
    fs::{self, File},
    io,
    path::{Component, Path},
    sync::Arc,
};

/// More nodes than any encoder has (a model of 48 layers has about 4,000); a file that claims more is not worth its memory.
const MOST_NODES: usize = 65_536;
/// The same for tensors, attributes of a node, and names of a node.
const MOST_TENSORS: usize = 65_536;
const MOST_PARTS: usize = 4_096;
/// ONNX has no tensors of more axes in practice.
const MOST_AXES: usize = 16;

/// One operation of the graph.
#[derive(Debug, Clone, Default)]
pub(crate) struct Node {
    pub(crate) op: String,
    pub(crate) domain: String,
    pub(crate) inputs: Vec<String>,
    pub(crate) outputs: Vec<String>,
    pub(crate) attributes: Vec<(String, Attribute)>,
}

/// An attribute's value.
#[derive(Debug, Clone)]
pub(crate) enum Attribute {
    Float(f32),
    Int(i64),
    Text(String),
    Ints(Vec<i64>),
    Floats(Vec<f32>),
    Tensor(Tensor),
    /// A graph, or a kind that no operation of ours has.
    Other,
}

impl Node {
    pub(crate) fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|(found, _)| found == name).map(|(_, value)| value)
    }

    pub(crate) fn int(&self, name: &str) -> Option<i64> {
        match self.attribute(name) {
            Some(Attribute::Int(value)) => Some(*value),
            _ => None,
        }
    }

    pub(crate) fn float(&self, name: &str) -> Option<f32> {
        match self.attribute(name) {
            Some(Attribute::Float(value)) => Some(*value),
            _ => None,
        }
    }

    pub(crate) fn ints(&self, name: &str) -> Option<&[i64]> {
        match self.attribute(name) {
            Some(Attribute::Ints(values)) => Some(values),
            _ => None,
        }
    }
}

/// An input or output of the graph.
#[derive(Debug, Clone, Default)]
pub(crate) struct Value {
    pub(crate) name: String,
    /// ONNX's number of its element type.
    pub(crate) element: i64,
    /// Its dimensions; -1 stands for one that varies.
    pub(crate) dims: Vec<i64>,
}

/// An ONNX file, read.
#[derive(Debug, Default)]
pub(crate) struct OnnxFile {
    pub(crate) nodes: Vec<Node>,
    pub(crate) tensors: HashMap<String, Tensor>,
    pub(crate) inputs: Vec<Value>,
    pub(crate) outputs: Vec<Value>,
    /// Operators of the file's own, which nodes may call; their number is all that is read.
    pub(crate) functions: usize,
    /// Bytes of the file and of all files its tensors lie in.
    pub(crate) bytes: u64,
}

impl OnnxFile {
    /// Reads the file at `path`; tensors stay in the mapped file, and in those beside it that they name.
    ///
    /// Kinds of errors: `ModelNotFound` when a file is missing, `ModelInvalid` when it is broken, cut, or claims sizes that do not fit.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let map = map(path)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut reader =
            Reader { map: Arc::clone(&map), folder, others: HashMap::new(), file: Self::default() };
        reader.file.bytes = map.len() as u64;
        let read = reader.model(&map);
        let invalid = |why: &str| Error::new(ErrorKind::ModelInvalid, format!("{}: {why}", path.display()));
        match read {
            Ok(()) if reader.file.nodes.is_empty() => Err(invalid("not an ONNX model (an empty graph)")),
            Ok(()) => Ok(reader.file),
            Err(Fault::Broken) => Err(invalid("not an ONNX model, or cut")),
            Err(Fault::TooMany(what)) => {
                Err(invalid(&format!("it has more {what} than an encoder can have")))
            }
            Err(Fault::Tensor(name)) => {
                Err(invalid(&format!("the values of its tensor {name} do not fit their shape or place")))
            }
            Err(Fault::Error(error)) => Err(error),
        }
    }
}

enum Fault {
    Broken,
    TooMany(&'static str),
    Tensor(String),
    Error(Error),
}

impl From<Broken> for Fault {
    fn from(_: Broken) -> Self {
        Self::Broken
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

struct Reader<'p> {
    map: Arc<Mmap>,
    folder: &'p Path,
    others: HashMap<String, Arc<Mmap>>,
    file: OnnxFile,
}

fn push<T>(list: &mut Vec<T>, most: usize, what: &'static str, item: T) -> Result<(), Fault> {
    if list.len() >= most {
        return Err(Fault::TooMany(what));
    }
    list.push(item);
    Ok(())
}

impl Reader<'_> {
    fn model(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let mut graphs = 0;
        for field in Fields::of(bytes) {
            let field = field?;
            match field.number {
                7 => {
                    graphs += 1;
                    self.graph(field.value.bytes()?)?;
                }
                25 => self.file.functions += 1,
                _ => {}
            }
        }
        if graphs == 1 { Ok(()) } else { Err(Fault::Broken) }
    }

    fn graph(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        for field in Fields::of(bytes) {
            let field = field?;
            match field.number {
                1 => {
                    let node = self.node(field.value.bytes()?)?;
                    push(&mut self.file.nodes, MOST_NODES, "nodes", node)?;
                }
                5 => {
                    // A tensor of a type that is not ours is left out; the node that needs it will say so.
                    if let (name, Some(tensor)) = self.tensor(field.value.bytes()?)? {
                        if self.file.tensors.len() >= MOST_TENSORS {
                            return Err(Fault::TooMany("tensors"));
                        }
                        self.file.tensors.insert(name, tensor);
                    }
                }
                11 => {
                    push(&mut self.file.inputs, MOST_PARTS, "inputs", value(field.value.bytes()?)?)?;
                }
                12 => {
                    push(&mut self.file.outputs, MOST_PARTS, "outputs", value(field.value.bytes()?)?)?;
                }
                15 => return Err(Fault::TooMany("sparse tensors")),
                _ => {}
            }
        }
        Ok(())
    }

    fn node(&mut self, bytes: &[u8]) -> Result<Node, Fault> {
        let mut node = Node::default();
        for field in Fields::of(bytes) {
            let field = field?;
            match field.number {
                1 => push(&mut node.inputs, MOST_PARTS, "inputs of a node", field.value.text()?.to_owned())?,
                2 => {
                    push(&mut node.outputs, MOST_PARTS, "outputs of a node", field.value.text()?.to_owned())?;
                }
                4 => field.value.text()?.clone_into(&mut node.op),
                5 => {
                    let attribute = self.attribute(field.value.bytes()?)?;
                    push(&mut node.attributes, MOST_PARTS, "attributes of a node", attribute)?;
                }
                7 => field.value.text()?.clone_into(&mut node.domain),
                _ => {}
            }
        }
        Ok(node)
    }

    fn attribute(&mut self, bytes: &[u8]) -> Result<(String, Attribute), Fault> {
        let mut name = String::new();
        let mut value = None;
        let (mut ints, mut floats) = (Vec::new(), Vec::new());
        let mut kind = 0;
        for field in Fields::of(bytes) {
            let field = field?;
            match field.number {
                1 => field.value.text()?.clone_into(&mut name),
                2 => value = Some(Attribute::Float(field.value.float()?)),
                3 => value = Some(Attribute::Int(field.value.int()?)),
                4 => {
                    let text = String::from_utf8_lossy(field.value.bytes()?).into_owned();
                    value = Some(Attribute::Text(text));
                }
                5 => {
                    let (_, tensor) = self.tensor(field.value.bytes()?)?;
                    value = Some(tensor.map_or(Attribute::Other, Attribute::Tensor));
                }
                7 => field.value.floats(&mut floats)?,
                8 => field.value.ints(&mut ints)?,
                20 => kind = field.value.int()?,
                _ => {}
            }
        }
        // An empty list has no field of its own, and neither has a zero; the attribute's type tells them apart.
        let value = match (kind, value) {
            (6, _) => Attribute::Floats(floats),
            (7, _) => Attribute::Ints(ints),
            (1, None) => Attribute::Float(0.0),
            (2, None) => Attribute::Int(0),
            (_, Some(value)) => value,
            _ => Attribute::Other,
        };
        Ok((name, value))
    }

    fn tensor(&mut self, bytes: &[u8]) -> Result<(String, Option<Tensor>), Fault> {
        let mut name = String::new();
        let mut dims = Vec::new();
        let (mut element, mut location) = (0, 0);
        let mut raw = None;
        let (mut floats, mut small, mut large, mut doubles) = (Vec::new(), Vec::new(), Vec::new(), None);
        let mut external = Vec::new();
        for field in Fields::of(bytes) {
            let field = field?;
            match field.number {
                1 => field.value.ints(&mut dims)?,
                2 => element = field.value.int()?,
                4 => field.value.floats(&mut floats)?,
                5 => field.value.ints(&mut small)?,
                7 => field.value.ints(&mut large)?,
                8 => field.value.text()?.clone_into(&mut name),
                9 => raw = Some(field.value.bytes()?),
                10 => doubles = Some(field.value.bytes()?),
                13 => {
                    push(&mut external, MOST_PARTS, "places of a tensor", entry(field.value.bytes()?)?)?;
                }
                14 => location = field.value.int()?,
                _ => {}
            }
        }
        let wrong = || Fault::Tensor(name.clone());
        if dims.len() > MOST_AXES {
            return Err(wrong());
        }
        let dims: Vec<usize> =
            dims.iter().map(|dim| usize::try_from(*dim)).collect::<Result<_, _>>().map_err(|_| wrong())?;
        let Some(kind) = Kind::of(element) else { return Ok((name, None)) };
        if location == 1 {
            let tensor = self.external(dims, kind, &external)?.ok_or_else(wrong)?;
            return Ok((name, Some(tensor)));
        }
        let tensor = if let Some(raw) = raw {
            let start = raw.as_ptr() as usize - self.map.as_ptr() as usize;
            Tensor::mapped(dims, kind, &self.map, start..start + raw.len())
        } else if kind == Kind::F32 {
            Tensor::floats_of(dims, &floats)
        } else if kind == Kind::I64 {
            Tensor::ints_of(dims, &large)
        } else if kind == Kind::F64 {
            let bytes = doubles.unwrap_or(&[]);
            #[expect(clippy::cast_possible_truncation, reason = "the encoder computes in f32")]
            let values: Vec<f32> =
                bytes.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes) as f32).collect();
            Tensor::floats_of(dims, &values)
        } else if kind == Kind::F16 {
            // Halves lie in the integers' field as their bits.
            let values: Vec<f32> = small
                .iter()
                .map(|bits| half::f16::from_bits(u16::try_from(*bits).unwrap_or(0)).to_f32())
                .collect();
            Tensor::floats_of(dims, &values)
        } else {
            Tensor::ints_of(dims, &small).and_then(|tensor| narrowed(&tensor, kind))
        };
        Ok((name.clone(), Some(tensor.ok_or_else(wrong)?)))
    }

    /// A tensor whose bytes lie in a file beside the graph.
    fn external(
        &mut self,
        dims: Vec<usize>,
        kind: Kind,
        entries: &[(&str, &str)],
    ) -> Result<Option<Tensor>, Fault> {
        let find = |key: &str| entries.iter().find(|(found, _)| *found == key).map(|(_, value)| *value);
        let Some(location) = find("location") else { return Ok(None) };
        // A file elsewhere is none of the model's.
        let beside = Path::new(location)
            .components()
            .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if !beside {
            let why = format!("its weights lie at {location}, outside of its folder");
            return Err(Error::new(ErrorKind::ModelInvalid, why).into());
        }
        let map = if let Some(map) = self.others.get(location) {
            Arc::clone(map)
        } else {
            let map = map(&self.folder.join(location))?;
            self.file.bytes = self.file.bytes.saturating_add(map.len() as u64);
            self.others.insert(location.to_owned(), Arc::clone(&map));
            map
        };
        let number = |key: &str| find(key).map_or(Some(None), |value| value.parse::<usize>().ok().map(Some));
        let (Some(offset), Some(length)) = (number("offset"), number("length")) else { return Ok(None) };
        let start = offset.unwrap_or(0);
        let length = match length {
            Some(length) => length,
            None => match super::tensor::count(&dims).and_then(|count| count.checked_mul(kind.size())) {
                Some(length) => length,
                None => return Ok(None),
            },
        };
        Ok(start.checked_add(length).and_then(|end| Tensor::mapped(dims, kind, &map, start..end)))
    }
}

/// Integers that were written one by one, as bytes of their own type.
fn narrowed(tensor: &Tensor, kind: Kind) -> Option<Tensor> {
    // Small constants only; every use reads them through `ints` or `floats`, for which the type does not matter.
    match kind {
        Kind::Bool => tensor.cast(Kind::Bool),
        _ => Some(tensor.clone()),
    }
}

fn entry(bytes: &[u8]) -> Result<(&str, &str), Fault> {
    let (mut key, mut value) = ("", "");
    for field in Fields::of(bytes) {
        let field = field?;
        match field.number {
            1 => key = field.value.text()?,
            2 => value = field.value.text()?,
            _ => {}
        }
    }
    Ok((key, value))
}

/// A `ValueInfoProto`: name, and through three messages the element type and the dimensions.
fn value(bytes: &[u8]) -> Result<Value, Fault> {
    let mut value = Value::default();
    for field in Fields::of(bytes) {
        let field = field?;
        match field.number {
            1 => field.value.text()?.clone_into(&mut value.name),
            2 => {
                for field in Fields::of(field.value.bytes()?) {
                    let field = field?;
                    if field.number == 1 {
                        tensor_type(field.value.bytes()?, &mut value)?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(value)
}

fn tensor_type(bytes: &[u8], value: &mut Value) -> Result<(), Fault> {
    for field in Fields::of(bytes) {
        let field = field?;
        match field.number {
            1 => value.element = field.value.int()?,
            2 => {
                for field in Fields::of(field.value.bytes()?) {
                    let field = field?;
                    if field.number == 1 {
                        let mut dim = -1;
                        for field in Fields::of(field.value.bytes()?) {
                            let field = field?;
                            if field.number == 1 {
                                dim = field.value.int()?;
                            }
                        }
                        push(&mut value.dims, MOST_AXES, "axes of a value", dim)?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Maps a regular file of the model.
fn map(path: &Path) -> Result<Arc<Mmap>> {
    let unreadable = |error: &io::Error| {
        let path = path.display();
        let why = match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => format!("{path} does not exist"),
            _ => format!("{path} cannot be read: {error}"),
        };
        Error::new(ErrorKind::ModelNotFound, why)
    };
    // Asked first: opening a pipe would block.
    let found = fs::metadata(path).map_err(|error| unreadable(&error))?;
    if !found.is_file() {
        return Err(Error::new(ErrorKind::ModelNotFound, format!("{} is not a file", path.display())));
    }
    if found.len() == 0 {
        return Err(Error::new(
            ErrorKind::ModelInvalid,
            format!("{}: an empty file, not an ONNX model", path.display()),
        ));
    }
    let file = File::open(path).map_err(|error| unreadable(&error))?;
    // SAFETY: model files are written once and replaced by renaming, which leaves a mapped file whole. One that is cut in place
    // while it is used would end the process, as it does for every reader of mapped files.
    let map = unsafe { Mmap::map(&file) }.map_err(|error| unreadable(&error))?;
    Ok(Arc::new(map))
}
