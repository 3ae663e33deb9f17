//! One call on a model, as JavaScript drives it.

use crate::{batch::{BindingBatch, count}, error::BindingError};
use millrace_contract::DType;
use millrace_core::{
    dense::{DenseText, Matrix},
    job::Job,
};
use napi::bindgen_prelude::Either;
use napi_derive::napi;
use std::{future::poll_fn, sync::Arc};

/// Counters of a call.
#[napi(object, js_name = "NativeProgress")]
pub struct BindingProgress {
    /// Texts pushed.
    pub submitted: f64,
    /// Rows finished or failed.
    pub done: f64,
    /// Tokens of the finished rows.
    pub tokens: f64,
    /// The same, padding included.
    pub padded_tokens: f64,
    /// Runs that held rows of this call.
    pub runs: f64,
}

/// A call under way.
#[napi(js_name = "NativeJob")]
pub struct BindingJob {
    job: Arc<Job<DenseText>>,
    dtype: DType,
    width: usize,
}

impl BindingJob {
    pub(crate) fn new(job: Job<DenseText>, dtype: DType, width: usize) -> Self {
        Self { job: Arc::new(job), dtype, width }
    }
}

#[napi]
impl BindingJob {
    /// Takes texts in order; returns how many more may be pushed now.
    #[napi]
    pub fn push(&self, texts: Vec<String>) -> u32 {
        count(self.job.push(texts))
    }

    /// Resolves with how many texts may be pushed; with 0 when a batch became ready first; with -1 when the call takes no more.
    #[napi]
    pub async fn room(&self) -> i32 {
        let job = Arc::clone(&self.job);
        let room = poll_fn(|cx| job.poll_room(cx)).await;
        room.map_or(-1, |room| i32::try_from(room).unwrap_or(i32::MAX))
    }

    /// Says that no more texts come.
    #[napi]
    pub fn finish(&self) {
        self.job.finish();
    }

    /// The next batch; `null` at the end.
    #[napi]
    pub async fn next(&self) -> Option<Either<BindingBatch, BindingError>> {
        let job = Arc::clone(&self.job);
        let next = poll_fn(|cx| job.poll_next(cx)).await?;
        Some(match next {
            Ok(delivery) => {
                Either::A(BindingBatch::new(Matrix::assemble(delivery, self.dtype, self.width), self.dtype))
            }
            Err(error) => Either::B(error.into()),
        })
    }

    /// Frees everything the call holds.
    #[napi]
    pub fn cancel(&self) {
        self.job.cancel();
    }

    /// Counters of the call.
    #[napi]
    #[expect(clippy::cast_precision_loss, reason = "JavaScript counts in doubles")]
    pub fn progress(&self) -> BindingProgress {
        let progress = self.job.progress();
        BindingProgress {
            submitted: progress.submitted as f64,
            done: progress.done as f64,
            tokens: progress.tokens as f64,
            padded_tokens: progress.padded_tokens as f64,
            runs: progress.runs as f64,
        }
    }
}
