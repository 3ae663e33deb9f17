//! Inputs in parts over the fake backend: one row each, in order, under faults, cancelling and bounds.
#![expect(clippy::unwrap_used, reason = "a test says what it means by failing")]
#![expect(clippy::float_cmp, reason = "the fake backend's numbers are exact")]

mod drive;

use drive::{Fake, Row, embed, take};
use millrace_contract::{Backend, ErrorKind};
use millrace_core::{
    engine::{Engine, EngineOptions},
    fake::{
        Cost, FakeBackend, FakeFamily, Gauge, POISON_FAIL, POISON_HANG, POISON_NAN, POISON_PANIC,
        POISON_PREPARE, READY, SPLIT,
    },
    job::{Batching, JobOptions, OnError, Order},
};
use proptest::prelude::*;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

fn start(cost: Cost, sessions: usize, max_batch_tokens: usize) -> (Fake, Arc<FakeBackend>, Arc<Gauge>) {
    let backend = Arc::new(FakeBackend::new(cost));
    let family = FakeFamily::default();
    let ahead = Arc::clone(&family.ahead);
    let options = EngineOptions { max_batch_tokens, ..EngineOptions::of_sessions(sessions) };
    let engine = Engine::start(Arc::clone(&backend) as Arc<dyn Backend>, family, options).unwrap();
    (engine, backend, ahead)
}

fn engine(sessions: usize) -> Fake {
    start(Cost::default(), sessions, 64).0
}

fn options(batch_size: usize) -> JobOptions {
    JobOptions { batch_size, on_error: OnError::Collect, ..JobOptions::default() }
}

/// An input of `parts` parts, each of a few tokens that tell it from all others.
fn input(seed: usize, parts: usize) -> Vec<u32> {
    let part = |part: usize| {
        let len = 1 + (seed * 7 + part * 5) % 23;
        (0..len).map(move |at| u32::try_from((seed * 31 + part * 131 + at * 17) % 1000).unwrap() + 1)
    };
    let mut all: Vec<u32> = part(0).collect();
    for number in 1..parts {
        all.push(SPLIT);
        all.extend(part(number));
    }
    all
}

fn inputs(count: usize) -> Vec<Vec<u32>> {
    (0..count).map(|seed| input(seed, 1 + seed * 5 % 9)).collect()
}

fn assert_rows(rows: Vec<Row>, inputs: &[Vec<u32>], failed: &[(usize, ErrorKind)]) {
    assert_eq!(rows.len(), inputs.len());
    for ((at, (index, row)), input) in rows.into_iter().enumerate().zip(inputs) {
        assert_eq!(index, at as u64);
        match failed.iter().find(|(bad, _)| *bad == at) {
            Some((_, kind)) => assert_eq!(row, Err(*kind), "input {at}"),
            None => assert_eq!(row.unwrap(), FakeFamily::expected(input), "input {at}"),
        }
    }
}

#[test]
fn parts_become_one_row_in_its_place() {
    for batching in [Batching::Planned, Batching::Fixed] {
        let engine = engine(3);
        let mut inputs = inputs(3000);
        for input in inputs.iter_mut().step_by(7) {
            // A part that needs no run.
            input.push(SPLIT);
            input.push(READY);
        }
        let job = engine.submit(JobOptions { batching, ..options(50) }, 0).unwrap();
        let rows = embed(&job, &inputs);
        assert_rows(rows, &inputs, &[]);
        let tokens = |input: &Vec<u32>| input.iter().filter(|&&token| token != SPLIT).count() as u64;
        let all: u64 = inputs.iter().map(tokens).sum();
        let progress = job.progress();
        assert_eq!((progress.submitted, progress.done, progress.tokens), (3000, 3000, all));
        let metrics = engine.metrics();
        assert_eq!((metrics.rows, metrics.tokens, metrics.waiting_rows), (3000, all, 0));
    }
}

