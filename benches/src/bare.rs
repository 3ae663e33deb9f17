//! What sessions alone can do: texts tokenised beforehand, sorted by length over the whole set, put into ideal
//! batches, run by as many threads as millrace has. Nothing is pooled. This is the ceiling for any batching.

use crate::{Result, models::Model, models::THREADS};
use millrace_contract::{Backend, Batch, RunControl};
use millrace_core::tokenizer::{Item, Overflow, Tokenizer};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Batches of a set, and their padding.
pub struct Plan {
    batches: Vec<Batch>,
    /// Padding in the computed tokens: 0 is none.
    pub padding: f64,
}

/// Tokenises, sorts and batches `texts` into runs of at most `budget` padded tokens; 0 means one text a run.
#[expect(clippy::cast_precision_loss, reason = "counts of tokens")]
pub fn plan(
    model: &Model,
    tokenizer: &Tokenizer,
    texts: &[String],
    limit: usize,
    budget: usize,
) -> Result<Plan> {
    let mut items: Vec<Item> = texts
        .iter()
        .map(|text| tokenizer.encode(text, limit, Overflow::Truncate))
        .collect::<std::result::Result<_, _>>()?;
    // The longest first, so that the last runs are short and the threads end together.
    items.sort_by_key(|item| std::cmp::Reverse(item.len()));
    let mut batches = Vec::new();
    let mut rest = items.as_slice();
    while let Some(first) = rest.first() {
        let rows = (budget / first.len().max(1)).clamp(1, rest.len());
        let rows: Vec<&Item> = rest[..rows].iter().collect();
        batches.push(tokenizer.collate(&rows, model.backend.graph()));
        rest = &rest[rows.len()..];
    }
    let tokens: usize = items.iter().map(Item::len).sum();
    let padded: usize = batches.iter().map(|batch| batch.rows * batch.padded_len).sum();
    Ok(Plan { batches, padding: 1.0 - tokens as f64 / padded.max(1) as f64 })
}

/// Runs all batches, on [`THREADS`] threads that take the next one when they are done with theirs.
pub fn run(model: &Model, plan: &Plan) -> Result<()> {
    let next = AtomicUsize::new(0);
    let results: Vec<millrace_contract::Result<()>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|slot| {
                let next = &next;
                scope.spawn(move || {
                    let mut session = model.backend.open(slot)?;
                    while let Some(batch) = plan.batches.get(next.fetch_add(1, Ordering::Relaxed)) {
                        session.run(batch, &[model.head.output], &RunControl::new(), &mut |outputs| {
                            std::hint::black_box(outputs);
                            Ok(())
                        })?;
                    }
                    Ok(())
                })
            })
            .collect();
        let panicked = |_| {
            Err(millrace_contract::Error::new(
                millrace_contract::ErrorKind::Internal,
                "a bare session panicked",
            ))
        };
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(panicked)).collect()
    });
    results.into_iter().collect::<millrace_contract::Result<()>>().map_err(Into::into)
}
