//! How many sessions and threads an engine gets, and its bounds.

use crate::job::Window;
use millrace_contract::{Error, ErrorKind, Graph, Result};

/// An engine's measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineOptions {
    /// Sessions, each with a thread of its own.
    pub sessions: usize,
    /// Padded tokens of a run; a single longer row runs alone.
    pub max_batch_tokens: usize,
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
    /// Fails with `INVALID_OPTION` when the caller asks for more than there is.
    pub fn share(wanted: Sessions, threads: Option<usize>, cores: usize) -> Result<Self> {
        let cores = cores.max(1);
        if threads == Some(0) {
            return Err(Error::new(
                ErrorKind::InvalidOption,
                "Expected a positive integer for threads but received 0",
            ));
        }
        if let Some(threads) = threads
            && threads > cores
        {
            let message =
                format!("Expected at most {cores} (the cores allowed) for threads but received {threads}");
            return Err(Error::new(ErrorKind::InvalidOption, message));
        }
        let sessions = match wanted {
            Sessions::One => 1,
            Sessions::PerCore => cores / threads.unwrap_or(1),
            Sessions::Count(sessions) => sessions,
        }
        .max(1);
        let threads = threads.unwrap_or((cores / sessions).max(1));
        if sessions * threads > cores {
            let message = format!(
                "Expected parallel x threads to be at most {cores} (the cores allowed) but received {sessions} x {threads}"
            );
            return Err(Error::new(ErrorKind::InvalidOption, message));
        }
        Ok(Self { sessions, threads })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use millrace_contract::{Element, Port, Quantization};

    fn share(wanted: Sessions, threads: Option<usize>, cores: usize) -> (usize, usize) {
        let shared = Parallelism::share(wanted, threads, cores).unwrap();
        (shared.sessions, shared.threads)
    }

    #[test]
    fn shares_out_the_cores() {
        assert_eq!(share(Sessions::PerCore, None, 8), (8, 1));
        assert_eq!(share(Sessions::One, None, 8), (1, 8));
        assert_eq!(share(Sessions::Count(3), None, 8), (3, 2));
        assert_eq!(share(Sessions::PerCore, Some(2), 8), (4, 2));
        assert_eq!(share(Sessions::PerCore, None, 0), (1, 1));
    }

    #[test]
    fn refuses_more_than_there_is() {
        let cases = [
            (Sessions::Count(3), None),
            (Sessions::PerCore, Some(3)),
            (Sessions::Count(2), Some(2)),
            (Sessions::PerCore, Some(0)),
        ];
        for (wanted, threads) in cases {
            let error = Parallelism::share(wanted, threads, 2).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidOption, "{wanted:?} {threads:?}");
        }
    }

    #[test]
    fn wide_outputs_make_smaller_runs() {
        let port = |dims: &[i64]| Port { name: String::new(), element: Element::F32, dims: dims.into() };
        let graph = Graph {
            inputs: Vec::new(),
            outputs: vec![port(&[-1, -1, 384]), port(&[-1, -1, 30_522]), port(&[])],
            quantization: Quantization::None,
            heads: None,
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
