//! What comes between pooling and the finished row in a sentence-transformers model: several poolings in one vector, and the small modules
//! after them (`Dense`, `LayerNorm`, `Normalize`).
//!
//! One row at a time, in float64 like the rest of the post-processing, so that a row cannot depend on its batch-mates. Where weights come from
//! is not known here.

use super::{DenseOptions, LEAST_NORM, Row};
use millrace_contract::{Error, ErrorKind, Output, Pooling, Result};
use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// Added to the variance by torch's `LayerNorm`.
const LAYER_NORM_EPSILON: f64 = 1e-5;

/// The poolings of a model, put one after the other, and the modules after them.
#[derive(Debug, Clone, PartialEq)]
pub struct Tail {
    /// At least one.
    pub poolings: Vec<Pooling>,
    /// The modules in order.
    pub steps: Vec<Step>,
}

/// A module.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// A product with its bias and activation.
    Linear(Linear),
    /// Values with mean 0 and variance 1, multiplied by `scale` and moved by `shift`, which are as long as the vector.
    LayerNorm {
        /// Factors.
        scale: Vec<f32>,
        /// Summands.
        shift: Vec<f32>,
    },
    /// The vector with length 1.
    Normalize,
}

/// `activation(weight x + bias)`, plus `x` or a product of it where there is a residual.
#[derive(Debug, Clone, PartialEq)]
pub struct Linear {
    /// Values that go in.
    pub inputs: usize,
    /// `[outputs, inputs]`, row-major.
    pub weight: Vec<f32>,
    /// One value for each output.
    pub bias: Vec<f32>,
    /// What each value goes through.
    pub activation: Activation,
    /// Whether the input is added to the output: as it is (`Some(None)`) or multiplied by a matrix like `weight`.
    pub residual: Option<Option<Vec<f32>>>,
}

/// The activations of torch that need no weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// The value itself.
    Identity,
    /// Hyperbolic tangent.
    Tanh,
    /// What is above 0.
    Relu,
    /// With the exact error function.
    Gelu,
    /// 1 / (1 + e^-x).
    Sigmoid,
    /// x * sigmoid(x).
    Silu,
    /// A hundredth of what is below 0.
    LeakyRelu,
    /// e^x - 1 below 0.
    Elu,
}

impl Activation {
    /// The activation of a class name of torch; `None` for others.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "Identity" => Self::Identity,
            "Tanh" => Self::Tanh,
            "ReLU" => Self::Relu,
            "GELU" => Self::Gelu,
            "Sigmoid" => Self::Sigmoid,
            "SiLU" => Self::Silu,
            "LeakyReLU" => Self::LeakyRelu,
            "ELU" => Self::Elu,
            _ => return None,
        })
    }

    fn of(self, x: f64) -> f64 {
        match self {
            Self::Identity => x,
            Self::Tanh => x.tanh(),
            // Written so that a NaN stays one: `f64::max` would hide it behind the zero.
            Self::Relu => {
                if x < 0.0 {
                    0.0
                } else {
                    x
                }
            }
            Self::Gelu => 0.5 * x * (1.0 + erf(x * FRAC_1_SQRT_2)),
            Self::Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Self::Silu => x / (1.0 + (-x).exp()),
            Self::LeakyRelu => {
                if x < 0.0 {
                    0.01 * x
                } else {
                    x
                }
            }
            Self::Elu => {
                if x < 0.0 {
                    x.exp_m1()
                } else {
                    x
                }
            }
        }
    }
}

/// From here on the series of [`erf`] loses digits and the asymptotic expansion has gained enough of them: both are within 1e-9 there.
const ERF_SERIES: f64 = 4.0;

/// The error function, within 1e-9.
fn erf(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    let size = x.abs();
    if size >= ERF_SERIES {
        let inverse = 1.0 / (size * size);
        let rest =
            (-size * size).exp() / (size * PI.sqrt()) * (1.0 - inverse / 2.0 + 0.75 * inverse * inverse);
        return (1.0 - rest).copysign(x);
    }
    // Sum of (-1)^n x^(2n+1) / (n! (2n+1)); below 4 the terms vanish before the 64th.
    let (mut sum, mut power) = (size, size);
    for n in 1..64_u32 {
        power *= -size * size / f64::from(n);
        sum += power / f64::from(2 * n + 1);
    }
    (sum * 2.0 / PI.sqrt()).copysign(x)
}

impl Tail {
    /// As [`DenseOptions::row`], with this tail between the pooling and the cut. The pooling of `options` plays no part.
    ///
    /// [`ErrorKind::ModelInvalid`] for an output that does not fit the poolings or the first module.
    pub fn row(
        &self,
        options: &DenseOptions,
        output: &Output<'_>,
        row: usize,
        item_len: usize,
        padded_len: usize,
        left_padded: bool,
    ) -> Result<Row> {
        let mut vector = Vec::new();
        for &pooling in &self.poolings {
            let options = DenseOptions { pooling, dimensions: None, ..*options };
            vector.extend(options.pooled(output, row, item_len, padded_len, left_padded)?);
        }
        for step in &self.steps {
            vector = step.of(vector)?;
        }
        options.finish(vector)
    }
}

impl Step {
    fn of(&self, mut x: Vec<f64>) -> Result<Vec<f64>> {
        match self {
            Self::Linear(linear) => linear.of(&x),
            Self::LayerNorm { scale, shift } => {
                fits(x.len(), scale.len())?;
                #[expect(clippy::cast_precision_loss, reason = "no vector has 2^53 values")]
                let count = x.len() as f64;
                let mean = x.iter().sum::<f64>() / count;
                let variance = x.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / count;
                let deviation = (variance + LAYER_NORM_EPSILON).sqrt();
                for ((x, &scale), &shift) in x.iter_mut().zip(scale).zip(shift) {
                    *x = (*x - mean) / deviation * f64::from(scale) + f64::from(shift);
                }
                Ok(x)
            }
            Self::Normalize => {
                let norm = x.iter().map(|x| x * x).sum::<f64>().sqrt().max(LEAST_NORM);
                for x in &mut x {
                    *x /= norm;
                }
                Ok(x)
            }
        }
    }
}

