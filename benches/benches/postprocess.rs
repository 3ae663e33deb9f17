//! From a graph's output to finished rows: pooling, normalising, quantising, one core.

use criterion::{Criterion, Throughput};
use millrace_benches::Result;
use millrace_contract::{DType, Output, OutputData, Pooling};
use millrace_core::postprocess::DenseOptions;
use std::{hint::black_box, time::Duration};

/// A run of 512 tokens of `MiniLM`: 4 texts.
const SHAPE: [usize; 3] = [4, 128, 384];

const POOLINGS: [(&str, Pooling); 4] =
    [("mean", Pooling::Mean), ("max", Pooling::Max), ("cls", Pooling::Cls), ("last", Pooling::LastToken)];

const DTYPES: [(&str, DType); 6] = [
    ("float32", DType::Float32),
    ("float16", DType::Float16),
    ("int8", DType::Int8),
    ("uint8", DType::Uint8),
    ("binary", DType::Binary),
    ("ubinary", DType::Ubinary),
];

fn main() -> Result<()> {
    let [rows, tokens, dim] = SHAPE;
    // Between -1 and 1, all bits in use.
    #[expect(clippy::cast_precision_loss, reason = "any numbers will do")]
    let values: Vec<f32> = (0..rows * tokens * dim).map(|i| (i as f32 * 0.618).sin()).collect();
    let hidden = Output { name: "last_hidden_state", shape: &SHAPE, data: OutputData::F32(&values) };
    let pooled_shape = [rows, dim];
    let pooled = Output {
        name: "sentence_embedding",
        shape: &pooled_shape,
        data: OutputData::F32(&values[..rows * dim]),
    };

    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1))
        .sample_size(20)
        .configure_from_args();
    let mut run = |group: &str, name: &str, output: &Output<'_>, options: DenseOptions| -> Result<()> {
        // What cannot be done would be measured as very fast.
        options.row(output, 0, tokens, tokens, false)?;
        let mut group = criterion.benchmark_group(group);
        group.throughput(Throughput::Elements(rows as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                for row in 0..rows {
                    // Three quarters of each row are text, the rest is padding.
                    let _ = black_box(options.row(black_box(output), row, tokens * 3 / 4, tokens, false));
                }
            });
        });
        group.finish();
        Ok(())
    };
    let options =
        DenseOptions { pooling: Pooling::Mean, normalize: true, dimensions: None, dtype: DType::Float32 };
    for (name, pooling) in POOLINGS {
        run("pool and normalise", name, &hidden, DenseOptions { pooling, ..options })?;
    }
    for (name, dtype) in DTYPES {
        run(
            "quantise a pooled row",
            name,
            &pooled,
            DenseOptions { pooling: Pooling::None, dtype, ..options },
        )?;
    }
    criterion.final_summary();
    Ok(())
}
