//! Weights of a linear layer, in the order in which a level's tiles read them.

use super::{Layout, deepest_product};
use crate::{Level, buffer::Aligned};

/// Weights as signed bytes with a scale and a bias an output channel, in panels `[panel][depth / group][column][group]`.
#[derive(Debug, Clone)]
pub struct PackedI8 {
    pub(super) panels: Aligned<i8>,
    /// Sums of each column's weights, with which a row's zero point is taken out again.
    pub(super) sums: Aligned<i32>,
    pub(super) scales: Aligned<f32>,
    pub(super) bias: Aligned<f32>,
    pub(super) depth: usize,
    pub(super) padded_depth: usize,
    pub(super) width: usize,
    pub(super) layout: Layout,
    pub(super) level: Level,
}

impl PackedI8 {
    /// Packs weights for `level`. `weights` holds an output channel after the other, `depth` bytes each.
    ///
    /// # Panics
    /// The weights are not `depth` bytes for each of the scales, the biases are of another number, or the product is deeper
    /// than [`deepest_product`].
    #[must_use]
    pub fn new(level: Level, weights: &[i8], depth: usize, scales: &[f32], bias: &[f32]) -> Self {
        let width = bias.len();
        assert_eq!(weights.len(), width * depth, "a weight for each channel and depth");
        assert_eq!(scales.len(), width, "a scale for each channel");
        assert!(depth > 0 && depth <= deepest_product(), "sums of {depth} products may be none or overflow");
        let layout = Layout::at(level);
        let columns = layout.columns;
        let count = width.div_ceil(columns);
        let padded_depth = depth.next_multiple_of(layout.depth);
        let mut panels = Aligned::zeros(count * columns * padded_depth);
        let mut sums = Aligned::zeros(count * columns);
        for (channel, row) in weights.chunks_exact(depth.max(1)).enumerate() {
            let start = channel / columns * columns * padded_depth + channel % columns * layout.group;
            for (k, weight) in row.iter().enumerate() {
                panels[start + k / layout.group * columns * layout.group + k % layout.group] = *weight;
            }
            sums[channel] = row.iter().map(|weight| i32::from(*weight)).sum();
        }
        let padded = |values: &[f32]| {
            let mut padded = Aligned::zeros(count * columns);
            padded[..width].copy_from_slice(values);
            padded
        };
        Self {
            scales: padded(scales),
            bias: padded(bias),
            panels,
            sums,
            depth,
            padded_depth,
            width,
            layout,
            level,
        }
    }

    /// Output channels.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Input channels.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Bytes that the packed weights take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.panels.len() + (self.sums.len() + self.scales.len() + self.bias.len()) * size_of::<f32>()
    }
}
