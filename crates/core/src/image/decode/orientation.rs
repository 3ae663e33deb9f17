//! Turning and mirroring a picture as EXIF's orientation tag says.

use super::super::Rgb;
use millrace_contract::Result;

/// How the stored pixels relate to the upright picture; the names say what makes the picture upright.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Orientation {
    #[default]
    Upright,
    FlipHorizontal,
    Rotate180,
    FlipVertical,
    /// Rows become columns.
    Transpose,
    Rotate90,
    /// Rows become columns, and both directions are reversed.
    Transverse,
    Rotate270,
}

impl Orientation {
    /// The meaning of the tag's value, 1 to 8; any other is left alone, as Pillow does.
    pub(super) fn of_tag(value: u64) -> Self {
        match value {
            2 => Self::FlipHorizontal,
            3 => Self::Rotate180,
            4 => Self::FlipVertical,
            5 => Self::Transpose,
            6 => Self::Rotate90,
            7 => Self::Transverse,
            8 => Self::Rotate270,
            _ => Self::Upright,
        }
    }

    /// The upright picture.
    pub(super) fn apply(self, image: Rgb) -> Result<Rgb> {
        let (width, height) = (image.width(), image.height());
        let (last_x, last_y) = (width.saturating_sub(1), height.saturating_sub(1));
        match self {
            Self::Upright => Ok(image),
            Self::FlipHorizontal => moved(&image, width, height, |x, y| (last_x - x, y)),
            Self::Rotate180 => moved(&image, width, height, |x, y| (last_x - x, last_y - y)),
            Self::FlipVertical => moved(&image, width, height, |x, y| (x, last_y - y)),
            Self::Transpose => moved(&image, height, width, |x, y| (y, x)),
            Self::Rotate90 => moved(&image, height, width, |x, y| (y, last_y - x)),
            Self::Transverse => moved(&image, height, width, |x, y| (last_x - y, last_y - x)),
            Self::Rotate270 => moved(&image, height, width, |x, y| (last_x - y, x)),
        }
    }
}

/// A picture of `width` by `height` whose pixel (x, y) is that of `image` at `from(x, y)`.
fn moved(
    image: &Rgb,
    width: usize,
    height: usize,
    from: impl Fn(usize, usize) -> (usize, usize),
) -> Result<Rgb> {
    let mut data = Vec::with_capacity(3 * width * height);
    for y in 0..height {
        for x in 0..width {
            let (x, y) = from(x, y);
            data.extend_from_slice(image.span(x, y, 1));
        }
    }
    Rgb::of(width, height, data)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of a picture's pixels, row by row.
    fn pixels(image: &Rgb) -> Vec<u8> {
        image.data().iter().step_by(3).copied().collect()
    }

    #[test]
    fn each_value_of_the_tag_makes_one_picture_upright() {
        // 1 2 3
        // 4 5 6
        let image = Rgb::of(3, 2, [1, 2, 3, 4, 5, 6].into_iter().flat_map(|at| [at; 3]).collect()).unwrap();
        let upright = |tag| pixels(&Orientation::of_tag(tag).apply(image.clone()).unwrap());
        assert_eq!(upright(1), [1, 2, 3, 4, 5, 6]);
        assert_eq!(upright(2), [3, 2, 1, 6, 5, 4]);
        assert_eq!(upright(3), [6, 5, 4, 3, 2, 1]);
        assert_eq!(upright(4), [4, 5, 6, 1, 2, 3]);
        assert_eq!(upright(5), [1, 4, 2, 5, 3, 6]);
        assert_eq!(upright(6), [4, 1, 5, 2, 6, 3]);
        assert_eq!(upright(7), [6, 3, 5, 2, 4, 1]);
        assert_eq!(upright(8), [3, 6, 2, 5, 1, 4]);
        assert_eq!(upright(9), [1, 2, 3, 4, 5, 6]);
    }
}
