//! Constant tensors: a shape, an element type, and bytes that lie in a mapped file or were computed.

use half::f16;
use memmap2::Mmap;
use std::{ops::Range, sync::Arc};

/// Element types that the encoder can compute with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    F32,
    F16,
    F64,
    I8,
    U8,
    I32,
    I64,
    Bool,
}

impl Kind {
    /// The type of an ONNX number, where it is one of ours.
    pub(crate) fn of(number: i64) -> Option<Self> {
        Some(match number {
            1 => Self::F32,
            2 => Self::U8,
            3 => Self::I8,
            6 => Self::I32,
            7 => Self::I64,
            9 => Self::Bool,
            10 => Self::F16,
            11 => Self::F64,
            _ => return None,
        })
    }

    pub(crate) fn size(self) -> usize {
        match self {
            Self::I8 | Self::U8 | Self::Bool => 1,
            Self::F16 => 2,
            Self::F32 | Self::I32 => 4,
            Self::F64 | Self::I64 => 8,
        }
    }

    pub(crate) fn is_float(self) -> bool {
        matches!(self, Self::F32 | Self::F16 | Self::F64)
    }
}

/// Where a tensor's bytes are.
#[derive(Clone)]
enum Bytes {
    Mapped(Arc<Mmap>, Range<usize>),
    Owned(Arc<Vec<u8>>),
}

/// A constant. Copies share the bytes.
#[derive(Clone)]
pub(crate) struct Tensor {
    pub(crate) dims: Vec<usize>,
    pub(crate) kind: Kind,
    bytes: Bytes,
}

impl std::fmt::Debug for Tensor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tensor").field("dims", &self.dims).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Number of elements of a shape, where it fits.
pub(crate) fn count(dims: &[usize]) -> Option<usize> {
    dims.iter().try_fold(1_usize, |all, dim| all.checked_mul(*dim))
}

impl Tensor {
    /// A tensor over bytes of a mapped file; `None` when their number does not fit the shape.
    pub(crate) fn mapped(dims: Vec<usize>, kind: Kind, map: &Arc<Mmap>, range: Range<usize>) -> Option<Self> {
        let bytes = count(&dims)?.checked_mul(kind.size())?;
        (range.len() == bytes && range.end <= map.len()).then(|| Self {
            dims,
            kind,
            bytes: Bytes::Mapped(Arc::clone(map), range),
        })
    }

    fn owned(dims: Vec<usize>, kind: Kind, bytes: Vec<u8>) -> Self {
        Self { dims, kind, bytes: Bytes::Owned(Arc::new(bytes)) }
    }

    /// A tensor of computed floats; `None` when their number does not fit the shape.
    pub(crate) fn floats_of(dims: Vec<usize>, values: &[f32]) -> Option<Self> {
        (count(&dims)? == values.len())
            .then(|| Self::owned(dims, Kind::F32, values.iter().flat_map(|x| x.to_le_bytes()).collect()))
    }

    /// A tensor of computed integers.
    pub(crate) fn ints_of(dims: Vec<usize>, values: &[i64]) -> Option<Self> {
        (count(&dims)? == values.len())
            .then(|| Self::owned(dims, Kind::I64, values.iter().flat_map(|x| x.to_le_bytes()).collect()))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Mapped(map, range) => map.get(range.clone()).unwrap_or(&[]),
            Bytes::Owned(bytes) => bytes,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes().len() / self.kind.size()
    }

    /// The same values in another shape; `None` when it has another number of elements.
    pub(crate) fn reshaped(&self, dims: Vec<usize>) -> Option<Self> {
        (count(&dims)? == self.len()).then(|| Self { dims, ..self.clone() })
    }

    /// All values as floats.
    pub(crate) fn floats(&self) -> Vec<f32> {
        let mut out = Vec::with_capacity(self.len());
        self.floats_at(0..self.len(), |x| out.push(x));
        out
    }

