//! How many sessions and threads an engine gets, and its bounds.

use crate::{job::Window, planner::MemoryBudget};
use millrace_contract::Graph;
use std::num::NonZeroUsize;

/// An engine's measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineOptions {
    /// Sessions, each with a thread of its own.
    pub sessions: usize,
    /// Padded tokens of a run; a single longer row runs alone.
    pub max_batch_tokens: usize,
    /// Memory that all runs under way may take together.
    pub memory: MemoryBudget,
    /// Whether every row runs alone, because rows of a run change each other's result.
    pub row_by_row: bool,
    /// Open jobs; one more is refused.
    pub max_jobs: usize,
}

impl EngineOptions {
    /// Padded tokens of a run by default. Simulated with measured times of single runs, 384 was within 2 % of the best for
    /// fp32, weight-only and dynamic int8 `MiniLM` on all kinds of lengths; 256 costs fp32 2 to 5 %, and from 768 on
    /// activations fall out of the cache (int8 up to 10 % slower).
    pub const MAX_BATCH_TOKENS: usize = 384;

    /// Padded tokens of a run by default where an output has a value for each entry of a vocabulary: on a SPLADE of 30,522 entries
    /// peak memory went from 600 to 450 MB at the same speed; below 256, runs are too small (128: 10 % slower).
    const WIDE_BATCH_TOKENS: usize = 256;

    /// Values of a token from which an output is wide: hidden states have up to 4,096, vocabularies begin at some 30,000.
    const WIDE_OUTPUT: i64 = 16_384;

    /// Open jobs by default: what a busy server has in flight, at about 16 kB of waiting tokens each.
    pub const MAX_JOBS: usize = 1024;

    /// Tokens all jobs together may have waiting: about 800 texts of 83 tokens, from which padding stays under
    /// 1.5 %. More would gain little and make a close that drains, and the first batch beside others, slower.
    const WINDOW_TOKENS: usize = 65_536;

    /// Tokens a job may have waiting, however many jobs there are: eight full runs.
    const MIN_WINDOW_TOKENS: usize = 4096;

    /// The defaults with `sessions` sessions: no bound on memory, rows in common runs.
    #[must_use]
    pub const fn of_sessions(sessions: usize) -> Self {
        Self {
            sessions,
            max_batch_tokens: Self::MAX_BATCH_TOKENS,
            memory: MemoryBudget::unlimited(),
            row_by_row: false,
            max_jobs: Self::MAX_JOBS,
        }
    }

    /// Padded tokens of a run by default, for a graph of which `outputs` are read.
    #[must_use]
    pub fn batch_tokens(graph: &Graph, outputs: &[usize]) -> usize {
        let width = |&output: &usize| graph.outputs.get(output).and_then(|port| port.dims.last().copied());
        if outputs.iter().filter_map(width).any(|width| width >= Self::WIDE_OUTPUT) {
            return Self::WIDE_BATCH_TOKENS;
        }
        Self::MAX_BATCH_TOKENS
    }

    /// The window of a job that is opened beside `open_jobs` others and may hold `rows`, waiting or finished.
    pub(crate) fn window(open_jobs: usize, batch_size: usize, rows: usize) -> Window {
        Window {
            // A batch must fit whole, and the next one be under way while it is taken.
            rows: rows.max(batch_size.saturating_mul(2)),
            tokens: (Self::WINDOW_TOKENS / (open_jobs + 1)).max(Self::MIN_WINDOW_TOKENS),
        }
    }
}

/// Sessions and intra-op threads of each; their product never exceeds the cores allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parallelism {
    /// Sessions.
    pub sessions: usize,
    /// Intra-op threads of a session.
    pub threads: usize,
    /// Whether the caller asked for more than the cores allowed.
    pub clamped: bool,
}

/// How many sessions are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sessions {
    /// One a core, each with one thread: measured best, since runs need no meeting points.
    #[default]
    PerCore,
    /// One with all threads.
    One,
    /// That many.
    Count(usize),
}

impl Parallelism {
    /// Shares `cores` out. `threads` are those of one session.
    ///
    /// What is asked for beyond the cores is cut to them, so that code which was written on eight cores runs in a container of two:
    /// sessions first, because one thread in each of many sessions is faster than many threads in one.
    #[must_use]
    pub fn share(wanted: Sessions, threads: Option<NonZeroUsize>, cores: usize) -> Self {
        let cores = cores.max(1);
        let asked_threads = threads.map(NonZeroUsize::get);
        let most_threads = asked_threads.map(|threads| threads.min(cores));
        let sessions = match wanted {
            Sessions::One => 1,
            Sessions::PerCore => cores / most_threads.unwrap_or(1),
            Sessions::Count(sessions) => sessions.clamp(1, cores),
        };
        let spare = cores / sessions;
        let threads = most_threads.map_or(spare, |threads| threads.min(spare));
        let more_sessions = matches!(wanted, Sessions::Count(asked) if asked > sessions);
        let more_threads = asked_threads.is_some_and(|asked| asked > threads);
        Self { sessions, threads, clamped: more_sessions || more_threads }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use millrace_contract::{Element, Port, Quantization};

    fn share(wanted: Sessions, threads: usize, cores: usize) -> Parallelism {
        Parallelism::share(wanted, NonZeroUsize::new(threads), cores)
    }

    #[test]
    fn shares_out_the_cores() {
        let whole = |sessions, threads| Parallelism { sessions, threads, clamped: false };
        assert_eq!(share(Sessions::PerCore, 0, 8), whole(8, 1));
        assert_eq!(share(Sessions::One, 0, 8), whole(1, 8));
        assert_eq!(share(Sessions::Count(3), 0, 8), whole(3, 2));
        assert_eq!(share(Sessions::PerCore, 2, 8), whole(4, 2));
        assert_eq!(share(Sessions::PerCore, 0, 0), whole(1, 1));
    }

    #[test]
    fn cuts_what_exceeds_the_cores() {
        let cut = |sessions, threads| Parallelism { sessions, threads, clamped: true };
        assert_eq!(share(Sessions::Count(4), 0, 2), cut(2, 1));
        assert_eq!(share(Sessions::PerCore, 8, 2), cut(1, 2));
        assert_eq!(share(Sessions::One, 8, 2), cut(1, 2));
        assert_eq!(share(Sessions::Count(2), 2, 2), cut(2, 1));
        assert_eq!(share(Sessions::Count(4), 8, 8), cut(4, 2));
    }

    #[test]
    fn wide_outputs_make_smaller_runs() {
        let port = |dims: &[i64]| Port { name: String::new(), element: Element::F32, dims: dims.into() };
        let graph = Graph {
            inputs: Vec::new(),
            outputs: vec![port(&[-1, -1, 384]), port(&[-1, -1, 30_522]), port(&[])],
            quantization: Quantization::None,
            heads: None,
            widest: None,
            file_bytes: 0,
        };
        assert_eq!(EngineOptions::batch_tokens(&graph, &[0, 2]), EngineOptions::MAX_BATCH_TOKENS);
        assert_eq!(EngineOptions::batch_tokens(&graph, &[1]), EngineOptions::WIDE_BATCH_TOKENS);
    }

    #[test]
    fn a_window_holds_two_batches() {
        let window = EngineOptions::window(0, 10_000, 4096);
        assert_eq!(window.rows, 20_000);
        assert!(EngineOptions::window(1_000, 1, 4096).tokens >= EngineOptions::MIN_WINDOW_TOKENS);
    }
}
