//! Results, as they are printed and as they are kept.

use millrace_benches::{Result, models::THREADS};
use millrace_contract::RuntimeInfo;
use serde_json::{Map, Value, json};
use std::path::Path;

/// How busy the machine is before the first measurement, where the system tells: the mean of runnable tasks.
fn load() -> Option<f64> {
    std::fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
}

/// Rows of results by section.
pub struct Report {
    meta: Value,
    sections: Map<String, Value>,
}

impl Report {
    pub fn new(runtime: &RuntimeInfo, absent: &[&str]) -> Self {
        let meta = json!({
            "runtime": format!("{} {}", runtime.name, runtime.version),
            "threads": THREADS,
            "absent": absent,
            "load": load(),
        });
        Self { meta, sections: Map::new() }
    }

    /// Adds a row to a section.
    pub fn add(&mut self, section: &str, row: Value) {
        if let Value::Array(rows) = self.sections.entry(section).or_insert_with(|| json!([])) {
            rows.push(row);
        }
    }

    /// Writes `{"meta": {...}, "<section>": [...]}`.
    pub fn write(mut self, path: &Path) -> Result<()> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        self.sections.insert("meta".to_owned(), self.meta);
        std::fs::write(path, serde_json::to_string_pretty(&self.sections)?)?;
        Ok(())
    }
}
