//! What a graph computes, said in a few steps of our own: the result of following it, and what layers are made of.

use crate::onnx::Tensor;
use millrace_kernels::{Activation, Heads};

/// Number of a step, which is the value that it makes.
pub(crate) type Reg = usize;

/// What a lookup in a table goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Index {
    /// The token's id.
    Ids,
    /// The token's type, of the input `token_type_ids`.
    Types,
    /// The token's place in its row, counted from this number.
    Positions(i64),
    /// The count of tokens that are not `pad` up to here, plus an offset; `offset` alone for a token that is `pad`.
    CountedPositions { pad: i64, offset: i64 },
    /// The number that the input `position_ids` gives.
    PositionInput,
    /// One row for all tokens.
    Fixed(i64),
}

/// A row of a table for each token.
#[derive(Debug, Clone)]
pub(crate) struct Lookup {
    /// `[entries, width]`.
    pub(crate) table: Tensor,
    pub(crate) index: Index,
    /// What an entry is multiplied by: nothing, one number, or one an entry.
    pub(crate) scale: Option<Tensor>,
    /// What is taken from an entry before that.
    pub(crate) zero: f32,
}

impl Lookup {
    pub(crate) fn width(&self) -> usize {
        self.table.dims.get(1).copied().unwrap_or(0)
    }

    pub(crate) fn entries(&self) -> usize {
        self.table.dims.first().copied().unwrap_or(0)
    }
}

/// How the numbers of a weight are stored.
#[derive(Debug, Clone)]
pub(crate) enum Scheme {
    Float,
    /// `(q - zero) * scale`, with one of each or one an output channel.
    Scaled {
        scale: Tensor,
        zero: Option<Tensor>,
    },
    /// `(q - zero) * scale` with a scale for each block of inputs, as `MatMulNBits` has it: `[output, block, bytes]`.
    Blocks {
        scale: Tensor,
        zero: Option<Tensor>,
        bits: usize,
        block: usize,
    },
}

/// The weights of a linear layer, or some of its output channels. They stay where they are until a layer is packed.
#[derive(Debug, Clone)]
pub(crate) struct Weights {
    pub(crate) tensor: Tensor,
    /// Whether an output channel is a row of the tensor, rather than a column.
    pub(crate) rows: bool,
    pub(crate) scheme: Scheme,
    pub(crate) depth: usize,
    /// The first output channel and the number of them.
    pub(crate) first: usize,
    pub(crate) width: usize,
}

impl Weights {
    /// A matrix that is multiplied from the right: `[depth, width]`, or `[width, depth]` when it is transposed first.
    pub(crate) fn of(tensor: Tensor, rows: bool, scheme: Scheme) -> Option<Self> {
        let [a, b] = tensor.dims[..] else { return None };
        let (depth, width) = if rows { (b, a) } else { (a, b) };
        (depth > 0 && width > 0).then_some(Self { tensor, rows, scheme, depth, first: 0, width })
    }

    pub(crate) fn part(&self, first: usize, width: usize) -> Option<Self> {
        (first.checked_add(width)? <= self.width && width > 0).then(|| Self {
            first: self.first + first,
            width,
            ..self.clone()
        })
    }

    /// The weights as floats, an output channel after the other; `None` when their parts do not fit each other.
    pub(crate) fn channels(&self) -> Option<Vec<f32>> {
        match &self.scheme {
            Scheme::Blocks { scale, zero, bits, block } => self.blocks(scale, zero.as_ref(), *bits, *block),
            Scheme::Float => Some(self.raw()),
            Scheme::Scaled { scale, zero } => {
                let mut values = self.raw();
                let (scales, zeros) = (scale.floats(), zero.as_ref().map(Tensor::floats));
                let of = |list: &[f32], channel: usize| match list {
                    [one] => Some(*one),
                    list => list.get(channel).copied(),
                };
                for (at, channel) in values.chunks_exact_mut(self.depth).enumerate() {
                    let scale = of(&scales, self.first + at)?;
                    let zero = match &zeros {
                        Some(zeros) => of(zeros, self.first + at)?,
                        None => 0.0,
                    };
                    for value in channel {
                        *value = (*value - zero) * scale;
                    }
                }
                Some(values)
            }
        }
    }

