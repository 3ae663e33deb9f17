//! millrace's own engine beside bare ONNX Runtime sessions with ideal batches, in one process, taking turns: tokens a second, the
//! ratio to ONNX Runtime's fp32 in the same round, and how close the vectors are.
//!
//! `cargo bench -p millrace-benches --bench engines -- [--model DIR] [--texts N] [--rounds N] [--threads N] [--words N] [--all]`
//!
//! The model folder holds `tokenizer.json`, `model.onnx`, and perhaps `model_int8.onnx` (dynamically quantised). Texts are those of the
//! corpus, cut to 256 tokens, or to the first `--words` words. `--all` measures every level of kernels.

#![expect(clippy::print_stdout, reason = "a bench reports on standard output")]
#![expect(clippy::cast_precision_loss, reason = "counts become figures")]

use flate2::read::GzDecoder;
use millrace_contract::{Backend, Batch, Input, InputData, Output, OutputData, RunControl};
use millrace_encoder::{Encoder, EncoderOptions, Level, Precision, SENTENCES, Smooth};
use millrace_ort::{DeviceRequest, OrtBackend, OrtOptions};
use std::{
    collections::HashMap,
    error::Error,
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};
use tokenizers::Tokenizer;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Tokens of a run, padding included, as the engine plans them.
const RUN_TOKENS: usize = 512;
const LIMIT: usize = 256;

struct Contender {
    name: String,
    backend: Box<dyn Backend>,
    /// Whether its runs are padded, and so want rows of like length; whether its rows must run alone.
    padded: bool,
    alone: bool,
}

fn upward(place: &str) -> Result<PathBuf> {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join(place))
        .find(|path| path.exists())
        .ok_or_else(|| format!("{place} is in no parent folder").into())
}

fn texts(count: usize, words: usize) -> Result<Vec<String>> {
    let lines =
        BufReader::new(GzDecoder::new(File::open(upward("shared/corpus/debian-packages.jsonl.gz")?)?))
            .lines();
    let mut texts = Vec::new();
    for line in lines.take(count) {
        let record: serde_json::Value = serde_json::from_str(&line?)?;
        let text = record["text"].as_str().unwrap_or_default();
        texts.push(if words == 0 {
            text.to_owned()
        } else {
            text.split(' ').take(words).collect::<Vec<_>>().join(" ")
        });
    }
    Ok(texts)
}

fn ids(tokenizer: &Tokenizer, texts: &[String]) -> Result<Vec<Vec<i64>>> {
    texts
        .iter()
        .map(|text| {
            let encoding = tokenizer.encode(text.as_str(), true).map_err(|error| error.to_string())?;
            let mut ids: Vec<i64> = encoding.get_ids().iter().map(|id| i64::from(*id)).collect();
            if ids.len() > LIMIT {
                let last = ids[ids.len() - 1];
                ids.truncate(LIMIT);
                ids[LIMIT - 1] = last;
            }
            Ok(ids)
        })
        .collect()
}

/// Runs of texts, each a list of their numbers.
fn plan(ids: &[Vec<i64>], contender: &Contender) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..ids.len()).collect();
    if contender.padded {
        order.sort_by_key(|at| ids[*at].len());
    }
    let mut runs: Vec<Vec<usize>> = Vec::new();
    let (mut longest, mut sum) = (0, 0);
    for at in order {
        let len = ids[at].len();
        let cost = match runs.last() {
            Some(run) if contender.padded => longest.max(len) * (run.len() + 1),
            _ => sum + len,
        };
        if runs.is_empty() || contender.alone || cost > RUN_TOKENS {
            runs.push(Vec::new());
            (longest, sum) = (0, 0);
        }
        if let Some(run) = runs.last_mut() {
            run.push(at);
        }
        longest = longest.max(len);
        sum += len;
    }
    runs
}

