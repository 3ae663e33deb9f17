//! Finding and naming the inference library and its devices.

use crate::{
    exit,
    promise::{in_background, settled},
};
use millrace_contract::RuntimeInfo;
use millrace_ort::DeviceProbe;
use napi::{Env, bindgen_prelude::Object};
use napi_derive::napi;
use std::path::PathBuf;

/// The inference library in use.
#[napi(object)]
#[derive(Clone)]
pub struct NativeRuntimeInfo {
    /// `onnxruntime`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where it was loaded from.
    pub path: String,
}

impl From<RuntimeInfo> for NativeRuntimeInfo {
    fn from(info: RuntimeInfo) -> Self {
        Self { name: info.name, version: info.version, path: info.path }
    }
}

/// A device and whether it can be used.
#[napi(object)]
pub struct NativeDevice {
    /// `cpu` or `cuda`.
    pub device: String,
    /// Whether a session could be opened on it.
    pub available: bool,
    /// Why not.
    pub reason: Option<String>,
}

/// Tries the candidates in order, once a process; later calls return the library already loaded.
#[napi(ts_return_type = "Promise<NativeRuntimeInfo | NativeError>")]
pub fn init_runtime(env: &Env, candidates: Vec<String>) -> napi::Result<Object<'_>> {
    let candidates: Vec<PathBuf> = candidates.into_iter().map(PathBuf::from).collect();
    let init = move || exit::load(|| millrace_ort::init(&candidates).inspect(|_| exit::register()));
    in_background(env, init, NativeRuntimeInfo::from)
}

/// Devices that the loaded library can open.
#[napi(ts_return_type = "Promise<Array<NativeDevice>>")]
pub fn devices(env: &Env) -> napi::Result<Object<'_>> {
    let probe = || exit::load(|| Ok(millrace_ort::devices()));
    settled(env, probe, |probed| {
        probed.unwrap_or_default().into_iter().map(NativeDevice::from).collect::<Vec<_>>()
    })
}

impl From<DeviceProbe> for NativeDevice {
    fn from(probe: DeviceProbe) -> Self {
        Self { device: probe.device, available: probe.available, reason: probe.reason }
    }
}
