//! Long texts in chunks over real graphs and tables: against separate embeddings of the chunks' pieces.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use millrace_contract::{Backend, DType, ErrorKind, Pooling};
use millrace_core::{
    dense::{ChunkMatrix, ChunkOutput, Chunking, Data, DenseCall, DenseRow, DenseText, Matrix, StaticText},
    engine::{Engine, EngineOptions},
    graphless::Graphless,
    job::{Batching, Delivery, JobOptions},
    model::{self, ModelRequest},
    postprocess::{DenseOptions, Values},
    tokenizer::{Chunks, Overflow, Tokenizer},
};
use millrace_goldens::{assert_close, backend, collect, engine, fixed, root};
use std::sync::Arc;

/// Models of each way to pool, and one whose rows have one length; all of float32.
const MODELS: [(&str, Pooling, bool); 4] = [
    ("bge", Pooling::Cls, false),
    ("minilm", Pooling::Mean, false),
    ("qwen", Pooling::LastToken, false),
    ("siglip_text", Pooling::None, true),
];

const LIMIT: usize = 24;

struct Open {
    engine: Engine<DenseText>,
    tokenizer: Arc<Tokenizer>,
    call: DenseCall,
}

fn open((name, pooling, pad_to_limit): (&str, Pooling, bool)) -> Open {
    let output_name = pad_to_limit.then(|| "pooler_output".to_owned());
    let request = ModelRequest {
        dir: root().join("models").join(name),
        pooling: Some(pooling),
        normalize: Some(true),
        output_name,
        pad_to_limit,
        ..ModelRequest::default()
    };
    let spec = model::resolve(&request).unwrap();
    let head = model::bind(&spec, backend(&spec.graph_path).graph()).unwrap();
    let tokenizer = || Tokenizer::load(&spec).unwrap();
    let engine = engine(&spec.graph_path, |graph| DenseText::new(tokenizer(), graph.clone(), &head));
    let limit = if pad_to_limit { spec.limit.tokens } else { LIMIT };
    let vector = DenseOptions { pooling, normalize: true, dimensions: None, dtype: DType::Float32 };
    let call = DenseCall { limit, overflow: Overflow::Error, chunks: None, prompt: None, vector, task: None };
    Open { engine, tokenizer: Arc::new(tokenizer()), call }
}

fn texts() -> Vec<String> {
    vec![
        "a short text".to_owned(),
        "The river carries the memory of mountains, and nobody asks it why. ".repeat(12),
        String::new(),
        "深海の魚 \u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} e\u{301}\r\n\0".repeat(30),
        "another short one".to_owned(),
    ]
}

/// The pieces of `text`, each with its weight and tokens.
fn pieces(open: &Open, text: &str, overlap: usize) -> Vec<(String, f64, u32)> {
    let prompt = open.call.prompt.clone().unwrap_or_default();
    let chunks = Chunks::new(Arc::clone(&open.tokenizer), text.to_owned(), prompt, open.call.limit, overlap);
    let units: Vec<u16> = text.encode_utf16().collect();
    let piece = |chunk: millrace_core::tokenizer::TextChunk| {
        let piece = String::from_utf16(&units[chunk.start as usize..chunk.end as usize]).unwrap();
        (piece, f64::from(chunk.own_tokens), u32::try_from(chunk.item.len()).unwrap())
    };
    chunks.unwrap().map(|chunk| piece(chunk.unwrap())).collect()
}

fn rows(open: &Open, call: &DenseCall, options: JobOptions, texts: Vec<String>) -> Vec<DenseRow> {
    collect(&open.engine, options, call.clone(), texts).into_iter().map(Result::unwrap).collect()
}

fn floats(values: &Values) -> &[f32] {
    let Values::F32(values) = values else { panic!("{values:?}") };
    values
}

