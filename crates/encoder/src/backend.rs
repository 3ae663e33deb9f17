//! A model of the encoder as the contract's `Backend`.

use crate::{
    follow::{Declined, follow},
    layers::{Op, ops},
    onnx::{OnnxFile, Value},
    packed::{Model, Packed, Packer, Precision},
    run::{Scratch, run},
    smooth::{Site, Smoothing},
    texts::Texts,
};
use half::f16;
use millrace_contract::{
    Backend, Batch, DeviceInfo, Element, Error, ErrorKind, Graph, Input, InputData, Output, OutputData, Port,
    Quantization, Result, RunControl, RunMemory, Runner, RuntimeInfo,
};
use millrace_kernels::Level;
use std::{path::Path, sync::Arc};

/// How activations are smoothed before they are rounded to bytes. Without a meaning for `Precision::Fp32`.
#[derive(Debug, Clone, Copy)]
pub enum Smooth<'a> {
    /// Not at all.
    No,
    /// By divisors that were found before.
    By(&'a Smoothing),
    /// By divisors to be found from texts, each the token ids that the model's tokenizer gives, special tokens included.
    From(&'a [Vec<i64>]),
}

/// How a model is loaded.
#[derive(Debug, Clone, Copy)]
pub struct EncoderOptions<'a> {
    /// What its layers compute in.
    pub precision: Precision,
    /// The instructions to use; they must be of this machine.
    pub level: Level,
    /// How its activations are smoothed.
    pub smooth: Smooth<'a>,
}

/// A loaded model. Its weights are held once, whatever runs on them.
#[derive(Debug)]
pub struct Encoder {
    graph: Graph,
    model: Arc<Model>,
    smoothing: Option<Smoothing>,
}

/// How a model was declined, or the model.
pub type Taken = std::result::Result<Encoder, Declined>;

fn element(number: i64) -> Element {
    match number {
        1 => Element::F32,
        2 => Element::U8,
        3 => Element::I8,
        6 => Element::I32,
        7 => Element::I64,
        9 => Element::Bool,
        10 => Element::F16,
        11 => Element::F64,
        _ => Element::Other,
    }
}

fn port(value: &Value) -> Port {
    Port { name: value.name.clone(), element: element(value.element), dims: value.dims.clone() }
}

impl Encoder {
    /// Loads the ONNX file at `path`, or says why this engine does not take it.
    ///
    /// Kinds of errors: `ModelNotFound` when the file or one of its weights is missing, `ModelInvalid` when it is broken,
    /// `InferenceFailed` when the texts of `smooth` hold ids that the model lacks.
    pub fn load(path: &Path, options: &EncoderOptions<'_>) -> Result<Taken> {
        let file = OnnxFile::read(path)?;
        let plan = match follow(&file) {
            Ok(plan) => plan,
            Err(declined) => return Ok(Err(declined)),
        };
        let ops = match ops(&plan) {
            Ok(ops) => ops,
            Err(declined) => return Ok(Err(declined)),
        };
        let pack = |smoothing: Option<&Smoothing>| {
            Packer { level: options.level, precision: options.precision, smoothing }.pack(&plan, &ops)
        };
        let given = match options.smooth {
            Smooth::By(smoothing) => Some(smoothing.clone()),
            _ => None,
        };
        let mut model = match pack(given.as_ref()) {
            Ok(model) => model,
            Err(declined) => return Ok(Err(declined)),
        };
        let mut smoothing = given;
        if let (Smooth::From(texts), Precision::Int8) = (options.smooth, options.precision) {
            let found = calibrate(&model, &ops, texts)?;
            // Weights are packed anew: those of a smoothed site are other numbers.
            drop(model);
            model = match pack(Some(&found)) {
                Ok(model) => model,
                Err(declined) => return Ok(Err(declined)),
            };
            smoothing = Some(found);
        }
        let heads = ops.iter().filter_map(|(_, op)| match op {
            Op::Layer { layer, .. } => Some(layer.heads.count),
            _ => None,
        });
        let graph = Graph {
            inputs: file
                .inputs
                .iter()
                .filter(|input| !file.tensors.contains_key(&input.name))
                .map(port)
                .collect(),
            outputs: file.outputs.iter().map(port).collect(),
            // Rows of bytes have scales of their own, so that a row depends on no other, as with weights alone.
            quantization: match options.precision {
                Precision::Fp32 => Quantization::None,
                Precision::Int8 => Quantization::WeightOnly,
            },
            heads: heads.max(),
            widest: ops
                .iter()
                .filter_map(|(_, op)| match op {
                    Op::Layer { layer, .. } => Some(layer.inner.weights.width.max(layer.inner.weights.depth)),
                    Op::Linear { dense, .. } => Some(dense.weights.width),
                    _ => None,
                })
                .max(),
            file_bytes: file.bytes,
        };
        Ok(Ok(Self { graph, model: Arc::new(model), smoothing }))
    }

