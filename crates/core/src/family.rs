//! What a family of models adds to the engine: how an input is prepared, how prepared items become the tensors
//! of a run, and how a run's outputs become rows. Everything between (window, planning, sessions, order, cancel)
//! is the engine's and the same for all.

use millrace_contract::{Batch, Output, Result};

/// What preparing an input gives.
#[derive(Debug)]
pub enum Prepared<I, R> {
    /// Something to be run.
    Item(I),
    /// The finished row, of so many tokens: the input needs no run of a graph.
    Row(R, usize),
}

/// A pre- and a post-processor around the graph. One value serves all calls on a loaded model.
pub trait Family: Send + Sync + 'static {
    /// What a user gives for one row.
    type Input: Send + 'static;
    /// A call's own options, checked already.
    type Call: Send + Sync + 'static;
    /// An input made ready for collation, small enough to wait in numbers.
    type Item: Send + 'static;
    /// What a user gets for one input.
    type Row: Send + 'static;

    /// What an unprepared input weighs in the window, in tokens: an estimate that must grow with its size.
    fn input_cost(&self, input: &Self::Input) -> usize;

    /// What an input usually weighs: how many the first slice of a call may have.
    fn typical_cost(&self) -> usize {
        1
    }

    /// Makes an input ready. Runs on the preparing pool; an error concerns this input alone.
    fn prepare(&self, input: Self::Input, call: &Self::Call) -> Result<Prepared<Self::Item, Self::Row>>;

    /// Tokens of the item itself.
    fn tokens(&self, item: &Self::Item) -> usize;

    /// What the item weighs in the window while it waits. More than its tokens where it holds more memory than
    /// token ids would.
    fn weight(&self, item: &Self::Item) -> usize {
        self.tokens(item)
    }

    /// Tokens of a row that holds `item` alone, its own padding included.
    fn padded_len(&self, item: &Self::Item) -> usize;

    /// Items of different groups never share a run.
    fn group(&self, _call: &Self::Call) -> u32 {
        0
    }

    /// The tensors of a run over `items`, in this order.
    fn collate(&self, items: &[&Self::Item]) -> Result<Batch>;

    /// Positions of the graph's outputs that [`finish`](Self::finish) reads.
    fn outputs(&self) -> &[usize];

    /// The row of item number `row` of `batch`. Runs on the session's thread; an error concerns this row alone.
    fn finish(
        &self,
        outputs: &[Output<'_>],
        batch: &Batch,
        row: usize,
        item: &Self::Item,
        call: &Self::Call,
    ) -> Result<Self::Row>;
}