#[test]
fn one_vector_is_the_weighted_mean_of_separate_ones() {
    for model in MODELS {
        let mut open = open(model);
        for (overlap, prompt, dimensions) in [(0, None, None), (5, Some("query: "), Some(6))] {
            open.call.prompt = prompt.map(str::to_owned);
            open.call.vector.dimensions = dimensions;
            let chunks = Some(Chunking { overlap, output: ChunkOutput::Pooled });
            let call = DenseCall { chunks, ..open.call.clone() };
            let got = rows(&open, &call, JobOptions::default(), texts());
            let raw = DenseOptions { normalize: false, dimensions: None, ..open.call.vector };
            let alone = DenseCall { vector: raw, ..open.call.clone() };
            for (text, row) in texts().iter().zip(&got) {
                let parts = pieces(&open, text, overlap);
                let vectors =
                    rows(&open, &alone, fixed(1), parts.iter().map(|part| part.0.clone()).collect());
                let dim = dimensions.unwrap_or(vectors[0].vector.dim);
                let mut mean = vec![0.0; dim];
                for ((_, weight, _), vector) in parts.iter().zip(&vectors) {
                    let weight = weight.max(1e-9);
                    for (sum, &x) in mean.iter_mut().zip(floats(&vector.vector.values)) {
                        *sum += weight * f64::from(x);
                    }
                }
                let norm = mean.iter().map(|x| x * x).sum::<f64>().sqrt();
                #[expect(clippy::cast_possible_truncation, reason = "rows are float32")]
                let expected: Vec<f32> = mean.iter().map(|x| (x / norm) as f32).collect();
                assert_close(model.0, floats(&row.vector.values), &expected, 2e-6, 1e-5);
                assert_eq!(row.tokens, parts.iter().map(|part| part.2).sum::<u32>());
                assert!(!row.truncated && row.chunks.is_empty());
            }
            assert!(got[1].tokens as usize > call.limit, "{}: the text is long", model.0);
        }
    }
}

#[test]
fn a_text_that_fits_has_the_vector_it_always_had() {
    for model in MODELS {
        let open = open(model);
        let short: Vec<String> = texts().into_iter().step_by(2).take(2).chain(["x y z".to_owned()]).collect();
        let today = rows(&open, &open.call, fixed(1), short.clone());
        let among: Vec<String> = short.iter().flat_map(|text| [text.clone(), texts()[1].clone()]).collect();
        for batching in [Batching::Planned, Batching::Fixed] {
            let options = JobOptions { batching, batch_size: 3, ..JobOptions::default() };
            let chunks = Some(Chunking { overlap: 3, output: ChunkOutput::Pooled });
            let pooled =
                rows(&open, &DenseCall { chunks, ..open.call.clone() }, options.clone(), among.clone());
            let chunks = Some(Chunking { overlap: 3, output: ChunkOutput::PerChunk });
            let each = rows(&open, &DenseCall { chunks, ..open.call.clone() }, options, among.clone());
            for (at, row) in today.iter().enumerate() {
                assert_eq!(&pooled[2 * at], row, "{}", model.0);
                let chunk = &each[2 * at].chunks[..];
                assert_eq!((chunk.len(), &chunk[0].vector), (1, &row.vector), "{}", model.0);
                let end = u32::try_from(short[at].encode_utf16().count()).unwrap();
                assert_eq!((chunk[0].span.start, chunk[0].span.end), (0, end));
            }
        }
    }
}

