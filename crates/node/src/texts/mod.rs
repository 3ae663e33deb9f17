//! Preparing texts without a model: converts between JavaScript's values and those of `millrace_text`, a file for each of its tasks.

mod clean;
mod duplicates;
mod language;
mod prepare;
