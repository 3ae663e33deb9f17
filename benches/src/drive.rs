//! The engine as a function from inputs to rows, with a window and batches as a caller meets them.

use crate::Result;
use millrace_core::{
    engine::Engine,
    family::Family,
    job::{JobOptions, Progress},
};

/// Feeds `inputs` to one call, takes what comes, and gives the call's counters. `each` sees every row, in order.
pub fn embed<F: Family>(
    engine: &Engine<F>,
    options: JobOptions,
    call: F::Call,
    inputs: Vec<F::Input>,
    mut each: impl FnMut(F::Row),
) -> Result<Progress> {
    let job = engine.submit(options, call)?;
    let mut inputs = inputs.into_iter();
    let mut room = job.push(Vec::new());
    while inputs.len() > 0 {
        if room > 0 {
            room = job.push(inputs.by_ref().take(room).collect());
            continue;
        }
        match job.room_blocking() {
            Some(0) => {
                if let Some(delivery) = job.next_blocking() {
                    for row in delivery?.rows {
                        each(row?);
                    }
                }
            }
            Some(more) => room = more,
            None => break,
        }
    }
    job.finish();
    while let Some(delivery) = job.next_blocking() {
        for row in delivery?.rows {
            each(row?);
        }
    }
    Ok(job.progress())
}