    /// What the layers compute in.
    #[must_use]
    pub fn precision(&self) -> Precision {
        self.model.precision
    }

    /// The instructions in use.
    #[must_use]
    pub fn level(&self) -> Level {
        self.model.level
    }

    /// The divisors that activations are smoothed by, to be kept and given again.
    #[must_use]
    pub fn smoothing(&self) -> Option<&Smoothing> {
        self.smoothing.as_ref()
    }
}

/// Runs texts and finds each channel's greatest activation and weight where bytes are smoothed.
fn calibrate(model: &Model, ops: &[(usize, Op)], texts: &[Vec<i64>]) -> Result<Smoothing> {
    let layers: Vec<_> = ops
        .iter()
        .filter_map(|(_, op)| match op {
            Op::Layer { layer, .. } => Some(layer),
            _ => None,
        })
        .collect();
    let mut greatest: Vec<Vec<f32>> = vec![Vec::new(); 2 * layers.len() + 2];
    let mut observe = |site: Site, rows: &[f32], width: usize| {
        let Some(list) = greatest.get_mut(2 * site.layer + usize::from(site.inner)) else { return };
        list.resize(width, 0.0);
        for row in rows.chunks_exact(width) {
            list.iter_mut().zip(row).for_each(|(most, x)| *most = most.max(x.abs()));
        }
    };
    let mut scratch = Scratch::default();
    for ids in texts.iter().filter(|ids| !ids.is_empty()) {
        let input = |name: &str, data: Vec<i64>| Input {
            name: name.into(),
            shape: vec![1, ids.len()],
            data: InputData::I64(data),
        };
        let positions = (0..ids.len()).map(|at| i64::try_from(at).unwrap_or(i64::MAX)).collect();
        let batch = Batch {
            inputs: vec![
                input("input_ids", ids.clone()),
                input("token_type_ids", vec![0; ids.len()]),
                input("position_ids", positions),
            ],
            rows: 1,
            padded_len: ids.len(),
            spans: vec![],
        };
        run(model, &Texts::of(&batch)?, &RunControl::new(), Some(&mut observe), &mut scratch)?;
    }
    let mut smoothing = Smoothing::default();
    for (at, layer) in layers.iter().enumerate() {
        let qkv = [&layer.query, &layer.key, &layer.value];
        for (inner, read_by) in [(false, &qkv[..]), (true, &[&layer.inner][..])] {
            let activations = &greatest[2 * at + usize::from(inner)];
            let depth = read_by[0].weights.depth;
            if activations.len() != depth {
                continue;
            }
            let mut weights = vec![0.0_f32; depth];
            for dense in read_by {
                for channel in dense.weights.channels().unwrap_or_default().chunks_exact(depth) {
                    weights.iter_mut().zip(channel).for_each(|(most, x)| *most = most.max(x.abs()));
                }
            }
            smoothing.set(Site { layer: at, inner }, activations, &weights);
        }
    }
    Ok(smoothing)
}

impl Backend for Encoder {
    fn graph(&self) -> &Graph {
        &self.graph
    }

    fn runtime(&self) -> RuntimeInfo {
        RuntimeInfo {
            name: "millrace".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            path: String::new(),
        }
    }

    fn open(&self, _slot: usize) -> Result<Box<dyn Runner>> {
        Ok(Box::new(EncoderRunner {
            graph: self.graph.clone(),
            model: Arc::clone(&self.model),
            scratch: Scratch::default(),
        }))
    }

    fn device(&self, _slot: usize) -> DeviceInfo {
        DeviceInfo { device: "cpu".into(), id: None, fallback: None }
    }

    fn shares_weights(&self) -> bool {
        true
    }

    fn run_memory(&self) -> Option<RunMemory> {
        let widest = self.model.widths.iter().copied().max().unwrap_or(0);
        // Two values at a time, what is read out padded, and the buffers of a group.
        let floats = widest.saturating_mul(4);
        Some(RunMemory {
            per_token: u64::try_from(floats * size_of::<f32>()).unwrap_or(u64::MAX),
            per_pair: 0,
        })
    }
}

