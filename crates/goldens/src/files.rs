//! Finding and reading the golden files.

use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The folder of the golden files.
pub fn root() -> PathBuf {
    upward(&["__test__/fixtures/goldens", "shared/goldens"])
}

/// The first of `places` under this folder or one of its parents.
pub(crate) fn upward(places: &[&str]) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .flat_map(|folder| places.iter().map(move |place| folder.join(place)))
        .find(|path| path.exists())
        .unwrap_or_else(|| panic!("none of {places:?} in any parent folder"))
}

/// One case.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its folder's name.
    pub name: String,
    /// Its folder.
    pub dir: PathBuf,
    /// `case.json`.
    pub json: Value,
}

/// The cases of which `keep` says so, sorted by name; at least one.
pub fn cases(keep: impl Fn(&Case) -> bool) -> Vec<Case> {
    let entries = fs::read_dir(root().join("cases")).unwrap_or_else(|error| panic!("cases: {error}"));
    let mut found: Vec<Case> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .map(|name| Case::read(&name))
        .filter(keep)
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(!found.is_empty(), "no case was chosen");
    found
}

impl Case {
    /// Reads the case called `name`.
    pub fn read(name: &str) -> Self {
        let dir = root().join("cases").join(name);
        Self { name: name.to_owned(), json: json(&dir.join("case.json")), dir }
    }

    /// A string of `case.json`, empty where there is none.
    pub fn text(&self, key: &str) -> &str {
        self.json[key].as_str().unwrap_or_default()
    }

    /// The model's directory.
    pub fn model_dir(&self) -> PathBuf {
        self.dir.join(self.text("model_dir"))
    }

    /// The inputs; a plain string is one input.
    pub fn inputs(&self) -> Vec<String> {
        match &self.json["inputs"] {
            Value::String(text) => vec![text.clone()],
            Value::Array(list) => list.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect(),
            other => panic!("{}: inputs are {other}", self.name),
        }
    }

    /// `options.batch_size`, or FastEmbed's.
    pub fn batch_size(&self) -> usize {
        self.json["options"]["batch_size"].as_u64().map_or(256, |size| size.try_into().unwrap_or(256))
    }

    /// A number of `tolerance`, 0 where there is none.
    pub fn tolerance(&self, key: &str) -> f64 {
        self.json["tolerance"][key].as_f64().unwrap_or(0.0)
    }

    /// The dimensions of `key` (`expected`, `pixels`).
    pub fn shape(&self, key: &str) -> Vec<usize> {
        numbers(&self.json[key]["shape"])
    }

    /// How many rows of the matrix each input has, of a ragged result.
    pub fn row_counts(&self) -> Vec<usize> {
        numbers(&self.json["expected"]["row_counts"])
    }

    /// A file of little-endian float32.
    pub fn floats(&self, file: &str) -> Vec<f32> {
        let path = self.dir.join(file);
        let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
    }

    /// A file of JSON.
    pub fn value(&self, file: &str) -> Value {
        json(&self.dir.join(file))
    }
}

fn json(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn numbers(value: &Value) -> Vec<usize> {
    let list = value.as_array().unwrap_or_else(|| panic!("{value} is no list"));
    list.iter().filter_map(|number| number.as_u64()?.try_into().ok()).collect()
}
