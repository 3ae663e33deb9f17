//! The parts of an ONNX file that the encoder reads: nodes, their attributes, and tensors, whose values stay where they are in the
//! mapped file until they are asked for. Not a validator of ONNX; what it does not know it keeps by name or leaves out.

mod file;
mod tensor;
mod wire;

pub(crate) use file::{Attribute, Node, OnnxFile, Value};
pub(crate) use tensor::{Kind, Tensor};
