//! What a run of a model takes of memory, estimated before anything is run: from the graph, and from config.json where the graph is
//! silent. An estimate errs on the high side, because it keeps the process from being killed.

use crate::model::json;
use millrace_contract::{Backend, Graph, RunMemory};
use serde::Deserialize;
use serde_json::Value;
use std::path::Path;

/// Bytes of a 32-bit float, which is what activations are computed in.
const FLOAT: u64 = 4;

/// Tensors of the widest layer that exist at the same time: what goes into the activation function, its intermediate results, and what
/// comes out. Measured on encoders of 96 and 768 dimensions with ONNX Runtime 1.30: 2.8 to 3.
const WIDE_TENSORS: u64 = 4;

/// Tensors of attention scores that exist at the same time: what softmax reads and what it writes. Measured on graphs of 4 and 12 heads and
/// 1,024 to 8,192 tokens: 2.1 to 2.2, with the arena's loss.
const SCORE_TENSORS: u64 = 2;

/// The same where the scores of every layer get a bias of their own size, which stays through all layers, and what it is computed from.
const BIASED_SCORE_TENSORS: u64 = 4;

/// What the arena loses between tensors, in percent of them.
const ARENA_LOSS: u64 = 15;

/// Architectures whose attention adds a bias of the size of the scores: relative positions.
const BIASED: [&str; 6] = ["mpnet", "deberta", "deberta-v2", "t5", "mt5", "longt5"];

/// Values of a token in the widest layer where the graph does not tell: 4 x 1,024, as in the large encoders.
const USUAL_WIDTH: usize = 4096;

/// Heads where nobody says how many there are and the width of a token is not known either: as many as large encoders have.
const USUAL_HEADS: usize = 16;

/// Dimensions of a head where nobody says how many heads there are. Heads of 64 are usual and heads of 32 the narrowest in use, so
/// this errs towards more heads.
const NARROW_HEAD: usize = 32;

/// Least bytes of a token: what convolutions over an image take for each square of 16 x 16 pixels.
const LEAST_PER_TOKEN: u64 = 16 * 1024;

/// Who says how many attention heads a model has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadsSource {
    /// The backend knows what its runs take and was not asked for heads.
    Backend,
    /// The graph's own nodes.
    Graph,
    /// config.json.
    Config,
    /// Nobody: a number that errs on the high side.
    Assumed,
}

/// What runs take, and what that was computed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// Bytes by the shape of a run.
    pub cost: RunMemory,
    /// Attention heads of a layer; 0 where the backend says what its runs take.
    pub heads: usize,
    /// Who says so.
    pub heads_source: HeadsSource,
}

impl Estimate {
    /// The estimate for a model whose configuration lies in `dir`, if anywhere. A config.json that cannot be read says nothing here:
    /// the families that need one refuse it themselves.
    pub fn of(backend: &dyn Backend, dir: Option<&Path>) -> Self {
        if let Some(cost) = backend.run_memory() {
            return Self { cost, heads: 0, heads_source: HeadsSource::Backend };
        }
        let config = dir.and_then(|dir| json::read_object(&dir.join("config.json")).ok().flatten());
        Self::of_graph(backend.graph(), &config.unwrap_or_default())
    }

    fn of_graph(graph: &Graph, config: &Keys) -> Self {
        let (heads, heads_source) = match (graph.heads, config.heads()) {
            (Some(heads), _) => (heads, HeadsSource::Graph),
            (None, Some(heads)) => (heads, HeadsSource::Config),
            (None, None) => (assumed_heads(graph), HeadsSource::Assumed),
        };
        let tensors = if config.is_biased() { BIASED_SCORE_TENSORS } else { SCORE_TENSORS };
        let width = number(graph.widest.unwrap_or(USUAL_WIDTH));
        let lossy = |bytes: u64| bytes.saturating_mul(100 + ARENA_LOSS) / 100;
        let cost = RunMemory {
            per_token: lossy(width.saturating_mul(FLOAT * WIDE_TENSORS)).max(LEAST_PER_TOKEN),
            per_pair: lossy(number(heads).saturating_mul(FLOAT * tensors)),
        };
        Self { cost, heads, heads_source }
    }
}

