//! The tokenizer of the bundled model alone, on one thread.

use criterion::{BatchSize, Criterion, Throughput};
use millrace_benches::{Result, models, texts};
use millrace_core::tokenizer::Overflow;
use std::{hint::black_box, time::Duration};

/// Texts of one measured step.
const TEXTS: usize = 256;

fn main() -> Result<()> {
    let corpus = texts::corpus()?;
    let tokenizer = models::tokenizer()?;
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2))
        .sample_size(20)
        .configure_from_args();
    let mut group = criterion.benchmark_group("tokenize");
    group.throughput(Throughput::Elements(TEXTS as u64));
    for (name, source) in [("descriptions", &corpus.texts), ("titles", &corpus.titles)] {
        let mut endless = source.iter().cycle();
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                // Other texts every time: the tokenizer caches words.
                || endless.by_ref().take(TEXTS).collect::<Vec<_>>(),
                |step| {
                    for text in step {
                        // An error would show in the first test of the tokenizer; here it would only be fast.
                        let _ = black_box(tokenizer.encode(text, texts::LIMIT, Overflow::Truncate));
                    }
                },
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
    criterion.final_summary();
    Ok(())
}
