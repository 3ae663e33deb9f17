//! What all sessions of an engine may take together: memory, and the sessions that one call may have at once.
#![expect(clippy::unwrap_used, reason = "a test says what it means by failing")]

use millrace_contract::{Backend, ErrorKind, Result, RunMemory};
use millrace_core::{
    engine::{Engine, EngineOptions},
    fake::{Cost, FakeBackend, FakeFamily, POISON_HANG, READY, SPLIT},
    job::{Batching, Job, JobOptions, OnError},
    planner::MemoryBudget,
};
use std::{sync::Arc, time::Duration};

/// A pair of tokens of one row takes a byte.
const COST: RunMemory = RunMemory { per_token: 0, per_pair: 1 };

/// Long enough that sessions which may run at the same time do so.
const RUN: Duration = Duration::from_millis(2);

fn engine(options: EngineOptions) -> (Engine<FakeFamily>, Arc<FakeBackend>) {
    let backend = Arc::new(FakeBackend::new(Cost { run: RUN, ..Cost::default() }));
    let engine =
        Engine::start(Arc::clone(&backend) as Arc<dyn Backend>, FakeFamily::default(), options).unwrap();
    (engine, backend)
}

/// Four sessions whose runs of rows of 10 tokens are nobody's business, and which share `pool` bytes for longer ones.
fn bounded(pool: u64, most: u64) -> EngineOptions {
    let memory = MemoryBudget { cost: COST, share: 100, pool, most, ..MemoryBudget::unlimited() };
    EngineOptions { max_batch_tokens: 10, memory, ..EngineOptions::of_sessions(4) }
}

fn job(engine: &Engine<FakeFamily>, options: JobOptions) -> Job<FakeFamily> {
    engine.submit(options, 0).unwrap()
}

fn collecting() -> JobOptions {
    JobOptions { batch_size: 16, on_error: OnError::Collect, ..JobOptions::default() }
}

/// All rows of a job whose inputs fit into its window.
fn embed(job: &Job<FakeFamily>, inputs: &[Vec<u32>]) -> Vec<Result<[f32; 2]>> {
    job.push(inputs.to_vec());
    job.finish();
    std::iter::from_fn(|| job.next_blocking()).flat_map(|delivery| delivery.unwrap().rows).collect()
}

fn expected(inputs: &[Vec<u32>]) -> Vec<Result<[f32; 2]>> {
    inputs.iter().map(|input| Ok(FakeFamily::expected(input))).collect()
}

/// Rows of 30 and of 5 tokens in turn.
fn long_and_short(count: usize) -> Vec<Vec<u32>> {
    (0..count).map(|at| vec![u32::try_from(at).unwrap(); if at % 2 == 0 { 30 } else { 5 }]).collect()
}

/// pvliesdonk/markdown-vault-mcp#306, BYK/loreai#854: a long text on each of several cores.
#[test]
fn twenty_long_texts_take_as_much_as_one_and_the_short_ones_beside_it() {
    let (engine, backend) = engine(bounded(800, 10_000));
    let inputs = long_and_short(40);
    assert_eq!(embed(&job(&engine, collecting()), &inputs), expected(&inputs));
    let most = backend.most_pairs_at_once();
    assert!(most <= 30 * 30 + 3 * 100, "{most} bytes at once");
    assert!(most >= 30 * 30, "the long texts were run");
}

#[test]
fn long_texts_run_beside_each_other_as_far_as_the_pool_allows() {
    let (engine, backend) = engine(bounded(1600, 10_000));
    let inputs: Vec<Vec<u32>> = (0..20).map(|at| vec![at; 30]).collect();
    assert_eq!(embed(&job(&engine, collecting()), &inputs), expected(&inputs));
    assert!(backend.most_pairs_at_once() <= 2 * 30 * 30, "{} bytes", backend.most_pairs_at_once());
}

