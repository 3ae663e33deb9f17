//! Biases of scores that depend on how far a key lies from its query (MPNet's buckets, ALiBi's slopes). Graphs compute them out
//! of two ranges by a dozen element-wise operations; here each of these is done once for every distance.

use super::{Found, number, value::Meaning};
use crate::{
    onnx::Tensor,
    plan::{Index, Relative},
};

/// The greatest distance that is looked at: longer texts than any encoder takes. Beyond it values are those of this distance,
/// which holds for buckets, whose last one is open.
const REACH: i64 = 1024;

#[expect(clippy::cast_precision_loss, reason = "a distance")]
fn distances() -> Vec<f64> {
    (-REACH..=REACH).map(|distance| distance as f64).collect()
}

fn operand(meaning: &Meaning) -> Option<Vec<f64>> {
    match meaning {
        Meaning::Distance(values) => Some(values.clone()),
        other => number(other).map(|value| vec![f64::from(value)]),
    }
}

fn each(a: &[f64], b: &[f64], f: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    let len = a.len().max(b.len());
    let at = |list: &[f64], at: usize| list[if list.len() == 1 { 0 } else { at }];
    (0..len).map(|i| f(at(a, i), at(b, i))).collect()
}

/// Element-wise operations of which one side depends on the distance.
pub(super) fn binary(op: &str, a: &Meaning, b: &Meaning) -> Found {
    // Positions of keys less positions of queries, or the other way round; which is which was told by the axis that each got.
    match (a, b) {
        (Meaning::Index(Index::Positions(a)), Meaning::Queries(b)) if op == "Sub" && a == b => {
            return Some(Meaning::Distance(distances()));
        }
        (Meaning::Queries(a), Meaning::Index(Index::Positions(b))) if op == "Sub" && a == b => {
            return Some(Meaning::Distance(distances().into_iter().rev().collect()));
        }
        _ => {}
    }
    if !matches!((a, b), (Meaning::Distance(_), _) | (_, Meaning::Distance(_))) {
        return None;
    }
    let (x, y) = (operand(a)?, operand(b)?);
    let f: fn(f64, f64) -> f64 = match op {
        "Add" => |x, y| x + y,
        "Sub" => |x, y| x - y,
        "Mul" => |x, y| x * y,
        "Div" => |x, y| x / y,
        "Min" => f64::min,
        "Max" => f64::max,
        "Less" => |x, y| f64::from(x < y),
        "LessOrEqual" => |x, y| f64::from(x <= y),
        "Greater" => |x, y| f64::from(x > y),
        "GreaterOrEqual" => |x, y| f64::from(x >= y),
        _ => return None,
    };
    Some(Meaning::Distance(each(&x, &y, f)))
}

pub(super) fn unary(op: &str, x: &Meaning) -> Found {
    let Meaning::Distance(values) = x else { return None };
    let f: fn(f64) -> f64 = match op {
        "Neg" => |x| -x,
        "Abs" => f64::abs,
        "Log" => f64::ln,
        "Sqrt" => f64::sqrt,
        "Not" => |x| f64::from(x == 0.0),
        _ => return None,
    };
    Some(Meaning::Distance(values.iter().map(|x| f(*x)).collect()))
}

/// A cast to whole numbers, which cuts.
pub(super) fn cut(x: &Meaning) -> Found {
    let Meaning::Distance(values) = x else { return None };
    Some(Meaning::Distance(values.iter().map(|x| x.trunc()).collect()))
}

pub(super) fn choose(test: &Meaning, yes: &Meaning, no: &Meaning) -> Found {
    let Meaning::Distance(test) = test else { return None };
    let (yes, no) = (operand(yes)?, operand(no)?);
    let at = |list: &[f64], at: usize| list[if list.len() == 1 { 0 } else { at }];
    Some(Meaning::Distance(
        test.iter().enumerate().map(|(i, t)| if *t == 0.0 { at(&no, i) } else { at(&yes, i) }).collect(),
    ))
}

/// The entries of a table `[buckets, heads]` by a bucket that depends on the distance.
pub(super) fn relative(table: &Tensor, buckets: &[f64]) -> Found {
    let [count, heads] = table.dims[..] else { return None };
    let entries = table.floats();
    let mut values = vec![0.0; heads * buckets.len()];
    for (at, bucket) in buckets.iter().enumerate() {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to be within the table"
        )]
        let bucket =
            (*bucket >= 0.0 && bucket.fract() == 0.0).then_some(*bucket as usize).filter(|b| *b < count)?;
        for head in 0..heads {
            values[head * buckets.len() + at] = entries[bucket * heads + head];
        }
    }
    let reach = buckets.len() / 2;
    Some(Meaning::Relative { values: Relative { values, reach }, heads, rank: 3, axis: 2 })
}
