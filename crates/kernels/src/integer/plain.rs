//! The tile without vector instructions: the twin that the others must equal.

use super::Bytes;

/// Tiles of any machine.
#[derive(Debug, Clone, Copy)]
pub(super) struct One;

impl Bytes for One {
    const ROWS: usize = 4;
    const COLUMNS: usize = 16;
    const GROUP: usize = 4;
    const DEPTH: usize = 4;

    unsafe fn tile(
        self,
        rows: usize,
        a: *const u8,
        stride: usize,
        depth: usize,
        panel: *const i8,
        out: *mut i32,
    ) {
        for row in 0..rows {
            for column in 0..Self::COLUMNS {
                let mut sum = 0_i32;
                for k in 0..depth {
                    // SAFETY: the caller says that the row has `depth` bytes, and the panel is packed for that depth.
                    let (left, right) = unsafe {
                        let group = k / Self::GROUP * Self::COLUMNS + column;
                        (*a.add(row * stride + k), *panel.add(group * Self::GROUP + k % Self::GROUP))
                    };
                    sum += i32::from(left) * i32::from(right);
                }
                // SAFETY: the tile has this row and column.
                unsafe { *out.add(row * Self::COLUMNS + column) = sum };
            }
        }
    }
}
