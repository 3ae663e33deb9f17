//! Catching the panics of other people's code without a word on standard error.
//!
//! A decoder that panics on a hostile file is caught, and the file is refused. But Rust's default hook has printed
//! "thread … panicked at …" and a backtrace by then, so that whoever sends pictures writes into the log of whoever reads them.
//! The hook that is put in here stays silent for work under [`catch`] only; every other panic is reported as before.

use std::{
    cell::Cell,
    panic::{self, AssertUnwindSafe},
    sync::Once,
    thread,
};

thread_local! {
    /// Whether this thread runs work whose panics are expected.
    static EXPECTED: Cell<bool> = const { Cell::new(false) };
}

/// Puts the previous value back, however the work ends.
struct Restore(bool);

impl Drop for Restore {
    fn drop(&mut self) {
        EXPECTED.set(self.0);
    }
}

/// Runs `work`; a panic of it is an error and prints nothing.
pub(crate) fn catch<T>(work: impl FnOnce() -> T) -> thread::Result<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            // A thread that ends has no such value any more; what panics then is reported.
            if !EXPECTED.try_with(Cell::get).unwrap_or(false) {
                report(info);
            }
        }));
    });
    let _restore = Restore(EXPECTED.replace(true));
    panic::catch_unwind(AssertUnwindSafe(work))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_is_back_after_a_panic_and_after_work_within_work() {
        assert!(catch(|| panic!("expected")).is_err());
        assert!(!EXPECTED.get());
        let inner = catch(|| {
            assert!(catch(|| 1).is_ok());
            EXPECTED.get()
        });
        assert!(inner.is_ok_and(|still_expected| still_expected));
        assert!(!EXPECTED.get());
    }
}
