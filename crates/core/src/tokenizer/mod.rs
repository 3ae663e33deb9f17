//! Texts to token ids, and token ids to the inputs of a run.
//!
//! [`Tokenizer`] is the tokenizer of a model directory with padding and truncation taken out of the library's
//! hands: the limit is chosen per call, a text is never tokenised further than its limit needs, and batches
//! are padded here. It schedules nothing; any number of threads may use one at once.

mod chunks;
mod collate;
mod encode;
mod frame;
mod load;
mod pair;
mod places;
mod spans;
mod vocabulary;

pub use chunks::{Chunks, TextChunk};

use crate::model::EmptyPast;
use frame::Frame;
use millrace_contract::Result;
use pair::PairFrame;
pub(crate) use spans::{Grain, Span};
use std::sync::OnceLock;

/// An end of a text or a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The beginning.
    Left,
    /// The end.
    Right,
}

/// What happens to a text beyond the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Overflow {
    /// It is cut, and the item says so.
    #[default]
    Truncate,
    /// It is an error.
    Error,
}

/// One tokenised text, without padding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Token ids, special tokens included.
    pub ids: Box<[u32]>,
    /// Token type ids as long as `ids`; `None` when all are zero.
    pub type_ids: Option<Box<[u32]>>,
    /// Whether a part of the text was cut off.
    pub truncated: bool,
}

impl Item {
    /// Tokens, special tokens included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are no tokens: an empty text under a tokenizer that adds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}

/// How rows are filled up to one length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Padding {
    /// The id that is filled in.
    pub id: u32,
    /// Its token type id, where type ids are fed at all.
    pub type_id: u32,
    /// The token of that id.
    pub token: String,
    /// Where it is filled in.
    pub side: Side,
    /// Lengths are rounded up to a multiple of this, which is at least 1.
    pub multiple_of: usize,
}

/// A model's tokenizer. `Sync`: one is shared by all threads.
#[derive(Debug)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    frame: Frame,
    /// Learned when the first pair comes; most models never see one.
    pair: OnceLock<Result<PairFrame, String>>,
    padding: Padding,
    truncation: Side,
    lowercase: bool,
    position_offset: usize,
    /// Bytes before a cut of a long text whose tokens may be different without the cut.
    margin: usize,
    /// Tokens of every row, where the graph takes no other length.
    fixed_len: Option<usize>,
    /// What a decoder keeps of texts before this one, of which there are none.
    past: EmptyPast,
}

impl Tokenizer {
    /// How batches are padded.
    #[must_use]
    pub fn padding(&self) -> &Padding {
        &self.padding
    }

    /// Rounds no lengths up from now on.
    pub(crate) fn pad_exactly(&mut self) {
        self.padding.multiple_of = 1;
    }

    /// Pads every row to `len` tokens from now on, for a graph that takes no other length.
    pub(crate) fn pad_to(&mut self, len: Option<usize>) {
        self.fixed_len = len;
    }

    /// Which end of a text is cut off.
    #[must_use]
    pub fn truncation_side(&self) -> Side {
        self.truncation
    }

    /// Special tokens added to each text. A limit has to be larger.
    #[must_use]
    pub fn added_tokens(&self) -> usize {
        self.frame.len()
    }

    /// Tokens of `text` after truncation to `limit`, special tokens included.
    pub fn count(&self, text: &str, limit: usize) -> Result<usize> {
        Ok(self.encode(text, limit, Overflow::Truncate)?.len())
    }

    /// The id of a token, added ones included.
    #[must_use]
    pub fn token_id(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }
}
