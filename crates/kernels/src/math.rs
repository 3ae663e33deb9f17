//! Functions of sixteen lanes: the exponential and the activations.

use crate::{
    Level,
    dispatch::by_lanes,
    simd::{LANES, Lanes},
};

/// What a linear layer's output goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Activation {
    /// `x / 2 * (1 + erf(x / sqrt 2))`, within 4e-7.
    Gelu,
    /// The same within 1e-5: for values that are rounded to eight bits afterwards.
    GeluRough,
    /// GELU's approximation by a hyperbolic tangent.
    GeluTanh,
    /// `max(x, 0)`.
    Relu,
    /// The hyperbolic tangent.
    Tanh,
}

/// `Phi(x) - 1/2 = x * P(v)` with `v = 2 x^2 / LIMIT^2 - 1` in -1..1; a least-maximum fit of `x^2 P`, 3.3e-7 off at most. Beyond the
/// limit Phi is constant to within 2.2e-7.
const GELU: [f32; 13] = [
    0.141_363_78,
    -0.070_296_65,
    0.051_521_42,
    -0.040_432_95,
    0.031_426_23,
    -0.023_336_73,
    0.016_497_656,
    -0.010_973_233,
    0.006_165_431,
    -0.002_915_672_2,
    0.002_001_859_8,
    -0.001_514_154_2,
    0.000_492_969_77,
];
const GELU_LIMIT: f32 = 5.0;

/// The same to 7.2e-6 and a limit of 4.
const GELU_ROUGH: [f32; 9] = [
    0.175_948_96,
    -0.084_317_155,
    0.055_969_883,
    -0.036_962_166,
    0.022_300_545,
    -0.011_988_5,
    0.006_586_526_5,
    -0.003_676_421_5,
    0.001_130_852_7,
];
const GELU_ROUGH_LIMIT: f32 = 4.0;

/// `e^x`, within 2 units of the last place for x in -87.3..88.3, and exactly zero below.
#[inline(always)]
pub(crate) fn exp<L: Lanes>(l: L, x: L::F) -> L::F {
    /// Below, the result would be subnormal.
    const LOWEST: f32 = -87.3;
    const HIGHEST: f32 = 88.3;
    let low = l.splat(LOWEST);
    let clamped = l.min(l.max(x, low), l.splat(HIGHEST));
    let n = l.round(l.mul(clamped, l.splat(std::f32::consts::LOG2_E)));
    let whole = l.to_float(n);
    // ln 2 in two parts, the first of few bits, so that the subtraction is exact.
    let r = l.fma(whole, l.splat(-0.693_359_4), clamped);
    let r = l.fma(whole, l.splat(2.121_944_4e-4), r);
    let mut p = l.splat(1.987_569_1e-4);
    for c in [1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        p = l.fma(p, r, l.splat(c));
    }
    let y = l.add(l.fma(p, l.mul(r, r), r), l.splat(1.0));
    l.keep_from(l.scale_exponent(y, n), x, low)
}

#[inline(always)]
fn gelu_by<L: Lanes, const N: usize>(l: L, x: L::F, coefficients: &[f32; N], limit: f32) -> L::F {
    let cut = l.max(l.min(x, l.splat(limit)), l.splat(-limit));
    let v = l.fma(l.mul(cut, cut), l.splat(2.0 / (limit * limit)), l.splat(-1.0));
    let mut p = l.splat(coefficients[N - 1]);
    for c in coefficients[..N - 1].iter().rev() {
        p = l.fma(p, v, l.splat(*c));
    }
    l.mul(x, l.fma(p, cut, l.splat(0.5)))
}

/// `1 / (1 + e^-x)`.
#[inline(always)]
fn sigmoid<L: Lanes>(l: L, x: L::F) -> L::F {
    let one = l.splat(1.0);
    l.div(one, l.add(one, exp(l, l.sub(l.splat(0.0), x))))
}

/// One activation of sixteen lanes.
#[inline(always)]
pub(crate) fn activate<L: Lanes>(l: L, kind: Activation, x: L::F) -> L::F {
    match kind {
        Activation::Gelu => gelu_by(l, x, &GELU, GELU_LIMIT),
        Activation::GeluRough => gelu_by(l, x, &GELU_ROUGH, GELU_ROUGH_LIMIT),
        Activation::GeluTanh => {
            // tanh(y) = 2 sigmoid(2 y) - 1, so x / 2 * (1 + tanh(y)) = x * sigmoid(2 y).
            let cubic = l.fma(l.mul(l.mul(x, x), x), l.splat(0.044_715), x);
            l.mul(x, sigmoid(l, l.mul(cubic, l.splat(1.595_769))))
        }
        Activation::Relu => l.max(x, l.splat(0.0)),
        Activation::Tanh => {
            // Near zero the difference below loses digits; e^2x - 1 does so too, which is 1e-7 of the range of the result.
            l.fma(l.splat(2.0), sigmoid(l, l.add(x, x)), l.splat(-1.0))
        }
    }
}

#[inline(always)]
fn all<L: Lanes>(l: L, kind: Activation, values: &mut [f32]) {
    let mut at = 0;
    while at < values.len() {
        let count = LANES.min(values.len() - at);
        // SAFETY: `count` floats are there from `at` on.
        unsafe {
            let place = values.as_mut_ptr().add(at);
            if count == LANES {
                l.store(place, activate(l, kind, l.load(place)));
            } else {
                l.store_part(place, activate(l, kind, l.load_part(place, count, 0.0)), count);
            }
        }
        at += count;
    }
}

by_lanes! { fn all_at(kind: Activation, values: &mut [f32]) = all }

impl Level {
    /// Puts each value through an activation, in place.
    pub fn activate(self, kind: Activation, values: &mut [f32]) {
        all_at(self, kind, values);
    }
}
