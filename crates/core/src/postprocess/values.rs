//! The delivered types: a finished float64 vector to float32, float16, bytes or bits.

use half::f16;
use millrace_contract::{DType, Error, ErrorKind, Result};

/// Largest magnitude of a quantised byte: symmetric, so that no value needs -128.
const MOST: f64 = 127.0;

/// A finished dense row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its values in the delivered type.
    pub values: Values,
    /// What the values of `Int8` and (after taking 128 away) `Uint8` are multiplied by.
    pub scale: Option<f32>,
    /// Its dimensions; binary types store eight of them in a byte.
    pub dim: usize,
}

/// Values of a row or of a batch of rows.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// `Float32`.
    F32(Box<[f32]>),
    /// `Float16`, as bits.
    F16(Box<[u16]>),
    /// `Int8` and `Binary`.
    I8(Box<[i8]>),
    /// `Uint8` and `Ubinary`.
    U8(Box<[u8]>),
}

/// A place for the values of one row, in a batch or alone.
#[derive(Debug, PartialEq)]
pub enum ValuesMut<'a> {
    /// `Float32`.
    F32(&'a mut [f32]),
    /// `Float16`, as bits.
    F16(&'a mut [u16]),
    /// `Int8` and `Binary`.
    I8(&'a mut [i8]),
    /// `Uint8` and `Ubinary`.
    U8(&'a mut [u8]),
}

impl Values {
    /// `len` zeros of the delivered type.
    #[must_use]
    pub fn zeroed(dtype: DType, len: usize) -> Self {
        match dtype {
            DType::Float32 => Self::F32(vec![0.0; len].into()),
            DType::Float16 => Self::F16(vec![0; len].into()),
            DType::Int8 | DType::Binary => Self::I8(vec![0; len].into()),
            DType::Uint8 | DType::Ubinary => Self::U8(vec![0; len].into()),
        }
    }

    /// All of them as a place to write to.
    pub fn as_mut(&mut self) -> ValuesMut<'_> {
        match self {
            Self::F32(values) => ValuesMut::F32(values),
            Self::F16(values) => ValuesMut::F16(values),
            Self::I8(values) => ValuesMut::I8(values),
            Self::U8(values) => ValuesMut::U8(values),
        }
    }

    /// Number of values.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::F16(values) => values.len(),
            Self::I8(values) => values.len(),
            Self::U8(values) => values.len(),
        }
    }

    /// Whether there are no values.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of memory the values take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::F32(values) => size_of_val(&**values),
            Self::F16(values) => size_of_val(&**values),
            Self::I8(values) => values.len(),
            Self::U8(values) => values.len(),
        }
    }
}

/// Stored values of `dim` dimensions.
pub(super) fn stored_len(dtype: DType, dim: usize) -> usize {
    match dtype {
        DType::Binary | DType::Ubinary => dim.div_ceil(8),
        DType::Float32 | DType::Float16 | DType::Int8 | DType::Uint8 => dim,
    }
}

/// Writes `vector` in the delivered type and returns its scale, if that type has one.
#[expect(clippy::cast_possible_truncation, reason = "narrowing is the purpose; overflow is checked after it")]
pub(super) fn convert(vector: &[f64], dtype: DType, to: &mut ValuesMut<'_>) -> Result<Option<f32>> {
    // Of float32 every other type is made, so all of them say the same of one vector.
    if !vector.iter().all(|&x| (x as f32).is_finite()) {
        return Err(not_finite("not a finite number"));
    }
    match (dtype, to) {
        (DType::Float32, ValuesMut::F32(to)) if to.len() == vector.len() => {
            for (to, &x) in to.iter_mut().zip(vector) {
                *to = x as f32;
            }
            Ok(None)
        }
        (DType::Float16, ValuesMut::F16(to)) if to.len() == vector.len() => {
            let mut finite = true;
            for (to, &x) in to.iter_mut().zip(vector) {
                let half = f16::from_f32(x as f32);
                finite &= half.is_finite();
                *to = half.to_bits();
            }
            if finite { Ok(None) } else { Err(not_finite("beyond the range of float16")) }
        }
        (DType::Int8, ValuesMut::I8(to)) if to.len() == vector.len() => {
            Ok(Some(quantize(vector, |at, level| to[at] = level)))
        }
        (DType::Uint8, ValuesMut::U8(to)) if to.len() == vector.len() => {
            Ok(Some(quantize(vector, |at, level| to[at] = level.cast_unsigned() ^ 0x80)))
        }
        (DType::Binary, ValuesMut::I8(to)) if to.len() == vector.len().div_ceil(8) => {
            for (to, bits) in to.iter_mut().zip(vector.chunks(8)) {
                *to = (pack(bits) ^ 0x80).cast_signed();
            }
            Ok(None)
        }
        (DType::Ubinary, ValuesMut::U8(to)) if to.len() == vector.len().div_ceil(8) => {
            for (to, bits) in to.iter_mut().zip(vector.chunks(8)) {
                *to = pack(bits);
            }
            Ok(None)
        }
        _ => Err(Error::new(ErrorKind::Internal, "the place for a row is not of its type and length")),
    }
}

/// `round(x / scale)` with `scale = max(|x|) / 127`. A vector too small for a scale is all zeros with scale 0.
#[expect(
    clippy::cast_possible_truncation,
    reason = "levels are within -127 to 127, the scale is of float32s"
)]
fn quantize(vector: &[f64], mut put: impl FnMut(usize, i8)) -> f32 {
    let most = vector.iter().fold(0.0f64, |most, x| most.max(x.abs()));
    let scale = (most / MOST) as f32;
    // Levels are of the scale that is delivered; a subnormal one has lost too much to divide by.
    let inverse = if scale.is_normal() { 1.0 / f64::from(scale) } else { 0.0 };
    for (at, x) in vector.iter().enumerate() {
        put(at, (x * inverse).round().clamp(-MOST, MOST) as i8);
    }
    if inverse == 0.0 { 0.0 } else { scale }
}

/// Up to eight signs in a byte, the first in the highest bit.
fn pack(bits: &[f64]) -> u8 {
    bits.iter().enumerate().fold(0, |byte, (at, &x)| byte | (u8::from(x > 0.0) << (7 - at)))
}

/// The error for a row that must not leave.
pub(super) fn not_finite(why: &str) -> Error {
    Error::new(ErrorKind::InferenceFailed, format!("the vector has a value that is {why}"))
}
