//! Which waiting items share the next run. Pure data: no threads, no clocks, no model.
//!
//! A run starts with the item of the highest priority whose turn it is and is filled with the items whose
//! addition costs the least padding, whoever submitted them, up to a budget of padded tokens. Items that must not
//! share a run are *sealed* and run as they are.
//!
//! Turns are fair between submitters of one priority (start-time fair queueing): each submitter numbers its items by the
//! tokens it has submitted, starting at the planner's virtual time, so a small call does not wait for a bulk
//! call's whole backlog, and two bulk calls advance alike.
//!
//! Two bounds hold over all runs under way. Memory: attention takes memory by the square of a row's length, so long rows take turns at a
//! [common pool](MemoryBudget), while short ones run on their session's own share and never wait. Submitters: one that asked for it has no
//! more runs under way at once than it allows.

mod memory;
#[cfg(test)]
mod tests;
mod unit;

pub use memory::{BudgetSource, MemoryBudget};
pub use unit::{Hold, Plan, Submitter, Unit};

use unit::{Alike, InTurn, Length};

use std::collections::{BTreeMap, BTreeSet, HashMap, btree_map::Entry};

/// Every this many plans, the oldest item of all starts the run, whatever its priority, so that a constant
/// stream of urgent work slows bulk work to a quarter but never stops it.
const AGING_PERIOD: u64 = 4;

/// Padding in tokens that an item may bring into a run. A run of its own costs 8 (weight-only int8) to 20 (fp32) tokens
/// more, measured: with more padding than that, running apart is cheaper.
const MERGE_SLACK: usize = 8;

/// Runs below this many padded tokens are not split further among idle workers: the fixed cost of a run
/// would outweigh the second worker.
const MIN_SPLIT_TOKENS: usize = 32;

/// Waiting units, and the choice among them.
#[derive(Debug)]
pub struct Planner<T> {
    batch_tokens: usize,
    memory: MemoryBudget,
    /// Bytes of the common pool that runs under way hold.
    pool_used: u64,
    /// Runs under way of submitters that have a bound and rows in one.
    running: HashMap<u64, usize>,
    units: BTreeMap<u64, Unit<T>>,
    /// The units that fit into a session's own share, by turn.
    ordinary: BTreeSet<InTurn>,
    /// The units that take of the common pool, by turn.
    large: BTreeSet<InTurn>,
    by_length: BTreeMap<Length, BTreeSet<Alike>>,
    /// The large unit whose turn it is and which waits for room in the pool. No other large unit of its priority begins before it, so
    /// a stream of smaller ones cannot keep the room from it.
    next_large: Option<NextLarge>,
    waiting_tokens: usize,
    waiting_rows: usize,
    plans: u64,
    virtual_time: u64,
}

#[derive(Debug, Clone, Copy)]
struct NextLarge {
    seq: u64,
    priority: i32,
}

impl<T> Planner<T> {
    /// A planner of runs of at most `batch_tokens` padded tokens, where a single row may have more, that take no more than `memory`
    /// together.
    #[must_use]
    pub fn new(batch_tokens: usize, memory: MemoryBudget) -> Self {
        Self {
            batch_tokens: batch_tokens.max(1),
            memory,
            pool_used: 0,
            running: HashMap::new(),
            units: BTreeMap::new(),
            ordinary: BTreeSet::new(),
            large: BTreeSet::new(),
            by_length: BTreeMap::new(),
            next_large: None,
            waiting_tokens: 0,
            waiting_rows: 0,
            plans: 0,
            virtual_time: 0,
        }
    }

    /// Adds a unit. Its `seq` must be new and it must have rows. The budget must not refuse it: it would wait for ever.
    pub fn push(&mut self, unit: Unit<T>) {
        debug_assert!(!unit.rows.is_empty(), "a unit without rows cannot be run");
        let turn = unit.turn();
        if self.is_large(&unit) {
            self.large.insert(turn)
        } else {
            self.ordinary.insert(turn)
        };
        if !unit.sealed {
            self.by_length.entry(unit.length()).or_default().insert(unit.alike());
        }
        self.waiting_tokens += unit.padded();
        self.waiting_rows += unit.rows.len();
        let replaced = self.units.insert(unit.seq, unit);
        debug_assert!(replaced.is_none(), "sequence numbers are unique");
    }

    /// Rows waiting.
    #[must_use]
    pub fn waiting_rows(&self) -> usize {
        self.waiting_rows
    }

    /// The waiting rows, in no order.
    pub fn rows(&self) -> impl Iterator<Item = &T> {
        self.units.values().flat_map(|unit| &unit.rows)
    }

