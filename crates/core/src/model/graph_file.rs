//! Which `.onnx` file of a directory is the graph. Only the directory itself and its `onnx` folder are looked
//! at; other exports (`openvino`, `coreml`) are not graphs.

use millrace_contract::{Error, ErrorKind, Result};
use std::{
    fs, io,
    path::{Component, Path},
};

/// Names that are taken without asking, the hub's first.
const PREFERRED: [&str; 2] = ["onnx/model.onnx", "model.onnx"];

/// What a directory has under `.onnx` names.
#[derive(Debug, Default)]
struct Candidates {
    /// Files, sorted, so that messages do not depend on the file system.
    files: Vec<String>,
    /// What has such a name and cannot be used, with the reason: a user who sees `model.onnx` in a listing must be told why it is not taken.
    unusable: Vec<String>,
}

/// The graph's file relative to `dir`: the one asked for, a preferred one, or the only one.
pub(crate) fn choose(dir: &Path, asked: Option<&str>) -> Result<String> {
    let found = candidates(dir)?;
    if let Some(name) = asked {
        return named(dir, name, &found);
    }
    if let Some(name) = PREFERRED.iter().find(|name| dir.join(name).is_file()) {
        return Ok((*name).to_owned());
    }
    match found.files.as_slice() {
        [only] => Ok(only.clone()),
        [] if found.unusable.is_empty() => Err(Error::new(
            ErrorKind::ModelNotFound,
            format!("{} has no .onnx file, neither itself nor in its onnx folder", dir.display()),
        )),
        [] => Err(Error::new(
            ErrorKind::ModelNotFound,
            format!("{} has no .onnx file that can be used: {}", dir.display(), found.unusable.join(", ")),
        )),
        several => Err(Error::new(
            ErrorKind::InvalidOption,
            format!(
                "Expected modelFile to name one of the graphs of {}: {}",
                dir.display(),
                several.join(", ")
            ),
        )),
    }
}

/// The file that the caller names.
fn named(dir: &Path, name: &str, found: &Candidates) -> Result<String> {
    if !inside(name) || name.is_empty() {
        return Err(Error::new(
            ErrorKind::InvalidOption,
            format!("Expected a path inside the model directory for modelFile but received '{name}'"),
        ));
    }
    let path = dir.join(name);
    if path.is_file() {
        return Ok(name.to_owned());
    }
    if let Some(why) = unusable(&path) {
        return Err(Error::new(ErrorKind::ModelNotFound, format!("{} {why}", path.display())));
    }
    let there = if found.files.is_empty() { "no .onnx file".to_owned() } else { found.files.join(", ") };
    Err(Error::new(
        ErrorKind::ModelNotFound,
        format!("{} is missing; the directory has {there}", path.display()),
    ))
}

/// Whether a relative path cannot lead out of the directory that it is joined to.
pub(crate) fn inside(path: &str) -> bool {
    Path::new(path).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

/// Every `.onnx` name of the directory and of its `onnx` folder. A folder that cannot be listed is an error, because it may have the graph.
fn candidates(dir: &Path) -> Result<Candidates> {
    let mut found = Candidates::default();
    for (folder, prefix) in [(dir.to_path_buf(), ""), (dir.join("onnx"), "onnx/")] {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                continue;
            }
            Err(error) => {
                return Err(Error::new(
                    ErrorKind::ModelNotFound,
                    format!("{} cannot be listed: {error}", folder.display()),
                ));
            }
        };
        for entry in entries.flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|ext| ext == "onnx") {
                let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
                match unusable(&path) {
                    Some(why) => found.unusable.push(format!("{name} {why}")),
                    None => found.files.push(name),
                }
            }
        }
    }
    found.files.sort();
    found.unusable.sort();
    Ok(found)
}

/// Why something that exists under this name is no file to read; `None` for a file and where there is nothing.
fn unusable(path: &Path) -> Option<String> {
    match fs::metadata(path) {
        Ok(found) if found.is_file() => None,
        Ok(found) if found.is_dir() => Some("is a folder".to_owned()),
        Ok(_) => Some("is not a regular file".to_owned()),
        Err(_) if fs::symlink_metadata(path).is_err() => None,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Some("is a link to a file that does not exist".to_owned())
        }
        Err(error) => Some(format!("cannot be read: {error}")),
    }
}
