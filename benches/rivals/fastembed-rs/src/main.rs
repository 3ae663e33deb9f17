//! The crate fastembed as a contestant: `millrace-rival-fastembed MODEL_DIR FILE LIMIT`, with `ORT_DYLIB_PATH` naming the
//! library. Reads commands from standard input and answers each with a line of JSON:
//!
//! - `texts FILE`: the texts of the next runs, a JSON array of strings;
//! - `run BATCH`: embeds them (0: fastembed's own batch size); `{"seconds": …, "texts": …}`;
//! - `vectors FILE`: writes the vectors of the last run, little-endian float32, row-major; `{"dim": …}`.
//!
//! All other settings are fastembed's defaults: one session with as many threads as there are cores.

use fastembed::{
    InitOptionsUserDefined, Pooling, TextEmbedding, TokenizerFiles, UserDefinedEmbeddingModel,
};
use std::{
    error::Error,
    io::{BufRead, Write},
    path::Path,
    time::Instant,
};

fn load(dir: &Path, file: &str, limit: usize) -> Result<TextEmbedding, Box<dyn Error>> {
    let read = |name: &str| std::fs::read(dir.join(name)).map_err(|error| format!("{name}: {error}"));
    let tokenizer = TokenizerFiles {
        tokenizer_file: read("tokenizer.json")?,
        config_file: read("config.json")?,
        special_tokens_map_file: read("special_tokens_map.json")?,
        tokenizer_config_file: read("tokenizer_config.json")?,
    };
    let model = UserDefinedEmbeddingModel::new(read(file)?, tokenizer).with_pooling(Pooling::Mean);
    let options = InitOptionsUserDefined::new().with_max_length(limit);
    Ok(TextEmbedding::try_new_from_user_defined(model, options)?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, dir, file, limit] = arguments.as_slice() else {
        return Err("Expected MODEL_DIR FILE LIMIT".into());
    };
    let mut model = load(Path::new(dir), file, limit.parse()?)?;
    let mut texts: Vec<String> = Vec::new();
    let mut vectors: Vec<Vec<f32>> = Vec::new();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (command, argument) = line.split_once(' ').unwrap_or((&line, ""));
        let answer = match command {
            "texts" => {
                texts = serde_json::from_slice(&std::fs::read(argument)?)?;
                // The first run allocates: that is loading, not embedding.
                model.embed(&texts[..texts.len().min(8)], Some(8))?;
                serde_json::json!({ "texts": texts.len() })
            }
            "run" => {
                let batch: usize = argument.parse()?;
                let started = Instant::now();
                vectors = model.embed(&texts, (batch > 0).then_some(batch))?;
                serde_json::json!({ "seconds": started.elapsed().as_secs_f64(), "texts": vectors.len() })
            }
            "vectors" => {
                let bytes: Vec<u8> = vectors.iter().flatten().flat_map(|x| x.to_le_bytes()).collect();
                std::fs::write(argument, bytes)?;
                serde_json::json!({ "dim": vectors.first().map_or(0, Vec::len) })
            }
            other => return Err(format!("Expected texts, run or vectors but received {other}").into()),
        };
        let mut out = std::io::stdout().lock();
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}
