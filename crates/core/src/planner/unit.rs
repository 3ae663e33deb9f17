//! What a planner holds and gives: units that wait, runs that were planned, and the orders in which units are found.

use std::cmp::Reverse;

/// Who submitted a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Submitter {
    /// Its number, unique in a planner.
    pub id: u64,
    /// Runs that may hold rows of it at once; `usize::MAX` for no bound.
    pub at_once: usize,
}

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
    /// Who submitted it.
    pub submitter: Submitter,
    /// What is to be run: one row, or the rows of a sealed slice.
    pub rows: Vec<T>,
}

/// A run that was planned.
#[derive(Debug)]
pub struct Plan<T> {
    /// Its rows.
    pub rows: Vec<T>,
    /// To be given back when the run has ended.
    pub hold: Hold,
}

/// What a run holds of what all runs share, until [`Planner::finish`] takes it back.
#[derive(Debug, Default)]
#[must_use = "what a run held is lost to the other runs until it is given back"]
pub struct Hold {
    /// Bytes of the common pool.
    pub(super) bytes: u64,
    /// The submitters with a bound that have rows in the run.
    pub(super) bounded: Vec<u64>,
}

impl Hold {
    /// Bytes of the common pool.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// A unit's place in the order of turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct InTurn {
    pub(super) priority: Reverse<i32>,
    pub(super) turn: u64,
    pub(super) seq: u64,
    pub(super) submitter: Submitter,
}

/// Units that are alike but for their turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Length {
    pub(super) group: u32,
    pub(super) len: usize,
}

/// A unit's place among those of its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Alike {
    pub(super) turn: u64,
    pub(super) seq: u64,
    pub(super) submitter: Submitter,
}

impl<T> Unit<T> {
    pub(super) fn padded(&self) -> usize {
        self.len * self.rows.len()
    }

    pub(super) fn turn(&self) -> InTurn {
        let Self { priority, turn, seq, submitter, .. } = *self;
        InTurn { priority: Reverse(priority), turn, seq, submitter }
    }

    pub(super) fn length(&self) -> Length {
        Length { group: self.group, len: self.len }
    }

    pub(super) fn alike(&self) -> Alike {
        Alike { turn: self.turn, seq: self.seq, submitter: self.submitter }
    }
}
