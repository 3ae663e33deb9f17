//! Looking at a candidate for the ONNX Runtime library before `ort` touches it, so that a wrong one is a
//! typed answer and never a panic or a crash. Not the choice among candidates: that is `runtime`.

use crate::object;
use std::{
    ffi::CStr,
    fmt,
    path::{Path, PathBuf},
};

/// Oldest minor version of ONNX Runtime that works: its C API 24 is what this build of `ort` calls.
pub const NEEDED_MINOR: u32 = ort_sys::ORT_API_VERSION;

/// A library that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probed {
    /// Where it is.
    pub path: PathBuf,
    /// Its version, such as `1.30.0`.
    pub version: String,
}

/// Why a candidate cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeError {
    /// There is no such file.
    Missing(String),
    /// There is one, but it is foreign, broken, too old or something else.
    Unusable(String),
}

impl fmt::Display for ProbeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(why) | Self::Unusable(why) => f.write_str(why),
        }
    }
}

/// Reads the header of the file at `path`, loads it and asks for its version and API.
///
/// A library that was loaded stays loaded, used or not: taking a C++ library with running constructors out
/// of a process can crash it, keeping it costs address space.
pub fn probe(path: &Path) -> Result<Probed, ProbeError> {
    if !path.is_absolute() {
        return Err(ProbeError::Missing("not an absolute path".into()));
    }
    match std::fs::metadata(path) {
        Ok(found) if found.is_file() => {}
        Ok(found) if found.is_dir() => return Err(ProbeError::Missing("a directory".into())),
        // Opening a pipe would block.
        Ok(_) => return Err(ProbeError::Unusable("not a regular file".into())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(ProbeError::Missing("not found".into()));
        }
        Err(error) => return Err(ProbeError::Missing(format!("not reachable ({error})"))),
    }
    object::check(path).map_err(ProbeError::Unusable)?;
    let library = open(path).map_err(|error| ProbeError::Unusable(format!("does not load ({error})")))?;
    let version = ask(&library).map_err(ProbeError::Unusable);
    std::mem::forget(library);
    Ok(Probed { path: path.to_path_buf(), version: version? })
}

#[cfg(unix)]
fn open(path: &Path) -> Result<libloading::Library, libloading::Error> {
    use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
    // SAFETY: the file is a whole shared library of this system. Its constructors run; whoever names a file
    // as the runtime library trusts it with that.
    unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) }.map(Into::into)
}

#[cfg(not(unix))]
fn open(path: &Path) -> Result<libloading::Library, libloading::Error> {
    // SAFETY: as above.
    unsafe { libloading::Library::new(path) }
}

/// Version of a loaded library, if it is ONNX Runtime and new enough.
fn ask(library: &libloading::Library) -> Result<String, String> {
    type GetBase = unsafe extern "C" fn() -> *const ort_sys::OrtApiBase;
    // SAFETY: the symbol has this signature in every ONNX Runtime.
    let get_base = unsafe { library.get::<GetBase>(b"OrtGetApiBase\0") }
        .map_err(|_| "a shared library, but not ONNX Runtime (no OrtGetApiBase)".to_owned())?;
    // SAFETY: takes nothing; returns null or a table that lives as long as the library.
    let base = unsafe { get_base().as_ref() }.ok_or("OrtGetApiBase returned nothing")?;
    // SAFETY: takes nothing; returns a constant string of the library, or null.
    let version = unsafe { (base.GetVersionString)() };
    if version.is_null() {
        return Err("the library has no version".into());
    }
    // SAFETY: not null, a NUL-terminated constant of the library, which stays loaded.
    let version = unsafe { CStr::from_ptr(version) }.to_string_lossy().into_owned();
    // Before GetApi: an old library prints to stderr when asked for an API it lacks.
    check_version(&version)?;
    // SAFETY: takes a number; returns null or a table.
    if unsafe { (base.GetApi)(NEEDED_MINOR) }.is_null() {
        return Err(format!("version {version} does not offer API {NEEDED_MINOR}"));
    }
    Ok(version)
}

/// Whether `version` is 1.24 or newer of major version 1 (a 2.x may change the API).
fn check_version(version: &str) -> Result<(), String> {
    let mut parts = version.split('.').map(str::parse::<u32>);
    match (parts.next(), parts.next()) {
        (Some(Ok(1)), Some(Ok(minor))) if minor >= NEEDED_MINOR => Ok(()),
        (Some(Ok(1)), Some(Ok(_))) => {
            Err(format!("version {version} is too old, 1.{NEEDED_MINOR} or newer is needed"))
        }
        _ => Err(format!("version {version:?} is not one of ONNX Runtime 1.{NEEDED_MINOR} or newer")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        assert!(check_version(&format!("1.{NEEDED_MINOR}.0")).is_ok());
        assert!(check_version("1.30.0").is_ok());
        assert!(check_version("1.31.1-dev").is_ok());
        for bad in ["1.23.2", "1.10.0", "2.0.0", "", "1", "1.x", "abc"] {
            assert!(check_version(bad).is_err(), "{bad} passed");
        }
    }
}
