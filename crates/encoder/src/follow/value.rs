//! What a name of the graph stands for, as far as following it has found out.

use crate::{
    onnx::Tensor,
    plan::{Index, Lookup, Reg, Relative},
};
use millrace_kernels::Heads;

/// A dimension or another whole number that may depend on the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    Known(i64),
    Batch,
    Tokens,
    /// Something computed from them that nobody needs to know.
    Other,
}

/// How a token matrix lies in a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// `[batch, tokens, width]`.
    Flat,
    /// `[batch * tokens, width]`.
    Merged,
    /// `[batch, tokens, heads, head width]`.
    Split(Heads),
    /// `[batch, heads, tokens, head width]`.
    Heads(Heads),
    /// `[batch, heads, head width, tokens]`.
    Keys(Heads),
    /// `[batch, width]`: one row a text.
    Text,
    /// `[batch, 1, width]`.
    TextKept,
}

/// What a mask says, as numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// 1 (or true) for a token that is there.
    Keep,
    /// 1 (or true) for one that is not.
    Drop,
    /// -1 for one that is not, 0 otherwise.
    Minus,
    /// A very negative number for one that is not, 0 otherwise.
    Bias,
}

/// The attention mask in some form, with the axis that runs over tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mask {
    pub(crate) form: Form,
    pub(crate) rank: usize,
    pub(crate) axis: usize,
}

/// Scores of queries with keys.
#[derive(Debug, Clone)]
pub(crate) struct Scores {
    pub(crate) q: Reg,
    pub(crate) k: Reg,
    pub(crate) heads: Heads,
    pub(crate) scale: f32,
    pub(crate) masked: bool,
    pub(crate) relative: Option<Relative>,
}

/// Pieces of a norm that is written out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NormPart {
    Mean,
    Centered,
    Squares,
    Variance,
}

/// Pieces of GELU that is written out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GeluPart {
    /// `erf(x / sqrt 2)`, or `tanh(...)`.
    Curve,
    /// That plus one.
    Raised,
    /// Half of that.
    Half,
    /// `x` times the raised curve.
    Doubled,
}

/// Pieces of the argument of GELU's hyperbolic tangent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum TanhPart {
    /// `factor * x^power`.
    Power(f32, u8),
    /// `factor * (x + 0.044715 x^3)`.
    Inner(f32),
    /// `1 + 0.044715 x^2`.
    Bracket,
}

/// A name's meaning.
#[derive(Debug, Clone)]
pub(crate) enum Meaning {
    Constant(Tensor),
    /// A constant that is stored as integers with scales; `rows` when it was transposed.
    Quantized {
        tensor: Tensor,
        scale: Tensor,
        zero: Option<Tensor>,
        rows: bool,
    },
    /// Dimensions or numbers made of them; `None` when they are not known.
    Sizes(Option<Vec<Size>>),
    Index(Index),
    /// Whether a token's id is (or is not) this one.
    Padding {
        pad: i64,
        equal: bool,
    },
    /// How many tokens up to here are not this one; `masked` when that was multiplied by the test again.
    Counted {
        pad: i64,
        masked: bool,
    },
    Mask(Mask),
    /// Entries of an integer table before their scale is put in.
    Entries {
        table: Tensor,
        index: Index,
    },
    Lookups(Vec<Lookup>),
    /// A token matrix times a factor.
    Matrix {
        reg: Reg,
        layout: Layout,
        factor: f32,
    },
    Scores(Scores),
    Weights(Scores),
    /// Whether the softmax of scores is not a number, which it never is.
    NotANumber,
    Norm {
        reg: Reg,
        part: NormPart,
    },
    /// Variance plus epsilon; its root; one over that; and the matrix normed with it.
    Spread {
        reg: Reg,
        epsilon: f32,
    },
    Deviation {
        reg: Reg,
        epsilon: f32,
    },
    InverseDeviation {
        reg: Reg,
        epsilon: f32,
    },
    Normed {
        reg: Reg,
        epsilon: f32,
        gain: Option<Vec<f32>>,
    },
    Gelu {
        reg: Reg,
        part: GeluPart,
        tanh: bool,
    },
    Tanh {
        reg: Reg,
        part: TanhPart,
    },
    /// A matrix rounded to bytes at run time, and the scale and zero point of that.
    Rounded {
        reg: Reg,
        layout: Layout,
    },
    RoundedScale {
        weights: Option<Tensor>,
    },
    RoundedZero,
    /// Its product with integer weights.
    RoundedProduct {
        reg: Reg,
        layout: Layout,
        tensor: Tensor,
        zero: Option<Tensor>,
    },
    /// Rows where the mask is zero made zero; their sum over tokens; how many tokens the mask has, at least `floor`.
    Masked {
        reg: Reg,
    },
    Summed {
        reg: Reg,
    },
    MaskCount {
        floor: f32,
    },
    /// The length of each row of a matrix, at least `floor`.
    Length {
        reg: Reg,
        floor: f32,
    },
    /// The places of queries: a column, where those of keys are a row.
    Queries(i64),
    /// A function of the distance of key from query, from `-reach` to `reach`.
    Distance(Vec<f64>),
    /// For each head, a function of the distance, and the axis that runs over heads.
    Relative {
        values: Relative,
        heads: usize,
        rank: usize,
        axis: usize,
    },
    /// A tensor filled with one number.
    Filled(f32),
    /// Outputs that nobody reads.
    Nothing,
}
