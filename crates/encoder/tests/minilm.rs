//! The real MiniLM, where it is there: the same bits however it is run, and bytes close to floats.

#![allow(
    clippy::unwrap_used,
    clippy::allow_attributes,
    reason = "a failed expectation is how a test answers"
)]

mod common;

use common::{batch, bits, load, minilm, output, rows, texts};
use millrace_contract::{Backend, ErrorKind, RunControl};
use millrace_encoder::{Encoder, Level, Precision, SENTENCES, Smooth};
use std::{sync::Arc, thread};
use tokenizers::Tokenizer;

const LENS: [usize; 7] = [1, 2, 40, 17, 130, 9, 64];

fn sentences() -> Vec<Vec<i64>> {
    let tokenizer = Tokenizer::from_file(minilm("tokenizer.json").unwrap()).unwrap();
    SENTENCES
        .lines()
        .map(|line| tokenizer.encode(line, true).unwrap().get_ids().iter().map(|id| i64::from(*id)).collect())
        .collect()
}

fn encoder(file: &str, level: Level, precision: Precision, smooth: Smooth<'_>) -> Option<Encoder> {
    Some(load(&minilm(file)?, level, precision, smooth).unwrap().unwrap())
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[test]
fn bytes_are_close_and_smoothing_brings_them_closer() {
    let Some(exact) = encoder("model.onnx", Level::best(), Precision::Fp32, Smooth::No) else { return };
    let sentences = sentences();
    let rough = encoder("model.onnx", Level::best(), Precision::Int8, Smooth::No).unwrap();
    let smooth = encoder("model.onnx", Level::best(), Precision::Int8, Smooth::From(&sentences)).unwrap();
    let again = Smooth::By(smooth.smoothing().unwrap());
    let again = encoder("model.onnx", Level::best(), Precision::Int8, again).unwrap();
    let texts: Vec<Vec<i64>> = sentences.iter().take(40).cloned().collect();
    let batch = batch(&exact, &texts);
    let expected = output(&exact, &batch, 0);
    let mean = |encoder: &Encoder| {
        let found = output(encoder, &batch, 0);
        let each = texts.iter().enumerate().map(|(row, text)| {
            let pool = |found| {
                rows(found, row, text.len()).chunks_exact(384).fold(
                    vec![0.0; 384],
                    |mut sum: Vec<f32>, token| {
                        sum.iter_mut().zip(token).for_each(|(sum, x)| *sum += x);
                        sum
                    },
                )
            };
            cosine(&pool(&expected), &pool(&found))
        });
        each.sum::<f64>() / f64::from(u32::try_from(texts.len()).unwrap())
    };
    let (rough, smoothed) = (mean(&rough), mean(&smooth));
    assert!(rough > 0.9985, "{rough}");
    assert!(smoothed > 0.999 && smoothed > rough, "{smoothed} against {rough}");
    assert_eq!(bits(&output(&smooth, &batch, 0).1), bits(&output(&again, &batch, 0).1), "kept divisors");
}

#[test]
fn rows_are_the_same_bits_alone_batched_on_threads_and_at_every_level() {
    let texts = texts(&LENS, 30_000);
    for precision in [Precision::Fp32, Precision::Int8] {
        let Some(first) = encoder("model.onnx", Level::best(), precision, Smooth::No) else { return };
        let whole = output(&first, &batch(&first, &texts), 0);
        for (row, text) in texts.iter().enumerate() {
            let alone = output(&first, &batch(&first, std::slice::from_ref(text)), 0);
            assert_eq!(
                bits(&alone.1),
                bits(rows(&whole, row, text.len())),
                "{precision:?}, text of {}",
                text.len()
            );
        }
        let first = Arc::new(first);
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let (encoder, texts) = (Arc::clone(&first), texts.clone());
                thread::spawn(move || output(&*encoder, &batch(&*encoder, &texts), 0))
            })
            .collect();
        for thread in threads {
            assert_eq!(bits(&thread.join().unwrap().1), bits(&whole.1));
        }
        for level in Level::available().filter(|level| *level != Level::Plain) {
            let encoder = encoder("model.onnx", level, precision, Smooth::No).unwrap();
            assert_eq!(
                bits(&output(&encoder, &batch(&encoder, &texts), 0).1),
                bits(&whole.1),
                "{level} {precision:?}"
            );
        }
    }
}

#[test]
fn a_run_ends_when_it_is_told_to() {
    let Some(encoder) = encoder("model.onnx", Level::best(), Precision::Fp32, Smooth::No) else { return };
    let texts = texts(&[250; 40], 30_000);
    let batch = batch(&encoder, &texts);
    let mut runner = encoder.open(0).unwrap();
    let control = Arc::new(RunControl::new());
    let other = Arc::clone(&control);
    let stopper = thread::spawn(move || other.terminate());
    let mut delivered = 0;
    let result = runner.run(&batch, &[0], &control, &mut |_| {
        delivered += 1;
        Ok(())
    });
    stopper.join().unwrap();
    // The thread starts long before so many tokens are through all layers; a run that won all the same has delivered once.
    match result {
        Err(error) => assert_eq!((error.kind(), delivered), (ErrorKind::Aborted, 0)),
        Ok(()) => assert_eq!(delivered, 1),
    }
    let fresh = runner.run(&batch, &[0], &RunControl::new(), &mut |_| Ok(()));
    assert!(fresh.is_ok(), "the same runner goes on");
}

#[test]
fn an_id_beyond_the_vocabulary_is_an_error() {
    let Some(encoder) = encoder("model.onnx", Level::best(), Precision::Fp32, Smooth::No) else { return };
    for id in [30_522, i64::MAX, i64::MIN] {
        let batch = batch(&encoder, &[vec![101, id, 102]]);
        let error =
            encoder.open(0).unwrap().run(&batch, &[0], &RunControl::new(), &mut |_| Ok(())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InferenceFailed, "{error}");
    }
    let long = batch(&encoder, &texts(&[513], 30_000));
    let error = encoder.open(0).unwrap().run(&long, &[0], &RunControl::new(), &mut |_| Ok(())).unwrap_err();
    assert!(error.message().contains("512"), "{error}");
}

#[test]
fn a_dynamically_quantised_file_is_taken_on_wish() {
    let Some(encoder) = encoder("model_int8.onnx", Level::best(), Precision::Fp32, Smooth::No) else {
        return;
    };
    let Some(exact) = self::encoder("model.onnx", Level::best(), Precision::Fp32, Smooth::No) else { return };
    let texts = texts(&LENS, 30_000);
    let (own, other) =
        (output(&encoder, &batch(&encoder, &texts), 0), output(&exact, &batch(&exact, &texts), 0));
    assert!(cosine(&own.1, &other.1) > 0.98, "{}", cosine(&own.1, &other.1));
}