#[test]
fn a_part_that_fails_fails_its_input_alone() {
    for (poison, kind) in [
        (POISON_FAIL, ErrorKind::InferenceFailed),
        (POISON_PANIC, ErrorKind::InferenceFailed),
        (POISON_NAN, ErrorKind::InferenceFailed),
        (POISON_PREPARE, ErrorKind::InputInvalid),
    ] {
        let engine = engine(2);
        let mut inputs = inputs(300);
        inputs[123] = input(123, 40);
        let middle = inputs[123].iter().rposition(|&token| token == SPLIT).unwrap();
        inputs[123].insert(middle, poison);
        let rows = embed(&engine.submit(options(32), 0).unwrap(), &inputs);
        assert_rows(rows, &inputs, &[(123, kind)]);
        assert_eq!(engine.metrics().waiting_rows, 0, "parts of a failed input do not wait on");
    }
}

#[test]
fn nothing_more_is_run_of_a_failed_input() {
    let cost = Cost { run: Duration::from_millis(5), ..Cost::default() };
    let (engine, backend, _) = start(cost, 1, 64);
    let job = engine.submit(options(1), 0).unwrap();
    let tail = [vec![SPLIT], vec![3; 60]].concat().repeat(400);
    job.push(vec![[vec![POISON_NAN; 60], tail].concat()]);
    let mut rows = Vec::new();
    assert!(take(&job, &mut rows));
    assert_eq!(rows, [(0, Err(ErrorKind::InferenceFailed))]);
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(engine.metrics().waiting_rows, 0);
    assert!(backend.runs() <= 3, "{} runs", backend.runs());
}

#[test]
fn fixed_batching_keeps_the_parts_in_their_slice() {
    let (engine, backend, _) = start(Cost::default(), 2, 4);
    // Slices of four inputs: twelve parts and so three runs; then one run; then a failed input and three runs.
    let parts = [3, 3, 3, 3, 1, 1, 1, 1, 3, 5, 1, 6];
    let mut inputs: Vec<_> = parts.iter().enumerate().map(|(seed, &parts)| input(seed, parts)).collect();
    inputs[8].push(POISON_PREPARE);
    let fixed = JobOptions { batching: Batching::Fixed, ..options(4) };
    let rows = embed(&engine.submit(fixed, 0).unwrap(), &inputs);
    assert_rows(rows, &inputs, &[(8, ErrorKind::InputInvalid)]);
    assert_eq!(backend.runs(), 3 + 1 + 3);
}

#[test]
fn a_huge_input_is_on_its_way_a_window_at_a_time() {
    // 10 MB of tokens, in 10,000 parts.
    let part = [vec![7; 255], vec![SPLIT]].concat();
    let mut huge = part.repeat(10_240);
    huge.pop();
    let (engine, _, ahead) = start(Cost::default(), 2, 384);
    let job = engine.submit(options(4), 0).unwrap();
    assert_eq!(job.push(vec![huge.clone()]), 0, "the window is full");
    assert_eq!(job.room_blocking(), Some(1), "of inputs as heavy as this one");
    let inputs = [huge, vec![1, 2]];
    let rows = embed(&job, &inputs[1..]);
    assert_rows(rows, &inputs, &[]);
    // The window of a single call, and the parts of one task more.
    let most = 65_536 / 255 + 16;
    assert!((16..=most).contains(&ahead.most()), "{} parts at once", ahead.most());
}

#[test]
fn the_window_is_free_again_afterwards() {
    let engine = engine(2);
    // So many calls that the window counts few tokens.
    let _others: Vec<_> = (0..20).map(|_| engine.submit(options(1), 0).unwrap()).collect();
    let job = engine.submit(options(1), 0).unwrap();
    let parts = [5, SPLIT, 6, SPLIT, READY];
    let whole = 4096 + 4096 / 8;
    for round in 1..=200_u64 {
        job.push(vec![parts.to_vec()]);
        assert!(take(&job, &mut Vec::new()));
        if round == 100 {
            job.push(vec![[&parts[..], &[SPLIT, POISON_FAIL]].concat()]);
            assert!(take(&job, &mut Vec::new()));
        }
    }
    // A part without a run weighs nothing, so an input weighs two tokens: nothing is left behind of 200 of them.
    assert_eq!(job.push(Vec::new()), whole / 2);
}

