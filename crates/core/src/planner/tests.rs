//! The planner's choices, run by run.

use super::*;
use millrace_contract::RunMemory;
use proptest::prelude::*;

/// A submitter that may have any number of runs at once.
const ANYONE: Submitter = Submitter { id: 0, at_once: usize::MAX };

fn unit(seq: u64, priority: i32, len: usize) -> Unit<u64> {
    Unit { seq, priority, turn: seq, group: 0, len, sealed: false, submitter: ANYONE, rows: vec![seq] }
}

fn unlimited(budget: usize) -> Planner<u64> {
    Planner::new(budget, MemoryBudget::unlimited())
}

/// The rows of the next run, which ends at once.
fn take(planner: &mut Planner<u64>, idle: usize) -> Option<Vec<u64>> {
    let plan = planner.take(idle)?;
    planner.finish(plan.hold);
    Some(plan.rows)
}

fn planner(budget: usize, lens: &[usize]) -> Planner<u64> {
    let mut planner = unlimited(budget);
    for (seq, &len) in lens.iter().enumerate() {
        planner.push(unit(seq as u64, 0, len));
    }
    planner
}

#[test]
fn starts_with_the_oldest_and_takes_the_nearest() {
    let mut planner = planner(40, &[10, 100, 11, 9, 50, 10]);
    let mut run = take(&mut planner, 0).unwrap();
    assert_eq!(run[0], 0, "the oldest starts");
    run.sort_unstable();
    assert_eq!(run, [0, 3, 5], "11 would make four rows of 11: over 40");
}

#[test]
fn runs_apart_what_padding_makes_dear() {
    let mut planner = planner(1000, &[10, 200, 12]);
    assert_eq!(take(&mut planner, 0).unwrap(), [0, 2]);
    assert_eq!(take(&mut planner, 0).unwrap(), [1]);
}

#[test]
fn a_row_over_the_budget_runs_alone() {
    let mut planner = planner(64, &[100, 100]);
    assert_eq!(take(&mut planner, 0).unwrap(), [0]);
    assert_eq!(take(&mut planner, 0).unwrap(), [1]);
    assert!(take(&mut planner, 0).is_none());
}

#[test]
fn priority_overtakes_but_does_not_starve() {
    let mut planner = unlimited(1);
    planner.push(unit(0, 0, 5));
    for seq in 1..20 {
        planner.push(unit(seq, 7, 5));
    }
    let order: Vec<u64> = (0..20).map(|_| take(&mut planner, 0).unwrap()[0]).collect();
    assert_eq!(order[0], 1);
    let bulk = order.iter().position(|&seq| seq == 0).unwrap();
    assert!(bulk < usize::try_from(AGING_PERIOD).unwrap(), "bulk item ran at {bulk}");
}

#[test]
fn turns_come_before_age() {
    let mut planner = unlimited(1);
    for (seq, turn) in [(0, 0), (1, 10), (2, 20), (3, 12), (4, 14)] {
        planner.push(Unit { turn, ..unit(seq, 0, 5) });
    }
    assert_eq!(planner.virtual_time(), 0);
    let order: Vec<u64> = (0..3).map(|_| take(&mut planner, 0).unwrap()[0]).collect();
    assert_eq!(order, [0, 1, 3]);
    assert_eq!(planner.virtual_time(), 12);
}

#[test]
fn sealed_units_and_groups_stay_apart() {
    let mut planner = unlimited(1000);
    planner.push(unit(0, 0, 5));
    planner.push(Unit {
        seq: 1,
        priority: 0,
        turn: 1,
        group: 0,
        len: 5,
        sealed: true,
        submitter: ANYONE,
        rows: vec![10, 11],
    });
    planner.push(Unit {
        seq: 2,
        priority: 0,
        turn: 2,
        group: 1,
        len: 5,
        sealed: false,
        submitter: ANYONE,
        rows: vec![2],
    });
    planner.push(unit(3, 0, 5));
    assert_eq!(take(&mut planner, 0).unwrap(), [0, 3]);
    assert_eq!(take(&mut planner, 0).unwrap(), [10, 11]);
    assert_eq!(take(&mut planner, 0).unwrap(), [2]);
}

#[test]
fn idle_workers_get_their_share() {
    let mut planner = planner(1000, &[16; 8]);
    assert_eq!(take(&mut planner, 1).unwrap().len(), 4);
    assert_eq!(take(&mut planner, 0).unwrap().len(), 4);
}

#[test]
fn removes_a_job_whole() {
    let mut planner = planner(1000, &[5, 5, 5]);
    planner.push(Unit {
        seq: 9,
        priority: 0,
        turn: 9,
        group: 0,
        len: 5,
        sealed: true,
        submitter: ANYONE,
        rows: vec![1, 7],
    });
    assert_eq!(planner.remove_rows(|&row| row == 1), [1, 1]);
    assert_eq!(planner.waiting_rows(), 3);
    assert_eq!(take(&mut planner, 0).unwrap(), [0, 2]);
    assert_eq!(take(&mut planner, 0).unwrap(), [7]);
    assert!(planner.is_empty());
}

