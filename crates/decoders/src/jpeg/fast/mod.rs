//! A faster way for the JPEGs that cameras, browsers and image programs write.
//!
//! Huffman-coded, gray or YCbCr, with chroma for one, two or four pixels, baseline or progressive, whole. Its pixels are those of
//! libjpeg, bit by bit; a test decodes the conformance set both ways. Whatever is unusual, damaged or missing makes it answer that
//! the file is not for it, and libjpeg decides: nothing is refused or repaired here.
//!
//! It is faster for three reasons. All scans of a progressive file are decoded side by side, a row of blocks at a time
//! ([`scan`]), so that coefficients never leave the processor's cache. Codes are read together with their values ([`bits`]). And a
//! mask of what is not 0 spares the blocks in which nothing happens.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod bits;
mod color;
mod idct;
mod parse;
mod scan;

use idct::Transform;
use parse::{Component, File, Frame};
use scan::{Progress, Row};

/// How many pixels share a sample of chroma.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chroma {
    /// There is none.
    Gray,
    /// One.
    Own,
    /// Two beside each other.
    Beside,
    /// Two by two.
    Square,
}

impl Chroma {
    fn of(frame: &Frame) -> Option<Self> {
        let factors: Vec<_> = frame.components.iter().map(|it| (it.across, it.down)).collect();
        // Of rows of one or two samples libjpeg makes something else.
        let narrow = frame.components.iter().any(|it| it.width <= 2);
        match factors.as_slice() {
            [_] => Some(Self::Gray),
            [(1, 1), (1, 1), (1, 1)] => Some(Self::Own),
            [(2, 1), (1, 1), (1, 1)] if !narrow => Some(Self::Beside),
            [(2, 2), (1, 1), (1, 1)] if !narrow => Some(Self::Square),
            _ => None,
        }
    }
}

/// The rows of samples of a component that a row of MCUs gives, and before them the last row of the MCUs above.
struct Samples {
    stride: usize,
    data: Vec<u8>,
}

impl Samples {
    fn new(component: &Component, mcus_across: usize) -> Self {
        let stride = 8 * mcus_across * component.across;
        Self { stride, data: vec![0; stride * (8 * component.down + 1)] }
    }

    /// Row `y`, of which -1 is the one above.
    fn row(&self, y: isize, width: usize) -> &[u8] {
        let at = usize::try_from(y + 1).unwrap_or(0);
        &self.data[at * self.stride..][..width]
    }

    /// Keeps the last row for the next row of MCUs.
    fn move_up(&mut self) {
        let last = self.data.len() - self.stride;
        self.data.copy_within(last.., 0);
    }

    fn transform(&mut self, by: Transform, row: &Row, component: &Component, down: usize) -> Option<()> {
        let steps = component.steps.as_ref()?;
        for y in 0..down {
            for x in 0..component.blocks_across {
                let at = y * row.stride + x;
                let to = &mut self.data[(8 * y + 1) * self.stride + 8 * x..];
                by.block(&row.blocks[at], row.filled[at], steps, to, self.stride);
            }
        }
        Some(())
    }
}

/// Decodes `bytes` into `pixels`: gray, or RGB where `rgb` says that the three components are luma and chroma. `None` when the
/// file is not for this decoder; then `pixels` may hold anything.
pub(super) fn decode(bytes: &[u8], width: u32, height: u32, rgb: bool, pixels: &mut [u8]) -> Option<()> {
    let file = parse::parse(bytes)?;
    let frame = &file.frame;
    let size = (frame.width, frame.height);
    if size != (width as usize, height as usize) || rgb != (frame.components.len() == 3) {
        return None;
    }
    let chroma = Chroma::of(frame)?;
    Decoder::new(&file, chroma).run(pixels)
}

struct Decoder<'file> {
    file: &'file File,
    chroma: Chroma,
    by: Transform,
    rows: Vec<Row>,
    samples: Vec<Samples>,
    /// Chroma of a row of pixels.
    wide: [Vec<u8>; 2],
    sums: Vec<u16>,
}

