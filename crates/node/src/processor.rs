//! An image processor, as JavaScript holds it: pixels of a model without the model.

#![expect(clippy::needless_pass_by_value, reason = "what crosses from JavaScript is owned")]

use crate::{batch::count, inputs::NativeImage, options::image_limits, promise::in_background};
use millrace_contract::Result;
use millrace_core::image::{self, ImageInput, ImageLimits, Processor};
use napi::{
    Env,
    bindgen_prelude::{Float32Array, Object},
};
use napi_derive::napi;
use std::{path::Path, sync::Arc};

/// Options of one image.
#[napi(object, object_to_js = false)]
pub struct NativeProcessOptions {
    /// Whether its EXIF orientation is followed.
    pub auto_orient: Option<bool>,
    /// Most bytes of its file.
    pub max_image_bytes: Option<f64>,
    /// Most pixels.
    pub max_image_pixels: Option<f64>,
}

/// The tensor of an image, `[tiles, 3, height, width]`.
#[napi(object, object_from_js = false)]
pub struct NativePixels {
    /// Its values.
    pub data: Float32Array,
    /// Tiles; 1 where the processor does not split.
    pub tiles: u32,
    /// Rows of a tile.
    pub height: u32,
    /// Pixels of a row.
    pub width: u32,
}

/// An image processor.
#[napi]
pub struct NativeProcessor {
    processor: Arc<Processor>,
}

/// Reads the `preprocessor_config.json` of a directory, on a thread of its own.
#[napi(ts_return_type = "Promise<NativeProcessor | NativeError>")]
pub fn create_processor(env: &Env, dir: String) -> napi::Result<Object<'_>> {
    let answer = |processor| NativeProcessor { processor: Arc::new(processor) };
    in_background(env, move || Processor::load(Path::new(&dir)), answer)
}

fn process(
    processor: &Processor,
    image: ImageInput,
    limits: &ImageLimits,
    auto_orient: bool,
) -> Result<NativePixels> {
    let pixels = processor.process(image::read(image, limits, auto_orient)?, limits)?;
    let mut values = vec![0.0; pixels.values()];
    processor.write(&pixels, &mut values);
    Ok(NativePixels {
        data: values.into(),
        tiles: count(pixels.tiles),
        height: count(pixels.height),
        width: count(pixels.width),
    })
}

#[napi]
impl NativeProcessor {
    /// Reads, scales and normalises an image, on a thread of its own.
    #[napi(ts_return_type = "Promise<NativePixels | NativeError>")]
    pub fn process<'env>(
        &self,
        env: &'env Env,
        image: NativeImage,
        options: NativeProcessOptions,
    ) -> napi::Result<Object<'env>> {
        let processor = Arc::clone(&self.processor);
        let NativeProcessOptions { auto_orient, max_image_bytes, max_image_pixels } = options;
        let limits = image_limits(max_image_bytes, max_image_pixels);
        let auto_orient = auto_orient.unwrap_or(false);
        let image = ImageInput::from(image);
        in_background(env, move || process(&processor, image, &limits, auto_orient), |pixels| pixels)
    }
}
