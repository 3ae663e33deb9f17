//! What is told of a loaded model.

use crate::{
    batch::{count, double},
    options::{NativeModelOptions, pooling_name, quantization_name, size},
    runtime::NativeRuntimeInfo,
};
use millrace_contract::{Backend, DeviceInfo, Pooling};
use millrace_core::{
    cpu,
    engine::{EngineOptions, Metrics, Parallelism, RUN_TIME_BOUNDS_MS},
    memory::{Estimate, HeadsSource},
    model::{Limit, ModelSpec, Sourced},
    planner::BudgetSource,
};
use napi::bindgen_prelude::Either;
use napi_derive::napi;
use std::{collections::HashMap, time::Duration};

/// The device that a session runs on.
#[napi(object)]
#[derive(Clone)]
pub struct NativeSessionDevice {
    /// `cpu` or `cuda`.
    pub device: String,
    /// Which one.
    pub id: Option<u32>,
    /// Why it is not the one asked for.
    pub fallback: Option<String>,
}

impl From<DeviceInfo> for NativeSessionDevice {
    fn from(info: DeviceInfo) -> Self {
        Self { device: info.device, id: info.id, fallback: info.fallback }
    }
}

/// What runs may take of memory, beside the weights.
#[napi(object)]
#[derive(Clone)]
pub struct NativeMemoryInfo {
    /// Bytes that all runs under way may take together.
    pub budget: f64,
    /// `maxMemory`, or `default` where the caller gave none.
    #[napi(ts_type = "'maxMemory' | 'default'")]
    pub source: String,
    /// Bytes that the budget must have for a text of `maxLength` tokens.
    pub longest_text: Option<f64>,
    /// Attention heads of a layer, from which the need of long texts follows; absent where the engine knows its need itself.
    pub heads: Option<u32>,
    /// `graph`, `config.json`, or `assumed` where neither says it.
    #[napi(ts_type = "'graph' | 'config.json' | 'assumed' | 'engine'")]
    pub heads_source: String,
}

/// What was asked for beyond the cores allowed.
#[napi(object)]
#[derive(Clone)]
pub struct NativeClamped {
    /// Sessions that were asked for.
    pub parallel: Option<u32>,
    /// Threads of a session that were asked for.
    pub threads: Option<u32>,
    /// Why there are no more cores: all of the machine's, an affinity mask, a container's quota.
    pub reason: String,
}

impl NativeClamped {
    pub(crate) fn of(asked: &NativeModelOptions, got: Parallelism) -> Self {
        let parallel = match asked.parallel {
            Some(Either::A(sessions)) if size(sessions) > got.sessions => Some(sessions),
            _ => None,
        };
        let threads = asked.threads.filter(|&threads| size(threads) > got.threads);
        Self { parallel, threads, reason: cpu::cores().reason.clone() }
    }
}

/// What a loaded model is. What its family does not have is absent.
#[napi(object)]
#[derive(Clone)]
pub struct NativeModelInfo {
    /// Directory of the model's files.
    pub dir: Option<String>,
    /// File of the weights, relative to it.
    pub model_file: Option<String>,
    /// Dimensions of a vector.
    pub dim: Option<u32>,
    /// How token vectors become one vector; several are put one after the other.
    #[napi(ts_type = "import('./types.js').NativePooling | import('./types.js').NativePooling[]")]
    pub pooling: Option<Either<String, Vec<String>>>,
    /// Who says the pooling: a file with its key, an option, the output's shape.
    pub pooling_source: Option<String>,
    /// Whether vectors get length 1.
    pub normalize: Option<bool>,
    /// Who says so.
    pub normalize_source: Option<String>,
    /// Limit in tokens.
    pub max_length: Option<u32>,
    /// Which file or option it comes from.
    pub max_length_source: Option<String>,
    /// Output of the graph.
    pub output_name: Option<String>,
    /// Who chose it.
    pub output_source: Option<String>,
    /// Whether texts are embedded differently for different tasks.
    pub has_tasks: bool,
    /// Inputs of the graph.
    pub inputs: Vec<String>,
    /// `none`, `weight-only`, `static` or `dynamic`.
    #[napi(ts_type = "'none' | 'weight-only' | 'static' | 'dynamic'")]
    pub quantization: String,
    /// Whether rows run one by one.
    pub row_by_row: bool,
    /// Prompts of the model's configuration.
    pub prompts: HashMap<String, String>,
    /// The one that is used when none is chosen.
    pub default_prompt_name: Option<String>,
    /// Sessions.
    pub sessions: u32,
    /// Intra-op threads of a session.
    pub threads_per_session: u32,
    /// Cores that affinity and container allow.
    pub cores_allowed: u32,
    /// What was asked for beyond them; absent where nothing was.
    pub clamped: Option<NativeClamped>,
    /// Padded tokens of a run.
    pub max_batch_tokens: u32,
    /// What runs may take of memory; absent where nothing is run on a graph.
    pub memory: Option<NativeMemoryInfo>,
    /// Whether all sessions run over one copy of the weights.
    pub shared_weights: bool,
    /// Bytes of the weights on disk.
    pub weight_bytes: f64,
    /// Device of each session.
    pub devices: Vec<NativeSessionDevice>,
    /// The inference library.
    pub runtime: NativeRuntimeInfo,
}

