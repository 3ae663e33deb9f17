//! What an engine counts, over the fake backend: every row, run, error and refusal once, times that fit each other.
#![expect(clippy::unwrap_used, reason = "a test says what it means by failing")]

use millrace_contract::ErrorKind;
use millrace_core::{
    engine::{Engine, EngineOptions, Metrics, RUN_TIME_BOUNDS_MS},
    fake::{Cost, FakeBackend, FakeFamily, POISON_FAIL, POISON_NAN, POISON_PREPARE},
    job::{JobOptions, OnError},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

fn engine(cost: Cost, max_jobs: usize) -> Engine<FakeFamily> {
    let options = EngineOptions { max_batch_tokens: 64, max_jobs, ..EngineOptions::of_sessions(1) };
    Engine::start(Arc::new(FakeBackend::new(cost)), FakeFamily::default(), options).unwrap()
}

/// Puts `inputs` through one job that collects errors.
fn embed(engine: &Engine<FakeFamily>, inputs: Vec<Vec<u32>>) -> usize {
    let options = JobOptions { batch_size: 16, on_error: OnError::Collect, ..JobOptions::default() };
    let job = engine.submit(options, 0).unwrap();
    job.push(inputs);
    job.finish();
    let mut rows = 0;
    while let Some(delivery) = job.next_blocking() {
        rows += delivery.unwrap().rows.len();
    }
    rows
}

/// Counters of a run that has delivered its rows may be a moment late.
fn settled(engine: &Engine<FakeFamily>, holds: impl Fn(&Metrics) -> bool) -> Metrics {
    let begun = Instant::now();
    loop {
        let metrics = engine.metrics();
        if holds(&metrics) || begun.elapsed() > Duration::from_secs(5) {
            return metrics;
        }
        std::thread::yield_now();
    }
}

#[test]
fn rows_tokens_runs_and_times_are_counted() {
    let run = Duration::from_millis(12);
    let engine = engine(Cost { run, ..Cost::default() }, 8);
    let begun = Instant::now();
    assert_eq!(embed(&engine, vec![vec![1, 2, 3, 4]; 64]), 64);
    let metrics = settled(&engine, |metrics| metrics.runs == 4);
    let elapsed = begun.elapsed();
    assert_eq!((metrics.rows, metrics.tokens, metrics.padded_tokens), (64, 256, 256));
    assert_eq!((metrics.runs, metrics.failed_runs, metrics.started_rows), (4, 0, 64));
    assert!(metrics.inference >= 4 * run && metrics.inference <= elapsed, "{metrics:?}");
    assert!(metrics.inference + metrics.finish <= elapsed, "one session: {metrics:?}");
    // Later runs' rows waited for the runs before theirs.
    assert!(metrics.wait >= run * (16 + 32 + 48) && metrics.wait <= elapsed * 64, "{metrics:?}");
    let class = RUN_TIME_BOUNDS_MS.iter().position(|&bound| bound > 12).unwrap();
    assert_eq!(metrics.run_times.iter().sum::<u64>(), 4);
    assert_eq!(metrics.run_times[..class].iter().sum::<u64>(), 0, "no run was faster than it can be");
    assert_eq!((metrics.waiting_rows, metrics.queue_age, metrics.open_jobs), (0, Duration::ZERO, 0));
}

#[test]
fn errors_are_counted_once_by_code() {
    let engine = engine(Cost::default(), 8);
    let mut inputs = vec![vec![1, 2, 3]; 40];
    inputs[3] = vec![POISON_FAIL];
    inputs[17] = vec![POISON_NAN];
    inputs[30] = vec![POISON_PREPARE];
    assert_eq!(embed(&engine, inputs), 40);
    let metrics = settled(&engine, |metrics| metrics.errors.values().sum::<u64>() == 3);
    let failed = metrics.errors.get(ErrorKind::InferenceFailed.code()).copied();
    assert_eq!(failed, Some(2), "{:?}", metrics.errors);
    assert_eq!(metrics.errors.values().sum::<u64>(), 3, "{:?}", metrics.errors);
    assert_eq!(metrics.rows, 37);
    assert!(metrics.failed_runs >= 1);
}

#[test]
fn the_queue_shows_its_age_and_whom_it_refused() {
    let engine = engine(Cost { run: Duration::from_millis(40), ..Cost::default() }, 1);
    let job = engine.submit(JobOptions::default(), 0).unwrap();
    job.push(vec![vec![7; 64]; 8]);
    std::thread::sleep(Duration::from_millis(60));
    let metrics = engine.metrics();
    assert!(metrics.waiting_rows > 0 && metrics.open_jobs == 1);
    assert!(metrics.queue_age >= Duration::from_millis(20), "{:?}", metrics.queue_age);
    assert!(metrics.queue_age <= Duration::from_secs(5), "{:?}", metrics.queue_age);
    for refused in 1..=3 {
        let error = engine.submit(JobOptions::default(), 0).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Overloaded);
        assert_eq!(engine.metrics().refused_jobs, refused);
    }
}
