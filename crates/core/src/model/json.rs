//! Reading one JSON file of a model directory, with errors that name it. Nothing here knows what a key means.

use millrace_contract::{Error, ErrorKind, Result};
use serde::de::DeserializeOwned;
use std::{fs, io, path::Path};

/// The error for a file that has to be there.
pub(crate) fn missing(path: &Path) -> Error {
    Error::new(ErrorKind::ModelNotFound, format!("{} is missing", path.display()))
}

/// The error for a file that is there but cannot be used.
pub(crate) fn invalid(path: &Path, why: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::ModelInvalid, format!("{}: {why}", path.display()))
}

/// The file's bytes; `None` when there is no such file.
pub(crate) fn read_bytes(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(invalid(path, format_args!("cannot be read: {error}"))),
    }
}

/// The file as a `T` made of a JSON object; `None` when there is no such file.
pub(crate) fn read_object<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    // serde fills a struct from an array too, which no such file means.
    read_starting(path, b'{', "an object")
}

/// The file as a `T` made of a JSON array; `None` when there is no such file.
pub(crate) fn read_array<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    read_starting(path, b'[', "an array")
}

fn read_starting<T: DeserializeOwned>(path: &Path, first: u8, expected: &str) -> Result<Option<T>> {
    let Some(bytes) = read_bytes(path)? else { return Ok(None) };
    let value = serde_json::from_slice(&bytes).map_err(|error| invalid(path, error))?;
    if bytes.trim_ascii_start().first() == Some(&first) {
        Ok(Some(value))
    } else {
        Err(invalid(path, format_args!("expected {expected} at line 1")))
    }
}
