//! What the engine itself costs: window, planner, threads and order over a backend whose runs take no time.

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use millrace_benches::{Result, drive, texts::Random};
use millrace_core::{
    engine::{Engine, EngineOptions},
    fake::{Cost, FakeBackend, FakeFamily},
    job::JobOptions,
};
use std::{hint::black_box, sync::Arc, time::Duration};

/// Rows of one measured step: enough to fill the window several times.
const ROWS: usize = 16_384;

fn main() -> Result<()> {
    let options = EngineOptions::of_sessions(2);
    let engine = Engine::start(Arc::new(FakeBackend::new(Cost::default())), FakeFamily::default(), options)?;
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2))
        .sample_size(20)
        .configure_from_args();
    let mut group = criterion.benchmark_group("engine, runs at no cost");
    group.throughput(Throughput::Elements(ROWS as u64));
    for longest in [16, 256] {
        let mut random = Random::new(1);
        let inputs: Vec<Vec<u32>> = (0..ROWS).map(|_| vec![1; 1 + random.below(longest)]).collect();
        group.bench_function(BenchmarkId::new("rows", format!("up to {longest} tokens")), |bencher| {
            bencher.iter_batched(
                || inputs.clone(),
                |inputs| {
                    let mut rows = 0_usize;
                    let each = |row| {
                        black_box::<[f32; 2]>(row);
                        rows += 1;
                    };
                    let done = drive::embed(&engine, JobOptions::default(), 0, inputs, each);
                    assert!(done.is_ok() && rows == ROWS, "{done:?}, {rows} rows");
                },
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
    engine.close(None);
    criterion.final_summary();
    Ok(())
}
