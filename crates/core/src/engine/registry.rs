//! All engines of the process, so that they can be brought to rest before it ends.
//!
//! At exit the C library destroys the inference library's globals while our threads may still be running it;
//! whoever owns the process calls [`quiesce_all`] before that.

use super::shared::Shared;
use crate::family::Family;
use parking_lot::Mutex;
use std::{
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

trait Quiesce: Send + Sync {
    fn stop(&self);
    fn wait_quiet(&self, deadline: Instant);
}

impl<F: Family> Quiesce for Shared<F> {
    fn stop(&self) {
        Shared::stop(self);
    }

    fn wait_quiet(&self, deadline: Instant) {
        Shared::wait_quiet(self, deadline);
    }
}

static ENGINES: Mutex<Vec<Weak<dyn Quiesce>>> = Mutex::new(Vec::new());

pub(super) fn register<F: Family>(shared: &Arc<Shared<F>>) {
    let weak: Weak<Shared<F>> = Arc::downgrade(shared);
    let mut engines = ENGINES.lock();
    engines.retain(|engine| engine.strong_count() > 0);
    engines.push(weak);
}

/// Stops every engine of the process and waits, at most `timeout`, until no run is under way.
pub fn quiesce_all(timeout: Duration) {
    let deadline = Instant::now() + timeout;
    let engines: Vec<Arc<dyn Quiesce>> = ENGINES.lock().iter().filter_map(Weak::upgrade).collect();
    for engine in &engines {
        engine.stop();
    }
    for engine in &engines {
        engine.wait_quiet(deadline);
    }
}
