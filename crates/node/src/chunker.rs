//! The chunker, as JavaScript holds it. Offsets cross, not texts: JavaScript cuts its own string.

use crate::{
    batch::count,
    options::{size, unknown},
    promise::in_background,
};
use millrace_contract::Result;
use millrace_core::{
    chunk::{ChunkBy, ChunkOptions, Chunker},
    model::resolve_text,
};
use napi::{
    Env,
    bindgen_prelude::{Object, Uint32Array},
};
use napi_derive::napi;
use std::{path::Path, sync::Arc};

/// Options of a chunker.
#[napi(object, object_to_js = false)]
pub struct NativeChunkerOptions {
    /// Directory of the model's tokenizer.
    pub dir: String,
    /// Where texts are cut: `sentence`, `markdown` or `tokens`.
    #[napi(ts_type = "'sentence' | 'markdown' | 'tokens'")]
    pub by: String,
    /// Most tokens of a chunk; the model's limit otherwise.
    pub max_tokens: Option<u32>,
    /// Tokens of a chunk that are the end of the one before it.
    pub overlap: u32,
    /// What will be put before each chunk.
    pub prefix: String,
}

/// Chunks of one text.
#[napi(object)]
pub struct NativeChunks {
    /// Start, end and tokens of each, three numbers a chunk; positions in UTF-16 code units.
    pub spans: Uint32Array,
    /// Position in `paths` of each chunk's headings.
    pub path_of: Uint32Array,
    /// Headings, outermost first.
    pub paths: Vec<Vec<String>>,
}

/// A chunker.
#[napi]
pub struct NativeChunker {
    chunker: Arc<Chunker>,
}

fn load(options: NativeChunkerOptions) -> Result<Chunker> {
    let spec = resolve_text(Path::new(&options.dir), options.max_tokens.map(size))?;
    let by = match options.by.as_str() {
        "sentence" => ChunkBy::Sentence,
        "markdown" => ChunkBy::Markdown,
        "tokens" => ChunkBy::Tokens,
        other => return unknown("by", other, "'sentence', 'markdown' or 'tokens'"),
    };
    Chunker::load(&spec, ChunkOptions { by, overlap: size(options.overlap), prefix: options.prefix })
}

/// Loads the tokenizer of a model's directory, on a thread of its own.
#[napi(ts_return_type = "Promise<NativeChunker | NativeError>")]
pub fn create_chunker(env: &Env, options: NativeChunkerOptions) -> napi::Result<Object<'_>> {
    in_background(env, move || load(options), |chunker| NativeChunker { chunker: Arc::new(chunker) })
}

fn chunk_one(chunker: &Chunker, text: &str) -> Result<NativeChunks> {
    let chunks = chunker.chunk(text)?;
    let mut spans = Vec::with_capacity(chunks.len() * 3);
    let mut path_of = Vec::with_capacity(chunks.len());
    let mut paths: Vec<Vec<String>> = Vec::new();
    for chunk in chunks {
        spans.extend([chunk.utf16.start, chunk.utf16.end, chunk.tokens].map(count));
        if paths.last().is_none_or(|path| **path != *chunk.headings) {
            paths.push(chunk.headings.to_vec());
        }
        path_of.push(count(paths.len() - 1));
    }
    Ok(NativeChunks { spans: spans.into(), path_of: path_of.into(), paths })
}

#[napi]
impl NativeChunker {
    /// Most tokens of a chunk.
    #[napi]
    pub fn max_tokens(&self) -> u32 {
        count(self.chunker.max_tokens())
    }

    /// The chunks of each text, on a thread of its own. An error names the text.
    #[napi(ts_return_type = "Promise<Array<NativeChunks> | NativeError>")]
    pub fn chunk<'env>(&self, env: &'env Env, texts: Vec<String>) -> napi::Result<Object<'env>> {
        let chunker = Arc::clone(&self.chunker);
        let work = move || {
            let chunk =
                |(at, text): (usize, &String)| chunk_one(&chunker, text).map_err(|error| error.at(at as u64));
            texts.iter().enumerate().map(chunk).collect::<Result<Vec<_>>>()
        };
        in_background(env, work, |chunks| chunks)
    }
}
