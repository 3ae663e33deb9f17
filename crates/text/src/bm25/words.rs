//! A text's words: runs of letters, numbers and underscores, as Python's regular expressions see them.
//!
//! That is the general categories L and N and the underscore. Combining marks are no part of a word here, so Hindi, Tamil or
//! pointed Arabic words break at them; `\w` of other libraries takes marks in and leaves "½" or "²" out.

use std::sync::LazyLock;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// Code points that the table below covers: the basic plane, where nearly all text is.
const TABLE: usize = 0x1_0000;

/// One bit a code point of the basic plane, 8 KB: a binary search a character would cost more than the stemmer.
static BASIC: LazyLock<Box<[u64]>> = LazyLock::new(|| {
    let mut bits = vec![0u64; TABLE / 64];
    for code in 0..TABLE {
        let letter = u32::try_from(code).ok().and_then(char::from_u32).is_some_and(look_up);
        bits[code / 64] |= u64::from(letter) << (code % 64);
    }
    bits.into()
});

fn look_up(character: char) -> bool {
    character == '_'
        || matches!(
            character.general_category_group(),
            GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number
        )
}

/// Whether a word may have this character.
#[must_use]
pub fn is_word_char(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_alphanumeric() || character == '_';
    }
    let code = character as usize;
    match BASIC.get(code / 64) {
        Some(bits) => bits >> (code % 64) & 1 == 1,
        None => look_up(character),
    }
}

/// The words of `text`, as they are written.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character| !is_word_char(character)).filter(|word| !word.is_empty())
}

/// What a byte of a text is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Byte {
    Between,
    Lower,
    Upper,
    /// Of a character beyond ASCII.
    Other,
}

const BYTES: [Byte; 256] = {
    let mut bytes = [Byte::Other; 256];
    let mut at: u8 = 0;
    while at < 128 {
        bytes[at as usize] = match at {
            b'A'..=b'Z' => Byte::Upper,
            b'a'..=b'z' | b'0'..=b'9' | b'_' => Byte::Lower,
            _ => Byte::Between,
        };
        at += 1;
    }
    bytes
};

/// Hands every word of `text` to `put`, in lower case.
///
/// Lower case can bring a combining mark ("İ" becomes "i" and a dot above), which then ends a word too.
pub fn lower_words(text: &str, mut put: impl FnMut(&str)) {
    let mut lower = String::new();
    let mut start = 0;
    while start < text.len() {
        // A run of ASCII, which is most of most texts, goes byte by byte.
        let (mut upper, mut stop) = (false, None);
        for (at, &byte) in text.as_bytes()[start..].iter().enumerate() {
            match BYTES[usize::from(byte)] {
                Byte::Lower => {}
                Byte::Upper => upper = true,
                kind @ (Byte::Between | Byte::Other) => {
                    stop = Some((start + at, kind));
                    break;
                }
            }
        }
        let (mut end, kind) = stop.unwrap_or((text.len(), Byte::Between));
        if kind == Byte::Other {
            let rest = &text[end..];
            let length = rest.find(|character| !is_word_char(character)).unwrap_or(rest.len());
            end += length;
            // Only here the whole word counts: "Σ" at its end becomes "ς".
            words(&text[start..end].to_lowercase()).for_each(&mut put);
        } else if upper {
            lower.clear();
            lower.push_str(&text[start..end]);
            lower.make_ascii_lowercase();
            put(&lower);
        } else if start < end {
            put(&text[start..end]);
        }
        // Past the character that ended the word.
        start = end + text[end..].chars().next().map_or(0, char::len_utf8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lower(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        lower_words(text, |word| found.push(word.to_owned()));
        found
    }

    #[test]
    fn letters_numbers_and_underscores_are_words() {
        for inside in ['a', 'Z', '9', '_', 'é', '½', '²', 'Ⅷ', '①', 'ß', 'ク', '语', 'ʰ', '𝔘', '٣']
        {
            assert!(is_word_char(inside), "{inside}");
        }
        for outside in [
            ' ', '\0', '-', '\'', '\u{301}', '\u{94d}', '\u{bbe}', 'ⓐ', '‿', '\u{200d}', '👩', '\u{ad}',
            '\u{e000}',
        ] {
            assert!(!is_word_char(outside), "{outside:?}");
        }
    }

    #[test]
    fn the_table_says_what_the_lookup_says() {
        for character in ('\0'..=char::MAX).step_by(7) {
            assert_eq!(is_word_char(character), look_up(character), "{character:?}");
        }
    }

    #[test]
    fn words_are_the_runs_of_word_characters() {
        let text = "abc DEF gHi aé Éa é1 ß_½ 日本語 x\u{301}y - a\u{200d}b \u{301} İ ΑΣ. _ end";
        let simple = |text: &str| {
            let lower = words(text).map(str::to_lowercase).collect::<Vec<_>>().join(" ");
            words(&lower).map(str::to_owned).collect::<Vec<_>>()
        };
        // Every piece, so that words begin and end at the text's ends too.
        let ends: Vec<usize> = (0..=text.len()).filter(|&at| text.is_char_boundary(at)).collect();
        for (at, &start) in ends.iter().enumerate() {
            for &end in &ends[at..] {
                assert_eq!(lower(&text[start..end]), simple(&text[start..end]), "{:?}", &text[start..end]);
            }
        }
    }

    #[test]
    fn words_break_at_marks_and_at_what_lower_case_brings() {
        assert_eq!(lower("Don't STOP e\u{301}f"), ["don", "t", "stop", "e", "f"]);
        assert_eq!(lower("İSTANBUL ΣΊΣΥΦΟΣ Σ."), ["i", "stanbul", "σίσυφος", "σ"]);
        assert_eq!(lower("naïve x²y"), ["naïve", "x²y"]);
    }
}
