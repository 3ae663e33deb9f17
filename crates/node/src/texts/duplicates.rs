//! Finding texts that say the same.

use crate::{batch::double, promise::in_background};
use millrace_text::duplicates;
use napi::{Env, bindgen_prelude::Object};
use napi_derive::napi;
use parking_lot::Mutex;
use std::sync::Arc;

/// An earlier text that says the same.
#[napi(object)]
pub struct NativeDuplicate {
    /// Position of the text that is a duplicate.
    pub index: f64,
    /// Position of the earlier text.
    pub of: f64,
    /// From the threshold to 1.
    pub similarity: f64,
    /// Whether they are equal.
    pub exact: bool,
}

pub(super) fn marked(index: usize, mark: duplicates::Duplicate) -> NativeDuplicate {
    NativeDuplicate {
        index: double(index as u64),
        of: double(mark.of as u64),
        similarity: mark.similarity,
        exact: mark.exact,
    }
}

/// The duplicates among texts, of which there is a mark for each.
fn all_marked(marks: Vec<Option<duplicates::Duplicate>>) -> Vec<NativeDuplicate> {
    let marks = marks.into_iter().enumerate();
    marks.filter_map(|(index, mark)| mark.map(|mark| marked(index, mark))).collect()
}

/// The texts that say the same as earlier ones.
#[napi(ts_return_type = "Promise<Array<NativeDuplicate> | NativeError>")]
pub fn mark_duplicates(env: &Env, texts: Vec<String>, near: Option<f64>) -> napi::Result<Object<'_>> {
    in_background(env, move || Ok(duplicates::mark_duplicates(&texts, near)), all_marked)
}

/// Finds duplicates among texts that come some at a time.
#[napi]
pub struct NativeDuplicateFinder {
    finder: Arc<Mutex<duplicates::Finder>>,
}

/// A finder that has seen nothing.
#[napi]
#[must_use]
pub fn create_duplicate_finder(near: Option<f64>) -> NativeDuplicateFinder {
    NativeDuplicateFinder { finder: Arc::new(Mutex::new(duplicates::Finder::new(near))) }
}

#[napi]
impl NativeDuplicateFinder {
    /// Marks of the duplicates among the next texts; `index` counts in these, `of` in all so far.
    #[napi(ts_return_type = "Promise<Array<NativeDuplicate> | NativeError>")]
    pub fn add<'env>(&self, env: &'env Env, texts: Vec<String>) -> napi::Result<Object<'env>> {
        let finder = Arc::clone(&self.finder);
        in_background(env, move || Ok(finder.lock().add(&texts)), all_marked)
    }
}
