//! Buffers that begin at a cache line, so that a panel's vectors never straddle two.

use std::{
    fmt,
    ops::{Deref, DerefMut},
};

/// Bytes of a cache line, and of the widest register.
const LINE: usize = 64;

/// What a buffer can hold: numbers of which every bit pattern is a value.
pub trait Element: Copy + Default + private::Sealed {}

mod private {
    pub trait Sealed {}
}

macro_rules! elements {
    ($($name:ty),*) => { $(impl private::Sealed for $name {} impl Element for $name {})* };
}
elements!(u8, i8, i32, f32);

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; LINE]);

/// A slice of numbers on a boundary of 64 bytes. Its length is fixed when it is made.
#[derive(Clone)]
pub struct Aligned<T> {
    lines: Vec<Line>,
    len: usize,
    kind: std::marker::PhantomData<T>,
}

impl<T: Element> Aligned<T> {
    /// A buffer of `len` zeros.
    ///
    /// # Panics
    /// So many numbers have more bytes than an address can count.
    #[must_use]
    pub fn zeros(len: usize) -> Self {
        let bytes = len.checked_mul(size_of::<T>()).expect("a buffer's bytes fit in usize");
        Self { lines: vec![Line([0; LINE]); bytes.div_ceil(LINE)], len, kind: std::marker::PhantomData }
    }

    /// A buffer that holds a copy of `values`.
    #[must_use]
    pub fn copy_of(values: &[T]) -> Self {
        let mut buffer = Self::zeros(values.len());
        buffer.copy_from_slice(values);
        buffer
    }

    /// Makes room for at least `len` numbers. What the buffer held is lost when it has to grow, and kept otherwise.
    pub fn at_least(&mut self, len: usize) {
        if self.len < len {
            *self = Self::zeros(len);
        }
    }
}

impl<T: Element> Default for Aligned<T> {
    fn default() -> Self {
        Self::zeros(0)
    }
}

impl<T: Element> Deref for Aligned<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: the lines hold at least `len` numbers of T, are aligned to 64 bytes, and every bit pattern is a T.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }
}

impl<T: Element> DerefMut for Aligned<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as in `deref`, and `&mut self` makes the slice the only way to the lines.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}

impl<T> fmt::Debug for Aligned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aligned").field("len", &self.len).finish_non_exhaustive()
    }
}
