//! Files that are cut, altered or made to hurt: a typed error or a reason, never a panic, never more memory than the file could need.

#![allow(
    clippy::unwrap_used,
    clippy::allow_attributes,
    reason = "a failed expectation is how a test answers"
)]

mod common;

use common::{fixture, load};
use millrace_contract::ErrorKind;
use millrace_encoder::{Level, Precision, Smooth};
use proptest::prelude::*;
use std::{fs, path::Path};

fn models() -> Vec<Vec<u8>> {
    let mut found: Vec<_> = fs::read_dir(fixture("")).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    let files: Vec<_> =
        found.iter().filter(|path| path.extension().is_some_and(|kind| kind == "onnx")).collect();
    assert!(!files.is_empty());
    files.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Loads bytes as a file, in both precisions; what comes out must be an error of the file, a reason, or a model.
fn try_bytes(folder: &Path, bytes: &[u8]) {
    let path = folder.join("model.onnx");
    fs::write(&path, bytes).unwrap();
    for precision in [Precision::Fp32, Precision::Int8] {
        match load(&path, Level::best(), precision, Smooth::No) {
            Ok(Ok(_)) => {}
            Ok(Err(declined)) => assert!(!declined.to_string().is_empty()),
            Err(error) => {
                assert!(
                    matches!(error.kind(), ErrorKind::ModelInvalid | ErrorKind::ModelNotFound),
                    "{error}"
                );
            }
        }
    }
}

#[test]
fn what_is_no_model_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for bytes in [&b""[..], b"\0", b"version https://git-lfs.github.com/spec/v1\n", &[0xff; 64], b"{}"] {
        let path = folder.path().join("model.onnx");
        fs::write(&path, bytes).unwrap();
        let error = load(&path, Level::best(), Precision::Fp32, Smooth::No).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ModelInvalid);
    }
    let missing =
        load(&folder.path().join("none.onnx"), Level::best(), Precision::Fp32, Smooth::No).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::ModelNotFound);
}

#[test]
fn every_cut_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = &models()[0];
    for at in (0..bytes.len()).step_by((bytes.len() / 150).max(1)) {
        try_bytes(folder.path(), &bytes[..at]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("MILLRACE_FUZZ_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(400),
        ..ProptestConfig::default()
    })]

    /// Bytes changed, doubled and left out, mostly in the structure, which lies at the two ends of these small files.
    #[test]
    fn altered_files_do_no_harm(
        which: prop::sample::Index,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..6), 1..6),
    ) {
        let all = models();
        let mut bytes = all[which.index(all.len())].clone();
        for (place, value, how) in changes {
            let at = place.index(bytes.len());
            match how {
                0 => bytes[at] = value,
                1 => bytes[at] ^= 1 << (value % 8),
                2 => { bytes.remove(at); }
                3 => bytes.insert(at, value),
                4 => bytes[at] = bytes[at].wrapping_add(1),
                _ => {
                    let end = (at + usize::from(value)).min(bytes.len());
                    let part = bytes[at..end].to_vec();
                    bytes.splice(at..at, part);
                }
            }
            if bytes.is_empty() {
                bytes.push(0);
            }
        }
        let folder = tempfile::tempdir().unwrap();
        try_bytes(folder.path(), &bytes);
    }
}
