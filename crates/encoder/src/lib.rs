//! The engine of post-norm encoders (BERT and its kin) on millrace's own kernels.
//!
//! An ONNX file is read in place, its graph is followed from inputs to outputs, and either all of it is understood or it is declined
//! with a reason; whoever loads models then leaves it to another backend. What is taken runs packed: texts of a batch lie end to end,
//! so that padding costs nothing and a text's numbers do not depend on its batch-mates, on the number of threads, or on the
//! instructions in use.
//!
//! This crate knows the contract and the kernels. It knows nothing of ONNX Runtime, tokenizers, threads or Node.

#![expect(
    clippy::similar_names,
    clippy::many_single_char_names,
    reason = "a, b, x and y are what graphs call the sides of an operation, and axis and axes are both ONNX's words"
)]
#![expect(clippy::float_cmp, reason = "a constant of a graph is that number or it is another")]
#![expect(
    clippy::unused_self,
    clippy::needless_pass_by_value,
    clippy::match_same_arms,
    reason = "each operation of a graph is a method of one shape, whether or not it needs all of it"
)]
#![expect(clippy::too_many_lines, reason = "a match over operations is a table")]

mod backend;
mod embed;
mod follow;
mod layers;
mod onnx;
mod packed;
mod plan;
mod run;
mod smooth;
mod texts;

pub use backend::{Encoder, EncoderOptions, Smooth, Taken};
pub use follow::Declined;
pub use millrace_kernels::Level;
pub use packed::Precision;
pub use smooth::{SENTENCES, Smoothing};
