//! The multimodal late-interaction family, ColPali and ColModernVBERT: a text or an image in, a vector for each
//! token out. Texts and images never share a run, as their tensors differ.

mod prompt;
mod spec;

pub use spec::{Architecture, MultimodalSpec, check, resolve};

use crate::{
    engine::Engine,
    family::{self, Family, Prepared},
    image::{self, ImageInput, ImageLimits, Pixels, Processor},
    model::Sourced,
    multivector::{MultiVectorRow, WINDOW_ROWS, token_vectors},
    tokenizer::{Item, Overflow, Tokenizer},
    vision,
};
use millrace_contract::{Batch, Error, ErrorKind, Graph, Input, InputData, Output, Result};

/// Height and width of ColPali's pixels, where neither graph nor configuration fixes them.
const COLPALI_SIDE: usize = 448;

/// What a user gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MultimodalInput {
    /// A query.
    Text(String),
    /// A picture, usually of a page.
    Image(ImageInput),
}

/// Options of one call: of texts, or of images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MultimodalCall {
    /// The inputs are texts.
    Text {
        /// Longest text in tokens, the model's own tokens included.
        limit: usize,
        /// What happens to longer ones.
        overflow: Overflow,
        /// Whether ColPali gives the rows of padding too, as FastEmbed does: how many there are depends on the
        /// run's other texts, so this only makes sense with fixed batches.
        keep_padding: bool,
    },
    /// The inputs are images.
    Image {
        /// Bounds of an image.
        limits: ImageLimits,
        /// Whether the EXIF orientation is followed; FastEmbed ignores it.
        auto_orient: bool,
    },
}

/// An input made ready.
#[derive(Debug)]
pub struct MultimodalItem {
    /// Token ids of the text, or of the prompt around the image.
    text: Item,
    pixels: Option<Pixels>,
}

/// Texts and images on one model.
#[derive(Debug)]
pub struct MultimodalFamily {
    spec: MultimodalSpec,
    graph: Graph,
    output_name: Sourced<String>,
}

impl MultimodalFamily {
    /// The family of a directory and its graph, which must fit ([`check`]).
    pub fn new(mut spec: MultimodalSpec, graph: Graph) -> Result<Self> {
        check(&spec, &graph)?;
        spec.model = spec.model.fit(&graph)?;
        spec.tokenizer.pad_to(spec.model.fixed_len);
        let source = match graph.outputs.len() {
            1 => "the graph's only output".to_owned(),
            count => format!("the first of the graph's {count} outputs"),
        };
        let value = graph.outputs.first().map(|port| port.name.clone()).unwrap_or_default();
        Ok(Self { spec, graph, output_name: Sourced { value, source } })
    }

    /// The output that the vectors are read from, and who chose it: the first, which the check has seen to be of tokens.
    pub fn output_name(&self) -> &Sourced<String> {
        &self.output_name
    }

    /// The directory.
    pub fn spec(&self) -> &MultimodalSpec {
        &self.spec
    }

    fn tokenizer(&self) -> &Tokenizer {
        &self.spec.tokenizer
    }

    fn processor(&self) -> &Processor {
        &self.spec.processor
    }

    /// The text as the model takes it.
    fn query(&self, text: &str) -> String {
        match self.spec.architecture {
            Architecture::ColPali => prompt::colpali_query(text),
            Architecture::ColModernVbert { .. } => prompt::modernvbert_query(text),
        }
    }

    /// Tokens of `text` after truncation to `limit`. `include_extension` counts what the model adds to a query.
    pub fn count_tokens(&self, text: &str, limit: usize, include_extension: bool) -> Result<usize> {
        if include_extension {
            self.tokenizer().count(&self.query(text), limit)
        } else {
            self.tokenizer().count(text, limit)
        }
    }

    fn prepare_text(&self, text: &str, limit: usize, overflow: Overflow) -> Result<MultimodalItem> {
        let mut item = self.tokenizer().encode(&self.query(text), limit, overflow)?;
        if self.spec.architecture == Architecture::ColPali {
            for (id, marker) in item.ids.iter_mut().zip(prompt::COLPALI_MARKER) {
                *id = marker;
            }
        }
        Ok(MultimodalItem { text: item, pixels: None })
    }

    fn prepare_image(
        &self,
        input: ImageInput,
        limits: &ImageLimits,
        auto_orient: bool,
    ) -> Result<MultimodalItem> {
        let image = image::read(input, limits, auto_orient)?;
        let pixels = self.processor().process(image, limits)?;
        let text = match self.spec.architecture {
            Architecture::ColPali => Item { ids: prompt::colpali_image(), type_ids: None, truncated: false },
            Architecture::ColModernVbert { image_tokens, .. } => {
                let text = prompt::modernvbert_image(pixels.grid, image_tokens);
                self.tokenizer().encode(&text, self.spec.model.limit.tokens, Overflow::Truncate)?
            }
        };
        Ok(MultimodalItem { text, pixels: Some(pixels) })
    }

    /// Height and width of the pixels that go with texts.
    fn blank_size(&self) -> (usize, usize) {
        match self.spec.architecture {
            Architecture::ColPali => self.processor().tile_size().unwrap_or((COLPALI_SIDE, COLPALI_SIDE)),
            Architecture::ColModernVbert { side, .. } => (side, side),
        }
    }