/// One worker's buffers over the shared model.
struct EncoderRunner {
    graph: Graph,
    model: Arc<Model>,
    scratch: Scratch,
}

impl Runner for EncoderRunner {
    fn run(
        &mut self,
        batch: &Batch,
        wanted: &[usize],
        control: &RunControl,
        sink: &mut dyn FnMut(&[Output<'_>]) -> Result<()>,
    ) -> Result<()> {
        if control.is_terminated() {
            return Err(Error::new(ErrorKind::Aborted, "the run was terminated"));
        }
        let texts = Texts::of(batch)?;
        run(&self.model, &texts, control, None, &mut self.scratch)?;
        let outputs = wanted
            .iter()
            .map(|at| {
                let port = self.graph.outputs.get(*at).ok_or_else(|| {
                    Error::new(ErrorKind::Internal, format!("the graph has no output at {at}"))
                })?;
                Ok(Read::of(port, &self.model, *at, &texts, batch, &self.scratch))
            })
            .collect::<Result<Vec<_>>>()?;
        let result = sink(&outputs.iter().map(Read::output).collect::<Vec<_>>());
        drop(outputs);
        self.scratch.clear(texts.tokens);
        result
    }
}

/// An output as the graph declares it: padded, and in its element type.
struct Read<'r> {
    name: &'r str,
    shape: Vec<usize>,
    values: Values<'r>,
}

enum Values<'r> {
    Borrowed(&'r [f32]),
    Floats(Vec<f32>),
    Halves(Vec<f16>),
}

impl<'r> Read<'r> {
    fn of(
        port: &'r Port,
        model: &Model,
        at: usize,
        texts: &Texts<'_>,
        batch: &Batch,
        scratch: &'r Scratch,
    ) -> Self {
        let reg = model.outputs[at];
        let width = model.widths[reg];
        let value = scratch.value(reg);
        let per_text = model.per_text[reg];
        let (shape, rows) = if per_text {
            (vec![batch.rows, width], texts.list.len())
        } else {
            (vec![batch.rows, batch.padded_len, width], texts.tokens)
        };
        let value = &value[..rows * width];
        // Without padding the packed rows are the output.
        let values = if rows * width == shape.iter().product::<usize>() {
            Values::Borrowed(value)
        } else {
            let mut padded = vec![0.0; shape.iter().product()];
            for (number, text) in texts.list.iter().enumerate() {
                let (from, to, len) = if per_text {
                    (number, text.row, 1)
                } else {
                    (text.start, text.row * batch.padded_len + text.first, text.len)
                };
                padded[to * width..(to + len) * width]
                    .copy_from_slice(&value[from * width..(from + len) * width]);
            }
            Values::Floats(padded)
        };
        let values = match (port.element, values) {
            (Element::F16, Values::Borrowed(list)) => {
                Values::Halves(list.iter().map(|x| f16::from_f32(*x)).collect())
            }
            (Element::F16, Values::Floats(list)) => {
                Values::Halves(list.iter().map(|x| f16::from_f32(*x)).collect())
            }
            (_, values) => values,
        };
        Self { name: &port.name, shape, values }
    }

    fn output(&self) -> Output<'_> {
        let data = match &self.values {
            Values::Borrowed(list) => OutputData::F32(list),
            Values::Floats(list) => OutputData::F32(list),
            Values::Halves(list) => OutputData::F16(list),
        };
        Output { name: self.name, shape: &self.shape, data }
    }
}

impl Model {
    /// Bytes that the packed layers hold.
    #[must_use]
    pub(crate) fn bytes(&self) -> usize {
        let of = |linear: &crate::packed::Linear| match linear {
            crate::packed::Linear::Float(dense) => dense.bytes(),
            crate::packed::Linear::Bytes(dense) => dense.bytes(),
        };
        self.ops
            .iter()
            .map(|(_, op)| match op {
                Packed::Layer { layer, .. } => {
                    of(&layer.qkv) + of(&layer.out) + of(&layer.inner) + of(&layer.outer)
                }
                Packed::Linear { dense, .. } => dense.bytes(),
                _ => 0,
            })
            .sum()
    }
}

impl Encoder {
    /// Bytes that the packed weights take; embeddings stay in the mapped file.
    #[must_use]
    pub fn packed_bytes(&self) -> usize {
        self.model.bytes()
    }
}
