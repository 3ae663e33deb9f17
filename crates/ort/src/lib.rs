//! ONNX Runtime behind [`millrace_contract::Backend`]: finding the library, reading graphs, sessions, devices.
//!
//! The only crate that uses `ort`. It knows nothing of texts, tokens, pooling or Node, and keeps no thread
//! of its own: callers run sessions on theirs.

mod backend;
mod device;
mod graph;
mod lane;
mod memory;
mod names;
mod object;
mod onnx;
mod probe;
mod quantization;
mod runner;
mod runtime;
mod shared_run;
mod tensor;
mod widths;

pub use backend::{OrtBackend, OrtOptions};
pub use device::{DeviceProbe, DeviceRequest, devices};
pub use graph::{GraphFile, inspect};
pub use memory::release_memory;
pub use probe::{NEEDED_MINOR, ProbeError, Probed, probe};
pub use runtime::{init, loaded};
