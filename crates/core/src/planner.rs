//! Which waiting items share the next run. Pure data: no threads, no clocks, no model.
//!
//! A run starts with the item of the highest priority whose turn it is and is filled with the items whose
//! addition costs the least padding, whoever submitted them, up to a budget of padded tokens. Items that must not
//! share a run are *sealed* and run as they are.
//!
//! Turns are fair between submitters of one priority (start-time fair queueing): each submitter numbers its items by the
//! tokens it has submitted, starting at the planner's virtual time, so a small call does not wait for a bulk
//! call's whole backlog, and two bulk calls advance alike.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
};

/// Every this many plans, the oldest item of all starts the run, whatever its priority, so that a constant
/// stream of urgent work slows bulk work to a quarter but never stops it.
const AGING_PERIOD: u64 = 4;

/// Padding in tokens that an item may bring into a run. A run of its own costs 8 (weight-only int8) to 20 (fp32) tokens
/// more, measured: with more padding than that, running apart is cheaper.
const MERGE_SLACK: usize = 8;

/// Runs below this many padded tokens are not split further among idle workers: the fixed cost of a run
/// would outweigh the second worker.
const MIN_SPLIT_TOKENS: usize = 32;

/// Something that waits to be run.
#[derive(Debug)]
pub struct Unit<T> {
    /// Order of submission, unique in a planner.
    pub seq: u64,
    /// Higher runs first.
    pub priority: i32,
    /// Virtual time of its turn, in tokens: lower runs first.
    pub turn: u64,
    /// Only units of one group can share a run.
    pub group: u32,
    /// Tokens of a row after its own padding; the longest of the unit.
    pub len: usize,
    /// Whether it runs as it is, with nobody else.
    pub sealed: bool,
    /// What is to be run: one row, or the rows of a sealed slice.
    pub rows: Vec<T>,
}

impl<T> Unit<T> {
    fn padded(&self) -> usize {
        self.len * self.rows.len()
    }
}

/// Waiting units, and the choice among them.
#[derive(Debug)]
pub struct Planner<T> {
    budget: usize,
    units: BTreeMap<u64, Unit<T>>,
    by_turn: BTreeSet<Turn>,
    by_length: BTreeMap<Length, BTreeSet<(u64, u64)>>,
    waiting_tokens: usize,
    waiting_rows: usize,
    plans: u64,
    virtual_time: u64,
}

/// Priority, turn and order of submission.
type Turn = (Reverse<i32>, u64, u64);

/// Group and length; of each, the units by turn and order of submission.
type Length = (u32, usize);

impl<T> Unit<T> {
    fn turn(&self) -> Turn {
        (Reverse(self.priority), self.turn, self.seq)
    }
}

impl<T> Planner<T> {
    /// A planner of runs of at most `budget` padded tokens; a single row may exceed it.
    #[must_use]
    pub fn new(budget: usize) -> Self {
        Self {
            budget: budget.max(1),
            units: BTreeMap::new(),
            by_turn: BTreeSet::new(),
            by_length: BTreeMap::new(),
            waiting_tokens: 0,
            waiting_rows: 0,
            plans: 0,
            virtual_time: 0,
        }
    }

