//! Markup to plain text, and the structure of Markdown.
//!
//! What a reader sees is kept, in order; what formats it goes. Lines are kept apart by one line feed, paragraphs by two.

mod front_matter;
mod html;
mod markdown;
mod outline;
mod writer;

pub use html::html_to_text;
pub use markdown::markdown_to_text;
pub use outline::{Outline, Section, outline};

#[cfg(test)]
mod tests;
