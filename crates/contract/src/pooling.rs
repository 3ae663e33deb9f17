//! How token vectors become one vector, and in which type it is delivered.

/// How a text's token vectors become one vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pooling {
    /// The first token's vector.
    Cls,
    /// The mean over tokens of the attention mask.
    Mean,
    /// The last token of the attention mask, on either padding side.
    LastToken,
    /// The maximum over tokens of the attention mask, per dimension.
    Max,
    /// The sum over tokens of the attention mask, divided by the square root of their number.
    MeanSqrtLen,
    /// The mean over tokens of the attention mask, the first weighted by 1, the second by 2 and so on.
    WeightedMean,
    /// The graph's output is the vector already: `[rows, dim]`.
    None,
}

/// Element type of delivered vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum DType {
    /// 32-bit floats.
    #[default]
    Float32,
    /// 16-bit floats, as their bits.
    Float16,
    /// Signed bytes: `round(x / scale)` with one scale a vector, `max(|x|) / 127`.
    Int8,
    /// Unsigned bytes: the signed byte plus 128, with the same scale.
    Uint8,
    /// One sign bit a dimension (1 where x > 0), most significant bit first, each byte less 128.
    Binary,
    /// One sign bit a dimension (1 where x > 0), most significant bit first.
    Ubinary,
}
