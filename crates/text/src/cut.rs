//! Where a text may be cut without changing the words before the cut.

/// Where to cut a prefix of about `target` bytes: before a blank that follows a word, so that no word, no
/// added token and no run of blanks is cut; failing that, between any two characters that are no blanks.
/// A text that is no longer is kept whole. `None` when the second half of the prefix has neither.
pub fn cut_before(text: &str, target: usize) -> Option<usize> {
    if target >= text.len() {
        return Some(text.len());
    }
    let end = text.floor_char_boundary(target);
    let half = text.floor_char_boundary(target / 2);
    let mut after_blank = text[end..].chars().next().is_some_and(char::is_whitespace);
    let mut between = None;
    let mut at = end;
    for character in text[half..end].chars().rev() {
        let blank = character.is_whitespace();
        if !blank && after_blank {
            return Some(at);
        }
        if !blank && between.is_none() {
            between = Some(at);
        }
        after_blank = blank;
        at -= character.len_utf8();
    }
    between
}

#[cfg(test)]
mod tests {
    use super::cut_before;

    #[test]
    fn cuts_after_a_whole_word() {
        let text = "one two three";
        assert_eq!(cut_before(text, 9).map(|at| &text[..at]), Some("one two"));
        assert_eq!(cut_before(text, 7).map(|at| &text[..at]), Some("one two"), "a blank follows");
    }

    #[test]
    fn never_cuts_a_run_of_blanks() {
        let text = "one      two";
        assert_eq!(cut_before(text, 6).map(|at| &text[..at]), None, "the second half is blank");
    }

    #[test]
    fn cuts_a_long_word_between_characters() {
        let text = "\u{e4}".repeat(50);
        let at = cut_before(&text, 31).expect("characters everywhere");
        assert_eq!(at, 30, "not inside a character");
        assert!(text.is_char_boundary(at));
    }

    #[test]
    fn a_target_past_the_end_is_the_end() {
        assert_eq!(cut_before("word", 100), Some(4));
        assert_eq!(cut_before("", 100), Some(0));
    }
}
