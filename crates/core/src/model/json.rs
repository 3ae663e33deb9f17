//! Reading one JSON file of a model directory, with errors that name it. Nothing here knows what a key means.
//!
//! Most of these files were written by Python, whose JSON has three words more than the standard (`NaN`, `Infinity`, `-Infinity`) and whose
//! readers take the last of repeated keys. A file that Python reads must not fail here, so [`read_object`] and [`read_array`] take both.

use millrace_contract::{Error, ErrorKind, Result};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{fs, io, path::Path};

/// The first words of a Git LFS pointer: the text that a clone without Git LFS has in place of a large file.
const LFS_POINTER: &[u8] = b"version https://git-lfs";

/// The error for a file that has to be there.
pub(crate) fn missing(path: &Path) -> Error {
    Error::new(ErrorKind::ModelNotFound, format!("{} is missing", path.display()))
}

/// The error for a file that is there but cannot be used.
pub(crate) fn invalid(path: &Path, why: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::ModelInvalid, format!("{}: {why}", path.display()))
}

/// The error for a file whose `bytes` could not be parsed, which `why` explains unless the file is a Git LFS pointer.
pub(crate) fn unreadable(path: &Path, bytes: &[u8], why: impl std::fmt::Display) -> Error {
    if bytes.starts_with(LFS_POINTER) {
        return invalid(path, "a Git LFS pointer, not the file itself; fetch it with `git lfs pull`");
    }
    invalid(path, why)
}

/// The file's bytes; `None` when there is no such file.
pub(crate) fn read_bytes(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::metadata(path) {
        // Reading a pipe would wait for a writer that never comes.
        Ok(found) if !found.is_file() => return Err(invalid(path, "is not a file")),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(invalid(path, format_args!("cannot be read: {error}"))),
    }
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
    if bytes.trim_ascii_start().first() != Some(&first) {
        return Err(unreadable(path, &bytes, format_args!("expected {expected} at line 1")));
    }
    parse(&bytes).map(Some).map_err(|error| invalid(path, error))
}

/// Parses standard JSON, and what Python takes beyond it where that fails. The error is that of the first attempt as long as the file is
/// standard JSON, because only that one knows the line.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> serde_json::Result<T> {
    let error = match serde_json::from_slice(bytes) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    // A value keeps the last of repeated keys, which a struct refuses.
    let value = serde_json::from_slice::<Value>(bytes)
        .or_else(|_| serde_json::from_slice::<Value>(&without_non_finite(bytes)));
    match value.map(serde_json::from_value) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(unfit)) if !error.is_data() => Err(unfit),
        _ => Err(error),
    }
}

/// The text with `null` in place of `NaN`, `Infinity`, `-Infinity` and of numbers beyond the range of a float64: none of them is a limit, an
/// id or a size that a model can have.
fn without_non_finite(bytes: &[u8]) -> Vec<u8> {
    let mut clean = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(&byte) = rest.first() {
        let length = match byte {
            b'"' => string_length(rest),
            b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                let word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.');
                rest.iter().take_while(|byte| word(byte)).count()
            }
            _ => 1,
        };
        let (token, after) = rest.split_at(length);
        let number = || std::str::from_utf8(token).ok().and_then(|word| word.parse::<f64>().ok());
        match token {
            b"NaN" | b"Infinity" | b"-Infinity" => clean.extend(b"null"),
            _ if token[0].is_ascii_digit() || token[0] == b'-' => {
                let fits = number().is_none_or(f64::is_finite);
                clean.extend(if fits { token } else { b"null" });
            }
            _ => clean.extend(token),
        }
        rest = after;
    }
    clean
}

/// Bytes of the string literal that `text` begins with, quotes included; all of them where it does not end.
fn string_length(text: &[u8]) -> usize {
    let mut escaped = false;
    for (at, &byte) in text.iter().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Default, Deserialize)]
    #[serde(default)]
    struct Sample {
        limit: Value,
        name: Option<String>,
    }

    /// Python's `json` reads all of these (paiml/aprender#268, ai-dynamo/dynamo#2882, huggingface/transformers#42959).
    #[test]
    fn what_python_writes_is_read() {
        for limit in ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"] {
            let text =
                format!(r#"{{"limit": {limit}, "name": "NaN \" Infinity", "more": [{limit}, 1.5e3]}}"#);
            let read: Sample = parse(text.as_bytes()).unwrap();
            assert_eq!(read, Sample { limit: Value::Null, name: Some("NaN \" Infinity".into()) }, "{limit}");
        }
        let repeated: Sample = parse(br#"{"name": "first", "limit": 3, "name": "last"}"#).unwrap();
        assert_eq!(repeated, Sample { limit: 3.into(), name: Some("last".into()) });
    }

    #[test]
    fn what_python_refuses_is_refused_with_its_place() {
        for (text, place) in [
            ("{\"name\": 4}", "line 1 column 10"),
            ("{\n \"limit\": nan}", "line 2"),
            ("{\"limit\": NaN, \"name\": ", "line 1"),
            ("{\"limit\": infinity}", "line 1"),
            ("{\"limit\": +3}", "line 1"),
        ] {
            let error = parse::<Sample>(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(place), "{text}: {error}");
        }
        let unfit = parse::<Sample>(br#"{"limit": NaN, "name": 4}"#).unwrap_err().to_string();
        assert!(unfit.contains("expected a string"), "{unfit}");
    }
}
