//! Texts: real package descriptions, and sets of known length distributions made of their words.

use crate::Result;
use flate2::read::GzDecoder;
use millrace_core::tokenizer::{Overflow, Tokenizer};
use serde::Deserialize;
use std::{
    collections::BTreeSet,
    fs::File,
    io::{BufReader, Read},
    path::{Path, PathBuf},
};

/// Longest text in tokens, in every comparison.
pub const LIMIT: usize = 256;

/// A file of lines `{"title": "...", "text": "..."}` to take instead of the repository's examples.
pub const CORPUS_VARIABLE: &str = "MILLRACE_BENCH_CORPUS";

#[derive(Deserialize)]
struct Line {
    title: String,
    text: String,
}

/// Real texts.
pub struct Corpus {
    /// One-line summaries, about 12 tokens.
    pub titles: Vec<String>,
    /// Descriptions, about 80 tokens with a heavy tail.
    pub texts: Vec<String>,
}

/// The folder of the repository.
#[must_use]
pub fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Reads the example texts, or the file that [`CORPUS_VARIABLE`] names.
pub fn corpus() -> Result<Corpus> {
    let path = std::env::var_os(CORPUS_VARIABLE)
        .map_or_else(|| root().join("examples").join("packages.jsonl.gz"), PathBuf::from);
    let content = read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut corpus = Corpus { titles: Vec::new(), texts: Vec::new() };
    for line in content.lines() {
        let Line { title, text } = serde_json::from_str(line)?;
        corpus.titles.push(title);
        corpus.texts.push(text);
    }
    Ok(corpus)
}

/// The whole of a text file, which may be compressed.
fn read(path: &Path) -> std::io::Result<String> {
    let file = File::open(path)?;
    let mut content = String::new();
    if path.extension().is_some_and(|extension| extension == "gz") {
        GzDecoder::new(file).read_to_string(&mut content)?;
    } else {
        BufReader::new(file).read_to_string(&mut content)?;
    }
    Ok(content)
}

/// A repeatable stream of numbers (splitmix64): the sets must not change between runs.
pub struct Random(u64);

impl Random {
    /// The stream of `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`, which must not be 0.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % bound as u64).unwrap_or(0)
    }
}

/// A distribution of lengths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lengths {
    /// Every length from 8 to the limit alike.
    Uniform,
    /// Four of five texts about 16 tokens, the fifth about 224: chat beside documents.
    Bimodal,
    /// The corpus as it is.
    HeavyTail,
    /// The corpus' titles.
    Short,
}

impl Lengths {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Uniform, Self::Bimodal, Self::HeavyTail, Self::Short];

    /// Its name in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Bimodal => "bimodal",
            Self::HeavyTail => "heavy-tail",
            Self::Short => "short",
        }
    }

    /// One length in tokens; for sets that are not taken from the corpus.
    fn draw(self, random: &mut Random) -> usize {
        match self {
            Self::Uniform => 8 + random.below(LIMIT - 7),
            Self::Bimodal if random.below(5) < 4 => 8 + random.below(17),
            Self::Bimodal | Self::HeavyTail | Self::Short => 192 + random.below(65),
        }
    }
}

/// About `tokens` tokens of texts of this distribution, in random order.
pub fn set(lengths: Lengths, tokens: usize, corpus: &Corpus, tokenizer: &Tokenizer) -> Result<Vec<String>> {
    let mut random = Random::new(7);
    let mut left = tokens;
    let mut texts = Vec::new();
    let source = match lengths {
        Lengths::HeavyTail => &corpus.texts,
        Lengths::Short => &corpus.titles,
        Lengths::Uniform | Lengths::Bimodal => {
            let mut words = Words::new(corpus, tokenizer);
            while left > 0 {
                let wanted = lengths.draw(&mut random);
                texts.push(words.take(wanted)?);
                left = left.saturating_sub(wanted);
            }
            return Ok(texts);
        }
    };
    // Without repetition as long as there are texts left: equal texts would flatter every cache.
    let mut unused: BTreeSet<usize> = (0..source.len()).collect();
    while left > 0 {
        let start = random.below(source.len());
        let Some(at) = unused.range(start..).next().or_else(|| unused.first()).copied() else {
            unused = (0..source.len()).collect();
            continue;
        };
        unused.remove(&at);
        left = left.saturating_sub(tokenizer.count(&source[at], LIMIT)?);
        texts.push(source[at].clone());
    }
    Ok(texts)
}

/// The corpus as an endless row of words.
struct Words<'a> {
    all: Vec<&'a str>,
    at: usize,
    tokenizer: &'a Tokenizer,
}

impl<'a> Words<'a> {
    fn new(corpus: &'a Corpus, tokenizer: &'a Tokenizer) -> Self {
        let all = corpus.texts.iter().flat_map(|text| text.split_whitespace()).collect();
        Self { all, at: 0, tokenizer }
    }

    /// The next words that have `tokens` tokens, special tokens included; the last word may be cut by the limit.
    fn take(&mut self, tokens: usize) -> Result<String> {
        let added = self.tokenizer.added_tokens();
        let mut count = added;
        let mut text = String::new();
        while count < tokens {
            let word = self.all[self.at % self.all.len()];
            self.at += 1;
            // Tokens of a word do not depend on its neighbours in a BERT tokenizer.
            let more = self.tokenizer.encode(word, LIMIT, Overflow::Truncate)?.len() - added;
            if count + more > tokens && count > added {
                break;
            }
            count += more;
            text.push_str(word);
            text.push(' ');
        }
        Ok(text)
    }
}