fn batch(ids: &[Vec<i64>], run: &[usize], types: bool) -> Batch {
    let padded_len = run.iter().map(|at| ids[*at].len()).max().unwrap_or(0);
    let mut values = vec![0; run.len() * padded_len];
    let mut mask = values.clone();
    for (row, at) in run.iter().enumerate() {
        values[row * padded_len..][..ids[*at].len()].copy_from_slice(&ids[*at]);
        mask[row * padded_len..][..ids[*at].len()].fill(1);
    }
    let input = |name: &str, data: Vec<i64>| Input {
        name: name.into(),
        shape: vec![run.len(), padded_len],
        data: InputData::I64(data),
    };
    let mut inputs = vec![input("input_ids", values.clone()), input("attention_mask", mask)];
    if types {
        values.fill(0);
        inputs.push(input("token_type_ids", values));
    }
    Batch { inputs, rows: run.len(), padded_len, spans: vec![] }
}

fn mean(output: &Output<'_>, row: usize, len: usize) -> Vec<f64> {
    let OutputData::F32(values) = output.data else { return vec![] };
    let (padded, width) = (output.shape[1], output.shape[2]);
    let mut sum = vec![0.0; width];
    for token in values[row * padded * width..][..len * width].chunks_exact(width) {
        sum.iter_mut().zip(token).for_each(|(sum, x)| *sum += f64::from(*x));
    }
    let length = sum.iter().map(|x| x * x).sum::<f64>().sqrt();
    for x in &mut sum {
        *x /= length;
    }
    sum
}

/// Seconds that all runs take on so many threads; the vectors too when they are asked for.
fn pass(
    contender: &Contender,
    ids: &[Vec<i64>],
    threads: usize,
    vectors: Option<&mut Vec<Vec<f64>>>,
) -> Result<f64> {
    let types = contender.backend.graph().input("token_type_ids").is_some();
    let runs: Vec<(Vec<usize>, Batch)> =
        plan(ids, contender).into_iter().rev().map(|run| (run.clone(), batch(ids, &run, types))).collect();
    let next = AtomicUsize::new(0);
    let wanted = vectors.is_some();
    let start = Instant::now();
    let done = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|slot| {
                let (runs, next) = (&runs, &next);
                let mut runner = contender.backend.open(slot);
                scope.spawn(move || {
                    let mut found = Vec::new();
                    let runner = runner.as_mut().map_err(|error| error.to_string())?;
                    while let Some((run, batch)) = runs.get(next.fetch_add(1, Ordering::Relaxed)) {
                        runner
                            .run(batch, &[0], &RunControl::new(), &mut |outputs| {
                                if wanted {
                                    for (row, at) in run.iter().enumerate() {
                                        found.push((*at, mean(&outputs[0], row, ids[*at].len())));
                                    }
                                }
                                Ok(())
                            })
                            .map_err(|error| error.to_string())?;
                    }
                    Ok::<_, String>(found)
                })
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().map_err(|_| "a thread panicked".to_owned())?)
            .collect::<std::result::Result<Vec<_>, _>>()
    });
    let seconds = start.elapsed().as_secs_f64();
    let done = done?;
    if let Some(vectors) = vectors {
        vectors.resize(ids.len(), vec![]);
        done.into_iter().flatten().for_each(|(at, vector)| vectors[at] = vector);
    }
    Ok(seconds)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[expect(clippy::too_many_lines, reason = "a bench is read from top to bottom")]
