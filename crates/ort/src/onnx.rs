//! The few ONNX messages that are looked at, declared by hand. Fields that are not here, weights first of all,
//! are skipped over without a copy. Field numbers are those of onnx.proto.

use prost::Message;

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
    #[prost(int32, tag = "2")]
    pub data_type: i32,
    #[prost(string, tag = "8")]
    pub name: String,
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

    /// Whether its elements are integers of 8 bits or fewer, as quantised weights are.
    pub(crate) fn is_small_integer(&self) -> bool {
        // UINT8, INT8, UINT4, INT4, UINT2, INT2
        matches!(self.data_type, 2 | 3 | 21 | 22 | 25 | 26)
    }
}
