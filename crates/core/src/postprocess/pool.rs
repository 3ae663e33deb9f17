//! One row of an output, of any element type, to one float64 vector.

use half::{f16, slice::HalfFloatSliceExt};
use millrace_contract::{Error, ErrorKind, Output, OutputData, Pooling, Result};
use std::ops::Range;

/// Where a row's values are.
pub(super) struct RowShape {
    /// Position of its first value.
    start: usize,
    /// Values of one vector.
    pub(super) dim: usize,
}

impl RowShape {
    /// Checks the output's shape: `[rows, dim]` without pooling, `[rows, padded_len, dim]` with one.
    pub(super) fn of(output: &Output<'_>, pooling: Pooling, row: usize, padded_len: usize) -> Result<Self> {
        let unfit = |expected: &str| {
            Error::new(
                ErrorKind::ModelInvalid,
                format!("output {} is {:?} after a run, expected {expected}", output.name, output.shape),
            )
        };
        let (rows, per_row, dim) = match (output.shape, pooling) {
            (&[rows, dim], Pooling::None) => (rows, dim, dim),
            (&[_, _], _) => {
                return Err(unfit("[rows, tokens, dim]; with pooling 'none' it is taken as it is"));
            }
            (&[_, _, _], Pooling::None) => return Err(unfit("[rows, dim], as there is no pooling")),
            (&[rows, tokens, dim], _) if tokens == padded_len => (rows, tokens.saturating_mul(dim), dim),
            (&[_, _, _], _) => return Err(unfit(&format!("{padded_len} tokens a row"))),
            _ => return Err(unfit("[rows, dim] or [rows, tokens, dim]")),
        };
        if row >= rows || dim == 0 || output.data.len() != rows.saturating_mul(per_row) {
            return Err(unfit(&format!("row {row} of {} values in all", output.data.len())));
        }
        Ok(Self { start: row * per_row, dim })
    }
}

/// The first `keep` dimensions of the row's vector, pooled over the tokens of `span`.
pub(super) fn pooled(
    data: OutputData<'_>,
    shape: &RowShape,
    span: Range<usize>,
    pooling: Pooling,
    keep: usize,
) -> Vec<f64> {
    match data {
        OutputData::F32(values) => pooled_of(values, shape, span, pooling, keep),
        OutputData::F16(values) => pooled_of(values, shape, span, pooling, keep),
        OutputData::F64(values) => pooled_of(values, shape, span, pooling, keep),
        OutputData::I8(values) => pooled_of(values, shape, span, pooling, keep),
        OutputData::U8(values) => pooled_of(values, shape, span, pooling, keep),
        OutputData::I32(values) => pooled_of(values, shape, span, pooling, keep),
        OutputData::I64(values) => pooled_of(values, shape, span, pooling, keep),
    }
}

fn pooled_of<T: Number>(
    values: &[T],
    shape: &RowShape,
    span: Range<usize>,
    pooling: Pooling,
    keep: usize,
) -> Vec<f64> {
    let token = |position: usize| &values[shape.start + position * shape.dim..][..keep];
    let one = |position: usize| {
        let mut vector = vec![0.0; keep];
        T::fold(token(position), &mut vector, |_, x| x);
        vector
    };
    match pooling {
        Pooling::None => one(0),
        _ if span.is_empty() => vec![0.0; keep],
        Pooling::Cls => one(span.start),
        Pooling::LastToken => one(span.end - 1),
        Pooling::Max => {
            let mut most = one(span.start);
            for position in span.skip(1) {
                // Unlike f64::max this keeps a NaN, which must not hide behind the other tokens.
                T::fold(token(position), &mut most, |a, x| if x > a || x.is_nan() { x } else { a });
            }
            most
        }
        Pooling::Mean | Pooling::MeanSqrtLen => {
            #[expect(clippy::cast_precision_loss, reason = "no row has 2^53 tokens")]
            let count = span.len() as f64;
            let divisor = if pooling == Pooling::Mean { count } else { count.sqrt() };
            let mut sum = vec![0.0; keep];
            for position in span {
                T::fold(token(position), &mut sum, |a, x| a + x);
            }
            for x in &mut sum {
                *x /= divisor;
            }
            sum
        }
        Pooling::WeightedMean => {
            let (mut sum, mut total, mut weight) = (vec![0.0; keep], 0.0, 0.0);
            for position in span {
                // Padding on the left has no weights of its own: they would make a text's vector depend on its batch-mates.
                weight += 1.0;
                total += weight;
                T::fold(token(position), &mut sum, |a, x| a + weight * x);
            }
            for x in &mut sum {
                *x /= total;
            }
            sum
        }
    }
}

/// An element type that is read as a number.
trait Number: Copy {
    fn widen(self) -> f64;

    /// Puts each value together with the accumulator at its place. Token by token, so that both are read in
    /// order and the loop becomes vector instructions.
    fn fold(token: &[Self], into: &mut [f64], put: impl Fn(f64, f64) -> f64) {
        for (a, &x) in into.iter_mut().zip(token) {
            *a = put(*a, x.widen());
        }
    }
}

macro_rules! number {
    ($($type:ty),*) => {$(
        impl Number for $type {
            fn widen(self) -> f64 {
                f64::from(self)
            }
        }
    )*};
}
number!(f32, f64, i8, u8, i32);

impl Number for i64 {
    #[expect(clippy::cast_precision_loss, reason = "the delivered types hold less than 53 bits anyway")]
    fn widen(self) -> f64 {
        self as f64
    }
}

/// Values converted at once: enough for the converter's wide instructions, small enough for the stack.
const CHUNK: usize = 64;

impl Number for f16 {
    fn widen(self) -> f64 {
        f64::from(self)
    }

    fn fold(token: &[Self], into: &mut [f64], put: impl Fn(f64, f64) -> f64) {
        let mut wide = [0.0f32; CHUNK];
        for (part, into) in token.chunks(CHUNK).zip(into.chunks_mut(CHUNK)) {
            let wide = &mut wide[..part.len()];
            part.convert_to_f32_slice(wide);
            f32::fold(wide, into, &put);
        }
    }
}