fn main() -> Result<()> {
    let mut options: HashMap<String, String> = HashMap::new();
    let mut arguments = std::env::args().skip(1).peekable();
    while let Some(argument) = arguments.next() {
        if let Some(name) = argument.strip_prefix("--") {
            let value = arguments.next_if(|value| !value.starts_with("--")).unwrap_or_default();
            options.insert(name.to_owned(), value);
        }
    }
    let number = |name: &str, default: usize| {
        options.get(name).and_then(|value| value.parse().ok()).unwrap_or(default)
    };
    let model = match options.get("model") {
        Some(model) => PathBuf::from(model),
        None => upward("shared/models/all-MiniLM-L6-v2")?,
    };
    let threads = number("threads", 2);
    let tokenizer = Tokenizer::from_file(model.join("tokenizer.json")).map_err(|error| error.to_string())?;
    let ids_of = |texts: &[String]| ids(&tokenizer, texts);
    let ids = ids_of(&texts(number("texts", 160), number("words", 0))?)?;
    let sentences = ids_of(&SENTENCES.lines().map(str::to_owned).collect::<Vec<_>>())?;
    let tokens: usize = ids.iter().map(Vec::len).sum();

    let library = upward("node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime.so.1")?;
    millrace_ort::init(&[library])?;
    let ort =
        OrtOptions { threads_per_session: 1, slots: threads, device: DeviceRequest::Cpu, device_ids: vec![] };
    let mut contenders = vec![Contender {
        name: "onnxruntime fp32".into(),
        backend: Box::new(OrtBackend::load(&model.join("model.onnx"), &ort)?),
        padded: true,
        alone: false,
    }];
    if model.join("model_int8.onnx").exists() {
        for alone in [false, true] {
            contenders.push(Contender {
                name: format!("onnxruntime dynamic int8{}", if alone { ", rows alone" } else { "" }),
                backend: Box::new(OrtBackend::load(&model.join("model_int8.onnx"), &ort)?),
                padded: true,
                alone,
            });
        }
    }
    let levels: Vec<Level> = if options.contains_key("all") {
        Level::available().filter(|level| *level != Level::Plain).collect()
    } else {
        vec![Level::chosen()?]
    };
    for level in levels {
        for precision in [Precision::Fp32, Precision::Int8] {
            let start = Instant::now();
            let smooth = if options.contains_key("rough") { Smooth::No } else { Smooth::From(&sentences) };
            let encoder =
                Encoder::load(&model.join("model.onnx"), &EncoderOptions { precision, level, smooth })??;
            let (bytes, time) = (encoder.packed_bytes() as f64 / 1e6, start.elapsed().as_secs_f64() * 1e3);
            println!("loaded {level} {} in {time:.0} ms, {bytes:.1} MB of packed weights", precision.name());
            contenders.push(Contender {
                name: format!("millrace {} {level}", precision.name()),
                backend: Box::new(encoder),
                padded: false,
                alone: false,
            });
        }
    }
    let mut reference = Vec::new();
    let mut close = Vec::new();
    for contender in &contenders {
        let mut vectors = Vec::new();
        pass(contender, &ids, threads, Some(&mut vectors))?;
        if reference.is_empty() {
            reference.clone_from(&vectors);
        }
        let mut cosines: Vec<f64> =
            vectors.iter().zip(&reference).map(|(a, b)| a.iter().zip(b).map(|(a, b)| a * b).sum()).collect();
        cosines.sort_by(f64::total_cmp);
        let off = vectors
            .iter()
            .flatten()
            .zip(reference.iter().flatten())
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f64::max);
        close.push((
            cosines.iter().sum::<f64>() / cosines.len() as f64,
            cosines[cosines.len() / 100],
            cosines[0],
            off,
        ));
    }
    let mut seconds: Vec<Vec<f64>> = vec![Vec::new(); contenders.len()];
    for round in 0..number("rounds", 7) {
        let order: Vec<usize> = if round % 2 == 0 {
            (0..contenders.len()).collect()
        } else {
            (0..contenders.len()).rev().collect()
        };
        for at in order {
            seconds[at].push(pass(&contenders[at], &ids, threads, None)?);
        }
    }
    println!("{} texts, {tokens} tokens, {threads} threads, {} rounds", ids.len(), seconds[0].len());
    for (at, contender) in contenders.iter().enumerate() {
        let rate = tokens as f64 / median(seconds[at].clone());
        let best = tokens as f64 / seconds[at].iter().copied().fold(f64::INFINITY, f64::min);
        let ratio = median(seconds[at].iter().zip(&seconds[0]).map(|(own, base)| base / own).collect());
        let (mean, p1, least, off) = close[at];
        println!(
            "{:<38} {rate:>8.0} tokens/s (best {best:>8.0})  x {ratio:>5.2}  cosine mean {mean:.6} p1 {p1:.6} min {least:.6}, off by {off:.1e}",
            contender.name
        );
    }
    Ok(())
}
