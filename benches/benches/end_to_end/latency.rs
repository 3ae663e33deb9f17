//! One short query: alone beside a bare run, and on top of bulk work.

use crate::{report::Report, settings::Settings};
use millrace_benches::{
    Result, drive,
    models::{Model, Variant},
    stats::{paired_ratio, quantile, time},
    texts::{self, Corpus, Lengths},
};
use millrace_contract::{Backend, RunControl};
use millrace_core::{dense::DenseText, engine::Engine, job::JobOptions, tokenizer::Overflow};
use serde_json::json;
use std::{
    hint::black_box,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

/// Turns of a round; a query takes some milliseconds.
const QUERIES: usize = 40;

/// Queries during bulk work.
const DURING_BULK: usize = 30;

/// What a query's call asks for: ahead of bulk work.
const QUERY_PRIORITY: i32 = 10;

fn query(engine: &Engine<DenseText>, model: &Model, text: &str) -> Result<f64> {
    let options = JobOptions { batch_size: 1, priority: QUERY_PRIORITY, ..JobOptions::default() };
    let input = vec![text.to_owned()];
    let (took, done) = time(|| {
        drive::embed(engine, options, model.call(), input, |row| {
            black_box(row);
        })
    });
    done?;
    Ok(took.as_secs_f64() * 1e3)
}

/// Measures one model.
pub fn measure(variant: &Variant, corpus: &Corpus, settings: &Settings, report: &mut Report) -> Result<()> {
    let model = Model::load(variant)?;
    let engine = model.engine(settings.max_batch_tokens, None)?;
    let tokenizer = model.tokenizer()?;
    let mut session = model.backend.open(0)?;
    let mut bare = |text: &str| -> Result<f64> {
        let (took, done) = time(|| -> Result<()> {
            let item = tokenizer.encode(text, texts::LIMIT, Overflow::Truncate)?;
            let batch = tokenizer.collate(&[&item], model.backend.graph());
            Ok(session.run(&batch, &[model.head.output], &RunControl::new(), &mut |outputs| {
                black_box(outputs);
                Ok(())
            })?)
        });
        done?;
        Ok(took.as_secs_f64() * 1e3)
    };
    let mut ours = Vec::new();
    let mut theirs = Vec::new();
    for (number, text) in corpus.titles.iter().cycle().take(QUERIES * settings.rounds + QUERIES).enumerate() {
        let (a, b) = (query(&engine, &model, text)?, bare(text)?);
        // The first ones warm up.
        if number >= QUERIES {
            ours.push(a);
            theirs.push(b);
        }
    }
    let (p50, bare_p50) = (quantile(&ours, 0.5), quantile(&theirs, 0.5));
    println!("\n{} · one short query", variant.name);
    println!("  millrace p50 {p50:.2} ms, p99 {:.2} ms", quantile(&ours, 0.99));
    println!("  bare run with tokenising p50 {bare_p50:.2} ms: millrace takes {:.2}×", p50 / bare_p50);

    let set = texts::set(Lengths::HeavyTail, settings.tokens, corpus, &tokenizer)?;
    let waits = during_bulk(&engine, &model, corpus, &set)?;
    let run = mean_run(&engine, &model, &set)?;
    let (bulk_p50, bulk_p99) = (quantile(&waits, 0.5), quantile(&waits, 0.99));
    println!(
        "  during bulk p50 {bulk_p50:.1} ms, p99 {bulk_p99:.1} ms: {:.2} and {:.2} runs of {run:.1} ms",
        bulk_p50 / run,
        bulk_p99 / run
    );
    report.add(
        "latency",
        json!({
            "model": variant.name,
            "p50": p50,
            "p99": quantile(&ours, 0.99),
            "bareP50": bare_p50,
            "ratio": p50 / bare_p50,
            "pairedRatio": paired_ratio(&ours, &theirs),
            "bulk": { "p50": bulk_p50, "p99": bulk_p99, "runMs": run, "runsP50": bulk_p50 / run, "runsP99": bulk_p99 / run },
        }),
    );
    engine.close(None);
    Ok(())
}

/// Milliseconds of queries asked one after the other while `set` is embedded again and again.
fn during_bulk(
    engine: &Engine<DenseText>,
    model: &Model,
    corpus: &Corpus,
    set: &[String],
) -> Result<Vec<f64>> {
    let enough = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let bulk = scope.spawn(|| {
            while !enough.load(Ordering::Relaxed) {
                let done = drive::embed(engine, JobOptions::default(), model.call(), set.to_vec(), |row| {
                    black_box(row);
                });
                if let Err(error) = done {
                    return Err(error.to_string());
                }
            }
            Ok(())
        });
        // Until both sessions are busy.
        std::thread::sleep(Duration::from_millis(200));
        let waits: Result<Vec<f64>> = corpus
            .titles
            .iter()
            .take(DURING_BULK)
            .map(|text| {
                std::thread::sleep(Duration::from_millis(20));
                query(engine, model, text)
            })
            .collect();
        enough.store(true, Ordering::Relaxed);
        bulk.join().map_err(|_| "the bulk thread panicked")??;
        waits
    })
}

/// Milliseconds that a run of bulk work takes on its thread, on average.
#[expect(clippy::cast_precision_loss, reason = "counts of runs")]
fn mean_run(engine: &Engine<DenseText>, model: &Model, set: &[String]) -> Result<f64> {
    let (took, progress) = time(|| {
        drive::embed(engine, JobOptions::default(), model.call(), set.to_vec(), |row| {
            black_box(row);
        })
    });
    let threads = millrace_benches::models::THREADS as f64;
    Ok(took.as_secs_f64() * 1e3 * threads / progress?.runs.max(1) as f64)
}
