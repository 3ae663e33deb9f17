//! Inputs that are run in parts: a part is planned as a row of its own, and the row of the input is delivered when its
//! last part is finished.
//!
//! Parts are made a few at a time, as many as the call's window holds, so that one huge input neither fills the memory
//! nor keeps the preparing pool from other work. The first part that fails is the end of its input.

use super::{
    fan_out::{FanOut, Next, Part, State},
    prepare,
    shared::{Shared, Work},
};
use crate::{
    family::{Family, Merge, Parts, Prepared},
    job::{Arrived, JobInner, JobState},
};
use millrace_contract::{Error, ErrorKind, Result};
use parking_lot::Mutex;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Instant,
};

/// An input as the preparing pool has it.
pub(super) struct Split<F: Family> {
    pub(super) index: u64,
    pub(super) seq: u64,
    pub(super) turn: u64,
    /// What it was booked with in the window.
    pub(super) estimate: usize,
    pub(super) parts: Box<dyn Parts<F::Item, F::Row>>,
    pub(super) merge: Box<dyn Merge<F::Row>>,
}

/// Makes the first parts of an input, and sees to it that the others follow.
pub(super) fn begin<F: Family>(shared: &Arc<Shared<F>>, job: &Arc<JobInner<F>>, split: Split<F>) {
    let Split { index, seq, turn, estimate, parts, merge } = split;
    let fan = FanOut {
        index,
        seq,
        most_ahead: job.read(JobState::window_tokens),
        state: Mutex::new(State::new(parts, merge, estimate, turn, job.slices.is_some())),
    };
    advance(shared, job, &Arc::new(fan));
}

/// Makes the next parts: as many as a task of the preparing pool has.
pub(super) fn advance<F: Family>(shared: &Arc<Shared<F>>, job: &Arc<JobInner<F>>, fan: &Arc<FanOut<F>>) {
    if job.is_cancelled() {
        return;
    }
    let Some(mut parts) = fan.state.lock().parts.take() else { return };
    let mut made = Vec::new();
    let mut tokens = 0;
    let mut all_made = false;
    while made.len() < prepare::TASK_INPUTS && tokens < prepare::TASK_TOKENS {
        let next = catch_unwind(AssertUnwindSafe(|| parts.next()))
            .unwrap_or_else(|_| Some(Err(Error::new(ErrorKind::Internal, "Preparing a part panicked"))));
        let part = match next {
            None => {
                all_made = true;
                break;
            }
            Some(Ok(Prepared::Parts(..))) => {
                Err(Error::new(ErrorKind::Internal, "A part of an input has parts"))
            }
            Some(part) => part,
        };
        match part {
            Ok(part) => {
                tokens += match &part {
                    Prepared::Item(item) => shared.family.weight(item),
                    Prepared::Row(_, tokens) => *tokens,
                    Prepared::Parts(..) => 0,
                };
                made.push(part);
            }
            Err(error) => return fail(shared, job, fan, error),
        }
    }
    let rest = if all_made { 0 } else { parts.cost() };
    hand_on(shared, job, fan, made, (!all_made).then_some(parts), rest);
}

/// What a part weighs in the window: one that is finished weighs nothing.
fn weight_of<F: Family>(family: &F, part: &Prepared<F::Item, F::Row>) -> usize {
    match part {
        Prepared::Item(item) => family.weight(item),
        Prepared::Row(..) | Prepared::Parts(..) => 0,
    }
}

/// Puts the parts just made on their way, and has more made if there is room for them.
fn hand_on<F: Family>(
    shared: &Arc<Shared<F>>,
    job: &Arc<JobInner<F>>,
    fan: &Arc<FanOut<F>>,
    made: Vec<Prepared<F::Item, F::Row>>,
    parts: Option<Box<dyn Parts<F::Item, F::Row>>>,
    rest: usize,
) {
    let fixed = job.slices.is_some();
    let now = shared.lock().planner.virtual_time();
    let (mut items, mut rows) = (Vec::new(), Vec::new());
    let weight = made.iter().map(|part| weight_of(&shared.family, part)).sum();
    // Booked before a part can be finished, and the rest of the estimate freed after: the window never counts too little.
    job.update(|state| state.recount(0, weight));
    let mut state = fan.state.lock();
    if state.merge.is_none() {
        drop(state);
        job.update(|state| state.recount(weight, 0));
        return;
    }
    // As for any other input, whose turn begins when it comes.
    state.turn = state.turn.max(now);
    for part in made {
        let number = state.made;
        state.made += 1;
        match part {
            Prepared::Item(item) => {
                let cost = shared.family.weight(&item);
                let turn = state.turn;
                state.turn += cost.max(1) as u64;
                state.ahead += cost;
                let part = Some(Part { of: Arc::clone(fan), number });
                items.push(Arrived { index: fan.index, turn, cost, item, part });
            }
            Prepared::Row(row, tokens) => rows.push((number, row, tokens)),
            Prepared::Parts(..) => {}
        }
    }
    state.all_made = parts.is_none();
    state.parts = parts;
    let booked = state.held + weight;
    state.held = booked.min(rest + state.ahead);
    let spare = booked - state.held;
    let mut complete = Vec::new();
    if fixed {
        state.slice.append(&mut items);
        if state.all_made {
            state.arrived = true;
            complete = std::mem::take(&mut state.slice);
        }
    }
    let arrived = fixed && state.all_made;
    let go_on = !state.all_made && (fixed || state.ahead < fan.most_ahead);
    state.asked = go_on;
    let last = state.finish_if_complete();
    drop(state);

    job.update(|state| state.recount(spare, 0));
    if arrived {
        arrive(shared, job, fan.index, complete);
    }
    if !items.is_empty() {
        let first = shared.reserve(items.len());
        let works = (first..).zip(items).map(|(seq, arrived)| arrived.into_work(job, seq)).collect();
        shared.enqueue(job, works);
        if fan.state.lock().merge.is_none() {
            // A part made before failed in between.
            drop_waiting(shared, job, fan);
        }
    }
    for (number, row, tokens) in rows {
        shared.counters.count_part(tokens, tokens);
        let part = Part { of: Arc::clone(fan), number };
        finished(shared, job, part, 0, tokens, Ok(row));
    }
    if let Some(row) = last {
        deliver(shared, job, fan, row);
    } else if go_on {
        prepare::again(shared, job, fan);
    }
}

