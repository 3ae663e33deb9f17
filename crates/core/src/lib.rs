//! The way of the data: tokenise, plan, schedule, run, pool, put back in order.
//!
//! This crate owns what millrace is for. It knows inference only as the traits of `millrace-contract`, and neither ONNX
//! Runtime nor Node: its tests run over a deterministic backend, without a model.

pub mod background;
pub mod chunk;
pub mod cpu;
pub mod dense;
pub mod engine;
pub mod family;
pub mod fingerprint;
pub mod graphless;
pub mod image;
pub mod job;
pub mod late;
pub mod memory;
pub mod model;
pub mod multimodal;
pub mod multivector;
pub mod muvera;
pub mod planner;
pub mod postprocess;
pub mod quantize;
pub mod rerank;
pub mod rows;
pub mod sparse;
pub mod tokenizer;
pub mod vision;

mod quiet;

#[cfg(feature = "fake")]
pub mod fake;
