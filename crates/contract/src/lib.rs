//! What the rooms of millrace agree on: errors, graphs, batches, the traits of an inference backend.
//!
//! This crate knows nothing of ONNX Runtime, tokenizers, threads or Node. It holds types and traits, no
//! behaviour worth a thread; whoever needs a behaviour depends on the crate that has it.

mod backend;
mod batch;
mod error;
mod graph;
mod memory;
mod pooling;

pub use backend::{Backend, DeviceInfo, RunControl, Runner, RuntimeInfo};
pub use batch::{Batch, Input, InputData, Output, OutputData};
pub use error::{Error, ErrorKind, Result};
pub use graph::{Element, Graph, Port, Quantization};
pub use memory::RunMemory;
pub use pooling::{DType, Pooling};
