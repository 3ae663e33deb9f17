//! The few ONNX messages that are looked at, declared by hand. Fields that are not here, weights first of all,
//! are skipped over or pointed at, without a copy. Field numbers are those of onnx.proto.

use prost::{Message, bytes::Bytes};

/// Longest list of integers that is read: a shape has no more dimensions.
const MOST_INTEGERS: i64 = 8;

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Model {
    #[prost(int64, tag = "1")]
    pub ir_version: i64,
    #[prost(message, optional, tag = "7")]
    pub graph: Option<Graph>,
    #[prost(message, repeated, tag = "25")]
    pub functions: Vec<Function>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Graph {
    #[prost(message, repeated, tag = "1")]
    pub node: Vec<Node>,
    #[prost(message, repeated, tag = "5")]
    pub initializer: Vec<Tensor>,
}

/// A local function: a body of nodes that graphs call like an operator.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Function {
    #[prost(message, repeated, tag = "7")]
    pub node: Vec<Node>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Node {
    #[prost(string, repeated, tag = "1")]
    pub input: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    pub output: Vec<String>,
    #[prost(string, tag = "4")]
    pub op_type: String,
    #[prost(message, repeated, tag = "5")]
    pub attribute: Vec<Attribute>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Attribute {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(int64, tag = "3")]
    pub i: i64,
    #[prost(int64, repeated, tag = "8")]
    pub ints: Vec<i64>,
    #[prost(message, optional, tag = "5")]
    pub t: Option<Tensor>,
    #[prost(message, optional, tag = "6")]
    pub g: Option<Graph>,
    #[prost(message, repeated, tag = "10")]
    pub tensors: Vec<Tensor>,
    #[prost(message, repeated, tag = "11")]
    pub graphs: Vec<Graph>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Tensor {
    #[prost(int64, repeated, tag = "1")]
    pub dims: Vec<i64>,
    #[prost(int32, tag = "2")]
    pub data_type: i32,
    #[prost(int64, repeated, tag = "7")]
    pub int64_data: Vec<i64>,
    #[prost(string, tag = "8")]
    pub name: String,
    /// A view of the mapped file: decoding copies no weights.
    #[prost(bytes = "bytes", tag = "9")]
    pub raw_data: Bytes,
    #[prost(message, repeated, tag = "13")]
    pub external_data: Vec<Entry>,
    #[prost(int32, tag = "14")]
    pub data_location: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Entry {
    #[prost(string, tag = "1")]
    pub key: String,
    #[prost(string, tag = "2")]
    pub value: String,
}

impl Node {
    /// The graphs inside its attributes (bodies of If, Loop, Scan).
    pub(crate) fn bodies(&self) -> impl Iterator<Item = &Graph> {
        self.attribute.iter().flat_map(|attribute| attribute.g.iter().chain(&attribute.graphs))
    }

    /// The integer attribute called `name`, where the node has it.
    pub(crate) fn integer(&self, name: &str) -> Option<i64> {
        self.attribute.iter().find(|attribute| attribute.name == name).map(|attribute| attribute.i)
    }

    /// The short list of integers that a Constant holds.
    pub(crate) fn constant_integers(&self) -> Option<Vec<i64>> {
        if self.op_type != "Constant" {
            return None;
        }
        let value = self.attribute.first()?;
        match value.name.as_str() {
            "value_ints" => Some(value.ints.clone()),
            "value_int" => Some(vec![value.i]),
            _ => value.t.as_ref()?.integers(),
        }
    }

    /// The tensors inside its attributes (Constant).
    pub(crate) fn tensors(&self) -> impl Iterator<Item = &Tensor> {
        self.attribute.iter().flat_map(|attribute| attribute.t.iter().chain(&attribute.tensors))
    }
}

impl Tensor {
    /// The value of `key` when the tensor's data lies in another file.
    pub(crate) fn external(&self, key: &str) -> Option<&str> {
        const EXTERNAL: i32 = 1;
        (self.data_location == EXTERNAL)
            .then(|| self.external_data.iter().find(|entry| entry.key == key))
            .flatten()
            .map(|entry| entry.value.as_str())
    }

    /// The values of a list of at most [`MOST_INTEGERS`] 64-bit integers, as shapes are. `None` for any other tensor.
    pub(crate) fn integers(&self) -> Option<Vec<i64>> {
        const INT64: i32 = 7;
        let count = self.dims.iter().product::<i64>();
        if self.data_type != INT64 || !(1..=MOST_INTEGERS).contains(&count) {
            return None;
        }
        if !self.int64_data.is_empty() {
            return Some(self.int64_data.clone());
        }
        let values = self.raw_data.chunks_exact(8).map(|bytes| bytes.try_into().map(i64::from_le_bytes));
        values.collect::<Result<_, _>>().ok()
    }

    /// Whether its elements are integers of 8 bits or fewer, as quantised weights are.
    pub(crate) fn is_small_integer(&self) -> bool {
        // UINT8, INT8, UINT4, INT4, UINT2, INT2
        matches!(self.data_type, 2 | 3 | 21 | 22 | 25 | 26)
    }
}
