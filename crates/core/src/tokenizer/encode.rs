//! One text to token ids, under a limit, without looking at more of a long text than the limit needs.

use super::{Item, Overflow, Side, Tokenizer};
use crate::quiet;
use millrace_contract::{Error, ErrorKind, Result};
use millrace_text::cut_before;
use std::borrow::Cow;
use tokenizers::{
    Model, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer, TruncationDirection,
};

/// Bytes of text that a token of the limit may need before a second try: English prose has 5 to 7, so one
/// try is enough for nearly every text.
const BYTES_PER_TOKEN: usize = 8;

/// Bytes on top, so that small limits do not take several tries.
const SLACK: usize = 1024;

/// How much longer the next try is when a prefix did not reach the limit.
const GROWTH: usize = 4;

/// Most bytes of one text that are given to the tokenizer at once, where the limit does not ask for more.
/// The library takes up to 160 bytes of memory for each (measured). Texts that come here before they reach a limit are nearly one word or
/// one blank, are cut on the left, or have a tokenizer that takes a whole text as one piece.
pub(super) const MOST_BYTES: usize = 1 << 20;

impl Tokenizer {
    /// Tokenises `text` to at most `limit` tokens, special tokens included.
    ///
    /// The ids are those of the whole text, cut: a long text is only read as far as the limit needs, and on
    /// past every token that the rest of the text could still change. Errors:
    /// [`ErrorKind::InvalidOption`] for a limit that leaves no room beside the special tokens;
    /// [`ErrorKind::InputTooLong`] under [`Overflow::Error`].
    ///
    /// Of a text whose first bytes do not fill the limit, no more than 1 MiB is read, at the end that is kept. Under
    /// [`Overflow::Truncate`] the rest is cut off, and the item says so; under [`Overflow::Error`] the text is too long.
    pub fn encode(&self, text: &str, limit: usize, overflow: Overflow) -> Result<Item> {
        let room = self.room(limit)?;
        let (body, truncated) = self.body(text, room, overflow)?;
        if truncated && overflow == Overflow::Error {
            return Err(too_long(body.len().saturating_add(self.frame.len()), limit, ""));
        }
        Ok(self.framed(self.keep(&body, room), truncated))
    }

