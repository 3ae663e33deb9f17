//! The arithmetic of encoders: products with packed weights, norms, activations and attention, written for the instructions
//! that the CPU has.
//!
//! This crate knows nothing of models, files, threads or other crates of millrace. It computes on slices that its caller owns,
//! on the calling thread. Each function checks its slices' lengths once, at its start, and panics when they do not fit: a
//! length that does not fit is a defect of the caller, never of a user's data.
//!
//! **Same numbers everywhere.** Sums of integers are exact, so they are equal at every [`Level`]. Floating-point work is written
//! once, over sixteen lanes ([`simd::Lanes`]), with one order of sums: lane by lane, then a fixed tree over the lanes. A level
//! only says how sixteen lanes lie in registers, so floats are equal bit by bit at every level too, and an element's value
//! depends on its own row and column alone, never on the tile, the block or the thread that computed it.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    reason = "the ranges are checked where packing and quantising begin, and lanes hold i32, f32 and bytes side by side"
)]
#![expect(
    clippy::inline_always,
    reason = "what is not inlined into a function compiled for a level is compiled without the level's instructions"
)]
#![expect(clippy::many_single_char_names, reason = "a, b, c, k, m and n are the usual names of products")]

mod attention;
mod buffer;
mod dispatch;
mod epilogue;
mod float;
mod integer;
mod level;
mod math;
mod norm;
mod quantize;
mod simd;

pub use attention::{AttentionScratch, Heads, Span};
pub use buffer::{Aligned, Element};
pub use epilogue::{Then, ranges_for};
pub use float::PackedF32;
pub use integer::{PackedI8, Quantized, deepest_product};
pub use level::{Level, UnknownLevel};
pub use math::Activation;
pub use norm::Norm;
pub use quantize::quantize_channels;
