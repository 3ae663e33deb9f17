//! The special tokens around a text, learned once from the tokenizer's post-processor.
//!
//! Running the post-processor on every text would copy all of its tokens several times; around a single text
//! it only ever puts the same tokens before and after.

use crate::quiet;
use tokenizers::{Encoding, Token};

/// What stands before and after a text's own tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    before: Vec<(u32, u32)>,
    after: Vec<(u32, u32)>,
    /// Token type id of the text's own tokens.
    type_id: u32,
}

/// Ids that no vocabulary has, so that they are found again in the result.
pub(super) const PROBE: [u32; 3] = [u32::MAX - 2, u32::MAX - 1, u32::MAX];

impl Frame {
    /// Nothing around a text.
    pub(super) fn none() -> Self {
        Self { before: Vec::new(), after: Vec::new(), type_id: 0 }
    }

    /// Post-processes made-up texts of no, one and three tokens; all have to get the same frame.
    pub(super) fn of(tokenizer: &tokenizers::Tokenizer) -> Result<Self, String> {
        let frame = Self::around(tokenizer, &PROBE)?;
        let same = |probe: &[u32]| {
            let (ids, types) = processed(tokenizer, probe)?;
            Ok::<_, String>(frame.wrap(probe) == (ids, types))
        };
        if same(&PROBE[..1])? && same(&[])? {
            Ok(frame)
        } else {
            Err("the post_processor adds different tokens to different texts".to_owned())
        }
    }

    fn around(tokenizer: &tokenizers::Tokenizer, probe: &[u32]) -> Result<Self, String> {
        let (ids, types) = processed(tokenizer, probe)?;
        let start = ids.windows(probe.len()).position(|window| window == probe);
        let start = start.ok_or("the post_processor changes the text's tokens")?;
        let pairs: Vec<(u32, u32)> = ids.into_iter().zip(types).collect();
        Ok(Self {
            before: pairs[..start].to_vec(),
            after: pairs[start + probe.len()..].to_vec(),
            type_id: pairs[start].1,
        })
    }

    /// Tokens it adds.
    pub(super) fn len(&self) -> usize {
        self.before.len() + self.after.len()
    }

    /// Ids and type ids of a whole text, from its own ids.
    pub(super) fn wrap(&self, body: &[u32]) -> (Vec<u32>, Vec<u32>) {
        let own = body.iter().map(|&id| (id, self.type_id));
        self.before.iter().copied().chain(own).chain(self.after.iter().copied()).unzip()
    }

    /// The ids alone of [`wrap`](Self::wrap).
    pub(super) fn wrap_ids(&self, body: &[u32]) -> Box<[u32]> {
        let ids = |pairs: &[(u32, u32)]| pairs.iter().map(|pair| pair.0).collect::<Vec<_>>();
        [ids(&self.before).as_slice(), body, ids(&self.after).as_slice()].concat().into_boxed_slice()
    }

    /// Whether every type id is zero.
    pub(super) fn plain(&self) -> bool {
        self.type_id == 0 && self.before.iter().chain(&self.after).all(|pair| pair.1 == 0)
    }
}

fn processed(tokenizer: &tokenizers::Tokenizer, ids: &[u32]) -> Result<(Vec<u32>, Vec<u32>), String> {
    post_processed(tokenizer, ids, None)
}

/// Ids and type ids of a made-up text or pair of texts with its special tokens.
pub(super) fn post_processed(
    tokenizer: &tokenizers::Tokenizer,
    ids: &[u32],
    second: Option<&[u32]>,
) -> Result<(Vec<u32>, Vec<u32>), String> {
    let encoding = |ids: &[u32], type_id| {
        let tokens = ids.iter().map(|&id| Token::new(id, "x".to_owned(), (0, 1))).collect();
        Encoding::from_tokens(tokens, type_id)
    };
    let (first, second) = (encoding(ids, 0), second.map(|ids| encoding(ids, 1)));
    // The library leaves some combinations of post-processors as a panic.
    quiet::catch(|| tokenizer.post_process(first, second, true))
        .map_err(|_| "the post_processor is not one that the tokenizer library can run".to_owned())?
        .map(|encoding| (encoding.get_ids().to_vec(), encoding.get_type_ids().to_vec()))
        .map_err(|error| error.to_string())
}