    /// `pixel_values` of a run: `[rows, 3, height, width]`, for tiles `[rows, tiles, 3, height, width]`.
    fn pixel_values(&self, items: &[&MultimodalItem]) -> Result<Input> {
        let images: Vec<&Pixels> = items.iter().filter_map(|item| item.pixels.as_ref()).collect();
        let nested = self.spec.architecture != Architecture::ColPali;
        let Some(first) = images.first() else {
            let (height, width) = self.blank_size();
            // ColModernVBERT takes one blank tile for the whole run and leaves out the vision encoder.
            let shape =
                if nested { vec![1, 1, 3, height, width] } else { vec![items.len(), 3, height, width] };
            let data = InputData::F32(vec![0.0; shape.iter().product()]);
            return Ok(Input { name: "pixel_values".into(), shape, data });
        };
        let (height, width) = (first.height, first.width);
        if images.len() != items.len() || images.iter().any(|one| (one.height, one.width) != (height, width))
        {
            return Err(Error::new(
                ErrorKind::InferenceFailed,
                "images of different sizes cannot share a run",
            ));
        }
        let tiles = images.iter().map(|pixels| pixels.tiles).max().unwrap_or(1);
        let shape = if nested {
            vec![items.len(), tiles, 3, height, width]
        } else {
            vec![items.len(), 3, height, width]
        };
        let mut data = vec![0.0; shape.iter().product()];
        // Tiles that an image lacks stay zero.
        for (pixels, to) in images.iter().zip(data.chunks_exact_mut(3 * height * width * tiles)) {
            self.processor().write(pixels, &mut to[..pixels.values()]);
        }
        Ok(Input { name: "pixel_values".into(), shape, data: InputData::F32(data) })
    }
}

impl Family for MultimodalFamily {
    type Input = MultimodalInput;
    type Call = MultimodalCall;
    type Item = MultimodalItem;
    type Row = MultiVectorRow;

    fn input_cost(&self, input: &MultimodalInput) -> usize {
        match input {
            MultimodalInput::Text(text) => family::text_cost(text.len(), self.tokenizer().added_tokens()),
            MultimodalInput::Image(image) => vision::input_weight(image, self.processor()),
        }
    }

    fn typical_cost(&self) -> usize {
        vision::weight(self.processor().most_bytes().unwrap_or(0))
    }

    fn window_rows(&self) -> usize {
        WINDOW_ROWS
    }

    fn prepare(
        &self,
        input: MultimodalInput,
        call: &MultimodalCall,
    ) -> Result<Prepared<MultimodalItem, MultiVectorRow>> {
        match (input, *call) {
            (MultimodalInput::Text(text), MultimodalCall::Text { limit, overflow, .. }) => {
                self.prepare_text(&text, limit, overflow)
            }
            (MultimodalInput::Image(image), MultimodalCall::Image { limits, auto_orient }) => {
                self.prepare_image(image, &limits, auto_orient)
            }
            (MultimodalInput::Text(_), MultimodalCall::Image { .. }) => {
                Err(Error::new(ErrorKind::InputInvalid, "Expected an image but received a text"))
            }
            (MultimodalInput::Image(_), MultimodalCall::Text { .. }) => {
                Err(Error::new(ErrorKind::InputInvalid, "Expected a text but received an image"))
            }
        }
        .map(Prepared::Item)
    }

    fn tokens(&self, item: &MultimodalItem) -> usize {
        item.text.len()
    }

    fn weight(&self, item: &MultimodalItem) -> usize {
        item.text.len() + item.pixels.as_ref().map_or(0, |pixels| vision::weight(pixels.bytes()))
    }

    /// What a run costs besides its text: ColPali's graph encodes a picture for every row, be it blank.
    fn padded_len(&self, item: &MultimodalItem) -> usize {
        let text = self.tokenizer().padded_len(item.text.len());
        match (self.spec.architecture, &item.pixels) {
            (Architecture::ColPali, None) => text + prompt::COLPALI_IMAGE_TOKENS,
            _ => text,
        }
    }

    fn group(&self, call: &MultimodalCall) -> u32 {
        match call {
            MultimodalCall::Text { .. } => 0,
            MultimodalCall::Image { .. } => 1,
        }
    }

    fn collate(&self, items: &[&MultimodalItem]) -> Result<Batch> {
        let texts: Vec<&Item> = items.iter().map(|item| &item.text).collect();
        // An empty text under a tokenizer that adds nothing still needs a column.
        let mut batch = self.tokenizer().collate_to(&texts, &self.graph, 1);
        batch.inputs.push(self.pixel_values(items)?);
        // ColPali's padding is read too when a call keeps it.
        batch.spans.clear();
        Ok(batch)
    }

    fn outputs(&self) -> &[usize] {
        &[0]
    }

    fn finish(
        &self,
        outputs: &[Output<'_>],
        batch: &Batch,
        row: usize,
        item: &MultimodalItem,
        call: &MultimodalCall,
    ) -> Result<MultiVectorRow> {
        let output = family::only_output(outputs)?;
        let all = matches!(call, MultimodalCall::Text { keep_padding: true, .. })
            && self.spec.architecture == Architecture::ColPali;
        let span =
            if all { 0..batch.padded_len } else { self.tokenizer().span(item.text.len(), batch.padded_len) };
        let rows = span.len();
        let (vectors, dim) = token_vectors(output, row, span)?;
        Ok(MultiVectorRow {
            vectors,
            dim,
            rows,
            tokens: family::count(item.text.len()),
            truncated: item.text.truncated,
        })
    }
}

impl Engine<MultimodalFamily> {
    /// [`MultimodalFamily::count_tokens`] of each text. Uses the preparing pool and blocks; an error names its text.
    pub fn count_tokens(&self, texts: &[String], limit: usize, include_extension: bool) -> Result<Vec<u32>> {
        self.count_each(texts, |family, text| family.count_tokens(text, limit, include_extension))
    }
}
