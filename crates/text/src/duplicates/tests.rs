use super::{Duplicate, Finder, NEAR_DUPLICATE, mark_duplicates, shingles::shingles, similarity};
use proptest::prelude::*;

/// A text of `len` words, the `changed`th replaced.
fn words(len: usize, changed: Option<usize>) -> String {
    let word = |at| if changed == Some(at) { "changed".to_owned() } else { format!("word{at}") };
    (0..len).map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn equal_texts_are_exact_duplicates_of_the_first() {
    let marks = mark_duplicates(&["a b", "c", "a b", "a b "], None);
    assert_eq!(marks, [None, None, Some(Duplicate { of: 0, similarity: 1.0, exact: true }), None]);
}

#[test]
fn near_duplicates_are_similar_ones() {
    let texts =
        [words(100, None), words(100, Some(50)), words(10, None), words(10, Some(5)), words(100, Some(50))];
    let marks = mark_duplicates(&texts, Some(NEAR_DUPLICATE));
    // One word of a hundred is in three of 98 triples: 95 in both, 101 in either.
    let near = Some(Duplicate { of: 0, similarity: 95.0 / 101.0, exact: false });
    assert_eq!(marks, [None, near, None, None, near], "the last equals a near duplicate");
}

#[test]
fn case_and_punctuation_make_no_difference() {
    let marks = mark_duplicates(&["One, two: THREE four!", "one two three four", "...", "---"], Some(1.0));
    assert_eq!(marks[1], Some(Duplicate { of: 0, similarity: 1.0, exact: false }));
    assert_eq!(marks[2..], [None, None], "nothing to compare");
}

#[test]
fn characters_are_words_where_there_are_no_spaces() {
    let text =
        "\u{4eca}\u{5929}\u{5929}\u{6c14}\u{5f88}\u{597d}\u{6211}\u{4eec}\u{53bb}\u{516c}\u{56ed}\u{73a9}";
    assert_eq!(shingles(text).len(), 10);
}

/// One in six near duplicates stands for all: of 400 pairs just above the threshold none is missed.
#[test]
fn pairs_above_the_threshold_are_found() {
    // Words 0 to 39 of both texts are the same: 38 triples in both, 46 in either.
    let text = |set: usize, end: char| {
        let shared = (0..40).map(|word| format!("s{set}w{word}"));
        let own = (0..4).map(|word| format!("{end}{set}w{word}"));
        shared.chain(own).collect::<Vec<_>>().join(" ")
    };
    let texts: Vec<String> = (0..400).flat_map(|set| [text(set, 'a'), text(set, 'b')]).collect();
    let marks = mark_duplicates(&texts, Some(NEAR_DUPLICATE));
    for (pair, marks) in marks.chunks(2).enumerate() {
        let of = 2 * pair;
        assert_eq!(marks, [None, Some(Duplicate { of, similarity: 38.0 / 46.0, exact: false })]);
    }
}

proptest! {
    /// However texts are sliced, a finder gives the marks of all of them together.
    #[test]
    fn finders_do_not_depend_on_slices(
        texts in proptest::collection::vec("[abc]( [abc]){0,5}", 0..40),
        near in proptest::option::of(0.05..1.0_f64),
        slice in 1..8_usize,
    ) {
        let mut finder = Finder::new(near);
        let marks: Vec<_> = texts.chunks(slice).flat_map(|some| finder.add(some)).collect();
        prop_assert_eq!(marks, mark_duplicates(&texts, near));
        prop_assert_eq!(finder.len(), texts.len());
    }

    /// Marks point at earlier texts that have none, and say the similarity that two sets have.
    #[test]
    fn marks_can_be_followed(texts in proptest::collection::vec("[abc]( [abc]){0,5}", 0..40), near in 0.05..1.0_f64) {
        let marks = mark_duplicates(&texts, Some(near));
        for (at, mark) in marks.iter().enumerate() {
            let Some(mark) = mark else { continue };
            prop_assert!(mark.of < at && marks[mark.of].is_none());
            prop_assert_eq!(mark.exact, texts[mark.of] == texts[at]);
            let counted = similarity(&shingles(&texts[mark.of]), &shingles(&texts[at]));
            prop_assert!(mark.exact || (mark.similarity >= near && (mark.similarity - counted).abs() < 1e-12));
        }
    }
}