#[test]
fn a_text_that_no_run_has_memory_for_is_an_error_of_that_text() {
    let (engine, backend) = engine(bounded(800, 900));
    let inputs = vec![vec![1; 5], vec![2; 31], vec![3; 30]];
    let rows = embed(&job(&engine, collecting()), &inputs);
    let error = rows[1].clone().unwrap_err();
    assert_eq!((error.kind(), error.index()), (ErrorKind::InputTooLong, Some(1)));
    assert!(error.message().contains("at most 30 tokens"), "{error}");
    assert!(error.message().contains("received 31 tokens, which need about 961 bytes"), "{error}");
    assert_eq!(
        [rows[0].clone(), rows[2].clone()],
        [expected(&inputs)[0].clone(), expected(&inputs)[2].clone()]
    );
    assert_eq!(backend.runs(), 2);
    engine.close(None);
}

#[test]
fn a_part_that_no_run_has_memory_for_ends_its_text() {
    let (engine, _) = engine(bounded(800, 900));
    let parts = [vec![1; 5], vec![SPLIT], vec![2; 31], vec![SPLIT], vec![3; 4]].concat();
    let rows = embed(&job(&engine, collecting()), &[vec![7; 3], parts, vec![8; 3]]);
    assert_eq!(rows[1].clone().unwrap_err().kind(), ErrorKind::InputTooLong);
    assert!(rows[0].is_ok() && rows[2].is_ok());
}

#[test]
fn a_fixed_batch_that_no_run_has_memory_for_fails_whole() {
    let (engine, _) = engine(bounded(800, 900));
    let options = JobOptions { batch_size: 4, batching: Batching::Fixed, ..collecting() };
    let inputs: Vec<Vec<u32>> = (0..6).map(|at| vec![at; 20]).collect();
    let rows = embed(&job(&engine, options), &inputs);
    assert!(rows[..4].iter().all(|row| row.clone().unwrap_err().kind() == ErrorKind::InputTooLong));
    assert_eq!(rows[4..], expected(&inputs)[4..]);
}

#[test]
fn cancelling_a_long_text_lets_those_behind_it_run() {
    let (engine, _) = engine(bounded(800, 10_000));
    let hung = job(&engine, collecting());
    hung.push(vec![[vec![POISON_HANG], vec![1; 29]].concat()]);
    let waiting = job(&engine, collecting());
    waiting.push(vec![vec![2; 30]]);
    waiting.finish();
    drop(hung);
    assert_eq!(waiting.next_blocking().unwrap().unwrap().rows, expected(&[vec![2; 30]]));
}

/// FastEmbed's `embed(docs, parallel=1)`.
#[test]
fn a_call_for_one_session_has_one_run_at_a_time() {
    let (engine, backend) = engine(EngineOptions { max_batch_tokens: 10, ..EngineOptions::of_sessions(4) });
    let inputs = long_and_short(100);
    let options = JobOptions { sessions: 1, ..collecting() };
    assert_eq!(embed(&job(&engine, options), &inputs), expected(&inputs));
    assert_eq!(backend.most_runs_at_once(), 1);
}

/// BM25 and static embeddings have no runs: preparing is all their work.
#[test]
fn a_call_for_one_session_is_prepared_by_one_thread() {
    let family = FakeFamily { prepare: Duration::from_micros(200), ..FakeFamily::default() };
    let preparing = Arc::clone(&family.preparing);
    let backend = Arc::new(FakeBackend::new(Cost::default()));
    let engine = Engine::start(backend, family, EngineOptions::of_sessions(4)).unwrap();
    let inputs: Vec<Vec<u32>> = (0..400).map(|at| vec![at, READY]).collect();
    let modest = job(&engine, JobOptions { sessions: 1, ..collecting() });
    assert_eq!(embed(&modest, &inputs), expected(&inputs));
    assert_eq!(preparing.most(), 1);
}

#[test]
fn a_bound_of_one_call_leaves_the_other_sessions_to_others() {
    let (engine, backend) = engine(EngineOptions { max_batch_tokens: 10, ..EngineOptions::of_sessions(4) });
    let inputs = long_and_short(200);
    std::thread::scope(|scope| {
        let background = scope.spawn(|| {
            let options = JobOptions { sessions: 1, priority: 5, ..collecting() };
            embed(&job(&engine, options), &inputs)
        });
        let other = scope.spawn(|| embed(&job(&engine, collecting()), &inputs));
        assert_eq!(background.join().unwrap(), expected(&inputs));
        assert_eq!(other.join().unwrap(), expected(&inputs));
    });
    assert!(backend.most_runs_at_once() >= 2, "{} runs at once", backend.most_runs_at_once());
}
