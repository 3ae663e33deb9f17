//! What a model's graph takes and gives, as its backend read it.

/// Element type of a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Element {
    /// 32-bit float.
    F32,
    /// 16-bit float.
    F16,
    /// 64-bit float.
    F64,
    /// Signed byte.
    I8,
    /// Unsigned byte.
    U8,
    /// 32-bit integer.
    I32,
    /// 64-bit integer.
    I64,
    /// Truth value.
    Bool,
    /// Any other type; no tensor of it can be fed or read.
    Other,
}

/// One input or output of a graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// Its name in the graph.
    pub name: String,
    /// Its element type.
    pub element: Element,
    /// Its dimensions; -1 stands for one that varies.
    pub dims: Vec<i64>,
}

/// How a graph's weights and activations are quantised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quantization {
    /// Floating point throughout.
    None,
    /// Integer weights, floating-point activations (`MatMulNBits`, `DequantizeLinear` of constants):
    /// rows do not depend on their batch-mates.
    WeightOnly,
    /// Activations quantised with constants of calibration.
    Static,
    /// Activations quantised per tensor at run time (`DynamicQuantizeLinear`, …): a row's result depends on
    /// every other row of its run, padding included.
    Dynamic,
}

/// The outside of a graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graph {
    /// Inputs in the graph's order.
    pub inputs: Vec<Port>,
    /// Outputs in the graph's order.
    pub outputs: Vec<Port>,
    /// How it is quantised.
    pub quantization: Quantization,
    /// Attention heads of a layer, the most of any layer, where the graph says so.
    pub heads: Option<usize>,
    /// Values of a token in the widest layer, as the shapes of the weights say; absent where none has such a shape.
    pub widest: Option<usize>,
    /// Bytes of the graph file and of its external data: what the weights cost on disk.
    pub file_bytes: u64,
}

impl Graph {
    /// The input called `name`.
    #[must_use]
    pub fn input(&self, name: &str) -> Option<&Port> {
        self.inputs.iter().find(|port| port.name == name)
    }

    /// Position of the output called `name`.
    #[must_use]
    pub fn output_position(&self, name: &str) -> Option<usize> {
        self.outputs.iter().position(|port| port.name == name)
    }

    /// Whether the graph runs one row at a time, because its batch axis is fixed to 1.
    #[must_use]
    pub fn takes_one_row(&self) -> bool {
        self.inputs.iter().any(|port| port.dims.len() > 1 && port.dims.first() == Some(&1))
    }

    /// Whether rows must run alone to keep a vector independent of its batch-mates.
    #[must_use]
    pub fn rows_interact(&self) -> bool {
        self.quantization == Quantization::Dynamic
    }
}
