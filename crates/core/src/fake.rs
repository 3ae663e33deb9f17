//! A deterministic backend and family for tests and benches: rows of numbers in, their fingerprint out.
//!
//! It pads, runs and delays like a model, so that order, identity, faults and cancellation can be shown without one. It says
//! nothing about the numbers of real models.

use crate::family::{Family, Merge, Parts, Prepared};
use millrace_contract::{
    Backend, Batch, DeviceInfo, Element, Error, ErrorKind, Graph, Input, InputData, Output, OutputData, Port,
    Quantization, Result, RunControl, Runner, RuntimeInfo,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// Mask value of a token that makes the run fail.
pub const POISON_FAIL: u32 = 900_001;
/// Mask value of a token that makes the session panic.
pub const POISON_PANIC: u32 = 900_002;
/// Mask value of a token that makes the row's result not finite.
pub const POISON_NAN: u32 = 900_003;
/// Mask value of a token that makes preparing the input fail.
pub const POISON_PREPARE: u32 = 900_004;
/// Mask value of a token that makes the run take "forever", until it is terminated.
pub const POISON_HANG: u32 = 900_005;

/// Mask value of a token that makes preparing give the finished row.
pub const READY: u32 = 900_006;

/// Mask value that cuts an input into parts, which are run apart and whose rows become one.
pub const SPLIT: u32 = 900_007;

/// What a fake run costs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cost {
    /// Time of every run.
    pub run: Duration,
    /// Time of every padded token.
    pub token: Duration,
}

/// The backend. Its result for a row depends on the row's tokens alone.
pub struct FakeBackend {
    graph: Graph,
    cost: Cost,
    runs: Arc<AtomicUsize>,
    under_way: Arc<UnderWay>,
    opened: AtomicUsize,
}

/// What runs at the same time, now and at the most.
#[derive(Debug, Default)]
struct UnderWay {
    runs: Gauge,
    /// Pairs of tokens within rows: what attention takes memory for.
    pairs: Gauge,
}

/// A number that goes up and down, and the highest it was.
#[derive(Debug, Default)]
pub struct Gauge {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Gauge {
    /// The highest it was.
    pub fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }

    fn add(&self, count: usize) {
        let now = self.now.fetch_add(count, Ordering::SeqCst) + count;
        self.most.fetch_max(now, Ordering::SeqCst);
    }

    fn sub(&self, count: usize) {
        self.now.fetch_sub(count, Ordering::SeqCst);
    }
}

impl FakeBackend {
    /// A backend whose runs cost `cost`.
    #[must_use]
    pub fn new(cost: Cost) -> Self {
        let port =
            |name: &str, element, dims: &[i64]| Port { name: name.into(), element, dims: dims.to_vec() };
        let graph = Graph {
            inputs: vec![port("tokens", Element::I64, &[-1, -1])],
            outputs: vec![port("fingerprint", Element::F32, &[-1, 2])],
            quantization: Quantization::None,
            heads: None,
            widest: None,
            file_bytes: 0,
        };
        Self { graph, cost, runs: Arc::default(), under_way: Arc::default(), opened: AtomicUsize::new(0) }
    }

    /// Runs so far, failed ones included.
    pub fn runs(&self) -> usize {
        self.runs.load(Ordering::SeqCst)
    }

    /// Runs that were under way at the same time, at the most.
    pub fn most_runs_at_once(&self) -> usize {
        self.under_way.runs.most()
    }

    /// Pairs of tokens of one row, over all runs under way at the same time, at the most.
    pub fn most_pairs_at_once(&self) -> usize {
        self.under_way.pairs.most()
    }

    /// Sessions opened so far.
    pub fn opened(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }
}

impl Backend for FakeBackend {
    fn graph(&self) -> &Graph {
        &self.graph
    }

    fn runtime(&self) -> RuntimeInfo {
        RuntimeInfo { name: "fake".into(), version: "1".into(), path: String::new() }
    }

    fn open(&self, _slot: usize) -> Result<Box<dyn Runner>> {
        self.opened.fetch_add(1, Ordering::SeqCst);
        let (runs, under_way) = (Arc::clone(&self.runs), Arc::clone(&self.under_way));
        Ok(Box::new(FakeRunner { cost: self.cost, runs, under_way }))
    }