/// Takes the finished row of a part, or its error.
pub(super) fn finished<F: Family>(
    shared: &Arc<Shared<F>>,
    job: &Arc<JobInner<F>>,
    part: Part<F>,
    cost: usize,
    tokens: usize,
    row: Result<F::Row>,
) {
    let Part { of: fan, number } = part;
    let row = match row {
        Ok(row) => row,
        Err(error) => return fail(shared, job, &fan, error),
    };
    let next = {
        let mut state = fan.state.lock();
        if state.merge.is_none() {
            return;
        }
        state.tokens += tokens;
        state.early.insert(number, (row, cost));
        state.merge_ready(fan.most_ahead)
    };
    match next {
        Next::GoOn(freed, ask) => {
            if freed > 0 {
                job.update(|state| state.release(freed));
            }
            if ask {
                prepare::again(shared, job, &fan);
            }
        }
        Next::Deliver(row) => deliver(shared, job, &fan, row),
    }
}

/// Ends an input with the error of a part, unless it ended before.
fn fail<F: Family>(shared: &Arc<Shared<F>>, job: &Arc<JobInner<F>>, fan: &Arc<FanOut<F>>, error: Error) {
    if fan.state.lock().merge.take().is_some() {
        deliver(shared, job, fan, Err(error));
    }
}

/// Delivers what was made of an input, once, and lets go of everything that it held.
fn deliver<F: Family>(
    shared: &Arc<Shared<F>>,
    job: &Arc<JobInner<F>>,
    fan: &Arc<FanOut<F>>,
    row: Result<F::Row>,
) {
    let mut state = fan.state.lock();
    let (held, tokens) = (std::mem::take(&mut state.held), state.tokens);
    let missing = !std::mem::replace(&mut state.arrived, true);
    let dropped = (state.parts.take(), std::mem::take(&mut state.early), std::mem::take(&mut state.slice));
    drop(state);
    drop(dropped);
    match &row {
        Ok(_) => shared.counters.count_input(),
        Err(error) => {
            shared.counters.count_error(error);
            drop_waiting(shared, job, fan);
        }
    }
    job.deliver(fan.index, held, tokens, row);
    if missing {
        arrive(shared, job, fan.index, Vec::new());
    }
    shared.notify_settled();
}

/// Drops the parts that wait to be run. Those in a slice of fixed batching stay, whatever becomes of their rows.
fn drop_waiting<F: Family>(shared: &Shared<F>, job: &JobInner<F>, fan: &Arc<FanOut<F>>) {
    if job.slices.is_none() {
        shared.drop_rows(|work| work.part.as_ref().is_some_and(|part| Arc::ptr_eq(&part.of, fan)));
    }
}

/// Gives the slice of fixed batching the parts of an input.
fn arrive<F: Family>(shared: &Arc<Shared<F>>, job: &Arc<JobInner<F>>, index: u64, items: Vec<Arrived<F>>) {
    if let Some(slices) = &job.slices {
        let complete = slices.lock().arrive(index, items);
        shared.enqueue_slices(job, complete);
    }
}

impl<F: Family> Arrived<F> {
    /// The row's way on, as number `seq` of the engine.
    pub(super) fn into_work(self, job: &Arc<JobInner<F>>, seq: u64) -> Work<F> {
        let Self { index, turn, cost, item, part } = self;
        Work { job: Arc::clone(job), index, seq, turn, cost, since: Instant::now(), item, part }
    }
}
