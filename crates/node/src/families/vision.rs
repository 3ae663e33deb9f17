//! Images to one vector each.

use super::dense::{VectorShape, batch, vector};
use crate::{
    batch::{NativeBatch, count},
    host::Host,
    inputs::Inputs,
    options::{NativeCountOptions, NativeJobOptions},
    served::{Served, Surface},
};
use millrace_contract::{Error, ErrorKind, Pooling, Result};
use millrace_core::{
    dense::DenseRow,
    engine::Engine,
    image::ImageInput,
    job::Delivery,
    model::Sourced,
    vision::{self, VisionCall, VisionFamily, VisionPooling},
};

pub(super) fn load(host: &Host<'_>) -> Result<Box<dyn Served>> {
    let spec = vision::resolve(&host.options.vision()?)?;
    let backend = host.graph(&spec.graph_path)?;
    let head = vision::bind(&spec, backend.graph())?;
    let family = VisionFamily::new(spec.processor.clone(), head);
    host.serve(backend, family, (), |info, family, ()| {
        let head = family.head();
        info.dir = Some(host.options.dir().to_owned());
        info.model_file = Some(spec.model_file.clone());
        info.dim = head.dim.map(count);
        let pooling = match head.pooling.value {
            VisionPooling::FirstToken => Pooling::Cls,
            VisionPooling::Flatten => Pooling::None,
        };
        let poolings = Sourced { value: vec![pooling], source: head.pooling.source.clone() };
        info.pooled(&poolings, &head.normalize);
        info.reads(&head.output_name);
    })
}

impl Surface for VisionFamily {
    type Facts = ();
    type Shape = VectorShape;

    fn call(&self, (): &(), options: NativeJobOptions) -> Result<(VisionCall, VectorShape)> {
        let head = self.head();
        let (vector, shape) = vector(&options, Pooling::None, head.normalize.value, head.dim)?;
        let auto_orient = options.auto_orient.unwrap_or(false);
        Ok((VisionCall { limits: options.image_limits(), auto_orient, vector }, shape))
    }

    fn inputs(inputs: Inputs) -> Result<Vec<ImageInput>> {
        inputs.images()
    }

    fn batch(delivery: Delivery<DenseRow>, shape: VectorShape) -> Result<NativeBatch> {
        batch(delivery, shape)
    }

    fn count(_: &Engine<Self>, (): &(), _: Inputs, _: &NativeCountOptions) -> Result<Vec<u32>> {
        Err(Error::new(ErrorKind::Internal, "images have no tokens to count"))
    }
}
