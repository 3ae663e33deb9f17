//! The addon: converts between Node's values and the core's, and delegates. No logic lives here.
//!
//! Failures cross as data (`NativeError`), never as rejections: a promise of Node-API can only reject with a status of its own. What outlives a
//! call of the addon is copied: texts, images, vectors that are worked on by other threads. A function that answers at once
//! (`dots`, `cosines`, `hammings`) reads the caller's arrays where they are.
//!
//! No executor is used. Work that blocks runs on the core's own threads, and the thread that finishes it settles the promise: an executor
//! would abort the process where the system refuses it a thread.

// Under test nothing is exported to Node: there is nothing to build.
#![cfg(not(test))]

mod batch;
mod chunker;
mod error;
mod exit;
mod families;
mod fingerprint;
mod host;
mod info;
mod inputs;
mod job;
mod model;
mod muvera;
mod options;
mod processor;
mod promise;
mod quantize;
mod runtime;
mod served;
mod system;
mod texts;
mod vector_index;
