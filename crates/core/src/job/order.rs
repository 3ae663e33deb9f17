//! Puts finished rows back into the order of their inputs, or hands them out as they come.

use millrace_contract::{Error, Result};
use std::collections::VecDeque;

/// Order of delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Row i of the output belongs to input i.
    #[default]
    Input,
    /// As rows are finished; each delivery names its inputs.
    Completion,
}

/// Finished rows that were not taken yet.
pub(super) struct Reorder<R> {
    rows: Rows<R>,
    /// Errors among the rows held: while there are none, nobody needs to look for one.
    errors: usize,
}

enum Rows<R> {
    Input {
        /// Input position of the front.
        base: u64,
        rows: VecDeque<Option<Result<R>>>,
        /// How many rows at the front are there without a gap.
        ready: usize,
    },
    Completion {
        rows: VecDeque<(u64, Result<R>)>,
        /// Rows taken so far.
        taken: u64,
    },
}

/// Rows taken together.
pub(super) struct Taken<R> {
    pub offset: u64,
    pub indices: Option<Vec<u64>>,
    pub rows: Vec<Result<R>>,
}

impl<R> Reorder<R> {
    pub(super) fn new(order: Order) -> Self {
        let rows = match order {
            Order::Input => Rows::Input { base: 0, rows: VecDeque::new(), ready: 0 },
            Order::Completion => Rows::Completion { rows: VecDeque::new(), taken: 0 },
        };
        Self { rows, errors: 0 }
    }

    pub(super) fn insert(&mut self, index: u64, row: Result<R>) {
        self.errors += usize::from(row.is_err());
        match &mut self.rows {
            Rows::Input { base, rows, ready } => {
                let Some(place) = index.checked_sub(*base).and_then(|place| usize::try_from(place).ok())
                else {
                    return;
                };
                if rows.len() <= place {
                    rows.resize_with(place + 1, || None);
                }
                rows[place] = Some(row);
                while rows.get(*ready).is_some_and(Option::is_some) {
                    *ready += 1;
                }
            }
            Rows::Completion { rows, .. } => rows.push_back((index, row)),
        }
    }

    /// Rows that could be taken now.
    pub(super) fn ready(&self) -> usize {
        match &self.rows {
            Rows::Input { ready, .. } => *ready,
            Rows::Completion { rows, .. } => rows.len(),
        }
    }

    /// Whether one of the rows that could be taken is an error.
    pub(super) fn first_error(&self) -> Option<(usize, Error)> {
        if self.errors == 0 {
            return None;
        }
        let error = |row: &Result<R>| row.as_ref().err().cloned();
        match &self.rows {
            Rows::Input { rows, ready, .. } => rows
                .iter()
                .take(*ready)
                .enumerate()
                .find_map(|(at, row)| row.as_ref().and_then(error).map(|error| (at, error))),
            Rows::Completion { rows, .. } => {
                rows.iter().enumerate().find_map(|(at, (_, row))| error(row).map(|error| (at, error)))
            }
        }
    }

    /// Takes the first `count` rows, of which all must be ready.
    pub(super) fn take(&mut self, count: usize) -> Taken<R> {
        let taken = self.take_rows(count);
        self.errors -= taken.rows.iter().filter(|row| row.is_err()).count();
        taken
    }

    fn take_rows(&mut self, count: usize) -> Taken<R> {
        match &mut self.rows {
            Rows::Input { base, rows, ready } => {
                let count = count.min(*ready);
                let offset = *base;
                let taken = rows.drain(..count).flatten().collect();
                *ready -= count;
                *base += count as u64;
                Taken { offset, indices: None, rows: taken }
            }
            Rows::Completion { rows, taken } => {
                let count = count.min(rows.len());
                let offset = *taken;
                *taken += count as u64;
                let (indices, rows) = rows.drain(..count).unzip();
                Taken { offset, indices: Some(indices), rows }
            }
        }
    }

    pub(super) fn clear(&mut self) {
        self.errors = 0;
        match &mut self.rows {
            Rows::Input { rows, ready, .. } => {
                *rows = VecDeque::new();
                *ready = 0;
            }
            Rows::Completion { rows, .. } => *rows = VecDeque::new(),
        }
    }
}
