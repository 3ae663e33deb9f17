//! What the tests share: places of models, batches, and outputs as plain lists.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    clippy::allow_attributes,
    reason = "each test file uses a part, and a failed expectation is how it answers"
)]

use millrace_contract::{Backend, Batch, Input, InputData, OutputData, Result, RunControl};
use millrace_encoder::{Encoder, EncoderOptions, Level, Precision, Smooth, Taken};
use std::path::{Path, PathBuf};

/// The first folder above this one that has `place`.
pub fn upward(place: &str) -> Option<PathBuf> {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join(place))
        .find(|path| path.exists())
}

/// A file of the real all-MiniLM-L6-v2, where it is there.
pub fn minilm(file: &str) -> Option<PathBuf> {
    upward(&format!("shared/models/all-MiniLM-L6-v2/{file}"))
}

/// A small graph of this crate's tests.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models").join(name)
}

pub fn load(path: &Path, level: Level, precision: Precision, smooth: Smooth<'_>) -> Result<Taken> {
    Encoder::load(path, &EncoderOptions { precision, level, smooth })
}

/// A batch of texts padded to the longest, with all inputs that `backend` takes.
pub fn batch(backend: &dyn Backend, texts: &[Vec<i64>]) -> Batch {
    let padded_len = texts.iter().map(Vec::len).max().unwrap_or(0);
    let mut ids = vec![1; texts.len() * padded_len];
    let mut mask = vec![0; ids.len()];
    for (row, text) in texts.iter().enumerate() {
        ids[row * padded_len..][..text.len()].copy_from_slice(text);
        mask[row * padded_len..][..text.len()].fill(1);
    }
    let all = [("attention_mask", mask), ("token_type_ids", vec![0; ids.len()]), ("input_ids", ids)];
    let inputs = all
        .into_iter()
        .filter(|(name, _)| backend.graph().input(name).is_some())
        .map(|(name, data)| Input {
            name: name.into(),
            shape: vec![texts.len(), padded_len],
            data: InputData::I64(data),
        })
        .collect();
    Batch { inputs, rows: texts.len(), padded_len, spans: vec![] }
}

/// Shape and values of the output at `at`.
pub fn output(backend: &dyn Backend, batch: &Batch, at: usize) -> (Vec<usize>, Vec<f32>) {
    let mut found = None;
    let mut runner = backend.open(0).unwrap();
    runner
        .run(batch, &[at], &RunControl::new(), &mut |outputs| {
            let values = match outputs[0].data {
                OutputData::F32(values) => values.to_vec(),
                OutputData::F16(values) => values.iter().map(|x| x.to_f32()).collect(),
                other => panic!("unexpected {other:?}"),
            };
            found = Some((outputs[0].shape.to_vec(), values));
            Ok(())
        })
        .unwrap();
    found.unwrap()
}

/// Some texts of random tokens, of these lengths.
pub fn texts(lens: &[usize], most: i64) -> Vec<Vec<i64>> {
    let mut seed = 7_i64;
    lens.iter()
        .map(|len| {
            (0..*len)
                .map(|_| {
                    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
                    3 + (seed >> 8) % (most - 3)
                })
                .collect()
        })
        .collect()
}

/// The rows of `len` tokens that begin at `row`'s first place.
pub fn rows(found: &(Vec<usize>, Vec<f32>), row: usize, len: usize) -> &[f32] {
    let (padded, width) = (found.0[1], found.0[2]);
    &found.1[row * padded * width..][..len * width]
}

pub fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|x| x.to_bits()).collect()
}