    /// All values as integers; floats are cut.
    #[expect(clippy::cast_possible_truncation, reason = "a cast of ONNX cuts so too")]
    pub(crate) fn ints(&self) -> Vec<i64> {
        let bytes = self.bytes();
        match self.kind {
            Kind::I64 => bytes.as_chunks().0.iter().map(|b| i64::from_le_bytes(*b)).collect(),
            Kind::I32 => bytes.as_chunks().0.iter().map(|b| i64::from(i32::from_le_bytes(*b))).collect(),
            Kind::I8 => bytes.iter().map(|b| i64::from(b.cast_signed())).collect(),
            Kind::U8 | Kind::Bool => bytes.iter().map(|b| i64::from(*b)).collect(),
            Kind::F32 | Kind::F16 | Kind::F64 => self.floats().iter().map(|x| *x as i64).collect(),
        }
    }

    /// Gives the values of a range of elements, one after the other, as floats.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "the encoder computes in f32"
    )]
    pub(crate) fn floats_at(&self, range: Range<usize>, mut to: impl FnMut(f32)) {
        let size = self.kind.size();
        let bytes = self.bytes().get(range.start * size..range.end * size).unwrap_or(&[]);
        match self.kind {
            Kind::F32 => bytes.as_chunks().0.iter().for_each(|b| to(f32::from_le_bytes(*b))),
            Kind::F16 => bytes.as_chunks().0.iter().for_each(|b| to(f16::from_le_bytes(*b).to_f32())),
            Kind::F64 => bytes.as_chunks().0.iter().for_each(|b| to(f64::from_le_bytes(*b) as f32)),
            Kind::I64 => bytes.as_chunks().0.iter().for_each(|b| to(i64::from_le_bytes(*b) as f32)),
            Kind::I32 => bytes.as_chunks().0.iter().for_each(|b| to(i32::from_le_bytes(*b) as f32)),
            Kind::I8 => bytes.iter().for_each(|b| to(f32::from(b.cast_signed()))),
            Kind::U8 | Kind::Bool => bytes.iter().for_each(|b| to(f32::from(*b))),
        }
    }

    /// The single value of a scalar or of a tensor of one element.
    pub(crate) fn scalar(&self) -> Option<f32> {
        if self.len() != 1 {
            return None;
        }
        let mut value = None;
        self.floats_at(0..1, |x| value = Some(x));
        value
    }

    /// The axes in another order.
    pub(crate) fn transposed(&self, order: &[usize]) -> Option<Self> {
        let rank = self.dims.len();
        let mut seen = vec![false; rank];
        for axis in order {
            *seen.get_mut(*axis)? = true;
        }
        if order.len() != rank || seen.contains(&false) {
            return None;
        }
        let mut strides = vec![1; rank];
        for axis in (0..rank.saturating_sub(1)).rev() {
            strides[axis] = strides[axis + 1] * self.dims[axis + 1];
        }
        let dims: Vec<usize> = order.iter().map(|axis| self.dims[*axis]).collect();
        let steps: Vec<usize> = order.iter().map(|axis| strides[*axis]).collect();
        let (size, from) = (self.kind.size(), self.bytes());
        let mut bytes = Vec::with_capacity(from.len());
        let mut place = vec![0; rank];
        for _ in 0..self.len() {
            let at: usize = place.iter().zip(&steps).map(|(at, step)| at * step).sum();
            bytes.extend_from_slice(from.get(at * size..(at + 1) * size)?);
            for axis in (0..rank).rev() {
                place[axis] += 1;
                if place[axis] < dims[axis] {
                    break;
                }
                place[axis] = 0;
            }
        }
        Some(Self::owned(dims, self.kind, bytes))
    }

    /// The values as another type.
    pub(crate) fn cast(&self, kind: Kind) -> Option<Self> {
        if kind == self.kind {
            return Some(self.clone());
        }
        if kind.is_float() {
            return Self::floats_of(self.dims.clone(), &self.floats());
        }
        if kind == Kind::Bool {
            let bytes = self.floats().iter().map(|x| u8::from(*x != 0.0)).collect();
            return Some(Self::owned(self.dims.clone(), kind, bytes));
        }
        Self::ints_of(self.dims.clone(), &self.ints())
    }
}