#[test]
fn a_huge_input_leaves_others_their_turns() {
    let cost = Cost { run: Duration::from_millis(5), ..Cost::default() };
    let (engine, backend, _) = start(cost, 1, 64);
    let bulk = engine.submit(options(1), 0).unwrap();
    bulk.push(vec![[vec![3; 60], vec![SPLIT]].concat().repeat(5000)[..304_999].to_vec()]);
    std::thread::sleep(Duration::from_millis(50));
    for priority in [0, 10] {
        let mut runs: Vec<usize> = (0..5)
            .map(|_| {
                let before = backend.runs();
                let query = JobOptions { priority, ..options(1) };
                let rows = embed(&engine.submit(query, 0).unwrap(), &[vec![4, 5]]);
                assert_eq!(rows, [(0, Ok(FakeFamily::expected(&[4, 5])))]);
                backend.runs() - before
            })
            .collect();
        runs.sort_unstable();
        assert!(runs[2] <= 3, "priority {priority}: {runs:?} runs");
    }
    assert_eq!(bulk.progress().done, 0);
}

#[test]
fn cancelling_frees_what_waits() {
    let cost = Cost { run: Duration::from_millis(5), ..Cost::default() };
    let (engine, _, _) = start(cost, 1, 64);
    let job = engine.submit(options(1), 0).unwrap();
    job.push(vec![[vec![3; 60], vec![SPLIT]].concat().repeat(5000)[..304_999].to_vec()]);
    std::thread::sleep(Duration::from_millis(30));
    assert!(engine.metrics().waiting_rows > 0);
    let begun = Instant::now();
    job.cancel();
    assert!(matches!(job.next_blocking(), Some(Err(error)) if error.kind() == ErrorKind::Aborted));
    drop(job);
    let rows = embed(&engine.submit(options(8), 0).unwrap(), &inputs(20));
    assert_rows(rows, &inputs(20), &[]);
    assert!(begun.elapsed() < Duration::from_millis(800), "{:?}", begun.elapsed());
    assert_eq!((engine.metrics().waiting_rows, engine.metrics().open_jobs), (0, 0));
}

#[test]
fn a_part_past_the_limit_of_a_run_fails_its_input() {
    let engine = engine(1);
    let hasty = JobOptions { timeout: Some(Duration::from_millis(60)), ..options(4) };
    let inputs = [vec![1, SPLIT, POISON_HANG, SPLIT, 3], vec![1, SPLIT, 2]];
    let rows = embed(&engine.submit(hasty, 0).unwrap(), &inputs);
    // Whoever shares the run that is ended is tried again alone, unless its own limit ran out.
    assert_eq!(rows[0], (0, Err(ErrorKind::Timeout)));
    assert_eq!(rows.len(), 2);
}

#[test]
fn close_drains_inputs_in_parts() {
    let cost = Cost { run: Duration::from_millis(1), ..Cost::default() };
    let (engine, _, _) = start(cost, 2, 64);
    let job = engine.submit(options(10), 0).unwrap();
    let mut pushed = inputs(100);
    pushed[50] = [vec![3; 60], vec![SPLIT]].concat().repeat(1500)[..91_499].to_vec();
    job.push(pushed.clone());
    job.finish();
    engine.close(None);
    let mut rows = Vec::new();
    while take(&job, &mut rows) {}
    assert_rows(rows, &pushed, &[]);
}

#[test]
fn close_with_a_limit_ends_an_input_in_parts() {
    let engine = engine(1);
    let job = engine.submit(options(1), 0).unwrap();
    job.push(vec![vec![1, SPLIT, POISON_HANG, SPLIT, 2]]);
    let begun = Instant::now();
    engine.close(Some(Duration::from_millis(50)));
    assert!(begun.elapsed() < Duration::from_secs(1));
    assert!(matches!(job.next_blocking(), Some(Err(error)) if error.kind() == ErrorKind::Closed));
}