impl NativeModelInfo {
    /// What is the same for every family.
    pub(crate) fn of(backend: &dyn Backend, threads: usize) -> Self {
        let graph = backend.graph();
        Self {
            dir: None,
            model_file: None,
            dim: None,
            pooling: None,
            pooling_source: None,
            normalize: None,
            normalize_source: None,
            max_length: None,
            max_length_source: None,
            output_name: None,
            output_source: None,
            has_tasks: false,
            inputs: graph.inputs.iter().map(|port| port.name.clone()).collect(),
            quantization: quantization_name(graph.quantization).into(),
            row_by_row: false,
            prompts: HashMap::new(),
            default_prompt_name: None,
            sessions: 0,
            threads_per_session: count(threads),
            cores_allowed: count(cpu::cores().allowed),
            clamped: None,
            max_batch_tokens: 0,
            memory: None,
            shared_weights: backend.shares_weights(),
            weight_bytes: double(graph.file_bytes),
            devices: Vec::new(),
            runtime: backend.runtime().into(),
        }
    }

    /// Adds how the engine runs. The limit of texts must be known already.
    pub(crate) fn runs(&mut self, backend: &dyn Backend, engine: &EngineOptions, estimate: &Estimate) {
        self.row_by_row = engine.row_by_row;
        self.sessions = count(engine.sessions);
        self.max_batch_tokens = count(engine.max_batch_tokens);
        self.devices = (0..engine.sessions).map(|slot| backend.device(slot).into()).collect();
        let budget = &engine.memory;
        let needed = |tokens| double(budget.needed_for(size(tokens), engine.sessions));
        self.memory = (!self.inputs.is_empty()).then(|| NativeMemoryInfo {
            budget: double(budget.total(engine.sessions)),
            source: match budget.source {
                BudgetSource::Caller => "maxMemory",
                BudgetSource::Default => "default",
            }
            .into(),
            longest_text: self.max_length.map(needed),
            heads: (estimate.heads > 0).then(|| count(estimate.heads)),
            heads_source: match estimate.heads_source {
                HeadsSource::Backend => "engine",
                HeadsSource::Graph => "graph",
                HeadsSource::Config => "config.json",
                HeadsSource::Assumed => "assumed",
            }
            .into(),
        });
    }

    /// Adds what a text model's directory says.
    pub(crate) fn describe(&mut self, spec: &ModelSpec) {
        self.dir = Some(spec.dir.to_string_lossy().into_owned());
        self.model_file = Some(spec.model_file.clone());
        self.limited(&spec.limit);
        self.prompts = spec.prompts.clone().into_iter().collect();
        self.default_prompt_name.clone_from(&spec.default_prompt);
    }

    pub(crate) fn limited(&mut self, limit: &Limit) {
        self.max_length = Some(count(limit.tokens));
        self.max_length_source = Some(limit.source.clone());
    }

    /// Adds how token vectors become one vector, and who says so.
    pub(crate) fn pooled(&mut self, poolings: &Sourced<Vec<Pooling>>, normalize: &Sourced<bool>) {
        let names: Vec<String> = poolings.value.iter().map(|&pooling| pooling_name(pooling).into()).collect();
        self.pooling = Some(match <[String; 1]>::try_from(names) {
            Ok([only]) => Either::A(only),
            Err(several) => Either::B(several),
        });
        self.pooling_source = Some(poolings.source.clone());
        self.normalize = Some(normalize.value);
        self.normalize_source = Some(normalize.source.clone());
    }

    /// Adds which output of the graph is read, and who says so.
    pub(crate) fn reads(&mut self, output: &Sourced<String>) {
        self.output_name = Some(output.value.clone());
        self.output_source = Some(output.source.clone());
    }
}

/// Counters since the model was loaded.
#[napi(object)]
pub struct NativeMetrics {
    /// Inputs finished.
    pub inputs: f64,
    /// Their tokens.
    pub tokens: f64,
    /// The same, padding included.
    pub padded_tokens: f64,
    /// Runs that succeeded.
    pub runs: f64,
    /// Runs that failed or were ended.
    pub failed_runs: f64,
    /// Inputs waiting for a run.
    pub waiting_inputs: u32,
    /// Milliseconds that the oldest of them has waited.
    pub queue_age_ms: f64,
    /// Open calls.
    pub open_jobs: u32,
    /// Calls that were refused because as many were open as may be.
    pub refused_jobs: f64,
    /// Inputs that began to run.
    pub started_inputs: f64,
    /// Milliseconds that they had waited, all together.
    pub wait_ms: f64,
    /// Milliseconds of preparing inputs, over all threads.
    pub prepare_ms: f64,
    /// Milliseconds of running the graph, over all threads.
    pub inference_ms: f64,
    /// Milliseconds of making rows of what the graph gave, over all threads.
    pub finish_ms: f64,
    /// Upper bounds of the classes of `run_times`, in milliseconds.
    pub run_time_bounds_ms: Vec<u32>,
    /// Runs by their time in the graph: one class more than bounds.
    pub run_times: Vec<f64>,
    /// Failed inputs by code.
    pub errors: HashMap<String, f64>,
}

impl From<Metrics> for NativeMetrics {
    fn from(metrics: Metrics) -> Self {
        Self {
            inputs: double(metrics.rows),
            tokens: double(metrics.tokens),
            padded_tokens: double(metrics.padded_tokens),
            runs: double(metrics.runs),
            failed_runs: double(metrics.failed_runs),
            waiting_inputs: count(metrics.waiting_rows),
            queue_age_ms: milliseconds(metrics.queue_age),
            open_jobs: count(metrics.open_jobs),
            refused_jobs: double(metrics.refused_jobs),
            started_inputs: double(metrics.started_rows),
            wait_ms: milliseconds(metrics.wait),
            prepare_ms: milliseconds(metrics.prepare),
            inference_ms: milliseconds(metrics.inference),
            finish_ms: milliseconds(metrics.finish),
            run_time_bounds_ms: RUN_TIME_BOUNDS_MS.to_vec(),
            run_times: metrics.run_times.iter().map(|&runs| double(runs)).collect(),
            errors: metrics.errors.into_iter().map(|(code, rows)| (code.into(), double(rows))).collect(),
        }
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
