//! The planner alone: what planning a run costs with a window of texts waiting, and how much padding is left.

#![expect(clippy::print_stdout, reason = "a bench reports to the terminal")]

use criterion::{BenchmarkId, Criterion, Throughput};
use millrace_benches::{Result, models, texts};
use millrace_core::{
    engine::EngineOptions,
    planner::{MemoryBudget, Planner, Submitter, Unit},
};
use std::{hint::black_box, time::Duration};

/// Texts waiting: what a stream of descriptions holds, and the most of short ones.
const WAITING: [usize; 2] = [1000, 4096];

/// Plans of one measured step.
const PLANS: usize = 64;

/// Keeps `waiting` texts waiting: every run that is taken is replaced by as many texts.
struct Steady {
    planner: Planner<usize>,
    lengths: Vec<usize>,
    seq: usize,
    /// Tokens pushed so far: the turn of the next text, as of one call's.
    turn: u64,
    tokens: usize,
    padded: usize,
}

impl Steady {
    fn new(lengths: &[usize], waiting: usize) -> Self {
        let planner = Planner::new(EngineOptions::MAX_BATCH_TOKENS, MemoryBudget::unlimited());
        let mut steady = Self { planner, lengths: lengths.to_vec(), seq: 0, turn: 0, tokens: 0, padded: 0 };
        steady.push(waiting);
        steady
    }

    fn push(&mut self, count: usize) {
        for _ in 0..count {
            let len = self.lengths[self.seq % self.lengths.len()];
            let seq = self.seq as u64;
            let turn = self.turn;
            let submitter = Submitter { id: 0, at_once: usize::MAX };
            self.planner.push(Unit {
                seq,
                priority: 0,
                turn,
                group: 0,
                len,
                sealed: false,
                submitter,
                rows: vec![len],
            });
            self.turn += len as u64;
            self.seq += 1;
        }
    }

    fn plan(&mut self) {
        let Some(plan) = self.planner.take(0) else { return };
        self.planner.finish(plan.hold);
        let run = plan.rows;
        self.tokens += run.iter().sum::<usize>();
        self.padded += run.len() * run.iter().copied().max().unwrap_or(0);
        self.push(black_box(run).len());
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of tokens")]
    fn padding(&self) -> f64 {
        1.0 - self.tokens as f64 / self.padded.max(1) as f64
    }
}

fn main() -> Result<()> {
    let corpus = texts::corpus()?;
    let tokenizer = models::tokenizer()?;
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2))
        .sample_size(20)
        .configure_from_args();
    let mut group = criterion.benchmark_group("planner");
    group.throughput(Throughput::Elements(PLANS as u64));
    for (name, source) in [("descriptions", &corpus.texts), ("titles", &corpus.titles)] {
        let lengths = source
            .iter()
            .map(|text| Ok(tokenizer.count(text, texts::LIMIT)?))
            .collect::<Result<Vec<usize>>>()?;
        for waiting in WAITING {
            let mut steady = Steady::new(&lengths, waiting);
            let id = BenchmarkId::new(format!("{PLANS} plans of {name}"), format!("{waiting} waiting"));
            group.bench_function(id, |bencher| {
                bencher.iter(|| (0..PLANS).for_each(|_| steady.plan()));
            });
            if steady.padded > 0 {
                println!("padding of {name}, {waiting} waiting: {:.2} %\n", steady.padding() * 100.0);
            }
        }
    }
    group.finish();
    criterion.final_summary();
    Ok(())
}
