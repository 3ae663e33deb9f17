//! Which devices there are, and why not. CUDA works where the driver, the provider library beside the loaded
//! ONNX Runtime and the CUDA libraries are; nothing is downloaded or built here.

use crate::runtime;
use millrace_contract::{Error, ErrorKind, Result};
use ort::{ErrorCode, ep, session::Session};
use std::path::{Path, PathBuf};

/// What the caller wants to run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceRequest {
    /// The processor.
    #[default]
    Cpu,
    /// CUDA, or an error.
    Cuda,
    /// CUDA where it works, else the processor with the reason in `DeviceInfo::fallback`.
    Auto,
}

/// A device and whether it can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceProbe {
    /// `cpu`, `cuda` (none could be counted) or `cuda:N`.
    pub device: String,
    /// Whether a session can be opened on it.
    pub available: bool,
    /// Why not.
    pub reason: Option<String>,
}

/// Devices of this machine, the processor first.
#[must_use]
pub fn devices() -> Vec<DeviceProbe> {
    let mut found = vec![DeviceProbe { device: "cpu".into(), available: true, reason: None }];
    match driver().and_then(|count| provider().map(|()| count)) {
        Ok(count) => found.extend((0..count).map(|id| DeviceProbe {
            device: format!("cuda:{id}"),
            available: true,
            reason: None,
        })),
        Err(reason) => {
            found.push(DeviceProbe { device: "cuda".into(), available: false, reason: Some(reason) });
        }
    }
    found
}

/// `DeviceUnavailable`, with the reason, unless CUDA works here and has all of `ids`.
pub(crate) fn require_cuda(ids: &[u32]) -> Result<()> {
    let unavailable =
        |why: String| Error::new(ErrorKind::DeviceUnavailable, format!("CUDA cannot be used: {why}"));
    let count = driver().and_then(|count| provider().map(|()| count)).map_err(unavailable)?;
    match ids.iter().find(|id| **id >= count) {
        Some(id) => Err(unavailable(format!("there is no device {id}, only {count} in all"))),
        None => Ok(()),
    }
}

/// The CUDA provider for device `id`; a failure is an error, never a silent fall to the CPU.
pub(crate) fn cuda_provider(id: u32) -> ep::ExecutionProviderDispatch {
    let id = i32::try_from(id).unwrap_or(i32::MAX);
    ep::CUDA::default().with_device_id(id).build().error_on_failure()
}

/// Whether a failed load is the model's fault rather than the device's.
pub(crate) fn blames_model(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::InvalidGraph
            | ErrorCode::InvalidProtobuf
            | ErrorCode::NoSuchFile
            | ErrorCode::NoModel
            | ErrorCode::NotImplemented
    )
}

/// Number of CUDA devices, asked of the driver itself.
fn driver() -> Result<u32, String> {
    type Init = unsafe extern "C" fn(u32) -> i32;
    type Count = unsafe extern "C" fn(*mut i32) -> i32;
    let name = if cfg!(windows) { "nvcuda.dll" } else { "libcuda.so.1" };
    // SAFETY: NVIDIA's driver library; loading it starts nothing.
    let library = unsafe { libloading::Library::new(name) }
        .map_err(|_| format!("no NVIDIA driver ({name} does not load)"))?;
    let mut count = 0;
    let code = {
        // SAFETY: these are the documented signatures of the CUDA driver API.
        let symbols =
            unsafe { (library.get::<Init>(b"cuInit\0"), library.get::<Count>(b"cuDeviceGetCount\0")) };
        let (Ok(init), Ok(count_devices)) = symbols else {
            return Err(format!("{name} is no CUDA driver"));
        };
        // SAFETY: cuInit takes flags that must be 0; `count` outlives the second call.
        unsafe {
            match init(0) {
                0 => count_devices(&raw mut count),
                code => code,
            }
        }
    };
    // The driver keeps threads of its own once it is initialised.
    std::mem::forget(library);
    match (code, u32::try_from(count)) {
        (0, Ok(count)) if count > 0 => Ok(count),
        (0, _) => Err("no CUDA device".into()),
        (code, _) => Err(format!("the CUDA driver answers error {code}")),
    }
}

/// Whether ONNX Runtime's CUDA provider loads, with all the libraries it needs.
fn provider() -> Result<(), String> {
    let info = runtime::info().map_err(|error| error.message().to_owned())?;
    let beside = Path::new(&info.path).parent().unwrap_or(Path::new(""));
    let file =
        format!("{}onnxruntime_providers_cuda{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    if !beside.join(&file).is_file() {
        return Err(format!("the CUDA provider is not installed (no {file} in {})", beside.display()));
    }
    preload()?;
    let builder = runtime::environment()
        .and_then(|env| {
            Session::builder(env).map_err(|error| Error::new(ErrorKind::Internal, error.message()))
        })
        .map_err(|error| error.message().to_owned())?;
    builder
        .with_execution_providers([cuda_provider(0)])
        .map(|_| ())
        .map_err(|error| error.message().to_owned())
}

/// Libraries of CUDA 12 in the order of their needs, beside the CUDA 13 ones that ort lists: npm's ONNX Runtime
/// is built with 12, the Python wheel with 13.
const CUDA_12: &[&str] = &[
    "libcudart.so.12",
    "libcublasLt.so.12",
    "libcublas.so.12",
    "libnvrtc.so.12",
    "libcurand.so.10",
    "libcufft.so.11",
];

/// Loads the CUDA and cuDNN libraries of the folders in `MILLRACE_CUDA_PATH` (separated as in `PATH`), so that the
/// provider finds them without a search path. The provider itself must lie beside the ONNX Runtime it was
/// built with: that one loads it by its full path from there.
fn preload() -> Result<(), String> {
    let Some(folders) = std::env::var_os("MILLRACE_CUDA_PATH") else { return Ok(()) };
    let folders: Vec<PathBuf> = std::env::split_paths(&folders).collect();
    // A library comes after those it needs. What is in no folder may be on the search path.
    for name in ep::cuda::CUDA_DYLIBS.iter().chain(CUDA_12).chain(ep::cuda::CUDNN_DYLIBS) {
        if let Some(path) = folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file()) {
            ort::util::preload_dylib(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }
    Ok(())
}
