//! A backend for families that finish every input without a run: BM25, tables of vectors. It has no graph and no
//! weights, and a run on it is a defect.

use millrace_contract::{
    Backend, Batch, DeviceInfo, Error, ErrorKind, Graph, Output, Quantization, Result, RunControl, Runner,
    RuntimeInfo,
};

/// Nothing to run.
#[derive(Debug)]
pub struct Graphless {
    graph: Graph,
}

impl Default for Graphless {
    fn default() -> Self {
        let graph = Graph {
            inputs: Vec::new(),
            outputs: Vec::new(),
            quantization: Quantization::None,
            heads: None,
            widest: None,
            file_bytes: 0,
        };
        Self { graph }
    }
}

impl Backend for Graphless {
    fn graph(&self) -> &Graph {
        &self.graph
    }

    fn runtime(&self) -> RuntimeInfo {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        RuntimeInfo { name: "millrace".to_owned(), version, path: String::new() }
    }

    fn open(&self, _slot: usize) -> Result<Box<dyn Runner>> {
        Ok(Box::new(Nothing))
    }

    fn device(&self, _slot: usize) -> DeviceInfo {
        DeviceInfo { device: "cpu".to_owned(), id: None, fallback: None }
    }

    fn shares_weights(&self) -> bool {
        true
    }
}

struct Nothing;

impl Runner for Nothing {
    fn run(
        &mut self,
        _batch: &Batch,
        _wanted: &[usize],
        _control: &RunControl,
        _sink: &mut dyn FnMut(&[Output<'_>]) -> Result<()>,
    ) -> Result<()> {
        Err(Error::new(ErrorKind::Internal, "a family without a graph asked for a run"))
    }
}
