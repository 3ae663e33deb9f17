//! The image family: an image in, one vector out.
//!
//! Reading, decoding and scaling run on the preparing pool. What waits for a run are 8-bit pixels, a quarter of the
//! tensor they become; they weigh in the window by their bytes, see [`weight`].

mod spec;

pub use spec::{VisionHead, VisionPooling, VisionRequest, VisionSpec, bind, resolve};

use crate::{
    dense::DenseRow,
    family::{self, Family, Prepared},
    image::{self, ImageInput, ImageLimits, Pixels, Processor},
    postprocess::DenseOptions,
};
use millrace_contract::{Batch, Error, ErrorKind, Input, InputData, Output, Pooling, Result};

/// Bytes of pixels that weigh as much as a token in a call's window. A window of 131,072 tokens then holds 8 MiB of
/// pixels: 55 images of 224 x 224, enough for sessions never to wait for the pool.
const BYTES_PER_TOKEN: usize = 64;

/// What an image weighs at the most, an eighth of that window: however large images are, each session finds one
/// while others are prepared.
const MOST_WEIGHT: usize = 16_384;

/// Side of the square of pixels that a token stands for, where the model does not tell. Vision transformers have 14, 16
/// or 32, so the guess is wrong by a factor of four at the most.
const PATCH_SIDE: usize = 16;

/// What `bytes` of pixels weigh in a window.
pub(crate) fn weight(bytes: usize) -> usize {
    (bytes / BYTES_PER_TOKEN).clamp(1, MOST_WEIGHT)
}

/// What an input weighs before it is prepared: what it holds, or what it will come to.
pub(crate) fn input_weight(input: &ImageInput, processor: &Processor) -> usize {
    weight(input.held_bytes().max(processor.most_bytes().unwrap_or(0)))
}

/// Squares of `side` pixels in an image's tiles: the tokens that it is counted as.
fn patches(pixels: &Pixels, side: usize) -> usize {
    pixels.tiles * pixels.height.div_ceil(side) * pixels.width.div_ceil(side)
}

/// Options of one call on images.
#[derive(Debug, Clone)]
pub struct VisionCall {
    /// Bounds of an image.
    pub limits: ImageLimits,
    /// Whether the EXIF orientation is followed; FastEmbed ignores it.
    pub auto_orient: bool,
    /// How the vector is made of the graph's output; the pooling is the model's, whatever stands here.
    pub vector: DenseOptions,
}

/// Images on one model.
#[derive(Debug)]
pub struct VisionFamily {
    processor: Processor,
    head: VisionHead,
    outputs: [usize; 1],
}

impl VisionFamily {
    /// The family of a graph whose ends are `head`.
    pub fn new(processor: Processor, head: VisionHead) -> Self {
        let outputs = [head.output];
        Self { processor, head, outputs }
    }

    fn patches(&self, pixels: &Pixels) -> usize {
        patches(pixels, self.head.patch_side)
    }

    /// The graph's ends.
    pub fn head(&self) -> &VisionHead {
        &self.head
    }

    /// What is done to an image first.
    pub fn processor(&self) -> &Processor {
        &self.processor
    }
}

impl Family for VisionFamily {
    type Input = ImageInput;
    type Call = VisionCall;
    type Item = Pixels;
    /// `tokens` are the model's patches, squares of 16 x 16 pixels where it does not tell; nothing is ever `truncated`.
    type Row = DenseRow;

    fn input_cost(&self, input: &ImageInput) -> usize {
        input_weight(input, &self.processor)
    }

    fn typical_cost(&self) -> usize {
        weight(self.processor.most_bytes().unwrap_or(0))
    }

    fn prepare(&self, input: ImageInput, call: &VisionCall) -> Result<Prepared<Pixels, DenseRow>> {
        let image = image::read(input, &call.limits, call.auto_orient)?;
        let pixels = self.processor.process(image, &call.limits)?;
        match self.head.size {
            Some((height, width)) if (pixels.height, pixels.width) != (height, width) => {
                Err(image::unusable(format_args!(
                    "scaled it has {} x {} pixels (height, width), and the model takes {height} x {width}",
                    pixels.height, pixels.width
                )))
            }
            _ => Ok(Prepared::Item(pixels)),
        }
    }

    fn tokens(&self, item: &Pixels) -> usize {
        self.patches(item)
    }

    fn weight(&self, item: &Pixels) -> usize {
        weight(item.bytes())
    }

    fn padded_len(&self, item: &Pixels) -> usize {
        self.patches(item)
    }

    fn collate(&self, items: &[&Pixels]) -> Result<Batch> {
        let Some(first) = items.first() else {
            return Err(Error::new(ErrorKind::Internal, "a run without images"));
        };
        let (height, width) = (first.height, first.width);
        // Only graphs that leave the size open get here with different ones; apart, each image runs.
        if items.iter().any(|item| (item.tiles, item.height, item.width) != (first.tiles, height, width)) {
            return Err(Error::new(
                ErrorKind::InferenceFailed,
                "images of different sizes cannot share a run",
            ));
        }
        let one = first.values();
        let mut data = vec![0.0; one * items.len()];
        for (item, to) in items.iter().zip(data.chunks_exact_mut(one.max(1))) {
            self.processor.write(item, to);
        }
        let input = Input {
            name: self.head.input.as_str().into(),
            shape: vec![items.len() * first.tiles, 3, height, width],
            data: InputData::F32(data),
        };
        Ok(Batch {
            inputs: vec![input],
            rows: items.len(),
            padded_len: self.patches(first),
            spans: Vec::new(),
        })
    }

    fn outputs(&self) -> &[usize] {
        &self.outputs
    }

    fn finish(
        &self,
        outputs: &[Output<'_>],
        batch: &Batch,
        row: usize,
        item: &Pixels,
        call: &VisionCall,
    ) -> Result<DenseRow> {
        let output = family::only_output(outputs)?;
        let options = DenseOptions { pooling: self.head.dense_pooling(), ..call.vector };
        let vector = if options.pooling == Pooling::None {
            let flat = [batch.rows, output.data.len() / batch.rows.max(1)];
            options.row(&Output { shape: &flat, ..*output }, row, 0, 0, false)?
        } else {
            let tokens = output.shape.get(1).copied().unwrap_or(0);
            options.row(output, row, tokens, tokens, false)?
        };
        Ok(DenseRow::one(vector, self.patches(item), false))
    }
}
