//! The steps between a decoded image and the tensor of a model.

use super::{
    Filter, ImageLimits, Rgb,
    frame::Frame,
    split::{self, Tiles},
    unusable,
    values::{Scale, Table, write_planes},
};
use crate::model::json;
use millrace_contract::Result;
use std::path::Path;

/// How large an image is made before it is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    /// As it is.
    Original,
    /// The shorter side; the longer one follows, its fraction cut.
    Shortest(usize),
    /// Width and height, whatever the aspect.
    Exact(usize, usize),
}

/// What the model sees of the scaled image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// All of it.
    Whole,
    /// Its centre, width by height.
    Center(usize, usize),
    /// A square of this side, filled up with a colour.
    Square(usize, [u8; 3]),
}

/// The geometry of a processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// One picture.
    Single { size: Size, framing: Framing },
    /// Idefics3: scaled to a longest edge first, then tiles of `side`, or one square tile.
    Tiled { longest: Option<usize>, side: usize, split: bool },
}

/// What a `preprocessor_config.json` asks for. `Sync`: one serves all threads.
#[derive(Debug, Clone)]
pub struct Processor {
    layout: Layout,
    filter: Filter,
    plain: Box<Table>,
    padded: Box<Table>,
}

/// Most tiles of an image that a whole number of tiles is made of; the model's context ends long before.
const MAX_TILES: usize = 1024;

/// An image made ready, still in 8 bits: [`Processor::write`] makes its tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pixels {
    /// Interleaved RGB, tile after tile.
    data: Box<[u8]>,
    /// Number of tiles; 1 for all processors but Idefics3's.
    pub tiles: usize,
    /// Rows of a tile.
    pub height: usize,
    /// Pixels of a row.
    pub width: usize,
    /// Rows and columns of tiles before the view of the whole; (0, 0) for an image that is not split.
    pub grid: (usize, usize),
    padded: bool,
}

impl Pixels {
    /// Bytes it holds.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.data.len()
    }

    /// Floats of its tensor: `[tiles, 3, height, width]`.
    #[must_use]
    pub fn values(&self) -> usize {
        self.data.len()
    }
}

impl Processor {
    /// Reads `preprocessor_config.json` of `dir`.
    ///
    /// [`MODEL_NOT_FOUND`](millrace_contract::ErrorKind::ModelNotFound) when it is missing,
    /// [`MODEL_INVALID`](millrace_contract::ErrorKind::ModelInvalid) when it asks for what is not known.
    pub fn load(dir: &Path) -> Result<Self> {
        let path = dir.join("preprocessor_config.json");
        let config: serde_json::Value = json::read_object(&path)?.ok_or_else(|| json::missing(&path))?;
        Self::from_config(&config).map_err(|why| json::invalid(&path, why))
    }

    pub(super) fn new(layout: Layout, filter: Filter, scale: &Scale) -> Self {
        Self { layout, filter, plain: scale.table(false), padded: scale.table(true) }
    }

    /// Height and width of every tile, where they do not depend on the image.
    #[must_use]
    pub fn tile_size(&self) -> Option<(usize, usize)> {
        match self.layout {
            Layout::Single { framing: Framing::Center(width, height), .. }
            | Layout::Single { size: Size::Exact(width, height), framing: Framing::Whole } => {
                Some((height, width))
            }
            Layout::Single { framing: Framing::Square(side, _), .. } | Layout::Tiled { side, .. } => {
                Some((side, side))
            }
            Layout::Single { .. } => None,
        }
    }

    /// Most bytes that a prepared image takes, where that does not depend on the image.
    #[must_use]
    pub fn most_bytes(&self) -> Option<usize> {
        let (height, width) = self.tile_size()?;
        let tiles = match self.layout {
            Layout::Tiled { longest: Some(longest), side, split: true } => {
                let edge = longest.div_ceil(side);
                edge.saturating_mul(edge).saturating_add(1)
            }
            _ => 1,
        };
        Some(width.saturating_mul(height).saturating_mul(3).saturating_mul(tiles))
    }

