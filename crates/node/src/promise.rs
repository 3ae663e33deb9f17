//! Promises that the engine's own threads settle: no executor stands between a finished row and its reader.

use napi::{
    Env, JsDeferred, Result,
    bindgen_prelude::{Object, ToNapiValue},
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