#[test]
fn each_chunk_has_the_vector_of_its_piece() {
    let open = open(MODELS[1]);
    for dtype in [DType::Float32, DType::Float16, DType::Int8, DType::Ubinary] {
        let vector = DenseOptions { dtype, ..open.call.vector };
        let plain = DenseCall { vector, ..open.call.clone() };
        let chunks = Some(Chunking { overlap: 4, output: ChunkOutput::PerChunk });
        let call = DenseCall { chunks, ..plain.clone() };
        let got = rows(&open, &call, JobOptions::default(), texts());
        let mut counts = vec![0];
        let mut all = Vec::new();
        for (text, row) in texts().iter().zip(&got) {
            let parts = pieces(&open, text, 4);
            let alone = rows(&open, &plain, fixed(1), parts.iter().map(|part| part.0.clone()).collect());
            assert_eq!(row.chunks.len(), parts.len());
            for (chunk, alone) in row.chunks.iter().zip(&alone) {
                assert_eq!((&chunk.vector, chunk.tokens), (&alone.vector, alone.tokens));
            }
            all.extend(alone.into_iter().map(Ok));
            counts.push(u32::try_from(all.len()).unwrap());
        }
        let delivery = |rows| Delivery { offset: 0, indices: None, rows };
        let expected = Matrix::assemble(delivery(all), dtype, 1);
        let matrix = ChunkMatrix::assemble(delivery(got.into_iter().map(Ok).collect()), dtype, 1).unwrap();
        assert_eq!(matrix.row_offsets, counts);
        assert_eq!((&matrix.data, &matrix.scales), (&expected.data, &expected.scales));
        assert_eq!((matrix.width, &matrix.chunk_tokens), (expected.width, &expected.facts.tokens));
        assert!(matches!(matrix.data, Data::F32(_)) == (dtype == DType::Float32));
        for (text, bounds) in texts().iter().zip(counts.windows(2)) {
            let (first, end) = (bounds[0] as usize, bounds[1] as usize);
            let length = u32::try_from(text.encode_utf16().count()).unwrap();
            assert_eq!((matrix.starts[first], matrix.ends[end - 1]), (0, length));
            assert!((first + 1..end).all(|at| matrix.starts[at] <= matrix.ends[at - 1]));
        }
    }
}

#[test]
fn an_overlap_without_room_is_the_error_of_a_text() {
    let open = open(MODELS[0]);
    let chunks = Some(Chunking { overlap: LIMIT, output: ChunkOutput::Pooled });
    let got = collect(&open.engine, fixed(2), DenseCall { chunks, ..open.call.clone() }, texts());
    assert!(got.iter().all(|row| row.as_ref().is_err_and(|error| error.kind() == ErrorKind::InvalidOption)));
}

#[test]
fn a_static_model_has_the_mean_of_all_tokens() {
    let options = EngineOptions::of_sessions(1);
    let family = StaticText::load(&root().join("models/potion"), None).unwrap();
    let engine = Engine::start(Arc::new(Graphless::default()), family, options).unwrap();
    let vector =
        DenseOptions { pooling: Pooling::Mean, normalize: true, dimensions: None, dtype: DType::Float32 };
    let call = DenseCall {
        limit: 16,
        overflow: Overflow::Error,
        chunks: Some(Chunking { overlap: 0, output: ChunkOutput::Pooled }),
        prompt: None,
        vector,
        task: None,
    };
    let texts = vec!["embedding".to_owned(), "search ".to_owned(), texts()[1].repeat(40)];
    let run = |call: &DenseCall, batching| {
        let options = JobOptions { batching, batch_size: 2, ..JobOptions::default() };
        let rows = collect(&engine, options, call.clone(), texts.clone());
        rows.into_iter().map(Result::unwrap).collect::<Vec<DenseRow>>()
    };
    let without_limit = DenseCall { limit: 1_000_000, chunks: None, ..call.clone() };
    let whole = run(&without_limit, Batching::Planned);
    for batching in [Batching::Planned, Batching::Fixed] {
        for (pooled, whole) in run(&call, batching).iter().zip(&whole) {
            assert_close("pooled", floats(&pooled.vector.values), floats(&whole.vector.values), 1e-6, 1e-5);
            // A word that is cut may have another token at the cut.
            assert!(pooled.tokens.abs_diff(whole.tokens) <= 2, "{} {}", pooled.tokens, whole.tokens);
        }
        let each = Some(Chunking { overlap: 2, output: ChunkOutput::PerChunk });
        let rows = run(&DenseCall { chunks: each, ..call.clone() }, batching);
        assert_eq!((rows[0].chunks.len(), &rows[0].chunks[0].vector), (1, &whole[0].vector));
        assert!(rows[2].chunks.len() > 400, "{} chunks", rows[2].chunks.len());
    }
}
