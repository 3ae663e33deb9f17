//! Tokens back to words: pieces that continue a word are glued to it.

/// A word and the positions of its tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) positions: Vec<usize>,
}

/// Puts pieces together, in order; `prefix` marks those that continue a word.
///
/// A piece that is nothing but the prefix adds its position and no text, and a text that begins with a
/// continuation begins with a word all the same.
pub(super) fn glue(pieces: impl IntoIterator<Item = (usize, String)>, prefix: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut text = String::new();
    let mut positions = Vec::new();
    for (position, piece) in pieces {
        if let Some(rest) = piece.strip_prefix(prefix) {
            text.push_str(rest);
        } else {
            if !text.is_empty() {
                words.push(Word {
                    text: std::mem::take(&mut text),
                    positions: std::mem::take(&mut positions),
                });
            }
            text = piece;
        }
        positions.push(position);
    }
    if !text.is_empty() {
        words.push(Word { text, positions });
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glued(pieces: &[&str]) -> Vec<(String, Vec<usize>)> {
        let pieces = pieces.iter().enumerate().map(|(at, piece)| (at, (*piece).to_owned()));
        glue(pieces, "##").into_iter().map(|word| (word.text, word.positions)).collect()
    }

    #[test]
    fn continuations_belong_to_the_word_before() {
        let words = glued(&["em", "##bed", "##ding", "is", "##n"]);
        assert_eq!(words, [("embedding".to_owned(), vec![0, 1, 2]), ("isn".to_owned(), vec![3, 4])]);
        assert_eq!(glued(&["##sub", "a"]), [("sub".to_owned(), vec![0]), ("a".to_owned(), vec![1])]);
        assert_eq!(glued(&["##", "a"]), [("a".to_owned(), vec![0, 1])]);
        assert_eq!(glued(&[]), []);
    }
}
