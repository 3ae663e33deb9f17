//! Sessions on the real library: results, concurrency, termination, bad input, replacement.

use crate::common::{batch, first, input_names, load, minilm, tiny};
use millrace_contract::{Backend, Batch, ErrorKind, Input, InputData, RunControl};
use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

/// Token ids stay under this in every model here.
const VOCABULARY: i64 = 50;

fn texts(backend: &millrace_ort::OrtBackend, rows: usize, len: usize, seed: i64) -> Batch {
    let names = input_names(backend);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    batch(&names, rows, len, seed, VOCABULARY)
}

#[test]
fn runs_and_says_what_it_is() {
    let backend = load(&tiny(), 1);
    assert_eq!(backend.runtime().name, "onnxruntime");
    assert!(backend.runtime().version.starts_with("1."), "{:?}", backend.runtime());
    assert_eq!(backend.device(3).device, "cpu");
    assert!(backend.shares_weights());
    let mut session = backend.open(0).unwrap();
    let (shape, values) = first(session.as_mut(), &texts(&backend, 2, 7, 1)).unwrap();
    assert_eq!(shape[..2], [2, 7]);
    assert_eq!(values.len(), shape.iter().product::<usize>());
    assert!(values.iter().all(|value| value.is_finite()));
}

#[test]
fn four_threads_equal_one_bit_for_bit() {
    let backend = Arc::new(load(&tiny(), 4));
    let batches: Arc<Vec<Batch>> =
        Arc::new((0..40).zip(0..).map(|(i, seed)| texts(&backend, 1 + i % 5, 3 + i % 13, seed)).collect());
    let mut session = backend.open(0).unwrap();
    let serial: Arc<Vec<_>> =
        Arc::new(batches.iter().map(|batch| first(session.as_mut(), batch).unwrap().1).collect());
    let workers: Vec<_> = (0..4)
        .map(|slot| {
            let (backend, batches, serial) =
                (Arc::clone(&backend), Arc::clone(&batches), Arc::clone(&serial));
            thread::spawn(move || {
                let mut session = backend.open(slot).unwrap();
                for round in 0..10 {
                    for at in 0..batches.len() {
                        let at = (at * 7 + slot * 11 + round) % batches.len();
                        let values = first(session.as_mut(), &batches[at]).unwrap().1;
                        let same = values.iter().zip(&serial[at]).all(|(a, b)| a.to_bits() == b.to_bits());
                        assert!(same && values.len() == serial[at].len(), "batch {at} differs");
                    }
                }
            })
        })
        .collect();
    for worker in workers {
        worker.join().unwrap();
    }
}

#[test]
fn bad_input_fails_and_the_next_run_works() {
    let backend = load(&tiny(), 1);
    let mut session = backend.open(0).unwrap();
    let good = texts(&backend, 1, 4, 1);
    let expected = first(session.as_mut(), &good).unwrap();

    let mut wrong_rank = good.clone();
    wrong_rank.inputs[0].shape = vec![4];
    let mut wrong_count = good.clone();
    wrong_count.inputs[0].shape = vec![1, 5];
    let mut overflow = good.clone();
    overflow.inputs[0].shape = vec![usize::MAX, 3];
    let mut unknown = good.clone();
    unknown.inputs.push(Input { name: "nope".into(), shape: vec![], data: InputData::I64(vec![1]) });
    let mut wrong_type = good.clone();
    wrong_type.inputs[0].data = InputData::F32(vec![0.0; 4]);
    let missing = Batch { inputs: vec![], ..good.clone() };
    let mut past_vocabulary = good.clone();
    past_vocabulary.inputs.iter_mut().filter(|input| &*input.name == "input_ids").for_each(|input| {
        input.data = InputData::I64(vec![1, 2, 3, 1_000_000_000]);
    });
    for bad in [wrong_rank, wrong_count, overflow, unknown, wrong_type, missing, past_vocabulary] {
        let error = first(session.as_mut(), &bad).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InferenceFailed, "{error}");
        assert!(!error.message().is_empty());
        assert_eq!(first(session.as_mut(), &good).unwrap(), expected, "after {error}");
    }
    let mut reopened = backend.open(0).unwrap();
    assert_eq!(first(reopened.as_mut(), &good).unwrap(), expected);
}

#[test]
fn sink_errors_and_panics_come_back() {
    let backend = load(&tiny(), 1);
    let mut session = backend.open(0).unwrap();
    let good = texts(&backend, 1, 4, 1);
    let said = millrace_contract::Error::new(ErrorKind::Closed, "enough");
    let error = session.run(&good, &[0], &RunControl::new(), &mut |_| Err(said.clone())).unwrap_err();
    assert_eq!(error, said);
    let error = session.run(&good, &[0], &RunControl::new(), &mut |_| panic!("sink")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
    let error = session.run(&good, &[99], &RunControl::new(), &mut |_| Ok(())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
    // The panic made the session suspect: opening replaces it, and the older handle follows.
    let mut reopened = backend.open(0).unwrap();
    assert_eq!(first(reopened.as_mut(), &good).unwrap(), first(session.as_mut(), &good).unwrap());
}

#[test]
fn terminated_before_the_start() {
    let backend = load(&tiny(), 1);
    let control = RunControl::new();
    control.terminate();
    let good = texts(&backend, 1, 4, 1);
    let error = backend.open(0).unwrap().run(&good, &[0], &control, &mut |_| Ok(())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Aborted);
}

#[test]
fn terminate_ends_a_long_run_early() {
    // The real model where it is there; else a tiny one with a run made long by its size.
    let (path, rows, len) = match minilm("model.onnx") {
        Some(path) => (path, 64, 256),
        None => (tiny(), 2048, 32),
    };
    let backend = load(&path, 1);
    let long = texts(&backend, rows, len, 3);
    let mut session = backend.open(0).unwrap();
    let whole = Instant::now();
    first(session.as_mut(), &long).unwrap();
    let whole = whole.elapsed();

    let control = Arc::new(RunControl::new());
    let from_outside = Arc::clone(&control);
    let killer = thread::spawn(move || {
        thread::sleep(whole / 10);
        from_outside.terminate();
    });
    let started = Instant::now();
    let result = session.run(&long, &[0], &control, &mut |_| Ok(()));
    let took = started.elapsed();
    killer.join().unwrap();
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Aborted);
    assert!(took < whole.mul_f32(0.7).max(Duration::from_millis(20)), "{took:?} of {whole:?}");
    // The hook outlived the run; firing it again is harmless, and the session is as good as new.
    control.terminate();
    first(session.as_mut(), &texts(&backend, 1, 4, 1)).unwrap();
}