/// Heads of narrow size, as many as the outputs' tokens have room for.
fn assumed_heads(graph: &Graph) -> usize {
    let tokens = graph.outputs.iter().filter(|port| port.dims.len() == 3);
    let width =
        tokens.filter_map(|port| port.dims.last().copied()).filter_map(|width| usize::try_from(width).ok());
    width.filter(|&width| width > 0).min().map_or(USUAL_HEADS, |width| width.div_ceil(NARROW_HEAD))
}

fn number(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

/// The keys of config.json that tell how a model attends. Architectures name them differently.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Keys {
    model_type: Option<String>,
    position_embedding_type: Option<String>,
    num_attention_heads: Value,
    n_heads: Value,
    n_head: Value,
    num_heads: Value,
    encoder_attention_heads: Value,
    /// Models of texts and images describe each half apart.
    text_config: Option<Box<Keys>>,
    vision_config: Option<Box<Keys>>,
}

impl Keys {
    fn halves(&self) -> impl Iterator<Item = &Self> {
        [&self.text_config, &self.vision_config].into_iter().flatten().map(Box::as_ref)
    }

    /// The most heads of a layer.
    fn heads(&self) -> Option<usize> {
        let Self { num_attention_heads, n_heads, n_head, num_heads, encoder_attention_heads, .. } = self;
        let own = [num_attention_heads, n_heads, n_head, num_heads, encoder_attention_heads];
        let own = own.into_iter().filter_map(Value::as_u64).filter_map(|heads| usize::try_from(heads).ok());
        let own = own.filter(|&heads| heads > 0).max();
        own.max(self.halves().filter_map(Self::heads).max())
    }

    fn is_biased(&self) -> bool {
        let relative = self.model_type.as_deref().is_some_and(|name| BIASED.contains(&name));
        let by_position = self.position_embedding_type.as_deref();
        relative
            || by_position.is_some_and(|kind| kind == "alibi" || kind.starts_with("relative"))
            || self.halves().any(Self::is_biased)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use millrace_contract::{Element, Port, Quantization};

    fn graph(heads: Option<usize>, width: i64) -> Graph {
        let output = Port { name: "tokens".into(), element: Element::F32, dims: vec![-1, -1, width] };
        Graph {
            inputs: Vec::new(),
            outputs: vec![output],
            quantization: Quantization::None,
            heads,
            widest: Some(3072),
            file_bytes: 0,
        }
    }

    fn config(text: &str) -> Keys {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn twelve_heads_of_the_graph() {
        let estimate = Estimate::of_graph(&graph(Some(12), 768), &config(r#"{"num_attention_heads": 7}"#));
        assert_eq!((estimate.heads, estimate.heads_source), (12, HeadsSource::Graph));
        // 12 heads x 2 tensors x 4 bytes and 15 %: 8,192 tokens take 7.4 GB.
        assert_eq!(estimate.cost.per_pair, 110);
        assert_eq!(estimate.cost.per_token, 3072 * 16 * 115 / 100);
    }

    #[test]
    fn heads_of_config_json_whatever_their_name() {
        for text in [
            r#"{"num_attention_heads": 12}"#,
            r#"{"n_heads": 12}"#,
            r#"{"n_head": 12, "num_attention_heads": null}"#,
            r#"{"text_config": {"num_attention_heads": 8}, "vision_config": {"num_attention_heads": 12}}"#,
        ] {
            let estimate = Estimate::of_graph(&graph(None, 768), &config(text));
            assert_eq!((estimate.heads, estimate.heads_source), (12, HeadsSource::Config), "{text}");
        }
    }

    #[test]
    fn heads_that_nobody_tells_are_assumed_to_be_many() {
        let estimate = Estimate::of_graph(&graph(None, 768), &Keys::default());
        assert_eq!((estimate.heads, estimate.heads_source), (24, HeadsSource::Assumed));
        assert_eq!(Estimate::of_graph(&graph(None, -1), &Keys::default()).heads, USUAL_HEADS);
    }

    #[test]
    fn a_bias_of_the_scores_size_counts() {
        let plain = Estimate::of_graph(&graph(Some(12), 768), &config(r#"{"model_type": "bert"}"#));
        for text in
            [r#"{"model_type": "mpnet"}"#, r#"{"model_type": "bert", "position_embedding_type": "alibi"}"#]
        {
            let biased = Estimate::of_graph(&graph(Some(12), 768), &config(text));
            assert!(biased.cost.per_pair >= 2 * plain.cost.per_pair - 1, "{text}");
        }
    }
}
