//! A caller of the engine over the fake backend, as every caller must be: it feeds within the window and takes what is ready.

use millrace_contract::ErrorKind;
use millrace_core::{engine::Engine, fake::FakeFamily, job::Job};

pub type Fake = Engine<FakeFamily>;

/// A row that came out: the position of its input, and its two numbers or what went wrong.
pub type Row = (u64, Result<[f32; 2], ErrorKind>);

/// Feeds `inputs` within the window and takes rows until the job has ended.
pub fn embed(job: &Job<FakeFamily>, inputs: &[Vec<u32>]) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut rest = inputs;
    while !rest.is_empty() {
        match job.room_blocking() {
            Some(0) => drop(take(job, &mut rows)),
            Some(room) => {
                let (now, later) = rest.split_at(room.min(rest.len()));
                job.push(now.to_vec());
                rest = later;
            }
            None => break,
        }
    }
    job.finish();
    while take(job, &mut rows) {}
    rows
}

/// Takes the rows of the next delivery; false when there is none, or an error ended the job.
pub fn take(job: &Job<FakeFamily>, rows: &mut Vec<Row>) -> bool {
    let Some(next) = job.next_blocking() else { return false };
    let delivery = match next {
        Ok(delivery) => delivery,
        Err(error) => {
            rows.push((error.index().unwrap_or(u64::MAX), Err(error.kind())));
            return false;
        }
    };
    for (at, row) in delivery.rows.into_iter().enumerate() {
        let index = delivery.indices.as_ref().map_or(delivery.offset + at as u64, |indices| indices[at]);
        rows.push((index, row.map_err(|error| error.kind())));
    }
    true
}
