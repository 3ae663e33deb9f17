//! Text preparation that needs no model: cutting, later cleaning, sentences, chunks.
//!
//! Pure functions over `str`. Tokenizers live in `millrace-core`; nothing here knows what a token is.

mod cut;

pub use cut::cut_before;