    /// Tokens of its own that a text of `limit` tokens has.
    pub(super) fn room(&self, limit: usize) -> Result<usize> {
        let added = self.frame.len();
        limit.checked_sub(added).filter(|&room| room > 0).ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidOption,
                format!(
                    "Expected more than {added} for maxLength, which the special tokens take, but received {limit}"
                ),
            )
        })
    }

    /// The text of these tokens of its own, with the special tokens.
    pub(super) fn framed(&self, body: &[u32], truncated: bool) -> Item {
        if self.frame.plain() {
            return Item { ids: self.frame.wrap_ids(body), type_ids: None, truncated };
        }
        let (ids, types) = self.frame.wrap(body);
        Item { ids: ids.into(), type_ids: Some(types.into()), truncated }
    }

    /// The item of [`encode`](Self::encode) where all of `text` fits into `limit` tokens, which is seen without reading
    /// more of a long text than that; `None` where it does not fit, and for a text of more than 1 MiB.
    pub(super) fn encode_fitting(&self, text: &str, limit: usize) -> Result<Option<Item>> {
        let room = self.room(limit)?;
        if text.len() > most_bytes(self.first_try(room)) {
            return Ok(None);
        }
        let (body, more) =
            self.guarded(text, |text| self.read(text, room, Overflow::Truncate, Side::Right))?;
        Ok((!more).then(|| self.framed(&body, false)))
    }

    /// The ids of `text` without the special tokens that stand around a text, cut to `limit`, and whether it was
    /// cut. Errors as those of [`encode`](Self::encode).
    pub fn encode_bare(&self, text: &str, limit: usize, overflow: Overflow) -> Result<(Vec<u32>, bool)> {
        if limit == 0 {
            return Err(Error::new(
                ErrorKind::InvalidOption,
                "Expected a positive integer for maxLength but received 0",
            ));
        }
        let (body, truncated) = self.body(text, limit, overflow)?;
        if truncated && overflow == Overflow::Error {
            return Err(too_long(body.len(), limit, ""));
        }
        Ok((self.keep(&body, limit).to_vec(), truncated))
    }

    /// The end of `ids` that stays when there is room for `room`.
    pub(super) fn keep<'a>(&self, ids: &'a [u32], room: usize) -> &'a [u32] {
        match self.truncation {
            Side::Right => &ids[..room.min(ids.len())],
            Side::Left => &ids[ids.len().saturating_sub(room)..],
        }
    }

    /// The text's own tokens: all of them, or more than `room` at the end that is kept. The flag tells whether
    /// there are more than `room`.
    pub(super) fn body(&self, text: &str, room: usize, overflow: Overflow) -> Result<(Vec<u32>, bool)> {
        self.guarded(text, |text| self.read(text, room, overflow, self.truncation))
    }

    /// Has `read` look at the text as the tokenizer is given it.
    pub(super) fn guarded<T>(&self, text: &str, read: impl FnOnce(&str) -> Result<T>) -> Result<T> {
        // sentence-transformers lowercases before the tokenizer, special tokens included.
        let text = if self.lowercase { Cow::Owned(text.to_lowercase()) } else { Cow::Borrowed(text) };
        // The library panics where its invariants break, which a text must not turn into a crash.
        quiet::catch(|| read(&text))
            .map_err(|_| Error::new(ErrorKind::Internal, "the tokenizer panicked on this text"))?
    }

    /// Bytes of a text that are given to the tokenizer first, where there is room for `room` tokens.
    fn first_try(&self, room: usize) -> usize {
        room.saturating_add(1).saturating_mul(BYTES_PER_TOKEN).saturating_add(SLACK + self.margin)
    }

    fn read(&self, text: &str, room: usize, overflow: Overflow, side: Side) -> Result<(Vec<u32>, bool)> {
        let enough = room.saturating_add(1);
        let first = self.first_try(room);
        let most = most_bytes(first);
        if side == Side::Right {
            let mut target = first;
            while target < text.len() && target <= most {
                if let Some(end) = cut_before(text, target) {
                    let ids = self.settled(&text[..end], enough)?;
                    if ids.len() >= enough {
                        if overflow == Overflow::Error {
                            return Err(too_long(
                                room + self.frame.len(),
                                room + self.frame.len(),
                                "more than ",
                            ));
                        }
                        return Ok((ids, true));
                    }
                }
                target = target.saturating_mul(GROWTH);
            }
        }
        if text.len() > most {
            if overflow == Overflow::Truncate {
                let pieces = self.pieces(end_of(text, most, side), Some(enough), side)?;
                return Ok((ids(&pieces), true));
            }
            return Err(Error::new(
                ErrorKind::InputTooLong,
                format!(
                    "the text has {} bytes; of texts that do not fill the limit from their beginning at most \
                     {most} are tokenised, so its tokens cannot be counted: choose overflow 'truncate', or cut it before",
                    text.len()
                ),
            ));
        }
        // Counting how much too long a text is needs all of it.
        let limit = (overflow == Overflow::Truncate).then_some(enough);
        let pieces = self.pieces(text, limit, side)?;
        let ids = ids(&pieces);
        let more = ids.len() > room;
        Ok((ids, more))
    }

    /// Tokens of a prefix that no continuation can change: those of the pieces that end well before its end.
    fn settled(&self, prefix: &str, enough: usize) -> Result<Vec<u32>> {
        let last = prefix.len().saturating_sub(self.margin);
        let pieces = self.pieces(prefix, Some(enough), Side::Right)?;
        let splits = pieces.get_splits(OffsetReferential::Original, OffsetType::None);
        let settled = splits.iter().take_while(|split| split.1.1 <= last);
        Ok(settled.filter_map(|split| split.2.as_ref()).flatten().map(|token| token.id).collect())
    }

    /// Normalised, pre-tokenised and tokenised; with a limit, pieces beyond it are left out, seen
    /// from the end that is kept.
    pub(super) fn pieces(&self, text: &str, limit: Option<usize>, side: Side) -> Result<PreTokenizedString> {
        let inner = &self.inner;
        let direction = match side {
            Side::Left => TruncationDirection::Left,
            Side::Right => TruncationDirection::Right,
        };
        let mut pieces = inner.get_added_vocabulary().extract_and_normalize(inner.get_normalizer(), text);
        if let Some(pre_tokenizer) = inner.get_pre_tokenizer() {
            pre_tokenizer.pre_tokenize(&mut pieces).map_err(|error| unusable(&*error))?;
        }
        inner
            .get_model()
            .tokenize_in_pretokenized(&mut pieces, limit.map(|limit| (limit, direction)))
            .map_err(|error| unusable(&*error))?;
        Ok(pieces)
    }
}

/// The ids of all pieces.
pub(super) fn ids(pieces: &PreTokenizedString) -> Vec<u32> {
    let splits = pieces.get_splits(OffsetReferential::Original, OffsetType::None);
    splits.iter().filter_map(|split| split.2.as_ref()).flatten().map(|token| token.id).collect()
}

/// About `bytes` bytes of `text` at the end that is kept when the other end, `side`, is cut off; between words where there is a place.
fn end_of(text: &str, bytes: usize, side: Side) -> &str {
    match side {
        Side::Right => &text[..cut_before(text, bytes).unwrap_or_else(|| text.floor_char_boundary(bytes))],
        Side::Left => {
            let target = text.len() - bytes;
            &text[cut_before(text, target).unwrap_or_else(|| text.ceil_char_boundary(target))..]
        }
    }
}

/// Bytes that are given to the tokenizer at once at the most, where `first` are needed for the limit.
fn most_bytes(first: usize) -> usize {
    first.max(MOST_BYTES)
}

pub(super) fn too_long(tokens: usize, limit: usize, more: &str) -> Error {
    Error::new(
        ErrorKind::InputTooLong,
        format!("the text has {more}{tokens} tokens, special tokens included, and the limit is {limit}"),
    )
}

pub(super) fn unusable(error: &(dyn std::error::Error + Send + Sync)) -> Error {
    Error::new(ErrorKind::ModelInvalid, format!("the model's tokenizer cannot encode this text: {error}"))
}
