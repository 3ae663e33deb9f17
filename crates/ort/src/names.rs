//! A loaded graph's inputs and outputs: as the contract describes them, and as C strings for the run call.

use millrace_contract::{Element, Error, ErrorKind, Graph, Port, Result};
use ort::{
    session::Session,
    value::{Outlet, TensorElementType, ValueType},
};
use std::ffi::CString;

/// An input of the graph.
pub(crate) struct NamedInput {
    pub(crate) name: CString,
    /// The element type that the graph declares.
    pub(crate) element: Element,
}

/// Names of inputs and outputs, in the graph's order.
pub(crate) struct Names {
    inputs: Vec<NamedInput>,
    outputs: Vec<CString>,
}

impl Names {
    /// The names of `graph`. `ModelInvalid` for a name that no C string can hold.
    pub(crate) fn new(graph: &Graph) -> Result<Self> {
        let input = |port: &Port| Ok(NamedInput { name: c_name(&port.name)?, element: port.element });
        Ok(Self {
            inputs: graph.inputs.iter().map(input).collect::<Result<_>>()?,
            outputs: graph.outputs.iter().map(|port| c_name(&port.name)).collect::<Result<_>>()?,
        })
    }

    /// The input called `name`.
    pub(crate) fn input(&self, name: &str) -> Option<&NamedInput> {
        self.inputs.iter().find(|known| known.name.as_bytes() == name.as_bytes())
    }

    /// The output at `position`.
    pub(crate) fn output(&self, position: usize) -> Option<&CString> {
        self.outputs.get(position)
    }
}

fn c_name(name: &str) -> Result<CString> {
    CString::new(name)
        .map_err(|_| Error::new(ErrorKind::ModelInvalid, format!("a graph's name holds a NUL: {name:?}")))
}

/// What `session` takes and gives.
pub(crate) fn ports(session: &Session) -> (Vec<Port>, Vec<Port>) {
    (session.inputs().iter().map(port).collect(), session.outputs().iter().map(port).collect())
}

fn port(outlet: &Outlet) -> Port {
    let (element, dims) = match outlet.dtype() {
        ValueType::Tensor { ty, shape, .. } => (element(*ty), shape.to_vec()),
        _ => (Element::Other, Vec::new()),
    };
    Port { name: outlet.name().to_owned(), element, dims }
}

/// The contract's name of an element type.
pub(crate) fn element(ty: TensorElementType) -> Element {
    match ty {
        TensorElementType::Float32 => Element::F32,
        TensorElementType::Float16 => Element::F16,
        TensorElementType::Float64 => Element::F64,
        TensorElementType::Int8 => Element::I8,
        TensorElementType::Uint8 => Element::U8,
        TensorElementType::Int32 => Element::I32,
        TensorElementType::Int64 => Element::I64,
        TensorElementType::Bool => Element::Bool,
        _ => Element::Other,
    }
}
