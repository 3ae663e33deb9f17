//! Preparing texts, on one thread: cleaning, and chunking beside the crate text-splitter with the same tokenizer, in turns.

use criterion::{Criterion, Throughput};
use millrace_benches::{
    Result, models, stats,
    texts::{self, Corpus},
};
use millrace_core::{
    chunk::{ChunkBy, ChunkOptions, Chunker},
    model::resolve_text,
};
use millrace_text::{
    clean::{CleanOptions, clean},
    duplicates::{NEAR_DUPLICATE, mark_duplicates},
};
use std::{hint::black_box, time::Duration};
use text_splitter::{ChunkConfig, TextSplitter};

/// Texts of one measured step.
const TEXTS: usize = 2000;

/// Texts that make one document: about 8,000 tokens.
const DOCUMENT: usize = 100;

/// Rounds of the comparison.
const ROUNDS: usize = 5;

fn main() -> Result<()> {
    let corpus = texts::corpus()?;
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2))
        .sample_size(10)
        .configure_from_args();
    bench_clean(&mut criterion, &corpus);
    criterion.final_summary();
    compare(&corpus)
}

fn bench_clean(criterion: &mut Criterion, corpus: &Corpus) {
    let plain: String = corpus.texts.iter().take(TEXTS).filter(|text| text.is_ascii()).cloned().collect();
    let untidy = plain.replace(". ", ".  \r\n");
    let typeset = plain.replace(". ", "\u{2026} ").replace('-', "\u{2013}");
    let mut group = criterion.benchmark_group("text");
    for (name, text) in
        [("clean ASCII", &plain), ("clean untidy ASCII", &untidy), ("clean typography", &typeset)]
    {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(clean(text, &CleanOptions::default()).len()));
        });
    }
    let texts = &corpus.texts[..TEXTS.min(corpus.texts.len())];
    group.throughput(Throughput::Elements(texts.len() as u64));
    group.bench_function("near duplicates", |bencher| {
        bencher.iter(|| black_box(mark_duplicates(texts, Some(NEAR_DUPLICATE)).len()));
    });
    group.finish();
}

/// What is chunked: documents of how many texts, in chunks of how many tokens.
struct Subject {
    name: &'static str,
    max_tokens: usize,
    texts_per_document: usize,
}

const SUBJECTS: [Subject; 2] = [
    Subject { name: "short texts", max_tokens: 64, texts_per_document: 1 },
    Subject { name: "long texts", max_tokens: 256, texts_per_document: DOCUMENT },
];

/// What both chunkers took, round by round.
#[derive(Default)]
struct Rounds {
    bytes: Vec<usize>,
    ours: Contestant,
    theirs: Contestant,
}

#[derive(Default)]
struct Contestant {
    seconds: Vec<f64>,
    chunks: usize,
}

impl Contestant {
    fn take(&mut self, work: impl FnOnce() -> Result<usize>) -> Result<()> {
        let (time, count) = stats::time(work);
        self.seconds.push(time.as_secs_f64());
        self.chunks += count?;
        Ok(())
    }

    /// Median of the rounds, in megabytes a second.
    #[expect(clippy::cast_precision_loss, reason = "a few megabytes")]
    fn speed(&self, bytes: &[usize]) -> f64 {
        let speeds: Vec<f64> =
            bytes.iter().zip(&self.seconds).map(|(&bytes, time)| bytes as f64 / 1e6 / time).collect();
        stats::median(&speeds)
    }
}

fn compare(corpus: &Corpus) -> Result<()> {
    for subject in &SUBJECTS {
        report(subject, &measure(corpus, subject)?);
    }
    Ok(())
}

/// Chunks other texts in each round, as long as there are some, with both chunkers.
fn measure(corpus: &Corpus, subject: &Subject) -> Result<Rounds> {
    let dir = models::Variant::bundled().dir;
    let spec = resolve_text(&dir, Some(subject.max_tokens))?;
    let chunker = Chunker::load(&spec, ChunkOptions { by: ChunkBy::Sentence, ..ChunkOptions::default() })?;
    let mut tokenizer =
        tokenizers::Tokenizer::from_file(dir.join("tokenizer.json")).map_err(|error| error.to_string())?;
    tokenizer.with_padding(None).with_truncation(None).map_err(|error| error.to_string())?;
    let splitter = TextSplitter::new(ChunkConfig::new(subject.max_tokens).with_sizer(&tokenizer));
    let mut source = corpus.texts.iter().cycle();
    let mut rounds = Rounds::default();
    for _ in 0..ROUNDS {
        let texts: Vec<&str> = source.by_ref().take(TEXTS).map(String::as_str).collect();
        let documents = texts.chunks(subject.texts_per_document).map(|texts| texts.join("\n\n"));
        let documents: Vec<String> = documents.collect();
        rounds.bytes.push(documents.iter().map(String::len).sum());
        rounds.ours.take(|| {
            documents.iter().try_fold(0, |count, document| Ok(count + chunker.chunk(document)?.len()))
        })?;
        rounds
            .theirs
            .take(|| Ok(documents.iter().map(|document| splitter.chunks(document).count()).sum()))?;
    }
    Ok(rounds)
}

#[expect(clippy::print_stdout, reason = "what a bench is for")]
fn report(subject: &Subject, rounds: &Rounds) {
    let Rounds { bytes, ours, theirs } = rounds;
    println!(
        "chunk {}, {} tokens: millrace {:.1} MB/s ({} chunks), text-splitter {:.2} MB/s ({} chunks), {:.1} times",
        subject.name,
        subject.max_tokens,
        ours.speed(bytes),
        ours.chunks,
        theirs.speed(bytes),
        theirs.chunks,
        stats::paired_ratio(&theirs.seconds, &ours.seconds),
    );
}
