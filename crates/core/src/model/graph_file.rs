//! Which `.onnx` file of a directory is the graph. Only the directory itself and its `onnx` folder are looked
//! at; other exports (`openvino`, `coreml`) are not graphs.

use millrace_contract::{Error, ErrorKind, Result};
use std::{
    fs,
    path::{Component, Path},
};

/// Names that are taken without asking, the hub's first.
const PREFERRED: [&str; 2] = ["onnx/model.onnx", "model.onnx"];

/// The graph's file relative to `dir`: the one asked for, a preferred one, or the only one.
pub(crate) fn choose(dir: &Path, asked: Option<&str>) -> Result<String> {
    let found = candidates(dir);
    if let Some(name) = asked {
        let inside = !name.is_empty()
            && Path::new(name)
                .components()
                .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if !inside {
            return Err(Error::new(
                ErrorKind::InvalidOption,
                format!("Expected a path inside the model directory for modelFile but received '{name}'"),
            ));
        }
        if dir.join(name).is_file() {
            return Ok(name.to_owned());
        }
        let there = if found.is_empty() { "no .onnx file".to_owned() } else { found.join(", ") };
        return Err(Error::new(
            ErrorKind::ModelNotFound,
            format!("{} is missing; the directory has {there}", dir.join(name).display()),
        ));
    }
    if let Some(name) = PREFERRED.iter().find(|name| dir.join(name).is_file()) {
        return Ok((*name).to_owned());
    }
    match found.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(Error::new(
            ErrorKind::ModelNotFound,
            format!("{} has no .onnx file, neither itself nor in its onnx folder", dir.display()),
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

/// Every `.onnx` file, sorted, so that messages do not depend on the file system.
fn candidates(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for (folder, prefix) in [(dir.to_path_buf(), ""), (dir.join("onnx"), "onnx/")] {
        let Ok(entries) = fs::read_dir(folder) else { continue };
        for entry in entries.flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|ext| ext == "onnx") && path.is_file() {
                found.push(format!("{prefix}{}", entry.file_name().to_string_lossy()));
            }
        }
    }
    found.sort();
    found
}
