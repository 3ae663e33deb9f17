//! Where a scaled image goes on the canvas that the model sees: centre crop, and Jina's padding to a square.

use super::{Filter, Rect, Rgb, resample};

/// The window of the scaled image that is kept, and where on which canvas it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    window: Rect,
    pub(super) width: usize,
    pub(super) height: usize,
    at: (usize, usize),
    fill: [u8; 3],
    /// Whether zeros were filled in around the image, which Pillow's callers do in float32.
    pub(super) padded: bool,
}

impl Frame {
    /// The whole image.
    pub(super) fn whole(width: usize, height: usize) -> Self {
        let window = Rect::whole(width, height);
        Self { window, width, height, at: (0, 0), fill: [0; 3], padded: false }
    }

    /// The centre of a `width` by `height` image; a smaller one is padded with zeros, the larger half of an odd
    /// difference at the top and the left.
    pub(super) fn center(width: usize, height: usize, crop_width: usize, crop_height: usize) -> Self {
        let cut = |have: usize, want: usize| (have.saturating_sub(want) / 2, have.min(want));
        let pad = |have: usize, want: usize| want.saturating_sub(have).div_ceil(2);
        let ((x, kept_width), (y, kept_height)) = (cut(width, crop_width), cut(height, crop_height));
        Self {
            window: Rect { x, y, width: kept_width, height: kept_height },
            width: crop_width,
            height: crop_height,
            at: (pad(width, crop_width), pad(height, crop_height)),
            fill: [0; 3],
            padded: width < crop_width || height < crop_height,
        }
    }

    /// A square of `side` with the image at its upper left; a larger one is cut from its middle, half a pixel
    /// going to the even side.
    pub(super) fn square(width: usize, height: usize, side: usize, fill: [u8; 3]) -> Self {
        let cut = |have: usize| {
            let over = have.saturating_sub(side);
            let half = over / 2;
            (if over % 2 == 1 && half % 2 == 1 { half + 1 } else { half }, have.min(side))
        };
        let ((x, kept_width), (y, kept_height)) = (cut(width), cut(height));
        let window = Rect { x, y, width: kept_width, height: kept_height };
        Self { window, width: side, height: side, at: (0, 0), fill, padded: false }
    }

    /// `image`, scaled to `width` by `height`, on the canvas.
    pub(super) fn apply(&self, image: &Rgb, width: usize, height: usize, filter: Filter) -> Rgb {
        let part = resample::resize(image, width, height, filter, self.window);
        if (part.width(), part.height()) == (self.width, self.height) {
            return part;
        }
        let mut canvas = Rgb::filled(self.width, self.height, self.fill);
        canvas.paste(&part, self.at.0, self.at.1);
        canvas
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn centres() {
        let frame = Frame::center(11, 4, 4, 7);
        assert_eq!(frame.window, Rect { x: 3, y: 0, width: 4, height: 4 });
        assert_eq!(frame.at, (0, 2), "of three rows two are above");
        assert!(frame.padded);
        assert!(!Frame::center(4, 4, 4, 4).padded);
    }

    #[test]
    fn squares_cut_at_even_offsets() {
        let x = |width| Frame::square(width, 1, 224, [0; 3]).window.x;
        assert_eq!([x(224), x(225), x(227), x(229)], [0, 0, 2, 2]);
    }
}