impl<'file> Decoder<'file> {
    fn new(file: &'file File, chroma: Chroma) -> Self {
        let frame = &file.frame;
        let row = |component: &Component| {
            let stride = frame.mcus_across * component.across;
            let blocks = stride * component.down;
            Row { stride, blocks: vec![[0; 64]; blocks], filled: vec![0; blocks] }
        };
        let samples = |component: &Component| Samples::new(component, frame.mcus_across);
        let wide = 16 * frame.mcus_across;
        Self {
            file,
            chroma,
            by: Transform::of_this_machine(),
            rows: frame.components.iter().map(row).collect(),
            samples: frame.components.iter().map(samples).collect(),
            wide: [vec![0; wide], vec![0; wide]],
            sums: vec![0; wide],
        }
    }

    fn run(&mut self, pixels: &mut [u8]) -> Option<()> {
        let File { frame, scans, data } = self.file;
        let mut progress: Vec<Progress> = scans.iter().map(Progress::new).collect();
        for mcu_row in 0..frame.mcus_down {
            self.rows.iter_mut().for_each(Row::clear);
            for (scan, progress) in scans.iter().zip(&mut progress) {
                progress.decode_row(scan, frame, data, mcu_row, &mut self.rows)?;
            }
            for ((samples, row), component) in self.samples.iter_mut().zip(&self.rows).zip(&frame.components)
            {
                let down = component.down.min(component.blocks_down - mcu_row * component.down);
                samples.move_up();
                samples.transform(self.by, row, component, down)?;
            }
            self.write(mcu_row, pixels);
        }
        let complete = scans.iter().zip(&progress).all(|(scan, progress)| progress.is_complete(scan));
        complete.then_some(())
    }

    /// Writes the pixels that are known with this row of MCUs: of chroma for two by two pixels, those but for the last row,
    /// which needs the chroma below, and the one above.
    fn write(&mut self, mcu_row: usize, pixels: &mut [u8]) {
        let frame = &self.file.frame;
        let mcu_height = 8 * frame.components[0].down;
        let first = mcu_row * mcu_height;
        let end = (first + mcu_height).min(frame.height);
        match self.chroma {
            Chroma::Gray => {
                for (y, to) in pixels.chunks_exact_mut(frame.width).enumerate().take(end).skip(first) {
                    to.copy_from_slice(self.samples[0].row(offset(y, first), frame.width));
                }
            }
            Chroma::Own | Chroma::Beside => (first..end).for_each(|y| self.write_row(y, first, pixels)),
            Chroma::Square => {
                let start = first.saturating_sub(1);
                let end = if mcu_row + 1 == frame.mcus_down { end } else { end - 1 };
                (start..end).for_each(|y| self.write_row(y, first, pixels));
            }
        }
    }

    /// Writes row `y` of the picture; the samples at hand begin with row `first` of luma.
    fn write_row(&mut self, y: usize, first: usize, pixels: &mut [u8]) {
        let frame = &self.file.frame;
        let Component { width: narrow, height: low, .. } = frame.components[1];
        let [luma, blue, red] = self.samples.as_slice() else { return };
        let luma = luma.row(offset(y, first), frame.width);
        let to = &mut pixels[3 * frame.width * y..][..3 * frame.width];
        let [wide_blue, wide_red] = &mut self.wide;
        match self.chroma {
            Chroma::Gray => {}
            Chroma::Own => {
                let y = offset(y, first);
                color::to_rgb(self.by, luma, blue.row(y, narrow), red.row(y, narrow), to);
            }
            Chroma::Beside => {
                let y = offset(y, first);
                color::twice(blue.row(y, narrow), wide_blue);
                color::twice(red.row(y, narrow), wide_red);
                color::to_rgb(self.by, luma, &wide_blue[..frame.width], &wide_red[..frame.width], to);
            }
            Chroma::Square => {
                let here = y / 2;
                // The nearer neighbour; the picture's first and last rows are their own.
                let near = if y.is_multiple_of(2) { here.saturating_sub(1) } else { (here + 1).min(low - 1) };
                let [here, near] = [here, near].map(|row| offset(row, first / 2));
                for (samples, wide) in [(blue, wide_blue), (red, wide_red)] {
                    let (here, near) = (samples.row(here, narrow), samples.row(near, narrow));
                    color::twice_both_ways(here, near, &mut self.sums[..narrow], wide);
                }
                let [wide_blue, wide_red] = &self.wide;
                color::to_rgb(self.by, luma, &wide_blue[..frame.width], &wide_red[..frame.width], to);
            }
        }
    }
}

/// How far row `y` is behind row `first`, -1 for the one before it.
fn offset(y: usize, first: usize) -> isize {
    y.cast_signed() - first.cast_signed()
}
