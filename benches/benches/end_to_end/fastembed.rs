//! The crate fastembed as a contestant. It is a program of its own (`benches/rivals/fastembed-rs`): it wants an ONNX
//! Runtime environment of its own, of which a process has one, and its dependencies stay out of the workspace.
//!
//! It speaks lines: `texts FILE`, `run BATCH` (0 is its default), each answered by one line of JSON.

use crate::settings::Settings;
use millrace_benches::{Result, models::Variant, texts::LIMIT};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// The running contestant.
pub struct Fastembed {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    texts: PathBuf,
}

impl Fastembed {
    /// Starts it on the fp32 model, which is what its users run; `None` for other models or when it is not built.
    pub fn start(settings: &Settings, variant: &Variant) -> Result<Option<Self>> {
        let Some(program) = settings.fastembed.as_ref().filter(|_| variant.name == "fp32") else {
            return Ok(None);
        };
        let mut child = Command::new(program)
            .arg(&variant.dir)
            .args([variant.file, &LIMIT.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", program.display()))?;
        let stdout = child.stdout.take().ok_or("no output")?;
        let stdin = child.stdin.take();
        let texts = std::env::temp_dir().join(format!("millrace-bench-{}.json", std::process::id()));
        Ok(Some(Self { child, stdin, stdout: BufReader::new(stdout), texts }))
    }

    /// Hands it the texts of the next runs.
    pub fn texts(&mut self, texts: &[String]) -> Result<()> {
        std::fs::write(&self.texts, serde_json::to_vec(texts)?)?;
        let command = format!("texts {}", self.texts.display());
        self.ask(&command).map(drop)
    }

    /// Embeds them in batches of `batch`; how many seconds that took.
    pub fn run(&mut self, batch: usize) -> Result<f64> {
        let answer = self.ask(&format!("run {batch}"))?;
        answer["seconds"].as_f64().ok_or_else(|| format!("fastembed answered {answer}").into())
    }

    fn ask(&mut self, command: &str) -> Result<Value> {
        let stdin = self.stdin.as_mut().ok_or("no input")?;
        writeln!(stdin, "{command}")?;
        let mut line = String::new();
        self.stdout.read_line(&mut line)?;
        serde_json::from_str(&line).map_err(|_| format!("fastembed answered {line:?} to {command}").into())
    }
}

impl Drop for Fastembed {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // It ends with its input; nothing could be done about a failure here.
        let _ = self.child.wait();
        let _ = std::fs::remove_file(&self.texts);
    }
}
