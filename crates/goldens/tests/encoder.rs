//! millrace's own engine against ONNX Runtime on the same files and batches: exports of several kinds (those of the encoder's tests),
//! the goldens' models as far as the encoder takes them, and the real MiniLM.
//!
//! `MILLRACE_ENCODER_MODELS` names a folder of more ONNX files to compare; each that is declined is printed with the reason.

#![expect(clippy::unwrap_used, reason = "a failed expectation is how a test answers")]

use millrace_contract::{Backend, Batch, Input, InputData, OutputData, RunControl};
use millrace_encoder::{Encoder, EncoderOptions, Level, Precision, SENTENCES, Smooth, Taken};
use millrace_goldens::backend as runtime;
use std::{
    fs,
    path::{Path, PathBuf},
};
use tokenizers::Tokenizer;

const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

fn upward(place: &str) -> Option<PathBuf> {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join(place))
        .find(|path| path.exists())
}

fn own(path: &Path, precision: Precision, smooth: Smooth<'_>) -> Taken {
    let options = EncoderOptions { precision, level: Level::best(), smooth };
    Encoder::load(path, &options).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn onnx_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            onnx_files(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "onnx") {
            found.push(path);
        }
    }
    found.sort();
}

fn batch(backend: &dyn Backend, texts: &[Vec<i64>], left: bool) -> Batch {
    let padded_len = texts.iter().map(Vec::len).max().unwrap_or(0);
    let mut ids = vec![1; texts.len() * padded_len];
    let mut mask = vec![0; ids.len()];
    let mut types = mask.clone();
    for (row, text) in texts.iter().enumerate() {
        let at = row * padded_len + if left { padded_len - text.len() } else { 0 };
        ids[at..][..text.len()].copy_from_slice(text);
        mask[at..][..text.len()].fill(1);
        types[at + text.len() / 2..at + text.len()].fill(1);
    }
    let inputs = [("input_ids", ids), ("attention_mask", mask), ("token_type_ids", types)]
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

fn outputs(backend: &dyn Backend, batch: &Batch) -> Vec<(Vec<usize>, Vec<f32>)> {
    let wanted: Vec<usize> = (0..backend.graph().outputs.len()).collect();
    let mut found = Vec::new();
    let mut read = |outputs: &[millrace_contract::Output<'_>]| {
        for output in outputs {
            let values = match output.data {
                OutputData::F32(values) => values.to_vec(),
                OutputData::F16(values) => values.iter().map(|x| x.to_f32()).collect(),
                other => panic!("unexpected {other:?}"),
            };
            found.push((output.shape.to_vec(), values));
        }
        Ok(())
    };
    backend.open(0).unwrap().run(batch, &wanted, &RunControl::new(), &mut read).unwrap();
    found
}

/// The greatest difference at places of the mask, over the greatest magnitude.
fn off(own: &Encoder, ort: &dyn Backend, texts: &[Vec<i64>], left: bool) -> f32 {
    let batch = batch(ort, texts, left);
    let InputData::I64(mask) =
        &batch.inputs.iter().find(|input| &*input.name == "attention_mask").unwrap().data
    else {
        unreachable!()
    };
    let (mut worst, mut greatest) = (0.0_f32, 1e-3_f32);
    for (own, theirs) in outputs(own, &batch).iter().zip(outputs(ort, &batch)) {
        assert_eq!(own.0, theirs.0, "shapes");
        let per_token = own.0.len() == 3;
        let width = own.0[own.0.len() - 1];
        for (at, (a, b)) in own.1.iter().zip(&theirs.1).enumerate() {
            if !per_token || mask[at / width] != 0 {
                worst = worst.max((a - b).abs());
                greatest = greatest.max(b.abs());
            }
        }
    }
    worst / greatest
}

fn random(lens: &[usize], most: i64) -> Vec<Vec<i64>> {
    let mut seed = 11_i64;
    let mut next = || {
        seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
        3 + (seed >> 8) % (most - 3)
    };
    lens.iter().map(|len| (0..*len).map(|_| next()).collect()).collect()
}

#[test]
fn exports_of_every_kind_are_taken_and_right() {
    let mut files = Vec::new();
    onnx_files(&Path::new(WORKSPACE).join("crates/encoder/tests/models"), &mut files);
    assert!(!files.is_empty());
    for path in files {
        let name = path.display();
        let encoder =
            own(&path, Precision::Fp32, Smooth::No).unwrap_or_else(|declined| panic!("{name}: {declined}"));
        let off = off(&encoder, &*runtime(&path), &random(&[11, 3, 7, 1], 110), false);
        let bound = if path.to_string_lossy().contains("fp16") { 4e-3 } else { 1e-5 };
        assert!(off < bound, "{name}: {off}");
    }
}

#[test]
fn more_models_of_a_folder() {
    let mut files = Vec::new();
    match std::env::var_os("MILLRACE_ENCODER_MODELS") {
        Some(folder) => onnx_files(Path::new(&folder), &mut files),
        None => onnx_files(&upward("shared/goldens/models").unwrap_or_default(), &mut files),
    }
    let mut far = Vec::new();
    for path in files {
        let name = path.file_name().unwrap().display().to_string();
        match own(&path, Precision::Fp32, Smooth::No) {
            Err(declined) => println!("declined {name}: {declined}"),
            Ok(encoder) => {
                let off = off(&encoder, &*runtime(&path), &random(&[11, 3, 7, 1], 110), false);
                println!("taken {name}: {off:e}");
                if off > 1e-5 {
                    far.push((name, off));
                }
            }
        }
    }
    assert!(far.is_empty(), "{far:?}");
}

#[test]
fn minilm_is_that_of_onnx_runtime() {
    let Some(folder) = upward("shared/models/all-MiniLM-L6-v2") else { return };
    let tokenizer = Tokenizer::from_file(folder.join("tokenizer.json")).unwrap();
    let ids = |text: &str| -> Vec<i64> {
        tokenizer.encode(text, true).unwrap().get_ids().iter().map(|id| i64::from(*id)).collect()
    };
    let texts: Vec<Vec<i64>> = SENTENCES.lines().map(ids).collect();
    let encoder = own(&folder.join("model.onnx"), Precision::Fp32, Smooth::No).unwrap();
    let ort = runtime(&folder.join("model.onnx"));
    for left in [false, true] {
        let off = off(&encoder, &*ort, &texts[..30], left);
        assert!(off < 1e-5, "{off}, padded at the left: {left}");
    }
    // ONNX Runtime rounds activations of this file to bytes, so it is only near; the weights are the same numbers.
    let w8 = own(&folder.join("model_w8.onnx"), Precision::Fp32, Smooth::No).unwrap();
    let near = off(&w8, &*runtime(&folder.join("model_w8.onnx")), &texts[..30], false);
    assert!(near < 0.1, "{near}");
}