    fn raw(&self) -> Vec<f32> {
        let (depth, first, width) = (self.depth, self.first, self.width);
        if self.rows {
            let mut values = Vec::with_capacity(depth * width);
            self.tensor.floats_at(first * depth..(first + width) * depth, |x| values.push(x));
            return values;
        }
        let all = self.tensor.dims[1];
        let mut values = vec![0.0; depth * width];
        for k in 0..depth {
            let mut at = k;
            self.tensor.floats_at(k * all + first..k * all + first + width, |x| {
                values[at] = x;
                at += depth;
            });
        }
        values
    }

    fn blocks(&self, scale: &Tensor, zero: Option<&Tensor>, bits: usize, block: usize) -> Option<Vec<f32>> {
        let count = self.depth.div_ceil(block);
        let bytes = self.tensor.bytes();
        let per_block = block * bits / 8;
        let (scales, zeros) = (scale.floats(), zero.map(Tensor::bytes));
        let all = *self.tensor.dims.first()?;
        if bytes.len() != all * count * per_block || scales.len() != all * count {
            return None;
        }
        let mut values = Vec::with_capacity(self.depth * self.width);
        for channel in self.first..self.first + self.width {
            for at in 0..count {
                let scale = scales[channel * count + at];
                // Half of the range where no zero point is given.
                let middle = match (bits, zeros) {
                    (8, Some(zeros)) => *zeros.get(channel * count + at)?,
                    (8, None) => 128,
                    (_, Some(zeros)) => nibble(*zeros.get(channel * count.div_ceil(2) + at / 2)?, at),
                    (_, None) => 8,
                };
                let start = (channel * count + at) * per_block;
                for k in 0..block.min(self.depth - at * block) {
                    let q = if bits == 8 { bytes[start + k] } else { nibble(bytes[start + k / 2], k) };
                    values.push((f32::from(q) - f32::from(middle)) * scale);
                }
            }
        }
        Some(values)
    }
}

fn nibble(byte: u8, at: usize) -> u8 {
    if at.is_multiple_of(2) { byte & 15 } else { byte >> 4 }
}

/// What is added to a score by the distance of key from query: for each head `2 * reach + 1` values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Relative {
    pub(crate) values: Vec<f32>,
    pub(crate) reach: usize,
}

/// One step. Values are matrices with a row for each token, or, after `First` and `Mean`, for each text.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Embed(Vec<Lookup>),
    Norm {
        x: Reg,
        gain: Vec<f32>,
        bias: Vec<f32>,
        epsilon: f32,
    },
    Linear {
        x: Reg,
        weights: Weights,
        bias: Vec<f32>,
    },
    Add {
        a: Reg,
        b: Reg,
    },
    Activate {
        x: Reg,
        kind: Activation,
    },
    Attend {
        q: Reg,
        k: Reg,
        v: Reg,
        heads: Heads,
        scale: f32,
        masked: bool,
        relative: Option<Relative>,
    },
    Scale {
        x: Reg,
        by: f32,
    },
    /// The row of each text's first place.
    First {
        x: Reg,
    },
    /// The mean over the places of the mask; the divisor is at least `floor`.
    Mean {
        x: Reg,
        floor: f32,
    },
    /// Each row divided by its length, which is at least `floor`.
    Unit {
        x: Reg,
        floor: f32,
    },
}

/// A graph, understood.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plan {
    pub(crate) steps: Vec<Step>,
    pub(crate) widths: Vec<usize>,
    /// Whether a step's value has a row a text.
    pub(crate) per_text: Vec<bool>,
    /// The values of the graph's outputs.
    pub(crate) outputs: Vec<Reg>,
}
