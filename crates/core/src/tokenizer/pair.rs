//! Two texts to one row of token ids, the longer one cut first.
//!
//! As for single texts, the special tokens are learned once, and a text is tokenised only as far as the limit needs. Only where
//! both texts exceed the room are they read on, because which of them is the longer one decides who keeps an odd token.

use super::{
    Item, Overflow, Side, Tokenizer,
    encode::{MOST_BYTES, ids, too_long},
    frame::{PROBE, post_processed},
};
use millrace_contract::{Error, ErrorKind, Result};

/// What stands before, between and after the texts of a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PairFrame {
    before: Vec<(u32, u32)>,
    between: Vec<(u32, u32)>,
    after: Vec<(u32, u32)>,
    /// Token type ids of the texts' own tokens.
    type_ids: [u32; 2],
}

/// Ids of the second text, as unheard of as those of the first.
const SECOND: [u32; 3] = [u32::MAX - 5, u32::MAX - 4, u32::MAX - 3];

impl PairFrame {
    /// Post-processes made-up pairs of several lengths; all have to get the same frame.
    fn of(tokenizer: &tokenizers::Tokenizer) -> Result<Self, String> {
        let frame = Self::around(tokenizer)?;
        for (first, second) in [(1, 3), (3, 0), (0, 1), (0, 0)] {
            let (first, second) = (&PROBE[..first], &SECOND[..second]);
            if frame.wrap(first, second) != post_processed(tokenizer, first, Some(second))? {
                return Err("the post_processor adds different tokens to different pairs of texts".to_owned());
            }
        }
        Ok(frame)
    }

    fn around(tokenizer: &tokenizers::Tokenizer) -> Result<Self, String> {
        let (ids, types) = post_processed(tokenizer, &PROBE, Some(&SECOND))?;
        let find = |probe: &[u32]| {
            ids.windows(probe.len())
                .position(|window| window == probe)
                .ok_or("the post_processor changes the tokens of a pair of texts")
        };
        let (first, second) = (find(&PROBE)?, find(&SECOND)?);
        let pairs: Vec<(u32, u32)> = ids.iter().copied().zip(types).collect();
        let between = pairs.get(first + PROBE.len()..second);
        let between = between.ok_or("the post_processor puts the second text of a pair first")?;
        Ok(Self {
            before: pairs[..first].to_vec(),
            between: between.to_vec(),
            after: pairs[second + SECOND.len()..].to_vec(),
            type_ids: [pairs[first].1, pairs[second].1],
        })
    }

    fn len(&self) -> usize {
        self.before.len() + self.between.len() + self.after.len()
    }

    fn wrap(&self, first: &[u32], second: &[u32]) -> (Vec<u32>, Vec<u32>) {
        let own = |ids: &[u32], type_id| ids.iter().map(move |&id| (id, type_id)).collect::<Vec<_>>();
        let (first, second) = (own(first, self.type_ids[0]), own(second, self.type_ids[1]));
        [&self.before, &first, &self.between, &second, &self.after].into_iter().flatten().copied().unzip()
    }
}

impl Tokenizer {
    /// Special tokens added to each pair of texts. A limit has to be larger. Fails with
    /// [`ErrorKind::ModelInvalid`] for a tokenizer that cannot join two texts.
    pub fn pair_added_tokens(&self) -> Result<usize> {
        Ok(self.pair_frame()?.len())
    }

    /// Tokenises two texts into one row of at most `limit` tokens, special tokens included, with the token type
    /// ids that tell them apart. Tokens are taken from the longer text until both are of one length, then from
    /// both.
    ///
    /// Errors as those of [`encode`](Self::encode).
    pub fn encode_pair(&self, first: &str, second: &str, limit: usize, overflow: Overflow) -> Result<Item> {
        let frame = self.pair_frame()?;
        let added = frame.len();
        let room = limit.checked_sub(added).filter(|&room| room > 0).ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidOption,
                format!(
                    "Expected more than {added} for maxLength, which the special tokens of a pair take, but \
                     received {limit}"
                ),
            )
        })?;
        let (first_ids, first_more) = self.body(first, room, Overflow::Truncate)?;
        let (second_ids, second_more) = self.body(second, room, Overflow::Truncate)?;
        let mut lengths = [first_ids.len(), second_ids.len()];
        let total = first_ids.len().saturating_add(second_ids.len());
        // A text that was not read to its end is cut, however few tokens its beginning has.
        let truncated = total > room || first_more || second_more;
        if truncated && overflow == Overflow::Error {
            let more = if first_more || second_more { "more than " } else { "" };
            return Err(too_long(if more.is_empty() { total + added } else { limit }, limit, more));
        }
        if first_more && second_more && room % 2 == 1 {
            // Each was read to just beyond the room, so what was read does not tell which one is longer. Without the whole lengths
            // the odd token would go to the wrong text, and the score would be another one.
            lengths = [self.whole_len(first)?, self.whole_len(second)?];
        }
        let [keep_first, keep_second] = shares(lengths, room);
        let (ids, types) = frame.wrap(self.keep(&first_ids, keep_first), self.keep(&second_ids, keep_second));
        let type_ids = types.iter().any(|&id| id != 0).then(|| types.into());
        Ok(Item { ids: ids.into(), type_ids, truncated })
    }

    /// Tokens that all of `text` has, without special tokens.
    ///
    /// Texts of more than [`MOST_BYTES`] are counted in blocks of that size, so that memory stays bounded. A block's cut can change the
    /// count by a token, which only matters between two texts of a megabyte whose lengths differ by less.
    fn whole_len(&self, text: &str) -> Result<usize> {
        self.guarded(text, |mut text| {
            let mut count = 0;
            while !text.is_empty() {
                let end =
                    if text.len() > MOST_BYTES { text.floor_char_boundary(MOST_BYTES) } else { text.len() };
                let (block, rest) = text.split_at(end);
                count += ids(&self.pieces(block, None, Side::Right)?).len();
                text = rest;
            }
            Ok(count)
        })
    }

    fn pair_frame(&self) -> Result<&PairFrame> {
        self.pair
            .get_or_init(|| PairFrame::of(&self.inner))
            .as_ref()
            .map_err(|why| Error::new(ErrorKind::ModelInvalid, format!("tokenizer.json: {why}")))
    }
}

/// How many tokens of texts of `lengths` stay where `room` fit in all.
fn shares(lengths: [usize; 2], room: usize) -> [usize; 2] {
    let [first, second] = lengths;
    if first.saturating_add(second) <= room {
        return lengths;
    }
    let short = first.min(second).min(room / 2);
    let long = room - short;
    if first > second { [long, short] } else { [short, long] }
}

#[cfg(test)]
mod tests {
    use super::shares;

    #[test]
    fn the_longer_text_is_cut_first() {
        assert_eq!(shares([3, 4], 7), [3, 4]);
        assert_eq!(shares([3, 9], 7), [3, 4]);
        assert_eq!(shares([9, 3], 7), [4, 3]);
        assert_eq!(shares([0, 9], 7), [0, 7]);
        assert_eq!(shares([9, 8], 7), [4, 3]);
        assert_eq!(shares([8, 8], 7), [3, 4]);
        assert_eq!(shares([8, 9], 8), [4, 4]);
    }
}
