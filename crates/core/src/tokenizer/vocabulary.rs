//! What a tokenizer's ids stand for.

use super::Tokenizer;
use std::collections::HashSet;
use tokenizers::ModelWrapper;

impl Tokenizer {
    /// The token of an id, added ones included.
    #[must_use]
    pub fn token(&self, id: u32) -> Option<String> {
        self.inner.id_to_token(id)
    }

    /// Entries of the vocabulary, without the tokens that were added to it.
    pub(crate) fn vocabulary_len(&self) -> usize {
        self.inner.get_vocab_size(false)
    }

    /// Ids of all special tokens, those of `special_tokens_map.json` included.
    #[must_use]
    pub fn special_ids(&self) -> HashSet<u32> {
        let added = self.inner.get_added_vocabulary().get_added_tokens_decoder();
        added.iter().filter(|(_, token)| token.special).map(|(&id, _)| id).collect()
    }

    /// What marks a token as the continuation of a word, such as `##`; `None` where the tokenizer marks the
    /// beginnings of words instead.
    #[must_use]
    pub fn continuation(&self) -> Option<&str> {
        match self.inner.get_model() {
            ModelWrapper::WordPiece(model) => Some(&model.continuing_subword_prefix),
            ModelWrapper::BPE(model) => model.continuing_subword_prefix.as_deref(),
            ModelWrapper::WordLevel(_) | ModelWrapper::Unigram(_) => None,
        }
    }
}
