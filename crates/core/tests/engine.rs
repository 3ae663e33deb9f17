//! The engine over the fake backend: order, identity, faults, cancellation, bounds.
#![expect(clippy::unwrap_used, reason = "a test says what it means by failing")]
#![expect(clippy::float_cmp, reason = "the fake backend's numbers are exact")]

mod drive;

use drive::{Fake, embed, take};
use millrace_contract::{Backend, ErrorKind};
use millrace_core::{
    engine::{Engine, EngineOptions},
    fake::{
        Cost, FakeBackend, FakeFamily, POISON_FAIL, POISON_HANG, POISON_NAN, POISON_PANIC, POISON_PREPARE,
        READY,
    },
    job::{Batching, JobOptions, OnError},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

fn options(sessions: usize) -> EngineOptions {
    EngineOptions { max_batch_tokens: 64, max_jobs: 64, ..EngineOptions::of_sessions(sessions) }
}

fn engine_with(cost: Cost, options: EngineOptions) -> (Fake, Arc<FakeBackend>) {
    let backend = Arc::new(FakeBackend::new(cost));
    let engine =
        Engine::start(Arc::clone(&backend) as Arc<dyn Backend>, FakeFamily::default(), options).unwrap();
    (engine, backend)
}

fn engine(sessions: usize) -> Fake {
    engine_with(Cost::default(), options(sessions)).0
}

fn input(seed: usize) -> Vec<u32> {
    (0..=seed * 7 % 23).map(|at| u32::try_from((seed * 31 + at * 17) % 1000).unwrap()).collect()
}

fn inputs(count: usize) -> Vec<Vec<u32>> {
    (0..count).map(input).collect()
}

fn job_options(batch_size: usize) -> JobOptions {
    JobOptions { batch_size, ..JobOptions::default() }
}

#[test]
fn output_i_is_input_i_over_more_than_a_window() {
    let engine = engine(3);
    let inputs = inputs(20_000);
    let rows = embed(&engine.submit(job_options(100), 0).unwrap(), &inputs);
    assert_eq!(rows.len(), inputs.len());
    for (at, (index, row)) in rows.iter().enumerate() {
        assert_eq!(*index, at as u64);
        assert_eq!(row.unwrap(), FakeFamily::expected(&inputs[at]));
    }
}

#[test]
fn an_eager_job_does_not_wait_for_a_whole_batch() {
    let engine = engine(2);
    let job = engine.submit(JobOptions { eager: true, ..job_options(100) }, 0).unwrap();
    let inputs = inputs(250);
    for some in inputs.chunks(3) {
        job.push(some.to_vec());
        let mut delivered = 0;
        while delivered < some.len() {
            delivered += job.next_blocking().unwrap().unwrap().rows.len();
        }
        assert_eq!(delivered, some.len());
    }
    job.finish();
    assert!(job.next_blocking().is_none());
}

#[test]
fn an_empty_source_ends_at_once() {
    assert!(embed(&engine(1).submit(job_options(8), 0).unwrap(), &[]).is_empty());
}

#[test]
fn one_bad_row_does_not_sink_its_batch_mates() {
    for (poison, kind) in [
        (POISON_FAIL, ErrorKind::InferenceFailed),
        (POISON_PANIC, ErrorKind::InferenceFailed),
        (POISON_NAN, ErrorKind::InferenceFailed),
        (POISON_PREPARE, ErrorKind::InputInvalid),
    ] {
        let (engine, _) = engine_with(Cost::default(), options(2));
        let mut inputs = inputs(300);
        inputs[123].push(poison);
        let collect = JobOptions { on_error: OnError::Collect, ..job_options(32) };
        let rows = embed(&engine.submit(collect, 0).unwrap(), &inputs);
        assert_eq!(rows.len(), 300);
        for (index, row) in rows {
            let at = usize::try_from(index).unwrap();
            if at == 123 {
                assert_eq!(row, Err(kind));
            } else {
                assert_eq!(row.unwrap(), FakeFamily::expected(&inputs[at]));
            }
        }
    }
}

#[test]
fn a_failed_session_is_replaced() {
    for poison in [POISON_FAIL, POISON_PANIC] {
        let (engine, backend) = engine_with(Cost::default(), options(1));
        let collect = JobOptions { on_error: OnError::Collect, ..job_options(4) };
        let rows = embed(&engine.submit(collect, 0).unwrap(), &[vec![poison], vec![1, 2, 3]]);
        assert_eq!(rows.iter().filter(|(_, row)| row.is_ok()).count(), 1);
        embed(&engine.submit(job_options(4), 0).unwrap(), &inputs(10));
        assert!(backend.opened() > 1, "{} sessions opened", backend.opened());
    }
}

#[test]
fn throwing_delivers_what_precedes_the_bad_row() {
    let engine = engine(2);
    let mut inputs = inputs(300);
    inputs[123].push(POISON_PREPARE);
    let rows = embed(&engine.submit(job_options(50), 0).unwrap(), &inputs);
    assert_eq!(rows.len(), 124);
    assert!(rows[..123].iter().all(|(_, row)| row.is_ok()));
    assert_eq!(rows[123], (123, Err(ErrorKind::InputInvalid)));
}

#[test]
fn fixed_batching_runs_slices_in_input_order() {
    let (engine, backend) = engine_with(Cost::default(), EngineOptions { max_batch_tokens: 4, ..options(1) });
    let mut inputs = inputs(25);
    inputs[4].push(POISON_PREPARE);
    let fixed = JobOptions { batching: Batching::Fixed, on_error: OnError::Collect, ..job_options(10) };
    let rows = embed(&engine.submit(fixed, 0).unwrap(), &inputs);
    assert_eq!(rows.iter().filter(|(_, row)| row.is_ok()).count(), 24);
    assert_eq!(backend.runs(), 3);
}

#[test]
fn a_slice_of_more_tokens_than_the_window_is_completed() {
    let engine = engine(2);
    let inputs: Vec<Vec<u32>> = (0..700).map(|at| vec![at; 300]).collect();
    let fixed = JobOptions { batching: Batching::Fixed, ..job_options(600) };
    let job = engine.submit(fixed, 0).unwrap();
    let mut rest = &inputs[..];
    while !rest.is_empty() {
        let room = job.room_blocking().unwrap();
        assert!(room > 0, "no row can be ready before its slice is complete");
        let (now, later) = rest.split_at(room.min(rest.len()).min(64));
        job.push(now.to_vec());
        rest = later;
        if job.progress().submitted == 600 {
            break;
        }
    }
    let first = job.next_blocking().unwrap().unwrap();
    assert_eq!(first.rows.len(), 600);
}

#[test]
fn rows_that_need_no_run_keep_their_places() {
    for batching in [Batching::Planned, Batching::Fixed] {
        let (engine, backend) = engine_with(Cost::default(), options(2));
        let mut inputs = inputs(200);
        for input in inputs.iter_mut().step_by(3) {
            input.push(READY);
        }
        let options = JobOptions { batching, ..job_options(16) };
        let rows = embed(&engine.submit(options, 0).unwrap(), &inputs);
        assert_eq!(rows.len(), 200);
        for ((at, (index, row)), input) in rows.into_iter().enumerate().zip(&inputs) {
            assert_eq!(index, at as u64);
            assert_eq!(row.unwrap(), FakeFamily::expected(input));
        }
        assert_eq!(engine.metrics().rows, 200);
        assert!(backend.runs() > 0);
    }
}

#[test]
fn row_by_row_never_mixes() {
    let (engine, backend) = engine_with(Cost::default(), EngineOptions { row_by_row: true, ..options(2) });
    embed(&engine.submit(job_options(10), 0).unwrap(), &inputs(50));
    assert_eq!(backend.runs(), 50);
}

#[test]
fn a_slow_consumer_stops_the_source() {
    let engine = engine(2);
    let job = engine.submit(job_options(16), 0).unwrap();
    let mut pushed = 0;
    let deadline = Instant::now() + Duration::from_secs(2);
    while Instant::now() < deadline {
        let room = job.push(vec![vec![1]; 64]);
        pushed += 64;
        if room == 0 {
            break;
        }
    }
    assert!(pushed <= 4096 + 64, "{pushed} rows pushed with nobody taking");
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(job.push(Vec::new()), 0, "finished rows that nobody takes still count");
}

#[test]
fn cancel_ends_a_hanging_run_and_frees_the_worker() {
    let engine = engine(1);
    let stuck = engine.submit(job_options(1), 0).unwrap();
    stuck.push(vec![vec![POISON_HANG]]);
    std::thread::sleep(Duration::from_millis(30));
    let begun = Instant::now();
    stuck.cancel();
    assert!(matches!(stuck.next_blocking(), Some(Err(error)) if error.kind() == ErrorKind::Aborted));
    assert!(stuck.next_blocking().is_none());
    let rows = embed(&engine.submit(job_options(8), 0).unwrap(), &inputs(20));
    assert_eq!(rows.len(), 20);
    assert!(begun.elapsed() < Duration::from_millis(500), "{:?}", begun.elapsed());
}

#[test]
fn a_run_past_its_limit_is_ended_and_its_neighbours_survive() {
    let engine = engine(1);
    let patient = engine.submit(JobOptions { on_error: OnError::Collect, ..job_options(4) }, 0).unwrap();
    let hasty =
        JobOptions { timeout: Some(Duration::from_millis(60)), on_error: OnError::Collect, ..job_options(4) };
    let hasty = engine.submit(hasty, 0).unwrap();
    hasty.push(vec![vec![POISON_HANG, 2, 3]]);
    patient.push(vec![vec![1, 2, 3]]);
    hasty.finish();
    let mut rows = Vec::new();
    while take(&hasty, &mut rows) {}
    assert_eq!(rows, [(0, Err(ErrorKind::Timeout))]);
    assert_eq!(embed(&patient, &[]), [(0, Ok(FakeFamily::expected(&[1, 2, 3])))]);
}

#[test]
fn an_urgent_row_answers_within_three_bulk_runs() {
    let cost = Cost { run: Duration::from_millis(10), ..Cost::default() };
    let (engine, backend) = engine_with(cost, options(1));
    let bulk = engine.submit(job_options(16), 0).unwrap();
    while bulk.push(inputs(256)) > 256 {}
    std::thread::sleep(Duration::from_millis(50));
    let mut runs: Vec<usize> = (0..9)
        .map(|_| {
            let before = backend.runs();
            let query = JobOptions { priority: 10, ..job_options(1) };
            let rows = embed(&engine.submit(query, 0).unwrap(), &[vec![4, 5]]);
            assert_eq!(rows, [(0, Ok(FakeFamily::expected(&[4, 5])))]);
            backend.runs() - before
        })
        .collect();
    runs.sort_unstable();
    // The median: runs go on while this thread, and the pool that other tests fill, wait for a core.
    assert!(runs[4] <= 3, "{runs:?} runs");
}

#[test]
fn a_second_call_does_not_wait_for_the_first_ones_backlog() {
    let cost = Cost { run: Duration::from_millis(5), ..Cost::default() };
    let (engine, backend) = engine_with(cost, options(1));
    let bulk = engine.submit(job_options(16), 0).unwrap();
    while bulk.push(inputs(256)) > 256 {}
    std::thread::sleep(Duration::from_millis(50));
    let before = backend.runs();
    let rows = embed(&engine.submit(job_options(1), 0).unwrap(), &[vec![4, 5]]);
    assert_eq!(rows, [(0, Ok(FakeFamily::expected(&[4, 5])))]);
    let small = backend.runs() - before;
    assert!(small <= 3, "a small call of the same priority took {small} runs");
    let done = bulk.progress().done;
    let other = engine.submit(job_options(16), 0).unwrap();
    embed(&other, &inputs(400));
    let meanwhile = bulk.progress().done - done;
    assert!((200..800).contains(&meanwhile), "beside 400 rows of one call, {meanwhile} of the other");
}

#[test]
fn overload_is_an_answer() {
    let (engine, _) = engine_with(Cost::default(), EngineOptions { max_jobs: 2, ..options(1) });
    let first = engine.submit(job_options(1), 0).unwrap();
    let _second = engine.submit(job_options(1), 0).unwrap();
    let refused = engine.submit(job_options(1), 0).err().unwrap();
    assert_eq!(refused.kind(), ErrorKind::Overloaded);
    drop(first);
    assert!(engine.submit(job_options(1), 0).is_ok());
}

#[test]
fn close_drains_then_refuses() {
    let cost = Cost { run: Duration::from_millis(2), ..Cost::default() };
    let (engine, _) = engine_with(cost, options(2));
    let done = engine.submit(job_options(10), 0).unwrap();
    let unfinished = engine.submit(job_options(10), 0).unwrap();
    done.push(inputs(200));
    done.finish();
    unfinished.push(inputs(15));
    engine.close(None);
    engine.close(None);
    let mut rows = Vec::new();
    while take(&done, &mut rows) {}
    assert_eq!(rows.len(), 200);
    assert!(rows.iter().all(|(_, row)| row.is_ok()));
    rows.clear();
    while take(&unfinished, &mut rows) {}
    assert_eq!(rows.len(), 16, "what was pushed is delivered");
    assert_eq!(rows[15].1, Err(ErrorKind::Closed));
    assert_eq!(engine.submit(job_options(1), 0).err().unwrap().kind(), ErrorKind::Closed);
}

#[test]
fn close_with_a_limit_terminates() {
    let engine = engine(1);
    let stuck = engine.submit(job_options(1), 0).unwrap();
    stuck.push(vec![vec![POISON_HANG]]);
    let begun = Instant::now();
    engine.close(Some(Duration::from_millis(50)));
    assert!(begun.elapsed() < Duration::from_secs(1));
    assert!(matches!(stuck.next_blocking(), Some(Err(error)) if error.kind() == ErrorKind::Closed));
}

#[test]
fn dropping_a_job_frees_its_waiting_rows() {
    let cost = Cost { run: Duration::from_millis(20), ..Cost::default() };
    let (engine, _) = engine_with(cost, options(1));
    let job = engine.submit(job_options(10), 0).unwrap();
    job.push(inputs(1000));
    std::thread::sleep(Duration::from_millis(30));
    assert!(engine.metrics().waiting_rows > 0);
    drop(job);
    std::thread::sleep(Duration::from_millis(30));
    assert_eq!(engine.metrics().waiting_rows, 0);
    assert_eq!(engine.metrics().open_jobs, 0);
}
