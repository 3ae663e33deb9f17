//! Ends runs that take longer than allowed. Its thread exists only once a call has asked for a limit.

use millrace_contract::RunControl;
use parking_lot::{Condvar, Mutex};
use std::{
    collections::BTreeMap,
    sync::{Arc, Weak},
    time::Instant,
};

#[derive(Default)]
struct Deadlines {
    runs: BTreeMap<(Instant, u64), Weak<RunControl>>,
    armed: u64,
    started: bool,
    stopped: bool,
}

#[derive(Default)]
struct Inner {
    deadlines: Mutex<Deadlines>,
    changed: Condvar,
}

/// The deadlines of runs under way.
#[derive(Default)]
pub(crate) struct Watchdog(Arc<Inner>);

impl Watchdog {
    /// Has `control` terminated at `deadline` unless the run, and with it `control`, is gone by then.
    pub(crate) fn arm(&self, deadline: Instant, control: &Arc<RunControl>) {
        let mut deadlines = self.0.deadlines.lock();
        deadlines.armed += 1;
        let key = (deadline, deadlines.armed);
        deadlines.runs.insert(key, Arc::downgrade(control));
        if !deadlines.started {
            let inner = Arc::clone(&self.0);
            let watch =
                std::thread::Builder::new().name("millrace-watchdog".into()).spawn(move || watch(&inner));
            deadlines.started = watch.is_ok();
        }
        self.0.changed.notify_one();
    }

    pub(crate) fn stop(&self) {
        self.0.deadlines.lock().stopped = true;
        self.0.changed.notify_one();
    }
}

fn watch(inner: &Inner) {
    let mut deadlines = inner.deadlines.lock();
    while !deadlines.stopped {
        let Some((&(deadline, number), control)) = deadlines.runs.first_key_value() else {
            inner.changed.wait(&mut deadlines);
            continue;
        };
        if control.strong_count() == 0 {
            deadlines.runs.remove(&(deadline, number));
        } else if Instant::now() < deadline {
            inner.changed.wait_until(&mut deadlines, deadline);
        } else if let Some(control) = deadlines.runs.remove(&(deadline, number)).and_then(|run| run.upgrade())
        {
            control.terminate();
        }
    }
}