impl Linear {
    fn of(&self, x: &[f64]) -> Result<Vec<f64>> {
        fits(x.len(), self.inputs)?;
        let mut y: Vec<f64> = product(&self.weight, x)
            .zip(&self.bias)
            .map(|(y, &bias)| self.activation.of(y + f64::from(bias)))
            .collect();
        match &self.residual {
            None => {}
            Some(None) => y.iter_mut().zip(x).for_each(|(y, x)| *y += x),
            Some(Some(weight)) => y.iter_mut().zip(product(weight, x)).for_each(|(y, x)| *y += x),
        }
        Ok(y)
    }
}

/// Partial sums of one product: as many as the registers of a wide instruction hold, so that the loop becomes such instructions.
const LANES: usize = 8;

/// The products of `x` with the rows of `weight`, which are as long as `x`.
fn product<'a>(weight: &'a [f32], x: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
    weight.chunks_exact(x.len().max(1)).map(|row| {
        let mut sums = [0.0_f64; LANES];
        let (weights, last_weights) = row.as_chunks::<LANES>();
        let (values, last_values) = x.as_chunks::<LANES>();
        for (weights, values) in weights.iter().zip(values) {
            for ((sum, &weight), value) in sums.iter_mut().zip(weights).zip(values) {
                *sum += f64::from(weight) * value;
            }
        }
        let last = last_weights.iter().zip(last_values).map(|(&weight, value)| f64::from(weight) * value);
        sums.iter().sum::<f64>() + last.sum::<f64>()
    })
}

fn fits(found: usize, expected: usize) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::ModelInvalid,
        format!("the pooled vector has {found} values, and the module after the pooling takes {expected}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of `torch.erf`, in float64.
    #[test]
    fn error_function() {
        for (x, y) in [
            (0.0, 0.0),
            (0.5, 0.520_499_877_813_046_5),
            (-1.0, -0.842_700_792_949_714_9),
            (2.5, 0.999_593_047_982_555),
            (3.9, 0.999_999_965_205_153),
            (4.5, 0.999_999_999_803_384),
            (40.0, 1.0),
        ] {
            assert!((erf(x) - y).abs() < 1e-9, "{x}: {}", erf(x));
        }
        assert!(erf(f64::NAN).is_nan());
    }

    /// Values of torch's modules at 1.5 and -1.5.
    #[test]
    fn activations() {
        for (name, above, below) in [
            ("Identity", 1.5, -1.5),
            ("Tanh", 0.905_148_25, -0.905_148_25),
            ("ReLU", 1.5, 0.0),
            ("GELU", 1.399_789_2, -0.100_210_8),
            ("Sigmoid", 0.817_574_5, 0.182_425_5),
            ("SiLU", 1.226_361_7, -0.273_638_3),
            ("LeakyReLU", 1.5, -0.015),
            ("ELU", 1.5, -0.776_869_84),
        ] {
            let activation = Activation::named(name).unwrap();
            assert!((activation.of(1.5) - above).abs() < 1e-6, "{name}");
            assert!((activation.of(-1.5) - below).abs() < 1e-6, "{name}");
            assert!(activation.of(f64::NAN).is_nan(), "{name} hides what is no number");
        }
        assert_eq!(Activation::named("Softmax"), None);
    }

    #[test]
    fn products_of_any_length() {
        for length in [1, 7, 8, 9, 31] {
            let x: Vec<f64> = (0..length).map(|i| f64::from(i) - 2.0).collect();
            let weight: Vec<f32> =
                (0..2 * length).map(|i| f32::from(i16::try_from(i).unwrap()) * 0.5).collect();
            let expected = |row: usize| -> f64 {
                (0..x.len()).map(|i| f64::from(weight[row * x.len() + i]) * x[i]).sum()
            };
            let got: Vec<f64> = product(&weight, &x).collect();
            assert_eq!(got.len(), 2);
            assert!((got[0] - expected(0)).abs() < 1e-9 && (got[1] - expected(1)).abs() < 1e-9);
        }
    }

    #[test]
    fn residuals_and_layer_norm() {
        let linear = |residual| Linear {
            inputs: 2,
            weight: vec![1.0, 2.0, 3.0, 4.0],
            bias: vec![0.5, -0.5],
            activation: Activation::Identity,
            residual,
        };
        let x = || vec![1.0, -1.0];
        assert_eq!(Step::Linear(linear(None)).of(x()).unwrap(), [-0.5, -1.5]);
        assert_eq!(Step::Linear(linear(Some(None))).of(x()).unwrap(), [0.5, -2.5]);
        let doubled = Some(Some(vec![2.0, 0.0, 0.0, 2.0]));
        assert_eq!(Step::Linear(linear(doubled)).of(x()).unwrap(), [1.5, -3.5]);
        let error = Step::Linear(linear(None)).of(vec![1.0; 3]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ModelInvalid);
        let norm = Step::LayerNorm { scale: vec![2.0, 1.0], shift: vec![0.0, 1.0] };
        let y = norm.of(vec![3.0, 1.0]).unwrap();
        assert!((y[0] - 2.0).abs() < 1e-4 && y[1].abs() < 1e-4, "{y:?}");
        assert_eq!(Step::Normalize.of(vec![3.0, 4.0]).unwrap(), [0.6, 0.8]);
    }
}
