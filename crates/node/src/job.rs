//! One call on a model, as JavaScript drives it.

use crate::{
    batch::{NativeBatch, count, double},
    error::NativeError,
    promise::promise,
};
use millrace_contract::DType;
use millrace_core::{
    dense::{DenseText, Matrix},
    job::Job,
};
use napi::{
    Env,
    bindgen_prelude::{Either, Object},
};
use napi_derive::napi;
use std::sync::Arc;

/// Counters of a call.
#[napi(object)]
pub struct NativeProgress {
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
#[napi]
pub struct NativeJob {
    job: Arc<Job<DenseText>>,
    dtype: DType,
    width: usize,
}

impl NativeJob {
    pub(crate) fn new(job: Job<DenseText>, dtype: DType, width: usize) -> Self {
        Self { job: Arc::new(job), dtype, width }
    }
}

/// A promise that waits for rows keeps the job alive, so whoever lets go of the call must say so.
impl Drop for NativeJob {
    fn drop(&mut self) {
        self.job.cancel();
    }
}

#[napi]
impl NativeJob {
    /// Takes texts in order; returns how many more may be pushed now.
    #[napi]
    pub fn push(&self, texts: Vec<String>) -> u32 {
        count(self.job.push(texts))
    }

    /// Resolves with how many texts may be pushed; with 0 when a batch became ready first; with -1 when the call takes no more.
    #[napi(ts_return_type = "Promise<number>")]
    pub fn room<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        let job = Arc::clone(&self.job);
        promise(env, move |cx| {
            job.poll_room(cx).map(|room| room.map_or(-1, |room| i32::try_from(room).unwrap_or(i32::MAX)))
        })
    }

    /// Says that no more texts come.
    #[napi]
    pub fn finish(&self) {
        self.job.finish();
    }

    /// The next batch; `null` at the end.
    #[napi(ts_return_type = "Promise<NativeBatch | NativeError | null>")]
    pub fn next<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        let (job, dtype, width) = (Arc::clone(&self.job), self.dtype, self.width);
        promise(env, move |cx| {
            job.poll_next(cx).map(|next| {
                next.map(|next| match next {
                    Ok(delivery) => {
                        Either::A(NativeBatch::new(Matrix::assemble(delivery, dtype, width), dtype))
                    }
                    Err(error) => Either::B(NativeError::from(error)),
                })
            })
        })
    }

    /// Frees everything the call holds.
    #[napi]
    pub fn cancel(&self) {
        self.job.cancel();
    }

    /// Counters of the call.
    #[napi]
    pub fn progress(&self) -> NativeProgress {
        let progress = self.job.progress();
        NativeProgress {
            submitted: double(progress.submitted),
            done: double(progress.done),
            tokens: double(progress.tokens),
            padded_tokens: double(progress.padded_tokens),
            runs: double(progress.runs),
        }
    }
}
