//! Which budget of tokens a run should have: long and short texts, in turns.

use crate::{report::Report, settings::Settings};
use millrace_benches::{
    Result, drive,
    models::{Model, Variant},
    stats::{median, paired_ratio, time},
    texts::{self, Corpus, Lengths},
};
use millrace_core::{engine::EngineOptions, job::JobOptions};
use serde_json::json;
use std::hint::black_box;

/// Budgets around the default.
const BUDGETS: [usize; 6] = [128, 256, 384, 512, 768, 1024];

/// Measures one model. Rows run together also where millrace would run them alone: that is what a budget is about.
#[expect(clippy::cast_precision_loss, reason = "counts of texts")]
pub fn measure(variant: &Variant, corpus: &Corpus, settings: &Settings, report: &mut Report) -> Result<()> {
    let model = Model::load(variant)?;
    let tokenizer = model.tokenizer()?;
    let engines =
        BUDGETS.iter().map(|&budget| model.engine(budget, Some(false))).collect::<Result<Vec<_>>>()?;
    let default = BUDGETS.iter().position(|&budget| budget == EngineOptions::MAX_BATCH_TOKENS).unwrap_or(0);
    for lengths in [Lengths::HeavyTail, Lengths::Short] {
        // Six budgets take turns, so each gets a third.
        let set = texts::set(lengths, settings.tokens / 3, corpus, &tokenizer)?;
        let mut rates = vec![Vec::new(); BUDGETS.len()];
        for round in 0..=settings.rounds {
            for (engine, rates) in engines.iter().zip(&mut rates) {
                let texts = set.clone();
                let (took, done) = time(|| {
                    drive::embed(engine, JobOptions::default(), model.call(), texts, |row| {
                        black_box(row);
                    })
                });
                done?;
                if round > 0 {
                    rates.push(set.len() as f64 / took.as_secs_f64());
                }
            }
        }
        println!("\n{} · {} · tokens of a run (texts/s, ratio to the default)", variant.name, lengths.name());
        for (budget, own) in BUDGETS.iter().zip(&rates) {
            let ratio = paired_ratio(own, &rates[default]);
            println!("  {budget:>5}: {:>8.1}  {ratio:.2}×", median(own));
            report.add(
                "sweep",
                json!({
                    "model": variant.name,
                    "lengths": lengths.name(),
                    "maxBatchTokens": budget,
                    "textsPerSecond": median(own),
                    "ratioToDefault": ratio,
                }),
            );
        }
    }
    for engine in engines {
        engine.close(None);
    }
    Ok(())
}
