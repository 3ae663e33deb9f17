//! A loaded ONNX model as the contract's `Backend`.

use crate::{
    device::{self, DeviceRequest},
    graph,
    lane::{Device, Lane},
    names::{self, Names},
    runner::OrtRunner,
    runtime,
};
use millrace_contract::{Backend, DeviceInfo, Error, ErrorKind, Graph, Result, Runner, RuntimeInfo};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::Arc,
};

/// How to load a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrtOptions {
    /// Threads that compute one run, its caller included. At least 1.
    pub threads_per_session: usize,
    /// Workers that will run at the same time. At least 1.
    pub slots: usize,
    /// What to run on.
    pub device: DeviceRequest,
    /// Numbers of the CUDA devices to use, one session each; empty means device 0. The CPU ignores them.
    pub device_ids: Vec<u32>,
}

/// A model in ONNX Runtime. On the CPU all slots share one session, and so one copy of the weights; on CUDA
/// every device has a session, and slots take devices in turn.
pub struct OrtBackend {
    graph: Graph,
    names: Arc<Names>,
    lanes: Vec<Arc<Lane>>,
    fallback: Option<String>,
    runtime: RuntimeInfo,
}

impl OrtBackend {
    /// Loads the ONNX file at `path`, external data beside it included. The library must be loaded
    /// ([`init`](crate::init)).
    ///
    /// Kinds of errors: `RuntimeNotFound` before `init`, `ModelNotFound`, `ModelInvalid`, `DeviceUnavailable`.
    pub fn load(path: &Path, options: &OrtOptions) -> Result<Self> {
        let runtime = runtime::info()?.clone();
        let file = graph::inspect(path)?;
        // ort asserts on answers it does not expect from a graph.
        let loaded = catch_unwind(AssertUnwindSafe(|| lanes(path, options)));
        let (lanes, fallback) = loaded.unwrap_or_else(|_| {
            Err(Error::new(ErrorKind::ModelInvalid, format!("{} breaks the loader", path.display())))
        })?;
        let (inputs, outputs) =
            lanes.first().map(|lane| names::ports(&lane.current().session)).unwrap_or_default();
        let graph = Graph {
            inputs,
            outputs,
            quantization: file.quantization,
            heads: file.heads,
            widest: file.widest,
            file_bytes: file.file_bytes,
        };
        let names = Arc::new(Names::new(&graph)?);
        Ok(Self { graph, names, lanes, fallback, runtime })
    }

    fn lane(&self, slot: usize) -> &Arc<Lane> {
        &self.lanes[slot % self.lanes.len()]
    }
}

impl Backend for OrtBackend {
    fn graph(&self) -> &Graph {
        &self.graph
    }

    fn runtime(&self) -> RuntimeInfo {
        self.runtime.clone()
    }

    fn open(&self, slot: usize) -> Result<Box<dyn Runner>> {
        let lane = self.lane(slot);
        catch_unwind(AssertUnwindSafe(|| lane.refresh()))
            .unwrap_or_else(|_| Err(Error::new(ErrorKind::Internal, "rebuilding a session panicked")))?;
        Ok(Box::new(OrtRunner { lane: Arc::clone(lane), names: Arc::clone(&self.names) }))
    }

    fn device(&self, slot: usize) -> DeviceInfo {
        let (device, id) = match self.lane(slot).device {
            Device::Cpu => ("cpu", None),
            Device::Cuda(id) => ("cuda", Some(id)),
        };
        DeviceInfo { device: device.into(), id, fallback: self.fallback.clone() }
    }

    fn shares_weights(&self) -> bool {
        self.lanes.len() == 1
    }
}

/// The lanes to run on (at least one), and why they are not the device that `Auto` would have preferred.
fn lanes(path: &Path, options: &OrtOptions) -> Result<(Vec<Arc<Lane>>, Option<String>)> {
    match options.device {
        DeviceRequest::Cpu => Ok((vec![cpu(path, options)?], None)),
        DeviceRequest::Cuda => Ok((cuda(path, options)?, None)),
        DeviceRequest::Auto => match cuda(path, options) {
            Ok(lanes) => Ok((lanes, None)),
            Err(error) if error.kind() == ErrorKind::DeviceUnavailable => {
                Ok((vec![cpu(path, options)?], Some(error.message().to_owned())))
            }
            Err(error) => Err(error),
        },
    }
}

fn cpu(path: &Path, options: &OrtOptions) -> Result<Arc<Lane>> {
    // A run's caller computes too, and callers share the pool of one session: with s slots of t threads,
    // s callers and s * (t - 1) pool threads make s * t in all. ONNX Runtime counts one caller as one.
    let pool = options.slots.max(1).saturating_mul(options.threads_per_session.max(1) - 1);
    Lane::load(path, pool + 1, Device::Cpu).map(Arc::new)
}

fn cuda(path: &Path, options: &OrtOptions) -> Result<Vec<Arc<Lane>>> {
    let ids = if options.device_ids.is_empty() { &[0][..] } else { &options.device_ids };
    device::require_cuda(ids)?;
    ids.iter()
        .map(|id| Lane::load(path, options.threads_per_session.max(1), Device::Cuda(*id)).map(Arc::new))
        .collect()
}
