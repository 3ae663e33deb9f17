//! The whole way from text to vector, beside what bare sessions reach with ideal batches and beside the crate
//! fastembed. Contestants take turns within a round and are compared as ratios of the same round; nothing here passes or fails.
//!
//! Environment: `MILLRACE_BENCH_SECTIONS` (comma-separated names of sections, default all), `MILLRACE_BENCH_ROUNDS`,
//! `MILLRACE_BENCH_TOKENS` (size of a set), `MILLRACE_BENCH_FASTEMBED` (program of the fastembed contestant),
//! `MILLRACE_BENCH_OUT` (where the JSON goes).

#![expect(clippy::print_stdout, reason = "a bench reports to the terminal")]

mod fastembed;
mod latency;
mod padding;
mod report;
mod settings;
mod sweep;
mod throughput;

use millrace_benches::{Result, models, texts};
use report::Report;
use settings::Settings;

fn main() -> Result<()> {
    // `cargo test --benches` starts bench targets without this argument, to see whether they build.
    if !std::env::args().any(|arg| arg == "--bench") {
        println!("end_to_end: run it with `cargo bench`");
        return Ok(());
    }
    let settings = Settings::from_environment()?;
    let runtime = models::start_runtime()?;
    println!("\n{} {} ({})", runtime.name, runtime.version, runtime.path);
    let (variants, absent) = models::Variant::present();
    if !absent.is_empty() {
        println!("not measured: {} (no file; see benches/README.md)", absent.join(", "));
    }
    let corpus = texts::corpus()?;
    let mut report = Report::new(&runtime, &absent);
    if settings.wants("padding") {
        padding::measure(&corpus, &settings, &mut report)?;
    }
    for variant in &variants {
        if settings.wants("throughput") {
            throughput::measure(variant, &corpus, &settings, &mut report)?;
        }
        if settings.wants("latency") {
            latency::measure(variant, &corpus, &settings, &mut report)?;
        }
        if settings.wants("sweep") {
            sweep::measure(variant, &corpus, &settings, &mut report)?;
        }
    }
    report.write(&settings.out)
}
