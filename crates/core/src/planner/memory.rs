//! How much memory the runs of one planner may take together, and what a run takes of it. Numbers only: what a model's runs cost is
//! estimated in [`memory`](crate::memory), and what the machine has is asked in [`cpu`](crate::cpu).

use millrace_contract::{Error, ErrorKind, Result, RunMemory};

/// Tokens of a row that a session runs on its own share, however much the others take. Runs of this size are what most texts
/// are, so a session that has one never waits while another session works at a long text.
const SHARE_TOKENS: usize = 512;

/// Tokens of the text that the smallest accepted budget must hold on every session: with less, ordinary sentences would be refused.
const LEAST_TOKENS: usize = 128;

/// What all sessions may take by default where the longest text needs less: with it, a session for each of 8 cores runs texts of
/// 1,024 tokens on a model of 12 heads without waiting for the others.
const DEFAULT_BYTES: u64 = 1 << 30;

/// Who chose a memory budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BudgetSource {
    /// The caller, with the option `maxMemory`.
    Caller,
    /// Nobody, so that it follows from the model and from what the machine has.
    Default,
}

/// The memory that the runs under way may take together, beside the weights.
///
/// Every session has a share of its own, which the runs of ordinary texts stay under. What a run takes beyond its session's share comes out
/// of a common pool, so long texts take turns at the pool and ordinary texts never wait for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryBudget {
    /// Who chose it.
    pub source: BudgetSource,
    /// What a run takes, by its shape.
    pub cost: RunMemory,
    /// Bytes that each session has for itself.
    pub share: u64,
    /// Bytes of the common pool.
    pub pool: u64,
    /// Bytes of the largest run that is run at all. A run beyond `share + pool` but not beyond this one is run while no other
    /// run takes anything of the pool.
    pub most: u64,
}

impl MemoryBudget {
    /// No bound at all, for models whose runs cost nothing worth counting.
    #[must_use]
    pub const fn unlimited() -> Self {
        Self {
            source: BudgetSource::Default,
            cost: RunMemory { per_token: 0, per_pair: 0 },
            share: 0,
            pool: u64::MAX,
            most: u64::MAX,
        }
    }

    /// The budget of a caller who gives `bytes` to `sessions` sessions.
    ///
    /// Fails with `INVALID_OPTION` when a session could not run even a text of 128 tokens.
    pub fn of(bytes: u64, cost: RunMemory, sessions: usize) -> Result<Self> {
        let sessions = count(sessions);
        let least = cost.of(1, LEAST_TOKENS).saturating_mul(sessions);
        if bytes < least {
            let message = format!(
                "Expected at least {least} bytes for maxMemory (a text of {LEAST_TOKENS} tokens on each of {sessions} sessions) but received {bytes}"
            );
            return Err(Error::new(ErrorKind::InvalidOption, message));
        }
        // At most half of the budget is shared out, so that the pool has room for long texts on machines of many cores too.
        let share = cost.of(1, SHARE_TOKENS).min(bytes / sessions / 2);
        Ok(Self {
            source: BudgetSource::Caller,
            cost,
            share,
            pool: bytes - share * sessions,
            most: bytes - share * (sessions - 1),
        })
    }

    /// The budget where the caller gives none: what the longest text of `limit` tokens needs, or 1 GiB, or a run of `batch_tokens` tokens
    /// on each session, whichever is most; but never more than `allowed`, bytes that the process can be expected to get.
    #[must_use]
    pub fn by_default(
        cost: RunMemory,
        sessions: usize,
        batch_tokens: usize,
        limit: usize,
        allowed: u64,
    ) -> Self {
        let share = cost.of(1, SHARE_TOKENS);
        let sessions = count(sessions);
        let others = share.saturating_mul(sessions - 1);
        let longest = cost.of(1, limit).saturating_add(others);
        let ordinary = ordinary_run(cost, batch_tokens).saturating_mul(sessions);
        let wanted = longest.max(ordinary).max(DEFAULT_BYTES);
        let shares = share.saturating_mul(sessions);
        Self {
            source: BudgetSource::Default,
            cost,
            share,
            pool: wanted.min(allowed).saturating_sub(shares),
            // A text that does not fit beside ordinary runs would end in the kernel's killing the process.
            most: allowed.saturating_sub(others).max(share),
        }
    }

    /// What all runs of `sessions` sessions take together at the most, while no run is larger than share and pool.
    #[must_use]
    pub fn total(&self, sessions: usize) -> u64 {
        self.pool.saturating_add(self.share.saturating_mul(count(sessions)))
    }

    /// What the budget of `sessions` sessions must be for a text of `tokens` tokens to be run.
    #[must_use]
    pub fn needed_for(&self, tokens: usize, sessions: usize) -> u64 {
        self.cost.of(1, tokens).saturating_add(self.share.saturating_mul(count(sessions) - 1))
    }

