//! What families of texts have in common: what a text is to a search, and what it weighs before it is tokenised.

/// Bytes that a token stands for at the least, in the long run: what an unprepared text weighs in the window errs on
/// the heavy side.
const BYTES_PER_TOKEN: usize = 3;

/// What a text is embedded as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Role {
    /// Something to be found.
    #[default]
    Document,
    /// Something to find documents with.
    Query,
}

/// Tokens that `bytes` of text come to, rather too many than too few.
pub(crate) fn tokens_of_bytes(bytes: usize) -> usize {
    bytes / BYTES_PER_TOKEN
}

/// What a text of `bytes` bytes weighs in the window before it is tokenised, where `added` special tokens come to its own.
pub(crate) fn text_cost(bytes: usize, added: usize) -> usize {
    tokens_of_bytes(bytes) + added + 1
}
