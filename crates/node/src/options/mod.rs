//! Options as JavaScript gives them, converted once into the core's. TypeScript has checked their values.

mod call;
mod model;
mod names;

pub(crate) use call::image_limits;
pub use call::{NativeCountOptions, NativeJobOptions};
pub use model::{NativeBm25Options, NativeModelOptions};
pub(crate) use names::{dtype, dtype_name, pooling_name, quantization_name};

use millrace_contract::{Error, ErrorKind, Result};

/// The error of a word that an option does not know. TypeScript has checked the words of users, so this is for callers of the addon itself.
pub(crate) fn unknown<T>(name: &str, value: &str, expected: &str) -> Result<T> {
    let message = format!("Expected {expected} for {name} but received '{value}'");
    Err(Error::new(ErrorKind::InvalidOption, message))
}

pub(crate) fn size(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

/// Bytes and the like, which JavaScript has as a double. TypeScript has checked that it is a whole number from 0.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates, as is wanted")]
pub(crate) fn whole(value: f64) -> u64 {
    value as u64
}
