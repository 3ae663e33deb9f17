//! Promises that the core's own threads settle: no executor stands between a finished row and its reader, and none takes a thread for
//! granted.

use crate::error::NativeError;
use millrace_core::{background, quantize};
use napi::{
    Env, JsDeferred, Result,
    bindgen_prelude::{Either, Object, ToNapiValue},
};
use parking_lot::Mutex;
use std::{
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
};

type Resolver<T> = Box<dyn FnOnce(Env) -> Result<T>>;

struct Pending<T: ToNapiValue, P> {
    poll: P,
    deferred: Mutex<Option<JsDeferred<T, Resolver<T>>>>,
}

impl<T, P> Pending<T, P>
where
    T: ToNapiValue + Send + 'static,
    P: Fn(&mut Context<'_>) -> Poll<T> + Send + Sync + 'static,
{
    fn advance(self: Arc<Self>) {
        let waker = Waker::from(Arc::clone(&self));
        if let Poll::Ready(value) = (self.poll)(&mut Context::from_waker(&waker))
            && let Some(deferred) = self.deferred.lock().take()
        {
            deferred.resolve(Box::new(move |_| Ok(value)));
        }
    }
}

impl<T, P> Wake for Pending<T, P>
where
    T: ToNapiValue + Send + 'static,
    P: Fn(&mut Context<'_>) -> Poll<T> + Send + Sync + 'static,
{
    fn wake(self: Arc<Self>) {
        self.advance();
    }
}

/// A promise of what `poll` becomes. `poll` runs at once, then on the thread of each wake; its waker must be used
/// once for each time it is given, so that `poll` never runs twice at a time.
pub(crate) fn promise<T, P>(env: &Env, poll: P) -> Result<Object<'_>>
where
    T: ToNapiValue + Send + 'static,
    P: Fn(&mut Context<'_>) -> Poll<T> + Send + Sync + 'static,
{
    let (deferred, promise) = env.create_deferred()?;
    Arc::new(Pending { poll, deferred: Mutex::new(Some(deferred)) }).advance();
    Ok(promise)
}

/// A promise of what `answer` makes of the outcome of `work`, which may block. `answer` runs on the thread of the work, or on this one where
/// there is no thread.
pub(crate) fn settled<T, R>(
    env: &Env,
    work: impl FnOnce() -> millrace_contract::Result<T> + Send + 'static,
    answer: impl FnOnce(millrace_contract::Result<T>) -> R + Send + 'static,
) -> Result<Object<'_>>
where
    T: Send + 'static,
    R: ToNapiValue + Send + 'static,
{
    let (deferred, promise) = env.create_deferred()?;
    background::spawn(work, move |outcome| resolve(deferred, answer(outcome)));
    Ok(promise)
}

/// A promise of what `answer` makes of what `work`, which may block, gives; or of its error.
pub(crate) fn in_background<T, R>(
    env: &Env,
    work: impl FnOnce() -> millrace_contract::Result<T> + Send + 'static,
    answer: impl FnOnce(T) -> R + Send + 'static,
) -> Result<Object<'_>>
where
    T: Send + 'static,
    R: ToNapiValue + Send + 'static,
{
    settled(env, work, |outcome| either(outcome, answer))
}

/// The same on the threads for vectors, over which the work may spread.
pub(crate) fn on_vector_pool<T, R>(
    env: &Env,
    work: impl FnOnce() -> millrace_contract::Result<T> + Send + 'static,
    answer: impl FnOnce(T) -> R + Send + 'static,
) -> Result<Object<'_>>
where
    T: Send + 'static,
    R: ToNapiValue + Send + 'static,
{
    let (deferred, promise) = env.create_deferred()?;
    quantize::spawn(work, move |outcome| resolve(deferred, either(outcome, answer)));
    Ok(promise)
}

fn either<T, R>(
    outcome: millrace_contract::Result<T>,
    answer: impl FnOnce(T) -> R,
) -> Either<R, NativeError> {
    match outcome {
        Ok(value) => Either::A(answer(value)),
        Err(error) => Either::B(error.into()),
    }
}

fn resolve<R: ToNapiValue + Send + 'static>(deferred: JsDeferred<R, Resolver<R>>, value: R) {
    deferred.resolve(Box::new(move |_| Ok(value)));
}