proptest! {
    #[test]
    fn plans_every_row_once_within_the_budget(
        units in prop::collection::vec((0_i32..3, 0_u32..2, 1_usize..300), 0..120),
        budget in 1_usize..600,
        idle in 0_usize..3,
    ) {
        let mut planner = unlimited(budget);
        for (seq, &(priority, group, len)) in units.iter().enumerate() {
            let seq = seq as u64;
            planner.push(Unit { seq, priority, turn: seq % 7, group, len, sealed: false, submitter: ANYONE, rows: vec![seq] });
        }
        let mut seen = vec![false; units.len()];
        while let Some(run) = take(&mut planner, idle) {
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

/// A row of n tokens takes n² bytes; a session's own share is a row of 10 tokens.
fn in_memory(pool: u64) -> Planner<u64> {
    let cost = RunMemory { per_token: 0, per_pair: 1 };
    let memory = MemoryBudget { cost, share: 100, pool, ..MemoryBudget::unlimited() };
    Planner::new(10, memory)
}

#[test]
fn long_rows_take_turns_at_the_pool() {
    let mut planner = in_memory(1000);
    for (seq, len) in [(0, 30), (1, 25), (2, 20)] {
        planner.push(unit(seq, 0, len));
    }
    let first = planner.take(0).unwrap();
    assert_eq!((first.rows.as_slice(), first.hold.bytes()), ([0].as_slice(), 800));
    assert!(planner.take(0).is_none(), "525 and 300 bytes do not fit beside 800 of 1,000");
    planner.finish(first.hold);
    let second = planner.take(0).unwrap();
    assert_eq!(second.rows, [1]);
    assert_eq!(planner.take(0).unwrap().rows, [2], "300 bytes fit beside 525");
}

#[test]
fn ordinary_rows_pass_long_ones_that_wait_for_room() {
    let mut planner = in_memory(1000);
    for (seq, len) in [(0, 30), (1, 30), (2, 5), (3, 6)] {
        planner.push(unit(seq, 0, len));
    }
    let long = planner.take(1).unwrap();
    assert_eq!(long.rows, [0]);
    let beside = planner.take(0).unwrap();
    assert_eq!((beside.rows.as_slice(), beside.hold.bytes()), ([2].as_slice(), 0));
    planner.finish(long.hold);
    assert_eq!(planner.take(0).unwrap().rows, [1], "the room is its own once it is there");
}

#[test]
fn a_long_row_that_waits_for_room_is_not_passed_by_shorter_long_ones() {
    let mut planner = in_memory(1000);
    for (seq, len) in [(0, 25), (1, 33), (2, 15), (3, 15)] {
        planner.push(unit(seq, 0, len));
    }
    let first = planner.take(0).unwrap();
    assert_eq!(first.rows, [0]);
    assert!(planner.take(0).is_none(), "a row of 15 tokens would fit, but its turn is later");
    planner.finish(first.hold);
    assert_eq!(planner.take(0).unwrap().rows, [1]);
}

#[test]
fn an_urgent_row_passes_a_long_one_that_waits_for_room() {
    let mut planner = in_memory(1000);
    planner.push(unit(0, 0, 25));
    planner.push(unit(1, 0, 33));
    let first = planner.take(0).unwrap();
    assert!(planner.take(0).is_none());
    planner.push(unit(2, 5, 8));
    planner.push(unit(3, 5, 20));
    assert_eq!(planner.take(0).unwrap().rows, [2]);
    planner.finish(first.hold);
    assert_eq!(planner.take(0).unwrap().rows, [3]);
}

#[test]
fn a_row_that_is_larger_than_the_pool_has_it_to_itself() {
    let mut planner = in_memory(1000);
    for (seq, len) in [(0, 40), (1, 20)] {
        planner.push(unit(seq, 0, len));
    }
    let first = planner.take(0).unwrap();
    assert_eq!(first.rows, [0]);
    assert!(planner.take(0).is_none());
    planner.finish(first.hold);
    assert_eq!(planner.take(0).unwrap().rows, [1]);
}

#[test]
fn a_long_row_that_goes_away_gives_its_turn_away() {
    let mut planner = in_memory(1000);
    for (seq, len) in [(0, 25), (1, 33), (2, 15)] {
        planner.push(unit(seq, 0, len));
    }
    let _first = planner.take(0).unwrap();
    assert!(planner.take(0).is_none());
    planner.remove_rows(|&row| row == 1);
    assert_eq!(planner.take(0).unwrap().rows, [2]);
}

#[test]
fn a_submitter_has_no_more_runs_at_once_than_it_allows() {
    let mut planner = unlimited(10);
    let modest = Submitter { id: 7, at_once: 1 };
    for seq in 0..3 {
        planner.push(Unit { submitter: modest, ..unit(seq, 0, 10) });
    }
    planner.push(unit(3, 0, 10));
    let first = planner.take(2).unwrap();
    assert_eq!(first.rows, [0]);
    assert_eq!(planner.take(1).unwrap().rows, [3], "the other's turn comes before its own");
    assert!(planner.take(0).is_none());
    planner.finish(first.hold);
    assert_eq!(planner.take(0).unwrap().rows, [1]);
}

#[test]
fn rows_of_a_submitter_at_its_bound_join_nobody_elses_run() {
    let mut planner = unlimited(100);
    let modest = Submitter { id: 7, at_once: 1 };
    planner.push(Unit { submitter: modest, ..unit(0, 0, 100) });
    planner.push(Unit { submitter: modest, ..unit(1, 0, 10) });
    planner.push(unit(2, 0, 10));
    let first = planner.take(0).unwrap();
    assert_eq!(first.rows, [0]);
    assert_eq!(planner.take(0).unwrap().rows, [2]);
    planner.finish(first.hold);
    assert_eq!(planner.take(0).unwrap().rows, [1]);
}

#[test]
fn rows_of_a_submitter_with_a_bound_share_its_one_run() {
    let mut planner = unlimited(100);
    let modest = Submitter { id: 7, at_once: 1 };
    for seq in 0..4 {
        planner.push(Unit { submitter: modest, ..unit(seq, 0, 10) });
    }
    assert_eq!(planner.take(3).unwrap().rows.len(), 4, "the idle workers may not help");
}

/// What a random schedule does next.
#[derive(Debug, Clone)]
enum Step {
    Push(Pushed),
    Take,
    /// Ends one of the runs under way.
    Finish(usize),
}

#[derive(Debug, Clone, Copy)]
struct Pushed {
    priority: i32,
    len: usize,
    submitter: Submitter,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let submitter = prop_oneof![
        Just(ANYONE),
        Just(Submitter { id: 1, at_once: 1 }),
        Just(Submitter { id: 2, at_once: 2 })
    ];
    let len = prop_oneof![3 => 1_usize..11, 1 => 11_usize..40];
    let pushed = (0_i32..3, len, submitter);
    let step = prop_oneof![
        4 => pushed.prop_map(|(priority, len, submitter)| Step::Push(Pushed { priority, len, submitter })),
        3 => Just(Step::Take),
        2 => (0_usize..8).prop_map(Step::Finish),
    ];
    prop::collection::vec(step, 0..200)
}

/// Sessions of the schedule.
const SESSIONS: usize = 4;

proptest! {
    /// Whatever is pushed and whenever runs end: all runs under way take no more than the budget, no submitter has more runs than it
    /// allows, and every row is run once.
    #[test]
    fn runs_under_way_stay_within_memory_and_bounds(steps in steps()) {
        let cost = RunMemory { per_token: 3, per_pair: 1 };
        let longest = cost.of(1, 39);
        let memory = MemoryBudget { cost, share: cost.of(1, 10), pool: longest, ..MemoryBudget::unlimited() };
        let total = memory.total(SESSIONS);
        let mut planner = Planner::new(30, memory);
        let mut pushed: Vec<Pushed> = Vec::new();
        let mut running: Vec<Plan<u64>> = Vec::new();
        let mut seen: Vec<u64> = Vec::new();
        let end = (0..1000).flat_map(|_| [Step::Take, Step::Finish(0)]);
        for step in steps.into_iter().chain(end) {
            match step {
                Step::Push(unit) => {
                    let seq = pushed.len() as u64;
                    let Pushed { priority, len, submitter } = unit;
                    let rows = vec![seq];
                    planner.push(Unit { seq, priority, turn: seq, group: 0, len, sealed: false, submitter, rows });
                    pushed.push(unit);
                }
                Step::Take if running.len() < SESSIONS => {
                    let Some(plan) = planner.take(SESSIONS - running.len() - 1) else {
                        let idle = running.is_empty() && !planner.is_empty();
                        prop_assert!(!idle, "rows wait and nothing runs");
                        continue;
                    };
                    seen.extend(&plan.rows);
                    running.push(plan);
                }
                Step::Finish(at) if at < running.len() => {
                    planner.finish(running.swap_remove(at).hold);
                }
                Step::Take | Step::Finish(_) => {}
            }
            let of = |row: &u64| pushed[usize::try_from(*row).unwrap()];
            let taken: u64 = running
                .iter()
                .map(|plan| cost.of(plan.rows.len(), plan.rows.iter().map(|row| of(row).len).max().unwrap()))
                .sum();
            prop_assert!(taken <= total, "{} bytes of {}", taken, total);
            for id in [1, 2] {
                let holds = |plan: &&Plan<u64>| plan.rows.iter().any(|row| of(row).submitter.id == id);
                prop_assert!(running.iter().filter(holds).count() as u64 <= id, "submitter {}", id);
            }
        }
        seen.sort_unstable();
        prop_assert_eq!(seen, (0..pushed.len() as u64).collect::<Vec<_>>());
    }
}
