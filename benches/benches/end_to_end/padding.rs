//! How much padding a long stream has: the real engine, window and planner over texts of real lengths and runs that take as long
//! as their tokens, without a model. A set of the size that a model can embed in seconds is mostly beginning and end.

use crate::{report::Report, settings::Settings};
use millrace_benches::{
    Result, drive, models,
    texts::{self, Corpus, Random},
};
use millrace_core::{
    engine::{Engine, EngineOptions},
    fake::{Cost, FakeBackend, FakeFamily},
    job::JobOptions,
};
use serde_json::json;
use std::{sync::Arc, time::Duration};

/// Texts of a stream.
const TEXTS: usize = 6000;

/// A token's time: twenty times as fast as `MiniLM`, slow enough that tokenising is never what is waited for.
const TOKEN: Duration = Duration::from_micros(5);

/// Measures streams of descriptions and of titles.
#[expect(clippy::cast_precision_loss, reason = "counts of tokens")]
pub fn measure(corpus: &Corpus, settings: &Settings, report: &mut Report) -> Result<()> {
    let tokenizer = models::tokenizer()?;
    println!("\npadding of a stream of {TEXTS} texts, runs of {} tokens", settings.max_batch_tokens);
    for (name, source) in [("heavy-tail", &corpus.texts), ("short", &corpus.titles)] {
        let lengths = source
            .iter()
            .map(|text| Ok(tokenizer.count(text, texts::LIMIT)?))
            .collect::<Result<Vec<usize>>>()?;
        let mut random = Random::new(3);
        let inputs = (0..TEXTS).map(|_| vec![1; lengths[random.below(lengths.len())]]).collect();
        let backend = FakeBackend::new(Cost { run: Duration::ZERO, token: TOKEN });
        let options = EngineOptions {
            max_batch_tokens: settings.max_batch_tokens,
            ..EngineOptions::of_sessions(models::THREADS)
        };
        let engine = Engine::start(Arc::new(backend), FakeFamily::default(), options)?;
        let progress = drive::embed(&engine, JobOptions::default(), 0, inputs, |_| {})?;
        engine.close(None);
        let padding = 1.0 - progress.tokens as f64 / progress.padded_tokens.max(1) as f64;
        println!("  {name:<12} {:.2} %, {} runs", padding * 100.0, progress.runs);
        report.add(
            "padding",
            json!({ "lengths": name, "texts": TEXTS, "padding": padding, "runs": progress.runs }),
        );
    }
    Ok(())
}
