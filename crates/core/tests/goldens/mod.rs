//! Finding and reading the golden files.

use serde_json::Value;
use std::{fs, path::PathBuf};

/// Places of the golden files, relative to the workspace; a missing folder fails the test.
pub fn root() -> PathBuf {
    let workspace = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let places = ["__test__/fixtures/goldens", "../shared/goldens"].map(|place| workspace.join(place));
    places.iter().find(|place| place.join("cases").is_dir()).cloned().unwrap_or_else(|| {
        panic!("the golden files are in none of {places:?}");
    })
}

/// The directory of a golden model.
pub fn model(name: &str) -> PathBuf {
    root().join("models").join(name)
}

/// The real all-MiniLM-L6-v2, which is no part of the golden files.
pub fn real_minilm() -> Option<PathBuf> {
    let workspace = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    Some(workspace.join("../shared/models/all-MiniLM-L6-v2")).filter(|dir| dir.is_dir())
}

/// A JSON file of a case.
pub fn read(case: &str, file: &str) -> Value {
    let path = root().join("cases").join(case).join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Names of the cases that begin with `prefix`, sorted.
pub fn cases(prefix: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join("cases")).expect("the folder was found above");
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.starts_with(prefix))
        .collect();
    names.sort();
    names
}