    /// Scales, frames and splits. Errors are of kind
    /// [`ImageInvalid`](millrace_contract::ErrorKind::ImageInvalid): a picture whose scaled size is beyond the limits.
    pub fn process(&self, image: Rgb, limits: &ImageLimits) -> Result<Pixels> {
        match self.layout {
            Layout::Single { size, framing } => self.single(image, size, framing, limits),
            Layout::Tiled { longest, side, split } => self.tiled(&image, longest, side, split, limits),
        }
    }

    fn single(&self, image: Rgb, size: Size, framing: Framing, limits: &ImageLimits) -> Result<Pixels> {
        let (width, height) = match size {
            Size::Original => (image.width(), image.height()),
            Size::Exact(width, height) => (width, height),
            Size::Shortest(edge) => shortest(image.width(), image.height(), edge),
        };
        let frame = match framing {
            Framing::Whole => Frame::whole(width, height),
            Framing::Center(crop_width, crop_height) => Frame::center(width, height, crop_width, crop_height),
            Framing::Square(edge, fill) => Frame::square(width, height, edge, fill),
        };
        limits.check_pixels(frame.width as u64, frame.height as u64)?;
        let unchanged =
            (width, height) == (image.width(), image.height()) && frame == Frame::whole(width, height);
        let framed = if unchanged { image } else { frame.apply(&image, width, height, self.filter) };
        Ok(Pixels {
            tiles: 1,
            height: framed.height(),
            width: framed.width(),
            grid: (0, 0),
            padded: frame.padded,
            data: framed.into_data().into_boxed_slice(),
        })
    }

    fn tiled(
        &self,
        image: &Rgb,
        longest: Option<usize>,
        side: usize,
        split: bool,
        limits: &ImageLimits,
    ) -> Result<Pixels> {
        let (width, height) = match longest {
            Some(edge) => split::longest_edge(image.width(), image.height(), edge),
            None => (image.width(), image.height()),
        };
        limits.check_pixels(width as u64, height as u64)?;
        let count = width.div_ceil(side).saturating_mul(height.div_ceil(side));
        if split && count > MAX_TILES {
            return Err(unusable(format_args!(
                "{width} x {height} pixels are {count} tiles; at most {MAX_TILES}"
            )));
        }
        let scaled = Frame::whole(width, height).apply(image, width, height, self.filter);
        let Tiles { tiles, grid } = if split {
            split::tiles(&scaled, side, self.filter)
        } else {
            split::square(&scaled, side, self.filter)
        };
        let mut data = Vec::with_capacity(3 * side * side * tiles.len());
        for tile in &tiles {
            data.extend_from_slice(tile.data());
        }
        let data = data.into_boxed_slice();
        Ok(Pixels { data, tiles: tiles.len(), height: side, width: side, grid, padded: false })
    }

    /// Rescales and normalises into `to`, which has [`Pixels::values`] values: `[tiles, 3, height, width]`.
    pub fn write(&self, pixels: &Pixels, to: &mut [f32]) {
        let table = if pixels.padded { &self.padded } else { &self.plain };
        let tile = 3 * pixels.height * pixels.width;
        for (tile, to) in pixels.data.chunks_exact(tile.max(1)).zip(to.chunks_exact_mut(tile.max(1))) {
            write_planes(tile, table, to);
        }
    }
}

/// Width and height when the shorter side becomes `edge`.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positive and far below 2^52; the fraction is cut as Pillow's callers do"
)]
fn shortest(width: usize, height: usize, edge: usize) -> (usize, usize) {
    let long = |long: usize, short: usize| ((edge as f64 * long as f64) / short as f64) as usize;
    if width <= height { (edge, long(height, width)) } else { (long(width, height), edge) }
}