    /// The turn at which a submitter without waiting items begins.
    #[must_use]
    pub fn virtual_time(&self) -> u64 {
        self.virtual_time
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    /// The next run, or `None` when nothing waits that may begin now. `idle` is how many other workers have nothing to
    /// do: they get their share of what waits.
    pub fn take(&mut self, idle: usize) -> Option<Plan<T>> {
        let head = self.head()?;
        self.plans = self.plans.wrapping_add(1);
        let head = self.remove(head)?;
        self.virtual_time = self.virtual_time.max(head.turn);
        let mut hold = Hold::default();
        self.book(head.submitter, &mut hold);
        let mut longest = head.len;
        let chosen = if head.sealed || self.is_large(&head) {
            Vec::new()
        } else {
            // Idle workers can help only as far as the submitter allows.
            let helpers = idle.min(head.submitter.at_once.saturating_sub(self.runs_of(head.submitter)));
            let share = (self.waiting_tokens + head.padded()) / (helpers + 1);
            self.partners(&head, self.batch_tokens.min(share.max(MIN_SPLIT_TOKENS)))
        };
        let mut rows = head.rows;
        for seq in chosen {
            if let Some(unit) = self.remove(seq) {
                longest = longest.max(unit.len);
                self.book(unit.submitter, &mut hold);
                rows.extend(unit.rows);
            }
        }
        hold.bytes = self.memory.beyond_share(rows.len(), longest);
        self.pool_used = self.pool_used.saturating_add(hold.bytes);
        Some(Plan { rows, hold })
    }

    /// Takes back what a run held. Whether that was anything, so that what waited for it may begin now.
    pub fn finish(&mut self, hold: Hold) -> bool {
        let freed = hold.bytes > 0 || !hold.bounded.is_empty();
        self.pool_used = self.pool_used.saturating_sub(hold.bytes);
        for submitter in hold.bounded {
            if let Some(runs) = self.running.get_mut(&submitter) {
                *runs -= 1;
                if *runs == 0 {
                    self.running.remove(&submitter);
                }
            }
        }
        freed
    }

    /// Removes the units of which `drop_row` says so for every row, and those rows of the others.
    pub fn remove_rows(&mut self, mut drop_row: impl FnMut(&T) -> bool) -> Vec<T> {
        let mut dropped = Vec::new();
        let seqs: Vec<u64> = self.units.keys().copied().collect();
        for seq in seqs {
            if !self.units.get(&seq).is_some_and(|unit| unit.rows.iter().any(&mut drop_row)) {
                continue;
            }
            if let Some(mut unit) = self.remove(seq) {
                let (gone, kept) = unit.rows.into_iter().partition(&mut drop_row);
                dropped.extend::<Vec<T>>(gone);
                unit.rows = kept;
                if !unit.rows.is_empty() {
                    self.push(unit);
                }
            }
        }
        dropped
    }

    /// Whether a unit takes of the common pool.
    fn is_large(&self, unit: &Unit<T>) -> bool {
        self.memory.beyond_share(unit.rows.len(), unit.len) > 0
    }

    /// Whether the pool has room for a run of this unit alone. A run for which even the empty pool is too small has it to itself.
    fn has_room(&self, unit: &Unit<T>) -> bool {
        let bytes = self.memory.beyond_share(unit.rows.len(), unit.len);
        self.pool_used == 0 || bytes <= self.memory.pool.saturating_sub(self.pool_used)
    }

    fn runs_of(&self, submitter: Submitter) -> usize {
        self.running.get(&submitter.id).copied().unwrap_or(0)
    }

    /// Whether the submitter may have rows in one more run.
    fn admits(&self, submitter: Submitter) -> bool {
        submitter.at_once == usize::MAX || self.runs_of(submitter) < submitter.at_once
    }

    /// Counts a run of the submitter, once a run, if it has a bound.
    fn book(&mut self, submitter: Submitter, hold: &mut Hold) {
        if submitter.at_once != usize::MAX && !hold.bounded.contains(&submitter.id) {
            hold.bounded.push(submitter.id);
            *self.running.entry(submitter.id).or_default() += 1;
        }
    }

    /// The unit that begins the next run.
    fn head(&mut self) -> Option<u64> {
        let first = |turns: &BTreeSet<InTurn>| turns.iter().find(|turn| self.admits(turn.submitter)).copied();
        let (ordinary, large) = (first(&self.ordinary), first(&self.large));
        if let Some(next) = self.next_large
            && let Some(unit) = self.units.get(&next.seq)
        {
            let urgent = |turn: &InTurn| turn.priority.0 > next.priority;
            let overtaken = [ordinary, large].iter().flatten().any(urgent);
            if !overtaken && self.admits(unit.submitter) && self.has_room(unit) {
                self.next_large = None;
                return Some(next.seq);
            }
        } else {
            self.next_large = None;
        }
        let aging = self.plans % AGING_PERIOD == AGING_PERIOD - 1;
        let oldest = || self.units.values().find(|unit| self.admits(unit.submitter)).map(|unit| unit.seq);
        let by_turn = || [ordinary, large].into_iter().flatten().min().map(|turn| turn.seq);
        let seq = if aging { oldest() } else { by_turn() }?;
        let unit = self.units.get(&seq)?;
        if !self.is_large(unit) {
            return Some(seq);
        }
        // Once the oldest unit waits for room, not even an urgent one may go before it.
        let priority = if aging { i32::MAX } else { unit.priority };
        let waits = self.next_large.is_none_or(|next| priority > next.priority);
        if waits && self.has_room(unit) {
            return Some(seq);
        }
        if waits {
            self.next_large = Some(NextLarge { seq, priority });
        }
        ordinary.map(|turn| turn.seq)
    }

    fn remove(&mut self, seq: u64) -> Option<Unit<T>> {
        let unit = self.units.remove(&seq)?;
        let turn = unit.turn();
        if !self.ordinary.remove(&turn) {
            self.large.remove(&turn);
        }
        if let Entry::Occupied(mut alike) = self.by_length.entry(unit.length()) {
            alike.get_mut().remove(&unit.alike());
            if alike.get().is_empty() {
                alike.remove();
            }
        }
        self.waiting_tokens -= unit.padded();
        self.waiting_rows -= unit.rows.len();
        Some(unit)
    }

    /// Bytes of the pool that a run of ordinary rows may take, where a caller wants larger runs than a session's share holds. None
    /// while a large unit waits for that room.
    fn room_for_filling(&self) -> u64 {
        if self.next_large.is_some() {
            return 0;
        }
        let wanted = self.memory.full_run(self.batch_tokens).saturating_sub(self.memory.share);
        wanted.min(self.memory.pool.saturating_sub(self.pool_used))
    }

    /// The units that fill a run begun by `head`: walks outwards from its length and takes, of the next
    /// shorter and the next longer one, whichever adds less padding; of equally long ones by turn, so that a
    /// submitter with more waiting does not take more than its share.
    fn partners(&self, head: &Unit<T>, batch_tokens: usize) -> Vec<u64> {
        let most_bytes = self.memory.share.saturating_add(self.room_for_filling());
        let mut rows = head.rows.len();
        let mut longest = head.len;
        let mut chosen = Vec::new();
        let joins = |submitter: Submitter| submitter.id == head.submitter.id || self.admits(submitter);
        let begin = Length { group: head.group, len: 0 };
        let end = Length { group: head.group, len: usize::MAX };
        let shorter = self.by_length.range(begin..head.length()).rev();
        let longer = self.by_length.range(head.length()..=end);
        let mut shorter = shorter.flat_map(|(length, alike)| in_turn(length.len, alike, joins)).peekable();
        let mut longer = longer.flat_map(|(length, alike)| in_turn(length.len, alike, joins)).peekable();
        loop {
            let down = shorter.peek().map(|(len, _)| longest - len);
            let up = longer.peek().map(|(len, _)| len.saturating_sub(longest) * rows);
            let (padding, from_above) = match (down, up) {
                (None, None) => break,
                (Some(down), None) => (down, false),
                (None, Some(up)) => (up, true),
                (Some(down), Some(up)) => (down.min(up), up < down),
            };
            if padding > MERGE_SLACK {
                break;
            }
            let next = if from_above { longer.next() } else { shorter.next() };
            let Some((len, seq)) = next else { break };
            let max = longest.max(len);
            if max * (rows + 1) > batch_tokens || self.memory.cost.of(rows + 1, max) > most_bytes {
                break;
            }
            longest = max;
            rows += 1;
            chosen.push(seq);
        }
        chosen
    }
}

/// The units of one length whose submitter joins a run, by turn: each one's length and number.
fn in_turn<'a>(
    len: usize,
    alike: &'a BTreeSet<Alike>,
    joins: impl Fn(Submitter) -> bool + 'a,
) -> impl Iterator<Item = (usize, u64)> + 'a {
    alike.iter().filter(move |alike| joins(alike.submitter)).map(move |alike| (len, alike.seq))
}
