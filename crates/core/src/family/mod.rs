//! What a family of models adds to the engine: how an input is prepared, how prepared items become the tensors
//! of a run, and how a run's outputs become rows. Everything between (window, planning, sessions, order, cancel)
//! is the engine's and the same for all.

mod text;

pub use text::Role;

pub(crate) use text::{text_cost, tokens_of_bytes};

use millrace_contract::{Batch, Error, ErrorKind, Output, Result};
use std::fmt;

/// What preparing an input gives.
#[derive(Debug)]
pub enum Prepared<I, R> {
    /// Something to be run.
    Item(I),
    /// The finished row, of so many tokens: the input needs no run of a graph.
    Row(R, usize),
    /// Several parts, whose rows become one.
    Parts(Box<dyn Parts<I, R>>, Box<dyn Merge<R>>),
}

/// The parts of an input that is too long for one item. They are made as they are needed, a few at a time.
pub trait Parts<I, R>: Send {
    /// The next part, an item or a row; `None` after the last. Runs on the preparing pool; an error is that of the
    /// input, and the end of its parts.
    fn next(&mut self) -> Option<Result<Prepared<I, R>>>;

    /// What the parts that are still to be made weigh in the window, in tokens.
    fn cost(&self) -> usize;
}

/// Makes one row of the parts' rows. It is given them in order, each as soon as those before it are there.
pub trait Merge<R>: Send {
    /// Takes the row of the next part. An error is that of the input.
    fn add(&mut self, row: R) -> Result<()>;

    /// The row of the input, after the last part.
    fn finish(self: Box<Self>) -> Result<R>;
}

impl<I, R> fmt::Debug for dyn Parts<I, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").field("cost", &self.cost()).finish_non_exhaustive()
    }
}

impl<R> fmt::Debug for dyn Merge<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Merge").finish_non_exhaustive()
    }
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

    /// Rows that a call may hold, waiting or finished. Short texts need thousands waiting for little padding, and 4,096
    /// finished rows of 384 floats take 6 MB; fewer where a row holds more.
    fn window_rows(&self) -> usize {
        4096
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

/// The output of a run of which a family reads one.
pub(crate) fn only_output<'a, 'b>(outputs: &'a [Output<'b>]) -> Result<&'a Output<'b>> {
    outputs.first().ok_or_else(|| Error::new(ErrorKind::InferenceFailed, "The graph gave no output"))
}

/// A number of tokens as batches carry it. No text that is held in memory has 2^32 of them.
pub(crate) fn count(tokens: usize) -> u32 {
    u32::try_from(tokens).unwrap_or(u32::MAX)
}
