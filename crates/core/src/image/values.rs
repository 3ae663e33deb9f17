//! From 8 bits to the model's floats: rescale and normalise, by table.

/// The float of each 8-bit value, for each channel.
pub(super) type Table = [[f32; 256]; 3];

/// What rescaling and normalising do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    /// Factor, if any.
    pub(super) factor: Option<f64>,
    /// Mean and deviation of each channel, if any.
    pub(super) normal: Option<([f32; 3], [f32; 3])>,
}

impl Scale {
    /// The table. `padded` images are float32 before they are rescaled, others are multiplied in float64: the
    /// results differ in the last bit.
    pub(super) fn table(&self, padded: bool) -> Box<Table> {
        let mut table = Box::new([[0.0; 256]; 3]);
        for (channel, values) in table.iter_mut().enumerate() {
            for (byte, value) in (0_u8..=255).zip(values) {
                #[expect(clippy::cast_possible_truncation, reason = "the rounding to float32 is wanted")]
                let scaled = match self.factor {
                    None => f32::from(byte),
                    Some(factor) if padded => f32::from(byte) * factor as f32,
                    Some(factor) => (f64::from(byte) * factor) as f32,
                };
                *value = self.normal.map_or(scaled, |(mean, std)| (scaled - mean[channel]) / std[channel]);
            }
        }
        table
    }
}

/// Writes interleaved pixels as three planes: `to` has as many values as `pixels`.
pub(super) fn write_planes(pixels: &[u8], table: &Table, to: &mut [f32]) {
    let plane = pixels.len() / 3;
    for ((channel, to), table) in to.chunks_exact_mut(plane.max(1)).enumerate().zip(table) {
        for (to, pixel) in to.iter_mut().zip(pixels.chunks_exact(3)) {
            *to = table[usize::from(pixel[channel])];
        }
    }
}
