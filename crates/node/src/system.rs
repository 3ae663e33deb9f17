//! What the machine and this process are.

use crate::batch::{count, double};
use millrace_core::cpu;
use napi_derive::napi;

/// The machine, and how much of it this process may use.
#[napi(object)]
pub struct NativeSystemInfo {
    /// Version of the addon.
    pub version: String,
    /// Processor architecture.
    pub arch: String,
    /// Operating system.
    pub os: String,
    /// The processor's name.
    pub cpu_model: String,
    /// Instruction sets that matter to inference.
    pub cpu_features: Vec<String>,
    /// Cores of the machine.
    pub cores_online: u32,
    /// Cores that affinity and container allow.
    pub cores_allowed: u32,
    /// Why it is not all of them.
    pub cores_reason: String,
    /// Memory limit of the container in bytes.
    pub memory_limit: Option<f64>,
    /// Memory of the machine in bytes.
    pub memory_total: f64,
    /// Peak resident set of this process in bytes.
    pub peak_rss: f64,
    /// Resident set of this process in bytes.
    pub rss: f64,
}

/// Describes the machine.
#[napi]
pub fn system_info() -> NativeSystemInfo {
    let cores = cpu::cores();
    NativeSystemInfo {
        version: env!("CARGO_PKG_VERSION").into(),
        arch: std::env::consts::ARCH.into(),
        os: std::env::consts::OS.into(),
        cpu_model: cpu::model(),
        cpu_features: cpu::features().into_iter().map(Into::into).collect(),
        cores_online: count(cores.online),
        cores_allowed: count(cores.allowed),
        cores_reason: cores.reason.clone(),
        memory_limit: cpu::memory_limit().map(double),
        memory_total: double(cpu::memory_total().unwrap_or(0)),
        peak_rss: double(cpu::peak_rss().unwrap_or(0)),
        rss: double(cpu::rss().unwrap_or(0)),
    }
}
