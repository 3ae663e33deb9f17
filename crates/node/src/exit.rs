//! Brings the engines to rest before the process ends.

use millrace_core::engine::quiesce_all;
use std::{sync::Once, time::Duration};

/// Longest wait for the runs under way. A run ends within one graph node, some milliseconds; the rest is for slow machines.
const QUIESCE_TIMEOUT: Duration = Duration::from_secs(1);

extern "C" fn at_exit() {
    quiesce_all(QUIESCE_TIMEOUT);
}

/// Registers the handler, once. Call it after the inference library is loaded: handlers run in reverse order, so
/// ours then runs before the library's globals are destroyed under running threads.
pub(crate) fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: `at_exit` is a plain function without arguments that lives as long as the addon, which Node never unloads.
        // When no place is left for it, exits are merely as they would be without it.
        let _ = unsafe { libc::atexit(at_exit) };
    });
}
