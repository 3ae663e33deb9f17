//! Image decoders that are written in C, behind calls that cannot go wrong for their caller, and a faster path in Rust for
//! the JPEGs that most people have.
//!
//! [`jpeg`] is libjpeg-turbo's decoder, whose pixels are Pillow's, and [`webp`] is libwebp's.
//!
//! This crate knows bytes and pixels only: no limits of its own choice, no orientation, no conversion to a model's colours.
//! It is the only crate that calls C for images, and the only one of them with `unsafe`.

mod error;
pub mod jpeg;
mod libjpeg;
pub mod webp;

pub use error::DecodeError;