    fn device(&self, _slot: usize) -> DeviceInfo {
        DeviceInfo { device: "cpu".into(), id: None, fallback: None }
    }

    fn shares_weights(&self) -> bool {
        true
    }
}

struct FakeRunner {
    cost: Cost,
    runs: Arc<AtomicUsize>,
    under_way: Arc<UnderWay>,
}

impl FakeRunner {
    /// Passes the time of a run, in steps short enough to be ended from outside.
    fn work(&self, tokens: usize, control: &RunControl) -> Result<()> {
        let step = Duration::from_millis(1);
        let end =
            Instant::now() + self.cost.run + self.cost.token * u32::try_from(tokens).unwrap_or(u32::MAX);
        while !control.is_terminated() {
            let now = Instant::now();
            if now >= end {
                return Ok(());
            }
            thread::sleep(step.min(end - now));
        }
        Err(Error::new(ErrorKind::Aborted, "The run was terminated"))
    }
}

impl Runner for FakeRunner {
    fn run(
        &mut self,
        batch: &Batch,
        _wanted: &[usize],
        control: &RunControl,
        sink: &mut dyn FnMut(&[Output<'_>]) -> Result<()>,
    ) -> Result<()> {
        self.runs.fetch_add(1, Ordering::SeqCst);
        let Some(InputData::I64(tokens)) = batch.inputs.first().map(|input| &input.data) else {
            return Err(Error::new(ErrorKind::Internal, "The fake backend takes one integer tensor"));
        };
        let has = |poison: u32| tokens.contains(&i64::from(poison));
        if has(POISON_FAIL) {
            return Err(Error::new(ErrorKind::InferenceFailed, "A poisoned token failed the run"));
        }
        assert!(!has(POISON_PANIC), "a poisoned token panics the session");
        while has(POISON_HANG) && !control.is_terminated() {
            thread::sleep(Duration::from_millis(1));
        }
        let pairs = batch.rows * batch.padded_len * batch.padded_len;
        self.under_way.runs.add(1);
        self.under_way.pairs.add(pairs);
        let worked = self.work(batch.rows * batch.padded_len, control);
        self.under_way.runs.sub(1);
        self.under_way.pairs.sub(pairs);
        worked?;
        let data: Vec<f32> = tokens.chunks(batch.padded_len.max(1)).flat_map(fingerprint).collect();
        let shape = [batch.rows, 2];
        sink(&[Output { name: "fingerprint", shape: &shape, data: OutputData::F32(&data) }])
    }
}

/// Sum and position-weighted sum of a row's tokens, without its padding (zeros).
#[expect(clippy::cast_precision_loss, reason = "test rows are short and their tokens small")]
fn fingerprint(row: &[i64]) -> [f32; 2] {
    if row.contains(&i64::from(POISON_NAN)) {
        return [f32::NAN, 0.0];
    }
    let weighted: i64 = row.iter().zip(1..).map(|(token, at)| token * at % 8191).sum();
    [row.iter().sum::<i64>() as f32, weighted as f32]
}

/// The family: an input is its tokens, a row is the fingerprint.
#[derive(Debug, Default)]
pub struct FakeFamily {
    /// Added to the time of preparing each input.
    pub prepare: Duration,
    /// Parts made and not merged.
    pub ahead: Arc<Gauge>,
    /// Inputs being prepared.
    pub preparing: Arc<Gauge>,
}

impl FakeFamily {
    /// What the row of `tokens` must be.
    #[must_use]
    pub fn expected(tokens: &[u32]) -> [f32; 2] {
        let whole = |tokens: &[u32]| {
            let tokens: Vec<i64> = tokens.iter().copied().map(i64::from).collect();
            fingerprint(&tokens)
        };
        if !tokens.contains(&SPLIT) {
            return whole(tokens);
        }
        let mut sum = Sum::default();
        tokens.split(|&token| token == SPLIT).for_each(|part| sum.put(whole(part)));
        sum.row
    }
}

/// The parts of an input, cut at [`SPLIT`].
struct Cut {
    rest: Option<Vec<u32>>,
    ahead: Arc<Gauge>,
}

impl Parts<Vec<u32>, [f32; 2]> for Cut {
    fn next(&mut self) -> Option<Result<Prepared<Vec<u32>, [f32; 2]>>> {
        let mut rest = self.rest.take()?;
        // From the end, so that taking a part does not copy the rest: the input was turned around.
        let at = rest.iter().rposition(|&token| token == SPLIT);
        let mut part = rest.split_off(at.map_or(0, |at| at + 1));
        if at.is_some() {
            rest.pop();
            self.rest = Some(rest);
        }
        part.reverse();
        self.ahead.add(1);
        Some(whole(part))
    }

    fn cost(&self) -> usize {
        self.rest.as_ref().map_or(0, Vec::len)
    }
}

/// The row of an input in parts: which part has which row plays a role.
#[derive(Default)]
struct Sum {
    row: [f32; 2],
    parts: f32,
    ahead: Arc<Gauge>,
}

impl Sum {
    fn put(&mut self, [sum, weighted]: [f32; 2]) {
        self.parts = (self.parts + 1.0) % 97.0;
        self.row = [(self.row[0] + sum) % 8191.0, (self.row[1] + self.parts * weighted) % 8191.0];
    }
}

impl Merge<[f32; 2]> for Sum {
    fn add(&mut self, row: [f32; 2]) -> Result<()> {
        self.ahead.sub(1);
        self.put(row);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<[f32; 2]> {
        Ok(self.row)
    }
}

/// An input without parts, or a part.
fn whole(input: Vec<u32>) -> Result<Prepared<Vec<u32>, [f32; 2]>> {
    if input.contains(&POISON_PREPARE) {
        return Err(Error::new(ErrorKind::InputInvalid, "A poisoned token cannot be prepared"));
    }
    if input.contains(&READY) {
        let row = FakeFamily::expected(&input);
        return Ok(Prepared::Row(row, input.len()));
    }
    Ok(Prepared::Item(input))
}

impl Family for FakeFamily {
    type Input = Vec<u32>;
    type Call = u32;
    type Item = Vec<u32>;
    type Row = [f32; 2];

    fn input_cost(&self, input: &Vec<u32>) -> usize {
        input.len()
    }

    fn prepare(&self, input: Vec<u32>, _call: &u32) -> Result<Prepared<Vec<u32>, [f32; 2]>> {
        if !self.prepare.is_zero() {
            self.preparing.add(1);
            thread::sleep(self.prepare);
            self.preparing.sub(1);
        }
        if input.contains(&SPLIT) {
            let ahead = Arc::clone(&self.ahead);
            let sum = Sum { ahead: Arc::clone(&ahead), ..Sum::default() };
            let rest = Some(input.into_iter().rev().collect());
            return Ok(Prepared::Parts(Box::new(Cut { rest, ahead }), Box::new(sum)));
        }
        whole(input)
    }

    fn tokens(&self, item: &Vec<u32>) -> usize {
        item.len()
    }

    fn padded_len(&self, item: &Vec<u32>) -> usize {
        item.len()
    }

    fn group(&self, call: &u32) -> u32 {
        *call
    }

    fn collate(&self, items: &[&Vec<u32>]) -> Result<Batch> {
        let padded_len = items.iter().map(|item| item.len()).max().unwrap_or(0);
        let mut data = vec![0; padded_len * items.len()];
        for (row, item) in data.chunks_mut(padded_len.max(1)).zip(items) {
            for (place, &token) in row.iter_mut().zip(item.iter()) {
                *place = i64::from(token);
            }
        }
        let shape = vec![items.len(), padded_len];
        let inputs = vec![Input { name: "tokens".into(), shape, data: InputData::I64(data) }];
        Ok(Batch { inputs, rows: items.len(), padded_len, spans: Vec::new() })
    }

    fn outputs(&self) -> &[usize] {
        &[0]
    }

    fn finish(
        &self,
        outputs: &[Output<'_>],
        _: &Batch,
        row: usize,
        _: &Vec<u32>,
        _: &u32,
    ) -> Result<[f32; 2]> {
        let Some(Output { data: OutputData::F32(values), .. }) = outputs.first() else {
            return Err(Error::new(ErrorKind::Internal, "The fake backend gives floats"));
        };
        let pair = [values[row * 2], values[row * 2 + 1]];
        if pair.iter().all(|value| value.is_finite()) {
            Ok(pair)
        } else {
            Err(Error::new(ErrorKind::InferenceFailed, "The result is not finite"))
        }
    }
}
