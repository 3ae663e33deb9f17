//! Order and identity over the fake backend: whatever calls run at once, output `i` belongs to input `i`.
#![expect(clippy::unwrap_used, reason = "a test says what it means by failing")]
#![expect(clippy::float_cmp, reason = "the fake backend's numbers are exact")]

mod drive;

use drive::{Fake, embed};
use millrace_contract::{Backend, ErrorKind};
use millrace_core::{
    engine::{Engine, EngineOptions},
    fake::{Cost, FakeBackend, FakeFamily},
    job::{Batching, JobOptions, Order},
};
use proptest::prelude::*;
use std::{sync::Arc, time::Duration};

fn input(seed: usize) -> Vec<u32> {
    (0..=seed * 7 % 23).map(|at| u32::try_from((seed * 31 + at * 17) % 1000).unwrap()).collect()
}

#[derive(Debug, Clone)]
struct Call {
    rows: Vec<usize>,
    batch_size: usize,
    priority: i32,
    group: u32,
    completion: bool,
    fixed: bool,
    cancel_after: Option<usize>,
}

fn call() -> impl Strategy<Value = Call> {
    let rows = prop::collection::vec(0_usize..40, 0..200);
    let cancel = prop::option::weighted(0.2, 0_usize..100);
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
    let inputs: Vec<_> = call.rows.iter().copied().map(input).collect();
    let options = JobOptions {
        priority: call.priority,
        order: if call.completion { Order::Completion } else { Order::Input },
        batching: if call.fixed { Batching::Fixed } else { Batching::Planned },
        batch_size: call.batch_size,
        ..JobOptions::default()
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
    assert_eq!(rows.len(), inputs.len());
    for ((at, (index, row)), input) in rows.into_iter().enumerate().zip(&inputs) {
        assert_eq!(index, at as u64);
        assert_eq!(row.unwrap(), FakeFamily::expected(input));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]
    #[test]
    fn order_and_identity_under_everything(
        calls in prop::collection::vec(call(), 1..6),
        sessions in 1_usize..8,
        budget in 1_usize..200,
        delay in 0_u64..300,
    ) {
        let cost = Cost { run: Duration::from_micros(delay), token: Duration::ZERO };
        let backend = Arc::new(FakeBackend::new(cost)) as Arc<dyn Backend>;
        let options =
            EngineOptions { max_batch_tokens: budget, max_jobs: 64, ..EngineOptions::of_sessions(sessions) };
        let engine = Engine::start(backend, FakeFamily::default(), options).unwrap();
        std::thread::scope(|scope| {
            for call in &calls {
                scope.spawn(|| act(&engine, call));
            }
        });
        prop_assert_eq!(engine.metrics().open_jobs, 0);
        prop_assert_eq!(engine.metrics().waiting_rows, 0);
    }
}