#[derive(Debug, Clone)]
struct Call {
    /// Seed, parts and what is wrong with one of them.
    rows: Vec<(usize, usize, Option<u32>)>,
    batch_size: usize,
    priority: i32,
    group: u32,
    completion: bool,
    fixed: bool,
    cancel_after: Option<usize>,
}

fn call() -> impl Strategy<Value = Call> {
    let poisons = prop::sample::select(vec![POISON_FAIL, POISON_NAN, POISON_PREPARE]);
    let row = (0_usize..40, 1_usize..30, prop::option::weighted(0.03, poisons));
    let cancel = prop::option::weighted(0.2, 0_usize..60);
    let rows = prop::collection::vec(row, 0..80);
    (rows, 1_usize..70, -1_i32..3, 0_u32..2, any::<bool>(), any::<bool>(), cancel).prop_map(
        |(rows, batch_size, priority, group, completion, fixed, cancel_after)| Call {
            rows,
            batch_size,
            priority,
            group,
            completion,
            fixed,
            cancel_after,
        },
    )
}

/// One call from its own thread; panics when a row is lost, doubled or another input's.
fn act(engine: &Fake, call: &Call) {
    let mut failed = Vec::new();
    let mut inputs = Vec::new();
    for (at, &(seed, parts, poison)) in call.rows.iter().enumerate() {
        let mut input = input(seed, parts);
        if let Some(poison) = poison {
            input.insert(seed % input.len(), poison);
            let bad =
                if poison == POISON_PREPARE { ErrorKind::InputInvalid } else { ErrorKind::InferenceFailed };
            failed.push((at, bad));
        }
        inputs.push(input);
    }
    let options = JobOptions {
        priority: call.priority,
        order: if call.completion { Order::Completion } else { Order::Input },
        batching: if call.fixed { Batching::Fixed } else { Batching::Planned },
        ..options(call.batch_size)
    };
    let job = engine.submit(options, call.group).unwrap();
    if let Some(after) = call.cancel_after {
        job.push(inputs.iter().take(after).cloned().collect());
        job.cancel();
        assert!(matches!(job.next_blocking(), Some(Err(error)) if error.kind() == ErrorKind::Aborted));
        return;
    }
    let mut rows = embed(&job, &inputs);
    if call.completion {
        rows.sort_unstable_by_key(|(index, _)| *index);
    }
    if call.fixed {
        // A failed run takes its whole slice with it, and no other slice.
        assert_eq!(rows.len(), inputs.len());
        for ((at, (index, row)), input) in rows.into_iter().enumerate().zip(&inputs) {
            assert_eq!(index, at as u64);
            let slice = at / call.batch_size;
            if failed.iter().any(|(bad, _)| *bad == at) {
                assert!(row.is_err(), "input {at}");
            } else if failed.iter().all(|(bad, _)| bad / call.batch_size != slice) {
                assert!(row.is_ok(), "input {at}");
            }
            if let Ok(row) = row {
                assert_eq!(row, FakeFamily::expected(input), "input {at}");
            }
        }
    } else {
        assert_rows(rows, &inputs, &failed);
    }
    assert_eq!(job.progress().done, inputs.len() as u64);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]
    #[test]
    fn order_and_identity_under_everything(
        calls in prop::collection::vec(call(), 1..6),
        sessions in 1_usize..8,
        budget in 1_usize..200,
        delay in 0_u64..300,
    ) {
        let cost = Cost { run: Duration::from_micros(delay), token: Duration::ZERO };
        let (engine, _, _) = start(cost, sessions, budget);
        std::thread::scope(|scope| {
            for call in &calls {
                scope.spawn(|| act(&engine, call));
            }
        });
        prop_assert_eq!(engine.metrics().open_jobs, 0);
        // What was being prepared while its call was cancelled may still be on its way out.
        let begun = Instant::now();
        while engine.metrics().waiting_rows > 0 && begun.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(Duration::from_millis(1));
        }
        prop_assert_eq!(engine.metrics().waiting_rows, 0);
    }
}
