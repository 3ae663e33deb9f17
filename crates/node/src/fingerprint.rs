//! Names of files and inputs, for the cache of rows.

#![expect(clippy::needless_pass_by_value, reason = "what crosses from JavaScript is owned")]

use crate::{
    error::{NativeError, blocking},
    options::whole,
};
use millrace_contract::Result;
use millrace_core::fingerprint::{self, Namer};
use napi::bindgen_prelude::{Either, Uint8Array};
use napi_derive::napi;
use std::path::Path;

/// The names of files' contents, at their places. Works on a thread of its own.
#[napi]
pub async fn fingerprint_files(paths: Vec<String>) -> Either<Vec<String>, NativeError> {
    let names = move || paths.iter().map(|path| fingerprint::file(Path::new(path))).collect::<Result<_>>();
    match blocking(names).await {
        Ok(names) => Either::A(names),
        Err(error) => Either::B(error.into()),
    }
}

/// The files that the ONNX file at `path` consists of, itself first. Works on a thread of its own.
#[napi]
pub async fn weight_files(path: String) -> Either<Vec<String>, NativeError> {
    let inspected = blocking({
        let path = path.clone();
        move || millrace_ort::inspect(Path::new(&path))
    });
    match inspected.await {
        Ok(file) => {
            let external = file.external.into_iter().map(|file| file.to_string_lossy().into_owned());
            Either::A(std::iter::once(path).chain(external).collect())
        }
        Err(error) => Either::B(error.into()),
    }
}

/// The name of a list of fields.
#[napi]
pub fn name_fields(fields: Vec<String>) -> String {
    fields.iter().fold(Namer::default(), |namer, field| namer.field(field.as_bytes())).name()
}

/// The name of each text, as text of `context`.
#[napi]
pub fn name_texts(context: String, texts: Vec<String>) -> Vec<String> {
    let namer = Namer::new(context.as_bytes());
    texts.iter().map(|text| namer.name_of([text.as_bytes()])).collect()
}

/// The name of each pair of a query and the document at its place, as pair of `context`.
#[napi]
pub fn name_pairs(context: String, queries: Vec<String>, documents: Vec<String>) -> Vec<String> {
    let namer = Namer::new(context.as_bytes());
    let pairs = queries.iter().zip(&documents);
    pairs.map(|(query, document)| namer.name_of([query.as_bytes(), document.as_bytes()])).collect()
}

/// The name of bytes and what is said of them, as bytes of `context`. Works on a thread of its own.
#[napi]
pub async fn name_bytes(context: String, facts: String, bytes: Uint8Array) -> Option<String> {
    let bytes = bytes.to_vec();
    let name = move || Ok(Namer::new(context.as_bytes()).name_of([facts.as_bytes(), &bytes]));
    blocking(name).await.ok()
}

/// A file's bytes and their name; see `NativeNamedFile`.
#[napi(object, object_from_js = false)]
pub struct NativeNamedFile {
    /// The name of the bytes.
    pub name: String,
    /// The bytes.
    pub bytes: Uint8Array,
}

/// A file's bytes and their name, as bytes of `context`; `null` when it cannot be read or is no file, or has more
/// bytes than `most`. Works on a thread of its own.
#[napi]
pub async fn read_named(context: String, facts: String, path: String, most: f64) -> Option<NativeNamedFile> {
    let most = whole(most);
    let read = move || {
        let namer = Namer::new(context.as_bytes()).field(facts.as_bytes());
        Ok(fingerprint::read(&namer, Path::new(&path), most))
    };
    let (name, bytes) = blocking(read).await.ok().flatten()?;
    Some(NativeNamedFile { name, bytes: bytes.into() })
}