    /// Adds a unit. Its `seq` must be new and it must have rows.
    pub fn push(&mut self, unit: Unit<T>) {
        debug_assert!(!unit.rows.is_empty(), "a unit without rows cannot be run");
        self.by_turn.insert(unit.turn());
        if !unit.sealed {
            let alike = self.by_length.entry((unit.group, unit.len)).or_default();
            alike.insert((unit.turn, unit.seq));
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

    /// The rows of the next run, or `None` when nothing waits. `idle` is how many other workers have nothing to
    /// do: they get their share of what waits.
    pub fn take(&mut self, idle: usize) -> Option<Vec<T>> {
        let head = self.head()?;
        self.plans = self.plans.wrapping_add(1);
        let share = (self.waiting_tokens / (idle + 1)).max(MIN_SPLIT_TOKENS);
        let head = self.remove(head)?;
        self.virtual_time = self.virtual_time.max(head.turn);
        if head.sealed {
            return Some(head.rows);
        }
        let chosen = self.partners(&head, self.budget.min(share));
        let mut rows = head.rows;
        for seq in chosen {
            if let Some(unit) = self.remove(seq) {
                rows.extend(unit.rows);
            }
        }
        Some(rows)
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

    fn head(&self) -> Option<u64> {
        let next = self.by_turn.first().map(|(_, _, seq)| *seq);
        if self.plans % AGING_PERIOD == AGING_PERIOD - 1 {
            return self.units.first_key_value().map(|(seq, _)| *seq);
        }
        next
    }

    fn remove(&mut self, seq: u64) -> Option<Unit<T>> {
        let unit = self.units.remove(&seq)?;
        self.by_turn.remove(&unit.turn());
        if let Entry::Occupied(mut alike) = self.by_length.entry((unit.group, unit.len)) {
            alike.get_mut().remove(&(unit.turn, seq));
            if alike.get().is_empty() {
                alike.remove();
            }
        }
        self.waiting_tokens -= unit.padded();
        self.waiting_rows -= unit.rows.len();
        Some(unit)
    }

    /// The units that fill a run begun by `head`: walks outwards from its length and takes, of the next
    /// shorter and the next longer one, whichever adds less padding; of equally long ones by turn, so that a
    /// submitter with more waiting does not take more than its share.
    fn partners(&self, head: &Unit<T>, budget: usize) -> Vec<u64> {
        let mut rows = head.rows.len();
        let mut longest = head.len;
        let mut chosen = Vec::new();
        let at = (head.group, head.len);
        let each = |(&(_, len), alike)| BTreeSet::iter(alike).map(move |&(_, seq)| (len, seq));
        let mut shorter = self.by_length.range((head.group, 0)..at).rev().flat_map(each).peekable();
        let mut longer = self.by_length.range(at..=(head.group, usize::MAX)).flat_map(each).peekable();
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
            if max * (rows + 1) > budget {
                break;
            }
            longest = max;
            rows += 1;
            chosen.push(seq);
        }
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn unit(seq: u64, priority: i32, len: usize) -> Unit<u64> {
        Unit { seq, priority, turn: seq, group: 0, len, sealed: false, rows: vec![seq] }
    }

    fn planner(budget: usize, lens: &[usize]) -> Planner<u64> {
        let mut planner = Planner::new(budget);
        for (seq, &len) in lens.iter().enumerate() {
            planner.push(unit(seq as u64, 0, len));
        }
        planner
    }

    #[test]
    fn starts_with_the_oldest_and_takes_the_nearest() {
        let mut planner = planner(40, &[10, 100, 11, 9, 50, 10]);
        let mut run = planner.take(0).unwrap();
        assert_eq!(run[0], 0, "the oldest starts");
        run.sort_unstable();
        assert_eq!(run, [0, 3, 5], "11 would make four rows of 11: over 40");
    }

    #[test]
    fn runs_apart_what_padding_makes_dear() {
        let mut planner = planner(1000, &[10, 200, 12]);
        assert_eq!(planner.take(0).unwrap(), [0, 2]);
        assert_eq!(planner.take(0).unwrap(), [1]);
    }

    #[test]
    fn a_row_over_the_budget_runs_alone() {
        let mut planner = planner(64, &[100, 100]);
        assert_eq!(planner.take(0).unwrap(), [0]);
        assert_eq!(planner.take(0).unwrap(), [1]);
        assert!(planner.take(0).is_none());
    }

    #[test]
    fn priority_overtakes_but_does_not_starve() {
        let mut planner = Planner::new(1);
        planner.push(unit(0, 0, 5));
        for seq in 1..20 {
            planner.push(unit(seq, 7, 5));
        }
        let order: Vec<u64> = (0..20).map(|_| planner.take(0).unwrap()[0]).collect();
        assert_eq!(order[0], 1);
        let bulk = order.iter().position(|&seq| seq == 0).unwrap();
        assert!(bulk < usize::try_from(AGING_PERIOD).unwrap(), "bulk item ran at {bulk}");
    }

    #[test]
    fn turns_come_before_age() {
        let mut planner = Planner::new(1);
        for (seq, turn) in [(0, 0), (1, 10), (2, 20), (3, 12), (4, 14)] {
            planner.push(Unit { turn, ..unit(seq, 0, 5) });
        }
        assert_eq!(planner.virtual_time(), 0);
        let order: Vec<u64> = (0..3).map(|_| planner.take(0).unwrap()[0]).collect();
        assert_eq!(order, [0, 1, 3]);
        assert_eq!(planner.virtual_time(), 12);
    }

    #[test]
    fn sealed_units_and_groups_stay_apart() {
        let mut planner = Planner::new(1000);
        planner.push(unit(0, 0, 5));
        planner.push(Unit {
            seq: 1,
            priority: 0,
            turn: 1,
            group: 0,
            len: 5,
            sealed: true,
            rows: vec![10, 11],
        });
        planner.push(Unit { seq: 2, priority: 0, turn: 2, group: 1, len: 5, sealed: false, rows: vec![2] });
        planner.push(unit(3, 0, 5));
        assert_eq!(planner.take(0).unwrap(), [0, 3]);
        assert_eq!(planner.take(0).unwrap(), [10, 11]);
        assert_eq!(planner.take(0).unwrap(), [2]);
    }

    #[test]
    fn idle_workers_get_their_share() {
        let mut planner = planner(1000, &[16; 8]);
        assert_eq!(planner.take(1).unwrap().len(), 4);
        assert_eq!(planner.take(0).unwrap().len(), 4);
    }

    #[test]
    fn removes_a_job_whole() {
        let mut planner = planner(1000, &[5, 5, 5]);
        planner.push(Unit { seq: 9, priority: 0, turn: 9, group: 0, len: 5, sealed: true, rows: vec![1, 7] });
        assert_eq!(planner.remove_rows(|&row| row == 1), [1, 1]);
        assert_eq!(planner.waiting_rows(), 3);
        assert_eq!(planner.take(0).unwrap(), [0, 2]);
        assert_eq!(planner.take(0).unwrap(), [7]);
        assert!(planner.is_empty());
    }

    proptest! {
        #[test]
        fn plans_every_row_once_within_the_budget(
            units in prop::collection::vec((0_i32..3, 0_u32..2, 1_usize..300), 0..120),
            budget in 1_usize..600,
            idle in 0_usize..3,
        ) {
            let mut planner = Planner::new(budget);
            for (seq, &(priority, group, len)) in units.iter().enumerate() {
                let seq = seq as u64;
                planner.push(Unit { seq, priority, turn: seq % 7, group, len, sealed: false, rows: vec![seq] });
            }
            let mut seen = vec![false; units.len()];
            while let Some(run) = planner.take(idle) {
                let rows: Vec<_> = run.iter().map(|&seq| units[usize::try_from(seq).unwrap()]).collect();
                let longest = rows.iter().map(|row| row.2).max().unwrap();
                prop_assert!(run.len() == 1 || longest * run.len() <= budget);
                prop_assert!(rows.iter().all(|row| row.1 == rows[0].1), "groups do not mix");
                for seq in run {
                    let seq = usize::try_from(seq).unwrap();
                    prop_assert!(!seen[seq], "row {} planned twice", seq);
                    seen[seq] = true;
                }
            }
            prop_assert!(seen.iter().all(|&seen| seen));
            prop_assert_eq!(planner.waiting_rows(), 0);
        }
    }
}
