//! Texts a second on sets of four length distributions: millrace, bare sessions, fastembed, in turns.

use crate::{fastembed::Fastembed, report::Report, settings::Settings};
use millrace_benches::{
    Result, bare, drive,
    models::{Model, Variant},
    stats::{median, paired_ratio, time},
    texts::{self, Corpus, Lengths},
};
use millrace_core::{dense::DenseText, engine::Engine, job::JobOptions};
use serde_json::json;
use std::hint::black_box;

/// Budgets of the bare batches, whatever the engine's is: one of them was best for every model so far. 0 is one text a run.
const BARE_BUDGETS: [usize; 3] = [512, 256, 0];

/// Batch sizes of fastembed; 0 is its default of 256. The large ones take long, so they run in the first round only.
const FASTEMBED_BATCHES: [usize; 4] = [1, 8, 32, 0];

/// Texts that warm up an engine.
const WARM_UP: usize = 16;

/// The rounds that fastembed's large batches take part in.
const SLOW_ROUNDS: usize = 1;

enum Way<'a> {
    Millrace { engine: &'a Engine<DenseText>, padding: f64 },
    Bare(bare::Plan),
    Fastembed { batch: usize },
}

struct Contestant<'a> {
    name: String,
    way: Way<'a>,
    rates: Vec<f64>,
}

#[expect(clippy::cast_precision_loss, reason = "counts of texts and tokens")]
fn embed(engine: &Engine<DenseText>, model: &Model, set: &[String]) -> Result<(f64, f64)> {
    let texts = set.to_vec();
    let (took, progress) = time(|| {
        drive::embed(engine, JobOptions::default(), model.call(), texts, |row| {
            black_box(row);
        })
    });
    let progress = progress?;
    let padding = 1.0 - progress.tokens as f64 / progress.padded_tokens.max(1) as f64;
    Ok((set.len() as f64 / took.as_secs_f64(), padding))
}

/// Measures one model over all distributions.
pub fn measure(variant: &Variant, corpus: &Corpus, settings: &Settings, report: &mut Report) -> Result<()> {
    let model = Model::load(variant)?;
    let tokenizer = model.tokenizer()?;
    let engine = model.engine(settings.max_batch_tokens, None)?;
    // Where rows run alone for the sake of equal vectors, what that costs is worth a line.
    let batched = engine_if_batched(&model, settings.max_batch_tokens)?;
    let mut fastembed = Fastembed::start(settings, variant)?;
    for lengths in Lengths::ALL {
        let set = texts::set(lengths, settings.tokens, corpus, &tokenizer)?;
        let mut contestants =
            vec![Contestant::new("millrace", Way::Millrace { engine: &engine, padding: 0.0 })];
        if let Some(batched) = &batched {
            contestants.push(Contestant::new(
                "millrace, batchInvariance: false",
                Way::Millrace { engine: batched, padding: 0.0 },
            ));
        }
        for budget in BARE_BUDGETS {
            let plan = bare::plan(&model, &tokenizer, &set, texts::LIMIT, budget)?;
            let name =
                if budget == 0 { "bare, one by one".to_owned() } else { format!("bare, {budget} tokens") };
            contestants.push(Contestant::new(&name, Way::Bare(plan)));
        }
        if let Some(fastembed) = &mut fastembed {
            fastembed.texts(&set)?;
            for batch in FASTEMBED_BATCHES {
                let name = if batch == 0 { "default".to_owned() } else { batch.to_string() };
                contestants
                    .push(Contestant::new(&format!("fastembed, batch {name}"), Way::Fastembed { batch }));
            }
        }
        for round in 0..=settings.rounds {
            for contestant in &mut contestants {
                contestant.turn(round, &model, &set, fastembed.as_mut())?;
            }
        }
        print(variant, lengths, &set, &contestants, report);
    }
    engine.close(None);
    if let Some(batched) = batched {
        batched.close(None);
    }
    Ok(())
}

fn engine_if_batched(model: &Model, max_batch_tokens: usize) -> Result<Option<Engine<DenseText>>> {
    use millrace_contract::Backend;
    if !model.backend.graph().rows_interact() {
        return Ok(None);
    }
    Ok(Some(model.engine(max_batch_tokens, Some(false))?))
}

impl<'a> Contestant<'a> {
    fn new(name: &str, way: Way<'a>) -> Self {
        Self { name: name.to_owned(), way, rates: Vec::new() }
    }

    /// One turn. Round 0 warms up what was never run, and counts for nothing.
    #[expect(clippy::cast_precision_loss, reason = "counts of texts")]
    fn turn(
        &mut self,
        round: usize,
        model: &Model,
        set: &[String],
        fastembed: Option<&mut Fastembed>,
    ) -> Result<()> {
        let rate = match &mut self.way {
            Way::Millrace { engine, padding } => {
                let warm_up = &set[..set.len().min(WARM_UP)];
                let (rate, share) = embed(engine, model, if round == 0 { warm_up } else { set })?;
                *padding = share;
                rate
            }
            Way::Bare(_) if round == 0 => return Ok(()),
            Way::Bare(plan) => {
                let (took, done) = time(|| bare::run(model, plan));
                done?;
                set.len() as f64 / took.as_secs_f64()
            }
            Way::Fastembed { batch } => {
                let slow = *batch != 1;
                if round == 0 || (slow && round > SLOW_ROUNDS) {
                    return Ok(());
                }
                let Some(fastembed) = fastembed else { return Ok(()) };
                set.len() as f64 / fastembed.run(*batch)?
            }
        };
        if round > 0 {
            self.rates.push(rate);
        }
        Ok(())
    }

    fn padding(&self) -> Option<f64> {
        match &self.way {
            Way::Millrace { padding, .. } => Some(*padding),
            Way::Bare(plan) => Some(plan.padding),
            Way::Fastembed { .. } => None,
        }
    }
}

fn print(
    variant: &Variant,
    lengths: Lengths,
    set: &[String],
    contestants: &[Contestant<'_>],
    report: &mut Report,
) {
    println!("\n{} · {} lengths · {} texts", variant.name, lengths.name(), set.len());
    println!("  {:<34}{:>9}  {:>9}  {:>8}", "", "texts/s", "millrace", "padding");
    let ours = contestants.first().map(|first| first.rates.as_slice()).unwrap_or_default();
    for contestant in contestants {
        let rate = median(&contestant.rates);
        let ratio = paired_ratio(ours, &contestant.rates);
        let padding =
            contestant.padding().map_or(String::new(), |padding| format!("{:.2} %", padding * 100.0));
        println!("  {:<34}{rate:>9.1}  {ratio:>8.2}×  {padding:>8}", contestant.name);
        report.add(
            "throughput",
            json!({
                "model": variant.name,
                "lengths": lengths.name(),
                "texts": set.len(),
                "contestant": contestant.name,
                "textsPerSecond": rate,
                "rounds": contestant.rates,
                "millraceRatio": ratio,
                "padding": contestant.padding(),
            }),
        );
    }
}
