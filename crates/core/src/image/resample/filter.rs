//! The filters, as Pillow defines them.

use std::f64::consts::PI;

/// How pixels are weighed when an image is scaled. The numbers of `preprocessor_config.json` are Pillow's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Filter {
    /// The nearest pixel, without antialiasing (0).
    Nearest,
    /// Sinc in a window of 3 (1).
    Lanczos,
    /// Triangle (2).
    Bilinear,
    /// Cubic with a = -0.5 (3).
    Bicubic,
    /// Average (4).
    Box,
    /// Bilinear's extent with a sharper fall (5).
    Hamming,
}

/// A filter's curve and how far it reaches, in pixels of the smaller image.
pub(super) struct Kernel {
    pub(super) support: f64,
    pub(super) weight: fn(f64) -> f64,
}

impl Filter {
    /// The filter of Pillow's number.
    #[must_use]
    pub fn of_number(number: u64) -> Option<Self> {
        [Self::Nearest, Self::Lanczos, Self::Bilinear, Self::Bicubic, Self::Box, Self::Hamming]
            .get(usize::try_from(number).ok()?)
            .copied()
    }

    /// The filter of a name, in any letter case.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "nearest" => Self::Nearest,
            "lanczos" => Self::Lanczos,
            "bilinear" => Self::Bilinear,
            "bicubic" => Self::Bicubic,
            "box" => Self::Box,
            "hamming" => Self::Hamming,
            _ => return None,
        })
    }

    /// Its curve; none for the one that does not weigh.
    pub(super) fn kernel(self) -> Option<Kernel> {
        let (support, weight): (f64, fn(f64) -> f64) = match self {
            Self::Nearest => return None,
            Self::Lanczos => (3.0, lanczos),
            Self::Bilinear => (1.0, bilinear),
            Self::Bicubic => (2.0, bicubic),
            Self::Box => (0.5, average),
            Self::Hamming => (1.0, hamming),
        };
        Some(Kernel { support, weight })
    }
}

fn average(x: f64) -> f64 {
    if x > -0.5 && x <= 0.5 { 1.0 } else { 0.0 }
}

fn bilinear(x: f64) -> f64 {
    (1.0 - x.abs()).max(0.0)
}

fn hamming(x: f64) -> f64 {
    let x = x.abs();
    if x == 0.0 {
        1.0
    } else if x >= 1.0 {
        0.0
    } else {
        // Pillow's constants are single precision.
        sinc(x) * (f64::from(0.54_f32) + f64::from(0.46_f32) * (x * PI).cos())
    }
}

#[expect(clippy::suboptimal_flops, reason = "a fused multiply-add rounds otherwise than Pillow")]
fn bicubic(x: f64) -> f64 {
    const A: f64 = -0.5;
    let x = x.abs();
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * A
    } else {
        0.0
    }
}

fn lanczos(x: f64) -> f64 {
    if (-3.0..3.0).contains(&x) { sinc(x) * sinc(x / 3.0) } else { 0.0 }
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 {
        return 1.0;
    }
    let x = x * PI;
    x.sin() / x
}
