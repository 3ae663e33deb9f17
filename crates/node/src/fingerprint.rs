//! Names of files and inputs, for the cache of rows.

#![expect(clippy::needless_pass_by_value, reason = "what crosses from JavaScript is owned")]

use crate::{
    options::whole,
    promise::{in_background, settled},
};
use millrace_contract::Result;
use millrace_core::fingerprint::{self, Namer};
use napi::{
    Env,
    bindgen_prelude::{Object, Uint8Array},
};
use napi_derive::napi;
use std::path::Path;

/// The names of files' contents, at their places. Works on a thread of its own.
#[napi(ts_return_type = "Promise<Array<string> | NativeError>")]
pub fn fingerprint_files(env: &Env, paths: Vec<String>) -> napi::Result<Object<'_>> {
    let names =
        move || paths.iter().map(|path| fingerprint::file(Path::new(path))).collect::<Result<Vec<_>>>();
    in_background(env, names, |names| names)
}

/// The files that the ONNX file at `path` consists of, itself first. Works on a thread of its own.
#[napi(ts_return_type = "Promise<Array<string> | NativeError>")]
pub fn weight_files(env: &Env, path: String) -> napi::Result<Object<'_>> {
    let files = move || {
        let file = millrace_ort::inspect(Path::new(&path))?;
        let external = file.external.into_iter().map(|file| file.to_string_lossy().into_owned());
        Ok(std::iter::once(path).chain(external).collect::<Vec<_>>())
    };
    in_background(env, files, |files| files)
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
#[napi(ts_return_type = "Promise<string | null>")]
pub fn name_bytes<'env>(
    env: &'env Env,
    context: String,
    facts: String,
    bytes: &[u8],
) -> napi::Result<Object<'env>> {
    let bytes = bytes.to_vec();
    let name = move || Ok(Namer::new(context.as_bytes()).name_of([facts.as_bytes(), &bytes]));
    settled(env, name, Result::ok)
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
#[napi(ts_return_type = "Promise<NativeNamedFile | null>")]
pub fn read_named(
    env: &Env,
    context: String,
    facts: String,
    path: String,
    most: f64,
) -> napi::Result<Object<'_>> {
    let read = move || {
        let namer = Namer::new(context.as_bytes()).field(facts.as_bytes());
        Ok(fingerprint::read(&namer, Path::new(&path), whole(most)))
    };
    settled(env, read, |read| {
        let file = read.ok().flatten();
        file.map(|(name, bytes)| NativeNamedFile { name, bytes: bytes.into() })
    })
}