    /// Whether a run of this shape is larger than any that is run.
    #[must_use]
    pub fn refuses(&self, rows: usize, len: usize) -> bool {
        self.cost.of(rows, len) > self.most
    }

    /// Why a run of this shape is refused: what it needs, what there is, and what the caller can do.
    #[must_use]
    pub fn refusal(&self, rows: usize, len: usize) -> Error {
        let Self { most, .. } = *self;
        let bound = match self.source {
            BudgetSource::Caller => "maxMemory leaves one run",
            BudgetSource::Default => "one run may take of the memory that this process is allowed",
        };
        let needed = self.cost.of(rows, len);
        let message = if rows == 1 {
            let longest = self.cost.longest_row(most);
            format!(
                "Expected a text of at most {longest} tokens ({most} bytes are what {bound}) but received {len} tokens, which need about {needed} bytes: lower maxLength, embed it in chunks, or raise maxMemory"
            )
        } else {
            format!(
                "Expected a run of at most {most} bytes (what {bound}) but received a fixed batch of {rows} rows of {len} tokens, which needs about {needed} bytes: lower batchSize or raise maxMemory"
            )
        };
        Error::new(ErrorKind::InputTooLong, message)
    }

    /// Bytes that a run of this shape takes of the pool.
    #[must_use]
    pub fn beyond_share(&self, rows: usize, len: usize) -> u64 {
        self.cost.of(rows, len).saturating_sub(self.share)
    }

    /// Bytes of a run that is filled with short rows up to `batch_tokens` padded tokens.
    pub(super) fn full_run(&self, batch_tokens: usize) -> u64 {
        ordinary_run(self.cost, batch_tokens)
    }
}

/// What a run of `batch_tokens` padded tokens takes whose rows are no longer than those a share is made for.
fn ordinary_run(cost: RunMemory, batch_tokens: usize) -> u64 {
    let len = batch_tokens.clamp(1, SHARE_TOKENS);
    cost.of(batch_tokens.div_ceil(len), len)
}

fn count(sessions: usize) -> u64 {
    u64::try_from(sessions.max(1)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A model of 12 heads and two buffers of 32-bit scores.
    const COST: RunMemory = RunMemory { per_token: 40_000, per_pair: 96 };

    #[test]
    fn a_callers_budget_is_shares_and_pool() {
        let budget = MemoryBudget::of(1 << 30, COST, 2).unwrap();
        assert_eq!(budget.share, COST.of(1, 512));
        assert_eq!(budget.total(2), 1 << 30);
        assert_eq!(budget.most, (1 << 30) - budget.share);
    }

    #[test]
    fn half_of_a_small_budget_is_pool() {
        let budget = MemoryBudget::of(200_000_000, COST, 4).unwrap();
        assert_eq!(budget.share, 25_000_000);
        assert_eq!(budget.pool, 100_000_000);
    }

    #[test]
    fn what_the_longest_text_is_said_to_need_is_enough_for_it() {
        let told = MemoryBudget::by_default(COST, 4, 384, 8192, u64::MAX).needed_for(8192, 4);
        let budget = MemoryBudget::of(told, COST, 4).unwrap();
        assert!(!budget.refuses(1, 8192));
        assert!(budget.refuses(1, 8193));
    }

    #[test]
    fn a_budget_for_less_than_a_sentence_is_refused() {
        let error = MemoryBudget::of(1_000_000, COST, 2).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidOption);
        assert!(error.message().starts_with("Expected at least 13385728 bytes for maxMemory"), "{error}");
    }

    #[test]
    fn by_default_the_longest_text_runs_beside_ordinary_ones() {
        let budget = MemoryBudget::by_default(COST, 2, 384, 8192, 64 << 30);
        assert_eq!(budget.total(2), COST.of(1, 8192) + COST.of(1, 512));
        let short = MemoryBudget::by_default(COST, 2, 384, 512, 64 << 30);
        assert_eq!(short.total(2), 1 << 30);
    }

    #[test]
    fn by_default_nothing_takes_more_than_the_process_may_have() {
        let budget = MemoryBudget::by_default(COST, 2, 384, usize::MAX, 4 << 30);
        assert_eq!(budget.total(2), 4 << 30);
        assert!(budget.refuses(1, 8192));
        assert!(!budget.refuses(1, 4096));
    }

    #[test]
    fn large_runs_that_a_caller_asks_for_fit_on_every_session() {
        let budget = MemoryBudget::by_default(COST, 8, 65_536, 512, u64::MAX);
        assert!(budget.total(8) >= 8 * COST.of(128, 512));
    }
}
