//! What the tests over the golden files share: reading cases, running a family over the real runtime, comparing.
//!
//! Only tests use it, so everything here panics with a message instead of failing.

#![expect(clippy::missing_panics_doc, reason = "a failed expectation is how these functions answer")]

mod compare;
mod files;
mod run;

pub use compare::{assert_close, assert_close_by};
pub use files::{Case, cases, root};
pub use run::{backend, collect, engine, fixed};
